"""Writing triplets of arrival time, duration and note, with music that is given among them."""

"""Files of weights, ours and others', read and written without running what they hold."""

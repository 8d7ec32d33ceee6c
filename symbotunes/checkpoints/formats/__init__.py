"""File formats of weights, read and written without running any code in them."""

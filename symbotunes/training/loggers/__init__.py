"""Where metrics go: a table in the run folder, and Weights & Biases."""

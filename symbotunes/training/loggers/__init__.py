"""Loggers: a CSV file in the run folder, and Weights & Biases."""

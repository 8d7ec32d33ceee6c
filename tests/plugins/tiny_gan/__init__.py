"""A plug-in: a GAN that this package knows nothing of."""

"""sketch2paint: line drawings to colour with a conditional GAN (pix2pix)."""

__version__ = "0.1.0"

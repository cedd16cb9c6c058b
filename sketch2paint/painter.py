"""Where `Painter` was in release 0.1; it is `sketch2paint.Painter` now."""

from sketch2paint.inference.painter import Painter

__all__ = ["Painter"]

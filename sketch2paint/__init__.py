"""sketch2paint: line drawings to colour with a conditional GAN (pix2pix)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketch2paint.inference.painter import Painter
    from sketch2paint.models.weights import load_generator

__version__ = "0.1.0"
__all__ = ["Painter", "__version__", "load_generator"]

_HOMES = {
    "Painter": "sketch2paint.inference.painter",
    "load_generator": "sketch2paint.models.weights",
}

if not TYPE_CHECKING:  # or every name would be one of this package

    def __getattr__(name: str) -> Any:
        """Import what is asked for at its first use: all of it needs torch."""
        from importlib import import_module

        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = getattr(import_module(_HOMES[name]), name)
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

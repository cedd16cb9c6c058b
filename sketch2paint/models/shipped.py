"""The model that comes with the package: the word that stands for it, and its file."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

SHIPPED = "shipped"  # as a checkpoint; a folder of that name is ./shipped
FILE = Path(str(files("sketch2paint") / "assets/shipped.safetensors"))
WAY_BACK = (
    "To get the model that comes with sketch2paint back, install it again "
    "(pip install --force-reinstall --no-deps .), or in a clone of the repository: "
    "git checkout -- sketch2paint/assets/shipped.safetensors"
)


def is_shipped(path: Path | str) -> bool:
    """Whether a checkpoint is the word for the model that comes with the package."""
    return isinstance(path, str) and path == SHIPPED


def shipped_file() -> Path:
    """The weight file that comes with the package.

    Raises:
        FileNotFoundError: it is gone.
    """
    if not FILE.is_file():
        raise FileNotFoundError(f"{FILE}: no such file. {WAY_BACK}")
    return FILE

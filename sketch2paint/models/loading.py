"""The one way in: whatever can colour is read here, and torch imported for weights alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketch2paint.models.description import REGIONS
from sketch2paint.models.onnx_generator import ExportedGenerator

if TYPE_CHECKING:
    from sketch2paint.models.networks import UNetGenerator


def load(
    path: Path | str, *, device: str = "auto", task: str | None = None
) -> tuple[UNetGenerator | ExportedGenerator, dict[str, Any]]:
    """Read what can colour: an exported .onnx, or whatever `load_generator` reads.

    Args:
        path: A run folder, .ckpt, .safetensors or .onnx; it may come from a stranger.
        device: Device that an .onnx file is to run on, as for ExportedGenerator; weights come on
            the CPU.
        task: sketch | photo, if only a network for it will do.

    Returns:
        The network in eval mode, and its description (see `description.describe`).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another kind or task, or ONNX Runtime is missing.
    """
    if Path(path).suffix == ".onnx":
        exported = ExportedGenerator(path, device, task)
        return exported, exported.about
    from sketch2paint.models.weights import load_generator  # it needs torch, an .onnx does not

    return load_generator(path, task)


def is_region_network(path: Path | str) -> bool:
    """Whether a run folder or file says that it holds a region network.

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
    """
    if Path(path).suffix == ".onnx":
        return False
    from sketch2paint.models.weights import told_format

    return told_format(path) == REGIONS

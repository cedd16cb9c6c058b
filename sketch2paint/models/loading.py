"""The one way in: whatever can colour is read here, and torch imported for weights alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sketch2paint.models.description import PartName
from sketch2paint.models.onnx_generator import ExportedGenerator

if TYPE_CHECKING:
    from sketch2paint.models.networks import UNetGenerator


def load(
    path: Path | str, *, device: str = "auto", task: str | None = None
) -> tuple[UNetGenerator | ExportedGenerator, dict[str, Any]]:
    """Read what can colour: an exported .onnx, or whatever `load_generator` reads.

    Args:
        path: A run folder, .ckpt, .safetensors or .onnx, which may come from a stranger, or the
            word `shipped` for the model that comes with the package.
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


def networks_in(path: Path | str) -> frozenset[PartName]:
    """Which networks a run folder or file says that it holds; an .onnx file is a generator's.

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
    """
    if Path(path).suffix == ".onnx":
        return frozenset({"generator"})
    from sketch2paint.models import weights

    return weights.networks_in(path)

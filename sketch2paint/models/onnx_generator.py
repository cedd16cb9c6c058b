"""Run an exported .onnx file in a generator's place, with ONNX Runtime."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sketch2paint.device import thread_count
from sketch2paint.models.description import (
    REGIONS,
    check_style,
    parse_description,
    planes_of,
)
from sketch2paint.models.tasks import LARGEST, channels_of

if TYPE_CHECKING:
    from torch import Tensor

KEY = "sketch2paint"  # of the description in a file's metadata
INSTALL = "Expected the packages of ONNX, found no {}. pip install 'sketch2paint[onnx]'"
# What a generator is made of; no control flow, nothing that makes large tensors of small ones.
OPERATIONS = {
    *("Conv", "ConvTranspose", "InstanceNormalization", "Resize", "Concat", "Cast"),
    *("LeakyRelu", "Relu", "Tanh", "Add", "Sub", "Mul", "Div", "Reshape"),
    *("ConvInteger", "DynamicQuantizeLinear"),
    *("Slice", "Split", "Gemm", "Unsqueeze"),  # planes and style
}


class ExportedGenerator:
    """A generator in an .onnx file; it needs no torch, has no parameters, cannot be trained.

    The file is data: ops of its own, control flow and weights in other files are refused.

    Args:
        path: File .onnx, as export.py writes it; it may come from a stranger.
        device: Device auto | cpu | cuda | cuda:1; auto: CUDA where ONNX Runtime has it. Tensors
            may be on any device.
        task: sketch | photo, if only a network for it will do.

    Attributes:
        about: Description (see `description.describe`), and what the export added.
        task: sketch | photo.
        size: Side of the training pictures in pixels.
        multiple: Number that height and width must divide by.
        planes: What it is given, each an input of the file by its name.
        in_channels, out_channels: Channels of all planes, and of the picture.
        style_channels: Numbers of the style code, an input of the file if there are any.
        device: Device on which it runs, cpu or cuda:N.

    Raises:
        OSError: there is no such file.
        ValueError: the file is no exported generator, or ONNX Runtime is missing.
    """

    def __init__(self, path: Path | str, device: str = "auto", task: str | None = None) -> None:
        path = Path(path)
        content = path.read_bytes()
        self.about = _checked_model(path, content, task)
        self.task: str = self.about["task"]
        self.size, self.multiple = (_size(path, self.about, key) for key in ("size", "multiple"))
        self.planes, self.in_channels = (
            planes_of(self.about),
            _size(path, self.about, "in_channels"),
        )
        self.out_channels = _size(path, self.about, "out_channels")
        told = {"style_channels": 0, **self.about}  # not of release 0.1
        self.style_channels = _size(path, told, "style_channels", least=0)
        check_style(path, told.get("style", []), self.style_channels)
        self.session, self.device = open_session(path, content, device)
        self._check_names(path)

    def _check_names(self, path: Path) -> None:
        expected = [*(plane.name for plane in self.planes), *["style"] * (self.style_channels > 0)]
        taken, given = self.session.get_inputs(), self.session.get_outputs()
        names = [value.name for value in (*taken, *given)]
        if names != [*expected, "picture"] or channels_of(self.planes) != self.in_channels:
            shown = [name[:40] for name in names][:8]
            raise ValueError(
                f"{path}: expected inputs {expected} of {self.in_channels} channels and one output "
                f"`picture`, got {shown}, planes of {channels_of(self.planes)} channels."
            )

    def __call__(self, planes: Tensor, style: Tensor | None = None) -> Tensor:
        """Colour a batch of sketches in the generator's place.

        Args:
            planes: Planes on top of each other, (B, in_channels, H, W) in [-1, 1]; H and W
                multiples of `multiple`.
            style: Style codes, (B, style_channels); None: zeros.

        Returns:
            (B, out_channels, H, W) float32 in [-1, 1], on the planes' device.

        Raises:
            ValueError: another shape, or the file gives another one than it says.
        """
        import torch

        self._check_shape(planes.shape)
        parts = planes.split([plane.channels for plane in self.planes], dim=1)
        given = {plane.name: part for plane, part in zip(self.planes, parts, strict=True)}
        given |= {} if style is None else {"style": style}
        picture = self.colour({name: part.float().cpu().numpy() for name, part in given.items()})
        return torch.from_numpy(picture).to(planes.device)

    def colour(self, given: Mapping[str, np.ndarray]) -> np.ndarray:
        """Colour a batch of sketches without torch.

        Args:
            given: Planes by name, float32 (B, C, H, W) in [-1, 1], `sketch` at least; others are
                empty unless given, `style` (B, style_channels) is zeros.

        Returns:
            (B, out_channels, H, W) float32 in [-1, 1].

        Raises:
            ValueError: another shape, or the file gives another one than it says.
        """
        batch, _, height, width = given["sketch"].shape
        inputs = {**self._empty(batch, height, width), **given}
        shape = [batch, self.in_channels, height, width]
        self._check_shape(shape)
        try:
            (picture,) = self.session.run(None, inputs)
        except Exception as error:  # ONNX Runtime's are of no common class but RuntimeError's
            raise ValueError(f"The exported file cannot colour {shape}: {error}") from error
        if picture.shape != (batch, self.out_channels, height, width):
            raise ValueError(
                f"Expected a picture {[batch, self.out_channels, height, width]} from the "
                f"exported file, got {list(picture.shape)}. Export it again."
            )
        return picture

    def _empty(self, batch: int, height: int, width: int) -> dict[str, np.ndarray]:
        """What the inputs are that nobody gives."""
        empty = {
            plane.name: np.full((batch, plane.channels, height, width), plane.empty, np.float32)
            for plane in self.planes
            if plane.empty is not None
        }
        if self.style_channels:
            empty["style"] = np.zeros((batch, self.style_channels), np.float32)
        return empty

    def _check_shape(self, shape: Sequence[int]) -> None:
        _, channels, height, width = shape
        if channels != self.in_channels or height % self.multiple or width % self.multiple:
            raise ValueError(
                f"Expected {self.in_channels} channels, height and width multiples of "
                f"{self.multiple}, got {list(shape)}. Pad the sketch with white (1.0)."
            )


def need(name: str) -> Any:
    """Import one of the optional packages.

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(INSTALL.format(name)) from error


def open_session(path: Path, content: bytes, device: str) -> tuple[Any, str]:
    """Make an onnxruntime.InferenceSession of a file's bytes, on as many threads as torch has.

    Returns:
        The session, and the device it runs on: cpu or cuda:N.

    Raises:
        ValueError: ONNX Runtime cannot read it, or has no such device.
    """
    runtime = need("onnxruntime")
    runtime.disable_telemetry_events()
    providers: list[Any] = ["CPUExecutionProvider"]
    place = "cpu"
    has_cuda = "CUDAExecutionProvider" in runtime.get_available_providers()
    if device.startswith("cuda") or (device == "auto" and has_cuda):
        if not has_cuda:
            raise ValueError(
                f"Expected ONNX Runtime to have CUDA for device={device}, it has none. "
                "pip install onnxruntime-gpu, or pass device=cpu."
            )
        index = int(device.partition(":")[2] or 0)
        place = f"cuda:{index}"
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": index}))
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = thread_count()
    settings.log_severity_level = 4  # errors come as exceptions
    try:
        # Without its retry, which is printed.
        options = {"providers": providers, "enable_fallback": 0}
        return runtime.InferenceSession(content, settings, **options), place
    except Exception as error:
        raise ValueError(f"{path}: ONNX Runtime cannot read it: {str(error)[:300]}") from error


def _checked_model(path: Path, content: bytes, task: str | None) -> dict[str, Any]:
    """The description of a file whose graph holds a generator's operations and weights alone."""
    onnx = need("onnx")
    try:
        model = onnx.ModelProto.FromString(content)
        graph = model.graph
        nodes = [(node.domain, node.op_type) for node in graph.node]
    except Exception as error:
        raise ValueError(f"{path}: damaged: expected an .onnx file, got: {error}.") from error
    texts = [entry.value for entry in model.metadata_props if entry.key == KEY]
    if not texts:
        raise ValueError(f"{path}: expected an .onnx file written by export.py, got another one.")
    about = parse_description(path, texts[0], task)
    if about["format"] == REGIONS:
        raise ValueError(
            f"{path}: expected an exported generator, got a part of a region network, which is for "
            "other programs. Pass the run folder it was made from."
        )
    others = {
        f"{d}.{op}"[:60] for d, op in nodes if d not in ("", "ai.onnx") or op not in OPERATIONS
    }
    if others or model.functions or graph.sparse_initializer:
        raise ValueError(
            f"{path}: expected the operations of a generator, got others, which are not run: "
            f"{', '.join(sorted(others)[:4]) or 'functions or sparse weights'}."
        )
    tensors = list(graph.initializer)
    tensors += [attribute.t for node in graph.node for attribute in node.attribute]
    if any(tensor.external_data or tensor.data_location for tensor in tensors):
        raise ValueError(
            f"{path}: expected all weights inside, got the names of other files, which are "
            "not opened. Export it again with export.py."
        )
    return about


def _size(path: Path, about: dict[str, Any], key: str, least: int = 1) -> int:
    value = about.get(key)
    if type(value) is not int or not least <= value <= LARGEST:
        raise ValueError(
            f"{path}: expected `{key}` to be a whole number from {least} to {LARGEST}, got "
            f"{value!r:.60}."
        )
    return value

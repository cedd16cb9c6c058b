"""Run an exported .onnx file in a generator's place, with ONNX Runtime."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sketch2paint.models.networks import LARGEST, UNetGenerator
from sketch2paint.models.weights import load_generator, parse_description

KEY = "sketch2paint"  # of the description in a file's metadata
INSTALL = "Expected the packages of ONNX, found no {}. pip install 'sketch2paint[onnx]'"
# What a generator is made of; no control flow, nothing that makes large tensors of small ones.
OPERATIONS = {
    *("Conv", "ConvTranspose", "InstanceNormalization", "Resize", "Concat", "Cast"),
    *("LeakyRelu", "Relu", "Tanh", "Add", "Sub", "Mul", "Div", "Reshape"),
    *("ConvInteger", "DynamicQuantizeLinear"),
}


def load_network(
    path: Path | str, device: str = "auto", task: str | None = None
) -> tuple[UNetGenerator | ExportedGenerator, dict[str, Any]]:
    """Read what can colour: an exported .onnx, or whatever `weights.load_generator` reads.

    Args:
        path: a run folder, .ckpt, .safetensors or .onnx; it may come from a stranger.
        device: where an .onnx file is to run, as for ExportedGenerator; weights come on the CPU.
        task: sketch | photo, if only a network for it will do.

    Returns:
        The network in eval mode, and its description.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, of another kind or task, or ONNX Runtime is missing.
    """
    if Path(path).suffix != ".onnx":
        return load_generator(path, task)
    network = ExportedGenerator(path, device, task)
    return network.eval(), network.about


class ExportedGenerator(nn.Module):
    """A generator in an .onnx file; has no parameters, cannot be trained.

    The file is data: ops of its own, control flow and weights in other files are refused.

    Args:
        path: the .onnx file, as export.py writes it; it may come from a stranger.
        device: auto | cpu | cuda | cuda:1; auto: CUDA where ONNX Runtime has it. Tensors may be on
            any device.
        task: sketch | photo, if only a network for it will do.

    Attributes:
        about: the description: of `weights.describe`, and what the export added.
        task: sketch | photo.
        size: side of the training pictures in pixels.
        multiple: height and width must divide by it.
        in_channels, out_channels: of the sketch and the picture.

    Raises:
        OSError: there is no such file.
        ValueError: the file is no exported generator, or ONNX Runtime is missing.
    """

    def __init__(self, path: Path | str, device: str = "auto", task: str | None = None) -> None:
        super().__init__()
        path = Path(path)
        content = path.read_bytes()
        self.about = _checked_model(path, content, task)
        self.task: str = self.about["task"]
        sizes = [_size(path, self.about, key) for key in ("size", "multiple")]
        channels = [_size(path, self.about, key) for key in ("in_channels", "out_channels")]
        self.size, self.multiple = sizes
        self.in_channels, self.out_channels = channels
        self.session = open_session(path, content, device)
        taken, given = self.session.get_inputs(), self.session.get_outputs()
        if [value.name for value in (*taken, *given)] != ["sketch", "picture"]:
            names = [value.name[:40] for value in (*taken, *given)][:4]
            raise ValueError(
                f"{path}: expected one input `sketch` and one output `picture`, got {names}."
            )

    def forward(self, sketch: Tensor) -> Tensor:
        """Colour a batch of sketches.

        Args:
            sketch: (B, in_channels, H, W) in [-1, 1]; H and W multiples of `multiple`.

        Returns:
            (B, out_channels, H, W) float32 in [-1, 1], on the sketch's device.

        Raises:
            ValueError: another shape, or the file gives another one than it says.
        """
        batch, channels, height, width = sketch.shape
        if channels != self.in_channels or height % self.multiple or width % self.multiple:
            raise ValueError(
                f"Expected {self.in_channels} channels, height and width multiples of "
                f"{self.multiple}, got {list(sketch.shape)}. Pad the sketch with white (1.0)."
            )
        try:
            (picture,) = self.session.run(None, {"sketch": sketch.float().cpu().numpy()})
        except Exception as error:  # ONNX Runtime's are of no common class but RuntimeError's
            raise ValueError(
                f"The exported file cannot colour {list(sketch.shape)}: {error}"
            ) from error
        if picture.shape != (batch, self.out_channels, height, width):
            raise ValueError(
                f"Expected a picture {[batch, self.out_channels, height, width]} from the "
                f"exported file, got {list(picture.shape)}. Export it again."
            )
        return torch.from_numpy(picture).to(sketch.device)


def need(name: str) -> Any:
    """Import one of the optional packages.

    Raises:
        ValueError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ValueError(INSTALL.format(name)) from error


def open_session(path: Path, content: bytes, device: str) -> Any:
    """Make an onnxruntime.InferenceSession of a file's bytes, on as many threads as torch has.

    Raises:
        ValueError: ONNX Runtime cannot read it, or has no such device.
    """
    runtime = need("onnxruntime")
    runtime.disable_telemetry_events()
    providers: list[Any] = ["CPUExecutionProvider"]
    has_cuda = "CUDAExecutionProvider" in runtime.get_available_providers()
    if device.startswith("cuda") or (device == "auto" and has_cuda):
        if not has_cuda:
            raise ValueError(
                f"Expected ONNX Runtime to have CUDA for device={device}, it has none. "
                "pip install onnxruntime-gpu, or pass device=cpu."
            )
        index = 0 if device == "auto" else torch.device(device).index or 0
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": index}))
    settings = runtime.SessionOptions()
    settings.intra_op_num_threads = torch.get_num_threads()
    settings.log_severity_level = 4  # errors come as exceptions
    try:
        # Without its retry, which is printed.
        return runtime.InferenceSession(content, settings, providers=providers, enable_fallback=0)
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


def _size(path: Path, about: dict[str, Any], key: str) -> int:
    value = about.get(key)
    if type(value) is not int or not 1 <= value <= LARGEST:
        raise ValueError(
            f"{path}: expected `{key}` to be a whole number from 1 to {LARGEST}, got {value!r:.60}."
        )
    return value

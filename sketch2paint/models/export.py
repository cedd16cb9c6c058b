"""Export a generator for other programs, and keep no file that paints differently."""

from __future__ import annotations

import copy
import itertools
import json
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from sketch2paint.data.demo import draw_pair
from sketch2paint.files import written_beside
from sketch2paint.images.convert import find_pictures, read_rgb, resize, rgb_to_lab, to_float
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.onnx_generator import KEY, ExportedGenerator, need
from sketch2paint.models.weights import load_generator, save_generator

SUFFIXES = {
    "onnx": ".onnx",
    "torchscript": ".pt",
    "torch_export": ".pt2",
    "safetensors": ".safetensors",
}
DTYPES = ("float32", "float16", "int8")
OPSETS = range(18, 24)  # the exporter writes 18; ONNX's own converter makes the later ones
LIMIT = 1.0  # of 255 levels
DRAWINGS = 24  # to check with, at most
ONNX_BYTES = 2**31 - 2**20  # of one protocol buffer

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Measured:
    """How an exported file compares with PyTorch on the CPU.

    Args:
        levels: the largest difference of a value, of 255 levels.
        seconds: of one picture of the training size, by the file.
        torch_seconds: the same by PyTorch.
        drawings: how many drawings were coloured.
    """

    levels: float
    seconds: float
    torch_seconds: float
    drawings: int


def export_generator(
    checkpoint: Path | str,
    format: str,
    output: Path | str,
    dtype: str = "float32",
    opset: int = 18,
    drawings: Path | str | None = None,
) -> Measured:
    """Write a generator for other programs, run the file and compare it with PyTorch.

    Input `sketch` (B, in_channels, H, W), output `picture` (B, out_channels, H, W), both float32
    in [-1, 1]; any B, H and W multiples of `multiple`. The description goes with the file.

    Args:
        checkpoint: a run folder, .ckpt or .safetensors.
        format: onnx | torchscript | torch_export | safetensors.
        output: the file; an older one is replaced.
        dtype: float32 | float16 | int8 weights, the last two for onnx.
        opset: version of ONNX's operations, 18..23.
        drawings: a picture or a folder to compare with; None: drawings of the demo.

    Raises:
        ValueError: a parameter is wrong, packages are missing, or the float32 file differs by more
            than 1/255 anywhere; nothing is left then.
    """
    output = Path(output)
    _check(format, output, dtype, opset)
    generator, about = load_generator(checkpoint)
    about = _description(generator, about, dtype)
    pictures = _pictures(drawings, about["task"], generator.size)
    with written_beside(output) as beside:
        with _quiet():
            _write(beside, format, generator, about, dtype, opset)
        measured = _compare(generator, _open(beside, format), pictures, about["task"])
        if dtype == "float32" and not measured.levels <= LIMIT:
            raise ValueError(
                f"{output}: expected the file to paint as PyTorch does, got a difference of "
                f"{measured.levels:.2f} of 255 levels; it is not kept. Pass another format."
            )
        if format == "onnx":
            _note(beside, {**about, "opset": opset, "levels_from_torch": measured.levels})
    return measured


def _check(format: str, output: Path, dtype: str, opset: int) -> None:
    if format not in SUFFIXES:
        raise ValueError(f"Expected `format` to be one of {', '.join(SUFFIXES)}, got {format!r}.")
    if output.suffix != SUFFIXES[format]:
        raise ValueError(
            f"Expected `output` to be a {SUFFIXES[format]} file for format={format}, got {output}."
        )
    if dtype not in DTYPES or (dtype != "float32" and format != "onnx"):
        raise ValueError(
            f"Expected `dtype` to be one of {', '.join(DTYPES)}, the last two with format=onnx, "
            f"got {dtype!r} with format={format}."
        )
    if opset not in OPSETS:
        raise ValueError(
            f"Expected `opset` to be in {OPSETS[0]}..{OPSETS[-1]}, got {opset}. Pass opset=18."
        )


def _description(generator: UNetGenerator, about: dict[str, Any], dtype: str) -> dict[str, Any]:
    """What the weight file says of itself, and what a program needs that does not build it."""
    told = {key: about[key] for key in ("format", "version", "task", "value_range", "generator")}
    names = ("size", "multiple", "in_channels", "out_channels")
    return {**told, **{name: getattr(generator, name) for name in names}, "dtype": dtype}


# ---------------------------------------------------------------- writing


@contextmanager
def _quiet() -> Iterator[None]:
    """Exporters report on their work, and TorchScript that it is deprecated; errors still come."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _write(
    path: Path,
    format: str,
    generator: UNetGenerator,
    about: dict[str, Any],
    dtype: str,
    opset: int,
) -> None:
    files = {f"{KEY}.json": json.dumps(about)}
    if format == "safetensors":
        save_generator(path, generator.state_dict(), about)
    elif format == "torch_export":
        torch.export.save(_program(generator), path, extra_files=files)
    elif format == "torchscript":
        example = torch.zeros(1, generator.in_channels, generator.multiple, generator.multiple)
        torch.jit.save(torch.jit.trace(generator, example), path, _extra_files=files)
    else:
        _write_onnx(path, generator, dtype, opset)
        _note(path, about)


class _Half(nn.Module):
    """A generator in float16 between float32 ends."""

    def __init__(self, generator: UNetGenerator) -> None:
        super().__init__()
        self.generator = copy.deepcopy(generator).half()
        self.in_channels, self.multiple = generator.in_channels, generator.multiple

    def forward(self, sketch: Tensor) -> Tensor:
        return self.generator(sketch.half()).float()


def _program(network: UNetGenerator | _Half) -> torch.export.ExportedProgram:
    """The network as a graph of any batch, height and width."""
    from torch.fx.experimental import _config as config

    multiple = network.multiple
    example = torch.zeros(2, network.in_channels, 2 * multiple, 3 * multiple)
    batch = torch.export.Dim("batch", min=1)
    rows, columns = (torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    sizes = {0: batch, 2: multiple * rows, 3: multiple * columns}
    # Or sizes of 1, a picture of one multiple at the bottom of the U, would be excluded.
    with config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        program = torch.export.export(network, (example,), dynamic_shapes=(sizes,), strict=False)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def _write_onnx(path: Path, generator: UNetGenerator, dtype: str, opset: int) -> None:
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package)
    network = _Half(generator) if dtype == "float16" else generator
    weights = sum(tensor.nbytes for tensor in network.state_dict().values())
    if weights > ONNX_BYTES:
        raise ValueError(
            f"Expected weights of less than 2 GB for one .onnx file, got {weights / 1e9:.1f} GB. "
            "Pass dtype=float16 or format=torch_export."
        )
    program = torch.onnx.export(
        _program(network),
        (),
        dynamo=True,
        opset_version=opset,
        input_names=["sketch"],
        output_names=["picture"],
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    for value in (*model.graph.input, *model.graph.output):
        for place, name in ((0, "batch"), (2, "height"), (3, "width")):
            value.type.tensor_type.shape.dim[place].dim_param = name
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # the exporter's notes on its own work
    path.write_bytes(model.SerializeToString())
    if dtype == "int8":
        _quantise(path)


def _quantise(path: Path) -> None:
    """Weights of the convolutions as 8 bits, their inputs at run time (ConvInteger).

    ONNX Runtime has no such transposed convolution: with upsampling=transposed the decoder stays.
    """
    quantization = need("onnxruntime.quantization")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder, "int8.onnx")
        quantization.quantize_dynamic(
            path, made, op_types_to_quantize=["Conv"], weight_type=quantization.QuantType.QUInt8
        )
        path.write_bytes(made.read_bytes())


def _note(path: Path, about: dict[str, Any]) -> None:
    """Put the description into an .onnx file, in an earlier one's place."""
    onnx = need("onnx")
    model = onnx.ModelProto.FromString(path.read_bytes())
    onnx.helper.set_model_props(model, {KEY: json.dumps(about)})
    path.write_bytes(model.SerializeToString())


# ---------------------------------------------------------------- running and comparing


def _open(path: Path, format: str) -> Network:
    if format == "onnx":
        return ExportedGenerator(path, "cpu")
    if format == "torch_export":
        return torch.export.load(path).module()
    if format == "safetensors":
        return load_generator(path)[0]
    with _quiet():
        return torch.jit.load(path)


def _pictures(drawings: Path | str | None, task: str, size: int) -> list[Any]:
    """(H, W, 3) or (H, W) uint8 pictures to compare with."""
    if drawings is None:
        return [draw_pair(0, index, size)[task == "sketch"] for index in range(6)]
    if not Path(drawings).exists():
        raise FileNotFoundError(
            f"{drawings}: no such picture or folder. Pass drawings=null for drawn ones."
        )
    paths = find_pictures(drawings) if Path(drawings).is_dir() else [Path(drawings)]
    if not paths:
        raise ValueError(f"{drawings}: expected a folder with pictures, found none.")
    return [read_rgb(path) for path in paths[:DRAWINGS]]


def _input(picture: Any, height: int, width: int, task: str, channels: int) -> Tensor:
    """A picture to (channels, height, width) in [-1, 1], as the network of that task sees it."""
    scaled = torch.from_numpy(resize(picture, height, width))
    rgb = scaled.reshape(height, width, -1).permute(2, 0, 1)[None]  # (1, 1 or 3, H, W)
    x = to_float(rgb.expand(-1, 3, -1, -1))
    grey = rgb_to_lab(x)[:, :1] if task == "photo" else x.mean(dim=1, keepdim=True)
    return grey[0].expand(channels, -1, -1)


@torch.inference_mode()
def _compare(
    generator: UNetGenerator, network: Network, pictures: list[Any], task: str
) -> Measured:
    """Colour pictures at several sizes and batch sizes with both, square or not."""
    size, more = generator.size, generator.size + generator.multiple
    shapes = [(1, size, size), (2, more, size), (3, size, more)]
    shapes *= -(-len(pictures) // sum(batch for batch, _, _ in shapes))
    chosen = itertools.cycle(pictures)
    largest = torch.zeros(())
    for batch, height, width in shapes:
        inputs = [
            _input(next(chosen), height, width, task, generator.in_channels) for _ in range(batch)
        ]
        sketch = torch.stack(inputs)
        difference = (network(sketch) - generator(sketch)).abs().max()
        largest = torch.maximum(largest, difference)  # keeps NaN
    one = _input(pictures[0], size, size, task, generator.in_channels)[None]
    seconds = [(_seconds(network, one), _seconds(generator, one)) for _ in range(5)]
    file_seconds, torch_seconds = (median(column) for column in zip(*seconds, strict=True))
    return Measured(float(largest) / 2 * 255, file_seconds, torch_seconds, len(pictures))


def _seconds(network: Network, sketch: Tensor) -> float:
    start = time.perf_counter()
    network(sketch)
    return time.perf_counter() - start

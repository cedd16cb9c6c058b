"""Export a generator for other programs, and keep no file that paints differently."""

from __future__ import annotations

import copy
import io
import json
import logging
import math
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from sketch2paint.arguments import one_of
from sketch2paint.files import written_beside
from sketch2paint.images.convert import resize, to_float, to_grey
from sketch2paint.models.description import describe, planes_of, style_of
from sketch2paint.models.loading import load
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.onnx_generator import KEY, need
from sketch2paint.models.tasks import Task, task_of
from sketch2paint.models.weights import load_generator, save_generator

SUFFIXES_OF = {
    "onnx": ".onnx",
    "torchscript": ".pt",
    "torch_export": ".pt2",
    "safetensors": ".safetensors",
}
Format = Literal["onnx", "torchscript", "torch_export", "safetensors"]
Dtype = Literal["float32", "float16", "int8"]
OPSETS = range(18, 24)  # the exporter writes 18; ONNX's own converter makes the later ones
LIMIT = 1.0  # of 255 levels
FEW = 1024  # numbers of a tensor that are kept as they are
ONNX_BYTES = 2**31 - 2**20  # of one protocol buffer

Sizes = Mapping[int, str]  # names of a tensor's sizes that vary, by their places
Colour = Callable[..., Tensor]  # planes, each a tensor, and the style where there is one


@dataclass(frozen=True)
class Comparison:
    """How an exported file compares with PyTorch on the CPU.

    Args:
        levels: Largest difference of a value, of 255 levels.
        seconds: Seconds of one picture of the training size, by the file.
        torch_seconds: Seconds of the same by PyTorch.
        drawings: Number of drawings that were coloured.
    """

    levels: float
    seconds: float
    torch_seconds: float
    drawings: int


class NotAlike(ValueError):
    """The exported file paints otherwise than PyTorch."""

    at_work = True  # nothing was wrong with the command: see verb.working


def export_generator(
    checkpoint: Path | str,
    *,
    format: Format,
    output: Path | str,
    drawings: Sequence[np.ndarray],
    dtype: Dtype = "float32",
    opset: int = 18,
) -> Comparison:
    """Write a generator for other programs, run the file and compare it with PyTorch.

    An input for each plane by its name, first `sketch` (B, 1, H, W), then `style` (B, N) where the
    generator takes one; output `picture` (B, out_channels, H, W); all float32, planes and picture
    in [-1, 1]; any B, H and W multiples of `multiple`. The description goes with the file.

    Args:
        checkpoint: A run folder, .ckpt or .safetensors.
        format: onnx | torchscript | torch_export | safetensors.
        output: File; an older one is replaced.
        drawings: Pictures to compare with, (H, W) or (H, W, 3) uint8; at least one.
        dtype: Type of the weights: float32 | float16 | int8, the last two for onnx.
        opset: Version of ONNX's operations, 18..23.

    Raises:
        ValueError: a parameter is wrong, packages are missing, or the float32 file differs by more
            than 1/255 anywhere; nothing is left then.
    """
    output = Path(output)
    check_arguments(format, output=output, dtype=dtype, opset=opset)
    generator, about = load_generator(checkpoint)
    about = _description(generator, about, dtype)
    with written_beside(output) as beside:
        with quiet():
            _write(beside, format, generator, about, dtype, opset)
        measured = compare_generator(generator, _open(beside, format), drawings, about)
        if dtype == "float32" and not measured.levels <= LIMIT:
            raise NotAlike(
                f"{output}: expected the file to paint as PyTorch does, got a difference of "
                f"{measured.levels:.2f} of 255 levels; it is not kept. Pass another format."
            )
        if format == "onnx":
            note(beside, {**about, "opset": opset, "levels_from_torch": measured.levels})
    return measured


def check_arguments(format: str, *, output: Path, dtype: str, opset: int) -> None:
    """See that an export is one of those that there are.

    Raises:
        ValueError: a parameter is wrong, or the suffix of `output` is not the format's.
    """
    one_of("format", format, Format)
    if output.suffix != SUFFIXES_OF[format]:
        raise ValueError(
            f"Expected `output` to be a {SUFFIXES_OF[format]} file for format={format}, "
            f"got {output}."
        )
    if dtype not in get_args(Dtype) or (dtype != "float32" and format != "onnx"):
        raise ValueError(
            f"Expected `dtype` to be one of {', '.join(get_args(Dtype))}, the last two with "
            f"format=onnx, got {dtype!r} with format={format}."
        )
    if opset not in OPSETS:
        raise ValueError(
            f"Expected `opset` to be in {OPSETS[0]}..{OPSETS[-1]}, got {opset}. Pass opset=18."
        )


def _description(generator: UNetGenerator, about: dict[str, Any], dtype: str) -> dict[str, Any]:
    """What the weight file says of itself, and what a program needs that does not build it."""
    planes = planes_of(about)
    told = describe(about["generator"], about["task"], planes, style=style_of(about))
    names = ("size", "multiple", "in_channels", "out_channels", "style_channels")
    return {**told, **{name: getattr(generator, name) for name in names}, "dtype": dtype}


# ---------------------------------------------------------------- writing


@contextmanager
def quiet() -> Iterator[None]:
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
    made = io.BytesIO()  # torch's own writers would hide what a full disk says
    if format == "safetensors":
        save_generator(path, generator.state_dict(), about)
    elif format == "torch_export":
        network = _ByName(generator, about)
        torch.export.save(_program(network), made, extra_files=files)
        path.write_bytes(made.getbuffer())
    elif format == "torchscript":
        network = _ByName(generator, about)
        torch.jit.save(torch.jit.trace(network, network.example(1, 1, 1)), made, _extra_files=files)
        path.write_bytes(made.getbuffer())
    else:
        _write_onnx(path, _ByName(generator, about, half=dtype == "float16"), dtype, opset)
        note(path, about)


class _ByName(nn.Module):
    """A generator with an input for each plane, and for the style; float32 outside.

    Args:
        generator: What is called.
        about: Its description.
        half: Whether it computes in float16.
    """

    def __init__(self, generator: UNetGenerator, about: dict[str, Any], half: bool = False) -> None:
        super().__init__()
        self.generator = copy.deepcopy(generator).half() if half else generator
        self.planes, self.half_inside = planes_of(about), half
        self.multiple, self.style_channels = generator.multiple, generator.style_channels

    @property
    def names(self) -> list[str]:
        """Names of the inputs."""
        return [*(plane.name for plane in self.planes), *["style"] * (self.style_channels > 0)]

    def example(self, batch: int, rows: int, columns: int) -> tuple[Tensor, ...]:
        """Inputs of a size in multiples."""
        sides = rows * self.multiple, columns * self.multiple
        planes = [torch.zeros(batch, plane.channels, *sides) for plane in self.planes]
        style = [torch.zeros(batch, self.style_channels)] if self.style_channels else []
        return (*planes, *style)

    def forward(self, *inputs: Tensor) -> Tensor:
        if self.half_inside:
            inputs = tuple(part.half() for part in inputs)
        planes, style = inputs[: len(self.planes)], inputs[len(self.planes) :]
        x = planes[0] if len(planes) == 1 else torch.cat(planes, dim=1)
        return self.generator(x, *style).float()


def _program(network: _ByName) -> torch.export.ExportedProgram:
    """The network as a graph of any batch, height and width."""
    example, multiple = network.example(2, 2, 3), network.multiple
    batch = torch.export.Dim("batch", min=1)
    rows, columns = (torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    sizes = {4: {0: batch, 2: multiple * rows, 3: multiple * columns}, 2: {0: batch}}
    return program_of(network, example, (tuple(sizes[part.ndim] for part in example),))


def program_of(
    network: nn.Module, example: tuple[Tensor, ...], shapes: tuple[Any, ...]
) -> torch.export.ExportedProgram:
    """A network as a graph; `shapes` names the sizes of the inputs that vary, as torch's Dim."""
    from torch.fx.experimental import _config as config

    # Or sizes of 1, a picture of one multiple at the bottom of the U, would be excluded.
    with config.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        program = torch.export.export(network, example, dynamic_shapes=shapes, strict=False)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def _write_onnx(path: Path, network: _ByName, dtype: str, opset: int) -> None:
    need_onnx()
    weights = sum(tensor.nbytes for tensor in network.state_dict().values())
    if weights > ONNX_BYTES:
        raise ValueError(
            f"Expected weights of less than 2 GB for one .onnx file, got {weights / 1e9:.1f} GB. "
            "Pass dtype=float16 or format=torch_export."
        )
    picture = {0: "batch", 2: "height", 3: "width"}
    inputs = {name: {0: "batch"} if name == "style" else picture for name in network.names}
    write_graph(
        path, program=_program(network), opset=opset, inputs=inputs, outputs={"picture": picture}
    )
    if dtype == "int8":
        _quantise(path)


def need_onnx() -> None:
    """See that what writes and runs .onnx files is installed.

    Raises:
        ValueError: it is not.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        need(package)


def write_graph(
    path: Path,
    *,
    program: torch.export.ExportedProgram,
    opset: int,
    inputs: Mapping[str, Sizes],
    outputs: Mapping[str, Sizes],
    fold: bool = True,
) -> None:
    """Write a graph as .onnx, its inputs, outputs and their sizes under these names.

    With `fold` norms become part of the convolutions before them; else weights are as trained.
    """
    made = torch.onnx.export(
        program,
        (),
        dynamo=True,
        optimize=fold,
        opset_version=opset,
        input_names=list(inputs),
        output_names=list(outputs),
        verbose=False,
    )
    assert made is not None
    model = made.model_proto
    for value in (*model.graph.input, *model.graph.output):
        for place, name in {**inputs, **outputs}[value.name].items():
            value.type.tensor_type.shape.dim[place].dim_param = name
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]  # the exporter's notes on its own work
    path.write_bytes(model.SerializeToString())


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


def halve_weights(path: Path) -> None:
    """Keep the larger float32 weights of an .onnx file as float16; it computes in float32 still.

    A Cast behind each makes it float32 again, which ONNX Runtime does once, as it opens the file.
    """
    onnx = need("onnx")
    model = onnx.ModelProto.FromString(path.read_bytes())
    casts = []
    for weights in model.graph.initializer:
        if weights.data_type == onnx.TensorProto.FLOAT and math.prod(weights.dims) > FEW:
            name = weights.name
            half = onnx.numpy_helper.to_array(weights).astype(np.float16)
            weights.CopyFrom(onnx.numpy_helper.from_array(half, f"{name}.half"))
            casts.append(
                onnx.helper.make_node("Cast", [weights.name], [name], to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    path.write_bytes(model.SerializeToString())


def note(path: Path, about: Mapping[str, Any]) -> None:
    """Put the description into an .onnx file, in an earlier one's place."""
    onnx = need("onnx")
    model = onnx.ModelProto.FromString(path.read_bytes())
    onnx.helper.set_model_props(model, {KEY: json.dumps(about)})
    path.write_bytes(model.SerializeToString())


# ---------------------------------------------------------------- running and comparing


def _open(path: Path, format: str) -> Colour:
    """The file as a function of the planes and the style."""
    if format == "torch_export":
        return torch.export.load(path).module()
    if format == "torchscript":
        with quiet():
            return torch.jit.load(path)
    network, about = load(path, device="cpu")
    return stacked(network, len(planes_of(about)))


def stacked(network: Colour, planes: int) -> Colour:
    """A generator as a function of its planes and the style."""

    def colour(*inputs: Tensor) -> Tensor:
        return network(torch.cat(inputs[:planes], dim=1), *inputs[planes:])

    return colour


def _inputs(
    drawings: Sequence[np.ndarray], height: int, width: int, about: dict[str, Any]
) -> tuple[Tensor, ...]:
    """Drawings as the network of that task is given them; other planes and the style by chance.

    Copies of the drawing in another plane would agree also where planes are mixed up.
    """
    task, draws = task_of(about["task"]), torch.Generator().manual_seed(0)
    seen = [resize(_seen(drawing, task), height, width) for drawing in drawings]
    pictures = torch.from_numpy(np.stack(seen))
    pictures = pictures[:, None] if pictures.ndim == 3 else pictures.permute(0, 3, 1, 2)
    sketch = task.sketch_of(to_float(pictures))
    planes = [
        torch.rand(len(sketch), plane.channels, height, width, generator=draws) * 2 - 1
        for plane in planes_of(about)[1:]
    ]
    numbers = about["style_channels"]
    style = [torch.randn(len(sketch), numbers, generator=draws)] if numbers else []
    return (sketch, *planes, *style)


def _seen(drawing: np.ndarray, task: Task) -> np.ndarray:
    """(H, W) grey, or (H, W, 3) of a photograph, whose lightness is wanted."""
    if task.lightness:
        return drawing if drawing.ndim == 3 else np.repeat(drawing[..., None], 3, axis=2)
    return to_grey(drawing)


@torch.inference_mode()
def compare_generator(
    generator: UNetGenerator, colour: Colour, drawings: Sequence[np.ndarray], about: dict[str, Any]
) -> Comparison:
    """Colour pictures at several sizes and batch sizes with both, square or not."""
    size, more = generator.size, generator.size + generator.multiple
    shapes = [(1, size, size), (2, more, size), (3, size, more)]
    shapes *= -(-len(drawings) // sum(batch for batch, _, _ in shapes))
    expected = stacked(generator, len(planes_of(about)))
    largest, shown = torch.zeros(()), 0
    for batch, height, width in shapes:
        chosen = [drawings[(shown + n) % len(drawings)] for n in range(batch)]
        shown += batch
        inputs = _inputs(chosen, height, width, about)
        difference = (colour(*inputs) - expected(*inputs)).abs().max()
        largest = torch.maximum(largest, difference)  # keeps NaN
    one = _inputs(drawings[:1], size, size, about)
    seconds = [(seconds_of(colour, one), seconds_of(expected, one)) for _ in range(5)]
    file_seconds, torch_seconds = (median(column) for column in zip(*seconds, strict=True))
    return Comparison(float(largest) / 2 * 255, file_seconds, torch_seconds, len(drawings))


def seconds_of(network: Callable[..., Any], inputs: tuple[Tensor, ...]) -> float:
    """How long one call of a network takes."""
    start = time.perf_counter()
    network(*inputs)
    return time.perf_counter() - start

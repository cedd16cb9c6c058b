"""Export a region network for other programs: one file reads a drawing, the other answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sketch2paint.files import written_beside
from sketch2paint.hints.regions import find_regions
from sketch2paint.hints.words import ABOUT, PAIR, words_of
from sketch2paint.images.convert import to_grey
from sketch2paint.models.answer import ONE_OBJECT, TEMPERATURE, mix, on_squares
from sketch2paint.models.description import describe_regions
from sketch2paint.models.export import (
    LIMIT,
    Dtype,
    Format,
    NotAlike,
    Sizes,
    check_arguments,
    need_onnx,
    note,
    program_of,
    quiet,
    seconds_of,
    write_graph,
)
from sketch2paint.models.onnx_generator import open_session
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.weights import load_region_network, save_generator

SAME_LIMIT = 0.01  # difference in the probability that two regions are one object
_BATCH, _WORDS = {0: "batch"}, {0: "batch", 1: "words"}
_PAIRS, _BIAS = {**_WORDS, 2: "words"}, {0: "batch", 2: "words", 3: "words"}
PARTS: dict[str, tuple[dict[str, Sizes], dict[str, Sizes]]] = {  # inputs and outputs of each file
    "read": (
        {"sketch": _BATCH, "labels": _BATCH, "pairs": _PAIRS},
        {"features": _WORDS, "bias": _BIAS},
    ),
    "reply": (
        {"features": _WORDS, "about": _WORDS, "bias": _BIAS, "known": _WORDS, "given": _WORDS},
        {"shares": {**_WORDS, 2: "colours and words"}, "same": _PAIRS},
    ),
}
_ENTRIES = {0: "batch", 1: "entries"}
_PALETTE = {"palette": _ENTRIES, "portions": _ENTRIES}  # further inputs of a reply
Part = Callable[..., tuple[Tensor, ...]]  # of a network: inputs of PARTS to its outputs


class RegionsComparison(NamedTuple):
    """How exported files of a region network compare with PyTorch on the CPU.

    Attributes:
        files: What was written.
        levels: Largest difference of a region's colour, of 255 levels.
        same: Largest difference in the probability of two regions being one object.
        reading: Seconds of reading a drawing, by the file and by PyTorch.
        replying: Seconds of answering for it, by the file and by PyTorch.
        drawings: Number of drawings that were answered for.
    """

    files: list[Path]
    levels: float
    same: float
    reading: tuple[float, float]
    replying: tuple[float, float]
    drawings: int


def export_regions(
    checkpoint: Path | str,
    *,
    format: Format,
    output: Path | str,
    drawings: Sequence[np.ndarray],
    dtype: Dtype = "float32",
    opset: int = 18,
) -> RegionsComparison:
    """Write a region network for other programs, run the files and compare them with PyTorch.

    An .onnx `output` is two: NAME.read.onnx reads a drawing once, NAME.reply.onnx answers for any
    hints. Their inputs and outputs are those of `RegionNetwork.read`, `relate` and `reply`; any
    B, and any N and M of at least 1: without a palette, one entry of portion -1. Their metadata
    describe the network and hold its colours.

    Args:
        checkpoint: A run folder, .ckpt or .safetensors.
        format: onnx | safetensors.
        output: File; older ones are replaced, both or none.
        drawings: Pictures to compare with, (H, W) or (H, W, 3) uint8; at least one.
        dtype: Type of the weights, float32.
        opset: Version of ONNX's operations, 18..23.

    Raises:
        ValueError: a parameter is wrong, packages are missing, or a colour differs by more than
            1/255, or a probability of one object by more than 0.01; nothing is left then.
    """
    output = Path(output)
    check_arguments(format, output=output, dtype=dtype, opset=opset)
    _check(format, dtype)
    network, about = load_region_network(checkpoint)
    about = describe_regions(about["network"])
    names = [f".{part}.onnx" for part in PARTS] if format == "onnx" else [output.suffix]
    files = [output.with_suffix(name) for name in names]
    with ExitStack() as written:
        beside = [written.enter_context(written_beside(file)) for file in files]
        _write(beside, network, about, opset)
        measured = compare_regions(network, _open(beside), drawings)._replace(files=files)
        if not (measured.levels <= LIMIT and measured.same <= SAME_LIMIT):
            raise NotAlike(
                f"{output}: expected the files to colour as PyTorch does, got a difference of "
                f"{measured.levels:.2f} of 255 levels, and of {measured.same:.3f} in what is one "
                "object; they are not kept. Pass format=safetensors."
            )
        if format == "onnx":
            _describe(beside, network, {**about, "opset": opset}, measured)
    return measured


def _check(format: str, dtype: str) -> None:
    if format not in ("onnx", "safetensors"):
        raise ValueError(
            f"Expected `format` to be onnx or safetensors for a region network, got {format}. "
            "Pass format=onnx."
        )
    if dtype != "float32":
        raise ValueError(
            f"Expected `dtype` to be float32 for a region network, which is small, got {dtype}. "
            "Pass dtype=float32."
        )


# ---------------------------------------------------------------- writing


class _Read(nn.Module):
    """What is done once for a drawing."""

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, sketch: Tensor, labels: Tensor, pairs: Tensor) -> tuple[Tensor, ...]:
        features = self.network.read(sketch, labels, pairs.shape[1])
        return features, self.network.relate(pairs)


class _Reply(nn.Module):
    """What is done for each set of known colours."""

    def __init__(self, network: RegionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        features: Tensor,
        about: Tensor,
        bias: Tensor,
        known: Tensor,
        given: Tensor,
        palette: Tensor | None = None,
        portions: Tensor | None = None,
    ) -> tuple[Tensor, ...]:
        told = {"known": known, "given": given, "palette": palette, "portions": portions}
        return tuple(self.network.reply(features, about=about, bias=bias, **told))  # type: ignore[arg-type]


def parts_of(network: RegionNetwork) -> tuple[_Read, _Reply]:
    return _Read(network), _Reply(network)


def tables_of(network: RegionNetwork) -> dict[str, tuple[dict[str, Sizes], dict[str, Sizes]]]:
    """Inputs and outputs of each file of a network, with the names of their sizes."""
    inputs, outputs = PARTS["reply"]
    return {**PARTS, "reply": ({**inputs, **_PALETTE}, outputs)} if network.palettes else PARTS


def _write(files: list[Path], network: RegionNetwork, about: dict[str, Any], opset: int) -> None:
    if len(files) == 1:
        save_generator(files[0], network.state_dict(), about)
        return
    need_onnx()
    # PyTorch asks about a size of 1 for the order in memory alone, which ONNX does not know.
    dims = {
        name: torch.export.Dim(name, min=least)
        for name, least in (("batch", 1), ("words", 2), ("entries", 2))
    }
    examples, both = _examples(network), tables_of(network).values()
    for file, part, (inputs, outputs) in zip(files, parts_of(network), both, strict=True):
        shapes = tuple(
            {place: dims[name] for place, name in sizes.items()} for sizes in inputs.values()
        )
        example = tuple(examples[name] for name in inputs)
        with quiet():
            program = program_of(part, example, shapes)
            names: dict[str, Any] = {"inputs": inputs, "outputs": outputs}
            # Not folded: weights that float16 holds stay so, and runtimes fold by themselves.
            write_graph(file, program=program, opset=opset, fold=False, **names)


@torch.no_grad()
def _examples(network: RegionNetwork) -> dict[str, Tensor]:
    """Inputs of both parts by their names: a batch of 2, 3 words, 4 entries."""
    batch, count, entries = 2, 3, 4
    sketch = torch.zeros(batch, 1, network.size, network.size)
    labels = torch.zeros(batch, network.side, network.side, dtype=torch.long)
    pairs = torch.zeros(batch, count, count, PAIR)
    features, bias = _Read(network)(sketch, labels, pairs)
    return {
        **{"sketch": sketch, "labels": labels, "pairs": pairs, "features": features, "bias": bias},
        "about": torch.zeros(batch, count, ABOUT),
        "known": torch.zeros(batch, count, dtype=torch.bool),
        "given": torch.zeros(batch, count, 3),
        "palette": torch.zeros(batch, entries, 3),
        "portions": torch.zeros(batch, entries),
    }


def _describe(
    files: list[Path], network: RegionNetwork, about: dict[str, Any], measured: RegionsComparison
) -> None:
    """Put what a program needs that has no PyTorch into both files."""
    told = {
        **about,
        "size": network.size,
        "colours": network.colours.tolist(),
        "temperature": TEMPERATURE,
        "one_object": ONE_OBJECT,
        "dtype": "float32",
        "levels_from_torch": measured.levels,
    }
    for file, part in zip(files, PARTS, strict=True):
        note(file, {**told, "part": part})


# ---------------------------------------------------------------- running and comparing


def _open(files: list[Path]) -> tuple[Part, ...]:
    """The files as functions that read and reply."""
    if len(files) == 1:
        return parts_of(load_region_network(files[0])[0])
    return tuple(map(_run, files))


def _run(file: Path) -> Part:
    session, _ = open_session(file, file.read_bytes(), "cpu")
    names = [value.name for value in session.get_inputs()]

    def part(*inputs: Tensor) -> tuple[Tensor, ...]:
        given = {name: tensor.numpy() for name, tensor in zip(names, inputs, strict=True)}
        return tuple(map(torch.from_numpy, session.run(None, given)))

    return part


class _Told(NamedTuple):
    """What both parts are told of a drawing, some samples of it."""

    sketch: Tensor
    labels: Tensor
    pairs: Tensor
    about: Tensor
    known: Tensor
    given: Tensor
    palette: Tensor
    portions: Tensor

    def of_reply(self, network: RegionNetwork) -> tuple[Tensor, ...]:
        """What is told at a reply besides what was read."""
        return self[4:] if network.palettes else self[4:6]


def _told(drawing: np.ndarray, size: int) -> _Told:
    """A drawing twice: told nothing; every third word in a colour by chance, and a palette."""
    grey = to_grey(drawing)
    words = words_of(find_regions(grey))
    count = len(words.regions)
    once = (
        *on_squares(grey, words, size),
        torch.from_numpy(words.pairs)[None],
        torch.from_numpy(words.about)[None],
    )
    known = torch.stack([torch.zeros(count, dtype=torch.bool), torch.arange(count) % 3 == 0])
    generator = torch.Generator().manual_seed(0)
    colours = torch.rand(2, count, 3, generator=generator) * 2 - 1
    palette = torch.rand(2, 3, 3, generator=generator) * 2 - 1
    portions = torch.tensor([[-1.0, -1.0, -1.0], [0.5, 0.0, -1.0]])
    twice = [part.repeat_interleave(2, 0) for part in once]
    return _Told._make([*twice, known, colours * known[..., None], palette, portions])


def _last(told: _Told) -> _Told:
    return _Told(*(part[1:] for part in told))


@torch.inference_mode()
def compare_regions(
    network: RegionNetwork, parts: tuple[Part, ...], drawings: Sequence[np.ndarray]
) -> RegionsComparison:
    """Answer for drawings one by one and in twos with both."""
    largest = torch.zeros(2)
    for drawing in drawings:
        both = _told(drawing, network.size)
        for told in (_last(both), both):
            expected, got = (_answers(network, of, told) for of in (parts_of(network), parts))
            differences = [(a - b).abs().max() for a, b in zip(expected, got, strict=True)]
            largest = torch.maximum(largest, torch.stack(differences))  # keeps NaN
    reading, replying = _seconds(network, parts, _last(_told(drawings[0], network.size)))
    return RegionsComparison(
        [], float(largest[0]) / 2 * 255, float(largest[1]), reading, replying, len(drawings)
    )


def _answers(network: RegionNetwork, parts: tuple[Part, ...], told: _Told) -> tuple[Tensor, Tensor]:
    """Colours of the words, (B, N, 3), and how likely two are one object, (B, N, N)."""
    read, reply = parts
    features, bias = read(told.sketch, told.labels, told.pairs)
    shares, same = reply(features, told.about, bias, *told.of_reply(network))
    sources = torch.cat([told.given, told.palette], 1) if network.palettes else told.given
    return mix(shares, network.colours, sources, TEMPERATURE), same.sigmoid()


def _seconds(
    network: RegionNetwork, parts: tuple[Part, ...], told: _Told
) -> tuple[tuple[float, float], ...]:
    """Of reading and of replying, by the files and by PyTorch: medians of turns."""
    both = tuple(zip(parts, parts_of(network), strict=True))
    features, bias = parts[0](told.sketch, told.labels, told.pairs)
    inputs = told[:3], (features, told.about, bias, *told.of_reply(network))
    turns = [
        [[seconds_of(one, given) for one in of] for of, given in zip(both, inputs, strict=True)]
        for _ in range(5)
    ]
    file, torch_ = np.median(turns, axis=0).T.tolist()
    return (file[0], torch_[0]), (file[1], torch_[1])

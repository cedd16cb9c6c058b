"""Generators and floors measured on the pictures of a split, all on the same ones."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.dataset import Decoded, PictureDataset
from sketch2paint.evaluation.metrics import (
    OF_PICTURES,
    OF_SETS,
    Learned,
    colour_difference,
    colour_ratio,
    colourfulness,
    edge_agreement,
    ms_ssim,
    psnr,
    set_distances,
    ssim,
)
from sketch2paint.images.convert import to_hwc, to_rgb
from sketch2paint.inference.painter import Painter
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.tasks import Batch
from sketch2paint.models.weights import weight_file

FLOORS = ("the sketch copied", "all white", "mean colour")
RESAMPLES = 10_000  # of the bootstrap
RATIOS = [metric.key for metric in OF_PICTURES].index("colourfulness")
DUPLICATES_SHOWN = 5

# Shown each picture: its name, sketch | a picture for each network | truth, and the values.
Watcher = Callable[[str, Sequence[np.ndarray]], None]


@dataclass(frozen=True)
class Network:
    """A generator to evaluate.

    Attributes:
        name: the path without the folders that all compared ones share.
        painter: holds the generator on its device.
        about: file, sha256, pairs_seen, parameters and gflop (one picture of the training size);
            None for what is not known.
    """

    name: str
    painter: Painter
    about: dict[str, Any]

    @property
    def size(self) -> int:
        """Side of the training pictures in pixels."""
        return self.painter.generator.size

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> np.ndarray:
        """Colour one sample of a data module, to (S, S, 3) uint8 RGB; float32, without TF32."""
        given = {name: tensor.to(self.painter.device) for name, tensor in batch.items()}
        return to_hwc(to_rgb(batch["sketch"], self.painter.generate(given).cpu())[0])


@dataclass(frozen=True)
class Split:
    """The pictures to evaluate on and what the training set says of them.

    Attributes:
        name: of the split.
        data: set up.
        files: of the pictures, relative to the source's folder, in order.
        mean: (3,) uint8, mean colour of the training pictures.
        duplicates: a line for each picture whose colours stand among the training pictures.
    """

    name: str
    data: SketchDataModule
    files: list[str]
    mean: np.ndarray
    duplicates: list[str]


@dataclass(frozen=True)
class Results:
    """What was measured.

    Attributes:
        files: names of the N pictures.
        rows: names of the R rows: networks, then floors.
        networks: how many rows are networks.
        values: (N, R, M) float64 for OF_PICTURES; NaN is not applicable.
        sets: (R, 2) float64 for OF_SETS.
        missing: words for a metric that no picture has a value of.
        colours: (N,) colourfulness of the truths, the weights of their ratios in a mean.
    """

    files: list[str]
    rows: list[str]
    networks: int
    values: np.ndarray
    sets: np.ndarray
    missing: dict[str, str]
    colours: np.ndarray


@dataclass(frozen=True)
class Summary:
    """Means over pictures with 95 % bootstrap intervals.

    Attributes:
        means: (R, M); NaN is not applicable.
        intervals: (2, R, M), low and high; NaN with fewer than two pictures.
        counts: (R, M), the pictures that have a value.
        differences: for a pair of networks (M,) means of the first minus the second over the
            pictures that have both, and (2, M) intervals.
    """

    means: np.ndarray
    intervals: np.ndarray
    counts: np.ndarray
    differences: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def load_networks(checkpoints: Sequence[str], task: str, device: str) -> list[Network]:
    """Read the generators to compare.

    Args:
        checkpoints: run folders, .ckpt, .safetensors or .onnx.
        task: sketch | photo, of the data.
        device: as Painter's.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: none given, one twice, or a file that is damaged or of another task.
    """
    paths = [os.path.abspath(checkpoint) for checkpoint in checkpoints]
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice or not paths:
        got = f"{twice[0]} twice" if twice else "none"
        raise ValueError(f"Expected `checkpoint` to be different run folders or files, got {got}.")
    shared = os.path.commonpath([os.path.dirname(path) for path in paths])
    return [
        _network(checkpoint, Path(path).relative_to(shared).as_posix(), task, device)
        for checkpoint, path in zip(checkpoints, paths, strict=True)
    ]


def _network(checkpoint: str, name: str, task: str, device: str) -> Network:
    painter = Painter.load(checkpoint, device=device, precision="32-true")
    file = weight_file(checkpoint)
    if painter.task.name != task:
        raise ValueError(
            f"{checkpoint}: expected weights for the task {task}, got task {painter.task.name}. "
            f"Pass weights that were trained for it, or data.task={painter.task.name}."
        )
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    pairs = read_checkpoint(file).get("pairs_seen") if file.suffix == ".ckpt" else None
    return Network(
        name,
        painter,
        {"file": str(file), "sha256": sha256, "pairs_seen": pairs, **_cost(painter)},
    )


def _cost(painter: Painter) -> dict[str, float | None]:
    """Parameters and GFLOP (2 for a multiply-add, of convolutions) of one picture."""
    generator = painter.generator
    parameters = sum(p.numel() for p in generator.parameters())
    if not parameters:  # an exported file does not tell
        return {"parameters": None, "gflop": None}
    shape = 1, generator.in_channels, generator.size, generator.size
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        generator(torch.zeros(shape, device=painter.device))
    return {"parameters": parameters, "gflop": counter.get_total_flops() / 1e9}


def common_size(networks: Sequence[Network], size: int | None) -> int:
    """The side of the pictures to evaluate at: `size`, or what all networks were trained at.

    Raises:
        ValueError: they differ, or a network cannot take it.
    """
    own = {network.size for network in networks}
    if size is None and len(own) > 1:
        named = ", ".join(f"{network.name} ({network.size})" for network in networks)
        raise ValueError(
            f"Expected checkpoints of one training size, got {named}. "
            f"Pass size={min(own)} to compare all at that size."
        )
    side = own.pop() if size is None else size
    for network in networks:
        multiple = network.painter.generator.multiple
        if side < 1 or side % multiple:
            raise ValueError(
                f"{network.name}: expected `size` to be a multiple of {multiple} (which the "
                f"generator needs), got {side}. Pass size={network.size}, its training size."
            )
    return side


def choose_split(data: SketchDataModule, split: str, overlap: str) -> Split:
    """Find the pictures of a split and compare them with the training set, all of it decoded once.

    Args:
        data: not augmented (jitter 0) and without cache.
        split: train | val | test.
        overlap: refuse | allow pictures whose colours are those of a training picture, to the bit
            at the size they are compared at.

    Raises:
        ValueError: no such split, or pictures that stand in both.
    """
    if overlap not in ("refuse", "allow"):
        raise ValueError(f"Expected `overlap` to be refuse or allow, got {overlap!r}.")
    data.prepare_data()
    data.setup("fit")
    if split not in data.datasets:
        raise ValueError(
            f"Expected `split` to be one of {', '.join(data.datasets)} (found in "
            f"{data.source.root}), got {split!r}."
        )
    tested = _pictures(data, split)
    mean, duplicates = _compare(tested, _pictures(data, "train"))
    if duplicates and overlap == "refuse":
        hidden = len(duplicates) - DUPLICATES_SHOWN
        more = [f"... and {hidden} more"] if hidden > 0 else []
        raise ValueError(
            f"Expected pictures in {split} that are not in train, got {len(duplicates)} with the "
            "same colours:\n  "
            + "\n  ".join([*duplicates[:DUPLICATES_SHOWN], *more])
            + "\nFigures on them would flatter. Remove them, or pass overlap=allow."
        )
    return Split(split, data, [tested.name(n) for n in range(len(tested))], mean, duplicates)


def _pictures(data: SketchDataModule, split: str) -> Decoded:
    pictures = data.datasets[split].pictures
    if not isinstance(pictures, Decoded) or data.fit.jitter:
        raise ValueError("Expected `data` without cache and jitter. Pass cache='off', jitter=0.")
    return pictures


def _compare(tested: Decoded, training: Decoded) -> tuple[np.ndarray, list[str]]:
    """The training pictures' mean colour (3,) uint8, and a line for each that is tested too."""
    by_pixels = {_fingerprint(tested, n)[0]: n for n in range(len(tested))}
    mean, duplicates = np.zeros(3), []
    with ThreadPoolExecutor(8) as pool:  # decoding and resizing leave the GIL
        fingerprints = pool.map(lambda n: _fingerprint(training, n), range(len(training)))
        bar = tqdm(fingerprints, "training pictures", len(training), unit="picture", disable=None)
        for n, (digest, colour) in enumerate(bar):
            mean += colour / len(training)
            if digest in by_pixels:
                duplicates.append(f"{tested.name(by_pixels[digest])} is {training.name(n)}")
    return mean.round().astype(np.uint8), duplicates


def _fingerprint(pictures: Decoded, index: int) -> tuple[bytes, np.ndarray]:
    """A digest of a picture's colours, and their mean (3,)."""
    rgb = np.ascontiguousarray(pictures[index][..., :3])
    return hashlib.sha256(rgb.data).digest(), rgb.mean(axis=(0, 1))


def measure(
    split: Split, networks: Sequence[Network], learned: Learned, seed: int, watch: Watcher
) -> Results:
    """Colour each picture of a split with each network; compare these and the floors to the truth.

    Args:
        split: of `choose_split`.
        networks: of `load_networks`.
        learned: the networks behind LPIPS, FID and KID.
        seed: of KID's subsets.
        watch: gets each picture's name, and sketch, each network's picture and the truth, all
            (S, S, 3) uint8.
    """
    rows = [*(network.name for network in networks), *FLOORS]
    values = np.empty((len(split.files), len(rows), len(OF_PICTURES)))
    features: list[list[Tensor | None]] = []
    colours = np.empty(len(split.files))
    bar = tqdm(split.files, "evaluated", unit="picture", disable=None)
    for n, (name, (batch, real)) in enumerate(zip(bar, _samples(split), strict=True)):
        drawing = to_hwc(batch["sketch"][0])
        coloured = [network(batch) for network in networks]
        watch(name, [drawing, *coloured, real])
        pictures = [*coloured, *_floors(split, batch["sketch"])]
        lines = None if split.data.task.lightness else drawing[..., 0]
        values[n] = [_values(picture, real, lines, learned) for picture in pictures]
        colours[n] = colourfulness(real)
        features.append([learned.features(picture) for picture in (*pictures, real)])
    missing = _missing(split, learned, values)
    sets = _sets(features, seed)
    return Results(split.files, rows, len(networks), values, sets, missing, colours)


def _samples(split: Split) -> Iterator[tuple[Batch, np.ndarray]]:
    """Batches of one sample, and its true colours (S, S, 3) uint8."""
    data = split.data
    pictures = data.datasets[split.name].pictures
    still = PictureDataset(
        pictures, size=data.size, augment=False, flip=False, lines=data.lines, seed=data.seed
    )
    for n in range(len(still)):
        sample = still.__getitems__([(0, n)])
        yield data.on_after_batch_transfer(sample, 0), sample["pictures"][0, ..., :3].numpy()


def _floors(split: Split, sketch: Tensor) -> list[np.ndarray]:
    """The pictures (S, S, 3) uint8 of FLOORS; a photograph is copied as grey."""
    grey = sketch
    if split.data.task.lightness:
        grey = to_rgb(sketch, torch.zeros_like(sketch).expand(-1, 2, -1, -1))
    copied = to_hwc(grey[0])
    return [copied, np.full_like(copied, 255), np.full_like(copied, split.mean)]


def _values(
    fake: np.ndarray, real: np.ndarray, lines: np.ndarray | None, learned: Learned
) -> list[float]:
    """In the order of OF_PICTURES."""
    return [
        psnr(fake, real),
        ssim(fake, real),
        ms_ssim(fake, real),
        colour_difference(fake, real),
        colour_ratio(fake, real),
        float("nan") if lines is None else edge_agreement(fake, lines),
        learned.distance(fake, real),
    ]


def _sets(features: list[list[Tensor | None]], seed: int) -> np.ndarray:
    """(R, 2): FID and KID of each row to the truth, which is the last of each picture's."""
    *rows, real = ([f for f in row if f is not None] for row in zip(*features, strict=True))
    if not real:
        return np.full((len(rows), len(OF_SETS)), np.nan)
    return np.array([set_distances(torch.cat(row), torch.cat(real), seed) for row in rows])


def _missing(split: Split, learned: Learned, values: np.ndarray) -> dict[str, str]:
    """Words for each metric that has no value."""
    few = "a set needs at least 2 pictures"
    network = learned.inception if isinstance(learned.inception, str) else ""
    words = {
        "ssim": "needs pictures of at least 11 pixels a side",
        "ms_ssim": "needs pictures of at least 176 pixels a side",
        "ciede2000": "no picture has coloured pixels",
        "colourfulness": "no picture is colourful enough for a ratio",
        "edges": "photographs have no lines" if split.data.task.lightness else "no lines drawn",
        "lpips": learned.lpips if isinstance(learned.lpips, str) else "needs 32 pixels",
    }
    empty = np.isnan(values).all(axis=(0, 1))
    found = {m.key: words[m.key] for m, nothing in zip(OF_PICTURES, empty, strict=True) if nothing}
    if network or len(values) < 2:
        found |= {metric.key: network or few for metric in OF_SETS}
    return found


def summarise(results: Results, seed: int, resamples: int = RESAMPLES) -> Summary:
    """Means, intervals and the paired differences between networks.

    Ratios of colourfulness are weighted by the truth's, so that their mean is the ratio of means: a
    few nearly grey truths would rule a plain one.

    Args:
        results: of `measure`.
        seed: of the bootstrap.
        resamples: number of its draws.
    """
    values, pairs = results.values, list(combinations(range(results.networks), 2))
    paired = [values[:, a] - values[:, b] for a, b in pairs]
    columns = np.stack([*values.transpose(1, 0, 2), *paired], axis=1)
    counts = (~np.isnan(columns)).sum(axis=0)
    weights = np.ones_like(columns)
    weights[..., RATIOS] = results.colours[:, None]
    sums, shares = np.nansum(columns * weights, axis=0), (~np.isnan(columns) * weights).sum(axis=0)
    means = np.divide(sums, shares, out=np.full_like(sums, np.nan), where=counts > 0)
    shape = len(columns), -1
    flat = bootstrap(columns.reshape(shape), weights.reshape(shape), seed, resamples)
    intervals = flat.reshape(2, *means.shape)
    rows = len(results.rows)
    differences = {
        (results.rows[a], results.rows[b]): (means[rows + n], intervals[:, rows + n])
        for n, (a, b) in enumerate(pairs)
    }
    return Summary(means[:rows], intervals[:, :rows], counts[:rows], differences)


def bootstrap(
    values: np.ndarray, weights: np.ndarray, seed: int, resamples: int = RESAMPLES
) -> np.ndarray:
    """95 % percentile intervals of column means; all columns see the same draws of pictures.

    Args:
        values: (N, K) float64; NaN is left out of its column.
        weights: (N, K), of each value in its column's mean.
        seed: of the draws.
        resamples: number of draws.

    Returns:
        (2, K), low and high; NaN for a column with fewer than two values.
    """
    rng, number = np.random.default_rng(seed), len(values)
    valid = ~np.isnan(values)
    known, filled = valid * weights, np.where(valid, values * weights, 0)
    means = np.empty((resamples, values.shape[1]))
    step = max(1, 2**20 // number)  # draws at once: memory stays small
    for start in range(0, resamples, step):
        draws = min(step, resamples - start)
        counts = rng.multinomial(number, np.full(number, 1 / number), draws).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw may hold none of the few that are known
            means[start : start + draws] = (counts @ filled) / (counts @ known)
    bounds = np.full((2, values.shape[1]), np.nan)
    enough = valid.sum(axis=0) >= 2
    bounds[:, enough] = np.nanpercentile(means[:, enough], [2.5, 97.5], axis=0)
    return bounds

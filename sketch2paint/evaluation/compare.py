"""Candidates and baselines measured on the pictures of a split, all on the same ones."""

from __future__ import annotations

import copy
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import yaml
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from sketch2paint.arguments import one_of
from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.dataset import Decoded, PictureDataset, Sampling
from sketch2paint.evaluation.learned import Learned
from sketch2paint.evaluation.methods import SIDE
from sketch2paint.evaluation.metrics import (
    OF_FLATS,
    OF_PICTURES,
    OF_SETS,
    Compared,
    ComparedSets,
    Given,
    Metric,
)
from sketch2paint.evaluation.region_accuracy import Drawing, Work, work_left
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import to_hwc, to_rgb
from sketch2paint.inference.flats import flatten
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.painters import load_painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.loading import networks_in
from sketch2paint.models.onnx_generator import ExportedGenerator
from sketch2paint.models.shipped import SHIPPED
from sketch2paint.models.tasks import Batch, TaskName
from sketch2paint.models.weights import weight_file

BASELINES = ("the sketch copied", "all white", "mean colour")
DUPLICATES_SHOWN = 5

Overlap = Literal["refuse", "allow"]
# Shown each picture: its name, sketch | a picture for each candidate | real.
Watcher = Callable[[str, Sequence[np.ndarray]], None]


@dataclass(frozen=True)
class Candidate:
    """A generator to evaluate.

    Attributes:
        name: Path without the folders that all compared ones share.
        painter: Painter that holds the network on its device.
        about: Facts: file, sha256, pairs_seen, parameters and gflop (one picture of the training
            size); None for what is not known.
    """

    name: str
    painter: Painter | RegionPainter
    about: dict[str, Any]

    @property
    def size(self) -> int:
        """Side of the training pictures in pixels."""
        return self.painter.size

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> np.ndarray:
        """Colour one sample of a data module, to (S, S, 3) uint8 RGB; float32, without TF32."""
        given = {name: tensor.to(self.painter.device) for name, tensor in batch.items()}
        return to_hwc(to_rgb(batch["sketch"], self.painter.generate(given).cpu())[0])

    def flat(self, sketch: np.ndarray) -> np.ndarray:
        """Make flats of a drawing (H, W) uint8: the colour layer alone, (H, W, 3) uint8 RGB."""
        painted = self.painter.process([sketch])[0]
        flat = painted.flat  # those of a region network
        return painted.colours if flat else flatten(painted.colours, find_regions(sketch))


@dataclass(frozen=True)
class Split:
    """The pictures to evaluate on and what the training set says of them.

    Attributes:
        name: Name of the split.
        data: Data module, set up.
        files: Files of the pictures, relative to the source's folder, in order.
        mean: (3,) uint8, mean colour of the training pictures; None where there are none.
        duplicates: a line for each picture whose colours stand among the training pictures.
    """

    name: str
    data: SketchDataModule
    files: list[str]
    mean: np.ndarray | None
    duplicates: list[str]


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was measured.

    Attributes:
        files: Names of the N pictures.
        rows: Names of the R rows: candidates, then baselines.
        candidates: Number of rows that are candidates.
        values: Values of the M metrics `of_pictures`, (N, R, M) float64; NaN is not applicable.
        weights: Weights of each picture's values in a mean, (N, M) float64.
        sets: Values of the metrics OF_SETS, (R, 2) float64; NaN is not applicable.
        missing: Words for each metric that has no value at all, by its key.
        of_pictures: Metrics that were measured: OF_PICTURES, and OF_FLATS where they are wanted.
    """

    files: list[str]
    rows: list[str]
    candidates: int
    values: np.ndarray
    weights: np.ndarray
    sets: np.ndarray
    missing: dict[str, str]
    of_pictures: tuple[Metric[Compared], ...] = OF_PICTURES

    @property
    def metrics(self) -> tuple[Metric[Any], ...]:
        """All columns of the table."""
        return (*self.of_pictures, *OF_SETS)


def load_candidates(
    checkpoints: Sequence[str], task: TaskName, device: str, region_network: str | None = None
) -> list[Candidate]:
    """Read the generators to compare.

    Args:
        checkpoints: Run folders, .ckpt, .safetensors or .onnx files, or the word `shipped` for the
            model that comes with the package.
        task: Task of the data: sketch | photo.
        device: Device as the Painter takes it.
        region_network: Run folder or file of a region network whose colours the generators shade.

    Raises:
        FileNotFoundError: there are no weights.
        ValueError: none given, one twice, or a file that is damaged or of another task.
    """
    paths = [os.path.abspath(checkpoint) for checkpoint in checkpoints]
    twice = [path for path, count in Counter(paths).items() if count > 1]
    if twice or not paths:
        got = f"{twice[0]} twice" if twice else "none"
        raise ValueError(f"Expected `checkpoint` to be different run folders or files, got {got}.")
    own = [os.path.dirname(p) for c, p in zip(checkpoints, paths, strict=True) if c != SHIPPED]
    shared = os.path.commonpath(own or paths)
    names = [
        checkpoint if checkpoint == SHIPPED else Path(path).relative_to(shared).as_posix()
        for checkpoint, path in zip(checkpoints, paths, strict=True)
    ]
    return [
        _candidate(checkpoint, name, task, device, region_network)
        for checkpoint, name in zip(checkpoints, names, strict=True)
    ]


def _candidate(
    checkpoint: str, name: str, task: TaskName, device: str, region_network: str | None
) -> Candidate:
    names = None if networks_in(checkpoint) == {"region_network"} else region_network
    painter = load_painter(checkpoint, region_network=names, device=device, precision="32-true")
    file = weight_file(checkpoint)
    if painter.task.name != task:
        raise ValueError(
            f"{checkpoint}: expected weights for the task {task}, got task {painter.task.name}. "
            f"Pass weights that were trained for it, or data.task={painter.task.name}."
        )
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    pairs = read_checkpoint(file).get("pairs_seen") if file.suffix == ".ckpt" else None
    return Candidate(
        name,
        painter,
        {"file": str(file), "sha256": sha256, "pairs_seen": pairs, **_cost(painter)},
    )


def _cost(painter: Painter | RegionPainter) -> dict[str, float | None]:
    """Parameters and GFLOP (2 for a multiply-add, of convolutions) of one picture."""
    if isinstance(painter, RegionPainter):
        networks = (painter.network, painter.shading and painter.shading.generator)
        modules = [network for network in networks if isinstance(network, torch.nn.Module)]
        count = sum(p.numel() for network in modules for p in network.parameters())
        return {"parameters": count, "gflop": None}  # which depends on the regions
    generator = painter.generator
    if isinstance(generator, ExportedGenerator):  # it does not tell
        return {"parameters": None, "gflop": None}
    parameters = sum(p.numel() for p in generator.parameters())
    shape = 1, generator.in_channels, generator.size, generator.size
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        generator(torch.zeros(shape, device=painter.device))
    return {"parameters": parameters, "gflop": counter.get_total_flops() / 1e9}


def common_size(candidates: Sequence[Candidate], size: int | None) -> int:
    """The side of the pictures to evaluate at: `size`, or what all candidates were trained at.

    Raises:
        ValueError: they differ, or a candidate cannot take it.
    """
    own = {candidate.size for candidate in candidates}
    if size is None and len(own) > 1:
        named = ", ".join(f"{one.name} ({one.size})" for one in candidates)
        raise ValueError(
            f"Expected checkpoints of one training size, got {named}. "
            f"Pass size={min(own)} to compare all at that size."
        )
    side = own.pop() if size is None else size
    for candidate in candidates:
        multiple = candidate.painter.multiple
        if side < 1 or side % multiple:
            raise ValueError(
                f"{candidate.name}: expected `size` to be a multiple of {multiple} (which the "
                f"generator needs), got {side}. Pass size={candidate.size}, its training size."
            )
    return side


def check_split(
    candidates: Sequence[Candidate], *, data: SketchDataModule, overlap: Overlap
) -> None:
    """See that pictures held out by a hash are those that each candidate's run held out.

    Args:
        candidates: Networks to measure; what a run folder's config.yaml says is compared.
        data: Data module of the pictures.
        overlap: Choice to refuse or allow pictures that a candidate was trained on.

    Raises:
        ValueError: a run on the same pictures was trained with another seed or val_fraction.
    """
    if overlap == "allow" or (data.source.root / "val").is_dir():
        return
    asked = {"seed": data.seed, "val_fraction": data.val_fraction}
    for candidate in candidates:
        trained = _trained_on(Path(candidate.about["file"]))
        told = {key: trained.get(key) for key in asked}
        folder = trained.get("root") or trained.get("colours")
        if folder and Path(folder).resolve() == data.source.root.resolve() and told != asked:
            raise ValueError(
                f"{candidate.name}: expected the split of its training, got another one, which "
                f"holds pictures that it was trained on. Pass seed={told['seed']} "
                f"data.val_fraction={told['val_fraction']}, or overlap=allow."
            )


def _trained_on(file: Path) -> dict[str, Any]:
    """The data keys of the run that a weight file lies in, as its config.yaml has them."""
    config = file.parent.parent / "config.yaml"
    try:
        return dict(yaml.safe_load(config.read_text(encoding="utf-8"))["data"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError):
        return {}  # no run, or another program's


def choose_split(data: SketchDataModule, split: str, overlap: Overlap) -> Split:
    """Find the pictures of a split and compare them with the training set, all of it decoded once.

    Args:
        data: Data module, not augmented (jitter 0) and without cache.
        split: Name of the split: train, val or test, whichever the data have.
        overlap: Choice to refuse or allow pictures whose colours are those of a training picture,
            to the bit at the size they are compared at.

    Raises:
        ValueError: no such choice or split, or pictures that stand in both.
    """
    one_of("overlap", overlap, Overlap)
    if data.also:
        raise ValueError(
            f"Expected one set of pictures to measure on, got {len(data.also)} more in `data.also`:"
            " figures of a mixture say little. Pass data=pairs and the data.root of each in turn."
        )
    data.prepare_data()
    data.setup("test")
    if split not in data.datasets:
        raise ValueError(
            f"Expected `split` to be one of {', '.join(data.datasets)} (found in "
            f"{data.source.root}), got {split!r}."
        )
    tested = _pictures(data, split)
    training = _pictures(data, "train") if "train" in data.datasets else None
    mean, duplicates = _compare(tested, training) if training else (None, [])
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
    split: Split,
    *,
    candidates: Sequence[Candidate],
    learned: Learned,
    seed: int,
    watch: Watcher,
    flats: bool = False,
) -> Results:
    """Measure what each candidate makes of a split's pictures, and the baselines beside them.

    Args:
        split: Pictures to measure on, from `choose_split`.
        candidates: Networks to measure, from `load_candidates`; may be empty.
        learned: Networks behind LPIPS, FID and KID.
        seed: Seed of KID's subsets.
        watch: Function that is shown each picture's name, and sketch, each candidate's picture and
            the real one, all (S, S, 3) uint8.
        flats: Whether each candidate's flats are measured too, on `drawings`.
    """
    metrics = (*OF_PICTURES, *OF_FLATS) if flats else OF_PICTURES
    rows = [*(candidate.name for candidate in candidates), *BASELINES]
    values = np.empty((len(split.files), len(rows), len(metrics)))
    weights = np.empty((len(split.files), len(metrics)))
    features: list[list[Tensor]] = []
    works = _works(split, candidates, flats)
    for n, compared in enumerate(_compared(split, candidates, learned, watch, works)):
        values[n] = [[metric.measure(one) for metric in metrics] for one in compared]
        weights[n] = [metric.weight(compared[0].real) for metric in metrics]
        pictures = [*(one.fake for one in compared), compared[0].real]
        features.append([learned.features(picture) for picture in pictures])
    whole = _compared_sets(features, learned, seed)
    sets = np.array([[metric.measure(one) for metric in OF_SETS] for one in whole])
    if split.mean is None:  # its row says n/a
        values[:, -1], sets[-1] = np.nan, np.nan
    missing = _missing(metrics, values, compared[0]) | _missing(OF_SETS, sets, whole[0])
    return Results(
        files=split.files,
        rows=rows,
        candidates=len(candidates),
        values=values,
        weights=weights,
        sets=sets,
        missing=missing,
        of_pictures=metrics,
    )


def _compared(
    split: Split,
    candidates: Sequence[Candidate],
    learned: Learned,
    watch: Watcher,
    works: Iterator[list[Work | None]],
) -> Iterator[list[Compared]]:
    """For each picture, that of each row beside the real one."""
    bar = tqdm(split.files, "evaluated", unit="picture", disable=None)
    for name, (batch, real), work in zip(bar, samples(split, split.data.size), works, strict=True):
        drawing = to_hwc(batch["sketch"][0])
        coloured = [candidate(batch) for candidate in candidates]
        watch(name, [drawing, *coloured, real])
        lines = None if split.data.task.lightness else drawing[..., 0]
        rows = *coloured, *_baselines(split, batch["sketch"])
        yield [
            Compared(fake=fake, real=real, lines=lines, learned=learned, work=left)
            for fake, left in zip(rows, work, strict=True)
        ]


def _works(
    split: Split, candidates: Sequence[Candidate], flats: bool
) -> Iterator[list[Work | None]]:
    """For each picture, what is left to do on each row's flats; baselines have none."""
    none: list[Work | None] = [None] * len(BASELINES)
    if not flats:
        yield from [[None] * len(candidates) + none] * len(split.files)
        return
    for drawing in drawings(split):
        labels = find_regions(drawing.sketch).cut()
        flat = [candidate.flat(drawing.sketch) for candidate in candidates]
        yield [*(work_left(one, labels, drawing) for one in flat), *none]


def drawings(split: Split) -> Iterator[Drawing]:
    """The drawings of a split at SIDE, whatever the size its pictures are compared at."""
    for file, (batch, real) in zip(split.files, samples(split, SIDE), strict=True):
        yield Drawing.of(Path(file).stem, to_hwc(batch["sketch"][0])[..., 0], real)


def samples(split: Split, size: int) -> Iterator[tuple[Batch, np.ndarray]]:
    """Batches of one sample of a size S, and its true colours (S, S, 3) uint8."""
    data = split.data
    pictures = copy.copy(_pictures(data, split.name))
    pictures.fit = replace(pictures.fit, size=size)
    still = PictureDataset(
        pictures, Sampling(size, augment=False, seed=data.seed), lines=data.lines
    )
    for n in range(len(still)):
        sample = still.__getitems__([(0, n)])
        yield data.on_after_batch_transfer(sample, 0), sample["pictures"][0, ..., :3].numpy()


def _baselines(split: Split, sketch: Tensor) -> list[np.ndarray]:
    """The pictures (S, S, 3) uint8 of BASELINES; a photograph is copied as grey."""
    grey = sketch
    if split.data.task.lightness:
        grey = to_rgb(sketch, torch.zeros_like(sketch).expand(-1, 2, -1, -1))
    copied = to_hwc(grey[0])
    mean = np.full_like(copied, 255 if split.mean is None else split.mean)
    return [copied, np.full_like(copied, 255), mean]


def _compared_sets(features: list[list[Tensor]], learned: Learned, seed: int) -> list[ComparedSets]:
    """Each row's features beside those of the real pictures, the last of each picture's."""
    *rows, real = (torch.cat(row) for row in zip(*features, strict=True))
    return [ComparedSets(fake=row, real=real, learned=learned, seed=seed) for row in rows]


def _missing(metrics: Sequence[Metric[Given]], values: np.ndarray, given: Given) -> dict[str, str]:
    """Words for each metric that has no value, of all that were measured."""
    empty = np.isnan(values).reshape(-1, len(metrics)).all(axis=0)
    missing = (metric for metric, nothing in zip(metrics, empty, strict=True) if nothing)
    return {metric.key: metric.why_missing(given) for metric in missing}

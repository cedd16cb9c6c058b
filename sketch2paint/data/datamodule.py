"""The LightningDataModule: sources, cache, order, batches."""

from __future__ import annotations

import atexit
import math
import multiprocessing
import signal
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints
from weakref import WeakSet

import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from sketch2paint.arguments import described, fits, one_of
from sketch2paint.data.cache import build, cache_path, changes, open_cache
from sketch2paint.data.checks import cheap_check
from sketch2paint.data.colours import colours_of
from sketch2paint.data.dataset import (
    Decoded,
    Fit,
    FitMode,
    Fitted,
    Joined,
    Lines,
    LineStyle,
    PictureDataset,
    Sampling,
)
from sketch2paint.data.demo import write_pairs
from sketch2paint.data.flat_dataset import FlatDataset
from sketch2paint.data.lines import StyleName, check_lines
from sketch2paint.data.order import EpochSampler, MixedSampler
from sketch2paint.data.sources import Kind, OnBad, Side, Source, Splits, checked
from sketch2paint.data.style_dataset import Styled
from sketch2paint.data.word_dataset import WordDataset
from sketch2paint.device import available_cores
from sketch2paint.images.convert import to_float
from sketch2paint.images.look import NAMES
from sketch2paint.models.tasks import FLATS, task_of

CacheUse = Literal["auto", "off", "require"]
NOT_COMMON = ("self", "__class__", "root", "sketches", "colours", "draw", "weight", "also", "style")
# Keys that a further set may have of its own; the others are of the batches, which are mixed.
OF_A_SET = {
    *("source", "root", "sketches", "colours", "draw", "colour_side", "weight", "val_fraction"),
    *("on_bad", "jitter", "flip", "zoom", "rotate", "fit", "line_styles", "line_thickness"),
    *("line_threshold", "line_intensity", "cache"),
}

_workers: WeakSet[BaseProcess] = WeakSet()  # of every Loader, as long as they run


class SketchDataModule(pl.LightningDataModule):
    """Training, validation and test pairs, as batches of `sketch` and `real` in [-1, 1].

    Attributes:
        planes: Planes of its batches that a generator may be given; a further condition is one
            more, under its name in what the dataset returns.
        style: Names of the numbers of their `style`; none: they have none.
        words: Number of regions that become words in a sample at most, set before `setup`; 0: the
            batches have no words (see `WordDataset`).
        palettes: Whether samples with words have palettes, set before `setup`.

    Args:
        source: Kind of source: pairs (side by side in `root`) | two_folders (`sketches` and
            `colours`) | pictures (colours alone in `root`; the sketch is made from them).
        task: sketch (line art to RGB) | photo (L to ab in CIE Lab, from `pictures`).
        root: Folder with train/ and val/ (and test/), or with the pictures themselves.
        sketches: Folder of the sketches, for two_folders; laid out alike.
        colours: Folder of their colours; matched by relative path without suffix.
        draw: Number of demo pairs to draw into `root` first; 0: none, the pairs are there.
        colour_side: Half of a side-by-side picture that holds the colours.
        val_fraction: Share of the training pairs held out where there is no val/.
        on_bad: Treatment of files that cannot be used.
        size: Side of the pictures the networks see, in pixels.
        jitter: Pixels by which a training picture is larger before the random crop.
        flip: Whether half of the training pairs are mirrored.
        zoom: Largest factor by which training pairs are enlarged or made smaller, 1 to 2.
        rotate: Largest angle by which they are rotated, in degrees, 0 to 180.
        fit: Way in which a picture that is not square becomes so; see `dataset.Fit`.
        line_styles: Styles of the sketches, one drawn per sample: drawn is the pair's own,
            redrawn the same in other widths, paler, with gaps, shaded; the others are made of the
            colours. All but drawn lie on colours without the pair's own outlines.
        line_thickness: Bounds of the lines' width, in pixels at 256.
        line_threshold: Bounds of the contrast from which an edge is drawn, in (0, 1].
        line_intensity: Bounds of the lines' darkness, 1 is black.
        flats: Whether batches have the plane `flats`, the colours of the regions, which a generator
            learns to shade.
        style: Whether batches have a `style`, the look of their colours (`images.look`), in half of
            the training samples, and zeros elsewhere.
        cache: Use of what prepare.py made: auto (if it is fresh) | off | require.
        cache_dir: Folder in which prepare.py puts it.
        batch_size: Number of pairs in a step, on each device.
        num_workers: Number of loading processes; None: one less than the cores, at most 8.
        seed: Seed of the sample order, of the augmentation and of the split.
        weight: Number of times that each training picture comes in an epoch, on average.
        also: Further sets that are mixed in, each with the keys in which it differs: its folders,
            `weight`, `source`, `line_styles` and others of OF_A_SET.

    Raises:
        ValueError: a parameter is out of its range.
    """

    def __init__(
        self,
        *,
        source: Kind = "pairs",
        task: str = "sketch",
        root: str | None = None,
        sketches: str | None = None,
        colours: str | None = None,
        draw: int = 0,
        colour_side: Side = "left",
        val_fraction: float = 0.1,
        on_bad: OnBad = "raise",
        size: int = 256,
        jitter: int = 30,
        flip: bool = True,
        zoom: float = 1.0,
        rotate: float = 0.0,
        fit: FitMode = "squash",
        line_styles: Sequence[LineStyle] = ("drawn",),
        line_thickness: tuple[float, float] = (0.8, 2.0),
        line_threshold: tuple[float, float] = (0.06, 0.2),
        line_intensity: tuple[float, float] = (0.6, 1.0),
        flats: bool = False,
        style: bool = False,
        cache: CacheUse = "auto",
        cache_dir: str = "data/cache",
        batch_size: int = 4,
        num_workers: int | None = None,
        seed: int = 0,
        weight: float = 1.0,
        also: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        common = {name: value for name, value in locals().items() if name not in NOT_COMMON}
        super().__init__()
        for name, value, choices in (
            ("source", source, Kind),
            ("task", task, Literal["sketch", "photo"]),
            ("colour_side", colour_side, Side),
            ("on_bad", on_bad, OnBad),
            ("fit", fit, FitMode),
            ("cache", cache, CacheUse),
        ):
            one_of(f"data.{name}", value, choices)
        _check_numbers(val_fraction, size, batch_size, jitter, draw, num_workers or 0)
        if not weight > 0 or math.isinf(weight):  # nor NaN
            raise ValueError(f"Expected `data.weight` to be a number above 0, got {weight}.")
        _check_moves(zoom, rotate)
        self.weight = weight
        self.also = [SketchDataModule(**{**common, **_keys_of_set(keys)}) for keys in also]
        self.source = Source(source, _folders(source, root, sketches, colours), colour_side)
        self.lines = None
        if task == "sketch":
            self.lines = Lines(
                tuple(line_styles),
                thickness=line_thickness,
                threshold=line_threshold,
                intensity=line_intensity,
            )
            _check_styles(self.lines, source)
        elif source != "pictures":
            raise ValueError(f"Expected `data.source` pictures for the task photo, got {source}.")
        if style and task != "sketch":
            raise ValueError(
                f"Expected `data.task` sketch with data.style=true, got {task}: a style is "
                "measured in RGB. Leave out data.style."
            )
        self.task, self.planes = task_of(task), task_of(task).planes
        self.style: tuple[str, ...] = NAMES if style else ()
        self.words, self.palettes, self.flats = 0, False, flats
        if flats:
            self.planes = (*self.planes, FLATS)
        self.draw, self.val_fraction, self.on_bad = draw, val_fraction, on_bad
        self.size, self.fit = size, Fit(size, jitter, fit)
        self.sampling = Sampling(size, augment=True, seed=seed, flip=flip, zoom=zoom, rotate=rotate)
        self.cache, self.cache_dir = cache, Path(cache_dir)
        self.batch_size, self.seed = batch_size, seed
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.datasets: dict[str, PictureDataset | Joined | Styled] = {}
        self.sizes: list[int] = []  # training pictures of this set and of the further ones
        self.resumed: dict[str, Any] = {}  # state of the run that is resumed

    def prepare_data(self) -> None:
        """Draw the demo pairs where they are wanted and missing."""
        if self.draw:
            write_pairs(self.source.root, pairs=self.draw, seed=self.seed)
        for further in self.also:
            further.prepare_data()

    def setup(self, stage: str) -> None:
        """Find, check and split the files, once; for a stage other than fit val may stand alone."""
        if self.datasets:
            return
        for split, pictures in self._pictures(to_train=stage == "fit").items():
            self.datasets[split] = self._dataset(pictures, augment=split == "train")
        self.sizes = [len(self.datasets.get("train", ()))]
        if self.also:
            self._join(stage)
        if self.style:
            for split, samples in self.datasets.items():
                assert not isinstance(samples, Styled)
                self.datasets[split] = Styled(samples, seed=self.seed, tell=split == "train")

    def _join(self, stage: str) -> None:
        """Put the further sets behind this one, in each of its splits."""
        for further in self.also:
            further.words, further.palettes = self.words, self.palettes
            further.setup(stage)
            self.sizes += further.sizes
        for split in self.datasets:
            modules = [one for one in (self, *self.also) if split in one.datasets]
            sets: list[Any] = [one.datasets[split] for one in modules]
            self.datasets[split] = Joined(sets)

    def _dataset(self, pictures: Fitted, augment: bool) -> PictureDataset:
        sampling = replace(self.sampling, augment=augment)
        if not self.words and not self.flats:
            return PictureDataset(pictures, sampling, lines=self.lines)
        if self.lines is None:
            raise ValueError(
                "Expected `data.task` sketch for words or flats, as a photograph has no regions "
                "between lines, got photo. Pass data.task=sketch, or another model."
            )
        folder = None if self.cache == "off" else self.cache_dir / "regions"
        if not self.words:
            return FlatDataset(pictures, sampling, lines=self.lines, folder=folder)
        return WordDataset(
            pictures,
            sampling,
            lines=self.lines,
            folder=folder,
            most=self.words,
            palettes=self.palettes,
        )

    def colours(self, count: int) -> np.ndarray:
        """Colours that stand for those of the training pictures; see `colours_of`."""
        return colours_of(self.datasets["train"].pictures, count, self.seed)

    def build_cache(self, workers: int | None = None) -> Path:
        """Decode and fit everything once, unless that is done; returns the cache's folder.

        Raises:
            OSError: no room.
            ValueError: bad files, unless they are to be skipped.
        """
        path, splits = self.cache_folder(), checked(self.source, self.splits(), self.on_bad)
        build(
            path,
            source=self.source,
            splits=splits,
            fit=self.fit,
            parameters=self._parameters(),
            workers=workers or available_cores(),
        )
        for further in self.also:
            further.build_cache(workers)
        return path

    def splits(self, *, to_train: bool = True) -> Splits:
        """The files of each split, not looked into; warns of files that are in none."""
        splits = self.source.find(self.val_fraction, self.seed, self.on_bad, to_train=to_train)
        if not self.draw:  # beside the demo's pairs lie its drawings to be coloured
            for line in self.source.left_out():
                warnings.warn(line, stacklevel=2)
        return splits

    def cache_folder(self) -> Path:
        """Where the cache of these data at this size belongs."""
        return cache_path(self.cache_dir, self.source)

    def _pictures(self, to_train: bool) -> Mapping[str, Fitted]:
        splits, path = self.splits(to_train=to_train), self.cache_folder()
        stale = self._changes(splits)
        if stale:  # nobody has looked at these files; bad ones were left out of a cache
            print(f"Checking {sum(map(len, splits.values()))} pictures", flush=True)
            splits = checked(self.source, splits, self.on_bad)
            stale = self._changes(splits)
        for warning in cheap_check(self.source, splits):
            warnings.warn(warning, stacklevel=2)
        if not stale:
            print(f"Pictures from the cache {path}")
            return open_cache(path)
        if self.cache == "require":
            raise ValueError(
                f"{path}: expected a fresh cache (data.cache=require): {'; '.join(stale)}. "
                "Run prepare.py with the same data keys."
            )
        if self.cache == "auto" and path.exists():
            warnings.warn(
                f"{path}: the cache is stale: {'; '.join(stale)}. The files are decoded instead; "
                "run prepare.py with the same data keys to renew it.",
                stacklevel=2,
            )
        return {
            split: Decoded(self.source, items=items, fit=self.fit, split=split)
            for split, items in splits.items()
        }

    def _changes(self, splits: Splits) -> list[str]:
        if self.cache == "off":
            return ["not wanted (data.cache=off)"]
        return changes(
            self.cache_folder(),
            source=self.source,
            splits=splits,
            parameters=self._parameters(),
        )

    def _parameters(self) -> dict[str, Any]:
        """What decides on the pixels of the fitted pictures."""
        return {"size": self.fit.size, "jitter": self.fit.jitter, "fit": self.fit.how}

    def train_dataloader(self) -> DataLoader[Any]:
        """Shuffled and augmented; begins where an interrupted epoch stopped."""
        return self._loader("train", shuffle=True, **self._progress())

    def val_dataloader(self) -> DataLoader[Any]:
        """In order, resized only."""
        return self._loader("val", shuffle=False)

    def test_dataloader(self) -> DataLoader[Any]:
        """In order, resized only; from test/."""
        if "test" not in self.datasets:
            place = self.source.root / "test"
            raise ValueError(f"{place}: no such folder. Expected the test pairs there.")
        return self._loader("test", shuffle=False)

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Turn (B, S, S, C) uint8 into float [-1, 1] on the device: a quarter of the traffic.

        Args:
            batch: `pictures` of PictureDataset; what else is there is passed on as it is.
            dataloader_idx: Number of the loader, which Lightning tells.

        Returns:
            `sketch` (B, 1, S, S) and `real` (B, 3, S, S), for photographs L and ab (B, 2, S, S);
            `flats` (B, 3, S, S) and `style` (B, N) where they are served.
        """
        others = {name: tensor for name, tensor in batch.items() if name != "pictures"}
        if "flats" in others:
            others["flats"] = to_float(others["flats"].permute(0, 3, 1, 2))
        return {**self.task.pair_of(to_float(batch["pictures"].permute(0, 3, 1, 2))), **others}

    def state_dict(self) -> dict[str, Any]:
        """What a step's share of an epoch was, for a resume in the middle of it."""
        return {"pairs": self._pairs(), "step": self._step()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.resumed = state_dict

    def _step(self) -> int:
        """Training pairs in a step, over all processes."""
        return self.batch_size * _rank(self.trainer)[1]

    def _pairs(self) -> int:
        """Training pairs in an epoch."""
        return self._sampler("train", shuffle=True, epoch=0, start=0).length

    def _progress(self) -> dict[str, int]:
        """Epoch and samples already seen of it by each process, as Lightning restored them."""
        if self.trainer is None:
            return {"epoch": 0, "start": 0}
        epoch: Any = self.trainer.fit_loop.epoch_progress.current
        batches: Any = self.trainer.fit_loop.epoch_loop.batch_progress
        # A checkpoint from inside an epoch has processed its last batch but not completed it; at
        # the end of an epoch the whole epoch is processed and the next one begins at 0.
        middle = epoch.processed < epoch.started and not batches.is_last_batch
        if middle and self.resumed:
            self._recount(batches.current)
        start = batches.current.processed * self.batch_size if middle else 0
        return {"epoch": epoch.processed, "start": start}

    def _recount(self, batches: Any) -> None:
        """Restore the place in the epoch where a step holds another number of pairs than before.

        Batches that the old count ends in are seen again; other data begin the epoch anew.
        """
        seen = batches.processed * self.resumed["step"]
        if self.resumed["pairs"] != self._pairs():
            seen = 0
        self.resumed = {}
        batches.ready = batches.started = batches.processed = seen // self._step()
        batches.completed = batches.processed - 1  # Lightning adds the one that saved

    def _loader(self, split: str, shuffle: bool, epoch: int = 0, start: int = 0) -> DataLoader[Any]:
        atexit.unregister(_end_workers)  # once, however many loaders
        atexit.register(_end_workers)
        sampler = self._sampler(split, shuffle, epoch, start)
        return Loader(
            self.datasets[split],
            batch_size=self.batch_size,
            sampler=sampler,  # type: ignore[arg-type]  # samples are (epoch, index)
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=_as_it_is,
            worker_init_fn=_start_worker,
            generator=torch.Generator(),  # its draws leave the global stream (dropout's) alone
        )

    def _sampler(self, split: str, shuffle: bool, epoch: int, start: int) -> EpochSampler:
        count, (rank, world) = len(self.datasets[split]), _rank(self.trainer)
        if count < world:
            raise ValueError(
                f"Expected at least as many {split} pictures as processes ({world}), got "
                f"{count}. Pass fewer trainer.gpus, or more pictures."
            )
        place = {"epoch": epoch, "start": start, "rank": rank, "world_size": world}
        weights = [one.weight for one in (self, *self.also)]
        if shuffle and weights != [1.0]:
            return MixedSampler(self.sizes, weights, seed=self.seed, **place)
        return EpochSampler(count, seed=self.seed, shuffle=shuffle, **place)


class Loader(DataLoader[Any]):
    """A DataLoader whose loading processes are known to `_end_workers`, also after itself."""

    def __iter__(self) -> Any:
        batches = super().__iter__()
        _workers.update(getattr(batches, "_workers", ()))
        return batches


def default_workers() -> int:
    """One loading process less than the cores, 1 to 8."""
    return max(1, min(8, available_cores() - 1))


def _as_it_is(batch: Any) -> Any:
    return batch  # PictureDataset.__getitems__ made it whole


def _start_worker(worker: int) -> None:
    cv2.setNumThreads(0)  # the workers are the parallelism
    for signum in (signal.SIGINT, signal.SIGTERM):  # a terminal or a scheduler signals the group;
        signal.signal(signum, signal.SIG_IGN)  # the main process ends its workers in order


def _end_workers() -> None:
    """Kill workers that an error left: Python would wait for ever for them to mind SIGTERM."""
    left = [child for child in multiprocessing.active_children() if child in _workers]
    if left and hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # torch's handler would raise in the midst
    for worker in left:
        worker.kill()


def _rank(trainer: pl.Trainer | None) -> tuple[int, int]:
    return (trainer.global_rank, trainer.world_size) if trainer else (0, 1)


def _folders(
    source: Kind, root: str | None, sketches: str | None, colours: str | None
) -> tuple[Path, ...]:
    wanted = (
        {"colours": colours, "sketches": sketches} if source == "two_folders" else {"root": root}
    )
    for name, folder in wanted.items():
        if not folder:
            raise ValueError(f"Expected `data.{name}`, a folder, for data.source={source}.")
    return tuple(Path(folder) for folder in wanted.values() if folder)


def _keys_of_set(keys: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of a further set, of those that it may have."""
    if unknown := sorted(set(keys) - OF_A_SET):
        raise ValueError(
            f"Expected keys of a set in `data.also`, out of {', '.join(sorted(OF_A_SET))}, got "
            f"{unknown[0]}. All sets share the others."
        )
    hints = get_type_hints(SketchDataModule.__init__)
    for key, value in keys.items():  # which nobody has looked at yet
        if not fits(value, hints[key]):
            raise ValueError(
                f"Expected `{key}` of a set in `data.also` to be {described(hints[key])}, got "
                f"{value!r}."
            )
    return dict(keys)


def _check_styles(lines: Lines, source: Kind) -> None:
    allowed = get_args(StyleName if source == "pictures" else LineStyle)
    if not lines.styles or any(style not in allowed for style in lines.styles):
        why = " Pictures bring no drawn sketch." if {"drawn", "redrawn"} & {*lines.styles} else ""
        raise ValueError(
            f"Expected `data.line_styles` to be a list of names out of {', '.join(allowed)} for "
            f"data.source={source}, got {list(lines.styles)}.{why}"
        )
    if made := [style for style in get_args(StyleName) if style in lines.styles]:
        check_lines(
            made,
            thickness=lines.thickness,
            threshold=lines.threshold,
            intensity=lines.intensity,
        )


def _check_moves(zoom: float, rotate: float) -> None:
    if not 1 <= zoom <= 2:  # nor NaN
        raise ValueError(f"Expected `data.zoom` to be a number from 1 to 2, got {zoom}.")
    if not 0 <= rotate <= 180:
        raise ValueError(f"Expected `data.rotate` to be a number from 0 to 180, got {rotate}.")


def _check_numbers(
    val_fraction: float, size: int, batch_size: int, jitter: int, draw: int, num_workers: int
) -> None:
    if not 0 < val_fraction < 1:
        raise ValueError(f"Expected `data.val_fraction` between 0 and 1, got {val_fraction}.")
    for name, value, least in (
        ("size", size, 1),
        ("batch_size", batch_size, 1),
        ("jitter", jitter, 0),
        ("draw", draw, 0),
        ("num_workers", num_workers, 0),
    ):
        if value < least:
            raise ValueError(f"Expected `data.{name}` to be at least {least}, got {value}.")

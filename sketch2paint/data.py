"""The joint augmentation of a pair, the dataset, and the LightningDataModule."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import asks the network otherwise

import albumentations as A
import cv2
import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from sketch2paint.demo import write_pairs
from sketch2paint.images import to_float
from sketch2paint.pairs import SIDES, checked, find_splits, read_pair

Sample = tuple[int, int]  # (epoch, index): what a sample's augmentation depends on, with the seed


def training_transform(size: int, jitter: int, flip: bool) -> A.Compose:
    """Resize to size + jitter, crop `size` at random, flip: both halves alike (paper 6.2).

    Resizing is antialiased (area averages): nearest neighbour, as in one of the reports, breaks
    lines of one or two pixels.
    """
    steps: list[Any] = [Resize(size + jitter, size + jitter)]
    if jitter:
        steps.append(A.RandomCrop(size, size))
    if flip:
        steps.append(A.HorizontalFlip(p=0.5))
    return A.Compose(steps)


def validation_transform(size: int) -> A.Compose:
    """Resize to `size`, nothing else."""
    return A.Compose([Resize(size, size)])


class Resize(A.Resize):
    """Shrink by area averages, then grow by cubic interpolation.

    One cv2.resize would not do: INTER_AREA averages only where both sides shrink.
    """

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:
        smaller = min(self.width, img.shape[1]), min(self.height, img.shape[0])
        img = cv2.resize(img, smaller, interpolation=cv2.INTER_AREA)
        return cv2.resize(img, (self.width, self.height), interpolation=cv2.INTER_CUBIC)


class PairDataset(Dataset[dict[str, Tensor]]):
    """Side-by-side pictures as uint8 tensors `sketch` (1, S, S) and `real` (3, S, S).

    Args:
        paths: the files.
        colour_side: left | right.
        transform: what is done to a (H, W, 4) pair.
        seed: with a sample's epoch and index it determines the augmentation.
    """

    def __init__(self, paths: list[Path], colour_side: str, transform: A.Compose, seed: int):
        self.paths = paths
        self.colour_side = colour_side
        self.transform = transform
        self.seed = seed

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, sample: Sample) -> dict[str, Tensor]:
        """Read and augment the sample (epoch, index)."""
        epoch, index = sample
        pair = read_pair(self.paths[index], self.colour_side)
        state = np.random.SeedSequence([self.seed, epoch, index])
        generator = np.random.default_rng(state)
        self.transform.set_random_state(generator, random.Random(int(generator.integers(2**63))))
        chw = torch.from_numpy(self.transform(image=pair)["image"]).permute(2, 0, 1).contiguous()
        return {"sketch": chw[3:], "real": chw[:3]}


class EpochSampler(Sampler[Sample]):
    """Yields (epoch, index); the order is a function of (seed, epoch), and a start can be set.

    Lightning goes on at the right batch number when it resumes in the middle of an epoch, but with
    the data from the beginning; so the sampler leaves out what was seen.

    Args:
        length: number of samples.
        seed: of the order.
        shuffle: False: 0, 1, 2, ...
        epoch: the epoch of the first pass.
        start: how many samples of the first pass were seen already.
        rank: this process's number, of `world_size`; each takes every world_size-th sample.
        world_size: number of processes.
    """

    def __init__(
        self,
        length: int,
        seed: int,
        shuffle: bool,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.length, self.seed, self.shuffle = length, seed, shuffle
        self.epoch, self.start = epoch, start
        self.rank, self.world_size = rank, world_size

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        """Samples of a whole epoch for this rank, also while a part of it is left out."""
        return -(-self.length // self.world_size)

    def __iter__(self) -> Iterator[Sample]:
        order = np.arange(self.length)
        if self.shuffle:
            np.random.default_rng([self.seed, self.epoch]).shuffle(order)
        # Every rank gets as many: the last ones begin again at the front.
        order = np.resize(order, len(self) * self.world_size)[self.rank :: self.world_size]
        for index in order[self.start :]:
            yield self.epoch, int(index)


class SketchDataModule(pl.LightningDataModule):
    """Training, validation and test pairs, as batches of `sketch` and `real` in [-1, 1].

    Args:
        root: folder with train/ and val/ (and test/), or with the pictures themselves.
        draw: number of demo pairs to draw into `root` first; 0: none, the pairs are there.
        colour_side: left | right, the half of a picture that holds the colours.
        val_fraction: share of the training pairs held out where there is no val/.
        on_bad: raise | skip, what to do about files that cannot be used.
        size: side of the pictures the networks see, in pixels.
        jitter: pixels by which a training picture is larger before the random crop.
        flip: mirror half of the training pairs.
        batch_size: pairs in a step, on each device.
        num_workers: loading processes; None: one less than the cores, at most 8.
        seed: of order, augmentation and split.

    Raises:
        ValueError: a parameter is out of its range.
    """

    def __init__(
        self,
        root: str,
        draw: int = 0,
        colour_side: str = "left",
        val_fraction: float = 0.1,
        on_bad: str = "raise",
        size: int = 256,
        jitter: int = 30,
        flip: bool = True,
        batch_size: int = 4,
        num_workers: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _one_of("data.colour_side", colour_side, SIDES)
        _one_of("data.on_bad", on_bad, ("raise", "skip"))
        if not 0 < val_fraction < 1:
            raise ValueError(f"Expected `data.val_fraction` between 0 and 1, got {val_fraction}.")
        for name, value, least in (
            ("size", size, 1),
            ("batch_size", batch_size, 1),
            ("jitter", jitter, 0),
            ("draw", draw, 0),
            ("num_workers", num_workers or 0, 0),
        ):
            if value < least:
                raise ValueError(f"Expected `data.{name}` to be at least {least}, got {value}.")
        self.root, self.draw = Path(root), draw
        self.colour_side, self.val_fraction, self.on_bad = colour_side, val_fraction, on_bad
        self.size, self.jitter, self.flip = size, jitter, flip
        self.batch_size, self.seed = batch_size, seed
        self.num_workers = default_workers() if num_workers is None else num_workers
        self.datasets: dict[str, PairDataset] = {}

    def prepare_data(self) -> None:
        """Draw the demo pairs where they are wanted and missing."""
        if self.draw:
            write_pairs(self.root, pairs=self.draw, seed=self.seed)

    def setup(self, stage: str) -> None:
        """Find, check and split the files, once."""
        if self.datasets:
            return
        splits = checked(find_splits(self.root, self.val_fraction, self.seed), self.on_bad)
        augment = training_transform(self.size, self.jitter, self.flip)
        plain = validation_transform(self.size)
        for name, paths in splits.items():
            transform = augment if name == "train" else plain
            self.datasets[name] = PairDataset(paths, self.colour_side, transform, self.seed)

    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Shuffled and augmented; begins where an interrupted epoch stopped."""
        return self._loader("train", shuffle=True, **self._progress())

    def val_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """In order, resized only."""
        return self._loader("val", shuffle=False)

    def test_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """In order, resized only; from test/."""
        if "test" not in self.datasets:
            raise ValueError(f"{self.root}/test: no such folder. Expected the test pairs there.")
        return self._loader("test", shuffle=False)

    def on_after_batch_transfer(
        self, batch: dict[str, Tensor], dataloader_idx: int
    ) -> dict[str, Tensor]:
        """Turn uint8 into float [-1, 1] on the device: a quarter of the traffic."""
        return {name: to_float(picture) for name, picture in batch.items()}

    def _progress(self) -> dict[str, int]:
        """Epoch and samples already seen of it, as Lightning restored them."""
        if self.trainer is None:
            return {"epoch": 0, "start": 0}
        epoch: Any = self.trainer.fit_loop.epoch_progress.current
        batches: Any = self.trainer.fit_loop.epoch_loop.batch_progress
        # A checkpoint from inside an epoch has processed its last batch but not completed it; at
        # the end of an epoch the whole epoch is processed and the next one begins at 0.
        middle = epoch.processed < epoch.started and not batches.is_last_batch
        start = batches.current.processed * self.batch_size if middle else 0
        return {"epoch": epoch.processed, "start": start}

    def _loader(
        self, split: str, shuffle: bool, epoch: int = 0, start: int = 0
    ) -> DataLoader[dict[str, Tensor]]:
        dataset = self.datasets[split]
        rank, world = (0, 1) if self.trainer is None else _rank(self.trainer)
        sampler = EpochSampler(len(dataset), self.seed, shuffle, epoch, start, rank, world)
        return DataLoader(
            dataset,
            batch_size=self.batch_size,
            sampler=sampler,  # type: ignore[arg-type]  # samples are (epoch, index)
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_start_worker,
            generator=torch.Generator(),  # its draws leave the global stream (dropout's) alone
        )


def default_workers() -> int:
    """One loading process less than the cores this process may use, 1 to 8."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(8, (cores or 2) - 1))


def _start_worker(worker: int) -> None:
    cv2.setNumThreads(0)  # the workers are the parallelism
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the main process ends them in order


def _rank(trainer: pl.Trainer) -> tuple[int, int]:
    return trainer.global_rank, trainer.world_size


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"Expected `{name}` to be one of {', '.join(allowed)}, got {value!r}.")

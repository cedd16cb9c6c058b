"""From a decoded picture to a training sample: fitting, augmentation, lines."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

# 2.0.8 is the last albumentations under a free licence, and no longer maintained. Four of its
# transforms are used, here alone; 20 lines of numpy in PictureDataset could take their place.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # its import asks the network otherwise

import albumentations as A
import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sketch2paint.data.lines import StyleName, draw_lines
from sketch2paint.data.outlines import with_lines, without_outlines
from sketch2paint.data.redraw import redraw
from sketch2paint.data.sources import Item, Source
from sketch2paint.images.convert import on_square, resize

FitMode = Literal["squash", "crop", "pad"]
LineStyle = Literal["drawn", "redrawn", StyleName]
EpochIndex = tuple[int, int]  # what a sample's augmentation depends on, with the seed

MAX_ASPECT = 4  # the longer side that `crop` keeps, in shorter sides


@dataclass(frozen=True)
class Fit:
    """Bring a decoded picture to the size the augmentation (and the cache) begins with.

    Shrinks by area averages and grows by cubic interpolation. (Nearest neighbour, as in one of the
    reports, breaks lines of one or two pixels.)

    Args:
        size: Side that the networks see, in pixels.
        jitter: Pixels by which training pictures stay larger.
        how: Way to a square: squash, crop (the shorter side is fitted, the crop follows later) or
            pad (with white).
    """

    size: int
    jitter: int
    how: FitMode

    def __call__(self, picture: np.ndarray, split: str) -> np.ndarray:
        """(H, W, C) uint8 to (h, w, C), h and w at least size, plus jitter in training."""
        side = self.size + (self.jitter if split == "train" else 0)
        height, width = picture.shape[:2]
        if self.how == "squash":
            return resize(picture, side, side)
        if self.how == "pad":
            return on_square(picture, side)
        shorter = min(height, width)
        top, left = (max(0, n - MAX_ASPECT * shorter) // 2 for n in (height, width))
        picture = picture[top : height - top, left : width - left]
        height, width = picture.shape[:2]
        scale = side / shorter
        return resize(picture, max(side, round(height * scale)), max(side, round(width * scale)))


@dataclass(frozen=True)
class Lines:
    """How the sketch of a sample is made.

    Args:
        styles: Names of styles, one drawn per sample; `drawn` is the pair's own sketch, `redrawn`
            the same with other widths, paler, with gaps, shaded.
        thickness: Bounds of the lines' width, in pixels at 256.
        threshold: Bounds of the contrast of an edge.
        intensity: Bounds of the lines' darkness, 1 is black.
    """

    styles: tuple[LineStyle, ...]
    _: KW_ONLY
    thickness: tuple[float, float]
    threshold: tuple[float, float]
    intensity: tuple[float, float]

    def __call__(self, picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(S, S, 3 or 4) uint8 to (S, S, 4): with a sketch as the fourth channel.

        With a sketch other than the pair's own the colours have its lines, not the own outlines.
        """
        style = self.styles[int(rng.integers(len(self.styles)))]
        if style == "drawn":
            return picture
        if picture.shape[2] == 3:
            return np.dstack([picture, self._made(style, np.ascontiguousarray(picture), rng)])
        # A pair's own lines, seen in its colours, would lie beside the others.
        (rgb, filled), own = without_outlines(picture), np.ascontiguousarray(picture[..., 3])
        if style == "redrawn":
            sketch = redraw(own, rng=rng, intensity=self.intensity)
        else:  # what a drawing has in black is no colour to be guessed
            sketch = self._made(style, rgb, rng)
            sketch = np.where(filled, np.minimum(sketch, own), sketch)
        return np.dstack([with_lines(rgb, sketch), sketch])

    def _made(self, style: LineStyle, rgb: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return draw_lines(
            rgb,
            rng=rng,
            styles=[style],  # type: ignore[list-item]  # neither drawn nor redrawn
            thickness=self.thickness,
            threshold=self.threshold,
            intensity=self.intensity,
        )


class Fitted(Protocol):
    """Fitted pictures of a split, (h, w, C) uint8: decoded or cached."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> np.ndarray: ...


class Decoded:
    """Pictures decoded and fitted when asked for: what a cache replaces."""

    def __init__(self, source: Source, *, items: list[Item], fit: Fit, split: str) -> None:
        self.source, self.fit, self.split = source, fit, split
        # One flat array: a list of paths would be copied into every worker as it is touched.
        self.files = np.array([[os.fsencode(path) for path in item] for item in items])

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int, /) -> np.ndarray:
        return self.fit(self.source.read(self._item(index)), self.split)

    def name(self, index: int) -> str:
        """The file below the source's root, fit for printing."""
        return self.source.name_of(self._item(index))

    def _item(self, index: int) -> Item:
        return tuple(Path(os.fsdecode(name)) for name in self.files[index])


@dataclass(frozen=True)
class Sampling:
    """How samples are cut out of fitted pictures.

    Args:
        size: Side S of the samples, in pixels.
        augment: Whether they are augmented: cropped at random, and what follows; else the crop is
            central.
        seed: Seed that determines all chance, with a sample's epoch and index.
        flip: Whether half of them are mirrored.
        zoom: Largest factor by which they are enlarged or made smaller, at least 1.
        rotate: Largest angle by which they are rotated, in degrees.
    """

    size: int
    augment: bool
    seed: int
    flip: bool = False
    zoom: float = 1.0
    rotate: float = 0.0

    @property
    def is_affine(self) -> bool:
        """Whether samples are more than cut out and mirrored."""
        return self.augment and (self.zoom > 1 or self.rotate > 0)

    def transform(self) -> A.Compose:
        """The same for both halves, which are channels of one picture (paper 6.2)."""
        if not self.augment:
            return A.Compose([A.CenterCrop(self.size, self.size)])
        steps: list[A.BasicTransform] = []
        if self.is_affine:  # what comes in from beyond the edge is like the edge
            steps.append(
                A.Affine(
                    scale=(1 / self.zoom, self.zoom),
                    rotate=(-self.rotate, self.rotate),
                    keep_ratio=True,
                    balanced_scale=True,
                    border_mode=cv2.BORDER_REPLICATE,
                    p=1.0,
                )
            )
        steps.append(A.RandomCrop(self.size, self.size))
        if self.flip:
            steps.append(A.HorizontalFlip(p=0.5))
        return A.Compose(steps)


class PictureDataset(Dataset[np.ndarray]):
    """Augmented samples (S, S, C) uint8: RGB and the sketch, or RGB alone for photographs.

    A batch is a dict: a further condition is one more entry.

    Args:
        pictures: Fitted pictures, decoded or cached.
        sampling: How samples are cut out of them.
        lines: Maker of the sketches; None: there are none.
    """

    def __init__(self, pictures: Fitted, sampling: Sampling, *, lines: Lines | None) -> None:
        self.pictures, self.sampling, self.lines = pictures, sampling, lines
        self.transform = sampling.transform()

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """Read and augment the sample (epoch, index)."""
        return self.augmented(sample, self.pictures[sample[1]])[0]

    def augmented(
        self, sample: EpochIndex, picture: np.ndarray
    ) -> tuple[np.ndarray, np.random.Generator]:
        """Augment a sample's picture and make its sketch; what is drawn next comes after."""
        epoch, index = sample
        # Outside training a sample is the same in every epoch, its style of line included.
        rng = np.random.default_rng(
            [self.sampling.seed, epoch if self.sampling.augment else 0, index]
        )
        self.transform.set_random_state(rng, random.Random(int(rng.integers(2**63))))
        picture = self.transform(image=picture)["image"]
        return (self.lines(picture, rng) if self.lines else picture), rng

    def __getitems__(self, samples: list[EpochIndex]) -> dict[str, Tensor]:
        """A batch; see `batch`."""
        return self.batch([self.read(sample) for sample in samples])

    def read(self, sample: EpochIndex) -> Any:
        """What a batch is made of: the sample (epoch, index) of each."""
        return self[sample]

    @staticmethod
    def batch(told: Sequence[Any]) -> dict[str, Tensor]:
        """A batch: `pictures` (B, S, S, C) uint8, in the layout of the files."""
        return {"pictures": torch.from_numpy(np.stack(told))}


class EndToEnd:
    """Several lists as one.

    Args:
        parts: Lists, or what has a length and items.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts, self.ends = parts, np.cumsum([len(part) for part in parts])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, index: int, /) -> Any:
        part, place = self.place(index)
        return part[place]

    def place(self, index: int) -> tuple[Any, int]:
        """The list that holds an item, and the item's place in it."""
        number = int(np.searchsorted(self.ends, index, side="right"))
        part = self.parts[number]
        return part, index - (int(self.ends[number]) - len(part))


class Joined(Dataset[np.ndarray]):
    """Several data sets as one, of which a batch may have samples of each.

    Args:
        sets: Data sets of one kind, whose samples have one size.
    """

    def __init__(self, sets: Sequence[PictureDataset]) -> None:
        self.sets = EndToEnd(sets)
        self.pictures = EndToEnd([one.pictures for one in sets])

    def __len__(self) -> int:
        return len(self.sets)

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """Read and augment the sample (epoch, index)."""
        one, index = self.sets.place(sample[1])
        return one[sample[0], index]

    def __getitems__(self, samples: list[EpochIndex]) -> dict[str, Tensor]:
        """A batch as each of the data sets makes it."""
        places = [(epoch, *self.sets.place(number)) for epoch, number in samples]
        told = [one.read((epoch, index)) for epoch, one, index in places]
        return self.sets.parts[0].batch(told)

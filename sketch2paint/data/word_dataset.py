"""Training samples with their regions as words, of which some are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sketch2paint.data.dataset import EpochIndex, Fitted, Lines, PictureDataset
from sketch2paint.data.given import Given, draw_given, fixed_given
from sketch2paint.data.label_maps import regions_kept
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.words import ABOUT, PAIR, Words, labels_on_square, words_of


class Told(NamedTuple):
    """A sample: its sketch (S, S) uint8, its regions as words, and what is known of them."""

    sketch: np.ndarray
    words: Words
    given: Given


class WordDataset(PictureDataset):
    """Augmented samples whose regions are words.

    The regions of a drawing are found once, before the crop and the flip, which then cut them as
    they cut the picture; those of a sketch that is made for a sample are its own.

    Args:
        pictures: Fitted pictures with their sketch, decoded or cached, or without where `lines`
            makes it.
        size: Side S of the samples, in pixels.
        augment: Whether samples are cropped at random and flipped, and hints drawn for each.
        flip: Whether half of the augmented samples are mirrored.
        lines: Maker of the sketches.
        seed: Seed that determines all chance, with a sample's epoch and index.
        most: Number of words, above which the smallest regions of a sample are left out.
        folder: Folder in which regions are kept; None: they are found for every sample.
    """

    def __init__(
        self,
        pictures: Fitted,
        *,
        size: int,
        augment: bool,
        flip: bool,
        lines: Lines,
        seed: int,
        most: int,
        folder: Path | None,
    ) -> None:
        super().__init__(pictures, size=size, augment=augment, flip=flip, lines=lines, seed=seed)
        self.keeps_sketch = "drawn" in lines.styles
        self.most, self.folder = most, folder

    def told(self, sample: EpochIndex) -> Told:
        """Read and augment the sample (epoch, index)."""
        picture = self.pictures[sample[1]]
        joins = np.empty((0, 2), np.int32), np.empty(0, np.float32)
        if self.keeps_sketch:
            found = regions_kept(self.folder, picture[..., 3])
            picture, joins = np.dstack([picture, _packed(found)]), (found.joins, found.openings)
        cut, rng = self.augmented(sample, picture)
        sketch = np.ascontiguousarray(cut[..., 3])
        # A sketch that was made has no labels beside it.
        regions = Regions(*_unpacked(cut), *joins) if cut.shape[2] > 4 else find_regions(sketch)
        words, real = words_of(regions, self.most), np.ascontiguousarray(cut[..., :3])
        if self.augment:
            given = draw_given(rng, real=real, sketch=sketch, words=words)
        else:
            given = fixed_given(real=real, sketch=sketch, words=words)
        return Told(sketch, words, given)

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """True colours and sketch of the sample (epoch, index), (S, S, 4)."""
        told = self.told(sample)
        return np.dstack([told.given.real, told.sketch])

    def read(self, sample: EpochIndex) -> Told:
        """What a batch is made of: the sample (epoch, index) of each, told."""
        return self.told(sample)

    @staticmethod
    def batch(told: Sequence[Told]) -> dict[str, Tensor]:
        """A batch whose samples have as many words as that with the most; the others are 0.

        Returns:
            `pictures` (B, S, S, 4) uint8, `labels` (B, S, S) int32, -1 for none, `places`, the same
            at half the resolution, `about` (B, N, 9), `pairs` (B, N, N, 8), `known` (B, N) bool,
            `given` (B, N, 3) in [-1, 1].
        """
        count = max(len(one.words.regions) for one in told)
        about = np.zeros((len(told), count, ABOUT), np.float32)
        pairs = np.zeros((len(told), count, count, PAIR), np.float32)
        known = np.zeros((len(told), count), bool)
        given = np.zeros((len(told), count, 3), np.float32)
        for row, (_, words, hints) in enumerate(told):
            own = len(words.regions)
            about[row, :own], pairs[row, :own, :own] = words.about, words.pairs
            known[row, :own], given[row, :own] = hints.known, hints.colours / 127.5 - 1
        side = told[0].sketch.shape[0] // 2
        pictures = [np.dstack([one.given.real, one.sketch]) for one in told]
        arrays = {
            "pictures": np.stack(pictures),
            "labels": np.stack([one.words.labels for one in told]),
            "places": np.stack([labels_on_square(one.words, side) for one in told]),
            "about": about,
            "pairs": pairs,
            "known": known,
            "given": given,
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _packed(regions: Regions) -> np.ndarray:
    """Labels and ink as four channels of a picture, (H, W, 4) uint8."""
    return (2 * regions.labels + regions.ink)[..., None].astype("<i4").view(np.uint8)


def _unpacked(cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels (S, S) int32 and ink (S, S) bool of a picture with four channels more."""
    numbers = np.ascontiguousarray(cut[..., 4:]).view("<i4")[..., 0]
    return numbers >> 1, (numbers & 1).astype(bool)

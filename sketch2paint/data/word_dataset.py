"""Training samples with their regions as words, of which some are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sketch2paint.data.dataset import EpochIndex, Fitted, Lines, Sampling
from sketch2paint.data.given import Given, draw_given, fixed_given
from sketch2paint.data.palettes import NONE, draw_palette, draw_truth, palette_of_picture
from sketch2paint.data.region_dataset import RegionDataset
from sketch2paint.hints.palette import NO_PALETTE, Palette
from sketch2paint.hints.words import ABOUT, PAIR, Words, labels_on_square, words_of
from sketch2paint.images.convert import array_to_float


class Told(NamedTuple):
    """A sample: its sketch (S, S) uint8, its regions as words, what is known, and a palette."""

    sketch: np.ndarray
    words: Words
    given: Given
    palette: Palette


class WordDataset(RegionDataset):
    """Augmented samples whose regions are words.

    Args:
        pictures, sampling, lines, folder: As RegionDataset's; hints are drawn for each augmented
            sample.
        most: Number of words, above which the smallest regions of a sample are left out.
        palettes: Whether samples have a palette: half of the augmented ones, all of the others.
    """

    def __init__(
        self,
        pictures: Fitted,
        sampling: Sampling,
        *,
        lines: Lines,
        folder: Path | None,
        most: int,
        palettes: bool = False,
    ) -> None:
        super().__init__(pictures, sampling, lines=lines, folder=folder)
        self.most, self.palettes = most, palettes

    def told(self, sample: EpochIndex) -> Told:
        """Read and augment the sample (epoch, index)."""
        real, sketch, regions, rng = self.with_regions(sample)
        words = words_of(regions, self.most)
        if self.sampling.augment:
            return self._drawn(rng, real, sketch, words)
        given = fixed_given(real=real, sketch=sketch, words=words)
        palette = palette_of_picture(np.dstack([real, sketch])) if self.palettes else NO_PALETTE
        return Told(sketch, words, given, palette)

    def _drawn(
        self, rng: np.random.Generator, real: np.ndarray, sketch: np.ndarray, words: Words
    ) -> Told:
        """A training sample: its palette and its hints are chance, and now and then its truth."""
        if not (self.palettes and rng.random() >= NONE):
            given = draw_given(rng, real=real, sketch=sketch, words=words)
            return Told(sketch, words, given, NO_PALETTE)
        other = palette_of_picture(self.pictures[int(rng.integers(len(self)))][..., :4])
        truth = draw_truth(rng, np.dstack([real, sketch]), other)
        given = draw_given(rng, real=truth, sketch=sketch, words=words)
        is_exact = not np.array_equal(truth, real)
        palette = draw_palette(rng, truth=given.real, sketch=sketch, other=other, exact=is_exact)
        return Told(sketch, words, given, palette)

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
            `given` (B, N, 3) in [-1, 1], `palette` (B, M, 3) in [-1, 1] and `portions` (B, M), -1
            for none; M is at least 1.
        """
        count = max(len(one.words.regions) for one in told)
        about = np.zeros((len(told), count, ABOUT), np.float32)
        pairs = np.zeros((len(told), count, count, PAIR), np.float32)
        known = np.zeros((len(told), count), bool)
        given = np.zeros((len(told), count, 3), np.float32)
        most = max(1, *(len(one.palette.colours) for one in told))
        palette = np.zeros((len(told), most, 3), np.float32)
        portions = np.full((len(told), most), -1, np.float32)
        for row, (_, words, hints, entries) in enumerate(told):
            own = len(words.regions)
            about[row, :own], pairs[row, :own, :own] = words.about, words.pairs
            known[row, :own], given[row, :own] = hints.known, array_to_float(hints.colours)
            palette[row, : len(entries.colours)] = array_to_float(entries.colours)
            portions[row, : len(entries.colours)] = entries.portions
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
            "palette": palette,
            "portions": portions,
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

"""Training samples with their regions as words, of which some are known."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sketch2paint.data.dataset import EpochIndex, Fitted, Lines
from sketch2paint.data.given import Given, draw_given, fixed_given
from sketch2paint.data.region_dataset import RegionDataset
from sketch2paint.hints.words import ABOUT, PAIR, Words, labels_on_square, words_of


class Told(NamedTuple):
    """A sample: its sketch (S, S) uint8, its regions as words, and what is known of them."""

    sketch: np.ndarray
    words: Words
    given: Given


class WordDataset(RegionDataset):
    """Augmented samples whose regions are words.

    Args:
        pictures, size, augment, flip, lines, seed, folder: As RegionDataset's; hints are drawn for
            each augmented sample.
        most: Number of words, above which the smallest regions of a sample are left out.
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
        super().__init__(
            pictures,
            size=size,
            augment=augment,
            flip=flip,
            lines=lines,
            seed=seed,
            folder=folder,
        )
        self.most = most

    def told(self, sample: EpochIndex) -> Told:
        """Read and augment the sample (epoch, index)."""
        real, sketch, regions, rng = self.with_regions(sample)
        words = words_of(regions, self.most)
        if self.augment:
            given = draw_given(rng, real=real, sketch=sketch, words=words)
        else:
            given = fixed_given(real=real, sketch=sketch, words=words)
        return Told(sketch, words, given)

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """True colours and sketch of the sample (epoch, index), (S, S, 4)."""
        told = self.told(sample)
        return np.dstack([told.given.real, told.sketch])

    def __getitems__(self, samples: list[EpochIndex]) -> dict[str, Tensor]:
        """A batch whose samples have as many words as that with the most; the others are 0.

        Returns:
            `pictures` (B, S, S, 4) uint8, `labels` (B, S, S) int32, -1 for none, `places`, the same
            at half the resolution, `about` (B, N, 9), `pairs` (B, N, N, 8), `known` (B, N) bool,
            `given` (B, N, 3) in [-1, 1].
        """
        told = [self.told(sample) for sample in samples]
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

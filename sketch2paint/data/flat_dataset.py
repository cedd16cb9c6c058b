"""Training samples with the colours of their regions, which a generator learns to shade."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from sketch2paint.data.dataset import EpochIndex
from sketch2paint.data.region_dataset import RegionDataset
from sketch2paint.hints.regions import Regions
from sketch2paint.images.layer import CLEAR
from sketch2paint.images.medians import medians

MISSING = 0.05  # of the samples have no flats
RECOLOURED = 0.5  # of the others have other colours in some regions, in the truth as well
WRONG = 0.1  # of them have flats that are wrong in a tenth of the regions
BLURRED = 0.1  # of them are blurred
NOISE = 4.0  # levels, of a flat's colour


class FlatDataset(RegionDataset):
    """Augmented samples with their flats: true ones, now and then recoloured, wrong or missing.

    Outside training they are true. Arguments are RegionDataset's.
    """

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """True colours, sketch and flats of the sample (epoch, index), (S, S, 7)."""
        real, sketch, regions, rng = self.with_regions(sample)
        table = own_colours(real, sketch, regions)
        if not self.sampling.augment:
            return np.dstack([real, sketch, table[regions.labels]])
        if rng.random() < MISSING:
            return np.dstack([real, sketch, np.full_like(real, 255)])
        if rng.random() < RECOLOURED:
            other = _recoloured(rng, table)
            real, table = _moved(real, table[regions.labels], other[regions.labels]), other
        return np.dstack([real, sketch, _spoilt(rng, table, regions)])

    @staticmethod
    def batch(told: Sequence[np.ndarray]) -> dict[str, Tensor]:
        """A batch: `pictures` (B, S, S, 4) and `flats` (B, S, S, 3), uint8."""
        samples = torch.from_numpy(np.stack(told))
        return {"pictures": samples[..., :4], "flats": samples[..., 4:]}


def own_colours(real: np.ndarray, sketch: np.ndarray, regions: Regions) -> np.ndarray:
    """Colours (count, 3) uint8 of regions: the median of each channel; white where all is line."""
    clear = sketch > CLEAR
    table, there = medians(real[clear], regions.labels[clear], regions.count)
    table[~there] = 255
    return table


def _recoloured(rng: np.random.Generator, table: np.ndarray) -> np.ndarray:
    """Half of the colours replaced, wherever they stand; paper stays."""
    colours, which = np.unique(table, axis=0, return_inverse=True)
    other = rng.integers(0, 256, colours.shape, np.uint8)
    keep = (rng.random(len(colours)) < 0.5) | (colours == 255).all(1)
    return np.where(keep[:, None], colours, other)[which.ravel()]


def _moved(real: np.ndarray, own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """True colours (S, S, 3) with other flats below them: the way to black or white stays."""
    colour, flat, goal = (picture.astype(np.float32) for picture in (real, own, other))
    darker = colour / np.maximum(flat, 1)
    lighter = (255 - colour) / np.maximum(255 - flat, 1)
    moved = np.where(colour <= flat, goal * darker, 255 - (255 - goal) * lighter)
    return np.where(own == other, real, np.rint(moved).clip(0, 255).astype(np.uint8))


def _spoilt(rng: np.random.Generator, table: np.ndarray, regions: Regions) -> np.ndarray:
    """Flats (S, S, 3) uint8 as a network or a hurried person would give them."""
    told = table + rng.normal(0, NOISE, table.shape) * (table < 255).any(1, keepdims=True)
    if rng.random() < WRONG:
        wrong = rng.random(len(table)) < 0.1
        told[wrong] = rng.integers(0, 256, (int(wrong.sum()), 3))
    flats: np.ndarray = np.rint(told).clip(0, 255).astype(np.uint8)[regions.labels]
    if rng.random() < BLURRED:
        flats = cv2.GaussianBlur(flats, (0, 0), rng.uniform(1, 4) * len(flats) / 256)
    return flats

"""Where a person would set colour hints, by fixed rules: dots, the same on every machine."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
from scipy import ndimage

from sketch2paint.hints.format import Hints
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.strokes import Stroke
from sketch2paint.images.layer import CLEAR, multiplied

WHITEST = 245  # level of every channel from which a colour counts as white paper
SEEN = 16 * 3 * 15**2  # squared levels: 16 pixels that are 15 off; for less nobody sets a hint

Placement = Literal["blank", "regions", "uniform", "user"]
Ask = Callable[[Hints], np.ndarray]  # hints to colours (H, W, 3) uint8, without lines


@dataclass(frozen=True, kw_only=True)
class Page:
    """A drawing beside its real picture, and what its finest regions are.

    Attributes:
        name: Name of the picture.
        sketch: Drawing, (H, W) uint8.
        real: Real picture, (H, W, 3) uint8 RGB.
        regions: Regions of the drawing.
        clear: Pixels (H, W) bool that show their colour, being no line.
        areas: Number of clear pixels of each finest region, (count,).
    """

    name: str
    sketch: np.ndarray
    real: np.ndarray
    regions: Regions
    clear: np.ndarray
    areas: np.ndarray

    @classmethod
    def of(cls, name: str, sketch: np.ndarray, real: np.ndarray) -> Page:
        """Take a drawing (H, W) uint8 and its real picture (H, W, 3) uint8 RGB."""
        regions = find_regions(sketch)
        clear = (sketch > CLEAR) & ~regions.ink
        areas = np.bincount(regions.labels[clear], minlength=regions.count)
        return cls(name=name, sketch=sketch, real=real, regions=regions, clear=clear, areas=areas)

    @property
    def nothing_said(self) -> Hints:
        """Hints of this drawing's size without a stroke."""
        return Hints((self.sketch.shape[1], self.sketch.shape[0]))

    def medians(self, picture: np.ndarray) -> np.ndarray:
        """Medians (count, 3) uint8 of (H, W, 3) on each region's clear pixels; white is paper."""
        table = np.full((len(self.areas), 3), 255, np.uint8)
        there = np.flatnonzero(self.areas)
        labels = self.regions.labels[self.clear]
        for channel in range(3 if len(there) else 0):
            levels = picture[..., channel][self.clear]
            table[there, channel] = np.rint(ndimage.median(levels, labels, there))
        table[(table >= WHITEST).all(1)] = 255
        return table


def place(page: Page, *, placement: Placement, most: int, seed: int, ask: Ask) -> Hints:
    """Set hints one after another, so that the first n are those of n hints.

    blank and user set each in the finest region without one where area x squared error of its
    median is largest, of what `ask` makes of the hints so far; they stop where little is wrong.
    regions takes the largest regions first. These three set a dot where a region is deepest, in the
    real picture's median there. uniform takes random pixels beside the lines in their own colours,
    as papers do.

    Args:
        page: Drawing and its real picture.
        placement: Rule: blank | regions | uniform | user.
        most: Number of hints wanted; a drawing may have room for fewer.
        seed: Seed of uniform.
        ask: Function that colours the page by hints: for blank white paper, filled; for user what
            is measured itself.

    Returns:
        Hints of the drawing's size, dots of one pixel.
    """
    if placement == "uniform":
        strokes = _uniform(page, most, seed)
    elif placement == "regions":
        largest = np.argsort(-page.areas, kind="stable")[: np.count_nonzero(page.areas)]
        truth = page.medians(page.real)
        strokes = [_deepest(page, int(region), truth[region]) for region in largest[:most]]
    else:
        return _where_wrong(page, most, ask)
    return replace(page.nothing_said, strokes=tuple(strokes))


def _where_wrong(page: Page, most: int, ask: Ask) -> Hints:
    hints, truth = page.nothing_said, page.medians(page.real)
    left = page.areas.astype(np.int64)  # 0 once a region has its hint
    while len(hints.strokes) < most:
        found = page.medians(multiplied(ask(hints), page.sketch))
        error = left * ((found.astype(np.int64) - truth) ** 2).sum(1)
        worst = int(error.argmax())
        if error[worst] < SEEN:
            break
        left[worst] = 0
        stroke = _deepest(page, worst, truth[worst])
        hints = replace(hints, strokes=(*hints.strokes, stroke))
    return hints


def _deepest(page: Page, region: int, colour: np.ndarray) -> Stroke:
    """A dot where a region is deepest; of equal pixels at the first in reading order."""
    inside = np.pad((page.regions.labels == region) & page.clear, 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return _dot(int(depth.argmax()), page, colour)


def _uniform(page: Page, most: int, seed: int) -> list[Stroke]:
    key = zlib.crc32(f"{seed} {page.name}".encode("utf-8", "replace"))
    stream = np.random.RandomState(key)  # whose numbers no release of NumPy changes
    chosen = stream.permutation(np.flatnonzero(page.clear))[:most]
    return [_dot(int(at), page, page.real.reshape(-1, 3)[at]) for at in chosen]


def _dot(at: int, page: Page, colour: np.ndarray) -> Stroke:
    y, x = divmod(at, page.sketch.shape[1])
    red, green, blue = colour.tolist()
    return Stroke(((float(x), float(y)),), 1.0, (red, green, blue))

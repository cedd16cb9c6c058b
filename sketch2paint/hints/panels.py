"""The panels of a strip, which blank rows part, and its regions, found in each panel by itself.

A strip is read panel by panel, so that a figure is seen as large, and where it is, as if its panel
were the drawing.
"""

from __future__ import annotations

from bisect import bisect, insort
from typing import NamedTuple

import numpy as np

from sketch2paint.hints.regions import GRAIN, Regions, find_regions

LONG = 1.5  # times the shorter side; a longer drawing is a strip
SHORTEST = 0.5  # of the shorter side: what is shorter stays with its neighbour
RIM = 16  # of them are the shorter side: so much blank is read around lines longer than it
FITS = 1.25  # of the shorter side: lines that reach no further are not parted


class Panel(NamedTuple):
    """Where a panel lies along a strip, in pixels of the longer side.

    Attributes:
        start: Place where it begins, in the middle of what is blank.
        stop: Place where it ends.
        top: Place where its sheet begins: a square with the lines in its middle, if they fit. It
            may reach beyond the panel, and is blank there.
        bottom: Place where its sheet ends.
    """

    start: int
    stop: int
    top: int
    bottom: int

    def places(self, start: int, stop: int) -> np.ndarray:
        """Places along the strip from one to another, those beyond the panel as its rim."""
        return np.arange(start, stop).clip(self.start, self.stop - 1)

    def on_sheet(self) -> np.ndarray:
        """Places on the sheet of all that is the panel's, those beyond the sheet as its rim."""
        return np.arange(self.start, self.stop).clip(self.top, self.bottom - 1) - self.top


def panels(drawing: np.ndarray) -> list[Panel]:
    """Part a strip at its blank rows, or columns if it is wide; another drawing is one panel.

    Args:
        drawing: Drawing (H, W) uint8.
    """
    side, length = sorted(drawing.shape)
    if length <= LONG * side:
        return [Panel(0, length, 0, length)]
    darkest = drawing.min(axis=1 if is_tall(drawing) else 0)
    edges = np.diff(drawing.max() - darkest >= GRAIN, prepend=False, append=False)
    bands = np.flatnonzero(edges).reshape(-1, 2)  # of lines: where each begins and ends
    if not len(bands):
        return [Panel(0, length, 0, length)]
    cuts = _cuts(bands, side, length)
    return [
        Panel(start, stop, *_sheet(bands, start, stop, side))
        for start, stop in zip(cuts[:-1], cuts[1:], strict=True)
    ]


def find_regions_by_panel(drawing: np.ndarray, cuts: np.ndarray | None = None) -> Regions:
    """Find the regions of a drawing, those of a strip in each panel as if that were the drawing.

    What is blank between two panels opens one's ground to the other's.

    Args:
        drawing: Drawing (H, W) uint8, dark lines on lighter paper.
        cuts: Map (H, W) bool of what counts as a line, too; None: nothing does.
    """
    found, axis = panels(drawing), 0 if is_tall(drawing) else 1
    sheets = [one.places(one.top, one.bottom) for one in found]
    parts = [
        find_regions(drawing.take(sheet, axis), None if cuts is None else cuts.take(sheet, axis))
        for sheet in sheets
    ]
    firsts = np.cumsum([0, *(part.count for part in parts)])[:-1]
    pairs = list(zip(parts, [one.on_sheet() for one in found], firsts, strict=True))
    labels = np.concatenate([part.labels.take(at, axis) + n for part, at, n in pairs], axis)
    ground = np.moveaxis(labels, axis, 0)[:, 0]
    across = [ground[[one.stop - 1, one.stop]][None] for one in found[:-1]]
    joins = [*(part.joins + n for part, _, n in pairs), *across]
    wide = np.full(len(across), min(labels.shape), np.float32)
    openings = np.concatenate([*(part.openings for part in parts), wide])
    order = np.argsort(-openings, kind="stable")
    every = np.concatenate(joins)[order]
    ink = np.concatenate([part.ink.take(at, axis) for part, at, _ in pairs], axis)
    return Regions(labels.astype(np.int32), ink, every.astype(np.int32), openings[order])


def _cuts(bands: np.ndarray, side: int, length: int) -> list[int]:
    """Where panels begin and end: in the widest blank rows first, until what is left fits."""
    starts, stops = bands[1:, 0], bands[:-1, 1]
    cuts, shortest = [0, length], SHORTEST * side
    for gap in np.argsort(stops - starts, kind="stable").tolist():
        middle = int(starts[gap] + stops[gap]) // 2
        place = bisect(cuts, middle)
        low, high = cuts[place - 1], cuts[place]
        top, bottom = _reach(bands, low, high)
        if bottom - top > FITS * side and low + shortest <= middle <= high - shortest:
            insort(cuts, middle)
    return cuts


def _reach(bands: np.ndarray, start: int, stop: int) -> tuple[int, int]:
    """Where the first lines from `start` on begin, and the last ones before `stop` end."""
    first, last = np.searchsorted(bands[:, 0], [start, stop])
    return int(bands[first, 0]), int(bands[last - 1, 1])


def _sheet(bands: np.ndarray, start: int, stop: int, side: int) -> tuple[int, int]:
    """What is read of a panel: a square with the lines in its middle, or more if they need it."""
    top, bottom = _reach(bands, start, stop)
    rim = side // RIM
    if bottom - top > side:
        top, bottom = max(start, top - rim), min(stop, bottom + rim)
    size = max(side, bottom - top)
    top = (top + bottom - size) // 2
    return top, top + size


def is_tall(drawing: np.ndarray) -> bool:
    """Whether a strip (H, W) goes down rather than across."""
    return drawing.shape[0] >= drawing.shape[1]

"""How well regions hold colours together, and what flats leave to do: functions of pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.optimize import linear_sum_assignment

from sketch2paint.hints.runs import components
from sketch2paint.images.convert import codes

LEAST = 30  # counted pixels of a region that somebody would fill
CUTS = 8  # in a drawing's lines
LINE, FREE = 128, 200  # levels of a drawing: darker is line, lighter is no line's soft edge
PAPER, WHITE = 0x7FFF, 0xFFFFFF  # white, as `true_colours` has it, and as flats have it


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A drawing beside its true colours.

    Attributes:
        name: Name of the file, without folders and suffix.
        sketch: Drawing (H, W), uint8.
        truth: True colours (H, W), numbers of 5 bits a channel, from `true_colours`.
        where: Pixels (H, W) bool that count: those that no line touches.
    """

    name: str
    sketch: np.ndarray
    truth: np.ndarray
    where: np.ndarray

    @classmethod
    def of(cls, name: str, sketch: np.ndarray, real: np.ndarray) -> Drawing:
        """Take a drawing (H, W) uint8 and its true picture (H, W, 3) uint8 RGB."""
        where = cv2.erode((sketch > FREE).astype(np.uint8), np.ones((3, 3))) > 0
        return cls(name=name, sketch=sketch, truth=true_colours(real), where=where)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What flats leave to do.

    Attributes:
        left: Number of regions that are still to be filled with another colour.
        blank: Number of regions that are to be filled on an empty page: all that are not paper.
        paper: Share of the true picture's white that is left white; NaN where it has none.
        pieces: Number of flats that an object is in, on the mean: objects and flats are regions
            of one colour that touch, paper left out; NaN where there is none.
        merged: Share of the area of those regions that lies in a flat which is mostly of another
            true colour; NaN where there is none.
    """

    left: int
    blank: int
    paper: float
    pieces: float
    merged: float


def true_colours(real: np.ndarray) -> np.ndarray:
    """Colours of (H, W, 3) uint8 RGB as numbers (H, W), without thin lines, 5 bits a channel."""
    r, g, b = np.moveaxis(cv2.medianBlur(real, 5).astype(np.int32) >> 3, -1, 0)
    return (r << 10) | (g << 5) | b


def with_cuts(sketch: np.ndarray, name: str, gap: int) -> np.ndarray:
    """Cut squares out of a drawing's lines, at eight places that follow from its name.

    Args:
        sketch: Drawing (H, W), uint8, that is copied.
        name: Name of its file, without folders and suffix.
        gap: Side of the squares in pixels, from centre to centre; 0: no cuts.

    Returns:
        Drawing (H, W), uint8.
    """
    cut, (ys, xs) = sketch.copy(), np.nonzero(sketch < LINE)
    seed = int.from_bytes(name.encode("utf-8", "replace"), "big") % 2**32
    places = np.random.default_rng(seed).choice(len(ys), CUTS) if gap and len(ys) else ()
    before, after = gap // 2, (gap + 1) // 2 + 1
    for y, x in zip(ys[places,].tolist(), xs[places,].tolist(), strict=True):
        cut[max(0, y - before) : y + after, max(0, x - before) : x + after] = 255
    return cut


def region_accuracy(labels: np.ndarray, drawing: Drawing) -> float:
    """Share of the coloured pixels whose region's most frequent colour is theirs.

    It is the achievable segmentation accuracy (Liu et al. 2011) of what is not paper: what the
    best single colour for each region (H, W) can reach. NaN where nothing is coloured.
    """
    colours, shares = _shares(labels[drawing.where], drawing.truth[drawing.where])
    coloured = shares[:, colours != PAPER]
    if not coloured.size:
        return math.nan
    right = shares.max(1)[colours[shares.argmax(1)] != PAPER]
    return float(right.sum() / coloured.sum())


def segments(labels: np.ndarray, drawing: Drawing) -> int:
    """Number of regions (H, W) with at least 30 pixels that count."""
    return int((np.unique(labels[drawing.where], return_counts=True)[1] >= LEAST).sum())


def work_left(flat: np.ndarray, labels: np.ndarray, drawing: Drawing) -> Work:
    """Count the bucket fills between flats and the true colours.

    The flats' colours are matched to the true ones one to one, so that as many pixels as can be
    agree: which red is meant is chosen later, for a whole colour at once. White is paper and
    matches nothing else. A region whose colour does not match the most frequent true one in it
    costs a fill.

    Args:
        flat: Flats (H, W, 3), uint8 RGB.
        labels: Regions (H, W) that one would fill; those under 30 pixels that count are left out.
        drawing: Drawing with its true colours.
    """
    where = drawing.where
    truth, region = drawing.truth[where], labels[where]
    painted = codes(flat[where])
    if not truth.size:
        return Work(left=0, blank=0, paper=math.nan, pieces=math.nan, merged=math.nan)
    colours, wanted = _shares(region, truth)
    flats, given = _shares(region, painted)
    overlap = _shares(painted, truth)[1]
    overlap[(flats == WHITE)[:, None] != (colours == PAPER)] = 0
    areas, best, is_of = wanted.sum(1), wanted.argmax(1), given.argmax(1)
    large, paper = areas >= LEAST, truth == PAPER
    coloured = large & (colours[best] != PAPER) & (flats[is_of] != WHITE)
    pairs = _touching(labels, np.unique(region)[coloured])
    pieces, merged = _as_objects(areas[coloured], best[coloured], is_of[coloured], pairs)
    return Work(
        left=int((_matched(overlap)[is_of] != best)[large].sum()),
        blank=int((colours[best] != PAPER)[large].sum()),
        paper=float((painted[paper] == WHITE).mean()) if paper.any() else math.nan,
        pieces=pieces,
        merged=merged,
    )


def _as_objects(
    areas: np.ndarray, true: np.ndarray, flat: np.ndarray, pairs: np.ndarray
) -> tuple[float, float]:
    """`pieces` and `merged` of n regions, by their colours (n,) and the pairs (p, 2) that touch."""
    if not len(areas):
        return math.nan, math.nan
    objects, flats = (
        components(len(areas), pairs[colour[pairs[:, 0]] == colour[pairs[:, 1]]])
        for colour in (true, flat)
    )
    of_flats = np.zeros((flats.max() + 1, true.max() + 1))
    np.add.at(of_flats, (flats, true), areas)
    both = np.unique(np.stack([objects, flats], 1), axis=0)
    right = of_flats.max(1).sum() / of_flats.sum()
    return len(both) / (int(objects.max()) + 1), float(1 - right)


def _touching(labels: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Pairs (p, 2) of those regions (n,), by their places there, that touch in a map (H, W)."""
    place = np.full(int(labels.max()) + 1, -1)
    place[regions] = np.arange(len(regions))
    at = place[labels]
    ends = [
        np.stack([one.ravel(), other.ravel()], 1)
        for one, other in ((at[:, 1:], at[:, :-1]), (at[1:], at[:-1]))
    ]
    pairs = np.concatenate(ends)
    return np.unique(pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs >= 0).all(1)], axis=0)


def _matched(overlap: np.ndarray) -> np.ndarray:
    """The column of each row (N, M), one to one, with the largest sum; -1: it has none."""
    match = np.full(len(overlap), -1)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    match[rows] = np.where(overlap[rows, columns] > 0, columns, -1)
    return match


def _shares(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The values (K,) of `other`, and how often each value of `one` meets each, (N, K)."""
    rows, one = np.unique(one, return_inverse=True)
    columns, other = np.unique(other, return_inverse=True)
    cells = one.astype(np.int64) * len(columns) + other
    size = len(rows) * len(columns)
    return columns, np.bincount(cells, minlength=size).reshape(len(rows), len(columns))

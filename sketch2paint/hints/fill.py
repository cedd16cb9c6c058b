"""Which stroke each pixel of a drawing takes: by regions, without a network.

The idea that strokes compete for areas and may be drawn roughly is from LazyBrush (Sykora et al.
2009): a stroke belongs where most of it lies.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from sketch2paint.hints.regions import Regions
from sketch2paint.hints.sets import root, unite

SHARE = 0.25  # of a stroke's free pixels that lie in a region for which it is meant
COVER = 0.5  # of a region's free pixels under a stroke that is meant for it in any case
ON_INK = 0.5  # of a stroke's pixels that lie on ink when it was set on a line
LINE = 0.02  # of the shorter side, and 8 px: who is that far from paper is inside a filled shape
HOLD = 0.025  # of the shorter side: no narrower opening lets a stroke through, unless told


def fill(regions: Regions, marks: np.ndarray, gap: float | None = None) -> np.ndarray:
    """Say for each pixel which stroke it takes its colour from.

    A region takes its stroke. Where several lie in one, each of its finest regions takes that to
    which the way has the widest opening, and a finest region with several takes the nearest. If no
    gap is told, a stroke goes on to regions of which nothing was said, through all but narrow
    openings, as far as lines enclose them: never into the paper outside, nor out of it.
    A stroke that overshoots a line counts only where a good part of it lies; one set on a line
    counts for the smaller of the regions beside it.

    Args:
        regions: Regions of the drawing.
        marks: Map (H, W) of integers, the number of the stroke at each pixel, 0 where there is none
            (`format.marks`).
        gap: Width in px of the widest opening that is a border, as in `Regions.groups`.

    Returns:
        Map (H, W) int32 of the strokes' numbers, 0 in regions of which nothing was said.
    """
    if marks.shape != regions.labels.shape:
        raise ValueError(
            f"Expected strokes on a drawing of {regions.labels.shape} pixels (height, width), "
            f"got {marks.shape}. Fit the hints to the drawing first"
        )
    groups = regions.groups(gap)
    seeds = _seeds(regions, marks, groups)
    regions_of, strokes = _pairs(regions.labels, seeds)
    first = np.unique(regions_of, return_index=True)[1]
    taken = np.zeros(regions.count, np.int32)
    taken[regions_of[first]] = strokes[first]
    of_all = spread(regions, groups, taken)
    if gap is None:
        of_all = spread(regions, _enclosed(regions, groups), of_all)
    filled: np.ndarray = of_all[regions.labels]
    for region in np.flatnonzero(np.bincount(regions_of) > 1):
        _nearest(filled, regions.labels == region, seeds)
    return filled


def _enclosed(regions: Regions, groups: np.ndarray) -> np.ndarray:
    """Wider groups of the finest regions, of which those of the paper outside are left alone."""
    wider = regions.groups(HOLD * min(regions.labels.shape))
    return np.where(regions.outside()[groups], -1 - groups, wider)


def _pairs(labels: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which regions hold which strokes, each pair once, sorted."""
    on = marks > 0
    pairs = np.unique(np.stack([labels[on], marks[on]], 1), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _seeds(regions: Regions, marks: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(H, W) int32: the strokes, only where they are in a region for which they are meant."""
    on = np.flatnonzero(marks)
    stroke = marks.ravel()[on]
    group = groups[regions.labels.ravel()[on]].astype(np.int64)
    free = ~regions.ink.ravel()[on]
    count = int(groups.max()) + 1
    area = np.bincount(groups[regions.labels[~regions.ink]], minlength=count)
    pairs, which = np.unique(stroke.astype(np.int64) * count + group, return_inverse=True)
    strokes, places = np.divmod(pairs, count)
    here = np.bincount(which, free, len(pairs))  # free pixels of a stroke in a region
    all_free = np.bincount(stroke, free)[strokes]
    on_line = all_free < (1 - ON_INK) * np.bincount(stroke)[strokes]
    meant = ~on_line & ((here >= SHARE * all_free) | (here >= COVER * area[places]) & (here > 0))
    seeds = np.zeros(marks.shape, np.int32)
    seeds.flat[on] = np.where(meant[which], stroke, 0)
    for number in np.unique(strokes[on_line]):
        _beside_line(seeds, regions, groups[regions.labels], area, marks == number, int(number))
    return seeds


def _beside_line(
    seeds: np.ndarray,
    regions: Regions,
    labels: np.ndarray,
    area: np.ndarray,
    stroke: np.ndarray,
    number: int,
) -> None:
    """Set a stroke that lies on a line into the smaller region beside it, in place.

    What lies inside a filled shape has no region beside it.
    """
    reach = math.ceil(LINE * min(labels.shape)) + 8
    x, y, width, height = cv2.boundingRect(stroke.astype(np.uint8))
    box = np.s_[max(y - reach, 0) : y + height + reach, max(x - reach, 0) : x + width + reach]
    away = cv2.distanceTransform((~stroke[box]).astype(np.uint8), cv2.DIST_L2, 5)
    free = ~regions.ink[box]
    if not (free & (away <= reach)).any():
        return
    near = free & (away <= 2 * away[free].min() + 2)  # a line has two sides
    beside = np.unique(labels[box][near])
    chosen = beside[np.argmin(area[beside])]
    seeds[box][near & (labels[box] == chosen)] = number


def spread(regions: Regions, groups: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Let finest regions without a stroke take one by the widest openings, within their group.

    Args:
        regions: Regions of the drawing.
        groups: Number of the group of each finest region, (count,).
        taken: Stroke of each, (count,), 0 for none.

    Returns:
        Strokes of all, (count,) int32; 0 where no way leads to one.
    """
    parents = list(range(regions.count))
    strokes = taken.tolist()
    for one, other in regions.joins.tolist():  # widest first
        if groups[one] != groups[other]:
            continue
        one, other = root(parents, one), root(parents, other)
        if one != other and not (strokes[one] and strokes[other]):
            stroke = strokes[one] or strokes[other]
            unite(parents, one, other)
            strokes[root(parents, one)] = stroke
    return np.array([strokes[root(parents, region)] for region in range(regions.count)], np.int32)


def _nearest(filled: np.ndarray, where: np.ndarray, marks: np.ndarray) -> None:
    """Fill a region with the nearest of the strokes in it, in place."""
    x, y, width, height = cv2.boundingRect(where.astype(np.uint8))
    box = np.s_[y : y + height, x : x + width]
    seeds = np.where(where[box], marks[box], 0)
    _, nearest = cv2.distanceTransformWithLabels(
        (seeds == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    stroke_of = np.zeros(int(nearest.max()) + 1, np.int32)
    stroke_of[nearest[seeds > 0]] = seeds[seeds > 0]
    filled[box] = np.where(where[box], stroke_of[nearest], filled[box])

"""Openings between the ends of lines: two ends that look at each other are joined.

The idea is from Fourey, Tschumperle and Revoy (2018), who join them by splines.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

WIDEST = 0.099  # of the shorter side: no wider does an opening between two line ends count
LONGEST = 0.65  # of the shorter side: no closure is longer
MOST_ENDS = 500  # with more line ends the drawing is hatched, and to join them means nothing
DIRECTIONS = 32  # in which an end of a line is looked for


def line_ends(ink: np.ndarray) -> np.ndarray:
    """(E, 5) float64: x, y, the direction in which the line would go on, its half thickness.

    A ring about a line's middle, a little larger than the line is thick, crosses ink twice within
    a line, once at its end, never in a dot.
    """
    half = cv2.distanceTransform(
        np.pad(ink, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1]
    ridge = (half >= cv2.dilate(half, np.ones((3, 3), np.uint8))) & ink
    ys, xs = np.nonzero(ridge)
    radius = half[ys, xs].astype(np.float64)
    angle = np.arange(DIRECTIONS) * 2 * math.pi / DIRECTIONS
    around = (radius + 3)[:, None]
    rows = np.rint(ys[:, None] + around * np.sin(angle)).astype(int)
    columns = np.rint(xs[:, None] + around * np.cos(angle)).astype(int)
    height, width = ink.shape
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    on = ink[rows.clip(0, height - 1), columns.clip(0, width - 1)] & inside
    crossings = (on & ~np.roll(on, 1, axis=1)).sum(1)
    arc = on.sum(1) * 2 * math.pi / DIRECTIONS * around[:, 0]
    end = inside.all(1) & (crossings == 1) & (arc < 3 * radius + 2)
    ahead_x, ahead_y = -(on[end] @ np.cos(angle)), -(on[end] @ np.sin(angle))
    length = np.hypot(ahead_x, ahead_y).clip(1e-6)
    found = np.stack([xs[end], ys[end], ahead_x / length, ahead_y / length, radius[end]], 1)
    return _outermost(found)


def _outermost(ends: np.ndarray) -> np.ndarray:
    """One end of each cluster, the furthest out in the direction of the thickest."""
    kept = []
    left = ends[np.argsort(-ends[:, 4], kind="stable")]
    while len(left):
        x, y, ahead_x, ahead_y, radius = left[0]
        near = np.hypot(left[:, 0] - x, left[:, 1] - y) <= radius + 4
        cluster = left[near]
        kept.append(cluster[np.argmax(cluster[:, 0] * ahead_x + cluster[:, 1] * ahead_y)])
        left = left[~near]
        if len(kept) > MOST_ENDS:
            return np.empty((0, 5))
    return np.array(kept).reshape(-1, 5)


def closures(ink: np.ndarray, ends: np.ndarray, longest: float) -> list[tuple[int, int, float]]:
    """Pairs of line ends that close an opening, and its width in px; each end once.

    Short ones come first, and those that go straight on; none crosses a line.
    """
    one, other = np.triu_indices(len(ends), 1)
    across = ends[other, :2] - ends[one, :2]
    length = np.hypot(across[:, 0], across[:, 1])
    toward = across / length.clip(1e-6)[:, None]
    straight = (ends[one, 2:4] * toward).sum(1), -(ends[other, 2:4] * toward).sum(1)
    fits = (length >= 1) & (length <= longest) & (np.minimum(*straight) >= -0.5)
    cost = length * (2 - (straight[0] + straight[1]) / 2)
    taken: set[int] = set()
    found = []
    for index in np.argsort(cost, kind="stable"):
        first, second = int(one[index]), int(other[index])
        if not fits[index] or first in taken or second in taken:
            continue
        if _crosses(ink, ends[first], ends[second], float(length[index])):
            continue
        taken |= {first, second}
        width = _opening(ink, ends[first], ends[second], float(length[index]))
        found.append((first, second, width))
    return found


def _crosses(ink: np.ndarray, start: np.ndarray, stop: np.ndarray, length: float) -> bool:
    """Whether a straight line from one end to the other meets ink on its way."""
    return bool(_between(ink, start, stop, start[4] + 2, length - stop[4] - 2).any())


def _opening(ink: np.ndarray, start: np.ndarray, stop: np.ndarray, length: float) -> float:
    """The free pixels between two ends, as a length."""
    on = _between(ink, start, stop, 0, length + 1)
    return float(np.count_nonzero(~on)) * length / float(np.abs(stop[:2] - start[:2]).max() + 1e-6)


def _between(
    ink: np.ndarray, start: np.ndarray, stop: np.ndarray, first: float, last: float
) -> np.ndarray:
    """Ink along the line from one end to the other, a step of one row or column at a time."""
    away = stop[:2] - start[:2]
    step = np.hypot(*away) / max(np.abs(away).max(), 1e-6)
    place = np.arange(first, last, step) / max(np.hypot(*away), 1e-6)
    columns = np.rint(start[0] + away[0] * place).astype(int).clip(0, ink.shape[1] - 1)
    rows = np.rint(start[1] + away[1] * place).astype(int).clip(0, ink.shape[0] - 1)
    return np.array(ink[rows, columns])


def with_closures(ink: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Join the ends of a drawing's lines.

    Args:
        ink: Lines (H, W) bool.
        side: Longer side of the drawing, of which `ink` may have a margin.

    Returns:
        Lines and closures as one barrier, (H, W) bool, and half the width in px that each closure
        counts as an opening, (H, W) float32, 0 elsewhere.
    """
    ends = line_ends(ink)
    across = np.zeros(ink.shape, np.float32)
    widest = WIDEST * side
    for first, second, opening in sorted(
        closures(ink, ends, LONGEST * side), key=lambda found: -found[2]
    ):
        start, stop = (tuple(int(value) for value in ends[end, :2]) for end in (first, second))
        cv2.line(across, start, stop, max(min(opening, widest) / 2, 0.01), 1, cv2.LINE_8)
    across[ink] = 0
    return ink | (across > 0), across

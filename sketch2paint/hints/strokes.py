"""A stroke to pixels, by one exact rule, and pixels to the stroke that covers just these."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from sketch2paint.hints.runs import Runs, runs_of, touching
from sketch2paint.images.layer import WHITE

Point = tuple[float, float]
Color = tuple[int, int, int]
TIE = 1e-9  # pixels: a centre that lies on a stroke's very edge is in it, however one calculates
AT_ONCE = 2**20  # rows of segments; a stroke may have many segments, each as high as the page


@dataclass(frozen=True)
class Stroke:
    """A line that a person drew, with round ends.

    It covers the pixels whose centres are within half its width of the line, and those in which its
    points lie. A width below 1 draws as 1.

    Attributes:
        points: Points (x, y) in pixels; (0, 0) is the centre of the top left pixel. A single one is
            a dot.
        width: Width in pixels, above 0.
        color: Colour (r, g, b), 0 to 255, or None: paper, to be left white. White is paper.

    Raises:
        ValueError: there is no point, or a value is none of these.
    """

    points: tuple[Point, ...]
    width: float
    color: Color | None

    def __post_init__(self) -> None:
        if not self.points or not all(math.isfinite(x + y) for x, y in self.points):
            raise ValueError(
                "Expected `points` to be one or more pairs (x, y) of finite numbers, got "
                f"{_short(self.points)}. Pass one point for a dot."
            )
        if not (math.isfinite(self.width) and self.width > 0):
            raise ValueError(
                f"Expected `width` to be a number of pixels above 0, got {self.width}. Pass 1 for "
                "the thinnest stroke."
            )
        if self.color is not None:
            check_color(self.color)
        if self.color == WHITE:
            object.__setattr__(self, "color", None)


def check_color(color: Color) -> None:
    """Check that a colour is three whole numbers from 0 to 255."""
    whole = all(isinstance(level, int) and 0 <= level <= 255 for level in color)
    if len(color) != 3 or not whole:
        raise ValueError(
            f"Expected a colour to be (r, g, b), each a whole number from 0 to 255, got {color}. "
            "Pass (255, 0, 0) for red."
        )


def _short(points: tuple[Point, ...]) -> str:
    bad = [point for point in points if not math.isfinite(sum(point))]
    return str(bad[0]) if bad else "none"


# ---------------------------------------------------------------- a stroke to pixels


def draw(stroke: Stroke, number: int, marks: np.ndarray) -> None:
    """Write a number into a map (H, W) at all pixels that a stroke covers."""
    points = np.array(stroke.points, np.float64)
    cells = np.floor(points + 0.5)
    inside = ((cells >= 0) & (cells < marks.shape[::-1])).all(1)
    x, y = cells[inside].astype(np.int64).T
    marks[y, x] = number
    for y, start, stop in _spans(points, max(stroke.width, 1) / 2 + TIE, marks.shape):
        marks[y, start:stop] = number


def _spans(
    points: np.ndarray, half: float, shape: tuple[int, ...]
) -> Iterator[tuple[int, int, int]]:
    """Row, start and stop of what lies within `half` pixels of a line, segment by segment."""
    height, width = shape
    begins, ends = (points, points) if len(points) == 1 else (points[:-1], points[1:])
    step = max(1, AT_ONCE // height)
    for first in range(0, len(begins), step):
        a, b = begins[first : first + step], ends[first : first + step]
        top = np.ceil(np.minimum(a, b)[:, 1] - half).clip(0, height).astype(np.int64)
        below = np.floor(np.maximum(a, b)[:, 1] + half + 1).clip(0, height).astype(np.int64)
        counts = np.maximum(below - top, 0)
        y = np.arange(counts.sum()) + np.repeat(top - np.cumsum(counts) + counts, counts)
        left, right = _across(a.repeat(counts, 0), b.repeat(counts, 0), y, half)
        start = np.ceil(left).clip(0, width).astype(np.int64)
        stop = (np.floor(right) + 1).clip(0, width).astype(np.int64)
        some = start < stop
        yield from zip(y[some].tolist(), start[some].tolist(), stop[some].tolist(), strict=True)


def _across(
    a: np.ndarray, b: np.ndarray, y: np.ndarray, half: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where row y enters and leaves a segment from a to b (N, 2) with round ends.

    It is convex, so a row cuts one piece out of it: from the first to the last of what the two
    ends and the straight part give.
    """
    lefts, rights = zip(_disc(a, y, half), _disc(b, y, half), _band(a, b, y, half), strict=True)
    return np.minimum.reduce(lefts), np.maximum.reduce(rights)


def _disc(centre: np.ndarray, y: np.ndarray, half: float) -> tuple[np.ndarray, np.ndarray]:
    square = half**2 - (y - centre[:, 1]) ** 2
    reach = np.where(square >= 0, np.sqrt(np.maximum(square, 0)), -np.inf)
    return centre[:, 0] - reach, centre[:, 0] + reach


def _band(
    a: np.ndarray, b: np.ndarray, y: np.ndarray, half: float
) -> tuple[np.ndarray, np.ndarray]:
    length = np.hypot(*(b - a).T)
    x_part, y_part = (b - a).T / np.maximum(length, TIE)
    down = y - a[:, 1]
    sides = _between(-y_part, x_part * down, -half, half)  # as far from the line as this
    ends = _between(x_part, y_part * down, 0, length)
    left, right = np.maximum(sides[0], ends[0]), np.minimum(sides[1], ends[1])
    none = (length == 0) | (left > right)
    return np.where(none, np.inf, a[:, 0] + left), np.where(none, -np.inf, a[:, 0] + right)


def _between(
    slope: np.ndarray, offset: np.ndarray, low: float, high: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest u with low <= slope * u + offset <= high."""
    level = np.abs(slope) < TIE
    safe = np.where(level, 1, slope)
    one, other = (low - offset) / safe, (high - offset) / safe
    endless = np.where((low <= offset) & (offset <= high), np.inf, -np.inf)
    least = np.where(level, -endless, np.minimum(one, other))
    return least, np.where(level, endless, np.maximum(one, other))


# ---------------------------------------------------------------- pixels to a stroke


def stroke_over(mask: np.ndarray, corner: tuple[int, int], color: Color | None) -> Stroke:
    """Cover the pixels of a connected area, and no others, with one stroke.

    A dot and a straight line come out as one point and two where a whole width and such points
    give the same pixels; anything else as a path of width 1 that visits every pixel.

    Args:
        mask: Area (h, w) bool, connected (corners included), not empty.
        corner: Column and row of the mask's first pixel in the drawing.
        color: Colour of the stroke; None is paper.
    """
    points, width = next(_simple(mask), None) or (_path(mask), 1.0)
    return Stroke(tuple((x + corner[0], y + corner[1]) for x, y in points), width, color)


def _simple(mask: np.ndarray) -> Iterator[tuple[list[Point], float]]:
    """Dots and straight lines that cover just these pixels."""
    runs, count = runs_of(mask), int(mask.sum())
    rims = [np.stack([x, runs.y], 1) for x in (runs.start, runs.stop - 1)]  # what is farthest out
    pixels = np.concatenate(rims).astype(np.float64)
    for ends in _guesses(mask, pixels):
        width = max(1.0, 2 * float(_distance(pixels, *ends).max()))
        area = width * float(np.hypot(*(ends[1] - ends[0]))) + math.pi / 4 * width**2
        if not count / 3 < area < count * 3:
            continue  # no need to draw it
        points = [(float(x), float(y)) for x, y in np.unique(ends, axis=0)]
        for tried in (float(math.ceil(width)), width):
            if _is_drawn_by(points, tried, mask):
                yield points, tried


def _is_drawn_by(points: list[Point], width: float, mask: np.ndarray) -> bool:
    framed = np.pad(mask, 2)  # or what is too much would not be seen
    drawn = np.zeros_like(framed)
    draw(Stroke(tuple((x + 2, y + 2) for x, y in points), width, None), True, drawn)
    return np.array_equal(drawn, framed)


def _guesses(mask: np.ndarray, pixels: np.ndarray) -> Iterator[np.ndarray]:
    """Ends (2, 2) of lines that an area might be: of dots, and along its main axis."""
    middle = (pixels.min(0) + pixels.max(0)) / 2
    round_middle = np.array(cv2.minEnclosingCircle(pixels.astype(np.float32))[0])
    yield from (np.stack([centre, centre]) for centre in (middle, round_middle))
    sums = cv2.moments(mask.astype(np.uint8), binaryImage=True)
    mean = np.array([sums["m10"], sums["m01"]]) / sums["m00"]
    angle = math.atan2(2 * sums["mu11"], sums["mu20"] - sums["mu02"]) / 2
    axes = np.array([[-math.sin(angle), math.cos(angle)], [math.cos(angle), math.sin(angle)]])
    across, along = axes @ (pixels - mean).T
    half, side = np.ptp(across) / 2, (across.min() + across.max()) / 2
    for short in (half, 0):  # by the round ends, which a thin line has not
        places = np.array([along.min() + short, along.max() - short])
        yield np.round(mean + side * axes[0] + places[:, None] * axes[1])


def _distance(pixels: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far pixels (N, 2) are from the segment from a to b, (N,)."""
    along = b - a
    share = ((pixels - a) @ along / max(float(along @ along), TIE)).clip(0, 1)
    return np.hypot(*(pixels - a - share[:, None] * along).T)


def _path(mask: np.ndarray) -> list[Point]:
    """A line of width 1 through every pixel of an area and no others, by rows or by columns."""
    rows, columns = runs_of(mask), runs_of(mask.T)
    if len(rows.y) <= len(columns.y):
        return [(float(x), float(y)) for x, y in _walk(rows)]
    return [(float(x), float(y)) for y, x in _walk(columns)]


def _walk(runs: Runs) -> list[tuple[int, int]]:
    """Turning points (x, y) of a walk through all runs, from each to one that touches it."""
    near: list[list[int]] = [[] for _ in runs.y]
    for upper, lower in touching(runs)[::-1].tolist():
        near[lower].append(upper)
        near[upper].append(lower)
    new, trail, walk = set(range(1, len(near))), [0], _Walk(runs)
    walk.sweep(0)
    while new:
        run = trail[-1]
        while near[run] and near[run][-1] not in new:
            near[run].pop()
        if near[run]:
            trail.append(near[run].pop())
            new.remove(trail[-1])
            walk.step(run, trail[-1])
            walk.sweep(trail[-1])
        else:  # a dead end: back
            trail.pop()
            walk.step(run, trail[-1])
    return walk.points


class _Walk:
    """Where a walk through runs has turned so far."""

    def __init__(self, runs: Runs) -> None:
        columns = (part.tolist() for part in (runs.y, runs.start, runs.stop - 1))
        self.runs = list(zip(*columns, strict=True))
        self.points: list[tuple[int, int]] = [(self.runs[0][1], self.runs[0][0])]

    def step(self, run: int, other: int) -> None:
        """Go over to a run that touches this one, straight or by a corner."""
        (y, *here), (other_y, *there) = self.runs[run], self.runs[other]
        x = _nearest(_nearest(self.points[-1][0], *there), *here)
        self._go(x, y)
        self._go(_nearest(x, *there), other_y)

    def sweep(self, run: int) -> None:
        """Visit both ends of a run, the nearer one first."""
        y, *ends = self.runs[run]
        for x in sorted(ends, key=lambda end: abs(end - self.points[-1][0])):
            self._go(x, y)

    def _go(self, x: int, y: int) -> None:
        if self.points[-1] == (x, y):
            return
        if len(self.points) > 1 and self._is_straight_on(x, y):
            self.points.pop()
        self.points.append((x, y))

    def _is_straight_on(self, x: int, y: int) -> bool:
        (first_x, first_y), (last_x, last_y) = self.points[-2:]
        across = first_y == last_y == y and (last_x - first_x) * (x - last_x) > 0
        return across or first_x == last_x == x and (last_y - first_y) * (y - last_y) > 0


def _nearest(x: int, first: int, last: int) -> int:
    return min(max(x, first), last)

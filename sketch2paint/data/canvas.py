"""Paint and ink on one page, so that a line drawing and its colours cannot disagree; and curves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np

Colour = tuple[int, int, int]

PAGE_WIDTH = 512.0  # lengths are in units of a page 512 wide, whatever its size in pixels
SHIFT = 4  # OpenCV draws at 1/16 pixel
LINE, THIN = 4.0, 3.0


# ---- curves: every one returns (N, 2) points ----


def pts(*numbers: float) -> np.ndarray:
    """Take x0, y0, x1, y1, ... as (N, 2) points."""
    return np.asarray(numbers, dtype=np.float64).reshape(-1, 2)


def sym(*numbers: float) -> np.ndarray:
    """Close the right half of an outline, given from top to bottom, with its mirror image."""
    half = pts(*numbers)
    return np.concatenate([half, half[::-1] * (-1.0, 1.0)])


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Outline a rectangle."""
    return pts(left, top, right, top, right, bottom, left, bottom)


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float) -> np.ndarray:
    """Walk along an ellipse from `start` to `stop` degrees; 90 is down the page."""
    angle = np.radians(np.linspace(start, stop, 14))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], 1)


def oval(x: float, y: float, rx: float, ry: float = 0.0, *, count: int = 28) -> np.ndarray:
    """Walk once around an ellipse, clockwise on the page; `ry` is `rx` unless given."""
    angle = np.arange(count) * (2 * math.pi / count)
    return np.stack([x + rx * np.cos(angle), y + (ry or rx) * np.sin(angle)], 1)


def star(x: float, y: float, radius: float, *, arms: int = 5, waist: float = 0.45) -> np.ndarray:
    """Outline a star that points upwards."""
    angle = np.arange(2 * arms) * (math.pi / arms) - math.pi / 2
    reach = np.where(np.arange(2 * arms) % 2, radius * waist, radius)
    return np.stack([x + reach * np.cos(angle), y + reach * np.sin(angle)], 1)


def smooth(points: np.ndarray, closed: bool = True, steps: int = 8) -> np.ndarray:
    """Pass a Catmull-Rom spline through the points."""
    points = points if closed else np.concatenate([points[:1], points, points[-1:]])
    p0, p1, p2, p3 = (np.roll(points, shift, 0)[:, None] for shift in (1, 0, -1, -2))
    t = np.linspace(0.0, 1.0, steps, endpoint=False)[None, :, None]
    cubic = 3 * (p1 - p2) + p3 - p0
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * cubic))
    if closed:
        return curve.reshape(-1, 2)
    return np.concatenate([curve[1:-2].reshape(-1, 2), points[-1:]])


def bowed(points: np.ndarray, bow: float, closed: bool = True) -> np.ndarray:
    """Join the points by arcs of height `bow` times their length, outwards if clockwise."""
    step = np.roll(points, -1, 0) - points
    bulge = np.stack([step[:, 1], -step[:, 0]], 1) * (4 * bow)
    t = np.linspace(0.0, 1.0, 7, endpoint=False)[None, :, None]
    curve = points[:, None] + t * step[:, None] + t * (1 - t) * bulge[:, None]
    if closed:
        return curve.reshape(-1, 2)
    return np.concatenate([curve[:-1].reshape(-1, 2), points[-1:]])


def band(path: np.ndarray, width: float) -> np.ndarray:
    """Outline a smooth band along the path."""
    path = smooth(path, closed=False)
    along = np.gradient(path, axis=0)
    normal = np.stack([along[:, 1], -along[:, 0]], 1) / np.linalg.norm(along, axis=1)[:, None]
    return np.concatenate([path + normal * (width / 2), (path - normal * (width / 2))[::-1]])


# ---- colours ----


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Go from one colour to another by a part of the way."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def dark(colour: Colour) -> Colour:
    """Shade a colour as cel animation does: cooler, not only darker."""
    return mix(colour, (60, 20, 90), 0.22)


class Pattern(NamedTuple):
    """What tells a region's colour anywhere in it: one mark, repeated."""

    main: Colour
    mark: np.ndarray  # (N, 2)
    step: tuple[float, float]
    second: Colour | None = None  # what the mark is filled with, if it is closed


@dataclass(frozen=True)
class Canvas:
    """Paint and ink of one picture, seen through a local frame of coordinates."""

    paint: np.ndarray  # (H, W, 3) uint8 RGB, flat colours without lines
    ink: np.ndarray  # (H, W) uint8, black lines on white
    frame: np.ndarray  # (3, 3), local coordinates -> pixels
    unit: float  # pixels in a unit of the page, by which lines are as thick in any frame

    @classmethod
    def blank(cls, pixels: int) -> Canvas:
        """Lay out an empty page."""
        paint, ink = (np.full((pixels, pixels, *rest), 255, np.uint8) for rest in ((3,), ()))
        unit = pixels / PAGE_WIDTH
        return cls(paint, ink, np.diag([unit, unit, 1.0]), unit)

    def at(
        self, x: float, y: float, *, scale: float = 1.0, tilt: float = 0.0, mirror: bool = False
    ) -> Canvas:
        """Move to (x, y), turn by `tilt` degrees, scale, and mirror sideways."""
        cos, sin = scale * math.cos(math.radians(tilt)), scale * math.sin(math.radians(tilt))
        side = -1.0 if mirror else 1.0
        move = [[side * cos, -sin, x], [side * sin, cos, y], [0.0, 0.0, 1.0]]
        return replace(self, frame=self.frame @ move)

    def both(self) -> tuple[Canvas, Canvas]:
        """Give the mirrored canvas and this one, for what comes in pairs."""
        return self.at(0, 0, mirror=True), self

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Take local points (..., 2) to OpenCV's fixed-point pixels, int32."""
        placed = points @ self.frame[:2, :2].T + self.frame[:2, 2]
        return np.rint(placed * (1 << SHIFT)).astype(np.int32)

    def fill(self, points: np.ndarray, colour: Colour, line: float = LINE) -> None:
        """Paint a shape over what is there and ink its outline, `line` wide."""
        self.tint(points, colour)
        cv2.fillPoly(self.ink, [self.pixels(points)], 255, shift=SHIFT)
        if line:
            self.line(points, line, closed=True)

    def tint(self, points: np.ndarray, colour: Colour) -> None:
        """Paint a shape and leave the ink alone."""
        cv2.fillPoly(self.paint, [self.pixels(points)], colour, shift=SHIFT)

    def line(self, points: np.ndarray, width: float = LINE, closed: bool = False) -> None:
        """Ink a line through (N, 2) points, or many at once through (M, N, 2)."""
        shapes = list(self.pixels(points.reshape(-1, *points.shape[-2:])))
        thick = max(1, round(width * self.unit))
        cv2.polylines(self.ink, shapes, closed, 0, thick, shift=SHIFT)

    def blot(self, points: np.ndarray) -> None:
        """Fill a shape with ink."""
        cv2.fillPoly(self.ink, [self.pixels(points)], 0, cv2.LINE_AA, SHIFT)

    @contextmanager
    def inside(self, points: np.ndarray) -> Iterator[Canvas]:
        """Give a canvas on which the block draws within a shape alone."""
        shape, limit = self.pixels(points), self.ink.shape[::-1]
        low = np.clip(shape.min(0) >> SHIFT, 0, np.subtract(limit, 1))
        high = np.clip((shape.max(0) >> SHIFT) + 2, low + 1, limit)
        place = np.s_[low[1] : high[1], low[0] : high[0]]
        paint, ink = self.paint[place], self.ink[place]
        kept, outside = (paint.copy(), ink.copy()), np.full_like(ink, 255)
        cv2.fillPoly(outside, [shape - (low.astype(np.int32) << SHIFT)], 0, shift=SHIFT)
        move = np.eye(3)
        move[:2, 2] = -low
        yield replace(self, paint=paint, ink=ink, frame=move @ self.frame)
        cv2.copyTo(kept[0], outside, paint)
        cv2.copyTo(kept[1], outside, ink)

    def cover(self, shape: np.ndarray, pattern: Pattern) -> None:
        """Paint a shape and repeat the pattern's mark all over it, every other row aside."""
        self.fill(shape, pattern.main)
        low, high = np.floor(shape.min(0) / pattern.step), np.ceil(shape.max(0) / pattern.step)
        rows, columns = (np.arange(low[i] - 1, high[i] + 2) for i in (1, 0))
        y, x = np.meshgrid(rows, columns, indexing="ij")
        places = np.stack([x + (y % 2) / 2, y], -1).reshape(-1, 1, 2) * pattern.step
        with self.inside(shape) as part:
            marks = list(part.pixels(pattern.mark + places))
            if pattern.second:
                cv2.fillPoly(part.paint, marks, pattern.second, shift=SHIFT)
            part.line(pattern.mark + places, THIN, closed=bool(pattern.second))

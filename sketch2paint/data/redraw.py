"""A drawn sketch as another hand, pen or scanner would have left it: thinner, paler, with gaps."""

from __future__ import annotations

import cv2
import numpy as np

BASE = 256  # the shorter side for which lengths are given
FINER = 2  # times that lines are enlarged to be thinned by parts of a pixel
THINNED, THICKENED = -1.5, 2.0  # px at BASE that a line's width changes by, at most
LEFT = 0.5  # of the ink that a thinned drawing keeps, or its lines are too thin to be thinned
WHOLE = 0.5  # of the samples have no line that is cut
CUTS = 12  # cuts of a drawing at most
CUT = (1.0, 3.0)  # px at BASE: bounds of the radius of a cut
SOFT = 0.3  # of the samples come from a small picture
SMALLER = 2.5  # times that it is smaller at most
INK = 128  # level below which a pixel is ink


def redraw(
    sketch: np.ndarray, *, rng: np.random.Generator, intensity: tuple[float, float]
) -> np.ndarray:
    """Change the width, darkness and sharpness of a drawing's lines, and cut some.

    Args:
        sketch: Drawing (H, W) uint8, dark lines on white.
        rng: Generator of all randomness; the same state gives the same bytes.
        intensity: Bounds of the darkness in (0, 1]; 1 leaves it as it is.

    Returns:
        (H, W) uint8.
    """
    scale = min(sketch.shape) / BASE
    drawn = _of_other_width(sketch, rng.uniform(THINNED, THICKENED) * scale)
    paler = 255 - rng.uniform(*intensity) * (255.0 - drawn)
    cut = np.rint(_cut(paler, drawn < INK, rng, scale)).astype(np.uint8)
    return _soft(cut, rng.uniform(1, SMALLER)) if rng.random() < SOFT else cut


def _of_other_width(sketch: np.ndarray, pixels: float) -> np.ndarray:
    """Lines wider by some pixels, or narrower where that leaves most of the ink, (H, W) uint8."""
    radius = round(abs(pixels) / 2 * FINER)
    if not radius:
        return sketch
    height, width = sketch.shape
    fine = cv2.resize(sketch, (FINER * width, FINER * height), interpolation=cv2.INTER_CUBIC)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    changed = cv2.erode(fine, disc) if pixels > 0 else cv2.dilate(fine, disc)
    drawn = cv2.resize(changed, (width, height), interpolation=cv2.INTER_AREA)
    if (255.0 - drawn).sum() < LEFT * (255.0 - sketch).sum():
        return sketch
    return drawn


def _cut(sketch: np.ndarray, ink: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    """Lines with some gaps, each with a soft end."""
    places = np.flatnonzero(ink)
    if rng.random() < WHOLE or not len(places):
        return sketch
    gaps = np.zeros(sketch.shape, np.uint8)
    for place in rng.choice(places, rng.integers(1, CUTS + 1)).tolist():
        y, x = divmod(place, sketch.shape[1])
        cv2.circle(gaps, (x, y), max(1, round(rng.uniform(*CUT) * scale)), 255, -1)
    share = cv2.GaussianBlur(gaps, (3, 3), 0) / 255
    return sketch + share * (255 - sketch)


def _soft(sketch: np.ndarray, times: float) -> np.ndarray:
    """A drawing enlarged from a smaller one."""
    height, width = sketch.shape
    small = max(1, round(width / times)), max(1, round(height / times))
    shrunk = cv2.resize(sketch, small, interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC)

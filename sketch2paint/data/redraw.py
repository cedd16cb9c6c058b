"""A drawn sketch as another hand, pen or scanner would have left it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from sketch2paint.data.outlines import opened

BASE = 256  # the shorter side for which lengths are given
FINER = 2  # times that lines are enlarged to be thinned by parts of a pixel
WIDTHS = 0.8, 9.0  # px at BASE: bounds of a line's new width, as often half of it as twice
SOLID = 1.6  # times the width of the lines: ink that is wider is a filled shape and stays
LEAST = 16.0  # px of ink: with fewer there is no line whose width could be known
WIDEST = 16.0  # px at BASE: ink that is mostly wider is filled shapes alone
WHOLE = 0.5  # of the samples have no line that is cut
CUTS = 12  # cuts of a drawing at most
CUT = (1.0, 3.0)  # px at BASE: bounds of the radius of a cut
HATCHED = 0.15  # of the samples have areas full of parallel lines
HATCHINGS = 3  # such areas of a drawing at most
TONED = 0.15  # of the samples have areas of grey, as a soft pencil leaves them
TONE = (5.0, 80.0)  # levels by which these are darker than the paper
GRAIN = 8.0  # levels, of their grain
AREA = 0.002  # of the sheet, the least of such an area
APART = (3.0, 9.0)  # px at BASE: bounds of how far these lines are apart
SOFT = 0.3  # of the samples come from a small picture
SMALLER = 2.5  # times that it is smaller at most
PALEST = 191.0  # level of the palest line
DARKEST = 0.5  # per cent of the pixels: as dark as the lines are; ink is at least half as dark


def redraw(
    sketch: np.ndarray, *, rng: np.random.Generator, intensity: tuple[float, float]
) -> np.ndarray:
    """Change the width, darkness and sharpness of a drawing's lines, cut some, shade some areas.

    Args:
        sketch: Drawing (H, W) uint8, dark lines on white.
        rng: Generator of all randomness; the same state gives the same bytes.
        intensity: Bounds of the darkness in (0, 1]; 1 leaves it as it is.

    Returns:
        (H, W) uint8.
    """
    scale, level = min(sketch.shape) / BASE, _level(sketch)
    drawn = _of_width(sketch, math.exp(rng.uniform(*np.log(WIDTHS))) * scale, level)
    if rng.random() < HATCHED:
        drawn = _hatched(drawn, rng, scale)
    paler = 255 - rng.uniform(*intensity) * (255.0 - drawn)
    cut = _cut(paler, drawn < level, rng, scale)
    cut = np.rint(_toned(cut, drawn, rng) if rng.random() < TONED else cut).astype(np.uint8)
    return _soft(cut, rng.uniform(1, SMALLER)) if rng.random() < SOFT else cut


def _level(sketch: np.ndarray) -> float:
    """Level below which a pixel is ink."""
    return (255 + min(float(np.percentile(sketch, DARKEST)), PALEST)) / 2


def _of_width(sketch: np.ndarray, pixels: float, level: float) -> np.ndarray:
    """A drawing whose lines are about so many pixels wide, (H, W) uint8; filled shapes stay."""
    height, width = sketch.shape
    fine = cv2.resize(sketch, (FINER * width, FINER * height), interpolation=cv2.INTER_CUBIC)
    ink = (fine < level).astype(np.uint8)
    if ink.sum() < LEAST * FINER**2 or ink.all():
        return sketch
    half = cv2.distanceTransform(ink, cv2.DIST_L2, 5)
    highest = cv2.dilate(half, np.ones((3, 3), np.uint8))
    middle = (ink > 0) & (half > highest - 0.7)  # towards its middle a line's depth grows by 1
    own, wanted = 2 * float(np.median(half[middle])), FINER * pixels
    if own > FINER * WIDEST * min(sketch.shape) / BASE:
        return sketch
    if wanted >= own:
        changed = cv2.erode(fine, _disc((wanted - own) / 2))
    else:
        away = cv2.distanceTransform((~middle).astype(np.uint8), cv2.DIST_L2, 5)
        line = np.clip(wanted / 2 + 0.5 - away, 0, 1) * min(wanted, 1)
        shape = opened(half, round(SOLID / 2 * own))
        dark = 255.0 - cv2.erode(fine, _disc(own / 2))  # how dark the line is that a pixel was of
        changed = np.rint(255 - dark * np.maximum(line, shape)).astype(np.uint8)
        changed = np.where(cv2.dilate(ink, _disc(own)), changed, fine)  # paler marks stay
    return cv2.resize(changed, (width, height), interpolation=cv2.INTER_AREA)


def _disc(radius: float) -> np.ndarray:
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _hatched(sketch: np.ndarray, rng: np.random.Generator, scale: float) -> np.ndarray:
    """A drawing some areas of which are full of thin parallel lines, as pens shade."""
    areas, large = _areas(sketch)
    y, x = np.ogrid[: sketch.shape[0], : sketch.shape[1]]
    drawn = sketch.astype(np.float32)
    for area in rng.permutation(large)[: rng.integers(1, HATCHINGS + 1)].tolist():
        angle, apart = rng.uniform(0, math.pi), rng.uniform(*APART) * scale
        across = (x * math.cos(angle) + y * math.sin(angle)) % apart
        wide = max(0.6, rng.uniform(0.15, 0.4) * apart)
        line = np.clip(wide / 2 + 0.5 - np.abs(across - apart / 2), 0, 1)
        here = areas == area
        if rng.random() < 0.5:  # to one side alone, where the shadow is
            place = x * math.cos(angle + 1) + y * math.sin(angle + 1)
            here &= place > np.median(place[here])
        drawn = np.where(here, np.minimum(drawn, 255 * (1 - line)), drawn)
    return np.rint(drawn).astype(np.uint8)


def _toned(paler: np.ndarray, sketch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A drawing (H, W) float some areas of which are grey, as seen in it before it was paler."""
    areas, large = _areas(sketch)
    tones = np.zeros(int(areas.max()) + 1, np.float32)
    tones[large] = rng.uniform(*TONE, len(large)) * (rng.random(len(large)) < 0.7)
    toned = cv2.GaussianBlur(tones[areas], (0, 0), 1.0)
    grain = rng.normal(0, GRAIN, paler.shape) * (toned > 0)
    return np.minimum(paler, 255 - np.maximum(toned + grain, 0))


def _areas(sketch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Map of what lies between lines, (H, W) int32, and the large ones but for the paper."""
    clear = (sketch >= _level(sketch)).astype(np.uint8)
    count, areas = cv2.connectedComponents(clear, connectivity=4)
    rim = np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]])
    sizes = np.bincount(areas.ravel(), minlength=count)
    return areas, np.setdiff1d(np.flatnonzero(sizes >= AREA * sketch.size), [0, *np.unique(rim)])


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

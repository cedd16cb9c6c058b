"""Scans and photographs of drawings: made black on white; coloured pages told from drawings."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.images.convert import resize, rgb_to_grey, rows, strips

SMALLEST = 16  # pixels; below that there is no telling paper from line
THUMBNAIL = 512  # longer side of what the paper is estimated on
DARK, WHITE = 64, 250  # darker is no paper; paper from here on is white


def normalise(sketch: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Make a scanned or photographed drawing black on white; a clean one is left as it is.

    Args:
        sketch: (H, W) or (H, W, 3) uint8.

    Returns:
        (H, W) uint8 grey, and what was done out of "inverted", "paper lightened", "lines darkened".
    """
    grey = sketch if sketch.ndim == 2 else rgb_to_grey(sketch)
    notes: list[str] = []
    if min(grey.shape) < SMALLEST:
        return grey, ()
    if _is_inverted(grey):
        grey = 255 - grey
        notes.append("inverted")
    if not _is_white(grey):
        paper = _paper(grey)
        if DARK <= np.median(paper) < WHITE:
            grey = _lightened(grey, paper)
            notes.append("paper lightened")
    ink = _ink(grey)
    if ink:
        levels = (np.arange(256) - ink) * (255 / (255 - ink))
        grey = cv2.LUT(grey, np.round(levels.clip(0, 255)).astype(np.uint8))
        notes.append("lines darkened")
    return grey, tuple(notes)


def is_coloured(rgb: np.ndarray) -> bool:
    """Tell a page that has been coloured from a drawing, be it on yellow paper or in blue pencil.

    Every mixture of paper, shadow and the one ink of a drawing lies in a plane of the RGB cube.
    What lies off it is another colour; it counts as an area only: lines vanish in an opening,
    noise in a thumbnail.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        Whether at least 1 % of the page is such an area, or 5 % are filled with a coloured ink.
    """
    scale = min(1, 256 / max(rgb.shape[:2]))
    small = resize(rgb, *(max(1, round(n * scale)) for n in rgb.shape[:2])).astype(np.float32)
    light = small.mean(axis=2)
    paper = np.median(small[light >= np.percentile(light, 60)], axis=0)
    if paper.mean() < 128 or np.ptp(paper) > 96:  # none, but a background with a colour of its own
        paper = np.full(3, 255, np.float32)
    ink = np.median(small[light <= np.percentile(light, 2)], axis=0)
    shadow = paper / np.linalg.norm(paper)
    tint = ink - shadow * (ink @ shadow)
    off = small - (small @ shadow)[..., None] * shadow
    if np.linalg.norm(tint) <= 16:  # black ink
        return _area(off, 5) >= 0.01
    if _area(off, 11) >= 0.05:  # nobody fills this much with a pencil
        return True
    tint /= np.linalg.norm(tint)
    return _area(off - (off @ tint)[..., None] * tint, 5) >= 0.01


def _area(off: np.ndarray, side: int) -> float:
    """The share of a page that is colour, in patches at least `side` wide."""
    far = (np.linalg.norm(off, axis=2) > 28).astype(np.uint8)
    return float(cv2.morphologyEx(far, cv2.MORPH_OPEN, np.ones((side, side))).mean())


def _counts(grey: np.ndarray) -> np.ndarray:
    """How often each level stands on a page; numpy's own would take 8 bytes a pixel for it."""
    counts = cv2.calcHist([np.ascontiguousarray(grey)], [0], None, [256], [0, 256])
    return counts.ravel().astype(np.int64)


def _is_inverted(grey: np.ndarray) -> bool:
    """Dark on the whole and at the edge, with something light drawn on it."""
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    middle = int(np.median(grey))
    light = float(np.mean(grey > middle + 64))
    return middle < 96 and float(np.median(edge)) < 96 and 0.001 < light < 0.5


def _is_white(grey: np.ndarray) -> bool:
    return bool(_counts(grey)[WHITE:].sum() >= grey.size / 2)


def _paper(grey: np.ndarray) -> np.ndarray:
    """The paper without the lines, as a thumbnail: a closing is blind to what is dark and thin."""
    scale = min(1, THUMBNAIL / max(grey.shape))
    small = resize(grey, *(max(1, round(n * scale)) for n in grey.shape))
    side = max(3, max(small.shape) // 12) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    paper = cv2.morphologyEx(cv2.medianBlur(small, 3), cv2.MORPH_CLOSE, kernel)
    # Black areas wider than the closing are ink, not shadow: paper is at least half as light.
    paper = np.maximum(paper, int(np.percentile(paper, 90)) // 2)
    return cv2.GaussianBlur(paper, (0, 0), side / 3)


def _lightened(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Divide by the paper, and take its grain for white."""
    out = np.empty_like(grey)
    height, width = grey.shape
    for here in strips(height):
        share = grey[here] / np.maximum(rows(paper, height=height, width=width, here=here), 1)
        out[here] = np.round(255 * share.clip(0, 1))
    # The grain is as wide on the dark side of the paper as on the light one, where no lines are.
    counts = _counts(out)
    total = np.cumsum(counts) / counts.sum()
    middle, upper = (int(np.searchsorted(total, part)) for part in (0.5, 0.84))
    white = max(middle - 3 * (upper - middle), 200)
    levels = np.round((np.arange(256) * (255 / white)).clip(0, 255)).astype(np.uint8)
    return cv2.LUT(out, levels)


def _ink(grey: np.ndarray) -> int:
    """The grey of light lines that are to become black, or 0: they are dark, or there are none."""
    counts = _counts(grey)
    if counts[:64].sum() > grey.size / 5000:
        return 0
    lines = np.cumsum(counts[:240])
    if lines[-1] < grey.size / 1000:
        return 0
    ink = int(np.searchsorted(lines, lines[-1] / 10))
    return ink if ink <= 224 else 0  # or it is the grain of the paper

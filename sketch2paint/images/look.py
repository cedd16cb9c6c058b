"""A picture's look in numbers: what its colours are, whatever they are on.

A code of the look is these numbers less their mean over many pictures, in their spreads: zeros are
the average look.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from sketch2paint.images.convert import array_to_lab

HUES = 8  # of the histogram, from 0 (red) on
PAPER = 240  # level of the darkest channel from which on a pixel is paper
DARK = 20.0  # L below which it is line, or black
EDGE = 24  # levels between a pixel and its neighbours above which it is a border
LEAST = 0.002  # share of the pixels that are painted, below which there are no colours
FURTHEST = 3.0  # spreads from the mean
WARMEST = np.radians(50)  # CIELAB hue: warm-cool is C^1.07 cos(h - 50 deg), Ou et al. 2004, part I


class Areas(NamedTuple):
    """Which pixels of a picture are what, each (H, W) bool; borders are in none.

    Attributes:
        painted: Pixels in colour, or grey.
        paper: Pixels as good as white.
        dark: Pixels as good as black.
    """

    painted: np.ndarray
    paper: np.ndarray
    dark: np.ndarray


# Mean and spread of each number over the 1,300 training pictures of openmoji and mulberry that
# benchmarks/style.md names, at 128 pixels.
LOOK: dict[str, tuple[float, float]] = {
    "mean_L": (74.67, 15.29),
    "mean_a": (3.828, 23.57),
    "mean_b": (39.95, 32.81),
    "spread_L": (7.837, 7.38),
    "spread_a": (9.442, 10.21),
    "spread_b": (14.77, 15.51),
    "mean_chroma": (55.56, 22.94),
    "spread_chroma": (12.06, 11.69),
    "hue_0": (0.0458, 0.1305),
    "hue_45": (0.1915, 0.2599),
    "hue_90": (0.4854, 0.3272),
    "hue_135": (0.1348, 0.1983),
    "hue_180": (0.0033, 0.0301),
    "hue_225": (0.0519, 0.1331),
    "hue_270": (0.0597, 0.1451),
    "hue_315": (0.0269, 0.1264),
    "hue_count": (2.125, 0.7075),
    "neighbour_contrast": (28.32, 16.29),
    "paper_share": (0.6556, 0.0976),
    "dark_share": (0.0856, 0.0329),
}
NAMES = tuple(LOOK)
_MEAN, _SPREAD = np.array([*LOOK.values()]).T


def look_code(rgb: np.ndarray) -> np.ndarray:
    """The code of a picture's look, one number for each of NAMES.

    Args:
        rgb: Picture (H, W, 3), uint8.

    Returns:
        (N,) float32, from -3 to 3; what a picture without colours cannot say is 0.
    """
    code = (look(rgb, areas_of(rgb)) - _MEAN) / _SPREAD
    return np.nan_to_num(code).clip(-FURTHEST, FURTHEST).astype(np.float32)


def areas_of(rgb: np.ndarray) -> Areas:
    """Part a picture (H, W, 3) uint8 into paint, paper and black, without the borders between."""
    around = np.ones((3, 3), np.uint8)
    clear = (cv2.dilate(rgb, around) - cv2.erode(rgb, around)).max(2) <= EDGE
    paper = rgb.min(2) >= PAPER
    dark = array_to_lab(rgb)[..., 0] < DARK
    return Areas(clear & ~paper & ~dark, clear & paper, dark)


def look(rgb: np.ndarray, areas: Areas) -> np.ndarray:
    """Measure a picture's look.

    Args:
        rgb: Picture (H, W, 3), uint8.
        areas: Areas of its own, or of another picture of the same drawing, to compare the two.

    Returns:
        (N,) float64, one for each of NAMES in its own unit; NaN where nothing is painted.
    """
    paper, dark = areas.paper.mean(), areas.dark.mean()
    if areas.painted.mean() < LEAST:
        return np.array([*[np.nan] * (len(NAMES) - 2), paper, dark])
    lab = array_to_lab(rgb)
    paint = lab[areas.painted].astype(np.float64)  # (P, 3)
    chroma = np.hypot(paint[:, 1], paint[:, 2])
    hues = _hues(paint, chroma)
    count = np.exp(-(hues * np.log(hues.clip(1e-9))).sum())  # of equally strong ones
    numbers = [*paint.mean(0), *paint.std(0), chroma.mean(), chroma.std(), *hues]
    return np.array([*numbers, count, _contrast(lab, areas), paper, dark])


def warmth(numbers: np.ndarray) -> np.ndarray:
    """How warm the mean colour of a look (..., N) is: its a and b along the warmest hue."""
    a, b = (numbers[..., NAMES.index(name)] for name in ("mean_a", "mean_b"))
    return a * np.cos(WARMEST) + b * np.sin(WARMEST)


def _hues(paint: np.ndarray, chroma: np.ndarray) -> np.ndarray:
    """Share of each hue in the chroma of Lab pixels (P, 3), (HUES,); one between two is both's."""
    place = np.arctan2(paint[:, 2], paint[:, 1]) / (2 * np.pi) * HUES % HUES
    lower = place.astype(int)
    upper_share = (place - lower) * chroma
    shares = np.bincount(lower % HUES, chroma - upper_share, HUES)
    shares += np.bincount((lower + 1) % HUES, upper_share, HUES)
    return shares / max(shares.sum(), 1e-9)


def _contrast(lab: np.ndarray, areas: Areas) -> float:
    """Mean CIE76 difference between pixels a tenth of the side apart, one of them painted."""
    apart = max(1, len(lab) // 10)
    clear = areas.painted | areas.paper
    total, count = 0.0, 0
    for one, other in (
        (np.s_[apart:], np.s_[:-apart]),
        (np.s_[:, apart:], np.s_[:, :-apart]),
    ):
        both = clear[one] & clear[other] & (areas.painted[one] | areas.painted[other])
        total += float(np.linalg.norm(lab[one][both] - lab[other][both], axis=1).sum())
        count += int(both.sum())
    return total / max(count, 1)

"""Windows in which a long drawing is read, so that a network sees it as large as others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sketch2paint.hints.regions import Regions
from sketch2paint.hints.strokes import Color

LONG = 1.5  # times the shorter side; a longer drawing is read in squares

# A drawing (H, W) uint8, its regions and the colours of known ones to (variations, count, 3) uint8.
Answers = Callable[[np.ndarray, Regions, dict[int, Color]], np.ndarray]


def by_windows(
    answers: Answers,
    *,
    drawing: np.ndarray,
    regions: Regions,
    known: dict[int, Color],
    variations: int,
) -> np.ndarray:
    """Ask for the colours of all regions, each by the window with most of it.

    Args:
        answers: Function that colours the regions of what a network reads at once.
        drawing: Drawing (H, W) uint8.
        regions: Its regions.
        known: Colours of regions by their numbers.
        variations: Number of answers that `answers` gives.

    Returns:
        (variations, count, 3) uint8.
    """
    windows = squares(*drawing.shape)
    if len(windows) == 1:
        return answers(drawing, regions, known)
    tables = np.full((variations, regions.count, 3), 255, np.uint8)
    most = np.zeros(regions.count, np.int64)
    for window in windows:
        part, numbers = regions.part(window)
        here = {new: known[old] for new, old in enumerate(numbers.tolist()) if old in known}
        colours = answers(drawing[window], part, here)
        areas = np.bincount(part.labels.ravel(), minlength=len(numbers))
        better = areas > most[numbers]
        tables[:, numbers[better]] = colours[:, better]
        most[numbers[better]] = areas[better]
    return tables


def squares(height: int, width: int) -> list[tuple[slice, slice]]:
    """Windows in which a network reads a drawing: all of it, or squares along a long one.

    Squares overlap by half, so that what is no longer than half of one lies in one as a whole.
    """
    side, longer = sorted((height, width))
    if longer <= LONG * side:
        return [np.s_[:, :]]
    starts = [*range(0, longer - side, max(side // 2, 1)), longer - side]
    tall = [np.s_[start : start + side, :] for start in starts]
    return tall if height > width else [window[::-1] for window in tall]

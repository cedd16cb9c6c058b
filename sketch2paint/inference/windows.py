"""Windows in which a long drawing is read, so that a network sees it as large as others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sketch2paint.hints.panels import LONG, is_tall, panels
from sketch2paint.hints.regions import Regions, Window
from sketch2paint.hints.strokes import Color

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
    found = windows(drawing)
    if drawing[found[0]].shape == drawing.shape:
        return answers(drawing, regions, known)
    tables = np.full((variations, regions.count, 3), 255, np.uint8)
    most = np.zeros(regions.count, np.int64)
    for here in found:
        part, numbers = regions.part(here)
        told = {new: known[old] for new, old in enumerate(numbers.tolist()) if old in known}
        colours = answers(drawing[here], part, told)
        areas = np.bincount(part.labels.ravel(), minlength=len(numbers))
        better = areas > most[numbers]
        tables[:, numbers[better]] = colours[:, better]
        most[numbers[better]] = areas[better]
    return tables


def windows(drawing: np.ndarray) -> list[Window]:
    """Windows in which a network reads a drawing (H, W): all of it, or the panels of a strip.

    A panel that is long itself is read in squares. They overlap by half, so that what is no longer
    than half of one lies in one as a whole.
    """
    side, tall = min(drawing.shape), is_tall(drawing)
    places = [
        panel.places(start, stop)
        for panel in panels(drawing)
        for start, stop in _squares(panel.top, panel.bottom, side)
    ]
    return [np.s_[rows, :] if tall else np.s_[:, rows] for rows in places]


def _squares(top: int, bottom: int, side: int) -> list[tuple[int, int]]:
    """Where squares along a part of a strip begin and end; one, if it is not long."""
    if bottom - top <= LONG * side:
        return [(top, bottom)]
    starts = [*range(top, bottom - side, max(side // 2, 1)), bottom - side]
    return [(start, start + side) for start in starts]

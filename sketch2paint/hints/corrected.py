"""The regions of a drawing as a person wants them: cut along lines, and merged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sketch2paint.hints.format import Hints
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.sets import unite
from sketch2paint.hints.strokes import Stroke, draw

BESIDE = 6.0  # pixels by which a cut is widened to see what lies on its sides
Find = Callable[[np.ndarray, np.ndarray | None], Regions]  # in a drawing, with cuts


def regions_said(sketch: np.ndarray, hints: Hints | None, find: Find = find_regions) -> Regions:
    """Find the regions of a drawing, which cuts end as lines do, and merges make one.

    Args:
        sketch: Drawing (H, W), uint8, dark lines on lighter paper.
        hints: Cuts and merges on a drawing of this size, or None.
        find: Function that finds regions, `find_regions` or `panels.find_regions_by_panel`.
    """
    if hints is None:
        return find(sketch, None)
    regions = find(sketch, _covered(hints.cuts, sketch.shape) if hints.cuts else None)
    if not hints.merges:
        return regions
    parents = list(range(regions.count))
    for merge in hints.merges:
        under = regions.labels[_covered([merge], sketch.shape) & ~regions.ink]
        first, *others = np.unique(under).tolist() or [0]
        for other in others:
            unite(parents, first, other)
    return regions.merged(parents)


def has_idle_cut(hints: Hints, labels: np.ndarray, ink: np.ndarray) -> bool:
    """Whether some cut parts nothing: one region lies on both its sides.

    Args:
        hints: Hints with cuts.
        labels: Regions (H, W) with these cuts.
        ink: Map (H, W) bool of the lines, cuts among them.
    """
    wide = (replace(cut, width=cut.width + BESIDE) for cut in hints.cuts)
    return any(len(np.unique(labels[_covered([cut], ink.shape) & ~ink])) < 2 for cut in wide)


def _covered(strokes: Sequence[Stroke], shape: tuple[int, ...]) -> np.ndarray:
    """Where strokes lie, (H, W) bool."""
    covered = np.zeros(shape, bool)
    for stroke in strokes:
        draw(stroke, True, covered)
    return covered

"""Ways to colour a drawing by hints: three without a network, and those of checkpoints."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from scipy import ndimage, sparse

from sketch2paint.evaluation.compare import Candidate
from sketch2paint.evaluation.placements import Page
from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import Hints, marks
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.region_painter import RegionPainter

Method = Callable[[Page, Hints], np.ndarray]  # to colours (H, W, 3) uint8, without lines


def hint_methods(candidates: Sequence[Candidate]) -> dict[str, Method]:
    """All ways by name: those without a network, then each candidate's flats and its picture.

    Candidates are given each drawing as it is: it is not made black on white first.
    """
    methods: dict[str, Method] = {
        "white paper + fill": filled,
        "nearest hint, straight": straight,
        "nearest hint, geodesic": geodesic,
    }
    for candidate in candidates:
        shades = isinstance(candidate.painter, Painter) or candidate.painter.shading
        for name, flats in ((f"{candidate.name}, flats", True), (candidate.name, False)):
            if flats or shades:
                painter = copy.copy(candidate.painter)  # which shares the network
                painter.flats, painter.normalise = flats, "off"
                methods[name] = partial(_painted, painter)
    return methods


def _painted(painter: Painter | RegionPainter, page: Page, hints: Hints) -> np.ndarray:
    return painter.process([page.sketch], [hints])[0].colours


def filled(page: Page, hints: Hints) -> np.ndarray:
    """Fill white paper as `hints.fill` says."""
    if not hints.strokes:
        return np.full_like(page.real, 255)
    return hints.colours[fill(page.regions, marks(hints))]


def straight(page: Page, hints: Hints) -> np.ndarray:
    """Give every pixel the colour of the nearest hint, whatever lies between; else white."""
    if not hints.strokes:
        return np.full_like(page.real, 255)
    return hints.colours[_nearest(marks(hints))]


def geodesic(page: Page, hints: Hints) -> np.ndarray:
    """Give every pixel the colour of the hint with the shortest way to it that crosses no line.

    Ways go from a pixel to its four neighbours. What none reaches stays white; a line's pixels
    take the colour beside them.
    """
    if not hints.strokes:
        return np.full_like(page.real, 255)
    numbers, free = marks(hints).ravel(), ~page.regions.ink
    distance, _, source = sparse.csgraph.dijkstra(
        _ways(free),
        directed=False,
        indices=np.flatnonzero(numbers),
        unweighted=True,
        min_only=True,
        return_predecessors=True,
    )
    reached = np.where(np.isfinite(distance), source, 0)
    told = np.where(np.isfinite(distance), numbers[reached], 0).reshape(free.shape)
    return hints.colours[_nearest(np.where(free, told, -1), none=-1)]


def _ways(free: np.ndarray) -> sparse.coo_matrix:
    """Graph (H * W, H * W) of the steps between neighbouring pixels that are free."""
    place = np.arange(free.size).reshape(free.shape)
    beside = (place[:, :-1], place[:, 1:]), (place[:-1], place[1:])
    one, other = (
        np.concatenate([side.ravel() for side in pair]) for pair in zip(*beside, strict=True)
    )
    both = free.ravel()[one] & free.ravel()[other]
    return sparse.coo_matrix((np.ones(both.sum()), (one[both], other[both])), (free.size,) * 2)


def _nearest(numbers: np.ndarray, none: int = 0) -> np.ndarray:
    """Numbers (H, W) with each `none` replaced by the nearest other one."""
    at = ndimage.distance_transform_edt(
        numbers == none, return_distances=False, return_indices=True
    )
    return numbers[tuple(at)]

"""Runs: a map's pixels as pieces of rows, which of them touch, and what hangs together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Runs(NamedTuple):
    """Pieces of rows that have one value, from the top left on.

    Attributes:
        y: Row of each, (N,).
        start: Column where each begins, (N,).
        stop: Column behind the end of each, (N,).
        value: What the map says there, (N,), never 0.
    """

    y: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    value: np.ndarray


def runs_of(values: np.ndarray) -> Runs:
    """Runs of a map (H, W) of whole numbers or bools, without those of 0."""
    framed = np.pad(values, ((0, 0), (1, 1)))
    y, x = np.nonzero(framed[:, 1:] != framed[:, :-1])
    before, behind = framed[y, x], framed[y, x + 1]
    begins, ends = behind != 0, before != 0
    return Runs(y[begins], x[begins], x[ends], behind[begins])


def touching(runs: Runs) -> np.ndarray:
    """Pairs (N, 2) of runs in neighbouring rows that touch, corners included, upper one first."""
    wide = int(runs.stop.max(initial=0)) + 2
    below = (runs.y + 1) * wide
    first = np.searchsorted(runs.y * wide + runs.stop, below + runs.start, "left")
    last = np.searchsorted(runs.y * wide + runs.start, below + runs.stop, "right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(counts)), counts)
    lower = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
    return np.stack([upper, lower], 1)


def components(count: int, pairs: np.ndarray) -> np.ndarray:
    """Number of the component of each of `count` things, (count,), by pairs (N, 2) that touch.

    Components are numbered from 0, by the first thing in each.
    """
    root = np.arange(count)
    while True:
        ends = root[pairs]
        apart = ends[:, 0] != ends[:, 1]
        if not apart.any():
            return np.unique(root, return_inverse=True)[1]
        ends = ends[apart]
        np.minimum.at(root, ends.max(1), ends.min(1))
        while not np.array_equal(root, root[root]):
            root = root[root]


def parts(values: np.ndarray) -> tuple[Runs, np.ndarray]:
    """Runs of a map (H, W), and the connected part of one value in which each lies, (N,) from 0."""
    runs = runs_of(values)
    pairs = touching(runs)
    same = runs.value[pairs[:, 0]] == runs.value[pairs[:, 1]]
    return runs, components(len(runs.y), pairs[same])

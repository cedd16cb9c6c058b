"""Runs and components, against OpenCV's components and a plain look at every pair."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.runs import components, parts, runs_of, touching


def a_map(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, rng.integers(1, 30, 2)) * (rng.random() < 0.9)


def test_runs_are_pieces_of_rows() -> None:
    runs = runs_of(np.array([[0, 1, 1, 2], [3, 0, 0, 3]]))
    assert [tuple(map(int, run)) for run in zip(*runs, strict=True)] == [
        (0, 1, 3, 1), (0, 3, 4, 2), (1, 0, 1, 3), (1, 3, 4, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_pairs_are_the_runs_that_touch_at_a_side_or_a_corner(seed: int) -> None:
    runs = runs_of(a_map(seed))
    y, start, stop = runs.y, runs.start, runs.stop
    expected = {
        (i, j)
        for i in range(len(y))
        for j in range(len(y))
        if y[j] == y[i] + 1 and start[j] <= stop[i] and start[i] <= stop[j]
    }
    found = touching(runs).tolist()
    assert {tuple(pair) for pair in found} == expected and len(found) == len(expected)


@pytest.mark.parametrize("seed", range(20))
def test_parts_are_the_components_of_each_value(seed: int) -> None:
    values = a_map(seed)
    runs, part = parts(values)
    labels = np.zeros(values.shape, np.int64)
    labels[values != 0] = np.repeat(part, runs.stop - runs.start) + 1
    pairs = set()
    for value in (1, 2):
        same = cv2.connectedComponents((values == value).astype(np.uint8))[1]
        pairs |= {(value, a, b) for a, b in zip(same.ravel(), labels.ravel(), strict=True) if a}
    assert (labels[values == 0] == 0).all()
    assert len(pairs) == len({b for *_, b in pairs}) == labels.max()


def test_components_are_numbered_by_their_first_member() -> None:
    pairs = np.array([[4, 3], [0, 2], [3, 5]])
    assert components(6, pairs).tolist() == [0, 1, 0, 2, 2, 2]
    assert components(3, np.zeros((0, 2), np.int64)).tolist() == [0, 1, 2]

"""Medians of pixels by their labels."""

from __future__ import annotations

import numpy as np

from sketch2paint.images.medians import medians


def test_medians_are_numpy_s_and_what_has_no_pixel_is_told() -> None:
    rng = np.random.default_rng(0)
    values, labels = rng.integers(0, 256, (999, 3), np.uint8), rng.integers(0, 5, 999)
    labels[labels == 3] = 4
    table, there = medians(values, labels.astype(np.int32), 7)
    assert there.tolist() == [True, True, True, False, True, False, False]
    for label in np.flatnonzero(there):
        own = values[labels == label]
        np.testing.assert_array_equal(table[label], np.sort(own, axis=0)[len(own) // 2])
    assert (table[~there] == 0).all()


def test_no_pixel_at_all() -> None:
    table, there = medians(np.zeros((0, 1), np.uint8), np.zeros(0, np.int32), 2)
    assert table.tolist() == [[0], [0]] and not there.any()

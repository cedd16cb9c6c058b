"""Shading that keeps off lines and the background; see test_region_painter for the whole."""

from __future__ import annotations

import numpy as np

from sketch2paint.inference.shading import background, off_lines


def test_the_background_is_what_touches_two_sides() -> None:
    which = np.zeros((6, 8), np.int32)
    which[3:, 2:5] = 1  # stands on the lower edge
    which[2, 3] = 2
    np.testing.assert_array_equal(background(which), which == 0)


def test_shading_grows_with_the_distance_from_lines() -> None:
    flats, shaded = np.full((80, 80, 3), 100, np.uint8), np.full((80, 80, 3), 140, np.uint8)
    free = np.ones((80, 80), bool)
    free[:, 40] = False
    row = off_lines(flats, shaded, free=free)[20, :, 0]
    np.testing.assert_array_equal(row[38:43], [140, 120, 100, 120, 140])  # whole from 2 px on
    assert (row[:38] == 140).all() and (row[43:] == 140).all()

"""Ends of lines, and openings that two of them close."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.line_ends import closures, line_ends, with_closures
from sketch2paint.hints.regions import find_regions
from tests.hints.test_regions import paper, regions_at


def lines(*ends: tuple[int, int, int, int], thickness: int = 3) -> np.ndarray:
    """Straight lines from (x, y) to (x, y) as ink, (200, 200) bool."""
    sketch = paper()
    for x0, y0, x1, y1 in ends:
        cv2.line(sketch, (x0, y0), (x1, y1), 0, thickness)
    return sketch == 0


@pytest.mark.parametrize("thickness", [1, 2, 3, 5, 9])
def test_a_line_has_two_ends_and_they_look_away_from_it(thickness: int) -> None:
    found = line_ends(lines((50, 100, 150, 100), thickness=thickness))
    (left, right) = found[np.argsort(found[:, 0])]
    assert left[:2] == pytest.approx((50, 100), abs=3)
    assert right[:2] == pytest.approx((150, 100), abs=3)
    assert left[2:4] == pytest.approx((-1, 0), abs=0.2)
    assert right[2:4] == pytest.approx((1, 0), abs=0.2)


def test_corners_circles_dots_and_filled_shapes_have_none() -> None:
    sketch = paper()
    cv2.rectangle(sketch, (20, 20), (90, 90), 0, 3)
    cv2.circle(sketch, (150, 50), 30, 0, 4)
    cv2.circle(sketch, (50, 150), 5, 0, -1)
    cv2.rectangle(sketch, (100, 100), (180, 180), 0, -1)
    assert len(line_ends(sketch == 0)) == 0


def test_an_opening_is_as_wide_as_the_free_pixels_in_it() -> None:
    ink = lines((20, 100, 80, 100), (121, 100, 180, 100))
    free = int((~ink[100, 80:121]).sum())
    ends = line_ends(ink)
    (wide,) = [width for _, _, width in closures(ink, ends, 60)]
    assert wide == pytest.approx(free, abs=1)
    assert closures(ink, ends, 30) == []  # too long


def test_what_a_line_crosses_is_not_closed() -> None:
    ink = lines((20, 100, 80, 100), (121, 100, 180, 100), (100, 60, 100, 140))
    ends = line_ends(ink)
    pairs = [{tuple(ends[end, :2]) for end in found[:2]} for found in closures(ink, ends, 60)]
    across = [pair for pair in pairs if {y for _, y in pair} == {100.0}]
    assert across == []


def test_each_end_closes_one_opening_the_nearest() -> None:
    ink = lines((10, 100, 60, 100), (80, 100, 110, 100), (140, 100, 190, 100))
    ends = line_ends(ink)
    found = closures(ink, ends, 150)
    used = [end for first, second, _ in found for end in (first, second)]
    assert len(used) == len(set(used))
    assert min(width for _, _, width in found) < 20


def test_closures_are_barriers_beside_the_lines() -> None:
    ink = lines((20, 100, 80, 100), (121, 100, 180, 100))
    barrier, across = with_closures(ink, 200)
    assert barrier[100, 20:181].all() and (barrier >= ink).all()
    assert (across[ink] == 0).all()
    assert across[100, 100] == pytest.approx(0.099 * 200 / 2)  # wider ones count no more


def test_hatching_closes_nothing() -> None:
    sketch = paper(600, 600)
    for x in range(10, 590, 12):
        for y in range(10, 580, 24):
            cv2.line(sketch, (x, y), (x, y + 10), 0, 1)
    assert len(line_ends(sketch == 0)) == 0


def test_two_line_ends_close_an_opening_as_wide_as_the_shape() -> None:
    """A bust, open below: the cloth ends at a straight line from one end to the other."""
    sketch = paper(300, 300)
    cv2.ellipse(sketch, (150, 200), (70, 80), 0, 180, 360, 0, 5)
    assert len(line_ends(sketch == 0)) == 2
    labels = find_regions(sketch).cut()
    inside = labels[150, 150]
    assert labels[193, 150] == inside
    assert labels[207, 150] != inside
    assert labels[150, 20] != inside
    assert len(set(regions_at(find_regions(sketch), 0, (150, 150), (150, 280)))) == 1

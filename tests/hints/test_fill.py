"""Which stroke each pixel takes, on drawn shapes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.fill import fill
from sketch2paint.hints.regions import find_regions
from tests.hints.test_regions import LEFT, OUTSIDE, RIGHT, paper, rooms


def strokes(shape: tuple[int, ...], *dots: tuple[int, int, int]) -> np.ndarray:
    """Dots (x, y, radius), numbered from 1."""
    marks = np.zeros(shape, np.int32)
    for number, (x, y, radius) in enumerate(dots, 1):
        cv2.circle(marks, (x, y), radius, number, -1)
    return marks


def at(filled: np.ndarray, *points: tuple[int, int]) -> list[int]:
    return [int(filled[y, x]) for x, y in points]


def test_nothing_said_fills_nothing() -> None:
    assert not fill(find_regions(rooms(10)), np.zeros((200, 400), np.int32)).any()


def test_a_region_takes_its_stroke_and_the_others_none() -> None:
    sketch = rooms(door=0)
    filled = fill(find_regions(sketch), strokes(sketch.shape, (60, 60, 4)))
    assert at(filled, LEFT, RIGHT, OUTSIDE) == [1, 0, 0]
    assert (filled[24:176, 24:195] == 1).all()


def test_a_gap_holds_or_lets_through() -> None:
    sketch = rooms(door=12)
    regions, marks = find_regions(sketch), strokes(sketch.shape, (60, 60, 4))
    assert at(fill(regions, marks, gap=16), LEFT, RIGHT) == [1, 0]
    assert at(fill(regions, marks, gap=4), LEFT, RIGHT) == [1, 1]
    two = strokes(sketch.shape, (60, 60, 4), (350, 60, 4))
    assert at(fill(regions, two, gap=4), LEFT, RIGHT) == [1, 2]  # each its own room


def test_of_two_strokes_in_one_region_the_nearest_is_taken() -> None:
    sketch = rooms(door=0)
    filled = fill(find_regions(sketch), strokes(sketch.shape, (60, 100, 4), (160, 100, 4)))
    assert at(filled, (80, 60), (80, 150), (140, 60), (140, 150)) == [1, 1, 2, 2]
    border = np.argmax(filled[100, 60:160] == 2) + 60
    assert abs(border - 110) <= 1


def test_a_stroke_that_overshoots_a_line_stays_where_most_of_it_lies() -> None:
    sketch = rooms(door=0)
    marks = np.zeros(sketch.shape, np.int32)
    cv2.line(marks, (100, 100), (215, 100), 1, 7)  # 12 px beyond the wall at 200
    assert at(fill(find_regions(sketch), marks), LEFT, RIGHT) == [1, 0]


def test_a_stroke_across_two_regions_is_meant_for_both() -> None:
    sketch = rooms(door=0)
    marks = np.zeros(sketch.shape, np.int32)
    cv2.line(marks, (120, 100), (290, 100), 1, 7)
    assert at(fill(find_regions(sketch), marks), LEFT, RIGHT, OUTSIDE) == [1, 1, 0]


def test_a_dot_on_a_line_is_the_smaller_region_s() -> None:
    """A dot on a cap's outline colours the cap, not the sky."""
    sketch = paper(200, 200)
    cv2.circle(sketch, (100, 100), 40, 0, 9)
    filled = fill(find_regions(sketch), strokes(sketch.shape, (140, 100, 3)))
    assert at(filled, (100, 100), (10, 10)) == [1, 0]


@pytest.mark.parametrize("radius", [0, 1, 3, 5])
@pytest.mark.parametrize("thickness", [3, 5, 9])
def test_a_dot_of_any_width_on_a_line_is_the_smaller_region_s(radius: int, thickness: int) -> None:
    sketch = paper(200, 200)
    cv2.circle(sketch, (100, 100), 40, 0, thickness)
    for x in range(139, 142):
        filled = fill(find_regions(sketch), strokes(sketch.shape, (x, 100, radius)))
        if 2 * radius + 1 <= 2 * thickness:  # else it lies beside the line as well
            assert at(filled, (100, 100), (10, 10)) == [1, 0]


def test_a_dot_inside_a_filled_shape_colours_nothing() -> None:
    sketch = paper(200, 200)
    cv2.circle(sketch, (100, 100), 60, 0, -1)
    assert not fill(find_regions(sketch), strokes(sketch.shape, (100, 100, 3))).any()


def test_a_stroke_fills_what_lines_enclose_but_not_the_paper_outside() -> None:
    """Rooms of an open plan are one thing, unless a gap is told; a narrow gap holds."""
    sketch = rooms(door=30)
    sketch[98:103, 15:26] = 255  # a gap of 5 px to the outside
    regions, marks = find_regions(sketch), strokes(sketch.shape, (60, 60, 4))
    assert at(fill(regions, marks), LEFT, RIGHT, OUTSIDE) == [1, 1, 0]
    assert at(fill(regions, marks, gap=32), LEFT, RIGHT, OUTSIDE) == [1, 0, 0]
    outside = strokes(sketch.shape, (5, 5, 3))
    assert at(fill(regions, outside), LEFT, RIGHT, OUTSIDE) == [0, 0, 1]


def test_a_small_region_under_a_broad_stroke_is_meant_too() -> None:
    sketch = rooms(door=0)
    cv2.circle(sketch, (100, 100), 8, 0, 2)
    marks = np.zeros(sketch.shape, np.int32)
    cv2.line(marks, (40, 100), (180, 100), 1, 25)
    assert (fill(find_regions(sketch), marks)[24:176, 24:195] == 1).all()


def test_each_stroke_of_many_keeps_its_region() -> None:
    sketch = paper(320, 320)
    sketch[::32] = sketch[:, ::32] = 0
    dots = [(16 + 32 * x, 16 + 32 * y, 3) for y in range(10) for x in range(10)]
    filled = fill(find_regions(sketch), strokes(sketch.shape, *dots))
    assert [int(filled[y, x]) for x, y, _ in dots] == list(range(1, 101))
    assert len(np.unique(filled[2:31, 2:31])) == 1


def test_other_strokes_never_change_what_a_closed_region_takes() -> None:
    rng = np.random.default_rng(0)
    sketch = rooms(door=0)
    regions = find_regions(sketch)
    for _ in range(20):
        dots = [(int(x), int(y), 2) for x, y in rng.integers([215, 30], [370, 170], (4, 2))]
        filled = fill(regions, strokes(sketch.shape, (60, 60, 4), *dots))
        assert at(filled, LEFT, OUTSIDE) == [1, 0]
        assert (filled[24:176, 204:376] > 1).all()


def test_strokes_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Expected strokes on a drawing of \(200, 400\)"):
        fill(find_regions(rooms(10)), np.zeros((100, 200), np.int32))

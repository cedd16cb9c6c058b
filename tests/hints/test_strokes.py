"""Strokes drawn against the rule written out for each pixel, and areas covered by strokes."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from sketch2paint.hints.strokes import Color, Point, Stroke, draw, stroke_over


def drawn(stroke: Stroke, height: int, width: int) -> np.ndarray:
    marks = np.zeros((height, width), bool)
    draw(stroke, True, marks)
    return marks


def line(*points: Point, width: float = 1) -> Stroke:
    return Stroke(points, width, (1, 2, 3))


def by_the_rule(stroke: Stroke, height: int, width: int) -> np.ndarray:
    """Pixels whose centres are within half the width of the line, and those of its points."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    inside = np.zeros((height, width), bool)
    for (ax, ay), (bx, by) in zip(stroke.points, stroke.points[1:] or stroke.points, strict=False):
        length = max((bx - ax) ** 2 + (by - ay) ** 2, 1e-12)
        share = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1)
        away = np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
        inside |= away <= max(stroke.width, 1) / 2 + 1e-9
    for px, py in stroke.points:
        inside |= (np.floor(px + 0.5) == x) & (np.floor(py + 0.5) == y)
    return inside


def covering(mask: np.ndarray) -> tuple[Stroke, np.ndarray]:
    """The stroke over the only area of a picture, and what it draws there."""
    y, x = np.nonzero(mask)
    cut = mask[y.min() : y.max() + 1, x.min() : x.max() + 1]
    stroke = stroke_over(cut, (int(x.min()), int(y.min())), (1, 2, 3))
    return stroke, drawn(stroke, *mask.shape)


# ---------------------------------------------------------------- a stroke to pixels


@pytest.mark.parametrize("grid", [0, 1, 2])
@pytest.mark.parametrize("width", [0.3, 1, 2, 3, 4.5, 7, 30])
def test_strokes_are_drawn_by_the_rule(grid: int, width: float) -> None:
    rng = np.random.default_rng(int(width * 10) + grid)
    for _ in range(20):
        height, across = rng.integers(1, 40, 2)
        points = rng.uniform(-8, 48, (rng.integers(1, 6), 2))
        points = np.round(points * grid) / grid if grid else points
        stroke = line(*map(tuple, points.tolist()), width=width)
        expected = by_the_rule(stroke, height, across)
        np.testing.assert_array_equal(drawn(stroke, height, across), expected)


def test_a_thin_dot_is_the_pixel_in_which_it_lies() -> None:
    assert np.argwhere(drawn(line((2.4, 1.3), width=0.1), 4, 5)).tolist() == [[1, 2]]


def test_thin_lines_have_no_gaps() -> None:
    for x in range(30):
        mask = drawn(line((0, 0), (x + 0.3, 29)), 30, 31).astype(np.uint8)
        assert cv2.connectedComponents(mask)[0] == 2
        assert mask.any(1).all()


def test_a_stroke_of_more_rows_than_are_calculated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stroke = line(*((10 + 8 * math.sin(i), i / 3) for i in range(60)), width=5)
    expected = drawn(stroke, 30, 30)
    monkeypatch.setattr("sketch2paint.hints.strokes.AT_ONCE", 60)
    np.testing.assert_array_equal(drawn(stroke, 30, 30), expected)


# ---------------------------------------------------------------- pixels to a stroke


@pytest.mark.parametrize("width", [1, 2, 5, 8, 21])
def test_dots_at_pixels_and_between_them_come_back_as_one_point(width: int) -> None:
    for middle in ((30, 30), (30.5, 30), (30.5, 30.5)):
        mask = drawn(line(middle, width=width), 60, 60)
        stroke, again = covering(mask)
        np.testing.assert_array_equal(again, mask)
        if width > 1 or middle == (30, 30):  # of a thin dot between pixels one is drawn, or two
            assert stroke.points == (middle,)
        assert len(stroke.points) == 1


@pytest.mark.parametrize("width", [1, 2, 5, 8, 21])
def test_straight_lines_from_pixel_to_pixel_come_back_as_two_points(width: int) -> None:
    for end in ((90, 30), (30, 90), (80, 70), (35, 90), (90, 20)):
        mask = drawn(line((30, 30), end, width=width), 120, 120)
        stroke, again = covering(mask)
        np.testing.assert_array_equal(again, mask)
        assert sorted(stroke.points) == sorted(((30, 30), end))


@pytest.mark.parametrize("seed", range(10))
def test_any_area_is_covered_by_one_stroke_and_nothing_else_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.random((40, 50)), (0, 0), 0.3 + seed / 4)
    count, labels = cv2.connectedComponents((noise > np.quantile(noise, 0.5)).astype(np.uint8))
    for label in range(1, count):
        _, again = covering(labels == label)
        np.testing.assert_array_equal(again, labels == label)


def test_areas_with_dead_ends_and_holes_are_covered() -> None:
    comb = np.zeros((30, 41), bool)
    comb[:, ::4], comb[14:16] = True, True
    ring = drawn(line((20, 20), width=31), 41, 41) & ~drawn(line((22, 19), width=13), 41, 41)
    for mask in (comb, comb.T, ring):
        _, again = covering(mask)
        np.testing.assert_array_equal(again, mask)


def test_long_strokes_of_any_direction_take_few_points() -> None:
    across = drawn(line((10, 10), (500, 13), (20, 30), width=5), 60, 520)
    down = drawn(line((10, 10), (13, 500), (30, 20), width=5), 520, 60)
    for mask in (across, down):
        stroke, again = covering(mask)
        np.testing.assert_array_equal(again, mask)
        assert len(stroke.points) < 150


# ---------------------------------------------------------------- values


def test_white_is_paper() -> None:
    assert Stroke(((1, 2),), 3, (255, 255, 255)) == Stroke(((1, 2),), 3, None)


@pytest.mark.parametrize(
    ("points", "width", "color", "said"),
    [
        ((), 1, None, r"`points` to be one or more pairs .*, got none\. Pass one point for a dot"),
        (((1, math.nan),), 1, None, r"finite numbers, got \(1, nan\)"),
        (((1, 2),), 0, None, r"`width` to be a number of pixels above 0, got 0\. Pass 1 for"),
        (((1, 2),), math.inf, None, "`width` to be a number of pixels above 0, got inf"),
        (((1, 2),), 1, (0, 0, 256), r"from 0 to 255, got \(0, 0, 256\)\. Pass \(255, 0, 0\)"),
        (((1, 2),), 1, (0, 0), r"a colour to be \(r, g, b\), .* got \(0, 0\)"),
    ],
)
def test_values_that_are_none(
    points: tuple[Point, ...], width: float, color: Color | None, said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        Stroke(points, width, color)

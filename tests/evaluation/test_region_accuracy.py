"""Region accuracy and fills in closed forms, and the ruler itself on real drawings."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tiny_painter import REAL, needs_real

from sketch2paint.evaluation.methods import GAPS, components
from sketch2paint.evaluation.region_accuracy import (
    PAPER,
    Drawing,
    region_accuracy,
    segments,
    true_colours,
    with_cuts,
    work_left,
)
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import to_grey
from sketch2paint.images.io import read_rgb

RED, BLUE, GREEN, WHITE = (200, 30, 30), (30, 30, 200), (30, 200, 30), (255, 255, 255)


def stripes(*widths: tuple[tuple[int, int, int], int], height: int = 20) -> np.ndarray:
    """A picture (height, W, 3) of upright stripes, each a colour and its width."""
    row = np.concatenate([np.full((width, 3), colour, np.uint8) for colour, width in widths])
    return np.ascontiguousarray(np.broadcast_to(row, (height, *row.shape)))


def numbered(*widths: int, height: int = 20) -> np.ndarray:
    """Regions (height, W) that are upright stripes."""
    return np.tile(np.repeat(np.arange(len(widths)), widths), (height, 1))


def drawing(real: np.ndarray) -> Drawing:
    """A drawing without lines: every pixel counts."""
    return Drawing.of("a", np.full(real.shape[:2], 255, np.uint8), real)


REAL_PICTURE = stripes((WHITE, 20), (RED, 20), (BLUE, 10), (RED, 10))
TRUTH = drawing(REAL_PICTURE)
PARTS = numbered(20, 20, 10, 10)


def test_true_colours_are_coarse_and_without_thin_lines() -> None:
    real = stripes((WHITE, 10), (RED, 10))
    real[:, 5] = 0
    found = true_colours(real)
    assert (found[:, :10] == PAPER).all()
    assert (found[:, 10:] == (25 << 10 | 3 << 5 | 3)).all()
    np.testing.assert_array_equal(found, true_colours(real - (real == 30)))  # 29 is 24..31 too


def test_pixels_that_touch_a_line_do_not_count() -> None:
    sketch = np.full((9, 9), 255, np.uint8)
    sketch[:, 4] = 200
    where = Drawing.of("a", sketch, stripes((RED, 9), height=9)).where
    assert where.sum(axis=0).tolist() == [9, 9, 9, 0, 0, 0, 9, 9, 9]


def test_accuracy_is_what_one_colour_for_each_region_reaches() -> None:
    assert region_accuracy(PARTS, TRUTH) == 1
    assert region_accuracy(numbered(20, 40), TRUTH) == 30 / 40  # red is most of it
    assert region_accuracy(numbered(60), TRUTH) == 30 / 40  # also of the whole
    assert region_accuracy(numbered(30, 10, 20), TRUTH) == 20 / 40  # the first is mostly paper
    assert region_accuracy(np.arange(20 * 60).reshape(20, 60), TRUTH) == 1
    assert math.isnan(region_accuracy(numbered(20), drawing(stripes((WHITE, 20)))))


def test_segments_are_those_of_thirty_pixels() -> None:
    assert segments(PARTS, TRUTH) == 4
    assert segments(numbered(20, 37, 1, 2), TRUTH) == 3  # 20 pixels and 40


def test_cuts_follow_from_the_name_and_stay_inside() -> None:
    sketch = np.full((30, 40), 255, np.uint8)
    sketch[0], sketch[:, -1] = 0, 0
    one = Drawing.of("one", sketch, stripes((RED, 40), height=30))
    np.testing.assert_array_equal(with_cuts(one.sketch, one.name, 0), sketch)
    cut = with_cuts(one.sketch, one.name, 4)
    np.testing.assert_array_equal(cut, with_cuts(one.sketch, one.name, 4))
    other = Drawing.of("other", sketch, stripes((RED, 40), height=30))
    assert (cut != with_cuts(other.sketch, other.name, 4)).any()
    lost = (cut != sketch).sum()
    assert 5 <= lost <= 8 * 9 and (cut >= sketch).all()
    assert (with_cuts(one.sketch, one.name, 16) != sketch).sum() > lost
    blank = drawing(REAL_PICTURE)
    np.testing.assert_array_equal(with_cuts(blank.sketch, blank.name, 8), blank.sketch)


@pytest.mark.parametrize(
    ("flat", "left"),
    [
        (REAL_PICTURE, 0),
        (stripes((WHITE, 20), (GREEN, 20), (RED, 10), (GREEN, 10)), 0),  # other colours, as apart
        (stripes((WHITE, 20), (RED, 40)), 1),  # blue is red
        (stripes((WHITE, 20), (RED, 20), (BLUE, 10), (GREEN, 10)), 1),  # a red too many
        (stripes((RED, 40), (BLUE, 10), (RED, 10)), 1),  # the paper is red
        (stripes((GREEN, 20), (RED, 20), (BLUE, 10), (RED, 10)), 1),  # no colour stands for paper
        (stripes((WHITE, 60)), 3),  # nor white for red
        (stripes((GREEN, 9), (WHITE, 11), (RED, 20), (BLUE, 10), (RED, 10)), 0),  # it is its colour
        (stripes((GREEN, 11), (WHITE, 9), (RED, 20), (BLUE, 10), (RED, 10)), 1),
    ],
)
def test_regions_whose_colour_does_not_match_cost_a_fill(flat: np.ndarray, left: int) -> None:
    work = work_left(flat, PARTS, TRUTH)
    assert (work.left, work.blank) == (left, 3)


def test_colours_are_matched_by_the_most_pixels_in_all() -> None:
    # Green lies on 20 red and 18 blue, yellow on 19 red: one by one green would take red.
    truth = drawing(stripes((RED, 20), (BLUE, 18), (RED, 19)))
    yellow = (200, 200, 30)
    flat = stripes((GREEN, 38), (yellow, 19))
    assert work_left(flat, numbered(20, 18, 19), truth).left == 1  # red by yellow, blue by green


def test_small_regions_and_those_under_lines_are_nobodys_work() -> None:
    real = stripes((WHITE, 20), (RED, 20), (BLUE, 1))
    flat = stripes((WHITE, 20), (RED, 21))
    work = work_left(flat, numbered(20, 20, 1), drawing(real))
    assert (work.left, work.blank) == (0, 1)
    black = Drawing.of("a", np.zeros((20, 41), np.uint8), real)
    work = work_left(flat, numbered(20, 20, 1), black)
    assert (work.left, work.blank) == (0, 0) and math.isnan(work.paper)


def test_paper_left_white() -> None:
    assert work_left(REAL_PICTURE, PARTS, TRUTH).paper == 1
    almost = stripes((WHITE, 15), ((255, 255, 254), 5), (RED, 40))
    assert work_left(almost, PARTS, TRUTH).paper == 0.75
    assert math.isnan(work_left(stripes((RED, 9)), numbered(9), drawing(stripes((RED, 9)))).paper)


@pytest.mark.slow
@needs_real
def test_real_drawings_hold_together() -> None:
    places = (("openmoji", 36), ("mulberry", 24))
    files = [f for at, n in places for f in sorted((REAL / at / "val").glob("*.png"))[::4][:n]]
    found = []
    for file in files:
        colours, lines = np.split(read_rgb(file), 2, axis=1)
        one = Drawing.of(file.stem, to_grey(lines), np.ascontiguousarray(colours))
        cuts = [with_cuts(one.sketch, one.name, gap) for gap in GAPS]
        ours = [find_regions(cut).cut() for cut in cuts]
        found.append(
            [
                *(region_accuracy(components(cut), one) for cut in cuts),
                *(region_accuracy(labels, one) for labels in ours),
                *(segments(labels, one) for labels in ours),
            ]
        )
    simple, accuracy, count = np.mean(found, axis=0).reshape(3, len(GAPS))
    print(simple, accuracy, count)
    np.testing.assert_allclose(simple, [0.644, 0.609, 0.547, 0.282], atol=5e-4)
    assert (accuracy >= 0.9).all() and (count <= 18).all()


@pytest.mark.parametrize(
    ("flat", "pieces", "merged"),
    [
        (REAL_PICTURE, 1, 0),
        (stripes((WHITE, 20), (GREEN, 40)), 1, 10 / 40),  # blue between two reds is in their flat
        (stripes((WHITE, 20), (GREEN, 20), (RED, 20)), 1, 10 / 40),
        (stripes((WHITE, 40), (GREEN, 20)), 1, 10 / 20),  # what is left white is no flat
        (stripes((GREEN, 60)), 1, 10 / 40),  # nor is paper an object
    ],
)
def test_flats_merge_objects(flat: np.ndarray, pieces: float, merged: float) -> None:
    work = work_left(flat, PARTS, TRUTH)
    assert work.pieces == pieces and work.merged == pytest.approx(merged)


def test_flats_part_objects() -> None:
    truth = drawing(stripes((RED, 30), (WHITE, 10), (BLUE, 30)))
    parts = numbered(10, 10, 10, 10, 15, 15)
    yellow = (200, 200, 30)
    flat = stripes((GREEN, 10), (RED, 10), (GREEN, 10), (WHITE, 10), (yellow, 30))
    assert work_left(flat, parts, truth).pieces == (3 + 1) / 2  # the greens do not touch
    assert work_left(flat, parts, truth).merged == 0
    white = stripes((WHITE, 70))
    assert math.isnan(work_left(white, parts, truth).pieces)
    assert math.isnan(work_left(white, parts, truth).merged)

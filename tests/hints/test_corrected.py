"""Regions cut and merged as a person said."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.corrected import has_idle_cut, regions_said
from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import Hints, marks
from sketch2paint.hints.regions import find_regions
from sketch2paint.hints.strokes import Stroke

SIZE = (200, 120)
LEFT, MIDDLE, RIGHT, OUTSIDE = (60, 40), (60, 100), (60, 160), (5, 5)


def rooms() -> np.ndarray:
    """Three rooms beside each other, (120, 200)."""
    sketch = np.full(SIZE[::-1], 255, np.uint8)
    cv2.rectangle(sketch, (10, 10), (190, 110), 0, 2)
    for x in (70, 130):
        cv2.line(sketch, (x, 10), (x, 110), 0, 2)
    return sketch


def line(*points: tuple[int, int], width: float = 1) -> Stroke:
    return Stroke(points, width, None)


def test_without_cuts_and_merges_regions_are_as_they_were_found() -> None:
    wanted = find_regions(rooms())
    for hints in (None, Hints(SIZE), Hints(SIZE, (Stroke(((40, 60),), 5, (1, 2, 3)),))):
        np.testing.assert_array_equal(regions_said(rooms(), hints).labels, wanted.labels)


@pytest.mark.parametrize("short", [0, 2])
def test_a_cut_parts_a_region_even_if_it_ends_before_the_lines(short: int) -> None:
    cut = line((100, 12 + short), (100, 108 - short))
    regions = regions_said(rooms(), Hints(SIZE, cuts=(cut,)))
    labels = regions.cut()
    assert labels[60, 85] != labels[60, 115] and labels[LEFT] != labels[60, 85]
    assert labels.max() == find_regions(rooms()).cut().max() + 1
    assert regions.ink[60, 100]
    stroke = Stroke(((85, 50), (85, 70)), 4, (200, 0, 0))
    filled = fill(regions, marks(Hints(SIZE, (stroke,))))
    assert filled[60, 90] == 1 and filled[60, 110] == filled[LEFT] == 0


def test_a_merge_makes_the_regions_one_that_it_runs_over() -> None:
    merge = line((40, 60), (100, 64))
    regions = regions_said(rooms(), Hints(SIZE, merges=(merge,)))
    labels, before = regions.labels, find_regions(rooms())
    assert labels[LEFT] == labels[MIDDLE] and labels[MIDDLE] != labels[RIGHT] != labels[OUTSIDE]
    assert regions.count == before.count - 1 == len(np.unique(labels))
    assert (regions.joins < regions.count).all()
    stroke = Stroke(((85, 50), (85, 70)), 4, (200, 0, 0))
    filled = fill(regions, marks(Hints(SIZE, (stroke,))))
    assert filled[LEFT] == filled[MIDDLE] == 1 and filled[RIGHT] == filled[OUTSIDE] == 0


def test_merges_that_share_a_region_are_one_and_a_cut_is_merged_again() -> None:
    cut, over_it = line((100, 12), (100, 108)), line((85, 60), (115, 60))
    both = regions_said(rooms(), Hints(SIZE, cuts=(cut,), merges=(over_it,)))
    assert both.labels[60, 85] == both.labels[60, 115]
    chain = line((40, 60), (100, 60)), line((100, 30), (160, 30))
    labels = regions_said(rooms(), Hints(SIZE, merges=chain)).labels
    assert labels[LEFT] == labels[MIDDLE] == labels[RIGHT]


def test_a_merge_on_a_line_or_in_one_region_changes_nothing() -> None:
    wanted = find_regions(rooms()).labels
    for merge in (line((70, 30), (70, 90)), line((40, 60), (50, 60))):
        found = regions_said(rooms(), Hints(SIZE, merges=(merge,))).labels
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("cut", "idle"),
    [
        (line((100, 12), (100, 108)), False),
        (line((100, 55), (100, 65)), True),  # in the middle of a room
        (line((100, 60)), True),
        (line((100, 12), (100, 60)), True),  # half of the way leaves it open
    ],
)
def test_a_cut_that_parts_nothing_is_noticed(cut: Stroke, idle: bool) -> None:
    hints = Hints(SIZE, cuts=(cut,))
    regions = regions_said(rooms(), hints)
    assert has_idle_cut(hints, regions.cut(), regions.ink) == idle
    assert not has_idle_cut(Hints(SIZE), regions.cut(), regions.ink)

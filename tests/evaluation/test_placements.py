"""Hints set by fixed rules, on a hand-made page of three rooms."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from tiny_rooms import BLUE, GREEN, RED, ROOMS, SIDE, WHITE, middle, rooms

from sketch2paint.evaluation.hint_methods import filled
from sketch2paint.evaluation.placements import Page, Placement, place
from sketch2paint.hints.format import Hints
from sketch2paint.hints.strokes import Stroke

PAGE = rooms()


def refuse(hints: Hints) -> np.ndarray:
    raise AssertionError("nobody is to be asked")


def set_on(page: Page, placement: Placement, most: int, seed: int = 0) -> Hints:
    ask = partial(filled, page) if placement == "blank" else refuse
    return place(page, placement=placement, most=most, seed=seed, ask=ask)


def dots(hints: Hints) -> list[tuple[float, ...]]:
    """Column and row of each hint, all of which are dots of one pixel."""
    assert all(stroke.width == 1 for stroke in hints.strokes)
    return [point for stroke in hints.strokes for point in stroke.points]


def colours(hints: Hints) -> list[object]:
    return [stroke.color for stroke in hints.strokes]


@pytest.mark.parametrize("placement", ["blank", "regions", "uniform"])
def test_the_same_hints_twice_and_more_go_on_from_fewer(placement: Placement) -> None:
    hints = set_on(PAGE, placement, 3)
    assert hints.size == (SIDE, SIDE) and len(hints.strokes) == 3
    assert set_on(rooms(), placement, 3) == hints
    assert set_on(PAGE, placement, 2).strokes == hints.strokes[:2]
    assert set_on(PAGE, placement, 0).strokes == ()


def test_blank_begins_with_the_largest_wrongly_white_room() -> None:
    hints = set_on(PAGE, "blank", 9)
    # As deep as the blue room's narrower side lets it be, first in reading order.
    left, top, right, _ = ROOMS[1][0]
    half = (right - left) // 2
    assert dots(hints) == [middle(0), (left + half, top + half), (18, 76)]
    assert colours(hints) == [RED, BLUE, GREEN]  # and nothing is wrong then
    assert ROOMS[2][0][0] < 18 < ROOMS[2][0][2] and ROOMS[2][0][1] < 76 < ROOMS[2][0][3]


def test_nearly_white_is_paper() -> None:
    assert colours(set_on(rooms((246, 250, 245)), "blank", 9)) == [RED, BLUE]
    assert colours(set_on(rooms((244, 250, 250)), "blank", 9)) == [RED, BLUE, (244, 250, 250)]
    assert set(colours(set_on(rooms((246, 250, 245)), "regions", 99))) == {RED, BLUE, None}


def test_regions_takes_the_largest_first_paper_too() -> None:
    hints = set_on(PAGE, "regions", 99)
    labels = [PAGE.regions.labels[int(y), int(x)] for x, y in dots(hints)]
    areas = PAGE.areas[labels].tolist()
    assert sorted(labels) == list(range(PAGE.regions.count))
    assert areas == sorted(areas, reverse=True)
    assert colours(hints)[:3] == [None, RED, BLUE]  # the paper below the rooms is the largest


def test_uniform_takes_pixels_beside_lines_in_their_own_colours() -> None:
    speckled = PAGE.real.copy()
    speckled[::2] //= 2
    page = Page.of("speckled", PAGE.sketch, speckled)
    hints = set_on(page, "uniform", 400)
    assert len(set(dots(hints))) == 400
    for (x, y), colour in zip(dots(hints), colours(hints), strict=True):
        assert page.sketch[int(y), int(x)] == 255
        assert (colour or WHITE) == tuple(speckled[int(y), int(x)].tolist())
    assert len(set_on(page, "uniform", SIDE**2).strokes) == page.clear.sum()


def test_uniform_depends_on_name_and_seed_and_on_no_machine() -> None:
    assert dots(set_on(PAGE, "uniform", 3)) == [(59, 19), (23, 75), (88, 58)]
    other = Page.of("b\udce4d", PAGE.sketch, PAGE.real)
    assert dots(set_on(other, "uniform", 3)) != dots(set_on(PAGE, "uniform", 3))
    assert dots(set_on(PAGE, "uniform", 3, seed=1)) != dots(set_on(PAGE, "uniform", 3))


def test_user_asks_what_is_measured_and_corrects_it() -> None:
    asked: list[Hints] = []

    def nearly_right(hints: Hints) -> np.ndarray:
        """All right but for the green room, which stays blue until it is told."""
        asked.append(hints)
        wrong = PAGE.real.copy()
        left, top, right, bottom = ROOMS[2][0]
        wrong[top:bottom, left:right] = BLUE if not hints.strokes else GREEN
        return wrong

    hints = place(PAGE, placement="user", most=5, seed=0, ask=nearly_right)
    assert dots(hints) == [(18, 76)] and colours(hints) == [GREEN]
    assert [one.strokes for one in asked] == [(), hints.strokes]


def test_what_nobody_sees_takes_no_hint() -> None:
    def off(levels: int) -> tuple[Stroke, ...]:
        wrong = PAGE.real.copy()
        left, top, right, bottom = ROOMS[2][0]
        wrong[top:bottom, left:right] += np.uint8(levels)
        return place(PAGE, placement="user", most=1, seed=0, ask=lambda hints: wrong).strokes

    assert off(2) == () and len(off(4)) == 1


def test_who_does_not_listen_is_told_each_region_once() -> None:
    hints = place(
        PAGE, placement="user", most=99, seed=0, ask=lambda hints: np.zeros_like(PAGE.real)
    )
    assert len(set(dots(hints))) == len(hints.strokes) == PAGE.regions.count


def test_a_page_without_a_clear_pixel_takes_no_hint() -> None:
    page = Page.of("black", np.zeros((32, 32), np.uint8), np.zeros((32, 32, 3), np.uint8))
    assert (page.medians(page.real) == 255).all()
    assert set_on(page, "blank", 4).strokes == set_on(page, "regions", 4).strokes == ()
    assert set_on(page, "uniform", 4).strokes == ()

"""What the methods without a network make of hints, and how checkpoints are asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tiny_rooms import BLUE, RED, ROOMS, SIDE, WHITE, middle, rooms
from tiny_words import TINY, make_region_network

from sketch2paint.evaluation.compare import load_candidates
from sketch2paint.evaluation.hint_methods import filled, geodesic, hint_methods, straight
from sketch2paint.hints.format import Hints
from sketch2paint.hints.strokes import Color, Stroke
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator

PAGE = rooms()


def hints(*dots: tuple[tuple[int, int], Color | None]) -> Hints:
    return Hints((SIDE, SIDE), tuple(Stroke(((x, y),), 1.0, colour) for (x, y), colour in dots))


def inside(room: int) -> tuple[slice, slice]:
    """What lies within the walls of a room."""
    left, top, right, bottom = ROOMS[room][0]
    return np.s_[top + 1 : bottom, left + 1 : right]


NOBODY = hints()
JUST_LEFT = (ROOMS[0][0][2] - 1, 30)  # in the red room, beside the wall to the blue one
TWO = hints((JUST_LEFT, RED), ((84, 54), BLUE))


def test_nothing_said_leaves_the_paper_white() -> None:
    for method in (filled, straight, geodesic):
        assert (method(PAGE, NOBODY) == 255).all()


def test_fill_gives_each_told_room_its_colour_and_no_other() -> None:
    colours = filled(PAGE, TWO)
    assert (colours[inside(0)] == RED).all() and (colours[inside(1)] == BLUE).all()
    assert (colours[inside(2)] == 255).all() and (colours[0] == 255).all()
    paper = filled(PAGE, hints((middle(0), None)))
    assert (paper == 255).all()


def test_straight_crosses_a_wall_and_geodesic_does_not() -> None:
    beyond = JUST_LEFT[1], JUST_LEFT[0] + 3  # row and column in the blue room
    crossed, kept = straight(PAGE, TWO), geodesic(PAGE, TWO)
    assert tuple(crossed[beyond]) == RED and tuple(kept[beyond]) == BLUE
    assert (kept[inside(0)] == RED).all() and (kept[inside(1)] == BLUE).all()
    assert (kept[inside(2)] == WHITE).all() and (kept[-1] == WHITE).all()  # no way leads there
    assert not (crossed == 255).all(2).any()


def test_straight_is_the_nearest_by_euclid() -> None:
    y, x = np.indices((SIDE, SIDE))
    (one, _), (other, _) = (stroke.points + (0,) for stroke in TWO.strokes)
    nearer = np.hypot(x - one[0], y - one[1]) < np.hypot(x - other[0], y - other[1])
    apart = np.hypot(x - one[0], y - one[1]) != np.hypot(x - other[0], y - other[1])
    expected = np.where(nearer[..., None], RED, BLUE)
    np.testing.assert_array_equal(straight(PAGE, TWO)[apart], expected[apart])


def test_geodesic_takes_the_shorter_way_through_an_opening() -> None:
    sketch = PAGE.sketch.copy()
    sketch[31:34, 56] = 255  # a door between the red and the blue room
    page = type(PAGE).of("door", sketch, PAGE.real)
    colours = geodesic(page, hints(((50, 32), RED), ((84, 54), BLUE)))
    assert tuple(colours[32, 60]) == RED  # through the door
    assert tuple(colours[50, 80]) == BLUE


def test_lines_take_the_colour_beside_them() -> None:
    colours = geodesic(PAGE, TWO)
    wall = colours[20:50, ROOMS[0][0][2]].reshape(-1, 3)
    assert {tuple(colour) for colour in wall.tolist()} <= {RED, BLUE}


def test_each_checkpoint_has_a_row_of_flats_and_one_of_its_own(weight_path: Path) -> None:
    candidates = load_candidates([str(weight_path)], "sketch", "cpu")
    methods = hint_methods(candidates)
    name = candidates[0].name
    assert list(methods) == [
        "white paper + fill", "nearest hint, straight", "nearest hint, geodesic",
        f"{name}, flats", name,
    ]  # fmt: skip
    painter = candidates[0].painter
    assert not painter.flats and painter.normalise == "auto"  # which stay what they were
    flat, shaded = methods[f"{name}, flats"](PAGE, TWO), methods[name](PAGE, TWO)
    assert (flat[inside(0)] == RED).all() and (flat[inside(1)] == BLUE).all()
    painted = painter.process([PAGE.sketch], [TWO])[0].colours
    np.testing.assert_array_equal(shaded, painted)
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) < len(
        np.unique(shaded.reshape(-1, 3), axis=0)
    )
    pale = type(PAGE).of("pale", PAGE.sketch // 2 + 127, PAGE.real)  # its lines are not darkened
    painter.normalise = "off"
    np.testing.assert_array_equal(
        methods[name](pale, NOBODY), painter.process([pale.sketch])[0].colours
    )


def test_a_region_network_has_flats_and_may_be_shaded(weight_path: Path, tmp_path: Path) -> None:
    words = str(tmp_path / "words.safetensors")
    save_generator(words, make_region_network().state_dict(), describe_regions(TINY))
    candidates = load_candidates([words, str(weight_path)], "sketch", "cpu", words)
    methods = hint_methods(candidates)
    assert list(methods)[3:] == [
        "words.safetensors, flats", "generator.safetensors, flats", "generator.safetensors",
    ]  # fmt: skip
    flat = methods["words.safetensors, flats"](PAGE, TWO)
    np.testing.assert_array_equal(methods["generator.safetensors, flats"](PAGE, TWO), flat)
    assert (methods["generator.safetensors"](PAGE, TWO) != flat).any()
    alone, shaded = (candidate.about["parameters"] for candidate in candidates)
    assert shaded > alone > 0

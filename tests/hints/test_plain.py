"""Values of a hints file, one by one; what whole files say stands in test_format.py."""

from __future__ import annotations

from typing import Any

import pytest

from sketch2paint.hints import plain


def test_numbers_are_finite_ones() -> None:
    assert plain.number(3, "`width`") == 3.0 and plain.number(-2.5, "`gap`") == -2.5


@pytest.mark.parametrize(
    "value", ["3", None, True, [3], float("nan"), float("inf"), pytest.param(10**400, id="huge")]
)
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected `width` to be a finite number, got .*\. Pass"):
        plain.number(value, "`width`")


def test_numbers_are_written_short() -> None:
    assert [repr(plain.short(value)) for value in (3.0, 3, -0.25)] == ["3", "3", "-0.25"]


def test_colours_go_there_and_back() -> None:
    assert plain.color("#FF8000") == (255, 128, 0)
    assert plain.hexadecimal((255, 128, 0)) == "#ff8000"


@pytest.mark.parametrize("value", ["ff8000", "#f80", "#ff80001", "red", "#ff800g", 7, None])
def test_what_is_no_colour(value: Any) -> None:
    with pytest.raises(ValueError, match=r'"paper", "cut" or "merge", got .*\. Write #'):
        plain.color(value)


def test_points_outside_are_moved_to_the_edge() -> None:
    inside = [[-0.5, 0], [99.4, 49.4]]
    points, moved = plain.points([*inside, [-3, 20], [120, 50]], (100, 50))
    assert points == ((-0.5, 0), (99.4, 49.4), (0, 20), (99, 49))
    assert moved == 2


@pytest.mark.parametrize("value", [[], [10, 20], [[1, 2, 3]], [[1]], [{"x": 1, "y": 2}]])
def test_what_are_no_points(value: Any) -> None:
    with pytest.raises(ValueError, match=r"`points` to be a list of .* pairs \[x, y\], got .*dot"):
        plain.points(value, (100, 50))


def test_a_key_too_many_is_told_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="no keys but `width`, `color`, got 'colour'. .*'color'"):
        plain.checked({"width": 1, "colour": 2}, ["width"], ["color"])
    with pytest.raises(ValueError, match="keys `width`, `color`, got no `width`. Add it."):
        plain.checked({"color": 2}, ["width"], ["color"])
    assert plain.checked({"width": 1}, ["width"], ["color"]) == {"width": 1}


def test_places_stand_before_errors() -> None:
    with pytest.raises(ValueError, match="^a.json: hint 2: expected the keys"):  # noqa: SIM117
        with plain.said_of("a.json"), plain.said_of("hint 2"):
            plain.checked({}, ["width"])

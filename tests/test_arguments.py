"""Values against annotations."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import pytest

from sketch2paint.arguments import described, fits, is_number, is_whole, one_of

Side = Literal["left", "right"]


class Object:
    pass


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (3, int), (3, float), (math.inf, float), (math.nan, float), (True, bool), ("a", str),
        ("\udce4", str), (None, int | None), ("auto", int | str), ([1, 2.5], tuple[float, float]),
        (["a"], Sequence[str]), ([], list[int]), ("left", Side), (None, Side | None),
        ({"a": 1}, dict[str, Any]), ({"x": [1]}, Any), (Object(), int), ([1], list[Object]),
        (3, Object), (10**30, int),
    ],
)  # fmt: skip
def test_fits(value, hint):
    assert fits(value, hint)


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("3", int), (3.5, int), (True, int), (True, float), (1, bool), ("true", bool), (3, str),
        (None, int), (["a", "b"], tuple[float, float]), ([0.5], tuple[float, float]),
        ([1, 2, 3], tuple[float, float]), ("ab", Sequence[str]), (["a", 3], list[str]),
        ("middle", Side), (1, Side), (["left"], Side), ({"a": "b"}, dict[str, int]),
    ],
)  # fmt: skip
def test_does_not_fit(value, hint):
    assert not fits(value, hint)


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "int"), (int | None, "int or null"), (Side, "one of left, right"),
        (Side | int, "one of left, right or int"), (tuple[float, float], "[float, float]"),
        (list[int], "a list of int"), (Sequence[str], "a list of str"), (dict, "dict"),
        (list[Side], "a list, each one of left, right"),
        (Sequence[Side], "a list, each one of left, right"),
    ],
)  # fmt: skip
def test_described(hint, words):
    assert described(hint) == words


def test_numbers():
    assert all(map(is_number, (0, -1, 2.5))) and all(map(is_whole, (0, -1, 10**400)))
    wrong = (True, "1", None, 1j, math.nan, math.inf, 10**400)  # the last has no room in a float
    assert not any(map(is_number, wrong)) and not any(map(is_whole, (True, "1", None, 1.0)))


def test_one_of():
    one_of("data.colour_side", "left", Side)
    for wrong in ("middle", None, 3, ["left"]):
        with pytest.raises(ValueError, match=r"^Expected `data.colour_side` to be one of left, r"):
            one_of("data.colour_side", wrong, Side)
    with pytest.raises(ValueError, match=r"got 'xxxxx.*\.\.\..*x'\.$"):
        one_of("side", 1000 * "x", Side)

"""Plain data of a hints file, looked at value by value: an error says what came instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from reprlib import repr as shortened
from typing import Any

from sketch2paint.arguments import is_number
from sketch2paint.hints.strokes import Color, Point


@contextmanager
def said_of(place: str) -> Iterator[None]:
    """Put a place, a file or a part of it, before what an error says."""
    try:
        yield
    except ValueError as error:
        said = str(error)
        raise ValueError(f"{place}: {said[:1].lower()}{said[1:]}") from error


def parsed(text: str | bytes, what: str = "hints") -> Any:
    """What a text that is to hold `what` says as JSON.

    Raises:
        ValueError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"Expected {what} as JSON, got {shortened(text)} ({str(error)[:100]}). Pass a file "
            "that sketch2paint wrote, or mend this one."
        ) from error


def checked(value: Any, needed: Sequence[str], others: Sequence[str] = ()) -> dict[str, Any]:
    """An object that has all keys that are needed, and besides these at most some others."""
    known = (*needed, *others)
    wanted = ", ".join(f"`{key}`" for key in known)
    if not isinstance(value, dict):
        raise ValueError(
            f"Expected an object with the keys {wanted}, got {shortened(value)}. Write it like the "
            "example in docs/hints.md."
        )
    for key in value:
        if key not in known:
            (nearest,) = get_close_matches(key, known, n=1, cutoff=0)
            raise ValueError(
                f"Expected no keys but {wanted}, got {shortened(key)}. Write {nearest!r} if that "
                "is meant, or take it out."
            )
    for key in needed:
        if key not in value:
            raise ValueError(f"Expected the keys {wanted}, got no `{key}`. Add it.")
    return value


def listed(value: Any, name: str) -> list[Any]:
    """A list, and nothing else."""
    if not isinstance(value, list):
        raise ValueError(f"Expected {name} to be a list, got {shortened(value)}. Put it in [ ].")
    return value


def number(value: Any, name: str) -> float:
    """A finite number."""
    if is_number(value):
        return float(value)
    raise ValueError(
        f"Expected {name} to be a finite number, got {shortened(value)}. Pass pixels of the "
        "drawing, without quotes."
    )


def color(value: Any) -> Color:
    """A colour (r, g, b) that is written as "#rrggbb"."""
    if not isinstance(value, str) or not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise ValueError(
            'Expected a colour like "#ff8000", or for a hint "paper", "cut" or "merge", got '
            f"{shortened(value)}. Write # and two hexadecimal digits each for red, green and blue."
        )
    red, green, blue = bytes.fromhex(value[1:])
    return red, green, blue


def points(value: Any, size: tuple[int, int]) -> tuple[tuple[Point, ...], int]:
    """Points (x, y) that are moved to the edge of a drawing if they lie outside, and how many did.

    Raises:
        ValueError: these are no points, or all of them lie outside.
    """
    pairs = listed(value, "`points`")
    if not pairs or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise ValueError(
            f"Expected `points` to be a list of one or more pairs [x, y], got {shortened(value)}. "
            "Write [[10, 20]] for a dot."
        )
    given = [(number(x, "x of `points`"), number(y, "y of `points`")) for x, y in pairs]
    width, height = size
    outside = [not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5) for x, y in given]
    if all(outside):
        raise ValueError(
            f"Expected points within the drawing's {width} x {height} pixels, got none, but "
            f"{list(given[0])}. Count from its top left corner, in the pixels of `size`."
        )
    last = (width - 1, height - 1)
    moved = [
        _clipped(point, last) if is_out else point
        for point, is_out in zip(given, outside, strict=True)
    ]
    return tuple(moved), sum(outside)


def _clipped(point: Point, last: tuple[int, int]) -> Point:
    x, y = (min(max(place, 0), most) for place, most in zip(point, last, strict=True))
    return x, y


def short(value: float) -> float:
    """The same number as JSON writes it shortest: 3 for 3.0."""
    return int(value) if float(value).is_integer() else value


def hexadecimal(color: Color) -> str:
    """A colour (r, g, b) as "#rrggbb"."""
    return "#" + bytes(color).hex()

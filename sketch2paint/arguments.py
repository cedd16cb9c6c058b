"""Values compared with the annotations of what takes them, so that a choice is said once."""

from __future__ import annotations

import json
import math
import os
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

# What pydantic cannot see in JSON: whether it is some object, and names that are no Unicode.
NOT_OURS = ("is_instance_of", "needs_python_object", "json_invalid")


@dataclass(frozen=True)
class Names:
    """Mark in an annotation: paths and names, which are what the shell passes, letter by letter.

    Attributes:
        keys: Keys of the mapping that is annotated; none: the value itself is a name.
        below: Whether it names a folder below another one, and must not lead out of that.
    """

    keys: tuple[str, ...] = ()
    below: bool = False


Name = Annotated[str, Names()]
DataKeys = Annotated[dict[str, Any], Names(("root", "sketches", "colours", "cache_dir"))]


def folder_below(name: str, value: str) -> None:
    """See that a value names a folder below another one.

    Args:
        name: Name of the parameter, as its user knows it.
        value: Relative path of the folder.

    Raises:
        ValueError: it is that folder itself, or leads out of it.
    """
    first = os.path.normpath(value).split(os.sep)[0]
    if not value or first in ("", ".", "..") or os.path.splitdrive(value)[0]:
        raise ValueError(
            f"Expected `{name}` to name a folder of its own, not empty, absolute or leading out "
            f"with .., got {value!r}. Type for instance {name}=first"
        )


def one_of(name: str, value: object, hint: Any) -> None:
    """See that a value is one of the choices of a `Literal`.

    Args:
        name: Name of the parameter, as its user knows it: `data.source`.
        value: Anything, also from a stranger's file.
        hint: Annotation of the parameter.

    Raises:
        ValueError: it is none of them; the message lists them.
    """
    choices = get_args(hint)
    if not (isinstance(value, str) and value in choices):
        raise ValueError(f"Expected `{name}` to be {described(hint)}, got {reprlib.repr(value)}.")


def is_whole(value: object) -> TypeGuard[int]:
    """Whether this is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a finite number that a float has room for; true and false are none."""
    try:
        return (is_whole(value) or isinstance(value, float)) and math.isfinite(value)
    except OverflowError:
        return False


def fits(value: object, hint: Any) -> bool:
    """Whether plain data is what an annotation says, elements of lists included.

    A whole number is a float too, True is no number, a list may stand for a tuple. What an
    annotation says of other objects is left to those that take them.
    """
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError  # heavy

    try:
        text = json.dumps(value)  # read as JSON, a list may be a tuple, and all else is strict
    except (TypeError, ValueError):
        return True
    try:
        adapter = TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
        adapter.validate_json(text, strict=True)
    except PydanticUserError:  # an annotation of its own making
        return True
    except ValidationError as error:
        return all(one["type"] in NOT_OURS for one in error.errors())
    return True


def described(hint: Any) -> str:
    """An annotation in words: `one of left, right`, `int or null`, `a list of str`."""
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if get_origin(hint) in (list, Sequence) and get_origin(get_args(hint)[0]) is Literal:
        return f"a list, each {described(get_args(hint)[0])}"
    if isinstance(hint, UnionType) or get_origin(hint) is Union:
        return " or ".join(described(option) for option in get_args(hint))
    if get_origin(hint) in (list, Sequence):
        return f"a list of {described(*get_args(hint))}"
    if get_origin(hint) is dict:
        return "names with values as {name: 1}"
    if get_origin(hint) is tuple:
        return f"[{', '.join(described(part) for part in get_args(hint))}]"
    if hint is NoneType:
        return "null"
    if hint is bool:
        return "true or false"
    return hint.__name__ if get_origin(hint) is None and isinstance(hint, type) else str(hint)

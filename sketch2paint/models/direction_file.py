"""Named directions of a generator's style code: their file, and a code from steps along them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np

from sketch2paint.files import written_beside
from sketch2paint.models.styles import Style, steps_of

FORMAT, VERSION = "sketch2paint directions", 1


def save_directions(
    path: Path | str, directions: Mapping[str, np.ndarray], style: Sequence[str]
) -> None:
    """Write directions as one .safetensors file.

    Args:
        path: File; an older one is replaced.
        directions: Directions (N,) by their names.
        style: Names of the N numbers of the code that they are directions of.
    """
    from safetensors.numpy import save  # not for --help

    about = {"format": FORMAT, "version": VERSION, "style": [*style]}
    tensors = {name: one.astype(np.float32) for name, one in directions.items()}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, {"sketch2paint": json.dumps(about)}))


def read_directions(path: Path | str, style: Sequence[str]) -> dict[str, np.ndarray]:
    """Read directions (N,) float32 by their names.

    Args:
        path: File that `save_directions` wrote, which may come from a stranger.
        style: Names of the numbers of the generator's code.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is none of directions, or of another code.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file. Pass the directions that explore.py wrote.")
    about, found = _content(path)
    kind = about.get("format") if isinstance(about, dict) else None
    if kind != FORMAT or about.get("version") != VERSION:
        raise ValueError(
            f"{path}: expected {FORMAT!r} version {VERSION}, got {shortened(kind)}. Pass the "
            "directions.safetensors that explore.py wrote."
        )
    fit = all(one.shape == (len(style),) and np.isfinite(one).all() for one in found.values())
    if about.get("style") != [*style] or not found or not fit:
        raise ValueError(
            f"{path}: expected directions of this generator's code of {len(style)} numbers, got "
            "those of another one. Run explore.py with this checkpoint."
        )
    return found


def _content(path: Path | str) -> tuple[Any, dict[str, np.ndarray]]:
    """What a file says of itself, and its tensors, or none where not all are float32."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            about = json.loads((file.metadata() or {}).get("sketch2paint", "{}"))
            kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
            names = kinds if {*kinds.values()} == {"F32"} else ()  # numpy does not know all others
            return about, {name: file.get_tensor(name) for name in names}
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: expected directions as explore.py writes them, got: {str(error)[:100]}. "
            "Pass the directions.safetensors that explore.py wrote."
        ) from error


def known_directions(style: Sequence[str], path: Path | str | None) -> dict[str, np.ndarray]:
    """The directions of a code: its own numbers, and those of a file, which go first.

    Args:
        style: Names of the code's numbers.
        path: File of directions, or None.
    """
    numbers = dict(zip(style, np.eye(len(style), dtype=np.float32), strict=True))
    return {**(read_directions(path, style) if path else {}), **numbers}


def code_along(style: Style | None, directions: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """The code (N,) float32 that steps along directions lead to; None: nothing is to change.

    Args:
        style: Steps by the directions' names, -3 to 3.
        directions: Directions (N,) that are known.

    Raises:
        ValueError: a direction is not known, or a step is no number or out of range.
    """
    steps = steps_of(style, [*directions])
    return None if steps is None else steps @ np.stack([*directions.values()])

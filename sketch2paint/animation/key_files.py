"""Which frames have their colours given: files of keys and of hints by name or number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sketch2paint.animation.keys import check_size, share_off_lines
from sketch2paint.animation.shots import Frame
from sketch2paint.images.formats import SUFFIXES
from sketch2paint.images.io import MAX_PIXELS, read_rgb
from sketch2paint.inference.hint_files import ENDINGS, PLAIN

OTHER_FRAME = 0.5  # of a key's edges lie on no line: it is of another frame
DOUBTFUL = 0.2  # the same: it is used, and said


def key_files(keys: Path | str, frames: Sequence[Frame]) -> tuple[dict[int, Path], list[str]]:
    """Find the frame of each key: that of its name, or else of its number.

    Args:
        keys: Picture or folder of pictures.
        frames: Frames of the shot.

    Returns:
        Files by the places of their frames, and what is wrong with the others, in words.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: there are no pictures in the folder.
    """
    return _by_place(_files(Path(keys), "keys", SUFFIXES), frames, "key")


def hint_files(hints: Path | str, frames: Sequence[Frame]) -> tuple[dict[int, Path], list[str]]:
    """Find the frame of each file of hints, as `key_files` does.

    Args:
        hints: File, folder, or "auto": NAME.hints.json or NAME.hints.png beside the frames.
        frames: Frames of the shot.
    """
    if hints != "auto":
        return _by_place(_files(Path(hints), "hints", PLAIN), frames, "file of hints")
    found = [
        path
        for frame in frames
        for ending in ENDINGS
        if (path := frame.path.with_name(frame.path.stem + ending)).is_file()
    ]
    return _by_place(found, frames, "file of hints")


def key_trouble(frame: Frame, path: Path, max_pixels: int = MAX_PIXELS) -> tuple[str, bool]:
    """What is wrong with a key, in words or "", and whether it can be used all the same."""
    try:
        drawing, picture = frame.drawing(max_pixels), read_rgb(path, max_pixels)
        check_size(path, drawing, picture)
    except (ValueError, OSError) as error:
        return str(error), False
    share = share_off_lines(drawing, picture)
    if share <= DOUBTFUL:
        return "", True
    usable = share < OTHER_FRAME
    what = "Look whether it is this frame." if usable else "Name it after the frame it colours."
    return (
        f"{path}: expected the edges of its colours on the lines of {frame.path.name}, got "
        f"{share:.0%} elsewhere. {what}"
    ), usable


def _files(place: Path, key: str, suffixes: Sequence[str]) -> list[Path]:
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise FileNotFoundError(
            f"{place}: no such file or folder. Pass {key}=DIR or {key}=FILE under the frames' "
            "names or numbers."
        )
    found = [p for p in sorted(place.iterdir()) if p.suffix.lower() in suffixes and p.is_file()]
    found = [p for p in found if p.name[0] != "."]
    if key == "keys":
        found = [p for p in found if not p.stem.endswith(".hints")]
    if not found:
        raise ValueError(
            f"{place}: nothing for `{key}` in this folder. Expected files under the frames' names "
            f"or numbers. Leave out `{key}` for none."
        )
    return found


def _by_place(
    files: Sequence[Path], frames: Sequence[Frame], kind: str
) -> tuple[dict[int, Path], list[str]]:
    names = {frame.name: place for place, frame in enumerate(frames)}
    numbers = {frame.number: place for place, frame in enumerate(frames)}
    found: dict[int, Path] = {}
    troubles = []
    for path in files:
        name = re.sub(r"\.(hints|colours)$", "", path.stem)
        digits = re.findall(r"\d+", name)
        place = names.get(name, numbers.get(int(digits[-1])) if digits else None)
        if place is None:
            troubles.append(
                f"{path}: expected a {kind} under a frame's name or number, "
                f"{frames[0].name} to {frames[-1].name}, got another one. Rename or remove it."
            )
        elif place in found:
            troubles.append(
                f"{path}: expected one {kind} for frame {frames[place].name}, got "
                f"{found[place].name} as well. Remove one of them."
            )
        else:
            found[place] = path
    return found, troubles

"""The palette that drawings are to have: colours, a file of them, or a picture's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from reprlib import repr as shortened

import cv2
import numpy as np

from sketch2paint.arguments import is_number
from sketch2paint.hints import plain
from sketch2paint.hints.palette import Palette, palette_of
from sketch2paint.hints.strokes import Color
from sketch2paint.images.convert import fit_within, resize
from sketch2paint.images.io import read_picture
from sketch2paint.images.layer import WHITE
from sketch2paint.inference.jobs import STDIO, Job

MOST = 64  # colours of a palette
SIDE = 256  # pixels to which a reference is made smaller, so that lines are thin
CALM = 24  # levels of a channel between the pixels around one that lies within an area
FEW = 0.05  # of the pixels: where fewer are calm, all of them count
GREY = 8  # levels between the channels of what counts as grey
GPL = "GIMP Palette"


def palette_from(given: str | Sequence[str]) -> Palette:
    """Read a palette.

    Args:
        given: Colours like #e63946, one or a list; a .gpl file (GIMP, Krita, Inkscape); or a .json
            file, ["#e63946", ...] or {"#e63946": 0.4, ...} with a share for each.

    Returns:
        Its colours, each once; white is left out, as paper is white without it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a colour is none, there are too few or too many, or the file is damaged.
    """
    if not isinstance(given, str):
        return _palette([(_color(one), 0.0) for one in given], "`palette`")
    if given.startswith("#"):
        return _palette([(_color(given), 0.0)], "`palette`")
    path, readers = Path(given), {".gpl": _read_gpl, ".json": _read_json}
    if path.suffix.lower() not in readers:
        raise ValueError(
            f"Expected `palette` to be colours like #e63946, a .gpl or a .json file, got {given}. "
            "Pass palette=[#e63946,#f1faee], or reference=PICTURE for the colours of a picture."
        )
    if not path.is_file():
        raise FileNotFoundError(f"{given}: no such file. Pass palette=FILE.gpl or FILE.json.")
    try:
        text = path.read_text("utf-8-sig", errors="replace")
        with plain.said_of(given):
            return _palette(readers[path.suffix.lower()](text), "a palette")
    except RecursionError as error:
        raise ValueError(f"{given}: expected a palette, got one nested too deeply.") from error


def palette_of_reference(reference: str, jobs: Iterable[Job], max_pixels: int) -> Palette:
    """Take the colours of a picture by their area.

    Args:
        reference: File of the picture.
        jobs: Drawings to be painted, none of which it is.
        max_pixels: Largest number of pixels that it may have.

    Raises:
        FileNotFoundError: there is no such file.
        IsADirectoryError: it is a folder.
        ValueError: it is no picture, one of the drawings, or grey.
    """
    path = Path(reference)
    if path.is_dir():
        raise IsADirectoryError(
            f"{reference}: expected a picture as `reference`, got a folder. Pass one of its files."
        )
    if not path.is_file():
        raise FileNotFoundError(f"{reference}: no such file. Pass reference=PICTURE.")
    if any(job.source != STDIO and job.source.resolve() == path.resolve() for job in jobs):
        raise ValueError(
            f"{reference}: expected a picture in colour as `reference`, got one of the drawings. "
            "Pass a painted picture."
        )
    found = palette_of(_calm(read_picture(path, max_pixels).rgb))
    if not np.ptp(found.colours.astype(int), axis=1).max(initial=0) > GREY:
        raise ValueError(
            f"{reference}: expected a picture in colour as `reference`, got a grey one. Pass a "
            "painted picture, or palette=[#rrggbb,...]."
        )
    return found


def _calm(picture: np.ndarray) -> np.ndarray:
    """Pixels (P, 3) of a picture (H, W, 3) uint8 that lie within areas, and on no line or edge."""
    small = resize(picture, *fit_within(picture.shape, SIDE))
    around = np.ones((5, 5), np.uint8)
    apart = cv2.dilate(small, around) - cv2.erode(small, around)
    calm = apart.max(2) <= CALM
    return small[calm] if calm.mean() > FEW else small.reshape(-1, 3)


def hexadecimal(palette: Palette) -> list[str]:
    """The colours of a palette as people write them, "#rrggbb"."""
    return ["#" + bytes(colour.tolist()).hex() for colour in palette.colours]


def _palette(entries: list[tuple[Color, float]], what: str) -> Palette:
    """A palette of colours and shares, where all of these are told."""
    shares: dict[Color, float] = {}
    for colour, share in entries:
        shares[colour] = shares.get(colour, 0.0) + share
    if not 0 < len(shares) <= MOST:
        raise ValueError(
            f"Expected {what} of 1 to {MOST} colours, got {len(shares) or 'none'}. Pass those that "
            "the picture is to have."
        )
    shares.pop(WHITE, None)
    if not shares:
        raise ValueError(
            f"Expected {what} with a colour besides white, which paper has without it, got none. "
            "Add one."
        )
    told = np.array(list(shares.values()), np.float32)
    portions = told / told.sum() if told.all() else np.zeros_like(told)
    return Palette(np.array(list(shares), np.uint8), portions)


def _color(value: str) -> Color:
    try:
        return plain.color(value)
    except ValueError as error:
        raise ValueError(
            f"Expected a colour like #e63946 in `palette`, got {shortened(value)}. Write # and two "
            "hexadecimal digits each for red, green and blue; a file stands alone, without [ ]."
        ) from error


def _read_gpl(text: str) -> list[tuple[Color, float]]:
    """Colours of a GIMP palette: `red green blue name` on each line."""
    first, *lines = text.splitlines() or [""]
    if first.strip() != GPL:
        raise ValueError(
            f"Expected the first line {GPL!r}, got {shortened(first)}. Save it as a GIMP palette."
        )
    entries = []
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.lstrip().startswith("#") or _is_header(line):
            continue
        match = re.match(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(?=\s|$)", line, re.ASCII)
        red, green, blue = map(int, match.groups()) if match else (256, 256, 256)
        if max(red, green, blue) > 255:
            raise ValueError(
                f"Expected red, green and blue from 0 to 255 on line {number}, got "
                f"{shortened(line)}. The file may be cut off; save it again."
            )
        entries.append(((red, green, blue), 0.0))
    return entries


def _is_header(line: str) -> bool:
    return line.startswith(("Name:", "Columns:", "Channels:"))


def _read_json(text: str) -> list[tuple[Color, float]]:
    """Colours of a list, or of an object with their shares."""
    read = plain.parsed(text, "a palette")
    if isinstance(read, list):
        return [(plain.color(value), 0.0) for value in read]
    if not isinstance(read, dict):
        raise ValueError(
            f"Expected a list of colours, or an object with a share for each, got "
            f'{shortened(read)}. Write ["#e63946", "#f1faee"].'
        )
    for colour, share in read.items():
        if not is_number(share) or share <= 0:
            raise ValueError(
                f"Expected the share of {shortened(colour)} to be a number above 0, got "
                f"{shortened(share)}. Write how much of the picture has it, 0.4 for instance."
            )
    return [(plain.color(colour), float(share)) for colour, share in read.items()]

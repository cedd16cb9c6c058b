"""Layers for painting programs: paper, one layer for each flat colour, lines multiplied above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import cv2
import numpy as np

from sketch2paint.images.convert import codes, strips

CLEAR = 160  # level of a drawing above which a pixel shows its colour
RGB = tuple[int, int, int]
WHITE: RGB = (255, 255, 255)  # of paper: what nothing is painted on
MOST = 255  # colours beside the paper: a label is a byte


class Layer(NamedTuple):
    """One layer of a picture.

    Attributes:
        name: Name that painting programs show.
        pixels: Pixels (h, w, 4) uint8 RGBA, of the whole picture or of a part.
        x: Column of the picture in which the pixels begin.
        y: Row of the picture in which the pixels begin.
        blend: Way that the layer meets what lies below.
    """

    name: str
    pixels: np.ndarray
    x: int = 0
    y: int = 0
    blend: Literal["normal", "multiply"] = "normal"


def soft_layers(colours: np.ndarray, lines: np.ndarray) -> list[Layer]:
    """Two layers, colours (H, W, 3) and above them the lines (H, W), multiplied; both uint8.

    Black ink with transparency would be the same only where programs mix the values, as Krita
    does; GIMP mixes light.
    """
    grey = np.dstack([lines] * 3)
    return [
        Layer("Colours", opaque(colours)),
        Layer("Lines", opaque(grey), blend="multiply"),
    ]


def flat_layers(
    colours: np.ndarray,
    *,
    lines: np.ndarray,
    paper: RGB = WHITE,
    names: Mapping[RGB, str] | None = None,
) -> Iterator[Layer]:
    """Take flats apart into Paper, one layer for each colour, largest area first, and Lines.

    The layers are made one at a time, as a page of each would fill the memory. All but Paper are
    cut to where they are. Laid over each other they are `multiplied(colours, lines)`.

    Args:
        colours: Flats (H, W, 3) uint8, without a blended pixel and without lines.
        lines: Drawing (H, W) uint8, dark lines on white.
        paper: Colour of what nothing is painted on.
        names: Names for colours, as a palette has them; a layer's name begins with the hex value.

    Raises:
        ValueError: the pictures are no such arrays, or there are more than 255 colours beside the
            paper's.
    """
    if colours.shape != (*lines.shape, 3) or {colours.dtype, lines.dtype} != {np.dtype(np.uint8)}:
        raise ValueError(
            "Expected `colours` to be (H, W, 3) and `lines` (H, W), both uint8 and of one size, "
            f"got {colours.shape} {colours.dtype} and {lines.shape} {lines.dtype}."
        )
    labels, found = _labelled(colours, paper)  # now: what is wrong is not said layers later
    return _layers(labels, found, lines=lines, paper=paper, names=names or {})


def multiplied(colours: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """Lay lines over colours: colours * lines / 255, rounded to the nearest.

    No product lies half way between two values, as 255 is odd. So whoever rounds to the nearest,
    as Krita and GIMP do, gets the same picture, bit for bit.

    Args:
        colours: Colours (H, W, 3) uint8.
        lines: Lines (H, W) uint8, 255 where there is no line.

    Returns:
        (H, W, 3) uint8.
    """
    picture = np.empty_like(colours)
    for here in strips(*lines.shape):
        grey = cv2.cvtColor(np.ascontiguousarray(lines[here]), cv2.COLOR_GRAY2RGB)
        picture[here] = cv2.multiply(np.ascontiguousarray(colours[here]), grey, scale=1 / 255)
    return picture


def _labelled(colours: np.ndarray, paper: RGB) -> tuple[np.ndarray, dict[int, RGB]]:
    """(H, W) uint8 labels, 0 for paper, and the colours of the others, largest area first."""
    table = np.zeros(1 << 24, np.uint8)  # of all colours: to sort a page's pixels takes seconds
    for here in strips(*colours.shape[:2]):
        table[codes(colours[here])] = 1
    table[codes(np.array(paper, np.uint8))] = 0
    found = np.flatnonzero(table)
    if len(found) > MOST:
        raise ValueError(
            f"Expected at most {MOST} colours beside the paper's, got {len(found)}. Cap the number "
            "of colours, or write the picture without layers."
        )
    table[found] = np.arange(1, len(found) + 1)
    labels, areas = np.empty(colours.shape[:2], np.uint8), np.zeros(MOST + 1, np.int64)
    for here in strips(*colours.shape[:2]):
        labels[here] = table[codes(colours[here])]
        areas += np.bincount(labels[here].ravel(), minlength=MOST + 1)
    order = np.argsort(-areas[1 : len(found) + 1], kind="stable")
    return labels, {int(i) + 1: _rgb(int(found[i])) for i in order}


def _rgb(code: int) -> RGB:
    return code >> 16, code >> 8 & 255, code & 255


def _layers(
    labels: np.ndarray,
    found: dict[int, RGB],
    *,
    lines: np.ndarray,
    paper: RGB,
    names: Mapping[RGB, str],
) -> Iterator[Layer]:
    yield Layer("Paper", _plain(paper, np.full_like(lines, 255)))
    for label, colour in found.items():
        mask = cv2.inRange(labels, label, label)
        y, x = _box(mask)
        yield Layer(_name(colour, names), _plain(colour, mask[y, x]), x.start, y.start)
    y, x = _box(255 - lines)
    yield Layer("Lines", opaque(np.dstack([lines[y, x]] * 3)), x.start, y.start, "multiply")


def _name(colour: RGB, names: Mapping[RGB, str]) -> str:
    """#rrggbb, and the palette's name, which may come from any file: what cannot be shown goes."""
    name = f"#{bytes(colour).hex()} {names.get(colour, '')}"
    return "".join(filter(str.isprintable, name)).strip()


def opaque(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 to (H, W, 4), nowhere transparent."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def _plain(colour: RGB, mask: np.ndarray) -> np.ndarray:
    """One colour as (h, w, 4), where the mask (h, w) is 255; elsewhere transparent."""
    pixels = np.empty((*mask.shape, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = colour, mask
    return pixels


def _box(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns around what is not 0 in (H, W); one pixel where there is nothing."""
    x, y, width, height = cv2.boundingRect(mask)
    return slice(y, y + max(height, 1)), slice(x, x + max(width, 1))

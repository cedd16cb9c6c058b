"""A frame whose colours are known, taken apart: palette, labels, regions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from sketch2paint.animation.motion import LinePicture
from sketch2paint.animation.shapes import Shapes, shapes_of
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.images.convert import codes

CLEAR = 230  # grey from which on a pixel shows its colour
UNLIKE = 12  # levels in some channel by which colours of a palette differ more
SHADED = 48  # the same in a shaded key: shades of one colour are one
SPOT = 6  # pixels: a smaller spot is no colour of a room
MOST = 200  # colours of a palette
FLAT = 0.97  # of the clear pixels are a colour of the palette: the key is no shaded one
OFF_LINES = 48  # levels in some channel from one pixel to the next that make an edge
NEAR_LINES = 3  # pixels at 512: an edge that near to a line is the line's


class Parts(NamedTuple):
    """What is of one region, one colour and one room in a key.

    Attributes:
        numbers: Map (H, W) int32 of the parts.
        regions: Number (n,) of each part's region.
        labels: Number (n,) uint8 of each one's colour in the palette.
        rooms: Number (n,) int32 of each one's room, 0 for none.
    """

    numbers: np.ndarray
    regions: np.ndarray
    labels: np.ndarray
    rooms: np.ndarray


@dataclass(frozen=True)
class Key:
    """A frame whose colours are known.

    Attributes:
        name: Name for messages and the record.
        drawing: Drawing (H, W) uint8 of the frame.
        colours: Colours (H, W, 3) uint8 without lines.
        palette: Colours (P, 3) uint8 that occur, the most frequent first.
        labels: Map (H, W) uint8 of the palette's colour of each pixel.
        regions: Regions of the drawing.
        rooms: Map (H, W) int32 of what ink closes in and has several colours, which meet without a
            line, counted from 1; 0 for the rest.
        lines: Picture of the lines that motion sees.
        flat: Whether the colours have no shading.
    """

    name: str
    drawing: np.ndarray
    colours: np.ndarray
    palette: np.ndarray
    labels: np.ndarray
    regions: Regions
    rooms: np.ndarray
    lines: LinePicture
    flat: bool

    @cached_property
    def shapes(self) -> tuple[Shapes, np.ndarray]:
        """Silhouettes of the regions, and of each the number in the palette of its colour."""
        found, colours = shapes_of(self.regions.labels), len(self.palette)
        cells = self.regions.labels.astype(np.int64) * colours + self.labels
        table = np.bincount(cells.ravel(), minlength=self.regions.count * colours)
        return found, table.reshape(-1, colours).argmax(1)[found.numbers]

    @cached_property
    def parts(self) -> Parts:
        """What is of one region, one colour and one room: one map tells all three."""
        pairs, [regions, labels] = _together(self.regions.labels, self.labels)
        numbers, [of, rooms] = _together(pairs, self.rooms)
        return Parts(numbers, regions[of], labels[of].astype(np.uint8), rooms.astype(np.int32))


def make_key(
    drawing: np.ndarray, picture: np.ndarray, *, name: str = "", colours: np.ndarray | None = None
) -> Key:
    """Take a frame in colour apart.

    Args:
        drawing: Drawing (H, W) uint8, dark lines on white.
        picture: Frame in colour (H, W, 3) uint8, with or without the lines.
        name: Name for messages.
        colours: Colours (H, W, 3) uint8 without lines where they are known.

    Raises:
        ValueError: the picture has another size.
    """
    check_size(name or "key", drawing, picture)
    clear = drawing > CLEAR
    if not clear.any():
        clear[:] = True
    plain = spread(picture, clear) if colours is None else colours
    palette, labels, flat = _labelled(plain, clear)
    regions = find_regions(drawing)
    return Key(
        name=name,
        drawing=drawing,
        colours=plain,
        palette=palette,
        labels=labels,
        regions=regions,
        rooms=_rooms(labels, regions.ink),
        lines=LinePicture(drawing),
        flat=flat,
    )


def check_size(name: Path | str, drawing: np.ndarray, picture: np.ndarray) -> None:
    """Raise a ValueError, which begins with a name, if a key is not as large as its drawing."""
    if picture.shape != (*drawing.shape, 3):
        (height, width), (h, w) = drawing.shape, picture.shape[:2]
        raise ValueError(
            f"{name}: expected a key of its frame's size, {width} x {height}, got {w} x {h}. "
            "Scale it to that size."
        )


def _labelled(colours: np.ndarray, clear: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Palette, labels (H, W), and whether the clear pixels have no shading."""
    palette = palette_of(colours[clear])
    labels = nearest_colours(colours, palette)
    off = np.abs(colours[clear].astype(np.int16) - palette[labels[clear]]).max(1)
    if (off <= 2).mean() >= FLAT:
        return palette, labels, True
    palette = palette_of(colours[clear], SHADED)
    return palette, nearest_colours(colours, palette), False


def palette_of(colours: np.ndarray, unlike: int = UNLIKE) -> np.ndarray:
    """The unlike colours (P, 3) uint8 among (n, 3), the most frequent first; rare ones left out."""
    exact, counts = np.unique(codes(colours), return_counts=True)
    table = np.stack([exact >> 16, exact >> 8 & 255, exact & 255], 1)
    bins, which = np.unique((table >> 3) @ (1 << 10, 1 << 5, 1), return_inverse=True)
    mass = np.bincount(which, counts, len(bins))
    order = np.lexsort((-counts, which))
    first = order[np.searchsorted(which[order], np.arange(len(bins)))]  # each bin's most frequent
    chosen: list[np.ndarray] = []
    least = max(4, len(colours) // 65536)
    for number in np.argsort(-mass, kind="stable"):
        colour = table[first[number]]
        if (mass[number] < least and chosen) or len(chosen) == MOST:
            break
        if all(np.abs(colour - other).max() > unlike for other in chosen):
            chosen.append(colour)
    return np.array(chosen, np.uint8)


def nearest_colours(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Map (...) uint8 of the nearest of (P, 3) for colours (..., 3), by their largest channel."""
    steps = np.arange(32, dtype=np.int16) * 8 + 4
    cells = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 1, 3)
    away = np.concatenate([np.abs(part - palette).max(2) for part in np.split(cells, 8)])
    table = away.argmin(1).astype(np.uint8)
    red, green, blue = (colours[..., channel].astype(np.intp) >> 3 for channel in range(3))
    return table[red << 10 | green << 5 | blue]


def _rooms(labels: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """Map (H, W) of the rooms with several colours, reaching under the lines; see Key."""
    count, rooms = cv2.connectedComponents((~ink).astype(np.uint8), connectivity=4)
    colours = int(labels.max()) + 1
    cells = rooms[~ink].astype(np.int64) * colours + labels[~ink]
    table = np.bincount(cells, minlength=count * colours).reshape(count, colours)
    mixed = (table >= SPOT).sum(1) > 1
    number = np.where(mixed, np.cumsum(mixed), 0).astype(np.int32)
    return number[spread(rooms, ~ink) if not ink.all() else rooms]


def _together(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Map (H, W) int32 of the pairs of two maps' numbers that occur, and both numbers of each."""
    number = int(other.max()) + 1
    cells = one * np.int32(number) + other
    occur = np.bincount(cells.ravel()) > 0
    numbers = np.cumsum(occur, dtype=np.int32) - 1
    return np.take(numbers, cells), np.divmod(np.flatnonzero(occur), number)


def nearest_of(colours: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """As `nearest_colours`, exactly, for few colours (n, 3)."""
    away = np.abs(colours[:, None].astype(np.int16) - palette).max(2)
    return away.argmin(1).astype(np.uint8)


def share_off_lines(drawing: np.ndarray, picture: np.ndarray) -> float:
    """Share of a coloured picture's edges that lie near no line of the drawing, both of one size.

    Colours that meet without a line have some; a picture of another frame has most.
    """
    edges = np.zeros(drawing.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(picture.astype(np.int16), axis=axis)).max(2) > OFF_LINES
        edges |= np.pad(step, [(0, int(axis == 0)), (0, int(axis == 1))])
    if not edges.any():
        return 0.0
    reach = max(1, round(NEAR_LINES * min(drawing.shape) / 512))
    near = cv2.erode(drawing, np.ones((2 * reach + 1,) * 2, np.uint8)) < CLEAR
    return float((edges & ~near).sum() / edges.sum())


def spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values (H, W) or (H, W, C), where they are not known those of the nearest known pixel."""
    if known.all():
        return values
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros((int(nearest.max()) + 1, *values.shape[2:]), values.dtype)
    table[nearest[known]] = values[known]
    return table[nearest]

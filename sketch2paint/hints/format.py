"""Colour hints: strokes that a person drew, as JSON or as a painted overlay, which are equal.

{"version": 1, "size": [640, 480], "gap": null, "palette": null, "hints": [
  {"points": [[120, 80], [180, 96]], "width": 8, "color": "#e03030"},
  {"points": [[40, 300]], "width": 12, "color": "paper"},
  {"points": [[90, 10], [90, 200]], "width": 1, "color": "cut"},
  {"points": [[300, 80], [340, 90]], "width": 1, "color": "merge"}
]}
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from reprlib import repr as shortened
from typing import Any

import numpy as np

from sketch2paint.arguments import is_whole
from sketch2paint.files import written_beside
from sketch2paint.hints import plain
from sketch2paint.hints.areas import areas_of
from sketch2paint.hints.plain import said_of
from sketch2paint.hints.strokes import Color, Stroke, check_color, draw, stroke_over
from sketch2paint.images.io import FRAMES, has_frames, opened, write_picture
from sketch2paint.images.layer import WHITE
from sketch2paint.images.pixels import decode

VERSION = 1
MOST = 10_000  # strokes
LONGEST = 1_000_000  # pixels of a side
PAPER, CUT, MERGE = "paper", "cut", "merge"


@dataclass(frozen=True)
class Hints:
    """What a person says of a drawing's colours.

    Attributes:
        size: Width and height of the drawing in pixels.
        strokes: Strokes, of which later ones lie over earlier ones; 10,000 at most.
        gap: Width in pixels up to which gaps in the drawing's lines count as closed, or None.
        palette: Colours (r, g, b) that belong to the picture, wherever.
        cuts: Lines at which regions end, as at the drawing's own; their colour says nothing.
        merges: Lines that make the regions in which they lie one; neither does theirs.
        notes: Remarks on what was changed while reading; they are no part of the hints.

    Raises:
        ValueError: a value is none of these.
    """

    size: tuple[int, int]
    strokes: tuple[Stroke, ...] = ()
    gap: float | None = None
    palette: tuple[Color, ...] = ()
    cuts: tuple[Stroke, ...] = ()
    merges: tuple[Stroke, ...] = ()
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        whole = all(is_whole(side) and 1 <= side <= LONGEST for side in self.size)
        if len(self.size) != 2 or not whole:
            raise ValueError(
                "Expected `size` to be the drawing's width and height in pixels, got "
                f"{shortened(self.size)}. Pass two whole numbers from 1 to {LONGEST:,}."
            )
        if self.gap is not None and not (math.isfinite(self.gap) and self.gap >= 0):
            raise ValueError(
                f"Expected `gap` to be a number of pixels from 0 on, got {self.gap}. Leave it out "
                "where the lines have no gaps."
            )
        count = len(self.strokes) + len(self.cuts) + len(self.merges)
        if count > MOST:
            raise ValueError(
                f"Expected at most {MOST:,} strokes, got {count:,}. Leave some out; in a painted "
                "overlay use a brush of one plain colour."
            )
        for color in self.palette:
            check_color(color)

    @classmethod
    def from_json(cls, text: str | bytes) -> Hints:
        """Read the text of a hints file; points outside of the drawing are moved to its edge.

        Raises:
            ValueError: it is no JSON, of another version, or a key or a value is not as expected.
        """
        about = _object(text)
        gap = about.get("gap")
        hints = cls(
            tuple(plain.listed(about["size"], "`size`")),  # type: ignore[arg-type]
            gap=None if gap is None else plain.number(gap, "`gap`"),
            palette=_palette(about.get("palette")),
        )
        kinds: dict[str, list[Stroke]] = {PAPER: [], CUT: [], MERGE: []}
        moved = 0
        for number, hint in enumerate(plain.listed(about["hints"], "`hints`"), 1):
            with said_of(f"hint {number}"):
                stroke, outside = _stroke(hint, hints.size)
            kinds.get(hint["color"], kinds[PAPER]).append(stroke)
            moved += outside
        notes = (f"points outside of the drawing moved to its edge: {moved}",) if moved else ()
        strokes, cuts, merges = map(tuple, kinds.values())
        return replace(hints, strokes=strokes, cuts=cuts, merges=merges, notes=notes)

    def to_json(self) -> str:
        """The text of a hints file, one stroke a line."""
        about = {
            "version": VERSION,
            "size": self.size,
            "gap": None if self.gap is None else plain.short(self.gap),
            "palette": [plain.hexadecimal(color) for color in self.palette] or None,
        }
        entries = [_as_plain(stroke) for stroke in self.strokes]
        entries += [{**_as_plain(stroke), "color": CUT} for stroke in self.cuts]
        entries += [{**_as_plain(stroke), "color": MERGE} for stroke in self.merges]
        lines = ",".join(f"\n  {json.dumps(entry)}" for entry in entries)
        return f'{json.dumps(about)[:-1]}, "hints": [{lines}\n]}}\n'

    @classmethod
    def from_overlay(cls, rgba: np.ndarray) -> Hints:
        """Read strokes from a painted overlay.

        What is at least half opaque counts. Pixels of one colour that touch are a stroke, and its
        colour is their median; white (255, 255, 255) is paper. Soft edges, blended rims and noise
        make no strokes of their own, as `areas_of` says.

        Args:
            rgba: Overlay (H, W, 4) uint8, transparent where nothing is said.

        Raises:
            ValueError: it is opaque all over, or there are more than 10,000 strokes.
        """
        if (rgba[..., 3] == 255).all():
            raise ValueError(
                "Expected an overlay that is transparent where no stroke is, got an opaque "
                "picture. Paint the strokes on an empty layer and save that layer alone as PNG."
            )
        areas = list(islice(areas_of(rgba), MOST + 1))
        if len(areas) > MOST:
            raise ValueError(
                f"Expected at most {MOST:,} strokes, got more areas of one colour. Paint with a "
                "brush of one plain colour, without texture."
            )
        strokes = [_over(rgba, mask, corner) for mask, corner in areas]
        notes = () if strokes else ("wholly transparent: no hints",)
        return cls((rgba.shape[1], rgba.shape[0]), tuple(strokes), notes=notes)

    @property
    def colours(self) -> np.ndarray:
        """Colours (strokes + 1, 3) uint8 by the numbers of `marks`; paper and row 0 are white."""
        return np.array([WHITE, *(stroke.color or WHITE for stroke in self.strokes)], np.uint8)

    def overlay(self) -> np.ndarray:
        """Paint the strokes, (H, W, 4) uint8: opaque, hard edges, paper is white."""
        opaque = np.full(len(self.strokes) + 1, 255, np.uint8)
        colours = np.column_stack([self.colours, opaque])
        colours[0] = 0
        return colours[marks(self)]

    def fitted(self, size: tuple[int, int]) -> Hints:
        """Scale to a drawing of another size; the note says so.

        Args:
            size: Width and height of the drawing.

        Raises:
            ValueError: the shape differs, by more than rounding a side to pixels explains.
        """
        if size == self.size:
            return self
        (width, height), (own_width, own_height) = size, self.size
        if abs(width * own_height - height * own_width) > max(*size, *self.size):
            raise ValueError(
                f"Expected hints for a drawing of {width} x {height} pixels, or of that shape, got "
                f"hints for {own_width} x {own_height}. Pass the hints of this drawing, or draw "
                "them anew if it was cropped."
            )
        across, down = width / own_width, height / own_height
        strokes, cuts, merges = (
            tuple(_scaled(stroke, across, down) for stroke in every)
            for every in (self.strokes, self.cuts, self.merges)
        )
        note = f"hints scaled from {own_width} x {own_height} to {width} x {height}"
        gap = None if self.gap is None else self.gap * math.sqrt(across * down)
        fitted = replace(self, size=size, strokes=strokes, cuts=cuts, merges=merges, gap=gap)
        return replace(fitted, notes=(*self.notes, note))


def marks(hints: Hints) -> np.ndarray:
    """Number of the stroke that is seen at each pixel, (H, W) int32, from 1; 0 where none is."""
    numbers = np.zeros(hints.size[::-1], np.int32)
    for number, stroke in enumerate(hints.strokes, 1):
        draw(stroke, number, numbers)
    return numbers


def read_hints(path: Path | str) -> Hints:
    """Read hints from a .json file, or from a painted overlay in any picture file.

    Raises:
        ValueError: the file is neither, or something in it is not as expected.
    """
    if Path(path).suffix.lower() == ".json":
        with said_of(str(path)):
            return Hints.from_json(Path(path).read_bytes())
    rgba, notes = _read_rgba(path)
    with said_of(str(path)):
        hints = Hints.from_overlay(rgba)
    return replace(hints, notes=(*notes, *hints.notes))


def write_hints(path: Path | str, hints: Hints) -> None:
    """Write hints as .json, or as a .png overlay, whole or not at all.

    An overlay keeps neither `gap` nor `palette`, neither cuts nor merges, nor what is hidden under
    later strokes.

    Raises:
        ValueError: the name ends otherwise, or the strokes leave nothing of an overlay transparent.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        with written_beside(path) as beside:
            beside.write_text(hints.to_json(), "utf-8")
    elif suffix == ".png":
        overlay = hints.overlay()
        if overlay[..., 3].all():
            raise ValueError(
                f"{path}: expected strokes that leave some of the drawing free, as an overlay that "
                "is opaque all over cannot be read, got none free. Write .json."
            )
        write_picture(path, overlay)
    else:
        raise ValueError(f"{path}: expected a name that ends in .json or .png. Rename it.")


def _over(rgba: np.ndarray, mask: np.ndarray, corner: tuple[int, int]) -> Stroke:
    x, y = corner
    pixels = rgba[y : y + mask.shape[0], x : x + mask.shape[1], :3][mask]
    red, green, blue = (int(level) for level in np.round(np.median(pixels, axis=0)))
    return stroke_over(mask, corner, (red, green, blue))


def _read_rgba(path: Path | str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pixels (H, W, 4) uint8 of a picture file, upright, its colours sRGB, and notes."""
    with opened(path) as picture:
        notes = [FRAMES] if has_frames(picture) else []
        decode(picture, [])  # loads it with the care that some need; alone it would lay it on white
        rgba = picture.convert("RGBA")
        colours = decode(rgba.convert("RGB"), notes)
        alpha = colours._replace(rgb=rgba.getchannel("A"))
        upright = np.dstack([colours.upright(), alpha.upright()[..., 0]])
        return upright, tuple(dict.fromkeys(notes))


def _object(text: str | bytes) -> dict[str, Any]:
    """The object in a hints file of a known version, with all keys that it needs."""
    about = plain.parsed(text)
    version = about.get("version", VERSION) if isinstance(about, dict) else VERSION
    if not is_whole(version) or version != VERSION:
        raise ValueError(
            f"Expected hints of version {VERSION}, got version {shortened(version)}. Read them "
            "with the release that wrote them."
        )
    return plain.checked(about, ("version", "size", "hints"), ("gap", "palette"))


def _palette(value: Any) -> tuple[Color, ...]:
    colours = [] if value is None else plain.listed(value, "`palette`")
    with said_of("`palette`"):
        return tuple(plain.color(color) for color in colours)


def _stroke(hint: Any, size: tuple[int, int]) -> tuple[Stroke, int]:
    """A stroke of a hints file, and how many of its points lay outside of the drawing."""
    plain.checked(hint, ("points", "width", "color"))
    color = None if hint["color"] in (PAPER, CUT, MERGE) else plain.color(hint["color"])
    points, outside = plain.points(hint["points"], size)
    return Stroke(points, plain.number(hint["width"], "`width`"), color), outside


def _as_plain(stroke: Stroke) -> dict[str, Any]:
    return {
        "points": [[plain.short(x), plain.short(y)] for x, y in stroke.points],
        "width": plain.short(stroke.width),
        "color": PAPER if stroke.color is None else plain.hexadecimal(stroke.color),
    }


def _scaled(stroke: Stroke, across: float, down: float) -> Stroke:
    """A stroke in pixels of another size; (0, 0) is the middle of a pixel, hence the halves."""
    points = (((x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5) for x, y in stroke.points)
    return replace(stroke, points=tuple(points), width=stroke.width * math.sqrt(across * down))

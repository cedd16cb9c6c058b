"""What every painter shares: pictures and hints in, pictures of the same size out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, overload

import numpy as np
from PIL import Image

from sketch2paint.arguments import is_number, is_whole, one_of
from sketch2paint.hints.format import Hints, read_hints
from sketch2paint.images.convert import to_grey
from sketch2paint.images.io import pil_to_rgb
from sketch2paint.inference.scans import normalise
from sketch2paint.models.tasks import Task

Normalise = Literal["auto", "off"]
LARGEST = 16384  # side of the largest square, of a drawing and of what a network sees
LONGEST = 1_000_000  # pixels of a strip, which has no more in all than that square
MOST = f"at most {LARGEST}x{LARGEST} pixels in all and {LONGEST:,} a side"

Sketch = TypeVar("Sketch", np.ndarray, Image.Image)
Given = Hints | Path | str | np.ndarray | None


@dataclass(frozen=True)
class Painted:
    """A coloured drawing and its layers, all of the drawing's size.

    Attributes:
        picture: Result (H, W, 3), uint8 RGB.
        colours: Colour layer (H, W, 3), uint8; `picture` is colours * lines / 255.
        lines: Line layer (H, W), uint8; 255 is no line.
        notes: Remarks on what was done to the drawing first, such as "paper lightened".
        flat: Whether `colours` has one colour for each region.
        variations: Further results, of a painter that was asked for several.
        used: Colours of the palette that regions have, as "#rrggbb".
    """

    picture: np.ndarray
    _: KW_ONLY
    colours: np.ndarray
    lines: np.ndarray
    notes: tuple[str, ...] = ()
    flat: bool = False
    variations: tuple[np.ndarray, ...] = ()
    used: tuple[str, ...] = ()


class PicturePainter(ABC):
    """Colours pictures one by one or in lists, as its `process` does it.

    Args:
        task: Task that its network was trained for.
        normalise: Treatment of scans: auto | off, see Painter.
        flats: Whether each region of a drawing gets one plain colour.
        colours: Number of colours of flats at most | auto.
        gap: Width in pixels of the widest opening that is a border | auto.

    Raises:
        ValueError: a parameter is out of its range; the message names it.
    """

    def __init__(
        self,
        task: Task,
        *,
        normalise: Normalise,
        flats: bool,
        colours: int | str,
        gap: float | str,
    ) -> None:
        one_of("normalise", normalise, Normalise)
        self.task, self.normalise = task, normalise
        self.flats, self.colours, self.gap = flats, _number_of(colours), _gap(gap)
        if flats:
            self.check_regions("flats")
        elif self.colours:
            raise ValueError(f"Expected flats=true with colours={colours}, got none. Add it.")

    @property
    @abstractmethod
    def size(self) -> int:
        """Side of the training pictures in pixels."""

    @property
    @abstractmethod
    def multiple(self) -> int:
        """Number by which the sides of what the network sees divide."""

    @property
    @abstractmethod
    def on_cpu(self) -> bool:
        """Whether the network computes on the CPU."""

    @abstractmethod
    def process(
        self, sketches: Sequence[np.ndarray], hints: Sequence[Hints | None] | None = None
    ) -> list[Painted]:
        """Colour sketches as `paint` does, and keep the layers.

        Args:
            sketches: Sketches or photographs (H, W) or (H, W, 3), uint8.
            hints: Colours that a person gave for each, or None.

        Raises:
            ValueError: a sketch or hints have another shape or type, or memory does not suffice.
        """

    @overload
    def paint(self, x: Sketch, hints: Given = None) -> Sketch: ...

    @overload
    def paint(self, x: Sequence[Sketch], hints: Given | Sequence[Given] = None) -> list[Sketch]: ...

    def paint(self, x: Any, hints: Any = None) -> Any:
        """Colour one sketch (or photograph, for the task photo), or a list of any sizes.

        The same pixels give the same picture, alone or in any list: to the bit in 32-true on a CPU.

            >>> painter = Painter.load(weights, device="cpu")
            >>> sketch = np.full((30, 40), 255, np.uint8)
            >>> sketch[10:20, 15] = 0
            >>> painter.paint(sketch).shape
            (30, 40, 3)
            >>> [picture.size for picture in painter.paint([Image.fromarray(sketch)])]
            [(40, 30)]

        Args:
            x: Sketches or photographs: PIL pictures of any mode, or arrays (H, W) or (H, W, 3)
                uint8, black lines on white, of at most 16,384 x 16,384 pixels, and 1,000,000 a
                side.
            hints: Colours that a person gave: Hints, a file of them, a painted overlay (H, W, 4)
                uint8, or None; for a list of sketches one for all or a list of them.

        Returns:
            One picture or a list, as `x` is: PIL RGB for PIL, (H, W, 3) uint8 for arrays, each of
            its sketch's own size.

        Raises:
            ValueError: a sketch or hints have another shape or type, or memory does not suffice.
        """
        if isinstance(x, np.ndarray | Image.Image):
            return self.paint([x], hints)[0]  # type: ignore[type-var]
        arrays = [pil_to_rgb(s) if isinstance(s, Image.Image) else s for s in x]
        several = isinstance(hints, Sequence) and not isinstance(hints, str)
        told = [*map(_as_hints, hints)] if several else [_as_hints(hints)] * len(arrays)
        pictures = [painted.picture for painted in self.process(arrays, told)]
        return [
            Image.fromarray(picture) if isinstance(sketch, Image.Image) else picture
            for sketch, picture in zip(x, pictures, strict=True)
        ]

    def fitted(
        self, hints: Sequence[Hints | None] | None, sketches: Sequence[np.ndarray]
    ) -> list[Hints | None]:
        """The hints for drawings of these sizes; both are checked."""
        for sketch in sketches:
            check_sketch(sketch)
        hints = hints or [None] * len(sketches)
        if len(hints) != len(sketches):
            raise ValueError(
                f"Expected hints for each of {len(sketches)} sketches, got {len(hints)}. Pass None "
                "for those without."
            )
        if any(hints):
            self.check_regions("hints")
        pairs = zip(hints, sketches, strict=True)
        return [one and one.fitted((sketch.shape[1], sketch.shape[0])) for one, sketch in pairs]

    def check_regions(self, what: str) -> None:
        """See that flats or hints, as named by `what`, can be had.

        Raises:
            ValueError: they cannot.
        """
        if self.task.lightness:
            raise ValueError(
                f"Expected no {what} for photographs: colour is found by a drawing's lines, and "
                "a photograph has none. Leave them out."
            )

    def drawings(
        self, sketches: Sequence[np.ndarray]
    ) -> tuple[list[np.ndarray], list[tuple[str, ...]]]:
        """Grey drawings (H, W), black on white, with notes; photographs stay as they are."""
        if self.task.lightness:
            return list(sketches), [()] * len(sketches)
        if self.normalise == "off":
            return [to_grey(sketch) for sketch in sketches], [()] * len(sketches)
        pairs = [normalise(sketch) for sketch in sketches]
        return [grey for grey, _ in pairs], [notes for _, notes in pairs]


def _number_of(colours: object) -> int | None:
    if colours == "auto":
        return None
    if not is_whole(colours) or colours < 1:
        raise ValueError(
            f"Expected `colours` to be auto or a number of at least 1, got {colours!r}. "
            "Pass 8, for instance."
        )
    return colours


def _gap(gap: object) -> float | None:
    if gap == "auto":
        return None
    if not is_number(gap) or gap < 0:
        raise ValueError(
            f"Expected `gap` to be auto or a number of pixels from 0 on, got {gap!r}. Pass the "
            "width of the widest gap in a line that is to hold."
        )
    return float(gap)


def _as_hints(given: Given) -> Hints | None:
    if given is None or isinstance(given, Hints):
        return given
    if isinstance(given, str | Path):
        return read_hints(given)
    shaped = isinstance(given, np.ndarray) and given.ndim == 3 and given.shape[2] == 4
    if not shaped or given.dtype != np.uint8:
        kind = f"{given.dtype} {given.shape}" if isinstance(given, np.ndarray) else type(given)
        raise ValueError(
            "Expected hints as Hints, a file, an overlay (H, W, 4) of uint8 or None, got "
            f"{kind}. Read a file with hints.format.read_hints."
        )
    return Hints.from_overlay(given)


def check_sketch(sketch: np.ndarray) -> None:
    """See that this is a picture that a painter takes.

    Raises:
        ValueError: it has another shape or type, or is too large.
    """
    if not isinstance(sketch, np.ndarray):
        raise ValueError(
            f"Expected a sketch as PIL picture or uint8 array, got {type(sketch).__name__}. "
            "Open files with PIL.Image.open."
        )
    shaped = sketch.ndim == 2 or (sketch.ndim == 3 and sketch.shape[2] == 3)
    if sketch.dtype != np.uint8 or not shaped or 0 in sketch.shape:
        raise ValueError(
            "Expected a sketch as uint8 array (H, W) or (H, W, 3), "
            f"got {sketch.dtype} {sketch.shape}."
        )
    height, width = sketch.shape[:2]
    if is_too_large(height, width):
        raise ValueError(
            f"Expected a sketch to be {MOST}, got {height}x{width}. Pass a smaller one, or pieces "
            "of it."
        )


def is_too_large(height: int, width: int) -> bool:
    """Whether a picture has more pixels than a painter takes."""
    return height * width > LARGEST**2 or max(height, width) > LONGEST

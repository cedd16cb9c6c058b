"""A first look at a shot: which frames are drawings of one size, which are new, where cuts are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from sketch2paint.animation.motion import LinePicture, carried, flow, led_to
from sketch2paint.animation.shots import Frame
from sketch2paint.images.convert import resize, scaled_size, to_grey
from sketch2paint.images.io import MAX_PIXELS
from sketch2paint.inference.scans import is_coloured

SMALL = 128  # shorter side at which frames are compared
NEAR = 24  # levels of a line picture: two pixels at that size
CUT = 0.12  # of the lines, seen from both sides, are nowhere near the other frame's


@dataclass(frozen=True)
class Look:
    """What a first look finds of a frame.

    Attributes:
        digest: Digest of its drawing, or "".
        begins: Whether a scene begins with it.
        coloured: Whether it is in colour already.
        trouble: Reason why it cannot be coloured.
    """

    digest: str = ""
    begins: bool = False
    coloured: bool = False
    trouble: str | None = None


def look_through(
    frames: Sequence[Frame], cuts: Sequence[int] | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[Look]:
    """Read each frame once.

    Args:
        frames: Frames of a shot.
        cuts: Numbers of the frames with which scenes begin; None: they are found.
        max_pixels: Largest number of pixels.

    Yields:
        What was found, in the order of the frames.
    """
    before: LinePicture | None = None
    digest, size, coloured = "", None, False
    for frame in frames:
        told = frame.number in (cuts or ())
        try:
            picture = frame.picture(max_pixels)
        except (ValueError, OSError) as error:
            yield Look(begins=told, trouble=str(error))
            continue
        drawing = to_grey(picture)
        size = size or drawing.shape
        if drawing.shape != size:
            yield Look(begins=told, trouble=_other_size(frame, drawing.shape, size))
            continue
        was, digest = digest, sha256(np.ascontiguousarray(drawing).data).hexdigest()
        if digest != was:
            here = _small(drawing)
            cut = before is not None and cuts is None and unlike(before, here) > CUT
            before, coloured = here, is_coloured(picture)
        else:
            cut = False
        yield Look(digest, begins=not was or cut or told, coloured=coloured)


def unlike(one: LinePicture, other: LinePicture) -> float:
    """Share of the lines of two drawings of one size that no motion brings near the other's."""
    return (_left(one, other) + _left(other, one)) / 2


def _left(one: LinePicture, other: LinePicture) -> float:
    lines = one.distances == 0
    if not lines.any():
        return 0.0
    places = led_to(flow(one, other), *one.distances.shape)
    return float((carried(other.distances, places)[lines] > NEAR).mean())


def _small(drawing: np.ndarray) -> LinePicture:
    scale = min(1.0, SMALL / min(drawing.shape))
    return LinePicture(resize(drawing, *scaled_size(drawing.shape, scale)))


def _other_size(frame: Frame, shape: tuple[int, ...], size: tuple[int, ...]) -> str:
    return (
        f"{frame.path}: expected a frame of the first one's size, {size[1]} x {size[0]}, got "
        f"{shape[1]} x {shape[0]}. Scale it, or colour it with predict.py."
    )


def scenes(looks: Iterable[Look]) -> list[list[int]]:
    """Places of the frames of each scene; frames that cannot be coloured are in none."""
    found: list[list[int]] = []
    begins = True
    for place, look in enumerate(looks):
        begins = begins or look.begins
        if look.trouble:
            continue
        if begins:
            found.append([])
        found[-1].append(place)
        begins = False
    return found

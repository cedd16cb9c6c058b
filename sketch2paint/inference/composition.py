"""Colour under line: a small painted picture and a large drawing to one picture at full size."""

from __future__ import annotations

import math

import cv2
import numpy as np

from sketch2paint.images.convert import mixed_rows, resize, rows, rows_around, strips
from sketch2paint.images.layer import multiplied

# Weight of a pixel by the share of paper in it: half a pixel of line leaves a sixteenth. Of the
# powers 2, 4, 8 and 16, 4 is best or near it both for true colours and for blurred, shifted ones.
TRUST = np.round(255 * (np.arange(256) / 255) ** 4).astype(np.uint8)


def compose(fake: np.ndarray, sketch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring predicted colours to a drawing's size and lay its own lines over them.

    The lines are taken out of the prediction (what is there is the colour times the share of
    paper), colours from beside the lines are spread under them, and the result is doubled in size
    again and again; each time a pixel takes its colour from the nearest pixels that hold little
    line, so that colours end at the lines. Memory beyond the results is some bytes a pixel of
    `fake` and a third of `colours`.

    Args:
        fake: Drawing as painted by the network, (h, w, 3) uint8, of any size.
        sketch: Drawing (H, W) uint8, dark lines on white.

    Returns:
        `colours` (H, W, 3) uint8 without lines, `lines` (H, W) uint8 (the sketch itself), and
        `picture` (H, W, 3) uint8, colours * lines / 255.

    Raises:
        ValueError: a picture has another shape or type.
    """
    if fake.ndim != 3 or fake.shape[2] != 3 or sketch.ndim != 2 or 0 in fake.shape + sketch.shape:
        raise ValueError(
            "Expected `fake` to be (h, w, 3) and `sketch` to be (H, W), none of them empty, "
            f"got {fake.shape} and {sketch.shape}."
        )
    if fake.dtype != np.uint8 or sketch.dtype != np.uint8:
        raise ValueError(f"Expected uint8 pictures, got {fake.dtype} and {sketch.dtype}.")
    colours = _colours(fake, sketch)
    return colours, sketch, multiplied(colours, sketch)


def _colours(fake: np.ndarray, sketch: np.ndarray) -> np.ndarray:
    """The colours without lines, of the sketch's size."""
    (height, width), (h, w) = sketch.shape, fake.shape[:2]
    paper = resize(sketch, h, w)
    colours = _without_lines(fake, paper)
    trust = cv2.LUT(paper, TRUST)
    _spread(colours, trust)
    if h > height or w > width:
        return resize(colours, height, width)
    steps = math.ceil(math.log2(max(height / h, width / w)))  # none where the sizes are the same
    for step in range(1, steps + 1):
        part = step / steps
        size = round(h * (height / h) ** part), round(w * (width / w) ** part)
        colours = _grow(colours, trust, *size)
        if step < steps:
            trust = cv2.LUT(resize(sketch, *size), TRUST)
    return colours


def _without_lines(fake: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """Divide by the share of paper, as far as no channel overflows: that would change the hue."""
    out = fake.copy()
    for here in strips(*fake.shape[:2]):
        if paper[here].min() == 255:
            continue  # white paper stays as it is
        red, green, blue = cv2.split(fake[here])
        share = np.maximum(np.maximum(red, green), np.maximum(blue, paper[here]))
        np.maximum(share, 1, out=share)
        out[here] = _rounded(fake[here] * _thrice(255 / share.astype(np.float32)))
    return out


def _spread(colours: np.ndarray, trust: np.ndarray) -> None:
    """Fill what is not trusted from around, in place: a pyramid down, and up again."""
    height, width = trust.shape
    if max(height, width) == 1 or trust.min() >= 64:
        return
    half = (height + 1) // 2, (width + 1) // 2
    coarse, coarse_trust = np.empty((*half, 3), np.uint8), np.empty(half, np.uint8)
    for here in strips(height, width):
        block = _weighted(colours[here], trust[here])
        there = slice(here.start // 2, (here.stop + 1) // 2)
        size = half[1], there.stop - there.start
        block = cv2.resize(block, size, interpolation=cv2.INTER_AREA)
        coarse[there], coarse_trust[there] = _divided(block), np.rint(block[..., 3])
    _spread(coarse, coarse_trust)
    for here in strips(height, width):
        # A pixel of which 0.7 is paper (trust 64) is left as it is.
        if trust[here].min() >= 64:
            continue
        own = np.minimum(trust[here].astype(np.float32) / 64, 1)
        around = rows(coarse, height=height, width=width, here=here)
        nearer = np.subtract(colours[here], around)
        nearer *= _thrice(own)
        colours[here] = _rounded(np.add(around, nearer, out=nearer))


def _grow(colours: np.ndarray, trust: np.ndarray, height: int, width: int) -> np.ndarray:
    """Interpolate linearly between the pixels that are trusted."""
    out = np.empty((height, width, 3), np.uint8)
    for here in strips(height, width):
        near, weights = rows_around(here, len(colours), height)
        block = _weighted(colours[near], trust[near])
        out[here] = _divided(mixed_rows(block, weights, width))
    return out


def _weighted(colours: np.ndarray, trust: np.ndarray) -> np.ndarray:
    """(h, w, 4) float32: colours times trust, and trust; never 0, so that it can be divided by."""
    weights = trust.astype(np.float32) + np.float32(0.01)
    return cv2.merge([colours * _thrice(weights), weights])


def _divided(block: np.ndarray) -> np.ndarray:
    """(h, w, 4) as `_weighted` makes it, averaged, back to (h, w, 3) uint8 colours."""
    colours = cv2.cvtColor(block, cv2.COLOR_RGBA2RGB)
    return _rounded(np.divide(colours, _thrice(cv2.extractChannel(block, 3)), out=colours))


def _thrice(values: np.ndarray) -> np.ndarray:
    """(h, w) float32 to (h, w, 3): numpy is slow where it has to spread them over colours."""
    return cv2.cvtColor(values, cv2.COLOR_GRAY2RGB)


def _rounded(values: np.ndarray) -> np.ndarray:
    """Float values from 0 to 255 to uint8; they are changed."""
    return np.rint(values, out=values).astype(np.uint8)

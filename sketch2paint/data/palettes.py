"""The palette that a training sample is given, and other true colours to learn to follow it."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.hints.palette import MOST, NO_PALETTE, Palette, palette_of
from sketch2paint.images.convert import array_to_lab

NONE = 0.5  # of the samples have no palette
RECOLOURED = 1 / 3  # of the others have other true colours than the picture: a palette is followed
TURNED = 0.5  # of these have other hues; the rest has the colours of another picture
PART = 0.3  # of the palettes lack some colours
KEPT = 0.7  # of the colours are left then
MIXED = 0.3  # of the palettes have some colours of another picture besides
TOLD = 0.5  # of the palettes say how much of each colour there is
NOISE = 3.0  # levels, of a palette's colour, where the truth is the picture's own
BRIGHT = 240  # level of a sketch above which a pixel has its colour undimmed
LIT = 30  # level of a sketch above which a pixel shows what its colour was
FINE = 24  # colours of a picture that are told apart when it is given others


def palette_of_picture(picture: np.ndarray, most: int = MOST) -> Palette:
    """Palette of a picture (H, W, 3 or 4) uint8; where there is a sketch, what lies off lines."""
    pixels = picture[..., :3].reshape(-1, 3)
    clear = pixels[picture[..., 3].ravel() > BRIGHT] if picture.shape[2] > 3 else pixels
    return palette_of(clear, most)


def draw_truth(rng: np.random.Generator, picture: np.ndarray, other: Palette) -> np.ndarray:
    """Draw true colours to go with a palette: the picture's own, or others of which equal stay so.

    Args:
        rng: Source of all chance.
        picture: True colours and sketch, (H, W, 4) uint8.
        other: Palette of another picture.

    Returns:
        (H, W, 3) uint8; where it is recoloured, lines and paper are as they were.
    """
    real = np.ascontiguousarray(picture[..., :3])
    if rng.random() >= RECOLOURED:
        return real
    if rng.random() < TURNED or not len(other.colours):
        return turned(real, int(rng.integers(20, 236)))
    return _exchanged(rng, real=real, sketch=picture[..., 3], other=other)


def draw_palette(
    rng: np.random.Generator, *, truth: np.ndarray, sketch: np.ndarray, other: Palette, exact: bool
) -> Palette:
    """Draw the palette of a training sample.

    Args:
        rng: Source of all chance.
        truth: True colours (H, W, 3) uint8.
        sketch: Drawing (H, W) uint8.
        other: Palette of another picture, of which some colours may be mixed in.
        exact: Whether the colours are the truth's to the bit.
    """
    colours, portions = palette_of_picture(np.dstack([truth, sketch]))
    if not exact:
        noisy = colours + rng.normal(0, NOISE, colours.shape)
        colours = np.rint(noisy).clip(0, 255).astype(np.uint8)
    if rng.random() < PART:
        left = rng.random(len(colours)) < KEPT
        colours, portions = colours[left], portions[left]
    if rng.random() < MIXED and len(other.colours):
        some = rng.permutation(len(other.colours))[: rng.integers(1, len(other.colours) + 1)]
        colours = np.concatenate([colours, other.colours[some]])
        portions = np.concatenate([portions, other.portions[some]])
    if not len(colours):
        return NO_PALETTE
    told = rng.random() < TOLD
    return Palette(colours, portions / portions.sum() * np.float32(told))


def turned(real: np.ndarray, angle: int) -> np.ndarray:
    """A picture (H, W, 3) uint8 with all hues turned by an angle, 256 for a full turn."""
    hsv = cv2.cvtColor(real, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(angle)  # wraps as hues do
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


def _exchanged(
    rng: np.random.Generator, *, real: np.ndarray, sketch: np.ndarray, other: Palette
) -> np.ndarray:
    """A picture whose colours are replaced by those of another, one by one."""
    lit = sketch > LIT
    if not lit.any():
        return real
    light = sketch[lit][:, None] / np.float32(255)
    colour = np.minimum(real[lit] / light, 255).astype(np.uint8)  # under the line's grey
    bright = sketch[lit] > BRIGHT
    own = np.concatenate([[[255, 255, 255]], palette_of(colour[bright], FINE).colours])
    lab, own_lab = (array_to_lab(rgb[None].astype(np.uint8))[0] for rgb in (colour, own))
    distance = (own_lab**2).sum(1) - 2 * lab @ own_lab.T  # as far as it differs between them
    theirs = np.resize(rng.permutation(other.colours), (len(own) - 1, 3))
    new = np.concatenate([[[255, 255, 255]], theirs])[distance.argmin(1)]
    exchanged = real.copy()
    exchanged[lit] = np.rint(new * light).astype(np.uint8)
    return exchanged

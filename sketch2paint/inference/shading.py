"""A generator's light and dark, laid over the plain colours of regions."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.images.convert import strips
from sketch2paint.inference.flats import shade

RIM = 1 / 40  # of the shorter side: so far from a line shading is whole


def laid_over(
    base: np.ndarray, *, which: np.ndarray, table: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Give regions their colours, with the light and dark that a generator made of the drawing.

    Args:
        base: Colours without lines (H, W, 3), uint8, as the generator has them.
        which: Number of a colour for each pixel, (H, W).
        table: Colours (n, 3) uint8; white is left white.
        free: Map (H, W) bool of the pixels that are no line.

    Returns:
        (H, W, 3) uint8; what `background` finds stays plain.
    """
    shaded = shade(base, filled=which, said=table, free=free)
    return off_lines(table[which], shaded, free=free & ~background(which))


def off_lines(flats: np.ndarray, shaded: np.ndarray, *, free: np.ndarray) -> np.ndarray:
    """Shading that grows with the distance from lines, beside which it is a blurred line's.

    Args:
        flats: One colour for each region, (H, W, 3) uint8.
        shaded: The same with a generator's differences of lightness.
        free: Map (H, W) bool of what may be shaded; lines are not.

    Returns:
        (H, W, 3) uint8; medians of regions stay.
    """
    grown = RIM * min(free.shape)
    far = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    out = np.empty_like(flats)
    for here in strips(*free.shape):
        share = np.minimum(far[here] / grown, 1)[..., None]
        flat = flats[here].astype(np.float32)
        out[here] = np.rint(flat + share * (shaded[here] - flat))
    return out


def background(which: np.ndarray) -> np.ndarray:
    """Where what touches two sides of the sheet lies, (H, W) bool: a generator shades its rim."""
    touched = np.zeros(int(which.max()) + 1, np.int32)
    for side in (which[0], which[-1], which[:, 0], which[:, -1]):
        touched[np.unique(side)] += 1
    behind: np.ndarray = (touched > 1)[which]
    return behind

"""Colours without the outlines that were drawn on them, and with others."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.images.layer import CLEAR, multiplied

BASE = 256  # the shorter side for which lengths are given
PAPER = 240  # level of a sketch above which nothing is drawn
THICK = 10.0  # px at BASE: ink that is somewhere further from clear paper is a filled shape there


def without_outlines(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours of a picture in which an outline has the colour of the nearest place without one.

    So other lines can be drawn on it: thinner ones, or those that the colours' own edges give.

    Args:
        picture: True colours and sketch, (H, W, 4) uint8.

    Returns:
        Colours (H, W, 3) uint8, and where filled shapes are, which stay, (H, W) bool.
    """
    real, drawn = picture[..., :3], (picture[..., 3] <= PAPER).astype(np.uint8)
    if drawn.all():
        return np.ascontiguousarray(real), np.zeros(drawn.shape, bool)
    away, nearest = cv2.distanceTransformWithLabels(
        drawn, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    clear = drawn == 0
    source = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    source[nearest[clear]] = real[clear]
    shape = opened(away, THICK * min(drawn.shape) / BASE)
    return np.where(shape[..., None], real, source[nearest]), shape & ~clear


def opened(depth: np.ndarray, radius: float) -> np.ndarray:
    """Where a disc of this radius fits into ink (morphological opening), (H, W) bool.

    Args:
        depth: Distance of each pixel to what is no ink, (H, W) float32.
        radius: In pixels. Time does not grow with it.
    """
    elsewhere = (depth <= radius).astype(np.uint8)
    return cv2.distanceTransform(elsewhere, cv2.DIST_L2, 5) <= radius


def with_lines(rgb: np.ndarray, sketch: np.ndarray) -> np.ndarray:
    """Colours (H, W, 3) with a sketch's (H, W) lines laid on, but not its grey shading; uint8."""
    return np.where(sketch[..., None] > CLEAR, rgb, multiplied(rgb, sketch))

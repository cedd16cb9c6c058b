"""The colours that a region network names: k-means in Lab of those in the training pictures."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.data.dataset import Fitted
from sketch2paint.images.convert import array_to_lab, lab_to_array

PICTURES = 2000  # looked at, at most, evenly over the set
PIXELS = 40  # taken of each
LIGHT = 200  # level of a sketch above which a pixel shows its colour
PAPER = 4.0  # Lab units from white that are white


def colours_of(pictures: Fitted, count: int, seed: int = 0) -> np.ndarray:
    """Choose colours that stand for those of the pictures; rare ones by the root of their area.

    Args:
        pictures: Fitted pictures, RGB and perhaps the sketch as a fourth channel.
        count: Number of colours.
        seed: Seed of the choice.

    Returns:
        RGB (count, 3) uint8, the first one white paper; too few ones in the pictures are repeated.
    """
    rng = np.random.default_rng(seed)
    step = -(-len(pictures) // PICTURES)
    some = [_pixels(pictures[index], rng) for index in range(0, len(pictures), step)]
    white = np.full((1, 3), 255, np.uint8)
    lab = array_to_lab(np.concatenate([white, *some])[None])[0]
    lab = lab[np.abs(lab - (100, 0, 0)).max(1) > PAPER]
    if count == 1 or not len(lab):
        return np.repeat(white, count, 0)
    lab = np.resize(lab, (max(len(lab), count), 3))
    cv2.setRNGSeed(seed)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 40, 0.1)
    _, _, centres = cv2.kmeans(lab, count - 1, None, stop, 2, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    return np.concatenate([white, lab_to_array(centres[None])[0]])


def _pixels(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some pixels of a picture's colours, (P, 3): each colour by the root of its area."""
    rgb = picture[..., :3].reshape(-1, 3)
    if picture.shape[2] > 3:
        rgb = rgb[picture[..., 3].ravel() > LIGHT]
    if not len(rgb):
        return rgb
    red, green, blue = (rgb >> 4).astype(np.int32).T
    _, which, areas = np.unique(
        red << 8 | green << 4 | blue, return_inverse=True, return_counts=True
    )
    weight = 1 / np.sqrt(areas[which])
    return rgb[rng.choice(len(rgb), PIXELS, p=weight / weight.sum())]

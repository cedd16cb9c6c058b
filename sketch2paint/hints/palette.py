"""The colours of a picture without their places: a palette."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sketch2paint.images.convert import array_to_lab

MOST = 8  # entries that are taken of a picture
ALIKE = 10.0  # units of Lab; colours that are nearer are one entry
PAPER = 6.0  # units of Lab from white that are white
LEAST = 0.005  # of the coloured area: what has less is noise, or the edge of something


class Palette(NamedTuple):
    """Colours, and how much of a picture's coloured area each has.

    Attributes:
        colours: RGB, (M, 3) uint8.
        portions: Shares of the coloured area, (M,) float32; 0 where that is not known.
    """

    colours: np.ndarray
    portions: np.ndarray


NO_PALETTE = Palette(np.zeros((0, 3), np.uint8), np.zeros(0, np.float32))


def palette_of(pixels: np.ndarray, most: int = MOST) -> Palette:
    """Find the colours of pixels by their area, white paper left out and like ones joined.

    Args:
        pixels: RGB (P, 3) uint8.
        most: Number of entries, above which the rarest are left out.
    """
    if not len(pixels):
        return NO_PALETTE
    colours, areas = _binned(pixels)
    lab = array_to_lab(colours[None])[0]
    rest = np.flatnonzero(np.linalg.norm(lab - (100, 0, 0), axis=1) > PAPER)
    rest = rest[np.argsort(-areas[rest], kind="stable")]
    least, found = LEAST * areas[rest].sum(), []
    while len(rest):
        near = np.linalg.norm(lab[rest] - lab[rest[0]], axis=1) < ALIKE
        found.append((colours[rest[0]], areas[rest[near]].sum()))
        rest = rest[~near]
    found = sorted((one for one in found if one[1] >= least), key=lambda one: -one[1])[:most]
    if not found:
        return NO_PALETTE
    entries, area = (np.array(part) for part in zip(*found, strict=True))
    return Palette(entries, (area / area.sum()).astype(np.float32))


def _binned(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (K, 3) uint8 that stand for pixels, and their areas (K,): means of 32^3 bins."""
    red, green, blue = (pixels >> 3).astype(np.int32).T
    code = red << 10 | green << 5 | blue
    areas = np.bincount(code)
    used = np.flatnonzero(areas)
    sums = [np.bincount(code, pixels[:, channel])[used] for channel in range(3)]
    means = np.rint(np.stack(sums, 1) / areas[used][:, None])
    return means.astype(np.uint8), areas[used]

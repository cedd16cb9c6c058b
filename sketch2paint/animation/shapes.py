"""Regions that look alike in two drawings, wherever they are: what enters or comes out again."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import find_objects

SIDE = 16  # pixels of a silhouette's side
LEAST = 12  # pixels: of a smaller region a silhouette says nothing
ALIKE = 0.75  # of two silhouettes' area and of their sizes is shared: they begin to be alike


class Shapes(NamedTuple):
    """Silhouettes of a drawing's regions that no edge of the frame cuts.

    Attributes:
        numbers: Numbers (n,) of the regions.
        sizes: Heights and widths (n, 2) in pixels.
        silhouettes: Shares (n, SIDE * SIDE) float32 of the region in each cell of its box.
    """

    numbers: np.ndarray
    sizes: np.ndarray
    silhouettes: np.ndarray


def shapes_of(labels: np.ndarray, wanted: np.ndarray | None = None) -> Shapes:
    """Silhouettes of the regions of a map (H, W) int32; of those wanted (regions,) bool alone."""
    height, width = labels.shape
    numbers, sizes, silhouettes = [], [], []
    for number, box in enumerate(find_objects(labels + 1)):
        if box is None or (wanted is not None and not wanted[number]):
            continue
        down, across = box
        cut = 0 in (down.start, across.start) or down.stop == height or across.stop == width
        mask = (labels[box] == number).astype(np.float32)
        if cut or mask.sum() < LEAST:
            continue
        numbers.append(number)
        sizes.append(mask.shape)
        silhouettes.append(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_AREA).ravel())
    return Shapes(
        np.array(numbers, np.intp),
        np.array(sizes, np.float32).reshape(-1, 2),
        np.array(silhouettes, np.float32).reshape(-1, SIDE * SIDE),
    )


def likeness(shapes: Shapes, others: Shapes) -> np.ndarray:
    """(n, m) float32: 0 for regions that are not alike, 1 for the same silhouette and size."""
    found = np.zeros((len(shapes.numbers), len(others.numbers)), np.float32)
    for row, size, silhouette in zip(found, shapes.sizes, shapes.silhouettes, strict=True):
        shared = np.minimum(silhouette, others.silhouettes).sum(1)
        whole = np.maximum(silhouette, others.silhouettes).sum(1)
        ratio = np.minimum(size / others.sizes, others.sizes / size).min(1)
        row[:] = np.clip((shared / whole * ratio - ALIKE) / (1 - ALIKE), 0, 1) ** 2
    return found

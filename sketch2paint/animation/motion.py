"""Where each pixel of a drawing was in another one: dense flow between pictures of their lines."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.images.convert import resize, scaled_size

SMALLEST = 32  # side of what the method takes
WORK = 512  # shorter side at most at which motion is found
DARK = 190  # grey of a line
STEEP = 12 * 256  # levels for a pixel of distance, times the shorter side: bare lines hold nothing


class LinePicture:
    """A drawing as motion sees it: how far each pixel is from the nearest line.

    Args:
        drawing: Drawing (H, W) uint8, dark lines on white.

    Attributes:
        distances: Picture (h, w) uint8, 0 on lines, white far from them; the shorter of h
            and w is at most WORK.
    """

    def __init__(self, drawing: np.ndarray) -> None:
        size = scaled_size(drawing.shape, min(1.0, WORK / min(drawing.shape)))
        small = resize(drawing, *size)
        free = (small > DARK).astype(np.uint8)
        far = cv2.distanceTransform(free, cv2.DIST_L2, 5) if not free.all() else small * 1.0
        self.distances = np.minimum(far * (STEEP / min(size)), 255).astype(np.uint8)


def flow(here: LinePicture, there: LinePicture, near: np.ndarray | None = None) -> np.ndarray:
    """Find where the pixels of one drawing are in another one of the same size.

    Args:
        near: Flow to begin with.

    Returns:
        (h, w, 2) float32: what to add to a pixel's x and y, in pixels of the line pictures.
    """
    if min(here.distances.shape) < SMALLEST:
        return np.zeros((*here.distances.shape, 2), np.float32) if near is None else near
    one, other = here.distances, there.distances
    if near is None:
        return np.asarray(_FRESH.calc(one, other, None), np.float32)  # type: ignore[call-overload]
    return np.asarray(_NEAR.calc(one, other, near.copy()), np.float32)


def _method() -> cv2.DISOpticalFlow:
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setVariationalRefinementIterations(0)  # it costs a third, and distances need none
    return method


# Whoever was once given a flow to begin with uses it again where none is given.
_FRESH, _NEAR = _method(), _method()


def chained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One flow after the other: to where the second leads from where the first one led."""
    height, width = first.shape[:2]
    x, y = cv2.split(_place(height, width) + first)
    edge = cv2.BORDER_REPLICATE
    return first + cv2.remap(second, x, y, cv2.INTER_LINEAR, borderMode=edge)


def led_to(found: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, 2) int16: x and y of the pixel of a drawing to which each one is led by a flow."""
    h, w = found.shape[:2]
    large = cv2.resize(found, (width, height)) if (h, w) != (height, width) else found
    x, y = cv2.split(large)
    x, y = x * np.float32(width / w), y * np.float32(height / h)
    x += np.arange(width, dtype=np.float32)
    y += np.arange(height, dtype=np.float32)[:, None]
    return cv2.convertMaps(x, y, cv2.CV_16SC2, nninterpolation=True)[0]


def carried(picture: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Take each pixel's value from its place, as of `led_to`; what leads over the edge ends there.

    Args:
        picture: Picture (H, W) or (H, W, 3) uint8, or map (H, W) int32 of numbers below 2 ** 24.
    """
    exact = picture.astype(np.float32) if picture.dtype == np.int32 else picture
    nowhere = np.empty(0, np.uint16)
    edge = cv2.BORDER_REPLICATE
    taken = cv2.remap(exact, places, nowhere, cv2.INTER_NEAREST, borderMode=edge)
    return taken.astype(picture.dtype, copy=False)


def beyond(places: np.ndarray) -> np.ndarray:
    """(H, W) bool: whose place, as of `led_to`, is over the edge."""
    height, width = places.shape[:2]
    return cv2.inRange(places, (0, 0), (width - 1, height - 1)) == 0


def _place(height: int, width: int) -> np.ndarray:
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    return np.dstack(np.meshgrid(across, down))

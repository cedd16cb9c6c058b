"""The warping error of Lai et al. (ECCV 2018): what changes against the motion."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from sketch2paint.animation.motion import SMALLEST, beyond, carried, chained, led_to
from sketch2paint.images.convert import rgb_to_grey

PART, REST = 0.01, 0.5  # there and back, of the motion and in pixels, squared (Ruder et al., 2016)


class Step(NamedTuple):
    """The motion from a frame to the next one.

    Attributes:
        places: Places (H, W, 2) int16 in the next frame of the pixels of this one.
        seen: Whether the next frame shows them, (H, W) bool.
    """

    places: np.ndarray
    seen: np.ndarray


def step_between(here: np.ndarray, there: np.ndarray) -> Step:
    """Find the motion of a true picture (H, W, 3) uint8 to the next one by their greys.

    Not by lines: so it is that of no way that is measured. A pixel is seen if the way there and
    back leads to it again.
    """
    one, other = rgb_to_grey(here), rgb_to_grey(there)
    go, back = _flow(one, other), _flow(other, one)
    whole = chained(go, back)
    ways = (go**2).sum(2) + ((whole - go) ** 2).sum(2)
    places = led_to(go, *one.shape)
    return Step(places, ((whole**2).sum(2) <= PART * ways + REST) & ~beyond(places))


def _flow(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    if min(one.shape) < SMALLEST:
        return np.zeros((*one.shape, 2), np.float32)
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    return np.asarray(method.calc(one, other, None), np.float32)  # type: ignore[call-overload]


def warping_error(here: np.ndarray, there: np.ndarray, step: Step) -> float:
    """Mean squared distance of colours 0 to 1 between a picture and the next one warped to it.

    Args:
        here: Picture (H, W, 3) uint8.
        there: Next picture, likewise.
        step: Motion from the one to the other; only pixels that both show count.
    """
    if not step.seen.any():
        return np.nan
    away = (carried(there, step.places)[step.seen] - here[step.seen].astype(np.float32)) / 255
    return float((away**2).sum(1).mean())

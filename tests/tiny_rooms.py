"""A hand-made drawing of three closed rooms on paper, in known colours."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.evaluation.placements import Page
from sketch2paint.images.layer import multiplied

RED, BLUE, GREEN, WHITE = (200, 30, 30), (30, 30, 200), (30, 200, 30), (255, 255, 255)
SIDE = 96
# Walls (left, top, right, bottom) in pixels, and colours; the largest room first.
ROOMS = (((8, 8, 56, 56), RED), ((56, 8, 86, 56), BLUE), ((8, 66, 32, 86), GREEN))


def rooms(third: tuple[int, int, int] = GREEN) -> Page:
    """The page; `third` is the colour of the third room."""
    sketch = np.full((SIDE, SIDE), 255, np.uint8)
    real = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for (left, top, right, bottom), colour in ROOMS:
        cv2.rectangle(sketch, (left, top), (right, bottom), 0, 1)
        real[top : bottom + 1, left : right + 1] = third if colour == GREEN else colour
    return Page.of("rooms", sketch, multiplied(real, sketch))


def middle(room: int) -> tuple[int, int]:
    """Column and row in the middle of a room."""
    left, top, right, bottom = ROOMS[room][0]
    return (left + right) // 2, (top + bottom) // 2

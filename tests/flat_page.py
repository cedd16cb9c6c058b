"""A small page of flats with lines, and layers laid over each other by numpy alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sketch2paint.images.layer import Layer

HEIGHT, WIDTH = 64, 80
PAPER = (250, 244, 231)
SKIN, HAIR, EYE = (241, 200, 170), (60, 20, 10), (0, 128, 255)
NAMES = {SKIN: "Skin", EYE: '"Eye" & <iris> 目'}


def flat_page() -> tuple[np.ndarray, np.ndarray]:
    """Colours (64, 80, 3) of which HAIR lies in two places and EYE is one pixel, and lines."""
    colours = np.full((HEIGHT, WIDTH, 3), PAPER, np.uint8)
    colours[10:60, 20:70] = SKIN
    colours[5:15, 15:75], colours[50:63, 3:9] = HAIR, HAIR
    colours[30, 40] = EYE
    lines = np.full((HEIGHT, WIDTH), 255, np.uint8)
    lines[2:60, 6:78] = np.arange(58 * 72).reshape(58, 72) % 256
    lines[2, 6] = lines[59, 77] = 0
    return colours, lines


def laid_over(layers: Iterable[Layer], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """The picture (height, width, 3) of layers, each pixel of which is there or is not."""
    picture = np.zeros((height, width, 3), np.uint8)
    for layer in layers:
        h, w = layer.pixels.shape[:2]
        assert 0 <= layer.y <= layer.y + h <= height and 0 <= layer.x <= layer.x + w <= width
        below = picture[layer.y : layer.y + h, layer.x : layer.x + w]
        rgb, alpha = layer.pixels[..., :3], layer.pixels[..., 3:]
        assert set(np.unique(alpha)) <= {0, 255}
        if layer.blend == "multiply":
            rgb = np.round(below * (rgb / 255.0)).astype(np.uint8)
        np.copyto(below, rgb, where=alpha == 255)
    return picture

"""Drawings and tiny generators for the tests of painting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from sketch2paint.images.convert import resize
from sketch2paint.models.networks import UNetGenerator

REAL = Path(__file__).parents[2] / "shared" / "data"  # pictures beside the checkout, if there
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="no shared/data beside the checkout")


def make_generator(
    size: int = 16, *, strength: float = 40.0, seed: int = 0, **arguments: Any
) -> UNetGenerator:
    """A random U-Net of 4 base channels unless told, the same in every test.

    Its last layer is multiplied by `strength`, or every picture would be a flat grey.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generator = UNetGenerator(size, **{"base_channels": 4} | arguments)
    with torch.no_grad():
        for weights in generator.out.parameters():
            weights.mul_(strength)
    return generator


def draw_sketch(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A drawing (height, width) of any size: black lines from edge to edge on white."""
    rng = np.random.default_rng(seed)
    sketch = np.full((height, width), 255, np.uint8)
    sketch[rng.random(height) < 0.2] = 0
    sketch[:, rng.random(width) < 0.2] = 0
    return sketch


def draw_shapes(
    seed: int, side: int = 256, *, count: int = 6, thickness: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """True colours (side, side, 3) with smooth black outlines, and the drawing (side, side).

    Lines are `thickness` pixels wide; None: of different widths.
    """
    rng = np.random.default_rng(seed)
    big = 4 * side  # drawn large and averaged, so that edges are smooth
    real, sketch = Image.new("RGB", (big, big), "white"), Image.new("L", (big, big), 255)
    for _ in range(count):
        x, y = (int(n) for n in rng.integers(0, big // 2, 2))
        w, h = (int(n) for n in rng.integers(big // 6, big // 2, 2))
        fill = tuple(int(n) for n in rng.integers(60, 256, 3))
        width = int(rng.integers(3, 7)) * side // 64
        box, width = (x, y, x + w, y + h), round(4 * thickness) if thickness else width
        ImageDraw.Draw(real).ellipse(box, fill=fill, outline="black", width=width)
        ImageDraw.Draw(sketch).ellipse(box, fill=255, outline=0, width=width)
    return resize(np.asarray(real), side, side), resize(np.asarray(sketch), side, side)


def in_rgb(grey: np.ndarray) -> np.ndarray:
    """(H, W) to (H, W, 3)."""
    return np.repeat(grey[..., None], 3, axis=2)

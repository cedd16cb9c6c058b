"""A tiny drawn shot for the tests: a box with a lid moves over a page with a hill."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

SKY, HILL, BOX, LID = (120, 200, 250), (90, 180, 80), (220, 40, 50), (250, 210, 60)
SIZE = (96, 64)


def draw_frame(at: int, size: tuple[int, int] = SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Drawing (H, W) and picture (H, W, 3) with the box `at` pixels from the left."""
    drawing, picture = Image.new("L", size, 255), Image.new("RGB", size, SKY)
    lines, paint = ImageDraw.Draw(drawing), ImageDraw.Draw(picture)
    width, height = size
    paint.rectangle((0, height // 2, width, height), HILL)
    lines.line((0, height // 2, width, height // 2), 0, 2)
    for box, colour in ((at, 20, at + 30, 50), BOX), ((at, 10, at + 30, 20), LID):
        paint.rectangle(box, colour)
        lines.rectangle(box, 255, 0, 2)
    grey = np.asarray(drawing)
    return grey, (np.asarray(picture) * (grey[..., None] / 255)).astype(np.uint8)


def write_shot(folder: Path, count: int = 6, first: int = 0) -> Path:
    """`count` frames on twos below lines/ and colour/, numbered from `first`."""
    for kind in ("lines", "colour"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        drawing, picture = draw_frame(10 + 4 * (number // 2))
        Image.fromarray(drawing).save(folder / f"lines/{first + number:04d}.png")
        Image.fromarray(picture).save(folder / f"colour/{first + number:04d}.png")
    return folder

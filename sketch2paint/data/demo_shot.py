"""A drawn shot with known colours, so that animate.py can be tried before anybody has one.

write_shot(Path("data/shot"), seed=0)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sketch2paint.data.demo import draw_frame
from sketch2paint.images.io import write_picture

FRAMES, CUT, TWOS = 48, 28, 2  # frames, the first one of the second scene, frames of a drawing
BLINKS = (4, 5, 18)  # drawings with closed eyes


def draw_shot(seed: int, size: int = 512) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Draw 48 frames on twos with a cut at frame 28: colour (size, size, 3) and sketch, uint8."""
    for drawing in range(FRAMES // TWOS):
        first, end = (0, CUT) if drawing * TWOS < CUT else (CUT, FRAMES)
        part = (drawing * TWOS - first) / (end - first)
        scene = 2 * seed + (first > 0)
        pair = draw_frame(scene, part, size=size, blink=drawing in BLINKS)
        yield from [pair] * TWOS


def write_shot(root: Path | str, *, seed: int = 0, size: int = 512) -> Path:
    """Draw a shot into lines/0000.png and colour/0000.png of a folder, over what is there.

    Args:
        root: Folder to draw into.
        seed: Seed of the characters.
        size: Side of a frame in pixels.

    Returns:
        `root` as a Path.
    """
    root = Path(root)
    for number, (colour, sketch) in enumerate(draw_shot(seed, size)):
        write_picture(root / "lines" / f"{number:04d}.png", sketch)
        write_picture(root / "colour" / f"{number:04d}.png", colour)
    return root

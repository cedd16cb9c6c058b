"""The drawings that `make demo` begins with: small, free, and hints that fit them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from whole_program import ROOT

from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import marks, read_hints
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import resize, rgb_to_grey
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.painters import load_painter

FOLDER = ROOT / "docs/drawings"
HINTED = sorted(FOLDER.glob("*.hints.json"))


def test_they_are_small_and_their_licence_names_each() -> None:
    pictures = list(FOLDER.glob("*.png"))
    assert len(pictures) == 8 and sum(path.stat().st_size for path in pictures) <= 300_000
    licence = (FOLDER / "LICENSE.md").read_text()
    for path in pictures:
        assert f"`{path.name}`" in licence


@pytest.mark.parametrize("path", HINTED, ids=lambda path: path.stem)
def test_every_stroke_colours_something(path: Path) -> None:
    hints = read_hints(path)
    sketch = rgb_to_grey(read_rgb(path.with_name(path.name.replace(".hints.json", ".png"))))
    assert hints.size == sketch.shape[::-1]
    filled = fill(find_regions(sketch), marks(hints))
    assert set(np.unique(filled)) >= set(range(1, len(hints.strokes) + 1))
    assert (filled[0] == 0).all()  # nor does one run out into the paper


def test_two_of_them_have_hints() -> None:
    assert [path.name for path in HINTED] == ["dancer.hints.json", "rabbit.hints.json"]


def test_the_demo_shows_them_first() -> None:
    commands = (ROOT / "Makefile").read_text().split("\ndemo: install")[1].split("\n\n")[0]
    assert commands.index("input=docs/drawings") < commands.index("train.py")
    assert "gallery=runs/demo/ready.png" in commands


def test_a_page_in_tiles_is_the_page_in_one_piece() -> None:
    """The model that comes along; 55 to 65 dB were measured."""
    drawings = [rgb_to_grey(read_rgb(FOLDER / f"{name}.png")) for name in ("dancer", "rabbit")]
    page = np.hstack([resize(drawing, 384, 384) for drawing in drawings])
    whole, tiled = (load_painter(tile=tile, scale=1).paint(page) for tile in ("off", 128))
    error = np.square(whole.astype(float) - tiled).mean()
    assert 10 * np.log10(255**2 / error) > 45  # dB

"""Palettes and variations, measured on a page whose colours are known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_evaluation import data, measure_baselines
from tiny_rooms import BLUE, GREEN, RED, rooms
from tiny_words import make_region_network

from sketch2paint.evaluation import report, style_table
from sketch2paint.evaluation.bootstrap import summarise
from sketch2paint.evaluation.compare import Candidate, choose_split, load_candidates
from sketch2paint.evaluation.metrics import BEST_PSNR
from sketch2paint.evaluation.style_table import StyleTable, measure_style, moved
from sketch2paint.hints.palette import Palette
from sketch2paint.inference.region_painter import RegionPainter

PAGE = rooms()
FIVE = Palette(
    np.array(
        [[250, 220, 0], [0, 250, 250], [120, 0, 120], [90, 90, 90], [250, 150, 150]], np.uint8
    ),
    np.float32([0.3, 0.2, 0.2, 0.2, 0.1]),
)


def by_room(palette: Palette) -> np.ndarray:
    """Rooms in the first colours of a palette, on white paper."""
    colours = np.full((96, 96, 3), 255, np.uint8)
    for room, colour in zip((RED, BLUE, GREEN), palette.colours, strict=False):
        inside = np.abs(PAGE.real.astype(int) - colour_of(room)).max(2) == 0
        colours[inside] = colour
    return colours


def colour_of(room: tuple[int, int, int]) -> np.ndarray:
    return np.array(room)


def test_the_nearest_colours_of_a_palette_or_paper() -> None:
    picture = np.array([[[250, 20, 20], [252, 252, 252], [20, 20, 90]]], np.uint8)
    palette = Palette(np.array([[200, 0, 0], [0, 0, 200]], np.uint8), np.zeros(2, np.float32))
    assert moved(picture, palette).tolist() == [[[200, 0, 0], [255, 255, 255], [0, 0, 200]]]


def test_a_palette_that_is_followed_and_one_that_is_not() -> None:
    own = style_table._palette_of(PAGE)
    assert {tuple(colour) for colour in own.colours.tolist()} == {RED, BLUE, GREEN}
    found = style_table._of_palettes(PAGE, by_room, 12.0, FIVE)
    assert found["none"] == 12 and found["followed"] == found["several"] == 1
    true = style_table._of_palettes(PAGE, lambda palette: PAGE.real, 12.0, FIVE)
    assert true["true"] == BEST_PSNR and true["ciede2000_true"] == 0
    assert true["followed"] == true["several"] == 0
    one = style_table._of_palettes(
        PAGE, lambda _: by_room(FIVE._replace(colours=FIVE.colours[:1])), 12.0, FIVE
    )
    assert one["followed"] == 1 and one["several"] == 0
    few = style_table._of_palettes(PAGE, by_room, 12.0, FIVE._replace(colours=FIVE.colours[:3]))
    assert math.isnan(few["several"])  # three of three say nothing
    white = replace(PAGE, real=np.full_like(PAGE.real, 255))
    assert all(map(math.isnan, style_table._of_palettes(white, by_room, 1.0, FIVE).values()))


def test_variations_of_one_picture() -> None:
    other = PAGE.real.copy()
    other[..., 0] //= 2
    found = style_table._of_variations(PAGE, [PAGE.real, PAGE.real], 20.0)
    assert found == {"single": 20, "each": BEST_PSNR, "best": BEST_PSNR, "apart": 0}
    found = style_table._of_variations(PAGE, [PAGE.real, other], 20.0)
    assert found["each"] < found["best"] == BEST_PSNR and found["apart"] > 5


@pytest.fixture
def found(pairs_dir: Path, weight_path: Path) -> tuple[list[Candidate], StyleTable]:
    painter = RegionPainter(make_region_network(palettes=True), normalise="off")
    candidates = [
        *load_candidates([str(weight_path)], "sketch", "cpu"), Candidate("words", painter, {})
    ]  # fmt: skip
    split = choose_split(data(pairs_dir, 32), "val", "refuse")
    return candidates, measure_style(split, candidates=candidates, seed=0)


def test_all_ways_on_all_pictures(
    found: tuple[list[Candidate], StyleTable], pairs_dir: Path, tmp_path: Path
) -> None:
    (generator, _), table = found
    ways = [f"{generator.name}, moved to the palette", "words, moved to the palette"]
    assert list(table.palettes) == [*ways, "words, palette alone", "words, palette mixed"]
    assert list(table.variations) == [
        f"{generator.name}, hues turned", "words, hues turned", "words, variations"
    ]  # fmt: skip
    for rows in (table.palettes, table.variations):
        assert {len(values) for row in rows.values() for values in row.values()} == {4}
    exact = table.palettes["words, palette alone"]["followed"]
    assert all(value == 1 or math.isnan(value) for value in exact)
    split = choose_split(data(pairs_dir, 32), "val", "refuse")
    results = measure_baselines(split)
    evaluation = report.Evaluation(
        split=split, candidates=[], results=results, summary=summarise(results, 0, 10),
        protocol={}, style=table,
    )  # fmt: skip
    assert "words, palette alone" in report.text_report(evaluation)
    report.write_json(tmp_path / "a.json", evaluation)
    plain = json.loads((tmp_path / "a.json").read_text())["style"]
    got = plain["variations"]["words, variations"]["best"]
    assert got == pytest.approx(np.mean(table.variations["words, variations"]["best"]), abs=1e-5)


def test_what_is_not_applicable_is_said() -> None:
    table = StyleTable(
        palettes={"a": {key: [math.nan] for key in style_table.OF_PALETTES}}, variations={}
    )
    assert "n/a" in table.text() and table.plain()["palettes"]["a"]["true"] is None

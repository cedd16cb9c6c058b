"""Palettes of training samples, on a picture of sixteen cells whose colours are known."""

import numpy as np
import pytest
from tiny_words import cells

from sketch2paint.data.palettes import draw_palette, draw_truth, palette_of_picture
from sketch2paint.hints.palette import NO_PALETTE, Palette

SKETCH, REGIONS = cells(4, 12)
COLOURS = np.array(
    [[255, 255, 255], [230, 120, 120], [30, 200, 30], [30, 30, 200]] * 4, np.uint8
)  # of the cells, column by column
LIGHT = SKETCH[..., None] / np.float32(255)
REAL = np.rint(COLOURS[REGIONS.labels] * LIGHT).astype(np.uint8)
PICTURE = np.dstack([REAL, SKETCH])
OTHER = Palette(np.array([[90, 10, 90], [240, 200, 0]], np.uint8), np.float32([0.8, 0.2]))
OWN = {tuple(colour) for colour in COLOURS[1:4].tolist()}


def colours_of_cells(real: np.ndarray) -> np.ndarray:
    """Colours in the middle of the cells, (16, 3)."""
    return real[6::12, 6::12].reshape(-1, 3)


@pytest.fixture(scope="module")
def truths() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [draw_truth(rng, PICTURE, OTHER) for _ in range(300)]


def test_a_third_of_the_truths_is_recoloured_and_equal_stays_equal(truths):
    changed = [truth for truth in truths if (truth != REAL).any()]
    assert 0.25 < len(changed) / len(truths) < 0.42
    cell = np.arange(16).reshape(4, 4).repeat(12, 0).repeat(12, 1)
    for truth in changed:
        assert (truth[SKETCH == 0] == 0).all()
        now, before = colours_of_cells(truth), colours_of_cells(REAL)
        assert (truth[SKETCH > 0] == now[cell[SKETCH > 0]]).all()
        for colour in np.unique(before, axis=0):
            same = (before == colour).all(1)
            assert len(np.unique(now[same], axis=0)) == 1
        assert (now[(before == 255).all(1)] == 255).all()  # paper stays


def test_recoloured_are_hues_turned_or_the_colours_of_another_picture(truths):
    theirs = {tuple(colour) for colour in OTHER.colours.tolist()}
    exchanged = 0
    changed = [truth for truth in truths if (truth != REAL).any()]
    for truth in changed:
        now = {tuple(colour) for colour in colours_of_cells(truth).tolist()}
        exchanged += now == theirs | {(255, 255, 255)}
    assert 0.35 < exchanged / len(changed) < 0.65
    rng = np.random.default_rng(0)  # nothing to exchange with: hues are turned
    found = [draw_truth(rng, PICTURE, NO_PALETTE) for _ in range(30)]
    assert any((truth != REAL).any() for truth in found)


def drawn(count: int = 300, exact: bool = False) -> list[Palette]:
    rng = np.random.default_rng(0)
    return [
        draw_palette(rng, truth=REAL, sketch=SKETCH, other=OTHER, exact=exact) for _ in range(count)
    ]


def test_palettes_are_whole_or_parts_with_or_without_others():
    theirs = {tuple(colour) for colour in OTHER.colours.tolist()}
    whole, mixed, told = 0, 0, 0
    for palette in drawn(exact=True):
        found = {tuple(colour) for colour in palette.colours.tolist()}
        assert found <= OWN | theirs and len(found) == len(palette.colours)
        whole, mixed = whole + (found == OWN), mixed + bool(found & theirs)
        if palette.portions.any():
            told += 1
            np.testing.assert_allclose(palette.portions.sum(), 1, rtol=1e-5)
            assert (palette.portions > 0).all()
    assert 0.45 < whole / 300 < 0.7 and 0.22 < mixed / 300 < 0.38 and 0.4 < told / 300 < 0.6


def test_colours_are_near_the_truth_where_they_need_not_be_exact():
    own = np.array(sorted(OWN))
    off = [
        np.abs(palette.colours[:, None].astype(int) - own).max(2).min(1) for palette in drawn(100)
    ]
    own_ones = np.concatenate(off)
    near = own_ones[own_ones < 40]  # the rest are the other picture's
    assert 0 < near.max() < 16 and near.mean() > 1


def test_a_truth_without_colours_has_no_palette():
    white = np.full((12, 12, 3), 255, np.uint8)
    rng = np.random.default_rng(0)
    for _ in range(30):
        palette = draw_palette(
            rng, truth=white, sketch=white[..., 0], other=NO_PALETTE, exact=False
        )
        assert len(palette.colours) == len(palette.portions) == 0
        black = np.dstack([REAL, np.zeros_like(SKETCH)])  # no pixel shows its colour
        draw_truth(rng, black, OTHER)
        assert not len(palette_of_picture(black).colours)


def test_what_lies_on_lines_is_no_colour():
    assert {tuple(colour) for colour in palette_of_picture(PICTURE).colours.tolist()} == OWN
    found = palette_of_picture(REAL).colours.tolist()
    assert [0, 0, 0] in found  # without a sketch nobody knows

"""Colours without the outlines that were drawn on them."""

from __future__ import annotations

import numpy as np
import pytest

from sketch2paint.data.outlines import BASE, CLEAR, PAPER, THICK, with_lines, without_outlines

RED = (200, 30, 20)


def paper(side: int = BASE) -> np.ndarray:
    return np.full((side, side, 4), 255, np.uint8)


def test_an_outlined_square_reaches_to_the_middle_of_its_line() -> None:
    picture = paper()
    picture[60:140, 60:140] = 0
    picture[64:136, 64:136] = (*RED, 255)
    expected = np.full((BASE, BASE, 3), 255, np.uint8)
    expected[62:138, 62:138] = RED
    colours, filled = without_outlines(picture)
    np.testing.assert_array_equal(colours, expected)
    assert not filled.any()


def test_an_outline_with_a_soft_edge_leaves_nothing() -> None:
    picture = paper()
    picture[:, 100:104] = np.array([PAPER, 0, 0, PAPER])[:, None]
    assert (without_outlines(picture)[0] == 255).all()


@pytest.mark.parametrize("side", [128, 256, 512])
def test_ink_that_is_wide_is_a_filled_shape_and_stays(side: int) -> None:
    limit = round(2 * THICK * side / BASE)
    for width, stays in ((limit - 2, False), (limit + 2, True), (2 * limit, True)):
        picture = paper(side)
        picture[40 : 40 + width] = 0
        expected = picture[..., :3] if stays else np.full_like(picture[..., :3], 255)
        colours, filled = without_outlines(picture)
        np.testing.assert_array_equal(colours, expected)
        np.testing.assert_array_equal(filled, stays * (picture[..., 3] == 0))


def test_of_a_line_that_ends_in_a_filled_shape_the_line_alone_goes() -> None:
    picture = paper()
    picture[100:160, 100:160] = 0
    picture[128:131, :100] = 0
    colours, filled = without_outlines(picture)
    assert (colours[115:145, 100:160] == 0).all() and (colours[100:160, 115:145] == 0).all()
    assert (colours[:, : 100 - round(THICK)] == 255).all()
    np.testing.assert_array_equal(filled, (colours == 0).all(2))


@pytest.mark.parametrize("level", [0, PAPER])
def test_a_sheet_without_clear_pixels_is_left_as_it_is(level: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    picture[..., 3] = level
    colours, filled = without_outlines(picture)
    np.testing.assert_array_equal(colours, picture[..., :3])
    assert not filled.any()
    assert colours.flags.c_contiguous


def test_clear_pixels_never_change_and_others_take_their_colours() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (BASE, BASE + 40, 4), np.uint8)
    picture[..., 3] = np.where(rng.random(picture.shape[:2]) < 0.3, PAPER + 1, 0)
    before, clear = picture.copy(), picture[..., 3] > PAPER
    picture.flags.writeable = False  # as those of a cache are
    colours, filled = without_outlines(picture)
    assert not filled[clear].any()
    np.testing.assert_array_equal(colours[clear], before[clear][:, :3])
    there = {tuple(colour) for colour in before[clear][:, :3].tolist()}
    assert {tuple(colour) for colour in colours[~clear].tolist()} <= there
    np.testing.assert_array_equal(picture, before)
    assert colours.shape == (BASE, BASE + 40, 3) and colours.dtype == np.uint8


def test_lines_darken_what_they_lie_on_and_shading_does_not() -> None:
    rgb = np.full((2, 3, 3), (200, 100, 0), np.uint8)
    sketch = np.array([[0, 80, CLEAR], [CLEAR + 1, 220, 255]], np.uint8)
    laid = with_lines(rgb, sketch)
    expected = [[0, 0, 0], np.rint(np.array([200, 100, 0]) * 80 / 255), [125, 63, 0]]
    np.testing.assert_array_equal(laid[0], expected)
    np.testing.assert_array_equal(laid[1], rgb[1])
    assert laid.dtype == np.uint8

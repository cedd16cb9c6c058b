"""Flats taken apart: what each layer holds, and that all together are the picture again."""

from __future__ import annotations

import numpy as np
import pytest
from flat_page import EYE, HAIR, HEIGHT, NAMES, PAPER, SKIN, WIDTH, flat_page, laid_over

from sketch2paint.images.layer import MOST, Layer, flat_layers, multiplied


def page_layers() -> list[Layer]:
    colours, lines = flat_page()
    return list(flat_layers(colours, lines=lines, paper=PAPER, names=NAMES))


def numbered(count: int) -> np.ndarray:
    """(1, count, 3): as many colours, black first."""
    codes = np.arange(count)
    return np.stack([codes >> 8, codes & 255, codes & 7], axis=1).astype(np.uint8)[None]


def test_products_are_rounded_to_the_nearest() -> None:
    values = np.arange(256, dtype=np.uint8)
    colours, lines = np.meshgrid(values, values)
    picture = multiplied(np.dstack([colours, 255 - colours, colours]), lines)
    products = colours.astype(int) * lines
    np.testing.assert_array_equal(picture[..., 0], (products + 127) // 255)
    np.testing.assert_array_equal(picture[..., 2], np.round(products / 255))  # no halves


def test_layers_are_paper_then_colours_by_area_then_lines() -> None:
    layers = page_layers()
    names = ["Paper", "#f1c8aa Skin", "#3c140a", '#0080ff "Eye" & <iris> 目', "Lines"]
    assert [layer.name for layer in layers] == names
    assert [layer.blend for layer in layers] == ["normal"] * 4 + ["multiply"]
    colours, lines = flat_page()
    for layer, colour in zip(layers, (PAPER, SKIN, HAIR, EYE), strict=False):
        assert (layer.pixels[..., :3] == colour).all()
        alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
        height, width = layer.pixels.shape[:2]
        alpha[layer.y : layer.y + height, layer.x : layer.x + width] = layer.pixels[..., 3]
        there = (colours == colour).all(axis=2) | (layer.name == "Paper")
        np.testing.assert_array_equal(alpha, there * np.uint8(255))
    top = layers[-1].pixels
    np.testing.assert_array_equal(top[..., :3], np.dstack([lines[2:60, 6:78]] * 3))
    assert (top[..., 3] == 255).all()


def test_layers_are_cut_to_where_they_are() -> None:
    places = [(layer.x, layer.y, layer.pixels.shape) for layer in page_layers()]
    assert places == [
        (0, 0, (64, 80, 4)),
        (20, 15, (45, 50, 4)),
        (3, 5, (58, 72, 4)),
        (40, 30, (1, 1, 4)),
        (6, 2, (58, 72, 4)),
    ]


def test_layers_over_each_other_are_the_picture() -> None:
    np.testing.assert_array_equal(laid_over(page_layers()), multiplied(*flat_page()))


def test_colours_of_the_same_area_keep_an_order() -> None:
    colours = numbered(3)[:, ::-1]
    layers = flat_layers(colours, lines=np.zeros((1, 3), np.uint8))
    assert [layer.name for layer in layers][1:4] == ["#000000", "#000101", "#000202"]


def test_an_empty_page_has_paper_and_one_pixel_of_lines() -> None:
    colours, lines = np.full((5, 7, 3), PAPER, np.uint8), np.full((5, 7), 255, np.uint8)
    paper, top = flat_layers(colours, lines=lines, paper=PAPER, names=NAMES)
    assert (paper.pixels == (*PAPER, 255)).all() and paper.pixels.shape == (5, 7, 4)
    assert (top.pixels == 255).all() and top.pixels.shape == (1, 1, 4)


def test_what_of_a_name_cannot_be_shown_is_left_out() -> None:
    colours, lines = np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1), np.uint8)
    names = {(0, 0, 0): "a\x00\n\ud800b\t "}
    layers = list(flat_layers(colours, lines=lines, paper=PAPER, names=names))
    assert layers[1].name == "#000000 ab"


def test_the_most_colours_that_a_byte_counts() -> None:
    lines = np.full((1, MOST + 1), 255, np.uint8)
    colours = numbered(MOST + 1)
    layers = list(flat_layers(colours, lines=lines, paper=(0, 0, 0)))
    assert len(layers) == 1 + MOST + 1
    np.testing.assert_array_equal(laid_over(layers, 1, MOST + 1), colours)


def test_more_colours_are_refused_at_once() -> None:
    expected = r"at most 255 colours beside the paper's, got 256\. Cap the number of colours"
    with pytest.raises(ValueError, match=expected):
        flat_layers(numbered(256), lines=np.zeros((1, 256), np.uint8))


@pytest.mark.parametrize(
    ("colours", "lines", "got"),
    [
        (np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2), np.uint8), r"\(2, 3, 3\) uint8 and"),
        (np.zeros((2, 3, 3)), np.zeros((2, 3), np.uint8), r"\(2, 3, 3\) float64 and"),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8), r"\(2, 3\) uint8 and"),
    ],
)
def test_pictures_of_other_shapes_or_types_are_refused(
    colours: np.ndarray, lines: np.ndarray, got: str
) -> None:
    with pytest.raises(ValueError, match=r"Expected `colours` to be \(H, W, 3\).*got " + got):
        flat_layers(colours, lines=lines)

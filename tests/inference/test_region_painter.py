"""Drawings coloured region by region: hints to the bit, paper white, a generator's shading."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from tiny_painter import make_generator
from tiny_words import cells, make_region_network

from sketch2paint.hints.format import Hints
from sketch2paint.hints.palette import NO_PALETTE, Palette
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.strokes import Stroke
from sketch2paint.images.convert import array_to_lab
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.region_painter import RegionPainter, known_regions, nearest_told
from sketch2paint.models.tasks import FLATS, SKETCH

RED = (200, 30, 40)


def boxes() -> np.ndarray:
    """Three closed boxes on white paper."""
    sketch = np.full((100, 260), 255, np.uint8)
    for left in (20, 100, 180):
        cv2.rectangle(sketch, (left, 20), (left + 60, 80), 0, 3)
    return sketch


def dot(x: int, y: int, colour: tuple[int, int, int] | None = RED) -> Hints:
    return Hints((260, 100), (Stroke(((x, y),), 4, colour),))


def test_each_region_has_one_colour_with_the_lines_above() -> None:
    sketch = boxes()
    (painted,) = RegionPainter(make_region_network()).process([sketch])
    regions = find_regions(sketch)
    for number in range(regions.count):
        assert len(np.unique(painted.colours[regions.labels == number], axis=0)) == 1
    assert painted.flat and painted.notes == ()
    np.testing.assert_array_equal(painted.lines, sketch)
    assert (painted.picture[sketch == 0] == 0).all()
    np.testing.assert_array_equal(painted.picture[sketch == 255], painted.colours[sketch == 255])


def test_a_hint_is_obeyed_to_the_bit_and_changes_others() -> None:
    painter, sketch = RegionPainter(make_region_network(), colours=60), boxes()
    plain, hinted = painter.process([sketch, sketch], [None, dot(50, 50)])
    labels = find_regions(sketch).labels
    box = labels == labels[50, 50]
    assert (hinted.colours[box] == RED).all() and (plain.colours[box] != RED).any()
    assert (hinted.colours[~box] != plain.colours[~box]).any()


def test_alone_and_in_a_list_are_the_same() -> None:
    painter, sketches = RegionPainter(make_region_network()), [boxes(), boxes()[:, :170]]
    together = painter.paint(sketches, [dot(50, 50), None])
    alone = [painter.paint(sketches[0], dot(50, 50)), painter.paint(sketches[1])]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_is_most_likely_paper_is_white() -> None:
    network = make_region_network()
    network.logits.bias.data[0] = 8.0  # the first colour is paper
    torch.nn.init.zeros_(network.logits.weight)
    (painted,) = RegionPainter(network).process([boxes()])
    assert (painted.colours == 255).all()


def test_the_number_of_colours_can_be_capped() -> None:
    network, (sketch, _) = make_region_network(), cells(6, 30)
    network.word[0].weight.data *= 30
    few, many = (
        RegionPainter(network, colours=count).process([sketch], [None])[0] for count in (2, 40)
    )
    assert len(np.unique(few.colours.reshape(-1, 3), axis=0)) <= 3  # and white
    assert len(np.unique(many.colours.reshape(-1, 3), axis=0)) > 3


@pytest.mark.parametrize(("near", "is_seen"), [((252, 252, 252), False), ((244, 244, 244), True)])
def test_what_no_eye_tells_from_paper_is_paper_in_flats_alone(
    near: tuple[int, int, int], is_seen: bool
) -> None:
    network, regions = make_region_network(), find_regions(boxes())
    shading = Painter(make_generator())
    for painter, known, stays in (
        (RegionPainter(network), {}, is_seen),
        (RegionPainter(network, shading=shading, flats=True), {}, is_seen),
        (RegionPainter(network), {0: near}, True),
        (RegionPainter(network, shading=shading), {}, True),
    ):
        table = np.tile(np.array(near, np.uint8), (regions.count, 1))
        joined = painter._joined(table, regions, known)
        assert (joined == (near if stays else 255)).all()


def test_a_generator_shades_and_medians_stay() -> None:
    network, sketch = make_region_network(), boxes()
    shading = Painter(make_generator())
    (flat,) = RegionPainter(network, shading=shading, flats=True).process([sketch])
    (soft,) = RegionPainter(network, shading=shading).process([sketch], [dot(50, 50)])
    (alone,) = RegionPainter(network).process([sketch], [dot(50, 50)])
    assert flat.flat and not soft.flat
    regions = find_regions(sketch)
    for number in range(regions.count):
        here = (regions.labels == number) & ~regions.ink
        (colour,) = np.unique(alone.colours[here], axis=0)
        if (colour == 255).all():
            assert (soft.colours[here] == 255).all()
        median = np.median(soft.colours[here], axis=0).astype(np.uint8)
        apart = array_to_lab(np.stack([median, colour])[None])[0]
        assert np.linalg.norm(apart[0] - apart[1]) < 2
    assert len(np.unique(soft.colours.reshape(-1, 3), axis=0)) > 10


def test_strokes_tell_the_regions_that_they_are_meant_for() -> None:
    labels = np.zeros((4, 10), np.int32)
    labels[:, 5:] = 1
    ink = np.zeros(labels.shape, bool)
    ink[:, 4] = True
    regions = Regions(labels, ink, np.empty((0, 2), np.int32), np.empty(0, np.float32))
    filled = np.zeros(labels.shape, np.int32)
    filled[:, :3] = 1  # three of four free columns
    filled[:2, 5:] = 2  # half of the other, which is not enough
    said = np.array([(255, 255, 255), RED, (1, 2, 3)], np.uint8)
    assert known_regions(regions, filled, said) == {0: RED}
    filled[2, 5] = 2
    assert known_regions(regions, filled, said) == {0: RED, 1: (1, 2, 3)}


def test_what_is_like_a_told_colour_becomes_it() -> None:
    told = np.array([RED, (255, 200, 0)], np.uint8)
    table = np.array([(206, 34, 42), (30, 60, 210), (250, 198, 10)], np.uint8)
    assert nearest_told(table, told).tolist() == [0, -1, 1]
    assert nearest_told(table, told[:0]).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_and_a_black_sheet(level: int) -> None:
    sketch = np.full((30, 50), level, np.uint8)
    painter = RegionPainter(make_region_network(), normalise="off")
    (painted,) = painter.process([sketch])
    assert len(np.unique(painted.colours.reshape(-1, 3), axis=0)) == 1


def test_more_regions_than_words() -> None:
    sketch, _ = cells(36, 14)  # 1,296
    (painted,) = RegionPainter(make_region_network()).process([sketch])
    assert painted.picture.shape == (*sketch.shape, 3)


def test_a_batch_is_painted_as_drawings_are() -> None:
    painter, sketch = RegionPainter(make_region_network()), boxes()
    batch = torch.from_numpy(sketch)[None, None] / 127.5 - 1
    picture = painter.generate({"sketch": batch})[0]
    expected = painter.process([sketch])[0].picture
    np.testing.assert_allclose(picture.permute(1, 2, 0), expected / 127.5 - 1, atol=1e-6)
    assert painter.size == 32 and painter.multiple == 1 and painter.on_cpu


def test_only_painters_of_sketches_can_shade() -> None:
    with pytest.raises(ValueError, match="`shading` to be a painter of sketches with lines=keep"):
        RegionPainter(make_region_network(), shading=Painter(make_generator(), lines="network"))


def test_a_strip_is_coloured_as_its_pieces_are() -> None:
    """What lies in one square is as if that were the drawing."""
    network = make_region_network()
    network.word[0].weight.data *= 30
    piece = np.full((120, 120), 255, np.uint8)
    cv2.rectangle(piece, (10, 10), (110, 110), 0, 3)
    cv2.rectangle(piece, (40, 40), (80, 80), 0, 3)
    strip = np.hstack([piece] * 6)
    painter = RegionPainter(network, colours=100)
    (long,), (one,) = painter.process([strip]), painter.process([piece])
    for start in range(0, 720, 120):
        same = long.colours[50:70, start + 50 : start + 70] == one.colours[50:70, 50:70]
        assert same.all()
    hinted = painter.process([strip], [Hints((720, 120), (Stroke(((300, 60),), 4, RED),))])[0]
    assert (hinted.colours[45:75, 285:315] == RED).all()


def test_a_generator_that_takes_flats_is_given_the_named_colours() -> None:
    planes = (*SKETCH.planes, FLATS)
    shading = Painter(make_generator(in_channels=4), planes=planes)
    asked = []
    process = shading.process

    def spy(sketches, hints=None, flats=None):
        asked.extend(flats)
        return process(sketches, hints, flats)

    shading.process = spy
    sketches, hints = [boxes(), boxes()[:, :170]], [dot(50, 50), None]
    shaded = RegionPainter(make_region_network(), shading=shading).process(sketches, hints)
    flat = RegionPainter(make_region_network(), shading=shading, flats=True).process(
        sketches, hints
    )
    for given, plain, soft in zip(asked, flat, shaded, strict=True):
        np.testing.assert_array_equal(given, plain.colours)
        assert not soft.flat and (soft.colours != plain.colours).any()


def test_flats_change_what_such_a_generator_makes() -> None:
    painter = Painter(make_generator(in_channels=4), planes=(*SKETCH.planes, FLATS))
    sketch = boxes()
    white, red = (np.full((*sketch.shape, 3), colour, np.uint8) for colour in (255, RED))
    none, blank, told = (
        painter.process([sketch], flats=flats)[0].picture for flats in (None, [white], [red])
    )
    np.testing.assert_array_equal(none, blank)  # what nobody gives is empty: white
    assert (told != none).any()


def test_the_background_is_not_shaded() -> None:
    shading = Painter(make_generator(in_channels=4), planes=(*SKETCH.planes, FLATS))
    sketch = boxes()
    hints = Hints((260, 100), (Stroke(((5, 5),), 4, RED), Stroke(((50, 50),), 4, (20, 90, 200))))
    (painted,) = RegionPainter(make_region_network(), shading=shading).process([sketch], [hints])
    labels = find_regions(sketch).labels
    behind, box = (labels == labels[place] for place in ((5, 5), (50, 50)))
    assert (painted.colours[behind] == RED).all()
    assert len(np.unique(painted.colours[box], axis=0)) > 1


PALETTE = Palette(np.array([[230, 57, 70], [29, 53, 87]], np.uint8), np.zeros(2, np.float32))


def test_a_palette_s_colours_alone_besides_paper_and_hints() -> None:
    painter = RegionPainter(make_region_network(palettes=True), palette=PALETTE)
    strip = np.vstack([boxes()] * 6)  # read in squares
    for sketch in (boxes(), strip):
        hints = Hints((260, len(sketch)), (Stroke(((50, 50),), 4, RED),))
        plain, hinted = painter.process([sketch, sketch], [None, hints])
        allowed = {(255, 255, 255), *map(tuple, PALETTE.colours.tolist())}
        assert {*map(tuple, plain.colours.reshape(-1, 3).tolist())} <= allowed
        there = {*map(tuple, hinted.colours.reshape(-1, 3).tolist())}
        assert RED in there and there <= {*allowed, RED}
        found = {"#" + bytes(colour).hex() for colour in there & allowed} - {"#ffffff"}
        assert set(hinted.used) == found and plain.used
    assert RegionPainter(make_region_network()).process([boxes()])[0].used == ()


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_variations_differ_and_what_was_said_is_so_in_all(palette: Palette | None) -> None:
    keys = {"palette": palette, "variations": 5}
    network, sketch = make_region_network(palettes=True), boxes()
    if palette:  # any entry is as likely as another
        torch.nn.init.zeros_(network.key.weight)
        torch.nn.init.constant_(network.gate.bias, 50.0)
    (painted,) = RegionPainter(network, **keys).process([sketch], [dot(50, 50)])
    assert len(painted.variations) == 4
    every = np.stack([painted.picture, *painted.variations])
    assert len(np.unique(every, axis=0)) > 1
    box = find_regions(sketch).labels
    box = (box == box[50, 50]) & (sketch == 255)
    assert (every[:, box] == RED).all() and (every[:, sketch == 0] == 0).all()
    alone = RegionPainter(network, palette=palette).process([sketch], [dot(50, 50)])[0]
    np.testing.assert_array_equal(painted.picture, alone.picture)
    again, other = (
        RegionPainter(network, seed=seed, **keys).process([sketch], [dot(50, 50)])[0].variations
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(np.stack(again), every[1:])
    assert (np.stack(other) != every[1:]).any()


def test_variations_are_shaded_as_the_picture_is() -> None:
    shading = Painter(make_generator(), normalise="off")
    painter = RegionPainter(make_region_network(), shading=shading, variations=3)
    (painted,) = painter.process([boxes()])
    assert not painted.flat and len(painted.variations) == 2
    assert len(np.unique(painted.variations[0].reshape(-1, 3), axis=0)) > 6


def test_a_style_moves_what_nobody_said() -> None:
    network, sketch = make_region_network(colours=64), boxes()
    network.logits.weight.data *= 0.1
    network.gate.bias.data[:] = -20  # no copies of what is told
    plain, dark, none = (
        RegionPainter(network, style=style).process([sketch], [dot(50, 50)])[0].picture
        for style in (None, {"lightness": -3}, {"warmth": 0})
    )
    box = find_regions(sketch).labels
    box = (box == box[50, 50]) & (sketch == 255)
    assert (dark[box] == RED).all() and (dark != plain).any()
    np.testing.assert_array_equal(none, plain)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"palette": PALETTE}, "Expected a region network that was trained with palettes, got one"),
        ({"variations": 0}, "Expected `variations` to be a whole number from 1 to 64, got 0."),
        ({"variations": 2.0}, "Expected `variations` to be a whole number from 1 to 64, got 2.0"),
        ({"style": {"hue": 1}}, "Expected `style` to name directions that the model knows .warmth"),
        ({"seed": -1}, "Expected `seed` to be a whole number from 0 on, got -1. Pass 0."),
    ],
)
def test_what_a_painter_cannot_do(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RegionPainter(make_region_network(), **keys)


def test_a_palette_is_all_that_is_told_of_colours() -> None:
    network = make_region_network(palettes=True)
    with pytest.raises(ValueError, match="Expected no `colours` with a palette, which tells all"):
        RegionPainter(network, palette=PALETTE, colours=4)
    with pytest.raises(ValueError, match="Expected a palette with a colour, got an empty one."):
        RegionPainter(network, palette=NO_PALETTE)

"""Keys taken apart: palettes, labels, shading, lines that do not match."""

import numpy as np
import pytest
from tiny_shot import BOX, HILL, LID, SKY, draw_frame

from sketch2paint.animation.keys import make_key, nearest_colours, palette_of, share_off_lines


def test_a_key_knows_its_colours_to_the_bit_also_under_its_lines():
    drawing, picture = draw_frame(20)
    key = make_key(drawing, picture, name="0001")
    assert {tuple(colour) for colour in key.palette} == {SKY, HILL, BOX, LID}
    assert key.flat and key.name == "0001"
    assert {tuple(colour) for colour in key.colours.reshape(-1, 3)} == {SKY, HILL, BOX, LID}
    assert tuple(key.palette[key.labels[35, 35]]) == BOX


def test_a_room_has_colours_that_meet_without_a_line():
    drawing, picture = draw_frame(20)
    assert not make_key(drawing, picture).rooms.any()
    picture[22:48, 36:48] = (60, 0, 120)
    rooms = make_key(drawing, picture).rooms
    assert rooms[35, 25] == rooms[45, 45] == 1 and rooms[15, 25] == 0


def test_parts_tell_region_colour_and_room_at_once():
    drawing, picture = draw_frame(20)
    picture[22:48, 36:48] = (60, 0, 120)
    key = make_key(drawing, picture)
    numbers, regions, labels, rooms = key.parts
    for found, expected in (
        (regions, key.regions.labels),
        (labels, key.labels),
        (rooms, key.rooms),
    ):
        np.testing.assert_array_equal(found[numbers], expected)
    assert np.array_equal(np.unique(numbers), np.arange(len(regions)))
    assert len(np.unique(np.stack([regions, labels, rooms]), axis=1).T) == len(regions)


def test_shades_of_one_colour_are_one_in_a_shaded_key():
    drawing, picture = draw_frame(20)
    shaded = picture.copy()
    shaded[24:46, 24:46, 1] += np.arange(22, dtype=np.uint8)[:, None]
    key = make_key(drawing, shaded)
    assert not key.flat
    assert len(np.unique(key.labels[24:46, 24:46])) == 1


def test_a_key_of_another_size_is_refused():
    with pytest.raises(
        ValueError, match="expected a key of its frame's size, 96 x 64, got 48 x 64"
    ):
        make_key(draw_frame(20)[0], np.zeros((64, 48, 3), np.uint8), name="k.png")


def test_a_drawing_of_ink_alone_has_a_key_too():
    key = make_key(np.zeros((40, 40), np.uint8), np.full((40, 40, 3), 9, np.uint8))
    assert key.palette.tolist() == [[9, 9, 9]] and key.regions.count == 1


def test_a_palette_leaves_out_rare_and_like_colours():
    colours = np.repeat(
        [[10, 10, 10], [15, 15, 15], [200, 0, 0], [0, 0, 200]], [90, 50, 9, 2], axis=0
    )
    assert palette_of(colours.astype(np.uint8)).tolist() == [[10, 10, 10], [200, 0, 0]]


def test_nearest_colours_are_of_the_palette():
    palette = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0]], np.uint8)
    colours = np.array([[[3, 9, 1], [250, 240, 255], [240, 30, 9]]], np.uint8)
    assert nearest_colours(colours, palette).tolist() == [[0, 1, 2]]


def test_edges_of_another_frame_are_off_the_lines():
    drawing, picture = draw_frame(20)
    assert share_off_lines(drawing, picture) < 0.05
    assert share_off_lines(drawing, draw_frame(50)[1]) > 0.3
    assert share_off_lines(drawing, np.full_like(picture, 7)) == 0

"""Simpler ways to carry colours."""

import numpy as np
import pytest
from tiny_shot import HILL, LID, SKY, draw_frame

from sketch2paint.animation.simpler_ways import WAYS, Truth, most_frequent
from sketch2paint.hints.regions import find_regions


@pytest.fixture
def told():
    drawings, pictures = zip(*(draw_frame(at) for at in (20, 24, 28, 50)), strict=True)
    regions = [find_regions(drawing).labels for drawing in drawings]
    return Truth(list(drawings), list(pictures), regions, [[0, 1, 2], [3]])


def test_keys_are_each_scene_s_first_frame_and_one_each_so_many(told):
    assert told.placed(0) == {0, 3} and told.placed(2) == {0, 2, 3}
    assert [list(of_scene) for of_scene in told.keys(2)] == [[0, 2], [3]]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_colours_what_is_no_key(told, way):
    scene, (keys, _) = told.scenes[0], told.keys(0)
    found = WAYS[way](told, scene, keys)
    assert list(found) == [1, 2]
    lid = SKY if way == "key copied" else LID  # the box was left of there in the key
    assert tuple(found[2][15, 55]) == lid
    assert tuple(found[2][60, 90]) == HILL


def test_the_most_frequent_colour_is_that_of_pixels_that_count():
    regions = np.array([[0, 0, 0, 1]], np.int32)
    colours = np.array([[[8] * 3, [9] * 3, [80] * 3, [200] * 3]], np.uint8)
    counts = np.array([[True, True, True, False]])
    found, areas = most_frequent(regions, colours, counts)
    assert found[0].tolist() == [8, 8, 8] and areas.tolist() == [3, 0]

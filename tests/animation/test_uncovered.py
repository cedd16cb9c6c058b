"""Regions that the nearest key does not have where they come from."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sketch2paint.animation.simpler_ways import Truth
from sketch2paint.animation.uncovered import uncovered
from sketch2paint.hints.regions import find_regions

COAT, BALL = (40, 80, 200), (230, 60, 40)


def frame(ball):
    """A coat in the middle, and a ball that is `ball` pixels from the left or behind it."""
    drawing, picture = Image.new("L", (160, 96), 255), Image.new("RGB", (160, 96), (255,) * 3)
    for shape, box, colour in (
        ("ellipse", (ball, 36, ball + 24, 60), BALL),
        ("rectangle", (60, 20, 100, 80), COAT),
    ):
        getattr(ImageDraw.Draw(picture), shape)(box, colour)
        getattr(ImageDraw.Draw(drawing), shape)(box, 255, 0, 2)
    return np.asarray(drawing), np.asarray(picture)


@pytest.fixture
def told():
    """The ball is behind the coat and comes out of it to the right."""
    drawings, pictures = zip(*map(frame, (68, 68, 106, 112, 118)), strict=True)
    regions = [find_regions(drawing).labels for drawing in drawings]
    return Truth(list(drawings), list(pictures), regions, [[0, 1, 2, 3, 4]])


def ball(told, number):
    return told.regions[number][48, (68, 68, 118, 124, 130)[number]]


def test_what_comes_out_from_behind_something_is_told(told):
    found = uncovered(told, told.scenes[0], told.keys(0)[0])
    assert sorted(found) == [1, 2, 3, 4] and not found[1].any()
    for number in (2, 3):
        assert np.flatnonzero(found[number]).tolist() == [ball(told, number)]


def test_the_nearest_key_is_asked(told):
    keys = told.keys(4)[0]
    found = uncovered(told, told.scenes[0], keys)
    assert sorted(found) == [1, 2, 3]
    assert found[2][ball(told, 2)]  # as near to both: the first, in which it is hidden
    assert not found[3].any()  # the last one, which has it

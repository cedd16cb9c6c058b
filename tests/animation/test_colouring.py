"""Scenes coloured from their keys."""

from functools import partial

import numpy as np
import pytest
from tiny_shot import draw_frame

from sketch2paint.animation import colouring
from sketch2paint.animation.colouring import colour_scene, is_held
from sketch2paint.animation.keys import make_key

FRAMES = [draw_frame(10 + 4 * (number // 2)) for number in range(12)]


def drawing(number):
    return FRAMES[number][0]


def keys(*numbers):
    return {n: partial(make_key, *FRAMES[n], name=str(n)) for n in numbers}


def colour(*numbers, **options):
    return dict(colour_scene(drawing, frames=range(12), keys=keys(*numbers), **options))


@pytest.mark.parametrize("numbers", [(0,), (6,), (11,), (0, 11), (2, 6, 9)])
def test_every_frame_comes_out_right_wherever_the_keys_are(numbers):
    found = colour(*numbers)
    assert sorted(found) == list(range(12))
    for number, result in found.items():
        lines, truth = FRAMES[number]
        assert (result.colours == truth)[lines == 255].mean() > 0.99
        np.testing.assert_array_equal(result.lines, lines)


def test_held_drawings_are_equal_to_the_bit():
    found = colour(0)
    for first in range(0, 12, 2):
        np.testing.assert_array_equal(found[first].picture, found[first + 1].picture)
    assert [number for number in found if found[number].held] == [1, 3, 5, 7, 9, 11]
    assert np.abs(found[1].picture.astype(int) - FRAMES[0][1]).max() <= 1


def test_a_frame_held_to_the_next_key_is_that_key():
    found = colour(0, 7)
    assert found[6].held
    np.testing.assert_array_equal(found[6].picture, found[7].picture)


def test_what_no_near_key_has_comes_from_the_key_behind():
    def frame(number, is_open):
        drawing, picture = (part.copy() for part in draw_frame(10 + number))
        if is_open:
            drawing[4:14, 70:84], picture[4:14, 70:84] = 0, 0
            drawing[6:12, 72:82], picture[6:12, 72:82] = 255, (200, 0, 90)
        return drawing, picture

    frames = [frame(number, number in (0, 1, 4, 5)) for number in range(6)]
    given = {n: partial(make_key, *frames[n], name=str(n)) for n in (0, 3)}
    found = dict(colour_scene(lambda n: frames[n][0], frames=range(6), keys=given))
    for number in (1, 4, 5):
        assert (found[number].colours[7:11, 73:81] == (200, 0, 90)).all()


def test_a_video_s_noise_is_no_motion_but_its_own_lines_are_kept():
    noisy = FRAMES[2][0].copy()
    noisy[5, 5] = 240
    assert is_held(noisy, FRAMES[2][0])
    frames = {0: FRAMES[2][0], 1: noisy}
    key = {0: partial(make_key, *FRAMES[2])}
    found = dict(colour_scene(frames.__getitem__, frames=[0, 1], keys=key))
    assert found[1].held and found[1].lines[5, 5] == 240
    assert (found[1].picture[5, 5] < found[0].picture[5, 5]).any()


def test_the_nearest_keys_and_the_one_behind_are_asked_within_reach(monkeypatch):
    assert colour(0, 11)[5].keys == ("0", "11")
    assert colour(0, 3, 11)[5].keys == ("3", "0", "11")
    assert colour(0, 3, 7)[9].keys == ("7", "3")
    assert colour(4, 7, 11)[1].keys == ("4", "7")
    assert colour(0, 11, both=False)[5].keys == ("0",)
    monkeypatch.setattr(colouring, "REACH", 4)
    assert colour(0, 11)[5].keys == ("0",) and colour(0, 11)[8].keys == ("0", "11")


def test_only_wanted_frames_are_coloured():
    assert sorted(colour(0, 6, wanted={3, 6})) == [3, 6]
    whole = colour(0, 6)
    np.testing.assert_array_equal(colour(0, 6, wanted={5})[5].picture, whole[5].picture)


def test_frames_without_motion_and_one_frame():
    still = dict(colour_scene(lambda n: drawing(0), frames=range(3), keys=keys(0)))
    assert all((result.picture == still[0].picture).all() for result in still.values())
    assert list(dict(colour_scene(drawing, frames=[4], keys=keys(4)))) == [4]


def test_a_scene_without_a_key_is_refused():
    with pytest.raises(ValueError, match="Expected at least one key in the scene, got none"):
        next(colour_scene(drawing, frames=range(3), keys={}))


def test_a_key_has_the_lines_of_its_frame():
    drawing, picture = draw_frame(20)
    tinted = np.where(drawing[..., None] < 9, np.uint8((90, 0, 60)), picture)
    key = {0: partial(make_key, drawing, tinted)}
    ((_, result),) = colour_scene(lambda n: drawing, frames=[0], keys=key)
    assert (result.picture[drawing == 0] == 0).all()
    assert np.abs(result.picture.astype(int) - picture).max() <= 1

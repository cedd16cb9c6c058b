"""What changes from picture to picture though the motion does not explain it."""

import numpy as np
import pytest
from tiny_shot import BOX, draw_frame

from sketch2paint.animation.warping import Step, step_between, warping_error


def test_a_box_that_moves_is_seen_again_and_what_it_comes_over_is_not():
    here, there = (draw_frame(at, (192, 128))[1] for at in (20, 32))
    step = step_between(here, there)
    moved = step.places[26:46, 24:46, 0] - np.arange(24, 46)
    assert np.median(moved) == 12
    assert step.seen[24:48, 22:48].all()
    assert step.seen[24:48, 72:80].mean() < 0.2
    assert warping_error(here, there, step) < 0.001


def test_the_error_is_that_of_the_pixels_both_show():
    here = np.zeros((2, 2, 3), np.uint8)
    there = np.full_like(here, 51)  # a fifth, squared and in three channels
    there[0, 0] = 255
    places = np.dstack(np.meshgrid(*[np.arange(2, dtype=np.int16)] * 2))
    seen = np.array([[False, True], [True, True]])
    assert warping_error(here, there, Step(places, seen)) == pytest.approx(0.12)
    assert warping_error(here, there[:, ::-1].copy(), Step(places[:, ::-1], seen)) < 0.13
    assert np.isnan(warping_error(here, there, Step(places, seen & False)))


def test_a_colour_that_jumps_is_an_error_and_grey_is_none():
    here, there = (draw_frame(at)[1] for at in (20, 24))
    step = step_between(here, there)
    jumps = there.copy()
    jumps[(there == BOX).all(2)] = (40, 220, 50)
    assert warping_error(here, jumps, step) > 5 * warping_error(here, there, step)
    grey = np.full_like(here, 128)
    assert warping_error(grey, grey, step) == 0


def test_what_is_too_small_for_the_method_stands_still():
    tiny = np.zeros((20, 40, 3), np.uint8)
    step = step_between(tiny, tiny)
    assert step.seen.all() and step.places[7, 9].tolist() == [9, 7]

"""Flow between drawings: found, chained, brought to full size, and used to carry pixels."""

import numpy as np
import pytest
from tiny_shot import draw_frame

from sketch2paint.animation.motion import LinePicture, beyond, carried, chained, flow, led_to


def test_a_line_picture_is_black_on_lines_and_small_for_large_drawings():
    drawing = np.full((1100, 1300), 255, np.uint8)
    drawing[500:504] = 0
    lines = LinePicture(drawing)
    assert lines.distances.shape == (512, 605)
    assert lines.distances[234, 100] == 0 and lines.distances[0, 0] == 255


def test_a_drawing_without_lines_is_far_from_them():
    assert (LinePicture(np.full((40, 50), 255, np.uint8)).distances > 200).all()


def test_flow_finds_where_a_box_was():
    here, there = (LinePicture(draw_frame(at)[0]) for at in (24, 20))
    found = flow(here, there)
    assert found[20:45, 30:48, 0].mean() == pytest.approx(-4, abs=0.7)
    assert np.abs(found[20:45, 30:48, 1]).mean() < 0.7


def test_flow_does_not_depend_on_what_was_asked_before():
    here, there = (LinePicture(draw_frame(at)[0]) for at in (44, 20))
    first = flow(here, there)
    flow(here, there, np.full_like(first, 30))
    np.testing.assert_array_equal(flow(here, there), first)
    near = [flow(here, there, np.full_like(first, step)) for step in (9, -24, 9)]
    np.testing.assert_array_equal(near[0], near[2])


def test_what_is_too_small_for_the_method_stands_still():
    tiny = LinePicture(np.full((20, 90), 255, np.uint8))
    assert not flow(tiny, tiny).any()
    near = np.ones((20, 90, 2), np.float32)
    assert flow(tiny, tiny, near) is near


def test_chained_flows_add_up():
    one, other = (np.full((10, 12, 2), step, np.float32) for step in (2, 3))
    np.testing.assert_allclose(chained(one, other), 5)


def test_a_flow_of_a_small_picture_leads_to_pixels_of_the_drawing():
    places = led_to(np.ones((10, 20, 2), np.float32), 30, 60)
    assert places[0, 0].tolist() == [3, 3]
    assert places[29, 59].tolist() == [62, 32]
    assert beyond(places)[:27, :57].sum() == 0 and beyond(places)[27:].all()


def test_pixels_are_carried_to_the_bit_and_the_edge_goes_on():
    picture = np.arange(12, dtype=np.uint8).reshape(3, 4)
    places = led_to(np.full((3, 4, 2), 1.2, np.float32), 3, 4)
    expected = [[5, 6, 7, 7], [9, 10, 11, 11], [9, 10, 11, 11]]
    np.testing.assert_array_equal(carried(picture, places), expected)
    numbers = carried(picture.astype(np.int32) + 2**20, places)
    np.testing.assert_array_equal(numbers, np.array(expected) + 2**20)
    colours = np.dstack([picture] * 3)
    np.testing.assert_array_equal(carried(colours, places)[..., 2], expected)

import numpy as np
import pytest

from sketch2paint.data.canvas import (
    Canvas,
    Pattern,
    band,
    bowed,
    box,
    mix,
    oval,
    pts,
    smooth,
    star,
    sym,
)

RED, BLUE = (255, 0, 0), (0, 0, 255)


def test_a_fill_hides_the_lines_beneath_it():
    page = Canvas.blank(64)
    page.line(pts(0, 256, 512, 256), 16)
    page.fill(box(128, 128, 384, 384), RED, line=0)
    assert (page.ink[20:44, 20:44] == 255).all() and page.ink[32, 4] == 0
    assert (page.paint[20:44, 20:44] == RED).all()


def test_a_tint_leaves_the_ink_alone():
    page = Canvas.blank(64)
    page.tint(box(0, 0, 512, 512), RED)
    assert (page.paint == RED).all() and (page.ink == 255).all()


@pytest.mark.parametrize("shape", [box(128, 128, 384, 384), box(-300, 128, 384, 900)])
def test_inside_keeps_to_its_shape(shape):
    page = Canvas.blank(64)
    with page.inside(shape) as part:
        part.fill(box(0, 0, 512, 512), BLUE, line=0)
    assert (page.paint[24:40, 24:40] == BLUE).all()
    assert (page.paint[:12] == 255).all() and (page.paint[:, 52:] == 255).all()


def test_a_shape_off_the_page_draws_nothing():
    page = Canvas.blank(64)
    page.cover(oval(900, -700, 90), Pattern(RED, box(-9, -9, 9, 9), (30, 30), BLUE))
    assert (page.paint == 255).all() and (page.ink == 255).all()


def test_a_pattern_reaches_every_part_of_its_shape():
    page = Canvas.blank(128)
    page.cover(box(64, 64, 448, 448), Pattern(RED, box(-9, -9, 9, 9), (40, 30), BLUE))
    inner = page.ink[20:108, 20:108].reshape(4, 22, 4, 22).min(axis=(1, 3))
    assert (inner < 64).all()
    assert {tuple(c) for c in page.paint[20:108, 20:108].reshape(-1, 3)} == {RED, BLUE}
    assert (page.ink[:14] == 255).all()


def test_frames_move_turn_scale_and_mirror():
    page = Canvas.blank(512)
    place = page.at(100, 50, scale=2.0, tilt=90, mirror=True)
    # (3, 4) -> mirrored (-3, 4) -> turned (-4, -3) -> doubled and moved
    assert (place.pixels(pts(3, 4)) / 16).tolist() == [[92, 44]]
    left, right = page.both()
    assert (left.pixels(pts(3, 4)) == right.pixels(pts(-3, 4))).all()


def test_curves_pass_through_their_points():
    square = box(0, 0, 8, 8)
    for curve in (smooth(square, steps=8)[::8], bowed(square, 0.2)[::7]):
        assert np.allclose(curve, square)
    assert np.allclose(smooth(square, closed=False)[[0, -1]], square[[0, -1]])
    assert bowed(square, 0.2).min() < -1  # clockwise on the page: outwards
    assert np.allclose(np.ptp(band(pts(0, 0, 5, 0, 10, 0), 4), axis=0), (10, 4))
    assert np.allclose(np.hypot(*star(0, 0, 10, arms=4, waist=0.5).T), [10, 5] * 4)
    assert sym(0, 1, 2, 3).tolist() == [[0, 1], [2, 3], [-2, 3], [0, 1]]


def test_mix():
    assert mix((0, 100, 200), (100, 100, 100), 0.5) == (50, 100, 150)

"""Regions coloured by keys that were followed to them."""

import cv2
import numpy as np
import pytest
from tiny_shot import BOX, HILL, LID, SKY, draw_frame

from sketch2paint.animation.keys import make_key
from sketch2paint.animation.matching import Answer, answer, common_palette, marked
from sketch2paint.animation.motion import led_to
from sketch2paint.hints.regions import find_regions

FLOW = np.zeros((64, 96, 2), np.float32)


def shifted(by):
    """Places that lead `by` pixels to the left."""
    return led_to(FLOW - np.float32((by, 0)), 64, 96)


def test_regions_take_the_colours_of_where_they_were():
    drawing, truth = draw_frame(24)
    key = make_key(*draw_frame(20))
    said = answer(find_regions(drawing), [(key, shifted(4))])
    clear = drawing == 255
    assert (said.colours[clear] == truth[clear]).all()
    assert {tuple(colour) for colour in said.colours.reshape(-1, 3)} == {SKY, HILL, BOX, LID}
    assert said.confidence.min() > 0.5


def test_the_key_that_matches_better_is_believed():
    drawing, truth = draw_frame(24)
    wrong = make_key(draw_frame(60)[0], draw_frame(60)[1][..., ::-1].copy())
    right = make_key(*draw_frame(24))
    said = answer(find_regions(drawing), [(wrong, shifted(0)), (right, shifted(0))])
    assert tuple(said.colours[35, 40]) == BOX and tuple(said.colours[15, 40]) == LID


def test_colours_that_meet_without_a_line_part_a_region():
    drawing, picture = draw_frame(20)
    picture[22:48, 36:48] = (60, 0, 120)
    said = answer(find_regions(draw_frame(24)[0]), [(make_key(drawing, picture), shifted(4))])
    assert tuple(said.colours[35, 30]) == BOX and tuple(said.colours[35, 48]) == (60, 0, 120)
    said = answer(find_regions(draw_frame(24)[0]), [(make_key(*draw_frame(20)), shifted(4))])
    assert (said.colours[23:48, 27:52] == BOX).all()


def test_a_spot_at_the_key_s_edge_does_not_go_on_beyond_it():
    drawing, picture = draw_frame(20)
    picture[4:14, 90:] = (60, 0, 120)
    key = make_key(drawing, picture)
    for by, right in ((0, True), (-12, False)):
        colours = answer(find_regions(draw_frame(20 + by)[0]), [(key, shifted(by))]).colours
        assert (tuple(colours[9, 93]) == (60, 0, 120)) == right
    assert tuple(colours[9, 80]) == (60, 0, 120)


def test_shading_moves_along_and_flats_leave_it_out():
    drawing, picture = draw_frame(20)
    picture[24:46, 24:46, 1] += np.arange(22, dtype=np.uint8)[:, None]
    followed = [(make_key(drawing, picture), shifted(4))]
    regions = find_regions(draw_frame(24)[0])
    shaded = answer(regions, followed).colours
    np.testing.assert_array_equal(shaded[24:46, 28:50], picture[24:46, 24:46])
    inside = shaded[23:48, 27:52].reshape(-1, 3)  # also where the key had its lines
    assert (inside[:, [0, 2]] == (BOX[0], BOX[2])).all() and inside[:, 1].min() >= BOX[1]
    flat = answer(regions, followed, flats=True).colours
    assert len(np.unique(flat[26:44, 30:48].reshape(-1, 3), axis=0)) == 1


def test_what_no_pixel_leads_to_is_found_by_its_shape():
    drawing, truth = draw_frame(24)
    elsewhere = np.full_like(shifted(0), -9)  # where the sky is
    colours = answer(find_regions(drawing), [(make_key(*draw_frame(50)), elsewhere)]).colours
    assert tuple(colours[35, 40]) == BOX and tuple(colours[15, 40]) == LID


def test_palettes_are_joined_without_like_colours():
    one = np.array([[0, 0, 0], [255, 0, 0]], np.uint8)
    other = np.array([[250, 4, 0], [0, 255, 0]], np.uint8)
    assert common_palette([one, other]).tolist() == [[0, 0, 0], [255, 0, 0], [0, 255, 0]]
    shades = np.array([[40, 30, 0]], np.uint8)
    assert len(common_palette([one, shades])) == 3 and len(common_palette([one, shades], 48)) == 2


def test_unsure_regions_are_told_with_their_place():
    regions = find_regions(draw_frame(24)[0])
    confidence = np.ones(regions.count)
    lid = regions.labels[15, 40]
    confidence[lid] = 0.1
    (found,) = marked(Answer(np.zeros((64, 96, 3), np.uint8), confidence), regions)
    assert found.number == lid and found.confidence == 0.1
    x, y, width, height = found.box
    assert (x <= 26, y <= 12, x + width >= 52, y + height >= 18) == (True,) * 4
    assert 150 < found.area < 350


@pytest.mark.parametrize("disc", [(150, 64), (191, 64)])
def test_paper_that_comes_apart_otherwise_is_not_told_but_what_enters_is(disc):
    drawings = [np.full((128, 192), 255, np.uint8) for _ in range(2)]
    picture = np.full((128, 192, 3), 255, np.uint8)
    cv2.circle(picture, (40, 64), 30, (200, 30, 30), -1)
    for drawing, middle in zip(drawings, ((40, 64), disc), strict=True):
        cv2.circle(drawing, middle, 30, 0, 2)
    still = led_to(np.zeros((128, 192, 2), np.float32), 128, 192)
    regions = find_regions(drawings[1])
    said = answer(regions, [(make_key(drawings[0], picture), still)])
    told = {each.number for each in marked(said, regions)}
    assert regions.labels[64, disc[0] - 5] in told
    assert told.isdisjoint(regions.labels[[5, 5, 122, 122], [130, 185, 130, 185]])

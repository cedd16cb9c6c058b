import cv2
import numpy as np
import pytest
import torch
from tiny_words import cells, make_region_network

from sketch2paint.hints.palette import Palette
from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.words import words_of
from sketch2paint.images.convert import to_uint8
from sketch2paint.models.answer import answer, mix, objects_of, read, reply


def test_known_regions_have_exactly_their_colours():
    sketch, regions = cells(4, 12)
    known = {0: (255, 255, 255), 5: (13, 200, 77), 15: (0, 0, 0)}
    colours = answer(make_region_network(), sketch=sketch, regions=regions, known=known)
    assert colours.shape == (16, 3) and colours.dtype == np.uint8
    for number, colour in known.items():
        assert tuple(colours[number]) == colour


def test_hints_change_the_others_and_a_drawing_is_read_once():
    network, (sketch, regions) = make_region_network(), cells(4, 12)
    known = {5: (13, 200, 77)}
    with_hint = answer(network, sketch=sketch, regions=regions, known=known)
    plain = answer(network, sketch=sketch, regions=regions, known={})
    others = np.arange(16) != 5
    assert (with_hint[others] != plain[others]).any()
    reading = read(network, sketch, regions)
    np.testing.assert_array_equal(reply(network, reading=reading, known=known), with_hint)
    np.testing.assert_array_equal(reply(network, reading=reading, known={}), plain)


def test_it_copies_where_it_points():
    network, (sketch, regions) = make_region_network(), cells(3, 12)
    torch.nn.init.constant_(network.gate.bias, 50.0)
    known = {4: (13, 200, 77)}
    colours = answer(network, sketch=sketch, regions=regions, known=known)
    assert (colours == known[4]).all()


PALETTE = Palette(
    np.array([[230, 57, 70], [29, 53, 87], [168, 218, 220]], np.uint8), np.float32([0.5, 0.3, 0.2])
)


@pytest.mark.parametrize("portions", [PALETTE.portions, np.zeros(3, np.float32)])
def test_a_palette_s_colours_alone(portions):
    network, (sketch, regions) = make_region_network(palettes=True), cells(4, 12)
    known = {5: (13, 200, 77), 6: (255, 255, 255)}
    palette = PALETTE._replace(portions=portions)
    given = {"sketch": sketch, "regions": regions, "known": known, "palette": palette}
    colours = answer(network, **given)
    allowed = {*map(tuple, PALETTE.colours.tolist()), *known.values()}
    assert {*map(tuple, colours.tolist())} <= allowed
    assert tuple(colours[5]) == known[5] and tuple(colours[6]) == known[6]
    mixed = answer(network, **given, strict=False)
    assert not {*map(tuple, mixed.tolist())} <= allowed
    plain = answer(network, **{**given, "palette": None})
    assert (mixed != plain).any() and tuple(mixed[5]) == known[5]


def test_it_copies_from_a_palette_where_it_points():
    network, (sketch, regions) = make_region_network(palettes=True), cells(3, 12)
    torch.nn.init.constant_(network.gate.bias, 50.0)
    one = Palette(PALETTE.colours[:1], np.zeros(1, np.float32))
    given = {"sketch": sketch, "regions": regions, "known": {}, "palette": one}
    for strict in (False, True):
        assert (answer(network, **given, strict=strict) == PALETTE.colours[0]).all()


def door() -> np.ndarray:
    """Two rooms with an open door between them."""
    sketch = np.full((60, 90), 255, np.uint8)
    cv2.rectangle(sketch, (5, 5), (84, 54), 0, 2)
    cv2.line(sketch, (45, 5), (45, 22), 0, 2)
    cv2.line(sketch, (45, 38), (45, 54), 0, 2)
    return sketch


def test_the_ground_around_a_figure_is_one_object():
    sheet = np.full((60, 90), 255, np.uint8)
    cv2.line(sheet, (30, 0), (30, 22), 0, 2)  # walls that leave the middle open
    cv2.line(sheet, (30, 38), (30, 59), 0, 2)
    room = cv2.rectangle(sheet.copy(), (0, 0), (89, 59), 0, 2)  # the same, but away from the rim
    for sketch, one_object, is_one in ((sheet, 0.8, True), (sheet, 1, False), (room, 0.8, False)):
        regions = find_regions(np.pad(sketch, 4 * (sketch is room), constant_values=255))
        words = words_of(regions)
        left, right = (int(words.labels[34, x]) for x in (10, 70))
        count = len(words.regions)
        shares = np.eye(count)  # the first is paper, the others are not
        groups = objects_of(
            words, shares, np.zeros((count, count)), np.zeros(count, bool), one_object
        )
        assert left != right and (groups[left] == groups[right]) == is_one


def test_regions_that_are_one_object_have_one_colour():
    network, sketch = make_region_network(), door()
    network.word[0].weight.data *= 30  # small differences of the rooms become other colours
    regions = find_regions(sketch)
    left, right, outside = (int(regions.labels[y, x]) for y, x in ((30, 20), (30, 70), (1, 1)))
    assert len({left, right, outside}) == 3
    torch.nn.init.constant_(network.pair[2].bias, 50.0)  # all are one, if there is a way
    given = {"sketch": sketch, "regions": regions}
    apart = answer(network, **given, known={}, one_object=1)
    together = answer(network, **given, known={})
    assert (apart[left] != apart[right]).any() and (together[left] == together[right]).all()
    assert (together[outside] != together[left]).any()  # no way leads there
    others = set(range(regions.count)) - {right}  # what is known has no say: it may be another's
    known = dict.fromkeys(others, (13, 200, 77))
    np.testing.assert_array_equal(
        answer(network, **given, known=known), answer(network, **given, known=known, one_object=1)
    )


def test_one_region_on_a_blank_and_on_a_black_sheet():
    network = make_region_network()
    for level in (0, 255):
        sketch = np.full((20, 50), level, np.uint8)
        regions = find_regions(sketch)
        assert answer(network, sketch=sketch, regions=regions, known={}).shape == (1, 3)
        known = {0: (1, 2, 3)}
        assert answer(network, sketch=sketch, regions=regions, known=known).tolist() == [[1, 2, 3]]


def test_as_many_regions_as_become_words_and_more():
    network = make_region_network()
    sketch, regions = cells(32, 4)
    known = {1023: (9, 8, 7)}
    colours = answer(network, sketch=sketch, regions=regions, known=known)
    assert colours.shape == (1024, 3) and tuple(colours[1023]) == (9, 8, 7)
    assert len(np.unique(colours, axis=0)) > 2
    more = cells(33, 4)
    sketch, (labels, ink) = more[0], (more[1].labels, more[1].ink)
    joins = np.array([[0, 1088]], np.int32)  # the last one, too many, opens to the first
    regions = Regions(labels, ink, joins, np.ones(1, np.float32))
    colours = answer(network, sketch=sketch, regions=regions, known={1080: (9, 8, 7)})
    assert colours.shape == (1089, 3) and tuple(colours[1080]) == (9, 8, 7)
    assert tuple(colours[1088]) == tuple(colours[0]) and tuple(colours[1087]) == (255, 255, 255)


def test_a_lower_temperature_is_nearer_to_the_likeliest():
    shares = torch.tensor([[[0.6, 0.3, 0.1]]])
    colours = torch.tensor([[1.0, 1, 1], [-1, -1, -1]])
    given = torch.tensor([[[0.5, 0.0, 0.0]]])
    mean = mix(shares, colours, given, 1.0)
    torch.testing.assert_close(mean[0, 0, 0], torch.tensor(0.6 - 0.3 + 0.05))
    assert to_uint8(mix(shares, colours, given, 0.02)).tolist() == [[[255, 255, 255]]]
    squares = torch.tensor([0.36, 0.09, 0.01]) / 0.46
    expected = squares[0] - squares[1] + squares[2] * torch.tensor([0.5, 0, 0])
    torch.testing.assert_close(mix(shares, colours, given, 0.5)[0, 0], expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0.0}, "Expected `temperature` above 0, got 0.0. Pass 0.05"),
        ({"one_object": 1.5}, "Expected `one_object` to be a probability, got 1.5. Pass 1 for"),
        ({"known": {16: (0, 0, 0)}}, "Expected `known` to name regions from 0 to 15, got 16. Take"),
        ({"known": {1: (0, 0, 256)}}, "Expected a colour to be .r, g, b., each a whole number"),
        ({"sketch": np.zeros((9, 9), np.uint8)}, r"the drawing of these regions, .48, 48. of uint"),
    ],
)
def test_what_cannot_be_answered(changes, message):
    sketch, regions = cells(4, 12)
    given = {"sketch": sketch, "regions": regions, "known": {}, **changes}
    with pytest.raises(ValueError, match=message):
        answer(make_region_network(), **given)

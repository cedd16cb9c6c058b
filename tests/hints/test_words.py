"""Numbers of regions and of pairs, on drawings whose regions are known."""

from __future__ import annotations

import cv2
import numpy as np

from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.words import ABOUT, PAIR, colours_of_all, labels_on_square, words_of


def rooms(height: int = 100, width: int = 200, scale: int = 1) -> np.ndarray:
    """Two rooms with an open door between them, and a closed cell beside."""
    sketch = np.full((height, width), 255, np.uint8)
    cv2.rectangle(sketch, (10, 20), (130, 80), 0, 2)
    cv2.line(sketch, (70, 20), (70, 42), 0, 2)
    cv2.line(sketch, (70, 58), (70, 80), 0, 2)
    cv2.rectangle(sketch, (150, 20), (190, 80), 0, 2)
    return np.repeat(np.repeat(sketch, scale, 0), scale, 1)


def at(labels: np.ndarray, *points: tuple[int, int]) -> list[int]:
    return [int(labels[y, x]) for x, y in points]


LEFT, RIGHT, CELL, OUTSIDE = (40, 50), (100, 50), (170, 50), (3, 3)


def test_words_are_the_regions_by_size() -> None:
    found = find_regions(rooms())
    words = words_of(found)
    areas = np.bincount(found.labels.ravel())[words.regions]
    assert len(words.regions) == found.count and (np.diff(areas) <= 0).all()
    np.testing.assert_array_equal(words.regions[words.labels], found.labels)
    assert words.about.shape == (found.count, ABOUT)
    assert words.pairs.shape == (found.count, found.count, PAIR)


def test_what_is_told_of_a_region() -> None:
    words = words_of(find_regions(rooms()))
    left, cell, outside = at(words.labels, LEFT, CELL, OUTSIDE)
    x, y, spread_x, spread_y = words.about[cell, :4]
    np.testing.assert_allclose([x, y], [0.7, 0.0], atol=0.02)  # the square is 200 wide, centred
    np.testing.assert_allclose([spread_x, spread_y], [0.4 / 12**0.5, 0.6 / 12**0.5], atol=0.01)
    area = (words.labels == cell).sum() / 200**2
    np.testing.assert_allclose(words.about[cell, 4], np.log2(area) / 7 + 1, rtol=1e-5)
    assert words.about[left, 6] == 0 < words.about[outside, 6]
    assert (words.about[:, 8] == 1).all()


def test_what_is_told_of_a_pair() -> None:
    words = words_of(find_regions(rooms(height=200)))
    left, right, cell = at(words.labels, LEFT, RIGHT, CELL)
    offset, distance = words.pairs[right, left, 0], words.pairs[right, left, 3]
    np.testing.assert_allclose(offset, 0.6, atol=0.03)
    assert words.pairs[left, right, 0] == -offset and distance >= offset
    assert words.pairs[left, right, 4] > words.pairs[left, right, 5] > 0  # a door in a wall
    assert words.pairs[left, cell, 5] == 0
    assert words.pairs[left, right, 6] == 1 and words.pairs[left, cell, 6] == 0
    np.testing.assert_allclose(words.pairs[left, right, 7], (15 / 20) ** 0.5, atol=0.12)
    symmetric = words.pairs[..., 3:]
    np.testing.assert_array_equal(symmetric, symmetric.transpose(1, 0, 2))


def test_a_door_is_as_wide_as_the_narrowest_on_the_widest_way() -> None:
    labels = np.repeat(np.arange(4, dtype=np.int32)[None], 4, 0)
    joins, openings = np.array([[2, 3], [0, 1], [1, 2]], np.int32), np.array([0.8, 0.4, 0.2])
    chain = Regions(labels, np.zeros((4, 4), bool), joins, openings.astype(np.float32))
    told = words_of(chain).pairs[..., 7] ** 2 * 0.4  # 0.1 of a side of 4
    np.testing.assert_allclose(told[2, 3], 0.8, rtol=1e-5)
    np.testing.assert_allclose([told[0, 2], told[0, 3], told[1, 3]], 0.2, rtol=1e-5)


def test_words_do_not_depend_on_resolution() -> None:
    small, large = (words_of(find_regions(rooms(scale=scale))) for scale in (2, 4))
    points = [(2 * x, 2 * y) for x, y in (LEFT, RIGHT, CELL, OUTSIDE)]
    ours = at(small.labels, *points)
    theirs = at(large.labels, *((2 * x, 2 * y) for x, y in points))
    np.testing.assert_allclose(small.about[ours, :7], large.about[theirs, :7], atol=0.12)
    pairs = small.pairs[np.ix_(ours, ours)], large.pairs[np.ix_(theirs, theirs)]
    np.testing.assert_allclose(*pairs, atol=0.3)


def test_the_smallest_are_left_out_and_take_the_colour_that_lies_open() -> None:
    found = find_regions(rooms())
    words = words_of(found, most=2)
    assert len(words.regions) == 2 and set(np.unique(words.labels)) == {-1, 0, 1}
    colours = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    painted = colours_of_all(found, words, colours)[found.labels]
    kept = words.labels >= 0
    np.testing.assert_array_equal(painted[kept], colours[words.labels[kept]])
    assert painted[CELL[::-1]].tolist() == [255, 255, 255]  # no way leads there


def test_a_part_of_a_drawing_has_the_words_that_it_shows() -> None:
    found = find_regions(rooms())
    cut = np.s_[:, 60:]
    part = Regions(found.labels[cut], found.ink[cut], found.joins, found.openings)
    words = words_of(part)
    np.testing.assert_array_equal(words.regions[words.labels], found.labels[cut])


def test_one_word_on_a_blank_sheet() -> None:
    words = words_of(find_regions(np.full((30, 50), 255, np.uint8)))
    assert words.regions.tolist() == [0] and np.isfinite(words.about).all()
    assert np.isfinite(words.pairs).all()
    square = labels_on_square(words, 32)
    assert (square[:6] == -1).all() and (square[7:25] == 0).all()


def test_every_word_keeps_a_pixel() -> None:
    cells = np.arange(1024, dtype=np.int32).reshape(32, 32).repeat(20, 0).repeat(20, 1)
    ink = np.zeros(cells.shape, bool)
    ink[::20] = ink[:, ::20] = True
    words = words_of(Regions(cells, ink, np.empty((0, 2), np.int32), np.empty(0, np.float32)))
    assert words.pairs.shape == (1024, 1024, PAIR)
    for side in (32, 48, 128):
        assert set(np.unique(labels_on_square(words, side))) == set(range(1024))

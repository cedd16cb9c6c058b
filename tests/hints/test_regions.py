"""Regions and the tree of their merges, on drawn shapes whose regions are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.regions import Regions, find_regions


def paper(height: int = 200, width: int = 200) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def rooms(door: int, size: int = 200) -> np.ndarray:
    """A box of two rooms with a door of a width between them."""
    sketch = paper(size, 2 * size)
    cv2.rectangle(sketch, (20, 20), (2 * size - 20, size - 20), 0, 3)
    cv2.line(sketch, (size, 20), (size, size - 20), 0, 3)
    middle = size // 2
    sketch[middle - door // 2 : middle - door // 2 + door, size - 4 : size + 5] = 255
    return sketch


def regions_at(found: Regions, gap: float | None, *points: tuple[int, int]) -> list[int]:
    labels = found.cut(gap)
    return [int(labels[y, x]) for x, y in points]


LEFT, RIGHT, OUTSIDE = (100, 100), (300, 100), (8, 8)


def test_a_blank_and_a_black_sheet_are_one_region() -> None:
    for level in (0, 90, 255):
        found = find_regions(np.full((40, 60), level, np.uint8))
        assert found.count == 1
        assert (found.cut() == 0).all()
        assert len(found.joins) == 0


def test_closed_lines_are_borders_at_every_gap() -> None:
    found = find_regions(rooms(door=0))
    for gap in (0, 5, None, 1000):
        assert len(set(regions_at(found, gap, LEFT, RIGHT, OUTSIDE))) == 3


@pytest.mark.parametrize(
    ("door", "size"), [(2, 200), (3, 200), (4, 200), (6, 200), (12, 200), (20, 210), (40, 410)]
)
def test_a_neck_is_a_border_up_to_its_width(door: int, size: int) -> None:
    found = find_regions(rooms(door, size))
    places = (size // 2, size // 2), (3 * size // 2, size // 2), OUTSIDE
    left, right, outside = regions_at(found, door, *places)
    assert len({left, right, outside}) == 3
    left, right, outside = regions_at(found, door - 2, *places)
    assert left == right != outside


def test_cuts_are_nested() -> None:
    rng = np.random.default_rng(0)
    sketch = paper(256, 256)
    for _ in range(25):
        x, y, radius = rng.integers(10, 246), rng.integers(10, 246), rng.integers(8, 50)
        start = int(rng.integers(360))
        cv2.ellipse(sketch, (x, y), (radius, radius), 0, start, start + 320, 0, 2)
    found = find_regions(sketch)
    cuts = [found.cut(gap) for gap in (0, 3, 8, 20, 50, 1e9)]
    for coarse, fine in zip(cuts, cuts[1:], strict=False):
        pairs = np.unique(np.stack([fine.ravel(), coarse.ravel()]), axis=1)
        assert len(np.unique(pairs[0])) == pairs.shape[1]  # each fine region in one coarse one
    assert (found.labels == found.cut(1e9)).all()
    assert list(found.openings) == sorted(found.openings, reverse=True)


def test_regions_meet_under_the_lines() -> None:
    sketch = rooms(door=0)
    soft = cv2.GaussianBlur(sketch, (0, 0), 1.5)
    labels = find_regions(soft).cut(0)
    borders = np.zeros(labels.shape, bool)
    borders[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    borders[1:] |= labels[1:] != labels[:-1]
    inner = np.s_[10:190, 10:390]
    assert borders[inner].any()
    assert (sketch[inner][borders[inner]] < 128).all()  # no rim of another region beside a line


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda sketch: 130 + sketch // 4, id="grey"),
        pytest.param(lambda sketch: (sketch * np.linspace(0.5, 1, 400)).astype(np.uint8), id="lit"),
        pytest.param(
            lambda sketch: (
                sketch - np.random.default_rng(0).integers(0, 25, sketch.shape) * (sketch > 99)
            ).astype(np.uint8),
            id="grain",
        ),
    ],
)
def test_paper_need_not_be_white(change: object) -> None:
    sketch = rooms(door=10)
    clean, changed = find_regions(sketch), find_regions(change(sketch))  # type: ignore[operator]
    places = LEFT, RIGHT, OUTSIDE
    for gap in (0, None):
        assert regions_at(clean, gap, *places) == regions_at(changed, gap, *places)
    assert changed.cut().max() == clean.cut().max()


def test_specks_and_hatching_make_few_regions() -> None:
    sketch = rooms(door=0, size=512)
    rng = np.random.default_rng(1)
    for _ in range(400):  # stipple in the left room
        x, y = rng.integers(30, 496), rng.integers(30, 482)
        sketch[y : y + 2, x : x + 2] = 0
    for start in range(526, 736, 6):  # crosses in the right one
        cv2.line(sketch, (start, 60), (start + 12, 90), 0, 1)
        cv2.line(sketch, (start + 12, 60), (start, 90), 0, 1)
    found = find_regions(sketch)
    assert found.count < 250
    assert len(set(regions_at(found, None, (256, 256), (800, 360), OUTSIDE))) == 3


def test_a_filled_shape_is_a_line_not_a_region() -> None:
    sketch = paper(200, 200)
    cv2.circle(sketch, (100, 100), 60, 0, -1)
    found = find_regions(sketch)
    assert found.ink[100, 100]
    assert set(np.unique(found.cut(0))) == {0}


def test_hundreds_of_regions() -> None:
    sketch = paper(400, 400)
    sketch[::16] = sketch[:, ::16] = 0
    assert find_regions(sketch).count == 25 * 25


def test_a_large_drawing_has_the_regions_of_a_small_one() -> None:
    small = rooms(door=10)
    large = cv2.resize(small, None, fx=9, fy=9, interpolation=cv2.INTER_CUBIC)  # 1800 x 3600
    alone = find_regions(small).cut().repeat(9, 0).repeat(9, 1)
    labels = find_regions(large).cut()
    assert labels.max() == alone.max() == 2
    counts = np.bincount(3 * labels.ravel() + alone.ravel(), minlength=9).reshape(3, 3)
    assert counts.max(1).sum() > 0.99 * labels.size
    assert sorted(counts.argmax(1)) == [0, 1, 2]


def test_lines_of_a_pixel_hold_in_a_large_drawing() -> None:
    sketch = paper(2000, 2400)
    sketch[300:1700, 1200] = 0
    sketch[300, 300:2100] = sketch[1699, 300:2100] = 0
    sketch[300:1700, 300] = sketch[300:1700, 2099] = 0
    labels = find_regions(sketch).cut()
    assert (labels[310:1690, 310:1199] == labels[1000, 700]).all()
    assert (labels[310:1690, 1202:2090] == labels[1000, 1700]).all()
    assert labels[1000, 700] != labels[1000, 1700]


@pytest.mark.parametrize("size", [(1701, 1703), (3203, 1701), (40, 4801)])
def test_every_pixel_of_a_large_drawing_has_a_region(size: tuple[int, int]) -> None:
    """Also where the sides are no multiples of what is one pixel while regions are found."""
    sketch = paper(*size)
    for x in range(20, size[1] - 20, 90):
        cv2.circle(sketch, (x, size[0] // 2), 12, 0, 2)
    labels = find_regions(sketch).labels
    assert labels.min() == 0
    inside = [labels[size[0] // 2, x] for x in range(20, size[1] - 20, 90)]
    assert len(set(inside)) == len(inside)


def test_a_strip_has_the_regions_of_its_pieces() -> None:
    """A page of comics 800 wide and very long: gaps are as wide as in a piece of it."""
    piece = rooms(door=12)
    strip = np.vstack([piece] * 25)  # 400 x 5000
    found = find_regions(strip)
    for gap in (None, 16, 4):
        cut, alone = found.cut(gap), find_regions(piece).cut(gap)
        for top in (0, 2000, 4800):
            part = cut[top : top + 200]
            same = [(part[y, x], alone[y, x]) for x, y in (LEFT, RIGHT)]
            assert (same[0][0] == same[1][0]) == (same[0][1] == same[1][1])
            assert len({int(part[y, x]) for x, y in (LEFT, OUTSIDE)}) == 2


@pytest.mark.parametrize("cell", [6, 7, 8, 14])
def test_small_cells_of_a_large_drawing_are_not_forgotten(cell: int) -> None:
    """They are no wider than what is found again around the borders."""
    sketch = paper(1700, 3400)  # two by two pixels of it are one, where regions are found
    sketch[600:1000:cell, 500:900] = sketch[600:1000, 500:900:cell] = 0
    found = find_regions(sketch)
    assert found.labels.min() == 0
    assert set(found.joins.ravel()) <= set(range(found.count))
    assert found.cut(0).shape == sketch.shape
    assert len(np.unique(found.labels)) == found.count


def test_the_number_of_threads_changes_nothing() -> None:
    sketch = rooms(door=10, size=400)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = find_regions(sketch)
        cv2.setNumThreads(4)
        four = find_regions(sketch)
    finally:
        cv2.setNumThreads(before)
    for name in ("labels", "ink", "joins", "openings"):
        np.testing.assert_array_equal(getattr(one, name), getattr(four, name))


def test_any_shape_of_picture() -> None:
    rng = np.random.default_rng(0)
    for shape in [(1, 1), (1, 50), (50, 1), (2, 3), (7, 300)]:
        found = find_regions(rng.integers(0, 256, shape, np.uint8))
        assert found.labels.shape == shape
        assert set(np.unique(found.labels)) == set(range(found.count))


def test_what_is_no_grey_picture_is_named() -> None:
    with pytest.raises(ValueError, match=r"Expected a drawing as one channel .* \(4, 4, 3\)"):
        find_regions(np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="of float64"):
        find_regions(np.zeros((4, 4)))


def test_a_part_has_its_regions_numbered_anew() -> None:
    found = find_regions(rooms(door=10))
    window = np.s_[40:160, 230:390]  # inside the right room
    part, numbers = found.part(window)
    np.testing.assert_array_equal(numbers[part.labels], found.labels[window])
    assert part.count == len(numbers) and not len(part.joins)
    whole, every = found.part(np.s_[:, :])
    np.testing.assert_array_equal(every, np.arange(found.count))
    np.testing.assert_array_equal(whole.joins, found.joins)
    np.testing.assert_array_equal(whole.openings, found.openings)
    both, numbers = found.part(np.s_[60:140, 60:340])  # the door, without the paper outside
    assert len(both.joins) and set(both.joins.ravel()) <= set(range(len(numbers)))

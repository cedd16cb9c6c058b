"""Overlays as paint programs leave them, taken apart: hard, soft, blended, noisy."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from sketch2paint.hints.areas import areas_of

RED, BLUE, SKIN, SHADE = (255, 0, 0), (0, 0, 255), (240, 200, 170), (225, 160, 130)
Painted = tuple[tuple[int, int], tuple[int, int], int, tuple[int, int, int]]  # from, to, width
# Two that cross, so that the first is cut in two; two that lie side by side; greys in a row.
CROSSING: list[Painted] = [((20, 50), (250, 60), 20, RED), ((100, 20), (120, 180), 16, BLUE)]
BESIDE: list[Painted] = [((20, 50), (250, 50), 20, SKIN), ((20, 69), (250, 69), 20, SHADE)]
GREYS: list[Painted] = [
    ((20, 50 + 20 * i), (250, 50 + 20 * i), 20, (grey,) * 3) for i, grey in enumerate((0, 128, 255))
]
SCENES = {"crossing": (CROSSING, 3), "beside": (BESIDE, 2), "greys": (GREYS, 3)}
scenes = pytest.mark.parametrize(("strokes", "count"), SCENES.values(), ids=SCENES)


def painted(strokes: Sequence[Painted], blur: float = 0) -> np.ndarray:
    """Strokes with smooth edges, one over the other, (200, 300, 4) uint8."""
    rgb, alpha = np.zeros((200, 300, 3)), np.zeros((200, 300, 1))
    for begin, end, width, color in strokes:
        large = np.zeros((1600, 2400), np.uint8)
        cv2.line(large, [8 * v for v in begin], [8 * v for v in end], 255, 8 * width)
        cover = cv2.resize(large, (300, 200), interpolation=cv2.INTER_AREA) / 255
        cover = (cv2.GaussianBlur(cover, (0, 0), blur) if blur else cover)[..., None]
        over = cover + alpha * (1 - cover)
        rgb = (cover * color + alpha * (1 - cover) * rgb) / np.maximum(over, 1e-9)
        alpha = over
    return np.round(np.concatenate([rgb, 255 * alpha], 2)).astype(np.uint8)


def hard(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """RGBA that is wholly there or not at all."""
    return np.dstack([rgb, np.where(alpha >= 128, 255, 0).astype(np.uint8)])


def colours(rgba: np.ndarray) -> list[np.ndarray]:
    """Medians of the strokes, having seen that they share out what counts."""
    found, seen = [], np.zeros(rgba.shape[:2], int)
    for mask, (x, y) in areas_of(rgba):
        cut = np.s_[y : y + mask.shape[0], x : x + mask.shape[1]]
        seen[cut] += mask
        found.append(np.median(rgba[..., :3][cut][mask], axis=0))
    np.testing.assert_array_equal(seen, rgba[..., 3] >= 128)
    return found


def assert_colours(rgba: np.ndarray, strokes: Sequence[Painted], count: int, within: int) -> None:
    """There are so many strokes, each near a colour that was painted, and none is missing."""
    found = np.array(colours(rgba))
    assert len(found) == count
    apart = np.abs(found[:, None] - np.array([stroke[3] for stroke in strokes])).max(2)
    assert apart.min(1).max() <= within and apart.min(0).max() <= within


@scenes
@pytest.mark.parametrize("blur", [0, 1, 2, 4])
def test_soft_edges_make_no_strokes(strokes: list[Painted], count: int, blur: float) -> None:
    assert_colours(painted(strokes, blur), strokes, count, within=2)


@scenes
@pytest.mark.parametrize("quality", [90, 75, 50])
@pytest.mark.parametrize("paper", [0, 255])
def test_noise_of_jpeg_makes_no_strokes(
    strokes: list[Painted], count: int, quality: int, paper: int
) -> None:
    rgba = painted(strokes)
    share = rgba[..., 3:] / 255
    flat = np.round(rgba[..., :3] * share + paper * (1 - share)).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", flat, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    rgb = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
    assert_colours(hard(rgb, rgba[..., 3]), strokes, count, within=10)
    assert_colours(np.dstack([rgb, rgba[..., 3]]), strokes, count, within=10)


@scenes
@pytest.mark.parametrize("deviation", [2, 5, 10])
def test_grain_makes_no_strokes(strokes: list[Painted], count: int, deviation: float) -> None:
    rgba = painted(strokes)
    grain = np.random.default_rng(0).normal(0, deviation, (200, 300, 3))
    rgb = np.clip(rgba[..., :3] + grain, 0, 255).astype(np.uint8)
    assert_colours(np.dstack([rgb, rgba[..., 3]]), strokes, count, within=2)


def test_grain_of_a_colour_near_that_of_another_stroke_makes_none_either() -> None:
    strokes = [
        ((20, 40), (270, 40), 30, (120, 130, 200)),
        ((20, 140), (270, 140), 30, (131, 138, 200)),
    ]
    rgba = painted(strokes)
    grain = np.random.default_rng(0).normal(0, 6, (200, 300, 3))
    rgb = np.clip(rgba[..., :3] + grain, 0, 255).astype(np.uint8)
    assert_colours(np.dstack([rgb, rgba[..., 3]]), strokes, 2, within=2)


def test_with_hard_edges_every_change_of_colour_is_a_stroke() -> None:
    rgba = np.zeros((30, 40, 4), np.uint8)
    rgba[5:25, 5:35] = (*RED, 255)
    rgba[10:11, 5:35] = (*BLUE, 255)  # a thin line over it
    rgba[20, 20] = (*SKIN, 255)  # one pixel on it
    assert [tuple(c) for c in colours(rgba)] == [RED, BLUE, RED, SKIN]


def test_near_colours_side_by_side_leave_the_rest_of_the_overlay_alone() -> None:
    rgba = np.zeros((30, 60, 4), np.uint8)
    rgba[5:25, 5:15], rgba[5:25, 15:25] = (*SKIN, 255), (*(level - 1 for level in SKIN), 255)
    rgba[5:25, 35:55] = (*RED, 255)
    rgba[10, 35:55] = (*BLUE, 255)
    first, *others = colours(rgba)
    assert np.abs(first - SKIN).max() <= 1
    assert [tuple(c) for c in others] == [RED, BLUE, RED]


def test_what_is_less_than_half_opaque_does_not_count() -> None:
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[:, :10], rgba[:, 20:30] = (*RED, 127), (*BLUE, 128)
    ((mask, corner),) = areas_of(rgba)
    assert corner == (20, 0) and mask.shape == (20, 10) and mask.all()


def test_small_soft_things_are_one_stroke_each() -> None:
    rgba = np.zeros((9, 20, 4), np.uint8)
    rgba[2:4, 2:4], rgba[6, 10], rgba[7, 11] = (*RED, 200), (10, 20, 30, 255), (90, 60, 30, 255)
    assert len(colours(rgba)) == 2


@pytest.mark.parametrize("shape", [(1, 9), (9, 1), (1, 1)])
def test_narrow_pictures(shape: tuple[int, int]) -> None:
    for alpha in (200, 255):
        assert len(colours(np.full((*shape, 4), alpha, np.uint8))) == 1
    assert list(areas_of(np.zeros((*shape, 4), np.uint8))) == []


def test_strokes_come_in_the_order_of_their_first_pixels() -> None:
    rgba = np.zeros((50, 50, 4), np.uint8)
    for color, (y, x) in ((RED, (30, 2)), (BLUE, (4, 40)), (SKIN, (4, 10))):
        rgba[y : y + 5, x : x + 5] = (*color, 255)
    assert [tuple(c) for c in colours(rgba)] == [SKIN, BLUE, RED]

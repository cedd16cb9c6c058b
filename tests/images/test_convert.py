from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage.color import rgb2lab

from sketch2paint.images.convert import (
    STRIP,
    array_to_lab,
    codes,
    fit_within,
    grid,
    lab_to_array,
    lab_to_rgb,
    pairs_grid,
    rgb_to_grey,
    rgb_to_lab,
    rows,
    scaled_size,
    strips,
    to_float,
    to_grey,
    to_hwc,
    to_rgb,
    to_uint8,
)

WHITE = (255, 255, 255)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("shape", "side", "shrunk", "enlarged"),
    [
        ((400, 200, 3), 100, (100, 50), (100, 50)),
        ((50, 80), 100, (50, 80), (62, 100)),
        ((100, 37), 100, (100, 37), (100, 37)),
        ((1, 1000), 100, (1, 100), (1, 100)),  # no side is ever lost
        ((3, 2, 4), 7, (3, 2), (7, 5)),
    ],
)
def test_fit_within(
    shape: tuple[int, ...], side: int, shrunk: tuple[int, int], enlarged: tuple[int, int]
) -> None:
    assert fit_within(shape, side) == shrunk
    assert fit_within(shape, side, enlarge=True) == enlarged
    assert fit_within(shape[:2][::-1], side) == shrunk[::-1]


def test_the_longer_side_is_met_exactly() -> None:
    sizes = np.random.default_rng(0).integers(1, 20_000, (2000, 3)).tolist()
    for height, width, side in sizes:
        assert max(fit_within((height, width), side, enlarge=True)) == side
        assert max(fit_within((height, width), side)) == min(side, max(height, width))


def test_scaled_size() -> None:
    assert scaled_size((10, 7, 3), 1.5) == (15, 10)
    assert scaled_size((10, 7), 0.01) == (1, 1)


# ---------------------------------------------------------------- conversion


def test_to_float_and_to_uint8_are_inverse_on_all_values() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    floats = to_float(values)
    assert floats.dtype == torch.float32
    torch.testing.assert_close(floats, torch.linspace(-1, 1, 256), atol=1e-6, rtol=0)
    assert torch.equal(to_uint8(floats), values)
    assert torch.equal(values, torch.arange(256, dtype=torch.uint8))  # the input is untouched


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_to_uint8_takes_other_floats_and_clips(dtype: torch.dtype) -> None:
    values = torch.tensor([-7.0, -1.0, 0.0, 1.0, 7.0], dtype=dtype)
    assert to_uint8(values).tolist() == [0, 0, 128, 255, 255]


def test_to_uint8_rounds_to_the_nearest() -> None:
    levels = torch.tensor([99.4, 99.6])
    assert to_uint8(levels / 127.5 - 1).tolist() == [99, 100]


def test_to_hwc() -> None:
    picture = torch.tensor([[[-1.0, 1.0]], [[1.0, -1.0]], [[-1.0, -1.0]]], requires_grad=True)
    np.testing.assert_array_equal(to_hwc(picture), [[(0, 255, 0), (255, 0, 0)]])
    np.testing.assert_array_equal(to_hwc(picture[:1]), [[(0, 0, 0), WHITE]])


def test_rgb_to_grey_agrees_with_pillow() -> None:
    picture = noise(64, 64, 3)
    pillow = np.asarray(Image.fromarray(picture).convert("L")).astype(int)
    grey = rgb_to_grey(picture)
    assert grey.shape == (64, 64) and grey.dtype == np.uint8
    assert np.abs(grey - pillow).max() <= 1
    np.testing.assert_array_equal(rgb_to_grey(picture[:, ::-1]), grey[:, ::-1])  # and on views


def test_to_grey_leaves_grey_as_it_is() -> None:
    grey, rgb = noise(5, 7), noise(5, 7, 3)
    assert to_grey(grey) is grey
    np.testing.assert_array_equal(to_grey(rgb), rgb_to_grey(rgb))


def test_codes_are_the_colours_as_they_are_written() -> None:
    colours = np.array([[(0, 0, 0), (0x12, 0xAB, 0xFF)], [(255, 0, 1), WHITE]], np.uint8)
    assert codes(colours).tolist() == [[0, 0x12ABFF], [0xFF0001, 0xFFFFFF]]
    assert codes(colours[1, 1]) == 0xFFFFFF and codes(colours).dtype == np.int32


def test_rgb_to_grey_keeps_grey() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None]
    np.testing.assert_array_equal(rgb_to_grey(np.dstack([ramp] * 3)), ramp)


# ---------------------------------------------------------------- strips


@pytest.mark.parametrize("size", [(3 * STRIP + 5, 40), (17, 16), (STRIP, 99)])
def test_strips_join_to_the_whole(size: tuple[int, int]) -> None:
    height, width = size
    picture = np.random.default_rng(0).random((16, 16, 2), np.float32)
    parts = [rows(picture, height=height, width=width, here=here) for here in strips(height)]
    expected = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(np.concatenate(parts), expected, atol=1e-5)
    assert {part.shape[0] for part in parts[:-1]} <= {STRIP}


@pytest.mark.parametrize("width", [1, 16384, 16385, 50_000, 1_000_000])
def test_strips_of_wide_pictures_are_lower(width: int) -> None:
    slices = list(strips(131, width))
    assert [s.start for s in slices] == [0, *(s.stop for s in slices[:-1])]
    assert slices[-1].stop == 131
    rows = slices[0].stop
    assert rows % 2 == 0 and rows * width <= max(STRIP * 16384, 2 * width)
    assert rows == STRIP or rows * width > STRIP * 16384 // 2


# ---------------------------------------------------------------- grids


def test_grid_lays_out_row_by_row_on_white() -> None:
    levels = [0, 50, 100, 150, 200]
    pictures = torch.stack([to_float(torch.full((3, 6, 10), v, dtype=torch.uint8)) for v in levels])
    sheet = grid(pictures, columns=2)
    assert sheet.shape == (3 * (6 + 4) + 4, 2 * (10 + 4) + 4, 3)
    expected = np.full_like(sheet, 255)
    for place, level in enumerate(levels):
        top, left = 4 + (6 + 4) * (place // 2), 4 + (10 + 4) * (place % 2)
        expected[top : top + 6, left : left + 10] = level
    np.testing.assert_array_equal(sheet, expected)


def test_pairs_grid_has_a_row_for_each_sample() -> None:
    def flat(channels: int, *levels: int) -> torch.Tensor:
        return torch.stack(
            [to_float(torch.full((channels, 8, 8), v, dtype=torch.uint8)) for v in levels]
        )

    sheet = pairs_grid([flat(1, 10, 20), flat(3, 30, 40), flat(3, 50, 60)])
    assert sheet.shape == (2 * 12 + 4, 3 * 12 + 4, 3)
    assert sheet[8::12, 8::12].tolist() == [
        [[v] * 3 for v in (10, 30, 50)],
        [[v] * 3 for v in (20, 40, 60)],
    ]


# ---------------------------------------------------------------- Lab


def srgb_grid() -> np.ndarray:
    """Every colour of the sRGB cube in 17 steps an axis, (1, 4913, 3) uint8."""
    values = np.linspace(0, 255, 17).round().astype(np.uint8)
    return np.stack(np.meshgrid(values, values, values), axis=-1).reshape(1, -1, 3)


def as_batch(picture: np.ndarray) -> torch.Tensor:
    return to_float(torch.from_numpy(picture).permute(2, 0, 1)[None])


def test_lab_round_trip_is_exact() -> None:
    colours = srgb_grid()
    lab = rgb_to_lab(as_batch(colours))
    assert lab.abs().max() <= 1
    np.testing.assert_array_equal(to_hwc(lab_to_rgb(lab)[0]), colours)


def test_lab_is_exact_under_autocast() -> None:
    colours = srgb_grid()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        back = lab_to_rgb(rgb_to_lab(as_batch(colours)))
    np.testing.assert_array_equal(to_hwc(back[0]), colours)


def test_lab_agrees_with_scikit_image() -> None:
    colours = srgb_grid()
    lab = rgb_to_lab(as_batch(colours))[0].permute(1, 2, 0).numpy()
    ours = np.dstack([(lab[..., 0] + 1) * 50, lab[..., 1:] * 110])
    np.testing.assert_allclose(ours, rgb2lab(colours / 255.0), atol=0.01)


def test_lab_of_arrays_agrees_with_scikit_image() -> None:
    picture = srgb_grid()
    lab = array_to_lab(picture)
    np.testing.assert_allclose(lab, rgb2lab(picture), atol=0.5)  # OpenCV's is a table's
    assert np.abs(lab_to_array(lab).astype(int) - picture).max() <= 1
    far = np.float32([[[50, 200, 0], [120, 0, 0], [-5, 0, 0]]])  # no sRGB has these
    assert lab_to_array(far)[0, :, 0].tolist() == [255, 255, 0]


def test_colours_out_of_gamut_are_clipped() -> None:
    lab = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 4 - 2
    rgb = lab_to_rgb(lab)
    assert rgb.isfinite().all()
    assert rgb.min() >= -1 and rgb.max() <= 1


def test_to_rgb() -> None:
    colours = srgb_grid()
    lab = rgb_to_lab(as_batch(colours))
    np.testing.assert_array_equal(to_hwc(to_rgb(lab[:, :1], lab[:, 1:])[0]), colours)
    rgb = torch.rand(1, 3, 4, 4)
    assert to_rgb(torch.zeros(1, 1, 4, 4), rgb) is rgb

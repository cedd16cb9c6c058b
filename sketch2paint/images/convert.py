"""The one home of conversion: uint8 HWC <-> float CHW, RGB <-> Lab, codes, sizes, rows, grids."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:  # what an .onnx file is given needs no torch, and its import takes seconds
    from torch import Tensor

GAP = 4  # white pixels around each picture of a sheet
STRIP = 64  # rows at a time, so that no page is ever held in floats; even, for halving a strip
WIDE = 16384  # pixels of a row from which on there are fewer


def rgb_to_grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of (H, W, 3) uint8 RGB by Rec. 601, (H, W) uint8."""
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)


def to_grey(picture: np.ndarray) -> np.ndarray:
    """Convert (H, W) or (H, W, 3) uint8 to (H, W) uint8; what is grey is left as it is."""
    return picture if picture.ndim == 2 else rgb_to_grey(picture)


def codes(rgb: np.ndarray) -> np.ndarray:
    """One number 0xRRGGBB for each colour, (..., 3) uint8 to (...) int32."""
    red, green, blue = (rgb[..., channel].astype(np.int32) for channel in range(3))
    return red << 16 | green << 8 | blue


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Shrink (H, W, ...) by area averages, then grow by cubic interpolation.

    One cv2.resize would not do: INTER_AREA averages only where both sides shrink.
    """
    smaller = min(width, picture.shape[1]), min(height, picture.shape[0])
    if smaller != (picture.shape[1], picture.shape[0]):
        picture = cv2.resize(picture, smaller, interpolation=cv2.INTER_AREA)
    if smaller == (width, height):
        return picture
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)


def scaled_size(shape: Sequence[int], scale: float) -> tuple[int, int]:
    """Scale (height, width, ...) to (height, width), rounded and never below one pixel."""
    height, width = (max(1, round(n * scale)) for n in shape[:2])
    return height, width


def fit_within(shape: Sequence[int], side: int, enlarge: bool = False) -> tuple[int, int]:
    """Scale (height, width, ...) to a (height, width) that a square holds, the aspect kept.

    Args:
        shape: Height and width, at least; what follows, as in the shape of an array, is ignored.
        side: Side of the square.
        enlarge: Whether what is smaller grows into the square; else it stays as it is.
    """
    scale = side / max(shape[:2])
    return scaled_size(shape, scale if enlarge else min(1.0, scale))


def on_square(picture: np.ndarray, side: int) -> np.ndarray:
    """Fit (H, W, C) uint8 into a white (side, side, C), in the middle, its aspect kept."""
    height, width = fit_within(picture.shape, side, enlarge=True)
    square = np.full((side, side, picture.shape[2]), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = resize(picture, height, width)
    return square


def strips(height: int, width: int = 1) -> Iterator[slice]:
    """Cut rows 0..height into slices of at most `STRIP`, fewer where they are very wide."""
    count = max(2, STRIP * WIDE // max(width, WIDE) // 2 * 2)
    for top in range(0, height, count):
        yield slice(top, min(top + count, height))


def rows(picture: np.ndarray, *, height: int, width: int, here: slice) -> np.ndarray:
    """Interpolate linearly, some rows at a time; the strips join without a step.

    Args:
        picture: Picture (h, w) or (h, w, C) of any type.
        height: Height of the whole result.
        width: Width of the whole result, at least w.
        here: Rows of the result that are wanted.

    Returns:
        float32 (rows, width) or (rows, width, C).
    """
    near, weights = rows_around(here, len(picture), height)
    return mixed_rows(picture[near].astype(np.float32), weights, width)


def rows_around(here: slice, length: int, height: int) -> tuple[slice, np.ndarray]:
    """Which of `length` rows lie around the rows `here` of `height`, and their weights."""
    return _rows_around(here.start, here.stop, length, height)


@lru_cache(256)  # pictures of one size ask for the same again and again
def _rows_around(start: int, stop: int, length: int, height: int) -> tuple[slice, np.ndarray]:
    place = (np.arange(start, stop) + 0.5) * length / height - 0.5
    place = place.clip(0, length - 1)
    near = slice(int(place[0]), math.ceil(place[-1]) + 1)
    distance = np.abs(place[:, None] - np.arange(near.start, near.stop))
    return near, np.maximum(0, 1 - distance).astype(np.float32)


def mixed_rows(block: np.ndarray, weights: np.ndarray, width: int) -> np.ndarray:
    """Mix the rows of a float32 block by `weights`, then stretch them to `width`."""
    mixed = (weights @ block.reshape(len(block), -1)).reshape(len(weights), *block.shape[1:])
    if width == mixed.shape[1]:
        return mixed
    return cv2.resize(mixed, (width, len(mixed)), interpolation=cv2.INTER_LINEAR)


def to_float(picture: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 [-1, 1]; 127.5 becomes 0."""
    return picture.float().div_(127.5).sub_(1.0)


def to_uint8(picture: Tensor) -> Tensor:
    """Map float [-1, 1] to uint8 0..255, rounded and clipped: the inverse of `to_float`."""
    return picture.float().add(1.0).mul(127.5).round().clamp(0, 255).byte()


def array_to_float(picture: np.ndarray) -> np.ndarray:
    """`to_float` of an array, to the bit."""
    return picture.astype(np.float32) / np.float32(127.5) - np.float32(1)


def array_to_uint8(picture: np.ndarray) -> np.ndarray:
    """`to_uint8` of a float32 array, to the bit."""
    levels = picture + np.float32(1)
    levels *= np.float32(127.5)
    np.rint(levels, out=levels)
    with np.errstate(invalid="ignore"):  # NaN, of a broken network
        return np.clip(levels, 0, 255, out=levels).astype(np.uint8)


# sRGB to XYZ and the white of D65 (IEC 61966-2-1), for the CIE 1931 2 degree observer.
SRGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
CHROMA = 110.0  # a and b of every sRGB colour lie within +-110


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """Convert sRGB to CIE Lab (D65), scaled to [-1, 1].

    Args:
        rgb: Pictures (B, 3, H, W) in [-1, 1].

    Returns:
        (B, 3, H, W): L / 50 - 1, a / 110, b / 110.
    """
    import torch

    rgb = (rgb.float() + 1) / 2
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    matrix = torch.tensor(SRGB_TO_XYZ, device=rgb.device)
    matrix = matrix / matrix.sum(dim=1, keepdim=True)  # white becomes 1, 1, 1
    xyz = _mix(matrix, linear)
    f = torch.where(
        xyz > (6 / 29) ** 3, xyz.clamp(min=1e-9) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29
    )
    fx, fy, fz = f.unbind(dim=1)
    lab = torch.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], dim=1)
    return torch.cat([lab[:, :1] / 50 - 1, lab[:, 1:] / CHROMA], dim=1)


def array_to_lab(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB to float32 CIE Lab in its own units: L to 100, a and b about 0."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB))


def lab_to_array(lab: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 CIE Lab in its own units to uint8 sRGB; what it lacks is clipped."""
    rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    return np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert scaled Lab (see `rgb_to_lab`) to sRGB in [-1, 1]; out of gamut is clipped."""
    import torch

    lightness, a, b = (lab[:, 0].float() + 1) * 50, lab[:, 1] * CHROMA, lab[:, 2] * CHROMA
    fy = (lightness + 16) / 116
    f = torch.stack([fy + a / 500, fy, fy - b / 200], dim=1)
    xyz = torch.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    matrix = torch.tensor(SRGB_TO_XYZ, dtype=torch.float64)
    inverse = torch.linalg.inv(matrix / matrix.sum(dim=1, keepdim=True)).float().to(lab.device)
    linear = _mix(inverse, xyz).clamp(0, 1)
    rgb = torch.where(
        linear > 0.0031308, 1.055 * linear.clamp(min=1e-9) ** (1 / 2.4) - 0.055, 12.92 * linear
    )
    return rgb * 2 - 1


def _mix(matrix: Tensor, channels: Tensor) -> Tensor:
    """Multiply (3, 3) with the channels of (B, 3, H, W); no matmul, which autocast would round."""
    return sum(matrix[:, i, None, None] * channels[:, i : i + 1] for i in range(3))  # type: ignore[return-value]


def to_rgb(sketch: Tensor, picture: Tensor) -> Tensor:
    """What a network's picture looks like: RGB is itself, ab joins the L it was predicted from.

    Args:
        sketch: Sketches or L, (B, 1, H, W) in [-1, 1].
        picture: Pictures of the network, (B, 3, H, W) RGB or (B, 2, H, W) ab, in [-1, 1].

    Returns:
        (B, 3, H, W) RGB in [-1, 1].

    Raises:
        ValueError: ab with more than L; other planes would be read as colours.
    """
    if picture.shape[1] == 3:
        return picture
    if sketch.shape[1] != 1 or picture.shape[1] != 2:
        raise ValueError(
            "Expected L as (B, 1, H, W) and ab as (B, 2, H, W), got "
            f"{tuple(sketch.shape)} and {tuple(picture.shape)}."
        )
    import torch

    return lab_to_rgb(torch.cat([sketch, picture.float()], dim=1))


def to_hwc(picture: Tensor) -> np.ndarray:
    """One (C, H, W) float picture in [-1, 1], C 1 or 3, to (H, W, 3) uint8 RGB."""
    array = to_uint8(picture.detach()).cpu().permute(1, 2, 0).numpy()
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def grid(pictures: Tensor, columns: int) -> np.ndarray:
    """Lay pictures out in rows on white.

    Args:
        pictures: Pictures (B, 3, H, W), float in [-1, 1].
        columns: Number of pictures in a row.

    Returns:
        One sheet, (..., ..., 3) uint8.
    """
    import torch

    count, _, height, width = pictures.shape  # not torchvision's: its import takes seconds
    columns, rows = min(columns, count), -(-count // columns)
    sheet = torch.ones(3, rows * (height + GAP) + GAP, columns * (width + GAP) + GAP)
    for number, picture in enumerate(pictures.float().cpu()):
        row, column = divmod(number, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        sheet[:, top : top + height, left : left + width] = picture
    return to_hwc(sheet)


def pairs_grid(columns: Sequence[Tensor]) -> np.ndarray:
    """Show batches side by side, a row for each sample: sketch | fake | real.

    Args:
        columns: Float batches (B, 1 or 3, H, W) in [-1, 1].

    Returns:
        One sheet, (..., ..., 3) uint8.
    """
    import torch

    wide = [column.expand(-1, 3, -1, -1) for column in columns]
    return grid(torch.stack(wide, dim=1).flatten(0, 1), len(columns))

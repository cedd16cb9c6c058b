"""The one home of picture conversion: file <-> uint8 HWC <-> float CHW; RGB <-> Lab; grids."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps
from torch import Tensor
from torchvision.utils import make_grid

from sketch2paint.files import written_beside

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
ORIENTATION = ExifTags.Base.Orientation
TURNED = (5, 6, 7, 8)  # values of it by which height and width change places


def find_pictures(folder: Path | str) -> list[Path]:
    """List the picture files below a folder, by suffix, sorted; hidden files are left out."""
    found = []
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(here, name)
            for name in files
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(found)


def read_rgb(path: Path | str) -> np.ndarray:
    """Read a picture of any mode: transparency on white, 16 bits to 8, EXIF turned upright.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the file is no picture, or a damaged one; the message names it.
    """
    try:
        with Image.open(path) as picture:
            return pil_to_rgb(picture)
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, struct.error, ...
        raise ValueError(
            f"{path}: expected a readable picture, got: {error}. Replace or remove the file."
        ) from error


def pil_to_rgb(picture: Image.Image) -> np.ndarray:
    """Convert a PIL picture of any mode to (H, W, 3) uint8 RGB, transparency on white."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        grey = np.clip(np.asarray(picture).astype(np.int64) // 256, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"))


def picture_size(path: Path | str) -> tuple[int, int]:
    """Check cheaply that a file holds a whole picture and return its upright (width, height).

    PNG chunks are checked by their sums without decoding; other formats are decoded.

    Raises:
        ValueError: the file is no picture, or a truncated or damaged one.
    """
    try:
        with Image.open(path) as picture:
            size = picture.size
            if picture.info.get("exif") and picture.getexif().get(ORIENTATION) in TURNED:
                size = size[::-1]
            if picture.format == "PNG":
                picture.verify()
            else:
                picture.draft(None, (1, 1))  # JPEG: the whole file, at an eighth of its pixels
                picture.load()
    except Exception as error:
        raise ValueError(f"{path}: expected a readable picture, got: {error}") from error
    return size


def rgb_to_grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of (H, W, 3) uint8 RGB by Rec. 601, (H, W) uint8."""
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)


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


def on_square(picture: np.ndarray, side: int) -> np.ndarray:
    """Fit (H, W, C) uint8 into a white (side, side, C), in the middle, its aspect kept."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
    square = np.full((side, side, picture.shape[2]), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = resize(picture, height, width)
    return square


def to_float(picture: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 [-1, 1]; 127.5 becomes 0."""
    return picture.float().div_(127.5).sub_(1.0)


def to_uint8(picture: Tensor) -> Tensor:
    """Map float [-1, 1] to uint8 0..255, rounded and clipped: the inverse of `to_float`."""
    return picture.float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


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
        rgb: (B, 3, H, W) in [-1, 1].

    Returns:
        (B, 3, H, W): L / 50 - 1, a / 110, b / 110.
    """
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


def lab_to_rgb(lab: Tensor) -> Tensor:
    """Convert scaled Lab (see `rgb_to_lab`) to sRGB in [-1, 1]; out of gamut is clipped."""
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
        sketch: (B, 1, H, W) in [-1, 1].
        picture: (B, 3, H, W) RGB or (B, 2, H, W) ab, in [-1, 1].

    Returns:
        (B, 3, H, W) RGB in [-1, 1].
    """
    if picture.shape[1] == 3:
        return picture
    return lab_to_rgb(torch.cat([sketch, picture.float()], dim=1))


def to_hwc(picture: Tensor) -> np.ndarray:
    """One (C, H, W) float picture in [-1, 1], C 1 or 3, to (H, W, 3) uint8 RGB."""
    array = to_uint8(picture.detach()).cpu().permute(1, 2, 0).numpy()
    return np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array


def grid(pictures: Tensor, columns: int) -> np.ndarray:
    """Lay pictures out in rows on white.

    Args:
        pictures: (B, 3, H, W) float in [-1, 1].
        columns: pictures in a row.

    Returns:
        One sheet, (..., ..., 3) uint8.
    """
    return to_hwc(make_grid(pictures.float().cpu(), nrow=columns, padding=4, pad_value=1.0))


def pairs_grid(columns: Sequence[Tensor]) -> np.ndarray:
    """Show batches side by side, a row for each sample: sketch | fake | real.

    Args:
        columns: float batches (B, 1 or 3, H, W) in [-1, 1].

    Returns:
        One sheet, (..., ..., 3) uint8.
    """
    wide = [column.expand(-1, 3, -1, -1) for column in columns]
    return grid(torch.stack(wide, dim=1).flatten(0, 1), len(columns))


def write_picture(path: Path | str, picture: np.ndarray) -> None:
    """Write (H, W, 3) or (H, W) uint8 in the format of the suffix, whole or not at all."""
    with written_beside(path) as beside:
        Image.fromarray(picture).save(beside)

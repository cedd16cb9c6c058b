"""The one home of picture conversion: file <-> uint8 HWC <-> float CHW in [-1, 1]; grids."""

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
                picture.load()
    except Exception as error:
        raise ValueError(f"{path}: expected a readable picture, got: {error}") from error
    return size


def rgb_to_grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of (H, W, 3) uint8 RGB by Rec. 601, (H, W) uint8."""
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)


def to_float(picture: Tensor) -> Tensor:
    """Map uint8 0..255 to float32 [-1, 1]; 127.5 becomes 0."""
    return picture.float().div_(127.5).sub_(1.0)


def to_uint8(picture: Tensor) -> Tensor:
    """Map float [-1, 1] to uint8 0..255, rounded and clipped: the inverse of `to_float`."""
    return picture.float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


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

"""The one home of picture conversion: file <-> uint8 HWC <-> float CHW; RGB <-> Lab; grids."""

from __future__ import annotations

import math
import os
import stat
import struct
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
import torch
from PIL import ExifTags, Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from sketch2paint.files import written_beside

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
ORIENTATION = ExifTags.Base.Orientation
TURNED = (5, 6, 7, 8)  # values of it by which height and width change places
GAP = 4  # white pixels around each picture of a sheet
STRIP = 64  # rows at a time, so that no page is ever held in floats; even, for halving a strip
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")  # Pillow's others may start programs
MAX_PIXELS = 89_478_485  # where Pillow begins to warn of decompression bombs
KEPT_TAGS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
PIXEL_TAGS = (  # of the old file's pixels, or of nobody's use
    ExifTags.Base.ColorSpace,
    ExifTags.Base.ExifImageWidth,
    ExifTags.Base.ExifImageHeight,
    ExifTags.Base.ExifInteroperabilityOffset,
    ExifTags.Base.MakerNote,
)
_OPENING = Lock()  # Pillow's limit is one for the process


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


@dataclass(frozen=True)
class Picture:
    """A picture file's pixels and what is kept of the rest.

    Attributes:
        rgb: Pixels (H, W, 3) uint8, sRGB, upright.
        dpi: Pixels per inch, across and down, or None.
        exif: Tags about the picture (who, when, with what), without orientation and thumbnail; or
            b"".
        icc: Profile of sRGB if the file had a profile, or b"".
        notes: Remarks on what was done or left out while reading.
    """

    rgb: np.ndarray
    _: KW_ONLY
    dpi: tuple[float, float] | None = None
    exif: bytes = b""
    icc: bytes = b""
    notes: tuple[str, ...] = ()


def read_rgb(path: Path | str, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Read the pixels of a picture file; see `read_picture`.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the file is no picture, a damaged one, or larger than `max_pixels`.
    """
    return read_picture(path, max_pixels).rgb


def read_picture(path: Path | str, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture of any mode: transparency on white, 16 bits to 8, EXIF turned upright.

    An ICC profile that fits the pixels (RGB, grey or CMYK) is converted to sRGB, which the networks
    know, and sRGB is written into the result. Of several frames the first is read.

    Args:
        path: File to read; "-" is standard input.
        max_pixels: Largest number of pixels; more are refused by the header, before anything is
            decoded.

    Raises:
        ValueError: the file is no picture, a damaged one, or larger than `max_pixels`.
    """
    with opened(path, max_pixels) as picture:
        notes = []
        if _has_frames(picture):
            notes.append("first of several frames")
        turned = getattr(picture, "tag_v2", {}).get(ORIENTATION) in TURNED  # a TIFF turns itself
        picture.load()  # what fails from here on is not the pixels
        exif = _exif(picture, notes)
        upright = _upright(picture, notes)
        rgb, converted = _rgb(upright, notes)
        return Picture(
            np.asarray(rgb),
            dpi=_dpi(picture, turned or upright.size != picture.size),
            exif=exif,
            icc=srgb_profile() if converted else b"",
            notes=tuple(notes),
        )


def pil_to_rgb(picture: Image.Image) -> np.ndarray:
    """Convert a PIL picture of any mode as `read_picture` does a file, to (H, W, 3) uint8."""
    notes: list[str] = []
    return np.asarray(_rgb(_upright(picture, notes), notes)[0])


@contextmanager
def opened(path: Path | str, max_pixels: int = MAX_PIXELS) -> Iterator[Image.Image]:
    """Open a picture file of the known formats, its declared size checked, its errors named.

    Raises:
        ValueError: no picture, a damaged one (also from inside the block), or too large.
    """
    with _named(path):
        picture = _open(path)
    with picture:
        if picture.width * picture.height > max_pixels:
            raise ValueError(
                f"{path}: expected at most {max_pixels} pixels, got {picture.width} x "
                f"{picture.height}. Scale it down, or read it with a larger `max_pixels`."
            )
        with _named(path):
            yield picture


def _has_frames(picture: Image.Image) -> bool:
    try:
        return picture.format != "MPO" and getattr(picture, "is_animated", False)  # MPO: previews
    except Exception:  # Pillow looks into the later ones, which may be damaged
        return True


@contextmanager
def _named(path: Path | str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, struct.error, ...
        raise ValueError(
            f"{path}: expected a readable picture, got: {str(error) or type(error).__name__}. "
            "Replace or remove the file."
        ) from error


def _open(path: Path | str) -> Image.Image:
    file: Path | str | BytesIO = path
    if str(path) == "-":
        file = BytesIO(sys.stdin.buffer.read())
    elif not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("no file")  # a pipe would be waited for
    with _OPENING:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # `opened` says it better
        try:
            return Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise ValueError(f"none of {', '.join(FORMATS)}") from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _upright(picture: Image.Image, notes: list[str]) -> Image.Image:
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # damaged EXIF raises anything, but the pixels may be whole
        notes.append("damaged EXIF left out")
        return picture


def _rgb(picture: Image.Image, notes: list[str]) -> tuple[Image.Image, bool]:
    """Any mode to RGB on white, by the ICC profile if one fits; and whether one did."""
    icc, grey = picture.info.get("icc_profile"), picture.mode in ("1", "L", "LA", "La", "F")
    if picture.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it at 255
        deep = np.asarray(picture).astype(np.int64) // 256
        picture, grey = Image.fromarray(np.clip(deep, 0, 255).astype(np.uint8)), True
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    if not icc:
        return picture.convert("RGB"), False
    try:
        return _by_profile(picture, grey, icc), True
    except Exception as error:  # a foreign or damaged profile; the pixels are whole
        notes.append(f"ICC profile left out: {error}")
        return picture.convert("RGB"), False


def _by_profile(picture: Image.Image, grey: bool, icc: bytes) -> Image.Image:
    profile = ImageCms.ImageCmsProfile(BytesIO(icc))
    space = profile.profile.xcolor_space.strip()
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space)
    if mode is None or (mode == "CMYK") != (picture.mode == "CMYK") or mode == "L" and not grey:
        raise ValueError(f"it is for {space or 'nothing known'}, the picture is {picture.mode}")
    if mode == "RGB" and "srgb" in ImageCms.getProfileDescription(profile).lower():
        return picture.convert("RGB")
    converted = ImageCms.profileToProfile(
        picture.convert(mode),
        profile,
        ImageCms.ImageCmsProfile(BytesIO(srgb_profile())),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,  # or black lines would get grey
    )
    assert converted is not None  # only in place
    return converted


@cache
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, always the same bytes."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + data[36:]  # not today's date


def _dpi(picture: Image.Image, turned: bool) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in picture.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (1 <= across <= 30_000 and 1 <= down <= 30_000):  # nonsense, or no unit
        return None
    return (down, across) if turned else (across, down)


def _exif(picture: Image.Image, notes: list[str]) -> bytes:
    """What EXIF says about the picture rather than about its pixels."""
    kept = Image.Exif()
    try:
        exif = picture.getexif()
        kept.update({tag: exif[tag] for tag in KEPT_TAGS if tag in exif})
        for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
            tags = {k: v for k, v in exif.get_ifd(ifd).items() if k not in PIXEL_TAGS}
            if tags:
                kept.get_ifd(ifd).update(tags)
        data = kept.tobytes() if kept or kept._ifds else b""
    except Exception:  # damaged EXIF raises anything
        notes.append("damaged EXIF left out")
        return b""
    return data if len(data) < 65_000 else b""  # what a JPEG can hold


def picture_size(path: Path | str, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Check cheaply that a file holds a whole picture and return its upright (width, height).

    PNG chunks are checked by their sums without decoding; other formats are decoded.

    Raises:
        ValueError: the file is no picture, a truncated, damaged or too large one.
    """
    try:
        with opened(path, max_pixels) as picture:
            return _checked_size(picture)
    except FileNotFoundError as error:  # a link that leads nowhere
        raise ValueError(f"{path}: expected a readable picture, got: {error}.") from error


def _checked_size(picture: Image.Image) -> tuple[int, int]:
    size = picture.size
    if picture.info.get("exif") and picture.getexif().get(ORIENTATION) in TURNED:
        size = size[::-1]
    if picture.format == "PNG":
        picture.verify()
    else:
        picture.draft(None, (1, 1))  # JPEG: the whole file, at an eighth of its pixels
        picture.load()
    return size


def declared_pixels(path: Path | str) -> int:
    """Width times height as the header says, nothing decoded; 0 for what is no picture."""
    try:
        with opened(path, sys.maxsize) as picture:
            return picture.width * picture.height
    except (ValueError, OSError):
        return 0


def rgb_to_grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of (H, W, 3) uint8 RGB by Rec. 601, (H, W) uint8."""
    return cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)


def to_grey(picture: np.ndarray) -> np.ndarray:
    """Convert (H, W) or (H, W, 3) uint8 to (H, W) uint8; what is grey is left as it is."""
    return picture if picture.ndim == 2 else rgb_to_grey(picture)


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


def strips(height: int) -> Iterator[slice]:
    """Cut rows 0..height into slices of at most `STRIP`."""
    for top in range(0, height, STRIP):
        yield slice(top, min(top + STRIP, height))


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
    place = (np.arange(here.start, here.stop) + 0.5) * length / height - 0.5
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
        rgb: Pictures (B, 3, H, W) in [-1, 1].

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
    wide = [column.expand(-1, 3, -1, -1) for column in columns]
    return grid(torch.stack(wide, dim=1).flatten(0, 1), len(columns))


def write_picture(
    path: Path | str,
    picture: np.ndarray,
    *,
    quality: int = 92,
    dpi: tuple[float, float] | None = None,
    exif: bytes = b"",
    icc: bytes = b"",
) -> None:
    """Write a picture in the format of the suffix, whole or not at all; see `encoded`."""
    data = encoded(picture, Path(path).suffix, quality=quality, dpi=dpi, exif=exif, icc=icc)
    with written_beside(path) as beside:
        beside.write_bytes(data)


def encoded(
    picture: np.ndarray,
    suffix: str,
    *,
    quality: int = 92,
    dpi: tuple[float, float] | None = None,
    exif: bytes = b"",
    icc: bytes = b"",
) -> bytes:
    """Encode a picture as a file of some format.

    Args:
        picture: Pixels (H, W), (H, W, 3) or (H, W, 4), uint8.
        suffix: File suffix .png, .jpg, .webp or another of Pillow's.
        quality: Quality of JPEG and WebP, 1 to 100.
        dpi: Pixels per inch, across and down.
        exif: Tags as in `Picture`.
        icc: Profile of the pixels.

    Raises:
        ValueError: Pillow cannot write such a picture in this format.
    """
    format_ = Image.registered_extensions().get(suffix.lower())
    if format_ is None:
        raise ValueError(f"Expected the suffix of a picture format, got {suffix!r}. Pass .png.")
    if dpi and format_ == "WEBP":
        exif = _with_dpi(exif, dpi)  # it has no place of its own
    options: dict[str, object] = {"quality": quality} if format_ in ("JPEG", "WEBP") else {}
    if format_ == "JPEG":
        options["subsampling"] = "4:4:4"  # or colours would leave the lines
    if format_ == "PNG":
        options["compress_type"] = zlib.Z_RLE  # of painted pictures smaller files in less time
    options |= {"exif": exif} if exif else {}
    options |= {"icc_profile": icc} if icc else {}
    options |= {"dpi": dpi} if dpi else {}
    file = BytesIO()
    Image.fromarray(picture).save(file, format_, **options)  # type: ignore[arg-type]
    return file.getvalue()


def _with_dpi(exif: bytes, dpi: tuple[float, float]) -> bytes:
    tags = Image.Exif()
    tags.load(exif)
    base = ExifTags.Base
    tags.update({base.XResolution: dpi[0], base.YResolution: dpi[1], base.ResolutionUnit: 2})
    return tags.tobytes()

"""An opened picture of any kind to 8-bit sRGB on white: depth, transparency, profile, turning.

What reads a picture and what checks one before a run both come through `decode`, so they cannot
differ.
"""

from __future__ import annotations

import struct
from functools import cache
from io import BytesIO
from math import inf
from numbers import Real
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms

ORIENTATION = ExifTags.Base.Orientation
TURNED = (5, 6, 7, 8)  # values of it by which height and width change places
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
UNSIGNED, SIGNED, FLOAT = 1, 2, 3  # sample formats of TIFF
BLANK = 24  # range of values (0..255) below which there is nothing to see
NATIVE = {"I;16BS": "I;16NS", "I;32BS": "I;32NS", "F;32BF": "F;32NF"}
BITS_OF = {"L;2": 2, "L;4": 4}  # raw modes of PNG whose grey is spread over 8 bits


class Decoded(NamedTuple):
    """Pixels of a picture.

    Attributes:
        rgb: Picture in mode RGB, or L where it is grey, as it lies in the file.
        orientation: Number 1 to 8 of EXIF, or of XMP where there is no EXIF: how it is to be
            turned.
        converted: Whether the pixels went by an ICC profile.
    """

    rgb: Image.Image
    orientation: int
    converted: bool

    def upright(self) -> np.ndarray:
        """The picture turned as its orientation says, (H, W, 3) uint8."""
        turn = TURNS.get(self.orientation)
        array = np.asarray(self.rgb if turn is None else self.rgb.transpose(turn))
        return array if array.ndim == 3 else cv2.cvtColor(array, cv2.COLOR_GRAY2RGB)


class Grey(NamedTuple):
    """Samples of one channel and the numbers that stand for black and for white."""

    values: np.ndarray
    low: float
    high: float
    inverted: bool = False  # TIFF's WhiteIsZero


def decode(picture: Image.Image, notes: list[str]) -> Decoded:
    """Convert a picture of any mode.

    Args:
        picture: Picture as Pillow has opened it.
        notes: List to which remarks are added on what was guessed or left out.
    """
    key = _clear_value(picture)  # before the pixels are read
    if picture.format == "TIFF":
        _mend_tiff(picture)
    picture.load()
    orientation = _orientation(picture, notes)
    icc, grey = picture.info.get("icc_profile"), picture.mode in ("1", "L", "LA", "La", "F")
    if picture.mode.startswith("I") or picture.mode == "F" or _is_signed(picture):
        picture, grey = _eight_bits(picture, key, notes), True
    elif key is not None:
        picture.info["transparency"] = key
    if picture.has_transparency_data:
        picture = _on_white(picture, notes)
    rgb, converted = _srgb(picture, grey, icc, notes)
    return Decoded(rgb, orientation, converted)


def _mend_tiff(picture: Image.Image) -> None:
    """Set right what Pillow takes wrong in a TIFF; see that it is none that it scrambles."""
    file: Any = picture
    if _tag(picture, ExifTags.Base.PlanarConfiguration, 1) == 2 and (
        picture.mode in ("LA", "La", "PA")
        or _tag(picture, ExifTags.Base.BitsPerSample, 8) > 8
        and picture.info["compression"] == "raw"
    ):
        raise ValueError("samples that lie in planes; save it as PNG")
    if file.tag_v2.get(ORIENTATION) in TURNED:
        file.filename = ""  # or it is mapped into memory by the size that it has when turned
    if len(file.tile) == 1 and file.tile[0].codec_name == "libtiff":
        raw, *others = file.tile[0].args  # libtiff swaps bytes itself
        file.tile = [file.tile[0]._replace(args=(NATIVE.get(raw, raw), *others))]


def _orientation(picture: Image.Image, notes: list[str]) -> int:
    try:
        number = picture.getexif().get(ORIENTATION)  # a TIFF has turned itself and has none left
        return number if number in TURNS else 1
    except Exception:  # damaged EXIF raises anything, but the pixels may be whole
        notes.append("damaged EXIF left out")
        return 1


def _clear_value(picture: Image.Image) -> int | tuple[int, ...] | None:
    """The colour that a PNG declares transparent, in the range that Pillow decodes to."""
    key = picture.info.get("transparency")
    tile = getattr(picture, "tile", None)
    if picture.format != "PNG" or picture.mode == "P" or key is None or not tile:
        return None
    raw = tile[0].args
    if isinstance(key, tuple):  # of 16 bits Pillow keeps the upper 8
        return tuple(value >> 8 if raw == "RGB;16B" else value & 255 for value in key)
    if picture.mode == "L":
        most = 2 ** BITS_OF.get(raw, 8) - 1
        return (key & most) * 255 // most
    return key


def _is_signed(picture: Image.Image) -> bool:
    """Whether these are the signed bytes of a TIFF, which Pillow takes for unsigned ones."""
    return picture.mode == "L" and _sample_format(picture) == SIGNED


def _sample_format(picture: Image.Image) -> int:
    return _tag(picture, ExifTags.Base.SampleFormat, UNSIGNED)


def _tag(picture: Image.Image, tag: int, default: Any) -> Any:
    """The first number of a TIFF's tag; the default for any other file."""
    value = getattr(picture, "tag_v2", {}).get(tag, default)
    value = value[0] if isinstance(value, tuple) and value else value
    return value if isinstance(value, Real) else default


def _eight_bits(picture: Image.Image, key: object, notes: list[str]) -> Image.Image:
    """Grey of another depth to 8 bits, and to LA where a PNG declares a value transparent."""
    if picture.mode == "F":
        grey = _float_range(picture, notes)
    elif getattr(picture, "tag_v2", None) and _sample_format(picture) == SIGNED:
        grey = _signed_range(picture, notes)
    else:
        grey = _unsigned_range(picture)
    if key is None:
        _note_darkness(grey, notes)
    eight = Image.fromarray(_scaled(grey))
    if key is None:
        return eight
    opaque = np.where(grey.values == key, 0, 255).astype(np.uint8)
    return Image.merge("LA", (eight, Image.fromarray(opaque)))


def _scaled(grey: Grey) -> np.ndarray:
    values, low, high, inverted = grey
    if values.dtype.kind == "u" and (high + 1) in (2**12, 2**16, 2**32):  # whole powers: the top 8
        eight = (values >> (int(high).bit_length() - 8)).clip(0, 255).astype(np.uint8)
    else:
        scaled = (values.astype(np.float64) - low) * (255 / (high - low))
        eight = np.clip(scaled, 0, 255).astype(np.uint8)
    return 255 - eight if inverted else eight


def _unsigned_range(picture: Image.Image) -> Grey:
    values, bits = np.asarray(picture), 16
    if getattr(picture, "tag_v2", None):
        bits = _tag(picture, ExifTags.Base.BitsPerSample, 16)
    if bits == 32:
        values = values.view(np.uint32)  # Pillow hands them out as signed ones
    elif picture.mode == "I":
        values = np.clip(values, 0, 2**16 - 1).astype(np.uint16)
    low, high = _declared_range(picture, (0, 2**bits - 1), (0, 2**bits - 1))
    return Grey(values, low, high, _is_inverted(picture))


def _signed_range(picture: Image.Image, notes: list[str]) -> Grey:
    bits = _tag(picture, ExifTags.Base.BitsPerSample, 16)
    values = np.asarray(picture)
    values = values.view(np.int8) if bits == 8 else values
    half = 2 ** (bits - 1)
    below = int(values.min()) < -int(values.max()) / 4  # more than an overshoot at some edge
    low, high = _declared_range(picture, (-half if below else 0, half - 1), (-half, half - 1))
    notes.append(f"signed values, taken as {low:.0f} for black to {high:.0f} for white")
    return Grey(values, low, high, _is_inverted(picture))


def _float_range(picture: Image.Image, notes: list[str]) -> Grey:
    values = np.asarray(picture)
    finite = values[np.isfinite(values)]
    most = float(finite.max()) if finite.size else 1.0
    # Of light 1.0 is white and more is glare; other programs count to 255 or further.
    guess = next((top for top in (1, 255, 2**16 - 1) if most <= max(top, 16)), 2**32 - 1)
    low, high = _declared_range(picture, (0, guess), (-inf, inf))
    notes.append(f"floating point values, taken as {low:g} for black to {high:g} for white")
    return Grey(np.nan_to_num(values, nan=high), low, high, _is_inverted(picture))


def _is_inverted(picture: Image.Image) -> bool:
    return _tag(picture, ExifTags.Base.PhotometricInterpretation, 1) == 0


def _declared_range(
    picture: Image.Image, otherwise: tuple[float, float], within: tuple[float, float]
) -> tuple[float, float]:
    """The range that a TIFF's SMinSampleValue and SMaxSampleValue give, if they make sense."""
    least = _tag(picture, ExifTags.Base.SMinSampleValue, otherwise[0])
    most = _tag(picture, ExifTags.Base.SMaxSampleValue, otherwise[1])
    return (float(least), float(most)) if within[0] <= least < most <= within[1] else otherwise


def _note_darkness(grey: Grey, notes: list[str]) -> None:
    """Say that the values fill only a part of their range: fewer bits in a wider file."""
    most = float(grey.values.max())
    if grey.low < most <= grey.low + (grey.high - grey.low) / 2:
        part = (grey.high - grey.low) / (most - grey.low)
        notes.append(f"largest value is 1/{part:.3g} of the range; nothing in the file says why")


def _on_white(picture: Image.Image, notes: list[str]) -> Image.Image:
    """Lay a picture on white paper, or take its alpha where nothing but that is drawn."""
    rgba = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    if min(low for low, _ in shown.getextrema()) <= 255 - BLANK:  # type: ignore[misc]
        return shown
    bands: Any = rgba.getextrema()
    *colours, (least, most) = bands
    if most == 0 and max(high - low for low, high in colours) > BLANK:
        notes.append("wholly transparent; read as if it were not")
        return rgba.convert("RGB")
    if most - least <= BLANK:
        return shown
    notes.append("nothing to see on white; lines taken from the transparency")
    black = Image.new("RGBA", rgba.size, "black")
    lines = np.asarray(Image.alpha_composite(black, rgba).convert("L"))
    return Image.fromarray(255 - lines if lines.mean() < 128 else lines)


def _srgb(
    picture: Image.Image, grey: bool, icc: bytes | None, notes: list[str]
) -> tuple[Image.Image, bool]:
    """RGB by the ICC profile if one fits, grey as it is if there is none; and whether one did."""
    if not icc:
        return picture if picture.mode == "L" else picture.convert("RGB"), False
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

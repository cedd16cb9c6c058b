"""Any picture file to uint8 and back, safely: by its header first, its errors named."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import KW_ONLY, dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from sketch2paint.files import written_beside
from sketch2paint.images.formats import BY_NAME_ONLY, FORMATS, SUFFIXES_OF, tiff_kind, what_it_is
from sketch2paint.images.pixels import ORIENTATION, TURNED, decode, srgb_profile
from sketch2paint.images.png import png

MAX_PIXELS = 89_478_485  # where Pillow begins to warn of decompression bombs
LARGE_PIXELS = 25_000_000  # larger pictures are decoded one at a time when files are checked
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
FRAMES = "first of several frames"  # a note of a picture
_OPENING = Lock()  # Pillow's limit is one for the process
_CHECKING = Lock()  # of a large picture: several at a time could fill the memory


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
    """Read a picture of any mode: transparency on white, deep grey to 8 bits, turned upright.

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
        if has_frames(picture):
            notes.append(FRAMES)
        declared, turned = picture.size, _turns_itself(picture)
        decoded = decode(picture, notes)  # what fails from here on is not the pixels
        turned = turned or decoded.orientation in TURNED or declared != picture.size
        return Picture(
            decoded.upright(),
            dpi=_dpi(picture, turned),
            exif=_exif(picture, notes),
            icc=srgb_profile() if decoded.converted else b"",
            notes=tuple(dict.fromkeys(notes)),
        )


def pil_to_rgb(picture: Image.Image) -> np.ndarray:
    """Convert a PIL picture of any mode as `read_picture` does a file, to (H, W, 3) uint8."""
    return decode(picture, []).upright()


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
        with _named(path, picture):
            yield picture


def has_frames(picture: Image.Image) -> bool:
    """Whether there are others behind the first picture of a file."""
    try:
        return picture.format != "MPO" and getattr(picture, "is_animated", False)  # MPO: previews
    except Exception:  # Pillow looks into the later ones, which may be damaged
        return True


def _turns_itself(picture: Image.Image) -> bool:
    """Whether Pillow turns a TIFF by a quarter while it loads it, as its tag says."""
    return getattr(picture, "tag_v2", {}).get(ORIENTATION) in TURNED


@contextmanager
def _named(path: Path | str, picture: Image.Image | None = None) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's plugins raise OSError, SyntaxError, struct.error, ...
        why = str(error) or type(error).__name__
        if picture is not None and picture.format == "TIFF":
            why = f"{tiff_kind(picture.tag_v2)}: {why}"  # type: ignore[attr-defined]
        raise ValueError(
            f"{path}: expected a readable picture, got: {why}. Replace or remove the file."
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
            return Image.open(file, formats=_formats(path))
        except UnidentifiedImageError as error:
            raise ValueError(_what(file)) from error
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _formats(path: Path | str) -> list[str]:
    suffix = Path(path).suffix.lower()
    return [name for name in FORMATS if name not in BY_NAME_ONLY or suffix in SUFFIXES_OF[name]]


def _what(file: Path | str | BytesIO) -> str:
    if isinstance(file, BytesIO):
        return what_it_is(file) if file.getbuffer() else "nothing on standard input"
    with open(file, "rb") as stream:
        return what_it_is(stream)


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


def picture_size(
    path: Path | str, max_pixels: int = MAX_PIXELS, notes: list[str] | None = None
) -> tuple[int, int]:
    """Check that a file can be read, with all that reading does, and return its (width, height).

    Args:
        path: File to read.
        max_pixels: Largest number of pixels.
        notes: List to which remarks are added on what reading guesses or leaves out.

    Raises:
        ValueError: the file is no picture, a truncated, damaged or too large one.
    """
    try:
        with opened(path, max_pixels) as picture:
            if picture.format == "PNG":
                picture.verify()  # decoding does not look at the sums of its chunks
        with opened(path, max_pixels) as picture:
            return _checked_size(picture, [] if notes is None else notes)
    except FileNotFoundError as error:  # a link that leads nowhere
        raise ValueError(f"{path}: expected a readable picture, got: {error}.") from error


def _checked_size(picture: Image.Image, notes: list[str]) -> tuple[int, int]:
    width, height = picture.size
    by_eighths = picture.format in ("JPEG", "MPO")
    if by_eighths:
        picture.draft(None, (1, 1))  # the whole file is decoded, but an eighth of each side made
    large = not by_eighths and width * height > LARGE_PIXELS
    with _CHECKING if large else nullcontext():
        decoded = decode(picture, notes)
    if not by_eighths:
        width, height = decoded.rgb.size
    return (height, width) if decoded.orientation in TURNED else (width, height)


def declared_pixels(path: Path | str) -> int:
    """Width times height as the header says, nothing decoded; 0 for what is no picture."""
    try:
        with opened(path, sys.maxsize) as picture:
            return picture.width * picture.height
    except (ValueError, OSError):
        return 0


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
    if suffix.lower() == ".png" and picture.dtype == np.uint8 and picture.ndim in (2, 3):
        return png(picture, dpi=dpi, exif=exif, icc=icc)
    Image.preinit()  # the usual formats; all others are imported for one that is none of them
    usual = Image.EXTENSION.get(suffix.lower())
    format_ = usual or Image.registered_extensions().get(suffix.lower())
    if format_ is None:
        raise ValueError(f"Expected the suffix of a picture format, got {suffix!r}. Pass .png.")
    if dpi and format_ == "WEBP":
        exif = _with_dpi(exif, dpi)  # it has no place of its own
    options: dict[str, object] = {"quality": quality} if format_ in ("JPEG", "WEBP") else {}
    if format_ == "JPEG":
        options["subsampling"] = "4:4:4"  # or colours would leave the lines
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

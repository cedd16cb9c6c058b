"""What a file is, by its name and by its first bytes: read, some other picture, or none at all."""

from __future__ import annotations

import os
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import ExifTags, TiffImagePlugin, features

# Pillow knows more formats; some of those start programs, or take any bytes for theirs.
SUFFIXES_OF = {
    "PNG": (".png", ".apng"),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "AVIF": (".avif",),
    "JPEG2000": (".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    "TGA": (".tga", ".icb", ".vda", ".vst"),
}
THERE = {  # not every Pillow is built with these
    "AVIF": "avif" in features.modules and features.check_module("avif"),
    "JPEG2000": features.check_codec("jpg_2000"),
}
FORMATS = tuple(name for name in SUFFIXES_OF if THERE.get(name, True))
BY_NAME_ONLY = ("TGA",)  # has no signature: nearly any bytes could be one
SUFFIXES = tuple(suffix for name in FORMATS for suffix in SUFFIXES_OF[name])
OTHER_SUFFIXES = (
    *(suffix for name in SUFFIXES_OF if name not in FORMATS for suffix in SUFFIXES_OF[name]),
    *".psd .psb .xcf .kra .ora .clip .sai .sai2 .mdp .procreate .afphoto .afdesign".split(),
    *".heic .heif .hif .jxl .jxr .wdp .avifs .dib .ico .cur .icns .pcx .dds .exr .hdr".split(),
    *".svg .svgz .eps .ai .pdf .djvu .wmf .emf .xbm .xpm .sgi .ras .qoi .pam .mng .jng".split(),
    *".cr2 .cr3 .nef .arw .dng .raf .orf .rw2 .pef .srw".split(),
)  # fmt: skip
SIGNATURES = (  # place, bytes, what it is
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF8", "GIF"),
    (0, b"BM", "BMP"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "TIFF"),
    (0, b"MM\0+", "TIFF"),
    (4, b"ftypavi", "AVIF"),
    (4, b"jP  \r\n\x87\n", "JPEG2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),
    (4, b"ftyphei", "a HEIC photograph"),
    (4, b"ftyphev", "a HEIC photograph"),
    (4, b"ftypmif1", "a HEIF picture"),
    (4, b"ftypmsf1", "a HEIF picture"),
    (4, b"ftypcrx", "a raw photograph"),
    (0, b"FUJIFILMCCD-RAW", "a raw photograph"),
    (4, b"JXL \r\n\x87\n", "a JPEG XL picture"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (0, b"8BPS", "a Photoshop document"),
    (0, b"gimp xcf", "a GIMP document"),
    (0, b"CSFCHUNK", "a Clip Studio document"),
    (30, b"mimetypeimage/openraster", "an OpenRaster document"),
    (30, b"mimetypeapplication/x-krita", "a Krita document"),
    (0, b"%PDF", "a PDF document"),
    (0, b"%!PS", "a PostScript document"),
    (0, b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (0, b"\0\0\1\0", "an icon"),
    (0, b"icns", "an icon"),
    (0, b"DDS ", "a DDS texture"),
    (0, b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (0, b"#?RADIANCE", "a Radiance picture"),
    (0, b"qoif", "a QOI picture"),
    (0, b"P7\n", "a PAM picture"),
    (0, b"PF\n", "a PFM picture in colour"),
)
NO_PICTURES = (
    (0, b"PK\3\4", "a zip archive: unpack it"),
    (0, b"\x1f\x8b", "a gzip archive: unpack it"),
    (0, b"Rar!", "a RAR archive: unpack it"),
    (0, b"7z\xbc\xaf", "a 7z archive: unpack it"),
    (4, b"ftyp", "a film"),
    (0, b"\x1aE\xdf\xa3", "a film"),
)
SAMPLE_FORMATS = {1: "unsigned", 2: "signed", 3: "floating point"}
HEAD = 1024  # bytes that are looked at
LFS_POINTER = b"version https://git-lfs.github.com/"


@dataclass(frozen=True)
class Found:
    """What stands below a folder.

    Attributes:
        pictures: Files to be read, by their suffix, sorted.
        others: What is left out: files that look like pictures and folders that are not searched,
            each with words for its kind.
    """

    pictures: list[Path]
    others: dict[Path, str]


def find_pictures(folder: Path | str) -> list[Path]:
    """List the picture files below a folder, by suffix, sorted; hidden files are left out."""
    return look_through(folder).pictures


def look_through(folder: Path | str) -> Found:
    """List the pictures below a folder and what is left out, hidden files and folders aside."""
    pictures, others = [], {}

    def closed(error: OSError) -> None:
        others[Path(error.filename)] = "folder that cannot be opened"

    for here, folders, files in os.walk(folder, onerror=closed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        links = [path for path in (Path(here, name) for name in folders) if path.is_symlink()]
        others |= dict.fromkeys(links, "link to a folder")
        for path in (Path(here, name) for name in files if not name.startswith(".")):
            if path.name.lower().endswith(SUFFIXES):
                pictures.append(path)
            elif kind := other_kind(path):
                others[path] = kind
    return Found(sorted(pictures), dict(sorted(others.items())))


def other_kind(path: Path) -> str | None:
    """Words for the kind of a file that looks like a picture but has no suffix that is read."""
    suffix = path.suffix.lower()
    if suffix in OTHER_SUFFIXES:
        return suffix
    # a.jpg_large, a.png~, or a download without a suffix; but a.png.txt is a note about a.png.
    if not suffix or any(known in path.name.lower() for known in SUFFIXES):
        try:
            with open(path, "rb") as file:
                kind = _signed(file.read(HEAD), SIGNATURES) if path.is_file() else None
        except OSError:
            return None
        return suffix or "file without a suffix" if kind else None
    return None


def left_out_text(others: Mapping[Path, str]) -> str:
    """One line on what is left out: how many of each kind, and the first."""
    counts = Counter(others.values())
    listed = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
    first = next(iter(others))
    return f"left out, not among the formats that are read: {listed} (first: {first})"


def got_text(others: Mapping[Path, str]) -> str:
    """The end of a sentence on what was expected: what is there instead, if anything is."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in Counter(others.values()).most_common())
    return f", got {kinds}. Save them as PNG." if kinds else "."


def what_it_is(file: BinaryIO) -> str:
    """What a file is that Pillow does not know as one of FORMATS, and the way out."""
    file.seek(0)
    head = file.read(HEAD)
    if not head:
        return "an empty file; its download or copy has failed"
    if head.startswith(LFS_POINTER):
        return "a Git LFS pointer, not the picture; `git lfs pull` fetches that"
    kind = _signed(head, SIGNATURES)
    if kind == "TIFF" and (tags := _tiff_tags(file)):
        return f"{tiff_kind(tags)}, of a kind that cannot be read; save it as PNG"
    if kind in FORMATS:
        return f"a damaged {kind} file"
    if kind in SUFFIXES_OF:
        return f"{kind}, which the Pillow installed here does not read; save it as PNG"
    if kind:
        return f"{kind}; save it as PNG"
    return _no_picture(head) or f"none of {', '.join(FORMATS)}"


def is_web_page(head: bytes) -> bool:
    """Whether a file's first bytes are those of a web page."""
    text = head.lower()
    return any(sign in text for sign in (b"<!doctype html", b"<html", b"<head>"))


def _no_picture(head: bytes) -> str | None:
    if is_web_page(head):
        return "a web page, saved in the picture's place; download the picture itself"
    if b"<svg" in head.lower():
        return "an SVG drawing; save it as PNG"
    if kind := _signed(head, NO_PICTURES):
        return kind
    try:
        letters = getincrementaldecoder("utf-8")().decode(head)  # the last one may be cut
    except UnicodeDecodeError:
        return None
    return "a text file" if "".join(letters.split()).isprintable() else None


def _signed(head: bytes, signatures: Iterable[tuple[int, bytes, str]]) -> str | None:
    return next((what for at, sign, what in signatures if head[at:].startswith(sign)), None)


def _tiff_tags(file: BinaryIO) -> Mapping[int, Any]:
    """The tags of a TIFF; none where it is damaged."""
    try:
        file.seek(0)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        return dict(tags)
    except Exception:  # Pillow raises nearly anything on foreign bytes
        return {}


def tiff_kind(tags: Mapping[int, Any]) -> str:
    """What a TIFF holds, for people."""
    base = ExifTags.Base

    def first(tag: int, default: int) -> Any:
        value = tags.get(tag, default)
        return value[0] if isinstance(value, tuple) and value else value

    samples = first(base.SamplesPerPixel, 1)
    return (
        f"a TIFF file ({samples} sample{'s' * (samples != 1)} of {first(base.BitsPerSample, 1)} "
        f"bits, {SAMPLE_FORMATS.get(first(base.SampleFormat, 1), 'unknown values')}, photometric "
        f"interpretation {first(base.PhotometricInterpretation, 0)}, compression "
        f"{first(base.Compression, 1)})"
    )

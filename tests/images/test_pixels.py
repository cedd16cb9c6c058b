"""Odd pictures: each is read as its format says, and what the check lets through is read."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from broken_pictures import mutated
from odd_pictures import (
    BLACK_IS_ZERO,
    PNG_GREY,
    PNG_PALETTE,
    PNG_RGB,
    SIGNED,
    Odd,
    chunk,
    drawing,
    odd_pictures,
    png,
    rgb_of,
    tiff,
)
from PIL import Image

from sketch2paint.images.io import picture_size, pil_to_rgb, read_picture, read_rgb

CASES = Path(__file__).parents[2].parent / "shared" / "cases" / "pictures"


def outcome(path: Path) -> tuple[int, int] | str:
    """The size by the check, after reading has agreed with it, or what both say is wrong."""
    said: list[tuple[int, int] | str] = []
    for look in (picture_size, lambda path: read_rgb(path).shape[1::-1]):
        try:
            said.append(look(path))
        except ValueError as error:
            said.append(str(error))
    assert said[0] == said[1]
    return said[0]


def test_odd_pictures_are_read_as_their_formats_say(tmp_path: Path) -> None:
    odd = odd_pictures()
    assert len({one.name for one in odd}) == len(odd) > 800
    refused = []
    for one in odd:
        path = tmp_path / one.name
        path.write_bytes(one.data)
        found = outcome(path)
        if isinstance(found, str):
            assert one.may_refuse and "a TIFF file (" in found, found
            refused.append(one.name)
            continue
        read = read_rgb(path)
        assert read.shape == one.rgb.shape, one.name
        assert np.abs(read.astype(int) - one.rgb).max() <= 3, one.name
    assert len(refused) < len(odd) / 6  # kinds of TIFF that Pillow does not know


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_of_standard_input_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    for one in odd_pictures()[::9]:
        if one.name.endswith(suffix) and not one.may_refuse:
            (tmp_path / one.name).write_bytes(one.data)
            with open(tmp_path / one.name) as stdin:
                monkeypatch.setattr("sys.stdin", stdin)
                read = read_rgb("-")
            assert np.abs(read.astype(int) - one.rgb).max() <= 3, one.name


def late_pngs() -> dict[str, bytes]:
    """PNGs whose sums are right and whose pixels cannot be had."""
    values = np.dstack([drawing()] * 3).astype(np.int64)
    whole = png(values, 8, PNG_RGB)
    head = whole[: whole.index(b"IDAT") - 4]
    row = b"\0" + bytes(3 * 14)

    def of(stream: bytes) -> bytes:
        return head + chunk(b"IDAT", stream) + chunk(b"IEND", b"")

    return {
        "short": of(zlib.compress(row * 8)),
        "cut": of(zlib.compress(row * 9)[:12]),
        "filter": of(zlib.compress(b"\x09" + bytes(3 * 14) + row * 8)),
        "no_stream": of(b"no stream"),
        "no_pixels": head + chunk(b"IEND", b""),
        "no_end": whole[:-12],
        "no_palette": png(drawing() // 255, 8, PNG_PALETTE),
        "bad_profile": png(values, 8, PNG_RGB, chunk(b"iCCP", b"x\0\x07" + zlib.compress(b"x"))),
        "bad_clear": png(drawing().astype(np.int64), 8, PNG_GREY, chunk(b"tRNS", b"\0")),
        "bad_exif": png(values, 8, PNG_RGB, b"", chunk(b"eXIf", b"MM\0*\0\0\xff\xff")),
        "size_of_exif": png(values, 8, PNG_RGB, chunk(b"eXIf", struct.pack(">I", 9))),
    }


@pytest.mark.parametrize("name", late_pngs())
def test_what_the_check_lets_through_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.png").write_bytes(late_pngs()[name])
    found = outcome_either(tmp_path / "a.png")
    if name in ("filter", "no_stream", "no_pixels"):  # short ones are read, the rest black
        assert isinstance(found, str) and "expected a readable picture" in found


def outcome_either(path: Path) -> tuple[int, int] | str:
    """As `outcome`, where the check may be the stricter one."""
    try:
        size = picture_size(path)
    except ValueError as error:
        return str(error)
    assert read_rgb(path).shape[1::-1] == size, path.name
    return size


def assert_the_check_is_no_laxer(tmp_path: Path, pictures: list[Odd], times: int) -> None:
    chance = random.Random(len(pictures))
    passed = 0
    for one in pictures:
        path = tmp_path / one.name
        cuts = [one.data[: len(one.data) * n // times] for n in range(1, times)]
        for data in [*cuts, *(mutated(one.data, chance) for _ in range(times))]:
            path.write_bytes(data)
            passed += not isinstance(outcome_either(path), str)
    assert 0 < passed < 2 * times * len(pictures)


# Codecs tell of damage on standard error.
def test_cut_and_damaged_pictures_never_pass_the_check_alone(tmp_path: Path) -> None:
    assert_the_check_is_no_laxer(tmp_path, odd_pictures()[::25], times=4)


@pytest.mark.slow
def test_every_odd_picture_cut_and_damaged(tmp_path: Path) -> None:
    assert_the_check_is_no_laxer(tmp_path, odd_pictures(), times=12)


# ---------------------------------------------------------------- what is said


def notes_of(tmp_path: Path, name: str) -> tuple[str, ...]:
    one = next(one for one in odd_pictures() if one.name == name)
    (tmp_path / name).write_bytes(one.data)
    return read_picture(tmp_path / name).notes


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("tif_12_in_16.tif", "largest value is 1/16 of the range; nothing in the file says why"),
        ("tif_s16_1_ii10.tif", "signed values, taken as 0 for black to 32767 for white"),
        ("tif_s16whole_1_ii10.tif", "signed values, taken as -32768 for black to 32767 for white"),
        ("tif_f32_1_1_ii10.tif", "floating point values, taken as 0 for black to 1 for white"),
        ("tif_f32_255_1_ii10.tif", "floating point values, taken as 0 for black to 255 for white"),
        ("tif_float_declared.tif", "floating point values, taken as -1 for black to 1 for white"),
        ("png_rgba8_ink255.png", "nothing to see on white; lines taken from the transparency"),
        ("png_rgba8_all_clear.png", "wholly transparent; read as if it were not"),
        ("tif_12_in_16_declared.tif", None),
        ("tif_u16_0_ii10.tif", None),
        ("tif_u32_1_ii10.tif", None),
        ("png_grey16_paper_clear.png", None),
        ("png_rgba8_ink60.png", None),
    ],
)
def test_what_is_guessed_is_said(tmp_path: Path, name: str, note: str | None) -> None:
    assert notes_of(tmp_path, name) == ((note,) if note else ())


def test_a_clear_or_faint_page_stays_what_it_is(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (5, 4), (255, 0, 0, 0))
    faint = Image.new("L", (5, 4), 255)
    faint.putpixel((2, 2), 240)
    faint.putalpha(255)
    for picture, seen in ((clear, [255] * 20), (faint, [255] * 12 + [240] + [255] * 7)):
        picture.save(tmp_path / "a.png")
        read = read_picture(tmp_path / "a.png")
        assert read.notes == ()
        assert read.rgb[..., 1].ravel().tolist()[:12] == seen[:12]
        assert sorted(read.rgb[..., 1].ravel()) == sorted(seen)


def test_pil_pictures_are_converted_as_files_are() -> None:
    grey = drawing()
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    wide = Image.fromarray(grey.astype(np.int32) * 257)
    light = Image.fromarray((grey / 255).astype(np.float32))
    for picture in (deep, wide, light):
        assert np.abs(pil_to_rgb(picture).astype(int) - rgb_of(grey)).max() <= 1


def test_tags_of_the_wrong_type_are_no_reason_to_stop(tmp_path: Path) -> None:
    tags = {341: (7, b"many"), 340: (7, b"none")}
    values = drawing().astype(np.int64) * 128
    (tmp_path / "a.tif").write_bytes(tiff(values, 16, BLACK_IS_ZERO, SIGNED, extra_tags=tags))
    assert np.abs(read_rgb(tmp_path / "a.tif").astype(int) - rgb_of(drawing())).max() <= 3


# ---------------------------------------------------------------- the pictures beside a checkout


@pytest.mark.skipif(not CASES.is_dir(), reason="these stand beside some checkouts only")
def test_the_pictures_beside_this_checkout() -> None:
    expected = read_rgb(CASES / "EXPECTED.png").astype(int)
    told = {"zero": "an empty file", "lfs_pointer": "git lfs pull", "html_as": "a web page"}
    told["tif16_grey_alpha"] = r"a TIFF file \(2 samples of 16 bits"
    for path in sorted(CASES.iterdir()):
        if path.stem in told:
            with pytest.raises(ValueError, match=told[path.stem]):
                read_rgb(path)
        elif path.stem == "tif12_in_16":  # nothing in it says that white is 4095
            assert "1/16 of the range" in read_picture(path).notes[0]
        else:
            assert np.abs(read_rgb(path).astype(int) - expected).max() <= 3, path
            assert picture_size(path) == expected.shape[1::-1]

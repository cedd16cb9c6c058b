from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from odd_pictures import swapped_profile
from PIL import Image, ImageCms

from sketch2paint.images.io import (
    encoded,
    picture_size,
    read_picture,
    read_rgb,
    srgb_profile,
    write_picture,
)

WHITE, RED, BLUE = (255, 255, 255), (255, 0, 0), (0, 0, 255)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def palette_picture() -> Image.Image:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([0, 1])
    return picture


# ---------------------------------------------------------------- read_rgb: every mode


def test_rgb_png_is_read_as_it_is(tmp_path: Path) -> None:
    Image.fromarray(noise(5, 7, 3)).save(tmp_path / "a.png")
    read = read_rgb(tmp_path / "a.png")
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, noise(5, 7, 3))


def test_path_may_be_a_string(tmp_path: Path) -> None:
    Image.fromarray(noise(5, 7, 3)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(str(tmp_path / "a.png")), noise(5, 7, 3))


def test_webp_without_loss_is_read_as_it_is(tmp_path: Path) -> None:
    Image.fromarray(noise(5, 7, 3)).save(tmp_path / "a.webp", lossless=True)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.webp"), noise(5, 7, 3))


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_rgba_comes_on_white(tmp_path: Path, suffix: str) -> None:
    # Clear, half and opaque red; what is below the clear pixel must not shine through.
    rgba = np.array([[[255, 0, 0, 0], [255, 0, 0, 128], [255, 0, 0, 255]]], np.uint8)
    options = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(rgba).save(tmp_path / f"a.{suffix}", **options)
    expected = [[WHITE, (255, 127, 127), RED]]
    np.testing.assert_array_equal(read_rgb(tmp_path / f"a.{suffix}"), expected)


def test_grey_with_alpha_comes_on_white(tmp_path: Path) -> None:
    la = np.array([[[0, 0], [0, 51], [0, 255], [200, 255]]], np.uint8)
    picture = Image.merge("LA", [Image.fromarray(la[..., 0]), Image.fromarray(la[..., 1])])
    picture.save(tmp_path / "a.png")
    expected = [[WHITE, (204,) * 3, (0,) * 3, (200,) * 3]]
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), expected)


def test_palette(tmp_path: Path) -> None:
    palette_picture().save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), [[RED, BLUE]])


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"], ids=["index", "table"])
def test_palette_with_transparency_comes_on_white(
    tmp_path: Path, transparency: int | bytes
) -> None:
    palette_picture().save(tmp_path / "a.png", transparency=transparency)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), [[WHITE, BLUE]])


def test_gif_with_transparency_comes_on_white(tmp_path: Path) -> None:
    palette_picture().save(tmp_path / "a.gif", transparency=0)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.gif"), [[WHITE, BLUE]])


@pytest.mark.parametrize(("mode", "key"), [("L", 7), ("RGB", (7, 7, 7))])
def test_colour_key_comes_on_white(tmp_path: Path, mode: str, key: object) -> None:
    picture = Image.fromarray(np.array([[7, 9]], np.uint8)).convert(mode)
    picture.save(tmp_path / "a.png", transparency=key)
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), [[WHITE, (9, 9, 9)]])


def test_greyscale_has_three_equal_channels(tmp_path: Path) -> None:
    Image.fromarray(noise(5, 7)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), np.dstack([noise(5, 7)] * 3))


def test_one_bit(tmp_path: Path) -> None:
    Image.fromarray(np.array([[True, False, True]])).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.mode == "1"
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), [[WHITE, (0, 0, 0), WHITE]])


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bit_grey_is_scaled_not_clipped(tmp_path: Path, suffix: str) -> None:
    deep = (np.arange(256) * 257).astype(np.uint16)[None]  # 0..255 in 16 bits: v * 65535 / 255
    Image.fromarray(deep).save(tmp_path / f"a.{suffix}")
    expected = np.dstack([np.arange(256)[None]] * 3)
    np.testing.assert_array_equal(read_rgb(tmp_path / f"a.{suffix}"), expected)


def test_sixteen_bit_colour_is_scaled(tmp_path: Path) -> None:
    deep = noise(4, 5, 3).astype(np.uint16) * 257
    assert cv2.imwrite(str(tmp_path / "a.png"), deep[..., ::-1])
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), noise(4, 5, 3))


def test_cmyk_jpeg(tmp_path: Path) -> None:
    inks = {(0, 255, 255, 0): RED, (255, 255, 0, 0): BLUE, (0, 0, 0, 0): WHITE}
    for ink, colour in inks.items():
        Image.new("CMYK", (16, 8), ink).save(tmp_path / "a.jpg", quality=100)
        with Image.open(tmp_path / "a.jpg") as picture:
            assert picture.mode == "CMYK"
        read = read_rgb(tmp_path / "a.jpg")
        assert read.shape == (8, 16, 3)
        np.testing.assert_allclose(read.astype(int), np.broadcast_to(colour, (8, 16, 3)), atol=4)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_exif_orientation_is_applied(tmp_path: Path, suffix: str) -> None:
    picture = Image.new("RGB", (64, 32), RED)
    picture.paste(BLUE, (32, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: the left half comes up
    options = {"lossless": True} if suffix == "webp" else {}
    picture.save(tmp_path / f"a.{suffix}", exif=exif, **options)
    read = read_rgb(tmp_path / f"a.{suffix}").astype(int)
    assert read.shape == (64, 32, 3)
    np.testing.assert_allclose(read[:28], np.broadcast_to(RED, (28, 32, 3)), atol=4)
    np.testing.assert_allclose(read[36:], np.broadcast_to(BLUE, (28, 32, 3)), atol=4)
    assert picture_size(tmp_path / f"a.{suffix}") == (32, 64)  # as read_rgb sees it


# ---------------------------------------------------------------- bad files


def damage(folder: Path, kind: str) -> Path:
    """Write a bad file of a kind and return its path."""
    path = folder / f"bad.{'jpg' if 'jpg' in kind else 'png'}"
    if kind == "text":
        path.write_text("not a picture")
    elif kind == "empty":
        path.touch()
    else:
        Image.fromarray(noise(40, 40, 3)).save(path)
        whole = path.read_bytes()
        if kind == "flipped png":
            at = len(whole) // 2
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        else:
            path.write_bytes(whole[: len(whole) // 2])
    return path


BAD = ["text", "empty", "half png", "half jpg", "flipped png"]


@pytest.mark.parametrize("kind", BAD)
def test_bad_file_is_named_with_what_to_do(tmp_path: Path, kind: str) -> None:
    path = damage(tmp_path, kind)
    with pytest.raises(ValueError, match=r"expected a readable picture.*Replace or remove") as info:
        read_rgb(path)
    assert str(info.value).startswith(f"{path}: ")


@pytest.mark.parametrize("kind", BAD)
def test_picture_size_finds_bad_files(tmp_path: Path, kind: str) -> None:
    path = damage(tmp_path, kind)
    with pytest.raises(ValueError, match="expected a readable picture") as info:
        picture_size(path)
    assert str(info.value).startswith(f"{path}: ")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp"])
def test_picture_size_accepts_no_cut_file_that_cannot_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(noise(8, 8, 3)).save(path)
    whole = path.read_bytes()
    assert picture_size(path) == (8, 8)
    for cut in range(5, len(whole), 7):  # PNG: 4 bytes less is only the end mark's checksum
        path.write_bytes(whole[:-cut])
        with pytest.raises(ValueError, match="expected a readable picture"):
            picture_size(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tif"])
def test_picture_size_is_width_and_height(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(noise(5, 7, 3)).save(tmp_path / f"a.{suffix}")
    assert picture_size(tmp_path / f"a.{suffix}") == (7, 5)


def test_missing_file_stays_a_file_not_found_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone.png"):
        read_rgb(tmp_path / "gone.png")


# ---------------------------------------------------------------- write_picture


@pytest.mark.parametrize("suffix", ["png", "webp", "jpg", "bmp"])
def test_write_picture_in_the_format_of_the_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"a.{suffix}"
    write_picture(path, np.full((5, 7, 3), (200, 100, 50), np.uint8))
    with Image.open(path) as picture:
        assert picture.format == {"jpg": "JPEG"}.get(suffix, suffix.upper())
    read = read_rgb(path).astype(int)
    assert read.shape == (5, 7, 3)
    np.testing.assert_allclose(read, np.broadcast_to((200, 100, 50), (5, 7, 3)), atol=6)
    assert list(path.parent.iterdir()) == [path]  # no temporary file


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7)])
def test_png_is_exact(tmp_path: Path, shape: tuple[int, ...]) -> None:
    write_picture(tmp_path / "a.png", noise(*shape))
    with Image.open(tmp_path / "a.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), noise(*shape))


def test_failed_encoder_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    write_picture(path, noise(5, 7, 3))
    before = path.read_bytes()
    with pytest.raises(OSError, match="RGBA"):
        write_picture(path, noise(5, 7, 4))  # JPEG has no alpha
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_unknown_format_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Expected the suffix of a picture format, got .*\.xyz"):
        write_picture(tmp_path / "a.xyz", noise(5, 7, 3))
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- profiles, resolution, EXIF


def profile(space: str) -> bytes:
    """An ICC profile of a colour space: RGB that differs from sRGB, or Lab, which no file has."""
    if space == "sRGB":
        return srgb_profile()
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()  # type: ignore[arg-type]


def test_an_rgb_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 3), RED)
    picture.save(tmp_path / "a.png", icc_profile=swapped_profile())
    read = read_picture(tmp_path / "a.png")
    assert np.abs(read.rgb.astype(int) - (0, 255, 0)).max() <= 2
    assert (read.icc, read.notes) == (srgb_profile(), ())


def test_black_and_white_stay_so_under_a_profile(tmp_path: Path) -> None:
    array = np.array([[[0, 0, 0], [255, 255, 255]]], np.uint8)
    Image.fromarray(array).save(tmp_path / "a.png", icc_profile=swapped_profile())
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), array)


def test_an_srgb_profile_changes_nothing(tmp_path: Path) -> None:
    Image.fromarray(noise(5, 7, 3)).save(tmp_path / "a.png", icc_profile=profile("sRGB"))
    read = read_picture(tmp_path / "a.png")
    np.testing.assert_array_equal(read.rgb, noise(5, 7, 3))
    assert read.icc == srgb_profile()


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB", "P", "RGBA", "1", "LA"])
@pytest.mark.parametrize("icc", ["LAB", "damaged", "sRGB"])
def test_a_profile_that_does_not_fit_is_left_out(tmp_path: Path, mode: str, icc: str) -> None:
    name = "a.tif" if mode == "CMYK" else "a.png"
    picture = Image.new("RGB", (4, 3), WHITE).convert(mode)
    picture.save(tmp_path / name, icc_profile=b"no profile" if icc == "damaged" else profile(icc))
    read = read_picture(tmp_path / name)
    np.testing.assert_array_equal(read.rgb, np.full((3, 4, 3), 255))
    if icc == "sRGB" and mode != "CMYK":
        assert (read.icc, read.notes) == (srgb_profile(), ())
    else:
        assert read.icc == b"" and read.notes[0].startswith("ICC profile left out: ")


def test_srgb_profile_is_the_same_every_day() -> None:
    assert srgb_profile()[24:36] == bytes.fromhex("07d000010001000000000000")
    opened_ = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    assert "sRGB" in ImageCms.getProfileDescription(opened_)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_resolution_and_exif_are_read(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif.update({0x013B: "Ann", 0x0112: 6, 0x011A: 300, 0x011B: 150, 0x0128: 2})
    exif.get_ifd(0x8769).update({0x9003: "2020:01:01 00:00:00", 0xA002: 9, 0x927C: b"maker"})
    Image.new("RGB", (6, 4)).save(tmp_path / f"a{suffix}", exif=exif, dpi=(300, 150))
    read = read_picture(tmp_path / f"a{suffix}")
    tags = Image.Exif()
    tags.load(read.exif)
    if suffix != ".tif":  # Pillow writes no more than the first tags into it
        assert dict(tags.get_ifd(0x8769)) == {0x9003: "2020:01:01 00:00:00"}
    assert {tag for tag in tags if tag != 0x8769} == {0x013B} and tags[0x013B] == "Ann"
    assert read.dpi == (None if suffix == ".webp" else pytest.approx((150, 300), abs=0.02))


@pytest.mark.parametrize("dpi", [(0, 0), (1e9, 1e9)])
def test_a_resolution_of_nonsense_is_none(tmp_path: Path, dpi: tuple[float, float]) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "a.tif", dpi=dpi)
    assert read_picture(tmp_path / "a.tif").dpi is None


def test_damaged_exif_costs_no_picture(tmp_path: Path) -> None:
    for number, exif in enumerate([b"Exif\0\0MM\0*\0\0\xff\xff", b"Exif\0\0" + b"\xff" * 40]):
        Image.new("RGB", (6, 4), RED).save(tmp_path / f"{number}.png", exif=exif)
        read = read_picture(tmp_path / f"{number}.png")
        np.testing.assert_array_equal(read.rgb, np.full((4, 6, 3), RED))
        assert read.exif == b""


def test_of_an_animation_the_first_frame_is_read_and_it_is_said(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 3), colour) for colour in (RED, BLUE)]
    for name in ("a.gif", "a.webp", "a.png", "a.tif"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        read = read_picture(tmp_path / name)
        np.testing.assert_array_equal(read.rgb, np.full((3, 4, 3), RED))
        assert read.notes == ("first of several frames",)


# ---------------------------------------------------------------- files not to be trusted


def test_too_many_pixels_are_refused_by_the_header(tmp_path: Path) -> None:
    Image.new("1", (30_000, 6_000)).save(tmp_path / "a.png")  # above Pillow's limit
    with pytest.raises(ValueError, match=r"a\.png: expected at most 89478485 pixels, got 30000 x"):
        read_rgb(tmp_path / "a.png")
    Image.new("1", (9_000, 9_000)).save(tmp_path / "b.png")  # below Pillow's limit
    assert picture_size(tmp_path / "b.png") == (9_000, 9_000)
    with pytest.raises(ValueError, match=r"Scale it down, or read it with a larger `max_pixels`\."):
        read_rgb(tmp_path / "b.png", max_pixels=80_999_999)
    assert Image.MAX_IMAGE_PIXELS == 89_478_485  # Pillow's own limit is as it was


def test_only_pictures_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        with pytest.raises(ValueError, match=rf"{name}: expected a readable picture"):
            read_rgb(tmp_path / name)


def test_a_header_that_lies_is_an_error(tmp_path: Path) -> None:
    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    for size in ((8_000, 8), (0, 8)):
        data[16:24] = struct.pack(">II", *size)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        (tmp_path / "a.png").write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.png: expected a readable picture"):
            read_rgb(tmp_path / "a.png")


# ---------------------------------------------------------------- encoded


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_what_is_kept_of_a_picture_can_be_read_again(tmp_path: Path, suffix: str) -> None:
    exif = Image.Exif()
    exif[0x013B] = "Ann"
    rgb, icc = np.full((6, 4, 3), 200, np.uint8), srgb_profile()
    write_picture(
        tmp_path / f"a{suffix}", rgb, quality=80, dpi=(300.0, 300.0), exif=exif.tobytes(), icc=icc
    )
    read = read_picture(tmp_path / f"a{suffix}")
    assert np.abs(read.rgb.astype(int) - 200).max() <= 1
    assert read.exif == exif.tobytes() and read.icc == icc
    if suffix == ".webp":
        with Image.open(tmp_path / "a.webp") as picture:
            assert picture.getexif()[0x011A] == 300
    else:
        assert read.dpi == pytest.approx((300, 300), abs=0.01)


def test_quality_makes_files_smaller() -> None:
    for suffix in (".jpg", ".webp"):
        assert len(encoded(noise(40, 40, 3), suffix, quality=30)) < len(
            encoded(noise(40, 40, 3), suffix)
        )


def test_jpeg_keeps_colours_at_the_lines() -> None:
    rgb = np.zeros((16, 16, 3), np.uint8)
    rgb[:, ::2] = RED
    with Image.open(io.BytesIO(encoded(rgb, ".jpg"))) as picture:
        read = np.asarray(picture).astype(int)
    assert np.abs(read - rgb).mean() < 12  # half the chroma would make it all brown


def test_alpha_goes_into_png() -> None:
    with Image.open(io.BytesIO(encoded(noise(4, 5, 4), ".png"))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), noise(4, 5, 4))

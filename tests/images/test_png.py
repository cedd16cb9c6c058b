"""PNG as we write it, read by others."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_painter import draw_shapes, in_rgb

from sketch2paint.images.convert import STRIP
from sketch2paint.images.png import SUB, UP, png

SHAPES = [(1, 1), (1, 1, 3), (3, 1, 4), (1, 9, 3), (5, 7), (2 * STRIP, 3), (2 * STRIP + 1, 5, 3)]


def noise(shape: tuple[int, ...], most: int = 256) -> np.ndarray:
    return np.random.default_rng(0).integers(0, most, shape, np.uint8)


def filters(data: bytes, row_bytes: int) -> set[int]:
    """The numbers of the filters in a file of ours that has no other chunks before its pixels."""
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    packed = zlib.decompress(data[start + 4 : start + 4 + length])
    return set(packed[:: row_bytes + 1])


@pytest.mark.parametrize("most", [256, 2])
@pytest.mark.parametrize("shape", [*SHAPES, (70, 9, 1), (70, 9, 2), (70, 9, 4)])
def test_every_pixel_comes_back(shape: tuple[int, ...], most: int) -> None:
    picture = noise(shape, most)
    with Image.open(BytesIO(png(picture))) as opened:
        opened.load()
        assert opened.mode == {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[shape[2] if shape[2:] else 1]
        np.testing.assert_array_equal(np.asarray(opened).ravel(), picture.ravel())


def test_other_readers_agree() -> None:
    picture = in_rgb(draw_shapes(0)[1])
    decoded = cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(decoded[..., ::-1], picture)


def test_pictures_in_another_order_of_memory() -> None:
    picture = np.asfortranarray(noise((70, 9, 3)))[:, ::-1]
    with Image.open(BytesIO(png(picture))) as opened:
        np.testing.assert_array_equal(np.asarray(opened), picture)


def test_rows_take_the_filter_that_leaves_more_zeros() -> None:
    row = np.arange(5, 255, 5, np.uint8)
    assert filters(png(np.tile(row, (40, 1))), 50) == {UP}
    assert filters(png(np.tile(row[:, None], (1, 40))), 40) == {SUB}
    both = np.vstack([np.tile(row, (9, 1)), np.tile(row[:, None], 50)])
    assert filters(png(both), 50) == {UP, SUB}


def test_painted_pictures_are_about_as_small_as_pillow_makes_them() -> None:
    for seed in range(3):
        picture, file = draw_shapes(seed)[0], BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_type=zlib.Z_RLE)
        assert len(png(picture)) < 1.1 * len(file.getvalue())


def test_what_is_known_of_a_picture_goes_along() -> None:
    exif = Image.Exif()
    exif[270] = "A drawing"
    data = png(noise((4, 5, 3)), dpi=(300, 150.5), exif=exif.tobytes(), icc=b"profile" * 99)
    with Image.open(BytesIO(data)) as opened:
        assert opened.info["dpi"] == pytest.approx((300, 150.5), abs=0.02)
        assert opened.info["icc_profile"] == b"profile" * 99
        assert opened.getexif()[270] == "A drawing"
    with Image.open(BytesIO(data)) as opened:
        opened.verify()  # the sums of all chunks

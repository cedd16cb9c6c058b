"""Pictures that are broken, or lie, for the tests: mutations of valid files, and made ones.

python tests/broken_pictures.py FOLDER COUNT SEED
"""

import io
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from sketch2paint.images.formats import FORMATS


def drawing(chance, width=40, height=30):
    """(height, width, 3) uint8: some black strokes on white."""
    picture = np.full((height, width, 3), 255, np.uint8)
    for _ in range(4):
        y, x = chance.randrange(height - 4), chance.randrange(width - 8)
        picture[y : y + 2, x : x + 8] = 0
    return picture


def encode(picture, name, **options):
    file = io.BytesIO()
    picture.save(file, name, **options)
    return file.getvalue()


def valid(chance):
    """Name and bytes of a valid file of each kind."""
    rgb = Image.fromarray(drawing(chance))
    exif = Image.Exif()
    exif[0x0112] = 6
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("comment", "hello " * 20, zip=True)
    frames = [Image.fromarray(drawing(chance)) for _ in range(3)]
    deep = Image.fromarray(np.full((9, 11), 40000, np.uint16))
    light = Image.fromarray(np.full((9, 11), 0.7, np.float32))
    rare = {
        "plain.avif": ("AVIF", rgb, {"speed": 10, "exif": exif}),
        "plain.jp2": ("JPEG2000", rgb, {}),
        "deep.jp2": ("JPEG2000", deep, {}),
    }
    return {
        name: encode(picture, format_, **options)
        for name, (format_, picture, options) in rare.items()
        if format_ in FORMATS
    } | {
        "plain.ppm": encode(rgb, "PPM"),
        "grey.pgm": encode(rgb.convert("L"), "PPM"),
        "plain.tga": encode(rgb, "TGA"),
        "rle.tga": encode(rgb.convert("RGBA"), "TGA", compression="tga_rle"),
        "deep.tif": encode(deep, "TIFF"),
        "light.tif": encode(light, "TIFF", compression="tiff_deflate"),
        "rgb.png": encode(rgb, "PNG", icc_profile=icc, pnginfo=text, dpi=(300, 300)),
        "grey.png": encode(rgb.convert("L"), "PNG"),
        "palette.png": encode(rgb.quantize(8), "PNG"),
        "bits.png": encode(rgb.convert("1"), "PNG"),
        "deep.png": encode(deep, "PNG"),
        "alpha.png": encode(rgb.convert("RGBA"), "PNG"),
        "moving.png": encode(rgb, "PNG", save_all=True, append_images=frames),
        "plain.jpg": encode(rgb, "JPEG", exif=exif, icc_profile=icc),
        "steps.jpg": encode(rgb, "JPEG", progressive=True),
        "cmyk.jpg": encode(rgb.convert("CMYK"), "JPEG"),
        "lossy.webp": encode(rgb, "WEBP"),
        "lossless.webp": encode(rgb, "WEBP", lossless=True, exif=exif),
        "moving.gif": encode(rgb, "GIF", save_all=True, append_images=frames),
        "still.gif": encode(rgb, "GIF"),
        "plain.tif": encode(rgb, "TIFF"),
        "lzw.tif": encode(rgb, "TIFF", compression="tiff_lzw"),
        "pages.tif": encode(rgb, "TIFF", save_all=True, append_images=frames),
        "plain.bmp": encode(rgb, "BMP"),
    }


def mutated(data, chance):
    """The bytes with one kind of damage, or a few of them."""
    data = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4])):
        at = chance.randrange(len(data))
        length = chance.choice([1, 4, 30, 400])
        kind = chance.randrange(7)
        if kind == 0:
            del data[at:]
        elif kind == 1:
            for _ in range(chance.choice([1, 3, 20])):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == 2:
            data[at : at + length] = bytes(len(data[at : at + length]))
        elif kind == 3:
            data[at:at] = chance.randbytes(length)
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            data[at : at + length] = b"\xff" * len(data[at : at + length])
        else:  # numbers in headers: sizes, offsets, counts
            data[chance.randrange(min(64, len(data)))] = chance.choice([0, 1, 0x7F, 0x80, 0xFF])
        if not data:
            return b""
    return bytes(data)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, rows, depth=8, colour=2, *chunks):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def made(chance):
    """Name and bytes of files that are wrong by construction."""
    jpeg, gif = (bytearray(valid(chance)[name]) for name in ("plain.jpg", "still.gif"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = b"\xff\xff\xff\xff"
    gif[6:10] = b"\xff\xff\xff\xff"
    tif = bytearray(valid(chance)["plain.tif"])
    for tag in (256, 257):  # width and height
        entry = tif.index(struct.pack("<HH", tag, 4))
        tif[entry + 8 : entry + 12] = b"\xff\xff\xff\x7f"
    bomb = zlib.compress(bytes(50_000_000), 9)
    return {
        "huge.png": png(60_000, 60_000, b""),
        "huge_and_short.png": png(13_000, 13_000, bytes(1000)),
        "bomb.png": png(30_000, 30_000, bytes(3751 * 30_000), 1, 0),
        "large_but_good.png": png(5_000, 5_000, bytes(626 * 5_000), 1, 0),
        "no_width.png": png(0, 10, b""),
        "depth.png": png(10, 10, bytes(1000), 7),
        "text_bomb.png": png(
            4,
            4,
            bytes(13 * 4),
            8,
            2,
            chunk(b"zTXt", b"a\0\0" + bomb),
            chunk(b"iCCP", b"x\0\0" + bomb),
        ),
        "huge.jpg": bytes(jpeg),
        "huge.gif": bytes(gif),
        "huge.tif": bytes(tif),
        "empty.png": b"",
        "pointer.png": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "page.jpg": b"<!doctype html><title>404</title>",
        "layers.png": b"8BPS\0\1" + bytes(500),
        "huge.ppm": b"P6\n65000 65000\n255\n",
        "huge.tga": struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 65000, 65000, 24, 0),
        "huge.jp2": b"\xff\x4f\xff\x51\0\x2f\0\0"
        + struct.pack(">8I", *[60_000, 60_000, 0, 0] * 2)
        + b"\0\3"
        + b"\7\1\1" * 3,
        "letter.jpg": b"Dear Sir or Madam, this is no picture.",
        "program.png": b"#!/bin/sh\ntouch sprung\n",
        "random.webp": chance.randbytes(3000),
        "zeros.tif": bytes(3000),
    }


def write(folder, count, seed):
    """Write `count` files that may be anything, and one good drawing for each twenty of them."""
    folder, chance = Path(folder), random.Random(seed)
    folder.mkdir(parents=True)
    files = made(chance)
    while len(files) < count:
        name, data = chance.choice(sorted(valid(chance).items()))
        files[f"{len(files):04d}_{name}"] = mutated(data, chance)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for number in range(0, count, 20):
        Image.fromarray(drawing(chance)).save(folder / f"good_{number:04d}.png")


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

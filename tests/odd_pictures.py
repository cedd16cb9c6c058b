"""One drawing in some hundreds of odd files, each with its right reading by the format's own words.

PNG, TIFF, BMP, Targa and Netpbm files are put together here, byte by byte, so that what is expected
does not come from the library that reads them.

PNG: W3C PNG 3rd edition. TIFF: TIFF 6.0 (Adobe 1992) and Supplement 1. Orientation: Exif 2.32 and
XMP part 2, the `tiff` namespace. ICC: ICC.1:2010. BMP: Windows BITMAPV4HEADER. Targa: TGA 2.0.
Netpbm: ppm(5), pgm(5), pbm(5), and the PFM page of Paul Debevec.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, features

from sketch2paint.images.pixels import srgb_profile

PNG_GREY, PNG_RGB, PNG_PALETTE, PNG_GREY_ALPHA, PNG_RGBA = 0, 2, 3, 4, 6  # PNG 11.2.1
WHITE_IS_ZERO, BLACK_IS_ZERO, TIFF_RGB, TIFF_PALETTE, SEPARATED, YCBCR, CIELAB = 0, 1, 2, 3, 5, 6, 8
UNSIGNED, SIGNED, FLOAT = 1, 2, 3  # TIFF 6.0, section 19
XMP_HEAD = b"http://ns.adobe.com/xap/1.0/\0"  # XMP part 3, 1.1.3


class Odd(NamedTuple):
    """A file and its right reading.

    Attributes:
        name: File name.
        data: Content of the file.
        rgb: Right reading, (H, W, 3) uint8.
        may_refuse: Whether the reader may say that it cannot read such a file.
    """

    name: str
    data: bytes
    rgb: np.ndarray
    may_refuse: bool = False


def drawing() -> np.ndarray:
    """(9, 14) uint8: a box with a stroke out of it and a grey line, like none of its turns."""
    grey = np.full((9, 14), 255, np.uint8)
    grey[1:7, 2:9], grey[2:6, 3:8] = 0, 255
    grey[4, 8:13], grey[8, 1:4] = 0, 100
    return grey


def rgb_of(grey: np.ndarray) -> np.ndarray:
    return np.dstack([grey.round().astype(np.uint8)] * 3)


def levels(bits: int) -> np.ndarray:
    """The drawing in whole numbers of so many bits; white is the largest of them."""
    return np.rint(drawing().astype(float) * (2**bits - 1) / 255).astype(np.int64)


def shown(values: np.ndarray, bits: int) -> np.ndarray:
    """(H, W, 3) uint8 that such numbers stand for."""
    return rgb_of(values * 255 / (2**bits - 1))


def packed(values: np.ndarray, bits: int) -> list[bytes]:
    """Rows of samples below 8 bits or of 12, the first in the highest bits; rows end at a byte."""
    places = np.arange(bits - 1, -1, -1)
    rows = (values.reshape(len(values), -1, 1) >> places & 1).astype(np.uint8)
    return [np.packbits(row.ravel()).tobytes() for row in rows]


# ---------------------------------------------------------------- PNG


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(
    samples: np.ndarray, depth: int, colour: int, before: bytes = b"", after: bytes = b"",
    interlace: bool = False,
) -> bytes:  # fmt: skip
    """A PNG of samples (H, W) or (H, W, C), with chunks before and after its pixels."""
    height, width = samples.shape[:2]
    passes = [(0, 0, 1, 1)]
    if interlace:  # PNG 8.1, Adam7: first row, first column, steps
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2)]
        passes += [(0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b""
    for y, x, down, across in passes:
        part = samples[y::down, x::across]
        if not part.size:
            continue
        wide = {8: ">u1", 16: ">u2"}.get(depth)
        lines = [row.astype(wide).tobytes() for row in part] if wide else packed(part, depth)
        rows += b"".join(b"\0" + line for line in lines)  # 0: no filter
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
        + chunk(b"IDAT", zlib.compress(rows)) + after + chunk(b"IEND", b"")
    )  # fmt: skip


def exif_block(orientation: int) -> bytes:
    """A TIFF header with one tag, as EXIF is: Exif 4.6.2."""
    return b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x112, 3, 1, orientation, 0, 0)


def xmp_packet(orientation: int, as_element: bool = False) -> bytes:
    """An XMP packet with tiff:Orientation, as an attribute or as an element: XMP part 1, 7.9."""
    about = 'xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    inside = f'<rdf:Description {about} tiff:Orientation="{orientation}"/>'
    if as_element:
        inside = f"<rdf:Description {about}><tiff:Orientation>{orientation}</tiff:Orientation>"
        inside += "</rdf:Description>"
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    text = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{rdf}">{inside}</rdf:RDF>'
    return f"{text}</x:xmpmeta>".encode()


def exif_chunk(orientation: int) -> bytes:
    return chunk(b"eXIf", exif_block(orientation))


def xmp_chunk(orientation: int, as_element: bool = False) -> bytes:
    packet = xmp_packet(orientation, as_element)
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)


def old_exif_chunk(orientation: int) -> bytes:
    """EXIF as ImageMagick wrote it before PNG had a chunk for it."""
    block = b"Exif\0\0" + exif_block(orientation)
    return chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(
        f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()))  # fmt: skip


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """What a file of an orientation holds: Exif 4.6.4, where its row 0 and column 0 are seen."""
    d = upright
    return {
        1: d,  # row 0 at the top, column 0 on the left
        2: d[:, ::-1],  # top, right
        3: d[::-1, ::-1],  # bottom, right
        4: d[::-1],  # bottom, left
        5: d.swapaxes(0, 1),  # left, top
        6: d[:, ::-1].swapaxes(0, 1),  # right, top
        7: d[::-1, ::-1].swapaxes(0, 1),  # right, bottom
        8: d[::-1].swapaxes(0, 1),  # left, bottom
    }[orientation]


def plain_pngs() -> Iterator[Odd]:
    for interlace in (False, True):
        kind = "adam7" if interlace else "plain"
        for bits in (1, 2, 4, 8, 16):
            values = levels(bits)
            data = png(values, bits, PNG_GREY, interlace=interlace)
            yield Odd(f"png_grey{bits}_{kind}.png", data, shown(values, bits))
        for bits in (1, 2, 4, 8):
            values = levels(bits)
            # The palette runs from white to black: number 0 is white.
            table = np.repeat(np.linspace(255, 0, 2**bits).round(), 3).astype(np.uint8)
            data = png(
                2**bits - 1 - values, bits, PNG_PALETTE, chunk(b"PLTE", table.tobytes()),
                interlace=interlace,
            )  # fmt: skip
            yield Odd(f"png_palette{bits}_{kind}.png", data, shown(values, bits))
        for bits in (8, 16):
            rgb = coloured()
            data = png(rgb * (257 if bits == 16 else 1), bits, PNG_RGB, interlace=interlace)
            yield Odd(f"png_rgb{bits}_{kind}.png", data, rgb.astype(np.uint8))


def coloured() -> np.ndarray:
    """(9, 14, 3): the drawing with a red box."""
    rgb = np.dstack([drawing()] * 3).astype(np.int64)
    rgb[2:6, 3:8] = 255, 0, 0
    return rgb


def clear_pngs() -> Iterator[Odd]:
    """Transparency: PNG 11.3.1.1 (tRNS names one value or entry) and colour with alpha."""
    grey = drawing()
    for bits in (1, 2, 4, 8, 16):
        values = levels(bits)
        most = 2**bits - 1
        for key, seen in ((most, values), (0, np.where(values == 0, most, values))):
            trns = chunk(b"tRNS", struct.pack(">H", key))
            if seen.min() == most:  # only white is left: what is drawn is the transparency
                seen = values  # on a dark page: holes in a white one
            data = png(values, bits, PNG_GREY, trns)
            yield Odd(f"png_grey{bits}_clear{key}.png", data, shown(seen, bits))
    deep = np.where(grey == 255, 0, np.where(grey == 0, 257, 25700))  # paper 0, lines 1 of 255
    data = png(deep, 16, PNG_GREY, chunk(b"tRNS", bytes(2)))
    yield Odd("png_grey16_paper_clear.png", data, rgb_of(np.where(grey == 0, 1, grey)))
    for bits in (8, 16):
        wide = 257 if bits == 16 else 1
        rgb = coloured()
        for name, key in (("red", (255, 0, 0)), ("white", (255, 255, 255)), ("black", (0, 0, 0))):
            clear = (rgb == key).all(axis=2, keepdims=True)
            data = png(
                rgb * wide, bits, PNG_RGB,
                chunk(b"tRNS", struct.pack(">HHH", *(part * wide for part in key))),
            )  # fmt: skip
            yield Odd(
                f"png_rgb{bits}_{name}_clear.png", data, np.where(clear, 255, rgb).astype("u1")
            )
        alpha = 255 - grey.astype(np.int64)
        for ink in (0, 60, 255):  # ink of 255 is a drawing for a dark page: the lines are alpha
            seen = grey if ink == 255 else (ink * alpha + 255 * (255 - alpha)) / 255
            la = np.dstack([np.full_like(alpha, ink), alpha]) * wide
            rgba = np.dstack([*[np.full_like(alpha, ink)] * 3, alpha]) * wide
            for kind, colour, samples in (("la", PNG_GREY_ALPHA, la), ("rgba", PNG_RGBA, rgba)):
                yield Odd(
                    f"png_{kind}{bits}_ink{ink}.png", png(samples, bits, colour), rgb_of(seen)
                )
        hidden = np.dstack([rgb, np.zeros_like(alpha)]) * wide
        yield Odd(f"png_rgba{bits}_all_clear.png", png(hidden, bits, PNG_RGBA), rgb.astype("u1"))
    table = chunk(b"PLTE", bytes([0, 0, 0, 255, 255, 255, 100, 100, 100]))
    numbers = np.select([grey == 0, grey == 255], [0, 1], 2)
    for name, entries in (("table", b"\xff\0\xff"), ("short", b"\xff\0"), ("half", b"\xff\0\x80")):
        seen = np.where(grey == 100, 177, grey) if name == "half" else grey
        data = png(numbers, 8, PNG_PALETTE, table + chunk(b"tRNS", entries))
        yield Odd(f"png_palette_{name}_clear.png", data, rgb_of(seen))


def turned_pngs() -> Iterator[Odd]:
    rgb = rgb_of(drawing())
    for way in range(1, 9):
        held = stored(rgb, way).astype(np.int64)
        for name, block in (
            ("exif", exif_chunk(way)),
            ("oldexif", old_exif_chunk(way)),
            ("xmp", xmp_chunk(way)),
            ("xmpelement", xmp_chunk(way, as_element=True)),
            ("both", exif_chunk(way) + xmp_chunk(way)),
            ("exifwins", exif_chunk(way) + xmp_chunk(1 + way % 8)),  # MWG 2010: EXIF, then XMP
        ):
            yield Odd(f"png_{name}{way}_first.png", png(held, 8, PNG_RGB, block), rgb)
            yield Odd(f"png_{name}{way}_last.png", png(held, 8, PNG_RGB, b"", block), rgb)
        deep = stored(drawing(), way).astype(np.int64) * 257
        yield Odd(f"png_deep{way}.png", png(deep, 16, PNG_GREY, xmp_chunk(way)), rgb)
    for wrong in (0, 9, 255):  # no such turn
        yield Odd(f"png_exif{wrong}.png", png(rgb, 8, PNG_RGB, exif_chunk(wrong)), rgb)


# ---------------------------------------------------------------- colour profiles


def grey_profile() -> bytes:
    """A GRAY profile whose values are linear light: ICC.1:2010, 7.2 and 10.5 (curve, gamma 1)."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"linear\0" + bytes(78 + 1),
        b"wtpt": white,
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 256) + bytes(2),
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
    }
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H4s", 2000, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    return (header + struct.pack(">iii", 63190, 65536, 54061)).ljust(128, b"\0") + table + body


def swapped_profile() -> bytes:
    """sRGB with its red and green primaries swapped: what it holds as red is green."""
    data = bytearray(srgb_profile())
    tags = {bytes(data[at : at + 4]): at + 4 for at in range(132, 132 + 12 * data[131], 12)}
    red, green = tags[b"rXYZ"], tags[b"gXYZ"]
    data[red : red + 8], data[green : green + 8] = data[green : green + 8], data[red : red + 8]
    at = data.find("sRGB".encode("utf-16-be"))
    data[at : at + 8] = "XRGB".encode("utf-16-be")
    return bytes(data)


def profiled() -> Iterator[Odd]:
    rgb, grey = coloured().astype(np.uint8), drawing()
    green = np.where((rgb == (255, 0, 0)).all(axis=2, keepdims=True), (0, 255, 0), rgb)
    linear = grey / 255
    light = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    for name, icc, in_rgb, in_grey in (
        ("srgb", srgb_profile(), rgb, rgb_of(grey)),
        ("swapped", swapped_profile(), green, rgb_of(grey)),
        ("grey", grey_profile(), rgb, rgb_of(255 * light)),  # does not fit RGB: left out
        ("damaged", b"no profile", rgb, rgb_of(grey)),
        ("empty", b"", rgb, rgb_of(grey)),
    ):
        block = chunk(b"iCCP", b"icc\0\0" + zlib.compress(icc))
        for bits, wide in ((8, 1), (16, 257)):
            data = png(rgb.astype(np.int64) * wide, bits, PNG_RGB, block)
            yield Odd(f"icc_{name}_rgb{bits}.png", data, in_rgb.astype(np.uint8))
            data = png(grey.astype(np.int64) * wide, bits, PNG_GREY, block)
            yield Odd(f"icc_{name}_grey{bits}.png", data, in_grey)
        for held, seen, kind in ((rgb, in_rgb, "rgb"), (grey, in_grey, "grey")):
            photometric = TIFF_RGB if kind == "rgb" else BLACK_IS_ZERO
            extra = {34675: (7, icc)} if icc else {}
            data = tiff(held.astype(np.int64), 8, photometric, extra_tags=extra)
            yield Odd(f"icc_{name}_{kind}.tif", data, seen.astype(np.uint8))


# ---------------------------------------------------------------- TIFF


def tiff(
    samples: np.ndarray, bits: int, photometric: int, form: int = UNSIGNED, order: str = "<",
    extra: int | None = None, planar: int = 1, fill: int = 1, deflate: bool = False,
    extra_tags: dict[int, tuple[int, Any]] | None = None,
) -> bytes:  # fmt: skip
    """A TIFF of one strip (or one for each plane), samples (H, W) or (H, W, C)."""
    height, width = samples.shape[:2]
    planes = samples.reshape(height, width, -1)
    count = planes.shape[2]
    parts = [planes[..., n] for n in range(count)] if planar == 2 else [planes]
    kind = {FLOAT: "f", SIGNED: "i"}.get(form, "u")
    strips = [
        part.astype(f"{order}{kind}{bits // 8}").tobytes()
        if bits in (8, 16, 32, 64)
        else b"".join(packed(part, bits))
        for part in parts
    ]
    if fill == 2:  # TIFF 6.0, FillOrder: the first sample in the lowest bits
        flipped = [int(f"{byte:08b}"[::-1], 2) for byte in range(256)]
        strips = [bytes(flipped[byte] for byte in strip) for strip in strips]
    if deflate:
        strips = [zlib.compress(strip) for strip in strips]
    tags: dict[int, tuple[int, Any]] = {
        256: (3, width), 257: (3, height), 258: (3, [bits] * count), 259: (3, 8 if deflate else 1),
        262: (3, photometric), 266: (3, fill), 277: (3, count), 278: (3, height),
        279: (4, [len(strip) for strip in strips]), 284: (3, planar), 339: (3, [form] * count),
    }  # fmt: skip
    tags |= {} if extra is None else {338: (3, extra)}
    return tiff_file(tags | (extra_tags or {}), strips, order)


def tiff_file(tags: dict[int, tuple[int, Any]], strips: list[bytes], order: str) -> bytes:
    """Header, directory, values that do not fit into it, strips: TIFF 6.0, section 2."""
    tags = dict(sorted((tags | {273: (4, [0] * len(strips))}).items()))
    at = 8 + 2 + 12 * len(tags) + 4
    values = {tag: tag_bytes(kind, value, order) for tag, (kind, value) in tags.items()}
    at += sum(len(data) + len(data) % 2 for data in values.values() if len(data) > 4)
    starts = [at + sum(map(len, strips[:n])) for n in range(len(strips))]
    values[273] = tag_bytes(4, starts, order)
    directory, body, place = b"", b"", 8 + 2 + 12 * len(tags) + 4
    for tag, (kind, _) in tags.items():
        data = values[tag]
        number = len(data) // {1: 1, 7: 1, 3: 2, 4: 4, 11: 4}[kind]
        directory += struct.pack(f"{order}HHI", tag, kind, number)
        if len(data) <= 4:
            directory += data.ljust(4, b"\0")
        else:
            directory += struct.pack(f"{order}I", place + len(body))
            body += data + bytes(len(data) % 2)
    mark = b"II*\0" if order == "<" else b"MM\0*"
    head = mark + struct.pack(f"{order}IH", 8, len(tags))
    return head + directory + bytes(4) + body + b"".join(strips)


def tag_bytes(kind: int, value: Any, order: str) -> bytes:
    if isinstance(value, bytes):
        return value
    items = value if isinstance(value, list) else [value]
    return struct.pack(f"{order}{len(items)}{ {1: 'B', 3: 'H', 4: 'I', 11: 'f'}[kind] }", *items)


def grey_tiffs() -> Iterator[Odd]:
    """Bits x sample format x interpretation x order of bytes and bits x compression."""
    grey = drawing().astype(np.float64)
    deep: list[tuple[str, int, int, np.ndarray]] = [
        (f"u{bits}", bits, UNSIGNED, levels(bits)) for bits in (1, 2, 4, 8, 12, 16, 32)
    ]
    for bits in (8, 16, 32):  # no negative values: 0 is black; else the whole range
        deep.append((f"s{bits}", bits, SIGNED, np.rint(grey / 255 * (2 ** (bits - 1) - 1))))
        whole = np.rint(grey / 255 * (2**bits - 1)) - 2 ** (bits - 1)
        deep.append((f"s{bits}whole", bits, SIGNED, whole))
    for bits in (16, 32, 64):
        for top in (1, 255, 65535)[: 2 if bits == 16 else 3]:
            deep.append((f"f{bits}_{top}", bits, FLOAT, grey / 255 * top))
    for name, bits, form, values in deep:
        quantised = shown(levels(bits), bits) if bits < 8 else rgb_of(grey)
        whole_numbers = values if form == FLOAT else values.astype(np.int64)
        low, high = whole_numbers.min(), whole_numbers.max()
        for photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO):
            held = high + low - whole_numbers if photometric == WHITE_IS_ZERO else whole_numbers
            for order in "<>":
                for deflate in (False, True):
                    both = bits <= 16 and form == UNSIGNED and order == "<" and not deflate
                    for fill in (1, 2) if both else (1,):
                        data = tiff(
                            held, bits, photometric, form, order, fill=fill, deflate=deflate
                        )
                        end = f"{photometric}_{'ii' if order == '<' else 'mm'}{fill}{deflate:d}"
                        yield Odd(f"tif_{name}_{end}.tif", data, quantised, may_refuse=True)


def declared_tiffs() -> Iterator[Odd]:
    """SMinSampleValue and SMaxSampleValue: TIFF 6.0, section 19; 12 bits in 16 without them."""
    grey = drawing()
    twelve = levels(12)
    data = tiff(twelve, 16, BLACK_IS_ZERO, extra_tags={340: (3, 0), 341: (3, 4095)})
    yield Odd("tif_12_in_16_declared.tif", data, rgb_of(grey))
    yield Odd("tif_12_in_16.tif", tiff(twelve, 16, BLACK_IS_ZERO), rgb_of(grey / 16))
    tags = {340: (11, -1.0), 341: (11, 1.0)}
    data = tiff(grey / 127.5 - 1, 32, BLACK_IS_ZERO, FLOAT, extra_tags=tags)
    yield Odd("tif_float_declared.tif", data, rgb_of(grey))
    wild = grey / 255
    wild[0, 0], wild[0, 1], wild[0, 2] = np.nan, np.inf, -0.2
    seen = grey.copy()
    seen[0, 2] = 0
    data = tiff(wild, 32, BLACK_IS_ZERO, FLOAT)
    yield Odd("tif_float_nan.tif", data, rgb_of(seen))
    data = tiff(np.where(grey == 255, 1.08, grey / 255), 32, BLACK_IS_ZERO, FLOAT)
    yield Odd("tif_float_glare.tif", data, rgb_of(grey))
    overshoot = levels(15) - np.where(grey == 0, 40, 0)
    data = tiff(overshoot, 16, BLACK_IS_ZERO, SIGNED)
    yield Odd("tif_signed_overshoot.tif", data, rgb_of(grey))


def colour_tiffs() -> Iterator[Odd]:
    """RGB, palette, CMYK, YCbCr and Lab, with extra samples and in planes."""
    rgb, grey = coloured(), drawing().astype(np.int64)
    alpha = 255 - grey
    for order in "<>":
        for bits, wide in ((8, 1), (16, 257)):
            for planar in (1, 2):
                for deflate in (False, True):
                    end = f"{bits}_{'ii' if order == '<' else 'mm'}_p{planar}_z{deflate:d}.tif"
                    how: dict[str, Any] = {"order": order, "planar": planar, "deflate": deflate}
                    data = tiff(rgb * wide, bits, TIFF_RGB, **how)
                    yield Odd(f"tif_rgb{end}", data, rgb.astype("u1"), may_refuse=True)
                    inks = np.dstack([np.zeros((*grey.shape, 3), np.int64), 255 - grey]) * wide
                    data = tiff(inks, bits, SEPARATED, **how)
                    yield Odd(f"tif_cmyk{end}", data, rgb_of(grey), may_refuse=True)
                    for extra, name in ((0, "unknown"), (1, "associated"), (2, "alpha")):
                        ink = np.full_like(grey, 60)
                        seen = (60 * alpha + 255 * (255 - alpha)) / 255
                        if extra == 0:
                            ink, seen = grey, grey  # of no meaning: not looked at
                        if extra == 1:  # TIFF 6.0, section 18: colours are multiplied by it
                            ink = 60 * alpha // 255
                        la, rgba = np.dstack([ink, alpha]), np.dstack([ink, ink, ink, alpha])
                        for kind, samples in (("la", la), ("rgba", rgba)):
                            interpretation = BLACK_IS_ZERO if kind == "la" else TIFF_RGB
                            data = tiff(samples * wide, bits, interpretation, extra=extra, **how)
                            name_ = f"tif_{kind}_{name}{end}"
                            yield Odd(name_, data, rgb_of(seen), may_refuse=True)
        for bits in (1, 2, 4, 8):
            values = levels(bits)
            ramp = np.linspace(65535, 0, 2**bits).round().astype(int).tolist()
            table = {320: (3, ramp * 3)}  # TIFF 6.0, ColorMap: all reds, all greens, all blues
            data = tiff(2**bits - 1 - values, bits, TIFF_PALETTE, order=order, extra_tags=table)
            yield Odd(f"tif_palette{bits}_{ord(order)}.tif", data, shown(values, bits))
        grey_128 = np.full_like(grey, 128)
        data = tiff(
            np.dstack([grey, grey_128, grey_128]), 8, YCBCR, order=order,
            extra_tags={530: (3, [1, 1])},
        )  # fmt: skip
        yield Odd(f"tif_ycbcr_{ord(order)}.tif", data, rgb_of(grey))
        linear = np.where(grey <= 10, grey / 255 / 12.92, ((grey / 255 + 0.055) / 1.055) ** 2.4)
        lightness = np.where(linear > 0.008856, 116 * np.cbrt(linear) - 16, 903.3 * linear)
        lab = np.dstack([np.rint(lightness * 2.55), 0 * grey, 0 * grey]).astype(np.int64)
        data = tiff(lab, 8, CIELAB, order=order)
        yield Odd(f"tif_lab_{ord(order)}.tif", data, rgb_of(grey), may_refuse=True)


def turned_tiffs() -> Iterator[Odd]:
    rgb = rgb_of(drawing())
    for way in range(1, 9):
        for deflate in (False, True):
            held = stored(rgb, way).astype(np.int64)
            for name, tags in (
                ("tag", {274: (3, way)}),
                ("xmp", {700: (1, xmp_packet(way))}),
                ("both", {274: (3, way), 700: (1, xmp_packet(way))}),
                ("tagwins", {274: (3, way), 700: (1, xmp_packet(1 + way % 8))}),
            ):
                data = tiff(held, 8, TIFF_RGB, deflate=deflate, extra_tags=tags)
                yield Odd(f"tif_{name}{way}_z{deflate:d}.tif", data, rgb)
            grey = stored(drawing(), way).astype(np.int64)
            cmyk = np.dstack([np.zeros((*grey.shape, 3), np.int64), 255 - grey])
            for name, samples, bits, photometric in (
                ("white", 255 - grey, 8, WHITE_IS_ZERO), ("grey", grey, 8, BLACK_IS_ZERO),
                ("deep", grey * 257, 16, BLACK_IS_ZERO), ("cmyk", cmyk, 8, SEPARATED),
            ):  # fmt: skip
                for order in "<>":
                    data = tiff(
                        samples, bits, photometric, order=order, deflate=deflate,
                        extra_tags={274: (3, way)},
                    )  # fmt: skip
                    yield Odd(f"tif_{name}{way}_{ord(order)}_z{deflate:d}.tif", data, rgb)


# ---------------------------------------------------------------- the others


def encode(picture: Image.Image, format_: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, format_, **options)
    return file.getvalue()


def turned_jpegs() -> Iterator[Odd]:
    """APP1 with EXIF and with XMP: Exif 4.7.2, XMP part 3, 1.1.3. Large, for JPEG blurs."""
    rgb = np.kron(rgb_of(drawing()), np.ones((16, 16, 1), np.uint8))
    for way in range(1, 9):
        plain = encode(Image.fromarray(stored(rgb, way).copy()), "JPEG", quality=100)
        exif, xmp = b"Exif\0\0" + exif_block(way), XMP_HEAD + xmp_packet(way)
        other = XMP_HEAD + xmp_packet(1 + way % 8)
        for name, blocks in (("exif", [exif]), ("xmp", [xmp]), ("both", [xmp, exif]),
                             ("exifwins", [other, exif])):  # fmt: skip
            app = b"".join(b"\xff\xe1" + struct.pack(">H", len(b) + 2) + b for b in blocks)
            yield Odd(f"jpg_{name}{way}.jpg", plain[:2] + app + plain[2:], rgb)


def other_kinds() -> Iterator[Odd]:
    """What Pillow writes without loss, in each mode, turned and with a profile."""
    rgb, grey = coloured().astype(np.uint8), drawing()
    alpha = Image.fromarray(np.dstack([np.zeros((*grey.shape, 3), np.uint8), 255 - grey]))
    white = Image.fromarray(np.dstack([np.full((*grey.shape, 3), 255, np.uint8), 255 - grey]))
    kinds: list[tuple[str, str, dict[str, Any]]] = [
        ("webp", "WEBP", {"lossless": True, "exact": 1})
    ]
    if features.check_codec("jpg_2000"):
        kinds.append(("jp2", "JPEG2000", {"irreversible": False}))
    if "avif" in features.modules and features.check_module("avif"):
        kinds.append(("avif", "AVIF", {"quality": 100, "subsampling": "4:4:4", "speed": 8}))
    for suffix, format_, options in kinds:
        for name, picture, seen in (
            ("rgb", Image.fromarray(rgb), rgb),
            ("grey", Image.fromarray(grey), rgb_of(grey)),
            ("alpha", alpha, rgb_of(grey)),
            ("white_lines", white, rgb_of(grey)),
        ):
            yield Odd(f"{suffix}_{name}.{suffix}", encode(picture, format_, **options), seen)
        for way in range(1, 9) if suffix != "jp2" else ():
            held = Image.fromarray(stored(rgb, way).copy())
            exif = b"Exif\0\0" + exif_block(way)
            data = encode(held, format_, exif=exif, **options)
            yield Odd(f"{suffix}_exif{way}.{suffix}", data, rgb)
            if suffix == "webp":
                data = encode(held, format_, xmp=xmp_packet(way), **options)
                yield Odd(f"{suffix}_xmp{way}.{suffix}", data, rgb)
        if suffix != "jp2":
            green = np.where((rgb == (255, 0, 0)).all(axis=2, keepdims=True), (0, 255, 0), rgb)
            icc = swapped_profile()
            data = encode(Image.fromarray(rgb), format_, icc_profile=icc, **options)
            yield Odd(f"{suffix}_icc.{suffix}", data, green.astype(np.uint8))
    if features.check_codec("jpg_2000"):
        deep = Image.fromarray(grey.astype(np.uint16) * 257)
        yield Odd("deep.jp2", encode(deep, "JPEG2000", irreversible=False), rgb_of(grey))
    yield Odd("grey.gif", encode(Image.fromarray(grey), "GIF"), rgb_of(grey))
    yield Odd("colours.gif", encode(Image.fromarray(rgb).quantize(4), "GIF"), rgb)


def netpbm() -> Iterator[Odd]:
    """pbm(5): 1 is black; pgm(5), ppm(5): any largest value; PFM: rows from the bottom up."""
    grey, rgb = drawing(), coloured()
    size = b"14 9\n"
    yield Odd("p4.pbm", b"P4\n" + size + b"".join(packed(1 - levels(1), 1)), shown(levels(1), 1))
    ones = " ".join(map(str, (1 - levels(1)).ravel())).encode()
    yield Odd("p1.pbm", b"P1\n" + size + ones + b"\n", shown(levels(1), 1))
    for most in (15, 255, 1023, 4095, 65535):
        values = np.rint(grey * (most / 255)).astype(int)
        wide = ">u1" if most < 256 else ">u2"
        head = size + b"%d\n" % most
        seen = rgb_of(values * 255 / most)
        yield Odd(f"p5_{most}.pgm", b"P5\n" + head + values.astype(wide).tobytes(), seen)
        words = " ".join(map(str, values.ravel())).encode()
        yield Odd(f"p2_{most}.pnm", b"P2\n" + head + words + b"\n", seen)
        values = np.rint(rgb * (most / 255)).astype(int)
        data = b"P6\n" + head + values.astype(wide).tobytes()
        yield Odd(f"p6_{most}.ppm", data, (values * 255 / most).round().astype(np.uint8))
    for order, scale in (("<", b"-1.0"), (">", b"1.0")):
        data = b"Pf\n" + size + scale + b"\n" + (grey[::-1] / 255).astype(f"{order}f4").tobytes()
        yield Odd(f"pfm_{ord(order)}.pfm", data, rgb_of(grey))


def bitmaps() -> Iterator[Odd]:
    """BITMAPINFOHEADER: rows from the bottom up, or down where the height is negative."""
    rgb = coloured().astype(np.uint8)
    for up in (True, False):
        rows = rgb[::-1] if up else rgb
        for bits, samples in (
            (24, rows[..., ::-1]),
            (32, np.dstack([rows[..., ::-1], 0 * rows[..., 0]])),
        ):
            body = b"".join(row.tobytes() + bytes(-row.size % 4) for row in samples)
            info = struct.pack(
                "<IiiHHIIiiII", 40, 14, 9 if up else -9, 1, bits, 0, len(body), 0, 0, 0, 0
            )
            head = b"BM" + struct.pack("<IHHI", 54 + len(body), 0, 0, 54)
            yield Odd(f"bmp{bits}_{'up' if up else 'down'}.bmp", head + info + body, rgb)


def targas() -> Iterator[Odd]:
    """TGA 2.0: types 2 (colours) and 3 (grey); bit 5 of the descriptor: from the top down."""
    rgb, grey = coloured().astype(np.uint8), drawing()
    for down in (False, True):

        def turned(samples: np.ndarray, down: bool = down) -> bytes:
            return (samples if down else samples[::-1]).tobytes()

        for kind, depth, alpha_bits, samples, seen in (
            (3, 8, 0, grey, rgb_of(grey)),
            (2, 24, 0, rgb[..., ::-1], rgb),
            (2, 32, 8, np.dstack([rgb[..., ::-1], np.full_like(grey, 255)]), rgb),
            (2, 32, 0, np.dstack([rgb[..., ::-1], np.zeros_like(grey)]), rgb),
        ):
            flags = alpha_bits | (32 if down else 0)
            head = struct.pack("<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, 14, 9, depth, flags)
            name = f"tga{kind}_{depth}_{alpha_bits}_{'down' if down else 'up'}.tga"
            yield Odd(name, head + turned(samples), seen)


def odd_pictures() -> list[Odd]:
    """All of them."""
    return [
        *plain_pngs(), *clear_pngs(), *turned_pngs(), *profiled(),
        *grey_tiffs(), *declared_tiffs(), *colour_tiffs(), *turned_tiffs(),
        *turned_jpegs(), *other_kinds(), *netpbm(), *bitmaps(), *targas(),
    ]  # fmt: skip

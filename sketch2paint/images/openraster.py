"""OpenRaster (.ora), the layered format of Krita, GIMP and MyPaint."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import quoteattr
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from sketch2paint.files import written_beside
from sketch2paint.images.convert import fit_within, resize
from sketch2paint.images.io import encoded
from sketch2paint.images.layer import Layer

THUMBNAIL = 256  # the specification's limit
STACK = """<?xml version='1.0' encoding='UTF-8'?>
<image version="0.0.3" w="{width}" h="{height}"{resolution}>
 <stack>
{layers} </stack>
</image>
"""
LAYER = """  <layer name={name} src="{place}" x="{x}" y="{y}" opacity="1.0" visibility="visible" \
composite-op="{blend}"/>
"""
BLENDS = {"normal": "svg:src-over", "multiply": "svg:multiply"}


def write_openraster(
    path: Path | str,
    *,
    colours: np.ndarray,
    lines: np.ndarray,
    merged: np.ndarray,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write a colour layer and a line layer as an OpenRaster file, whole or not at all.

    The lines become black ink with transparency, which every program knows. It gives the same as
    multiplying with them where programs mix the values, as Krita does; GIMP mixes light, so that
    its lines have softer edges (see `write_layers` for lines that are multiplied).

    Args:
        path: File to write, .ora.
        colours: Colour layer (H, W, 3), uint8 RGB.
        lines: Line layer (H, W), uint8, 255 where there is no line.
        merged: Picture of both together (H, W, 3), uint8 RGB.
        dpi: Pixels per inch, across and down.
    """
    layers = [Layer("Colours", opaque(colours)), Layer("Lines", ink(lines))]
    write_layers(path, layers, merged=merged, dpi=dpi)


def write_layers(
    path: Path | str,
    layers: Iterable[Layer],
    *,
    merged: np.ndarray,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write layers as an OpenRaster file, whole or not at all; one at a time is held unpacked.

    Args:
        path: File to write, .ora.
        layers: Layers from the bottom to the top.
        merged: Picture of all together (H, W, 3), uint8 RGB.
        dpi: Pixels per inch, across and down.
    """
    height, width = merged.shape[:2]
    resolution = f' xres="{round(dpi[0])}" yres="{round(dpi[1])}"' if dpi else ""
    small = resize(merged, *fit_within(merged.shape, THUMBNAIL))
    lines, pictures = _from_the_top(layers)
    stack = STACK.format(width=width, height=height, resolution=resolution, layers=lines)
    parts = {
        "stack.xml": stack.encode(),
        **pictures,
        "mergedimage.png": encoded(opaque(merged), ".png"),
        "Thumbnails/thumbnail.png": encoded(opaque(small), ".png"),
    }
    file = BytesIO()
    with ZipFile(file, "w") as archive:  # an entry's date is 1980 unless told: the same bytes
        archive.writestr(ZipInfo("mimetype"), "image/openraster", ZIP_STORED)  # first, as it is
        for name, data in parts.items():
            how = ZIP_STORED if name.endswith(".png") else ZIP_DEFLATED
            archive.writestr(ZipInfo(name), data, how)
    with written_beside(path) as beside:
        beside.write_bytes(file.getbuffer())


def _from_the_top(layers: Iterable[Layer]) -> tuple[str, dict[str, bytes]]:
    """The stack's XML, and the layers' files by their places in the archive."""
    lines: list[str] = []
    pictures: dict[str, bytes] = {}
    for name, pixels, x, y, blend in layers:
        place = f"data/{name.lower()}.png"
        if not (name.isascii() and name.isalpha()) or place in pictures:
            place = f"data/layer{len(pictures)}.png"
        pictures[place] = encoded(pixels, ".png")
        line = LAYER.format(name=quoteattr(name), place=place, x=x, y=y, blend=BLENDS[blend])
        lines.append(line)
        del pixels  # a page's fill 100 MB, and the next ones are made before the name is taken
    return "".join(reversed(lines)), dict(reversed(pictures.items()))


def ink(lines: np.ndarray) -> np.ndarray:
    """(H, W) uint8 with 255 for no line to (H, W, 4): black, as opaque as the line is dark."""
    rgba = np.zeros((*lines.shape, 4), np.uint8)
    rgba[..., 3] = 255 - lines
    return rgba


def opaque(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 to (H, W, 4), nowhere transparent."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])

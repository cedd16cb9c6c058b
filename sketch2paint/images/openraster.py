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
from sketch2paint.images.layer import Layer, opaque

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

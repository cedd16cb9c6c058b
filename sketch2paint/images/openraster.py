"""OpenRaster (.ora), the layered format of Krita, GIMP and MyPaint: lines above colours."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np

from sketch2paint.files import written_beside
from sketch2paint.images.convert import fit_within, resize
from sketch2paint.images.io import encoded

THUMBNAIL = 256  # the specification's limit
STACK = """<?xml version='1.0' encoding='UTF-8'?>
<image version="0.0.3" w="{width}" h="{height}"{resolution}>
 <stack>
  <layer name="Lines" src="data/lines.png" x="0" y="0" opacity="1.0" visibility="visible" \
composite-op="svg:src-over"/>
  <layer name="Colours" src="data/colours.png" x="0" y="0" opacity="1.0" visibility="visible" \
composite-op="svg:src-over"/>
 </stack>
</image>
"""


def write_openraster(
    path: Path | str,
    *,
    colours: np.ndarray,
    lines: np.ndarray,
    merged: np.ndarray,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write a colour layer and a line layer as an OpenRaster file, whole or not at all.

    The lines become black ink with transparency, which over any colour gives the same as
    multiplying with them, and every program knows it.

    Args:
        path: File to write, .ora.
        colours: Colour layer (H, W, 3), uint8 RGB.
        lines: Line layer (H, W), uint8, 255 where there is no line.
        merged: Picture of both together (H, W, 3), uint8 RGB.
        dpi: Pixels per inch, across and down.
    """
    height, width = lines.shape
    resolution = f' xres="{round(dpi[0])}" yres="{round(dpi[1])}"' if dpi else ""
    small = resize(merged, *fit_within(lines.shape, THUMBNAIL))
    stack = STACK.format(width=width, height=height, resolution=resolution)
    parts = {
        "stack.xml": stack.encode(),
        "data/lines.png": encoded(ink(lines), ".png"),
        "data/colours.png": encoded(opaque(colours), ".png"),
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


def ink(lines: np.ndarray) -> np.ndarray:
    """(H, W) uint8 with 255 for no line to (H, W, 4): black, as opaque as the line is dark."""
    rgba = np.zeros((*lines.shape, 4), np.uint8)
    rgba[..., 3] = 255 - lines
    return rgba


def opaque(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 to (H, W, 4), nowhere transparent."""
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])

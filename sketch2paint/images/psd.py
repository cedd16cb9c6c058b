"""PSD, the layered format of Photoshop, which nearly every painting program opens."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sketch2paint.files import written_beside
from sketch2paint.images.layer import Layer

if TYPE_CHECKING:
    from psd_tools.psd import PSD
    from psd_tools.psd.image_resources import ImageResources
    from psd_tools.psd.layer_and_mask import ChannelDataList, LayerRecord

LONGEST = 30_000  # the format's limit for a side
RESOLUTION = ">IHHIHH"  # across as 16.16 per inch (1), shown in inches (1); the same down


def check_installed() -> None:
    """Look for psd-tools before hours are spent.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import psd_tools  # noqa: F401
    except ImportError as error:
        raise ValueError(
            "Expected psd-tools, which writes PSD, found none. pip install 'sketch2paint[psd]'"
        ) from error


def write_psd(
    path: Path | str,
    layers: Iterable[Layer],
    *,
    merged: np.ndarray,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write layers as a PSD file, whole or not at all; one at a time is held unpacked.

    Args:
        path: File to write, .psd.
        layers: Layers from the bottom to the top.
        merged: Picture of all together (H, W, 3), uint8 RGB, for programs that read no layers.
        dpi: Pixels per inch, across and down.

    Raises:
        ValueError: the picture is too long for the format, or psd-tools is not installed.
    """
    check_installed()
    height, width = merged.shape[:2]
    if max(height, width) > LONGEST:
        raise ValueError(
            f"Expected a picture of at most {LONGEST} pixels a side for PSD, got {width} x "
            f"{height}. Write OpenRaster (.ora)."
        )
    document = _document(layers, merged, dpi)
    with written_beside(path) as beside, open(beside, "wb") as file:
        document.write(file)


def _document(layers: Iterable[Layer], merged: np.ndarray, dpi: tuple[float, float] | None) -> PSD:
    """The file as psd-tools' structures; its PSDImage.save would lay the layers over in floats."""
    from psd_tools.constants import Compression
    from psd_tools.psd import PSD, ChannelImageData, LayerInfo, LayerRecords
    from psd_tools.psd.header import FileHeader
    from psd_tools.psd.image_data import ImageData
    from psd_tools.psd.layer_and_mask import LayerAndMaskInformation

    height, width, channels = merged.shape
    header = FileHeader(channels=channels, height=height, width=width)
    whole = ImageData(Compression.RLE)
    whole.set_data([merged.transpose(2, 0, 1).tobytes()], header)  # one: several are copied
    records, pixels = LayerRecords(), ChannelImageData()
    for record, planes in map(_layer, layers):
        records.append(record)
        pixels.append(planes)
    return PSD(
        header,
        image_resources=_resources(dpi),
        layer_and_mask_information=LayerAndMaskInformation(
            LayerInfo(len(records), records, pixels)
        ),
        image_data=whole,
    )


def _resources(dpi: tuple[float, float] | None) -> ImageResources:
    from psd_tools.constants import Resource
    from psd_tools.psd.image_resources import ImageResource, ImageResources

    resources, key = ImageResources.new(), Resource.RESOLUTION_INFO
    if dpi:
        across, down = (round(number * 65536) for number in dpi)
        data = struct.pack(RESOLUTION, across, 1, 1, down, 1, 1)
        resources[key] = ImageResource(key=key, data=data)
    return resources


def _layer(layer: Layer) -> tuple[LayerRecord, ChannelDataList]:
    from psd_tools.constants import BlendMode, ChannelID, Compression, Tag
    from psd_tools.psd import TaggedBlocks
    from psd_tools.psd.layer_and_mask import ChannelData, ChannelDataList, ChannelInfo, LayerRecord

    height, width = layer.pixels.shape[:2]
    planes = ChannelDataList()
    ids = [ChannelID.CHANNEL_0, ChannelID.CHANNEL_1, ChannelID.CHANNEL_2]
    for channel in range(4):
        planes.append(ChannelData(Compression.RLE))
        planes[-1].set_data(layer.pixels[..., channel].tobytes(), width, height, depth=8)
    record = LayerRecord(
        top=layer.y,
        left=layer.x,
        bottom=layer.y + height,
        right=layer.x + width,
        channel_info=[ChannelInfo(id) for id in (*ids, ChannelID.TRANSPARENCY_MASK)],
        blend_mode=BlendMode[layer.blend.upper()],
        name=layer.name.encode("macroman", "replace")[:31].decode("macroman"),
        tagged_blocks=TaggedBlocks(),
    )
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, layer.name)
    return record, planes

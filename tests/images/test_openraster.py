"""The rules of openraster.org's baseline, read back with zipfile and an XML parser alone."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import numpy as np
import pytest
from flat_page import NAMES, PAPER, flat_page, laid_over
from PIL import Image

from sketch2paint.images.layer import Layer, flat_layers, multiplied, soft_layers
from sketch2paint.images.openraster import write_openraster


def layers(height: int = 37, width: int = 51) -> dict[str, Any]:
    """Two layers and their merged picture, as write_openraster takes them."""
    colours, lines = noise(height, width)
    return {"layers": soft_layers(colours, lines), "merged": multiplied(colours, lines)}


def noise(height: int = 37, width: int = 51) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return colours, rng.integers(0, 256, (height, width), dtype=np.uint8)


def read(archive: ZipFile, name: str) -> Image.Image:
    picture = Image.open(io.BytesIO(archive.read(name)))
    assert picture.format == "PNG"
    return picture


def test_the_archive_begins_with_its_type_as_it_is(tmp_path: Path) -> None:
    write_openraster(tmp_path / "a.ora", **layers())
    data = (tmp_path / "a.ora").read_bytes()
    assert data[:4] == b"PK\x03\x04"
    assert data[30:54] == b"mimetypeimage/openraster"  # so file(1) knows it without a zip reader
    with ZipFile(tmp_path / "a.ora") as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", ZIP_STORED)
        assert {e.compress_type for e in archive.infolist()} <= {ZIP_STORED, ZIP_DEFLATED}
        names = set(archive.namelist())
    assert names >= {"stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png"}


def test_the_stack_names_its_layers_from_the_top(tmp_path: Path) -> None:
    write_openraster(tmp_path / "a.ora", **layers(), dpi=(299.9994, 299.9994))
    with ZipFile(tmp_path / "a.ora") as archive:
        assert archive.read("stack.xml").startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
        image = ElementTree.fromstring(archive.read("stack.xml"))
        assert image.tag == "image" and image.attrib.pop("version")
        assert image.attrib == {"w": "51", "h": "37", "xres": "300", "yres": "300"}
        (stack,) = image
        assert [layer.get("name") for layer in stack] == ["Lines", "Colours"]
        data = {name for name in archive.namelist() if name.startswith("data/")}
        assert {layer.get("src") for layer in stack} == data
        assert [layer.get("composite-op") for layer in stack] == ["svg:multiply", "svg:src-over"]
        for layer in stack:
            assert layer.tag == "layer"
            picture = read(archive, str(layer.get("src")))
            assert (picture.size, picture.mode) == ((51, 37), "RGBA")
        assert read(archive, "mergedimage.png").size == (51, 37)


def test_resolution_is_left_out_where_it_is_not_known(tmp_path: Path) -> None:
    write_openraster(tmp_path / "a.ora", **layers())
    with ZipFile(tmp_path / "a.ora") as archive:
        assert "xres" not in ElementTree.fromstring(archive.read("stack.xml")).attrib


def test_lines_over_colours_are_the_merged_picture(tmp_path: Path) -> None:
    parts = layers()
    write_openraster(tmp_path / "a.ora", **parts)
    with ZipFile(tmp_path / "a.ora") as archive:
        np.testing.assert_array_equal(read(archive, "data/colours.png").convert("RGB"), noise()[0])
        np.testing.assert_array_equal(laid_over(read_layers(archive), 37, 51), parts["merged"])
        whole = np.asarray(read(archive, "mergedimage.png"))
        np.testing.assert_array_equal(whole[..., :3], parts["merged"])


@pytest.mark.parametrize(
    ("size", "thumbnail"), [((40, 30), (30, 40)), ((512, 100), (50, 256)), ((3, 2000), (256, 1))]
)
def test_the_thumbnail_is_as_large_as_it_may_be(
    tmp_path: Path, size: tuple[int, int], thumbnail: tuple[int, int]
) -> None:
    write_openraster(tmp_path / "a.ora", **layers(*size))
    with ZipFile(tmp_path / "a.ora") as archive:
        picture = read(archive, "Thumbnails/thumbnail.png")
        assert picture.size == thumbnail and not picture.info.get("interlace")


def test_the_same_layers_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.ora", "b.ora"):
        write_openraster(tmp_path / name, **layers())
    assert (tmp_path / "a.ora").read_bytes() == (tmp_path / "b.ora").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ora", "b.ora"]


def flats() -> list[Layer]:
    colours, lines = flat_page()
    return list(flat_layers(colours, lines=lines, paper=PAPER, names=NAMES))


def read_layers(archive: ZipFile) -> list[Layer]:
    """The layers of a file, from the bottom to the top."""
    blends = {"svg:src-over": "normal", "svg:multiply": "multiply"}
    (stack,) = ElementTree.fromstring(archive.read("stack.xml"))
    found = []
    for layer in reversed(stack):
        at = {key: int(str(layer.get(key))) for key in ("x", "y")}
        pixels = np.asarray(read(archive, str(layer.get("src"))))
        blend: Any = blends[str(layer.get("composite-op"))]
        found.append(Layer(str(layer.get("name")), pixels, **at, blend=blend))
    return found


def test_layers_come_back_as_they_were(tmp_path: Path) -> None:
    layers = flats()
    write_openraster(tmp_path / "a.ora", iter(layers), merged=multiplied(*flat_page()))
    with ZipFile(tmp_path / "a.ora") as archive:
        assert archive.testzip() is None and archive.namelist()[0] == "mimetype"
        for found, layer in zip(read_layers(archive), layers, strict=True):
            np.testing.assert_array_equal(found.pixels, layer.pixels)
            assert found._replace(pixels=layer.pixels) == layer


def test_layers_over_each_other_are_the_merged_picture(tmp_path: Path) -> None:
    picture = multiplied(*flat_page())
    write_openraster(tmp_path / "a.ora", flats(), merged=picture)
    with ZipFile(tmp_path / "a.ora") as archive:
        np.testing.assert_array_equal(laid_over(read_layers(archive)), picture)
        whole = np.asarray(read(archive, "mergedimage.png"))
        np.testing.assert_array_equal(whole[..., :3], picture)


def test_layers_of_one_name_have_their_own_files(tmp_path: Path) -> None:
    names = ["Lines", "lines", "Lines", "../Lines", "layer1", "", "目"]
    pixels = np.zeros((len(names), 1, 1, 4), np.uint8)
    pixels[:, 0, 0, 0] = np.arange(len(names))
    layers = [Layer(*layer) for layer in zip(names, pixels, strict=True)]
    write_openraster(tmp_path / "a.ora", layers, merged=np.zeros((1, 1, 3), np.uint8))
    with ZipFile(tmp_path / "a.ora") as archive:
        data = [name for name in archive.namelist() if name.startswith("data/")]
        assert len(set(data)) == len(names) and not [name for name in data if ".." in name]
        found = [(layer.name, layer.pixels[0, 0, 0]) for layer in read_layers(archive)]
        assert found == list(zip(names, range(len(names)), strict=True))

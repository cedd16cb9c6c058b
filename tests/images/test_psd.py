"""PSD files, opened again by psd-tools and compared with what was written."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flat_page import HEIGHT, NAMES, PAPER, WIDTH, flat_page

from sketch2paint.images.layer import Layer, flat_layers, multiplied
from sketch2paint.images.psd import check_installed, write_psd

needs_psd_tools = pytest.mark.skipif(not find_spec("psd_tools"), reason="psd-tools is missing")


def page_layers() -> list[Layer]:
    colours, lines = flat_page()
    return list(flat_layers(colours, lines=lines, paper=PAPER, names=NAMES))


def written(path: Path, layers: list[Layer], **more: Any) -> Any:
    """Write the page, and open it again as a psd_tools.PSDImage."""
    from psd_tools import PSDImage

    write_psd(path, layers, merged=multiplied(*flat_page()), **more)
    return PSDImage.open(path)


@needs_psd_tools
def test_layers_come_back_from_the_bottom_to_the_top(tmp_path: Path) -> None:
    layers = page_layers()
    image = written(tmp_path / "a.psd", layers)
    assert image.size == (WIDTH, HEIGHT)
    for found, layer in zip(image, layers, strict=True):
        assert (found.name, found.blend_mode.name.lower()) == (layer.name, layer.blend)
        assert (found.offset, found.visible, found.opacity) == ((layer.x, layer.y), True, 255)
        np.testing.assert_array_equal(np.asarray(found.topil().convert("RGBA")), layer.pixels)


@needs_psd_tools
def test_layers_over_each_other_are_the_picture(tmp_path: Path) -> None:
    from psd_tools.composite import composite

    image, picture = written(tmp_path / "a.psd", page_layers()), multiplied(*flat_page())
    colours, _, alpha = composite(image, force=True)  # floats in [0, 1]
    np.testing.assert_array_equal(np.round(colours * 255), picture)
    assert (alpha == 1).all()
    # Its own way to 8 bits cuts the fraction off instead of rounding: at most 1 darker.
    cut = np.asarray(image.composite(force=True).convert("RGB")).astype(int)
    assert set(np.unique(picture - cut)) <= {0, 1}


@needs_psd_tools
def test_programs_that_read_no_layers_find_the_picture(tmp_path: Path) -> None:
    image = written(tmp_path / "a.psd", page_layers())
    assert image.has_preview()
    np.testing.assert_array_equal(np.asarray(image.topil()), multiplied(*flat_page()))


@needs_psd_tools
def test_resolution_is_written_where_it_is_known(tmp_path: Path) -> None:
    from psd_tools.constants import Resource

    key = Resource.RESOLUTION_INFO
    assert key not in written(tmp_path / "a.psd", page_layers()).image_resources
    image = written(tmp_path / "a.psd", page_layers(), dpi=(299.5, 72))
    found = image.image_resources.get_data(key)
    assert (found.horizontal / 65536, found.vertical / 65536) == (299.5, 72)
    assert found.horizontal_unit == found.vertical_unit == 1  # per inch


@needs_psd_tools
def test_long_names_and_names_of_every_script_come_back(tmp_path: Path) -> None:
    names = ["é" * 200, "髪の毛", "🎨 paint", ""]
    layers = [Layer(name, np.zeros((1, 1, 4), np.uint8)) for name in names]
    assert [layer.name for layer in written(tmp_path / "a.psd", layers)] == names


@needs_psd_tools
def test_the_same_layers_make_the_same_bytes_and_nothing_else(tmp_path: Path) -> None:
    for name in ("a.psd", "b.psd"):
        written(tmp_path / name, page_layers(), dpi=(300, 300))
    assert (tmp_path / "a.psd").read_bytes() == (tmp_path / "b.psd").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.psd", "b.psd"]


@needs_psd_tools
def test_a_picture_without_layers_is_a_picture(tmp_path: Path) -> None:
    image = written(tmp_path / "a.psd", [])
    assert not list(image)
    np.testing.assert_array_equal(np.asarray(image.topil()), multiplied(*flat_page()))


@needs_psd_tools
def test_a_side_beyond_the_format_is_refused(tmp_path: Path) -> None:
    strip = np.zeros((30_001, 2, 3), np.uint8)
    expected = r"at most 30000 pixels a side for PSD, got 2 x 30001\. Write OpenRaster"
    with pytest.raises(ValueError, match=expected):
        write_psd(tmp_path / "a.psd", [], merged=strip)


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psd_tools", None)
    expected = r"found none\. pip install 'sketch2paint\[psd\]'"
    with pytest.raises(ValueError, match=expected):
        check_installed()
    with pytest.raises(ValueError, match=expected):
        write_psd("a.psd", [], merged=np.zeros((1, 1, 3), np.uint8))

"""What a weight file holds decides on what paints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_words import TINY, make_region_network

from sketch2paint.hints.palette import NO_PALETTE
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.painters import load_painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator

SKETCH = np.full((20, 30), 255, np.uint8)


@pytest.fixture
def region_path(tmp_path: Path) -> Path:
    """The weight file of a tiny region network, in a run folder."""
    path = tmp_path / "regions/weights/regions.safetensors"
    path.parent.mkdir(parents=True)
    save_generator(path, make_region_network().state_dict(), describe_regions(TINY))
    return path


def test_a_generator_is_painted_with_as_ever(weight_path: Path) -> None:
    painter = load_painter(weight_path, device="cpu", scale=1, flats=True, gap=3)
    assert isinstance(painter, Painter) and painter.flats and painter.gap == 3
    expected = Painter.load(weight_path, device="cpu", scale=1, flats=True, gap=3)
    np.testing.assert_array_equal(painter.paint(SKETCH), expected.paint(SKETCH))


def test_a_region_network_makes_flats(region_path: Path) -> None:
    for path in (region_path, region_path.parent.parent):
        painter = load_painter(path, device="cpu", colours=3)
        assert isinstance(painter, RegionPainter) and painter.flats and not painter.shading
        assert painter.colours == 3


def test_both_together(weight_path: Path, region_path: Path) -> None:
    painter = load_painter(weight_path, region_network=region_path, device="cpu", scale=1)
    assert isinstance(painter, RegionPainter) and not painter.flats
    assert painter.shading and painter.shading.scale == 1
    assert painter.shading.normalise == "off"  # the drawing is lightened once


def test_two_region_networks_are_refused(region_path: Path) -> None:
    with pytest.raises(ValueError, match="expected a generator to shade what .* colours, got anot"):
        load_painter(region_path, region_network=region_path)


def test_a_region_network_paints_no_lines(region_path: Path) -> None:
    with pytest.raises(ValueError, match="expected lines=keep with a region network, which paints"):
        load_painter(region_path, lines="network")


def test_a_generator_is_no_region_network(weight_path: Path) -> None:
    with pytest.raises(ValueError, match="expected weights of a region network, got those of a g"):
        load_painter(weight_path, region_network=weight_path)


def test_what_is_no_weight_file_is_told(tmp_path: Path) -> None:
    for name, content in (("a.safetensors", b"x" * 40), ("b.ckpt", b"no checkpoint")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="expected a "):
            load_painter(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_painter(tmp_path / "c.ckpt")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"palette": NO_PALETTE}, "expected a region network with a palette, got a generator, whi"),
        ({"style": {"warmth": 1}}, "expected a region network with a style, got a generator, whic"),
        ({"variations": 4}, "expected a region network with variations, got a .* Pass region_netw"),
    ],
)
def test_a_generator_alone_has_one_way(
    weight_path: Path, keys: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_painter(weight_path, device="cpu", **keys)


def test_a_region_network_is_given_them(region_path: Path, weight_path: Path) -> None:
    for checkpoint, network in ((region_path, None), (weight_path, region_path)):
        painter = load_painter(
            checkpoint,
            region_network=network,
            device="cpu",
            variations=3,
            seed=5,
            style={"warmth": 1},
        )
        assert isinstance(painter, RegionPainter)
        assert (painter.variations, painter.seed, painter.palette) == (3, 5, None)
        assert painter.style == {"warmth": 1}
    loaded = Painter.load(region_path, device="cpu", style={"warmth": 1})
    assert isinstance(loaded, RegionPainter) and loaded.style == {"warmth": 1}

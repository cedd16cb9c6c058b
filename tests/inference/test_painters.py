"""What a weight file holds decides on what paints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_coded import make_coded, save_coded
from tiny_painter import draw_sketch
from tiny_words import TINY, make_region_network

from sketch2paint.hints.palette import NO_PALETTE
from sketch2paint.images.look import NAMES
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.painters import load_painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.description import describe_regions
from sketch2paint.models.direction_file import save_directions
from sketch2paint.models.export import export_generator
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


def test_a_generator_with_a_code_goes_along_its_directions(tmp_path: Path) -> None:
    save_coded(tmp_path / "coded.safetensors")
    warm = np.linspace(-1, 1, len(NAMES))
    save_directions(tmp_path / "d.safetensors", {"warmth": warm}, NAMES)
    sketch = draw_sketch(24, 30)
    keys = {"device": "cpu", "directions": tmp_path / "d.safetensors"}
    painters = [
        load_painter(tmp_path / "coded.safetensors", style=style, **keys)
        for style in (None, {"warmth": 0}, {"warmth": 2}, {"warmth": 1, "mean_L": -2})
    ]
    plain, still, warmer, both = (painter.paint(sketch) for painter in painters)
    np.testing.assert_array_equal(still, plain)
    assert np.abs(warmer.astype(int) - plain).max() > 10
    assert np.abs(both.astype(int) - warmer).max() > 10
    code = warm + np.eye(len(NAMES))[NAMES.index("mean_L")] * -2
    np.testing.assert_allclose(painters[3].code, code, atol=1e-6)
    in_tiles = load_painter(
        tmp_path / "coded.safetensors", style={"warmth": 2}, tile=16, scale=1, **keys
    )
    assert in_tiles.paint(sketch).shape == (*sketch.shape, 3)


def test_an_exported_generator_goes_along_them_too(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the extra onnx")
    save_coded(tmp_path / "coded.safetensors")
    sketch = draw_sketch(16, 16)
    export_generator(
        tmp_path / "coded.safetensors",
        format="onnx",
        output=tmp_path / "coded.onnx",
        drawings=[sketch],
    )
    style = {"device": "cpu", "style": {"hue_0": 3, "mean_L": -2}}
    one, other = (
        load_painter(tmp_path / f"coded.{end}", **style).paint(sketch).astype(int)
        for end in ("safetensors", "onnx")
    )
    assert np.abs(one - other).max() <= 1
    plain = load_painter(tmp_path / "coded.onnx", device="cpu").paint(sketch)
    assert np.abs(other - plain).max() > 10


def test_directions_that_nobody_takes(tmp_path: Path, region_path: Path, weight_path: Path) -> None:
    save_coded(tmp_path / "coded.safetensors")
    for keys, message in (
        ({"checkpoint": region_path, "directions": "d"}, "with a region network, whose own are wa"),
        ({"checkpoint": weight_path, "directions": "d"}, "expected a region network with a style"),
        (
            {"checkpoint": tmp_path / "coded.safetensors", "style": {"warmth": 1}},
            r"expected `directions` with style={warmth: ...}, as .* knows mean_L, .* Pass dir",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            load_painter(device="cpu", **keys)
    with pytest.raises(ValueError, match=r"a code of 20 numbers for this generator, got \(3,\)"):
        Painter(make_coded(), code=np.zeros(3))

"""The model that comes with the package: its word, its file, and what is said without it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_model import BOTH, ship, write_model

from sketch2paint.inference.painters import load_painter
from sketch2paint.models.shipped import FILE, WAY_BACK, is_shipped, shipped_file
from sketch2paint.models.weights import load_generator, load_region_network, weight_file


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model in its place."""
    ship(monkeypatch, write_model(tmp_path / "tiny.safetensors", *BOTH))
    return tmp_path / "tiny.safetensors"


def test_the_word_stands_for_the_file(tiny: Path) -> None:
    assert weight_file("shipped") == shipped_file() == tiny
    assert load_generator("shipped")[1]["format"] == "sketch2paint generator"
    assert load_region_network("shipped")[1]["format"] == "sketch2paint region network"


def test_a_folder_of_that_name_is_still_to_be_had(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(Path("shipped/weights/generator.safetensors"), "generator")
    for path in ("./shipped", Path("shipped"), str(tmp_path / "shipped")):
        assert not is_shipped(path)
        assert weight_file(path).resolve() == tmp_path / "shipped/weights/generator.safetensors"


def test_it_stands_inside_the_package() -> None:
    import sketch2paint

    assert FILE == Path(sketch2paint.__file__).parent / "assets/shipped.safetensors"


def test_a_missing_file_is_named_with_the_way_to_get_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, tmp_path / "shipped.safetensors")
    for read in (load_painter, lambda: load_generator("shipped")):
        with pytest.raises(FileNotFoundError) as error:
            read()
        assert str(error.value) == f"{tmp_path / 'shipped.safetensors'}: no such file. {WAY_BACK}"
    assert "install it again" in WAY_BACK and "git checkout -- sketch2paint/assets" in WAY_BACK


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "text"])
def test_a_damaged_file_is_named_with_the_way_to_get_it_back(tiny: Path, damage: str) -> None:
    content = tiny.read_bytes()
    flipped = bytearray(content)
    flipped[-40] ^= 1
    damaged = {"cut": content[:-100], "flipped": bytes(flipped), "empty": b"", "text": b"x" * 99}
    tiny.write_bytes(damaged[damage])
    for read in (load_painter, lambda: load_region_network("shipped")):
        with pytest.raises(ValueError, match=r"tiny\.safetensors: .*, install it again \(pip inst"):
            read()


def test_other_damaged_files_say_nothing_of_it(tiny: Path) -> None:
    tiny.write_bytes(b"")
    with pytest.raises(ValueError, match="expected a .safetensors file") as error:
        load_painter(str(tiny))
    assert WAY_BACK not in str(error.value)


@pytest.mark.skipif(not FILE.is_file(), reason="the weights that come along are not there yet")
def test_what_comes_along_is_small_whole_and_says_its_licence() -> None:
    import json

    from safetensors import safe_open

    assert FILE.stat().st_size <= 8_000_000
    with safe_open(FILE, framework="pt") as file:
        about = json.loads(file.metadata()["sketch2paint"])
    assert about["dtype"] == "float16" and about["licence"] == "CC BY-SA 4.0"
    assert about["name"] and "OpenMoji" in about["attribution"]
    painter = load_painter(device="cpu")
    sketch = np.full((64, 64), 255, np.uint8)
    sketch[10:50, [10, 50]] = sketch[[10, 50], 10:51] = 0
    assert painter.paint(sketch).shape == (64, 64, 3)

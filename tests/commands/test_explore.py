"""The verb explore.py as a whole."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_coded import save_coded
from tiny_words import TINY, make_region_network
from whole_program import call

from sketch2paint.images.look import NAMES
from sketch2paint.models.description import describe_regions
from sketch2paint.models.direction_file import read_directions
from sketch2paint.models.styles import DIRECTIONS
from sketch2paint.models.weights import save_generator

KEYS = ["checkpoint=coded.safetensors", "input=drawings", "output=out"]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with weights, two drawings and two pictures."""
    save_coded(tmp_path / "coded.safetensors")
    for folder in ("drawings", "pictures"):
        (tmp_path / folder).mkdir()
        for number in range(2):
            picture = np.full((24, 30, 3), 255, np.uint8)
            picture[8:20, 6:20] = (90, 90, 90) if folder == "drawings" else (90, 160, 40 * number)
            Image.fromarray(picture).save(tmp_path / folder / f"{number}.png")
    return tmp_path


def test_directions_are_found_shown_and_kept(place: Path) -> None:
    found = call("explore", *KEYS, "pictures=pictures", "samples=100", "device=cpu", cwd=place)
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    assert found.stdout.count("\nrandom_") == 2 and "\nwarmth_alone " in found.stdout
    left = {path.name for path in (place / "out").iterdir()}
    assert left == {"directions.png", "directions.csv", "directions.safetensors"}
    directions = read_directions(place / "out/directions.safetensors", NAMES)
    assert {"warmth", "contrast_alone", "sefa_1", "pca_4"} < directions.keys()
    assert not [name for name in directions if name.startswith("random")]


@pytest.mark.slow
def test_from_pairs_to_a_picture_along_a_direction(place: Path, pairs_dir: Path) -> None:
    trained = call(
        "train", "data=pairs", f"data.root={pairs_dir}", "data.style=true", "data.size=32",
        "data.jitter=4", "data.num_workers=0", "model.generator.base_channels=2",
        "model.discriminator.base_channels=2", "trainer.max_epochs=1", "trainer.gpus=0",
        "out_dir=run", cwd=place,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stdout
    explored = call("explore", "checkpoint=run", *KEYS[1:], "samples=100", cwd=place)
    assert explored.returncode == 0, explored.stdout
    keys = ["checkpoint=run", "input=drawings", "device=cpu", "lines=network"]
    file = "directions=out/directions.safetensors"
    for output, style in (("plain", []), ("moved", [file, "style={sefa_1: 3}"])):
        painted = call("predict", *keys, f"output={output}", *style, cwd=place)
        assert painted.returncode == 0, painted.stdout
    one, other = (np.asarray(Image.open(place / f"{name}/0.png")) for name in ("plain", "moved"))
    assert one.shape == other.shape and (one != other).any()


def test_a_region_network_shows_its_own_four(place: Path) -> None:
    weights = place / "regions.safetensors"
    save_generator(weights, make_region_network().state_dict(), describe_regions(TINY))
    keys = [f"checkpoint={weights}", *KEYS[1:], "device=cpu"]
    found = call("explore", *keys, cwd=place)
    assert found.returncode == 0, found.stdout
    with open(place / "out/directions.csv", newline="") as file:
        assert [line["name"] for line in csv.DictReader(file)] == [*DIRECTIONS]
    assert {p.name for p in (place / "out").iterdir()} == {"directions.png", "directions.csv"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["samples=3"], "Expected `samples` to be at least 100, got 3. Pass 2000."),
        (["seed=-1"], "Expected `seed` to be at least 0, got -1. Pass 0."),
        (
            ["output=coded.safetensors"],
            "expected a folder for `output`, got a file. Pass another name.",
        ),
        (["input=nowhere"], "nowhere: no such picture or folder. Pass another `input`."),
        (
            ["pictures=empty"],
            "empty: expected a folder with pictures for `pictures`, found none. Pass another one.",
        ),
        (["checkpoint=generator.safetensors"], "expected a generator with a style code, got one"),
    ],
)
def test_what_is_refused(
    place: Path,
    weight_path: Path,
    refused_here: Callable[..., str],
    changes: list[str],
    message: str,
) -> None:
    (place / "empty").mkdir()
    assert message in refused_here("explore", [*KEYS, *changes])
    assert not (place / "out").exists()

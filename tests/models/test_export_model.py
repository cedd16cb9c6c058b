"""One file with a generator, a region network or both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from tiny_model import BOTH, GENERATOR, tiny_networks, write_model
from tiny_painter import make_generator
from tiny_words import TINY
from whole_program import call

from sketch2paint.data.demo import draw_pair
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.painters import load_painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models import export_model as room
from sketch2paint.models.description import PartName, describe, planes_of
from sketch2paint.models.export_model import ModelComparison, export_model
from sketch2paint.models.loading import networks_in
from sketch2paint.models.tasks import SKETCH, Plane
from sketch2paint.models.weights import (
    load_generator,
    load_region_network,
    save_generator,
    save_model,
)

SKETCH_PICTURE = draw_pair(0, 1, 64)[1]


@pytest.fixture
def runs(tmp_path: Path) -> dict[PartName, Path]:
    """The weight files of a tiny generator and a tiny region network."""
    paths: dict[PartName, Path] = {}
    for part, (network, about) in tiny_networks(*BOTH).items():
        paths[part] = tmp_path / f"{part}.safetensors"
        save_generator(paths[part], network.state_dict(), about)
    return paths


def exported(checkpoint: Path | str, output: Path, **keys: Any) -> ModelComparison:
    drawings = [SKETCH_PICTURE, draw_pair(0, 0, 64)[0]]
    return export_model(checkpoint, output=output, drawings=drawings, **keys)


def told(path: Path) -> dict[str, Any]:
    """The description as it stands in the file."""
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["sketch2paint"])


def test_both_networks_go_into_one_file(runs: dict[PartName, Path], tmp_path: Path) -> None:
    words = {"name": "ours", "licence": "CC BY-SA 4.0", "attribution": "Drawn by A and B.\n"}
    output = tmp_path / "both.safetensors"
    measured = exported(runs["generator"], output, region_network=runs["region_network"], **words)
    assert measured.generator and measured.generator.levels < 3
    assert measured.regions and measured.regions.levels < 3
    about = told(output)
    assert {key: about[key] for key in words} == words and about["dtype"] == "float16"
    assert about["generator"]["generator"] == GENERATOR and about["region_network"]["network"] == {
        **TINY,
        "palettes": True,
    }
    sizes = [sum(t.nbytes for t in load_file(path).values()) for path in (output, *runs.values())]
    assert 2 * sizes[0] < 1.02 * sum(sizes[1:])
    assert {t.dtype for t in load_file(output).values()} == {torch.float16, torch.int64}
    assert networks_in(output) == {*BOTH}


def test_it_is_read_in_float32_as_it_was_rounded(
    runs: dict[PartName, Path], tmp_path: Path
) -> None:
    output = tmp_path / "both.safetensors"
    exported(runs["generator"], output, region_network=runs["region_network"])
    for load, part in ((load_generator, BOTH[0]), (load_region_network, BOTH[1])):
        read, was = (load(path)[0].state_dict() for path in (output, runs[part]))
        assert read.keys() == was.keys()
        for key, tensor in was.items():
            rounded = tensor.half().float() if tensor.is_floating_point() else tensor
            assert torch.equal(read[key], rounded) and read[key].dtype == tensor.dtype


def test_what_paints_is_what_is_in_it(runs: dict[PartName, Path], tmp_path: Path) -> None:
    output = tmp_path / "a.safetensors"
    exported(runs["generator"], output)
    assert isinstance(load_painter(output, device="cpu"), Painter)
    exported(runs["region_network"], output)
    alone = load_painter(output, device="cpu")
    assert isinstance(alone, RegionPainter) and not alone.shading
    assert networks_in(output) == {"region_network"}
    exported(runs["generator"], output, region_network=runs["region_network"], dtype="float32")
    both = Painter.load(output, device="cpu", precision="32-true")
    assert isinstance(both, RegionPainter) and both.shading
    apart = load_painter(
        runs["generator"],
        region_network=runs["region_network"],
        device="cpu",
        precision="32-true",
    )
    np.testing.assert_array_equal(both.paint(SKETCH_PICTURE), apart.paint(SKETCH_PICTURE))


def test_another_region_network_takes_the_place_of_its_own(
    runs: dict[PartName, Path], tmp_path: Path
) -> None:
    exported(runs["generator"], tmp_path / "both.safetensors", region_network=runs[BOTH[1]])
    flat = load_region_network(runs["region_network"])[0]
    flat.colours.zero_()
    grey = tmp_path / "grey.safetensors"
    save_generator(grey, flat.state_dict(), load_region_network(runs[BOTH[1]])[1])
    painter = load_painter(tmp_path / "both.safetensors", region_network=grey, device="cpu")
    assert isinstance(painter, RegionPainter) and not painter.network.colours.any()
    again = tmp_path / "again.safetensors"
    exported(tmp_path / "both.safetensors", again, region_network=grey)
    assert not load_region_network(again)[0].colours.any()


def test_a_generator_of_any_planes_and_a_style(tmp_path: Path) -> None:
    arguments = {"size": 16, "base_channels": 4, "in_channels": 5, "style_channels": 2}
    planes = (*SKETCH.planes, Plane("flats", 4, 0.0))
    weights = tmp_path / "weights.safetensors"
    generator = make_generator(**arguments)
    save_generator(weights, generator.state_dict(), describe(arguments, "sketch", planes))
    exported(weights, tmp_path / "a.safetensors")
    read, about = load_generator(tmp_path / "a.safetensors")
    assert planes_of(about) == planes and read.style_channels == 2


def test_a_file_that_paints_otherwise_is_not_kept(
    runs: dict[PartName, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_generator(**GENERATOR, seed=1)
    real = load_generator
    reads = iter([real, lambda path: (other, {})])  # the second one reads what was written
    monkeypatch.setattr(room, "load_generator", lambda path: next(reads)(path))
    with pytest.raises(ValueError, match="expected the file to paint as its networks do, got a di"):
        exported(runs["generator"], tmp_path / "a.safetensors", dtype="float32")
    assert not (tmp_path / "a.safetensors").exists()


def test_weights_that_float16_has_no_room_for(tmp_path: Path) -> None:
    networks = tiny_networks("generator")
    with torch.no_grad():
        next(networks["generator"][0].parameters()).fill_(1e5)
    with pytest.raises(ValueError, match="expected weights of at most 65504 for float16, got larg"):
        save_model(tmp_path / "a.safetensors", networks)
    save_model(tmp_path / "a.safetensors", networks, dtype="float32")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"dtype": "int8"}, "Expected `dtype` to be one of float32, float16, got 'int8'."),
        ({"output": Path("a.onnx")}, "Expected `output` to be a .safetensors file for format=mod"),
        ({"checkpoint": "region_network"}, "expected a generator to go beside .*, got another re"),
    ],
)
def test_wrong_arguments(
    runs: dict[PartName, Path], tmp_path: Path, keys: dict[str, Any], message: str
) -> None:
    checkpoint = runs[keys.pop("checkpoint", "generator")]
    output = keys.pop("output", tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match=message):
        exported(checkpoint, output, region_network=runs["region_network"], **keys)


# ---------------------------------------------------------------- files from strangers


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "expected 'sketch2paint model' version 1 .*, got version 2 of 'float16'"),
        ({"version": True}, "got version True"),
        ({"dtype": "int8"}, "got version 1 of 'int8' with generator. Read it with the release"),
        ({"dtype": []}, r"got version 1 of \[\] with generator"),
        ({"generator": None}, "expected a description of the weights, got None"),
        ({"generator": {"format": "sketch2paint model"}}, "expected 'sketch2paint generator' vers"),
        ({"dtype": "float32"}, "is declared as float32 .*, in the file it is float16"),
    ],
)
def test_descriptions_that_are_wrong(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = write_model(tmp_path / "a.safetensors", "generator")
    text = json.dumps({**told(path), **change})
    save_file(load_file(path), path, metadata={"sketch2paint": text})
    with pytest.raises(ValueError, match=rf"a\.safetensors: .*{message}"):
        load_generator(path)


def test_a_region_network_where_a_generator_is_said_to_be(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.safetensors", *BOTH)
    about = told(path)
    text = json.dumps({**about, "generator": about["region_network"]})
    save_file(load_file(path), path, metadata={"sketch2paint": text})
    with pytest.raises(ValueError, match="expected a generator where its description says so"):
        load_generator(path)
    with pytest.raises(ValueError, match="with neither. Read it"):
        bare = {key: value for key, value in about.items() if key not in BOTH}
        save_file(load_file(path), path, metadata={"sketch2paint": json.dumps(bare)})
        load_generator(path)


def test_a_network_that_is_not_in_it(tmp_path: Path) -> None:
    path = write_model(tmp_path / "a.safetensors", "region_network")
    with pytest.raises(ValueError, match="expected weights of a generator, got those of a region"):
        load_generator(path)
    write_model(path, "generator")
    with pytest.raises(ValueError, match="expected weights of a region network, got those of a g"):
        load_region_network(path)


# ---------------------------------------------------------------- the command


def test_the_command(runs: dict[PartName, Path], tmp_path: Path) -> None:
    (tmp_path / "by.txt").write_text("Drawn by Ä.\n", "utf-8")
    result = call(
        "export", "checkpoint=generator.safetensors", "region_network=region_network.safetensors",
        "format=model", "output=both.safetensors", "dtype=float16", "name=ours, the first",
        "licence=CC BY-SA 4.0", "attribution=by.txt", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    assert "both.safetensors: " in result.stdout and " MB, float16" in result.stdout
    assert result.stdout.count("Largest difference from PyTorch on 6 drawings: ") == 2
    about = told(tmp_path / "both.safetensors")
    assert about["name"] == "ours, the first" and about["attribution"] == "Drawn by Ä.\n"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["licence=MIT", "output=a.onnx"], "Expected no `licence` with format=onnx, whose file ho"),
        (["format=safetensors"], "Expected one network for format=safetensors, got a model of tw"),
        (["format=model", "attribution=gone.txt"], "gone.txt: No such file"),
        (
            ["format=zip"],
            "Expected `format` to be one of onnx, torchscript, torch_export, saf",
        ),
    ],
)
def test_wrong_commands(refused_here: Any, tmp_path: Path, keys: list[str], message: str) -> None:
    write_model(tmp_path / "both.safetensors", *BOTH)
    words = ["checkpoint=both.safetensors", "output=a.safetensors"]
    assert message in refused_here("export", [*words, *keys])


@pytest.mark.slow
def test_a_model_becomes_the_onnx_files_of_both(tmp_path: Path) -> None:
    write_model(tmp_path / "both.safetensors", *BOTH)
    result = call("export", "checkpoint=both.safetensors", "output=a.onnx", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    made = {path.name for path in tmp_path.glob("*.onnx")}
    assert made == {"a.onnx", "a.read.onnx", "a.reply.onnx"}

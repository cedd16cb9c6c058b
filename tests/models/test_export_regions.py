"""Both files of an exported region network answer as the network does, or are not kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator
from tiny_words import TINY, cells, make_region_network
from whole_program import call

from sketch2paint.data.demo import draw_pair
from sketch2paint.hints.words import labels_on_square, words_of
from sketch2paint.models import export_regions as regions
from sketch2paint.models.answer import ONE_OBJECT, TEMPERATURE
from sketch2paint.models.description import describe_regions
from sketch2paint.models.export import halve_weights
from sketch2paint.models.export_regions import RegionsComparison, export_regions
from sketch2paint.models.loading import load
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.weights import load_region_network, save_generator

CHANGES: dict[str, Any] = {"layers": 1, "levels": 2, "palettes": True}


def write_weights(folder: Path) -> tuple[Path, RegionNetwork]:
    """A tiny region network and its weight file."""
    network = make_region_network(**CHANGES)
    save_generator(
        folder / "a.safetensors", network.state_dict(), describe_regions({**TINY, **CHANGES})
    )
    return folder / "a.safetensors", network


def exported(checkpoint: Path | str, output: Path | str, **keys: Any) -> RegionsComparison:
    """Export a region network and compare the files on a drawing and a picture of the demo."""
    drawings = [cells(2, 16)[0], draw_pair(0, 0, 64)[0]]
    return export_regions(
        checkpoint, **{"format": "onnx", "output": output, "drawings": drawings, **keys}
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RegionsComparison]:
    """A folder with weights and what was exported of them, for all tests to read."""
    folder = tmp_path_factory.mktemp("made")
    return folder, exported(write_weights(folder)[0], folder / "words.onnx")


def told(across: int) -> dict[str, np.ndarray]:
    """What a network is told of across * across cells, every other one known."""
    sketch, found = cells(across, max(4, 64 // across))
    words = words_of(found)
    count = len(words.regions)
    rng = np.random.default_rng(across)
    return {
        "sketch": rng.uniform(-1, 1, (1, 1, 32, 32)).astype(np.float32),
        "labels": labels_on_square(words, 16)[None].astype(np.int64),
        "pairs": words.pairs[None],
        "about": words.about[None],
        "known": np.arange(count)[None] % 2 == 1,
        "given": rng.uniform(-1, 1, (1, count, 3)).astype(np.float32),
        "palette": rng.uniform(-1, 1, (1, across, 3)).astype(np.float32),
        "portions": rng.choice([-1, 0, 0.5], (1, across)).astype(np.float32),
    }


def padded(samples: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """A batch of samples of different N and M; about 0 where one has no word, portions -1."""
    names = {"pairs": 2, "about": 1, "known": 1, "given": 1, "palette": 1, "portions": 1}
    most = {name: max(sample[name].shape[1] for sample in samples) for name in names}
    batch: dict[str, list[np.ndarray]] = {name: [] for name in samples[0]}
    for sample in samples:
        for name, value in sample.items():
            more, grown = most.get(name, 0) - value.shape[1], names.get(name, 0)
            wider = [(0, more if 1 <= axis <= grown else 0) for axis in range(value.ndim)]
            nothing = -1 if name == "portions" else 0
            batch[name].append(np.pad(value, wider, constant_values=nothing))
    return {name: np.concatenate(values) for name, values in batch.items()}


def by_files(folder: Path, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What both files say, run one after the other as another program would."""
    runtime = pytest.importorskip("onnxruntime")
    found = dict(given)
    for part in ("read", "reply"):
        session = runtime.InferenceSession(folder / f"words.{part}.onnx")
        names = [value.name for value in session.get_outputs()]
        inputs = {value.name: found[value.name] for value in session.get_inputs()}
        found |= dict(zip(names, session.run(None, inputs), strict=True))
    return found


@pytest.mark.parametrize("across", [[1], [4], [32], [4, 2]], ids=["1", "16", "1024", "16 and 4"])
def test_the_files_answer_as_the_network_does(
    made: tuple[Path, RegionsComparison], across: list[int]
) -> None:
    folder, _ = made
    given = padded([told(number) for number in across])
    tensors = {name: torch.from_numpy(value) for name, value in given.items()}
    network, _ = load_region_network(folder / "a.safetensors")
    with torch.inference_mode():
        expected = network(tensors.pop("sketch"), **tensors)
        features = network.read(
            torch.from_numpy(given["sketch"]), tensors["labels"], given["about"].shape[1]
        )
    got = {name: torch.from_numpy(value) for name, value in by_files(folder, given).items()}
    assert (features < -0.01).any()  # a maximum below 0 is one
    torch.testing.assert_close(got["features"], features, rtol=0, atol=1e-5)
    torch.testing.assert_close(got["shares"], expected.shares, rtol=0, atol=1e-4)
    torch.testing.assert_close(got["same"], expected.same, rtol=1e-4, atol=1e-4)
    assert got["shares"].std() > 0.001
    torch.testing.assert_close(got["shares"].sum(2), torch.ones(given["known"].shape))


def test_padding_changes_no_answer_of_the_files(made: tuple[Path, RegionsComparison]) -> None:
    alone, small = told(2), padded([told(4), told(2)])
    expected = by_files(made[0], alone)["shares"][0]
    got = by_files(made[0], small)["shares"][1]
    colours = TINY["colours"]
    own = np.r_[: colours + 4, colours + 16 : colours + 18]  # of 16 words and 4 entries
    np.testing.assert_allclose(got[:4, own], expected, rtol=0, atol=1e-5)
    assert not np.delete(got[:4], own, 1).any()


def test_a_network_without_palettes_has_no_input_for_one(tmp_path: Path) -> None:
    network = make_region_network()
    save_generator(tmp_path / "a.safetensors", network.state_dict(), describe_regions(TINY))
    measured = exported(tmp_path / "a.safetensors", tmp_path / "words.onnx")
    inputs = [value.name for value in onnx.load(measured.files[1]).graph.input]
    assert inputs == ["features", "about", "bias", "known", "given"] and measured.levels < 0.05


def test_what_is_measured(made: tuple[Path, RegionsComparison]) -> None:
    folder, measured = made
    files = [folder / "words.read.onnx", folder / "words.reply.onnx"]
    assert measured.files == files
    assert sorted(folder.iterdir()) == [folder / "a.safetensors", *files]
    assert measured.levels < 0.05 and measured.same < 1e-4 and measured.drawings == 2
    assert min(*measured.reading, *measured.replying) > 0


def test_the_files_say_what_they_are(made: tuple[Path, RegionsComparison]) -> None:
    folder, measured = made
    network, about = load_region_network(folder / "a.safetensors")
    sizes = {}
    for part, file in zip(("read", "reply"), measured.files, strict=True):
        model = onnx.load(file)
        onnx.checker.check_model(model, full_check=True)
        assert {(entry.domain, entry.version) for entry in model.opset_import} == {("", 18)}
        (entry,) = model.metadata_props
        said = json.loads(entry.value)
        assert torch.equal(torch.tensor(said.pop("colours")), network.colours)
        assert said == {
            **about, "size": 32, "temperature": TEMPERATURE, "one_object": ONE_OBJECT,
            "dtype": "float32", "opset": 18, "levels_from_torch": measured.levels, "part": part,
        }  # fmt: skip
        for value in (*model.graph.input, *model.graph.output):
            shape = value.type.tensor_type.shape.dim
            sizes[value.name] = [size.dim_param or size.dim_value for size in shape]
    batch, words = "batch", "words"
    assert sizes == {
        "sketch": [batch, 1, 32, 32],
        "labels": [batch, 16, 16],
        "pairs": [batch, words, words, 8],
        "features": [batch, words, 8],
        "bias": [batch, 5, words, words],
        "about": [batch, words, 9],
        "known": [batch, words],
        "given": [batch, words, 3],
        "palette": [batch, "entries", 3],
        "portions": [batch, "entries"],
        "shares": [batch, words, "colours and words"],
        "same": [batch, words, words],
    }


@pytest.mark.slow
def test_a_later_opset(tmp_path: Path) -> None:
    measured = exported(write_weights(tmp_path)[0], tmp_path / "words.onnx", opset=23)
    assert measured.levels < 0.05
    assert {entry.version for entry in onnx.load(measured.files[1]).opset_import} == {23}


def test_no_part_is_taken_for_a_generator(made: tuple[Path, RegionsComparison]) -> None:
    with pytest.raises(ValueError, match="expected an exported generator, got a part of a region"):
        load(made[1].files[0])


def test_the_weight_file_of_a_run(tmp_path: Path) -> None:
    weights, network = write_weights(tmp_path)
    output = tmp_path / "b.safetensors"
    measured = exported(weights, output, format="safetensors")
    assert measured.files == [output] and measured.levels == measured.same == 0
    again, about = load_region_network(output)
    assert about == describe_regions({**TINY, **CHANGES})
    for key, tensor in network.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor), key


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (
            0,
            lambda colours: colours + 0.012,
            r"difference of 1\.53 of 255 levels, and of 0\.000 in",
        ),
        (0, lambda colours: colours * float("nan"), "difference of nan of 255 levels"),
        (1, lambda same: same + 0.02, r"0\.00 of 255 levels, and of 0\.020 in what is one object"),
    ],
)
def test_files_that_answer_otherwise_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, change: Any, message: str
) -> None:
    weights, _ = write_weights(tmp_path)
    old = [tmp_path / f"words.{part}.onnx" for part in ("read", "reply")]
    for file in old:
        file.write_text("an older file")
    right = regions._answers
    theirs = regions.parts_of(make_region_network(**CHANGES))

    def wrong(network: RegionNetwork, parts: Any, told: Any) -> tuple[torch.Tensor, ...]:
        answers = list(right(network, parts, told))
        if parts is theirs:
            answers[number] = change(answers[number])
        return tuple(answers)

    monkeypatch.setattr(regions, "_answers", wrong)
    monkeypatch.setattr(regions, "_open", lambda files: theirs)
    monkeypatch.setattr(regions, "_write", lambda files, *_: [f.write_text("new") for f in files])
    with pytest.raises(ValueError, match=message):
        exported(weights, tmp_path / "words.onnx")
    assert [file.read_text() for file in old] == ["an older file"] * 2
    assert sorted(tmp_path.iterdir()) == [weights, *old]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "tflite"}, "Expected `format` to be one of onnx, torchscript, torch_export"),
        ({"output": "a.pt"}, "Expected `output` to be a .onnx file for format=onnx, got a.pt"),
        (
            {"format": "torchscript", "output": "a.pt"},
            "Expected `format` to be onnx or safetensors for a region network, got torchscript",
        ),
        (
            {"format": "torch_export", "output": "a.pt2"},
            "Expected `format` to be onnx or safetensors for a region network, got torch_export",
        ),
        ({"dtype": "int8"}, "Expected `dtype` to be float32 for a region network.*, got int8"),
        ({"dtype": "float16"}, "Expected `dtype` to be float32 for a region .*, got float16. Pass"),
        ({"opset": 17}, r"Expected `opset` to be in 18\.\.23, got 17. Pass opset=18"),
        ({"checkpoint": "gone"}, "gone: no such file"),
    ],
)
def test_arguments(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    given = {"checkpoint": tmp_path, "output": tmp_path / "a.onnx"} | arguments
    with pytest.raises((ValueError, OSError), match=message):
        exported(**given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_verb(tmp_path: Path) -> None:
    weights, _ = write_weights(tmp_path)
    result = call("export", f"checkpoint={weights}", "output=words.onnx", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    lines = result.stdout.splitlines()
    assert [line.split(":")[0] for line in lines[1:3]] == ["words.read.onnx", "words.reply.onnx"]
    assert lines[3].startswith("Largest difference from PyTorch on 6 drawings: 0.0")
    assert [line.split(":")[0] for line in lines[4:]] == [
        "Reading a drawing on this CPU", "Answering for it on this CPU"
    ]  # fmt: skip


def test_weights_that_float16_holds_are_halved_without_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sketch2paint.models.export.FEW", 64)
    _, network = write_weights(tmp_path)
    halves = {
        key: value.half().to(value.dtype) if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    save_generator(tmp_path / "half.safetensors", halves, describe_regions({**TINY, **CHANGES}))
    files = exported(tmp_path / "half.safetensors", tmp_path / "words.onnx").files
    for file in files:
        before, size = onnx.load(file), file.stat().st_size
        halve_weights(file)
        after = onnx.load(file)
        assert file.stat().st_size < size
        expected, got = (ReferenceEvaluator(model) for model in (before, after))
        inputs = {one.name: told(2)[one.name] for one in before.graph.input if one.name in told(2)}
        if "features" in expected.input_names:
            features, bias = ReferenceEvaluator(onnx.load(files[0])).run(None, of_read(told(2)))
            inputs |= {"features": features, "bias": bias}
        for one, other in zip(expected.run(None, inputs), got.run(None, inputs), strict=True):
            np.testing.assert_array_equal(one, other)


def of_read(every: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: every[name] for name in ("sketch", "labels", "pairs")}

"""Exported files paint as the generator does, or are not kept."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from conftest import TINY
from whole_program import call

from sketch2paint.data.demo import draw_pair
from sketch2paint.inference.painter import Painter
from sketch2paint.models import export
from sketch2paint.models.description import describe, planes_of
from sketch2paint.models.export import export_generator
from sketch2paint.models.loading import load
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.tasks import SKETCH, Plane, task_of
from sketch2paint.models.weights import load_generator, save_generator

ROOT = Path(__file__).parents[2]


def write_weights(path: Path, task: str = "sketch", **changes: Any) -> UNetGenerator:
    """A tiny generator with biases and colours, and its weight file."""
    arguments = {
        "size": 16,
        "base_channels": 4,
        "out_channels": task_of(task).out_channels,
        **changes,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = UNetGenerator(**arguments)
        for name, tensor in generator.state_dict().items():
            if name.endswith(("bias", "running_mean")):
                tensor.normal_(0, 0.1)
    with torch.no_grad():
        generator.out[0].weight.mul_(40) if arguments.get("upsampling") != "resize" else None
    save_generator(path, generator.state_dict(), describe(arguments, task))
    return generator.eval()


def exported(checkpoint: Path | str, output: Path | str, **keys: Any) -> export.Comparison:
    """Export a generator and compare the file on six demo drawings."""
    drawings = [draw_pair(0, index, 16)[1] for index in range(6)]
    return export_generator(
        checkpoint, **{"format": "onnx", "output": output, "drawings": drawings, **keys}
    )


def metadata(path: Path) -> dict[str, Any]:
    model = onnx.load(path)
    assert [entry.key for entry in model.metadata_props] == ["sketch2paint"]
    return json.loads(model.metadata_props[0].value)


@pytest.mark.parametrize(
    ("format", "name"),
    [("torchscript", "a.pt"), ("torch_export", "a.pt2"), ("safetensors", "b.safetensors")],
)
def test_every_format_paints_the_same(
    weight_path: Path, tiny_generator: UNetGenerator, format: str, name: str
) -> None:
    output = weight_path.parent / "made" / name
    measured = exported(weight_path, output, format=format)
    assert measured.levels < 0.05 and measured.drawings == 6
    assert measured.seconds > 0 and measured.torch_seconds > 0
    assert list(output.parent.iterdir()) == [output]
    assert str(ROOT).encode() not in output.read_bytes()  # .pt holds such in compressed form
    sketch = torch.rand(2, 1, 16, 64) * 2 - 1
    network = export._open(output, format)
    with torch.inference_mode():
        assert torch.allclose(network(sketch), tiny_generator.eval()(sketch), atol=1e-5)


@pytest.mark.parametrize(
    ("norm", "upsampling", "task", "opset"),
    [
        ("batch", "resize", "photo", 18),
        ("none", "transposed", "sketch", 23),
        pytest.param("instance", "resize", "sketch", 20, marks=pytest.mark.slow),
    ],
)
def test_onnx_of_every_kind_of_network(
    tmp_path: Path, norm: str, upsampling: str, task: str, opset: int
) -> None:
    write_weights(tmp_path / "a.safetensors", task, norm=norm, upsampling=upsampling)
    output = tmp_path / "a.onnx"
    assert exported(tmp_path / "a.safetensors", output, opset=opset).levels < 0.05
    model = onnx.load(output)
    assert {(entry.domain, entry.version) for entry in model.opset_import} == {("", opset)}
    assert metadata(output)["task"] == task
    onnx.checker.check_model(model, full_check=True)


def test_onnx_says_what_it_is(weight_path: Path) -> None:
    output = weight_path.parent / "a.onnx"
    measured = exported(weight_path, output)
    assert metadata(output) == {
        **load_generator(weight_path)[1],
        "size": 16,
        "multiple": 16,
        "in_channels": 1,
        "out_channels": 3,
        "style_channels": 0,
        "dtype": "float32",
        "opset": 18,
        "levels_from_torch": measured.levels,
    }
    assert measured.levels < 0.05 and measured.drawings == 6
    graph = onnx.load(output).graph
    (sketch,), (picture,) = graph.input, graph.output
    shapes = [
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (sketch, picture)
    ]
    assert shapes == [["batch", 1, "height", "width"], ["batch", 3, "height", "width"]]
    assert [sketch.name, picture.name] == ["sketch", "picture"]
    assert "InstanceNormalization" in {node.op_type for node in graph.node}


def test_laid_lines_go_into_the_file(tmp_path: Path) -> None:
    arguments = {"size": 16, "base_channels": 4, "norm": "batch", "lay_lines": True}
    weights, output = tmp_path / "generator.safetensors", tmp_path / "generator.onnx"
    save_generator(weights, UNetGenerator(**arguments).state_dict(), describe(arguments, "sketch"))
    assert exported(weights, output).levels < 0.05
    network, about = load(output, device="cpu")
    assert about["generator"]["lay_lines"] is True
    black = torch.full((1, 1, 16, 32), -1.0)
    torch.testing.assert_close(network(black), black.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("format", ["torchscript", "torch_export"])
def test_torch_s_files_carry_the_description(weight_path: Path, format: str) -> None:
    output = weight_path.with_suffix(export.SUFFIXES_OF[format])
    exported(weight_path, output, format=format)
    files = {"sketch2paint.json": ""}
    if format == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.load(output, _extra_files=files)
    else:
        torch.export.load(output, extra_files=files)
    about = json.loads(files["sketch2paint.json"])
    assert (about["task"], about["multiple"], about["dtype"]) == ("sketch", 16, "float32")


@pytest.mark.parametrize(("dtype", "most"), [("float16", 4), ("int8", 60)])
def test_smaller_weights(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    dtype: str,
    most: float,
) -> None:
    write_weights(tmp_path / "a.safetensors", base_channels=8, norm="batch")
    weights, output = tmp_path / "a.safetensors", tmp_path / "a.onnx"
    with caplog.at_level(logging.INFO):
        measured = exported(weights, output, dtype=dtype)
        assert capfd.readouterr() == ("", "")
        logging.getLogger("after").info("heard")
    assert [record.message for record in caplog.records] == ["heard"]  # exporters are quiet
    assert 0 < measured.levels < most
    assert metadata(output)["dtype"] == dtype
    assert metadata(output)["levels_from_torch"] == measured.levels
    kinds = [tensor.data_type for tensor in onnx.load(output).graph.initializer]
    expected = onnx.TensorProto.FLOAT16 if dtype == "float16" else onnx.TensorProto.UINT8
    assert expected in kinds
    assert output.stat().st_size < 0.8 * weights.stat().st_size
    assert sorted(tmp_path.iterdir()) == [output, weights]


@pytest.mark.parametrize("factor", [1.5, float("nan")])
def test_a_file_that_paints_differently_is_not_kept(
    weight_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float
) -> None:
    right = export._open

    def wrong(path: Path, format: str) -> export.Colour:
        colour = right(path, format)
        return lambda *inputs: colour(*inputs) * factor

    output = weight_path.parent / "a.pt"
    output.write_text("an older file")
    monkeypatch.setattr(export, "_open", wrong)
    with pytest.raises(ValueError, match=r"a\.pt: expected the file to paint as PyTorch does"):
        exported(weight_path, output, format="torchscript")
    assert output.read_text() == "an older file"
    assert sorted(weight_path.parent.iterdir()) == [output, weight_path]


def test_difference_is_in_levels_of_255(tiny_generator: UNetGenerator) -> None:
    pictures = [np.zeros((16, 16), np.uint8)]
    about = {**describe(TINY, "sketch"), "style_channels": 0}
    shifted = lambda sketch: tiny_generator(sketch) + 0.5  # noqa: E731
    measured = export.compare_generator(tiny_generator.eval(), shifted, pictures, about)
    assert measured.levels == pytest.approx(255 / 4, rel=1e-4)


@pytest.mark.parametrize("task", ["sketch", "photo"])
def test_drawings_of_any_size_and_number(tmp_path: Path, task: str) -> None:
    write_weights(tmp_path / "a.safetensors", task)
    colours = [np.full((20, 30 + n, 3), (n, 200, 90), np.uint8) for n in range(8)]
    for drawings in (colours, colours[:1], [colours[0][..., 0], colours[1]]):
        measured = exported(
            tmp_path / "a.safetensors",
            tmp_path / "b.safetensors",
            format="safetensors",
            drawings=drawings,
        )
        assert measured.drawings == len(drawings) and measured.levels == 0


def test_inputs_are_what_the_network_is_trained_on() -> None:
    """And in other planes, and in the style, nothing that agrees with the drawing by itself."""
    picture = np.full((8, 8, 3), 255, np.uint8)
    picture[:, :4] = 0
    hints = Plane("hints", 4, 0.0)
    for task in ("sketch", "photo"):
        about = describe({}, task, [*task_of(task).planes, hints])
        sketch, others, style = export._inputs([picture], 4, 12, {**about, "style_channels": 5})
        assert (sketch.shape, others.shape, style.shape) == ((1, 1, 4, 12), (1, 4, 4, 12), (1, 5))
        assert sketch[0, 0, 0, 0] == pytest.approx(-1, abs=1e-3)
        assert sketch[0, 0, 3, 11] == pytest.approx(1, abs=1e-3)
        correlated = np.corrcoef(torch.cat([sketch, others], dim=1)[0].flatten(1))
        assert np.abs(correlated - np.eye(5)).max() < 0.5
        assert len(style.unique()) == 5


@pytest.mark.parametrize(
    "format",
    [
        "onnx",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("torchscript", "torch_export")),
    ],
)
def test_planes_and_a_style_have_inputs_of_their_own(tmp_path: Path, format: str) -> None:
    planes = [*SKETCH.planes, Plane("hints", 4, 0.0)]
    arguments = {**TINY, "in_channels": 5, "style_channels": 6, "lay_lines": True}
    torch.manual_seed(0)
    generator = UNetGenerator(**arguments).eval()
    for module in generator.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight)
    with torch.no_grad():
        generator.out[0].weight.mul_(40)
    save_generator(
        tmp_path / "a.safetensors", generator.state_dict(), describe(arguments, "sketch", planes)
    )
    output = tmp_path / f"b{export.SUFFIXES_OF[format]}"
    assert exported(tmp_path / "a.safetensors", output, format=format).levels < 0.05
    inputs = torch.rand(3, 1, 16, 32) * 2 - 1, torch.rand(3, 4, 16, 32), torch.randn(3, 6)
    with torch.inference_mode():
        expected = generator(torch.cat(inputs[:2], dim=1), inputs[2])
        torch.testing.assert_close(
            export._open(output, format)(*inputs), expected, rtol=0, atol=2e-4
        )
        without = generator(torch.cat([inputs[0], torch.zeros(3, 4, 16, 32)], dim=1))
        assert (expected - without).abs().max() > 0.1
        if format != "onnx":
            return
        network, about = load(output, device="cpu")
        assert [value.name for value in network.session.get_inputs()] == [
            "sketch",
            "hints",
            "style",
        ]
        assert [plane["name"] for plane in about["planes"]] == ["sketch", "hints"]
        painter = Painter(network, planes=planes_of(about), lines="network", normalise="off")
        torch.testing.assert_close(
            painter.generate({"sketch": inputs[0]}), without, rtol=0, atol=2e-4
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "tflite"}, "Expected `format` to be one of onnx, torchscript, torch_export"),
        ({"output": "a.pt"}, "Expected `output` to be a .onnx file for format=onnx, got a.pt"),
        ({"dtype": "bfloat16"}, "Expected `dtype` to be one of float32, float16, int8"),
        (
            {"dtype": "int8", "format": "torchscript", "output": "a.pt"},
            "the last two with format=onnx, got 'int8' with format=torchscript",
        ),
        ({"opset": 17}, r"Expected `opset` to be in 18\.\.23, got 17. Pass opset=18"),
        ({"checkpoint": "gone"}, "gone: no such file"),
    ],
)
def test_arguments(weight_path: Path, arguments: dict[str, Any], message: str) -> None:
    given = {"checkpoint": weight_path, "output": "a.onnx"} | arguments
    with pytest.raises((ValueError, OSError), match=message):
        exported(**given)


def test_more_than_one_onnx_file_can_hold(
    weight_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ONNX_BYTES", 1000)
    with pytest.raises(ValueError, match="Expected weights of less than 2 GB for one .onnx file"):
        exported(weight_path, weight_path.with_suffix(".onnx"))


@pytest.mark.parametrize("name", ["a.onnx", "a.pt", "a.pt2", "b.safetensors"])
def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(
    weight_path: Path, full_disk: Callable[[int], None], name: str
) -> None:
    output = weight_path.parent / "made" / name
    output.parent.mkdir()
    output.write_text("old")
    (format,) = (form for form, suffix in export.SUFFIXES_OF.items() if suffix == output.suffix)
    full_disk(5000)
    with pytest.raises(OSError, match=f"File too large: '{re.escape(str(output))}'"):
        exported(weight_path, output, format=format)
    assert list(output.parent.iterdir()) == [output] and output.read_text() == "old"


def test_a_full_disk_is_told_in_one_line(weight_path: Path) -> None:
    resource = pytest.importorskip("resource")  # not on Windows
    output = weight_path.parent / "made/b.safetensors"
    result = call(
        "export", f"checkpoint={weight_path}", "format=safetensors", f"output={output}",
        cwd=weight_path.parent,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
    )  # fmt: skip
    assert result.returncode == 1, result.stdout
    assert result.stdout.splitlines()[1:] == [
        f"error: {output}: File too large. Free space on that disk, then start again."
    ]
    assert list(output.parent.iterdir()) == []


@pytest.mark.slow
def test_the_verb(weight_path: Path) -> None:
    """The real one, in its own process, for two formats at once in turn."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for arguments in (["output=a.onnx"], ["format=safetensors", "output=b.safetensors"]):
        result = subprocess.run(
            [sys.executable, str(ROOT / "export.py"), f"checkpoint={weight_path}", *arguments],
            cwd=weight_path.parent,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
        )
        assert result.returncode == 0, result.stdout
        lines = result.stdout.splitlines()
        assert len(lines) == 4 and lines[0].startswith("Exporting "), result.stdout
        assert "Largest difference from PyTorch on 6 drawings: 0.0" in lines[2]
    names = sorted(path.name for path in weight_path.parent.iterdir())
    assert names == ["a.onnx", "b.safetensors", "generator.safetensors"]

"""Exported files from this program, and from strangers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto, helper

from sketch2paint.data.demo import draw_pair
from sketch2paint.models.description import describe
from sketch2paint.models.export import export_generator
from sketch2paint.models.loading import load
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.onnx_generator import KEY, ExportedGenerator
from sketch2paint.models.weights import save_generator


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[UNetGenerator, bytes]:
    """A tiny generator, and the content of its .onnx file."""
    folder = tmp_path_factory.mktemp("made")
    arguments = {"size": 16, "base_channels": 4}
    generator = UNetGenerator(**arguments).eval()
    save_generator(folder / "a.safetensors", generator.state_dict(), describe(arguments, "sketch"))
    drawings = [draw_pair(0, 0, 16)[1]]
    weights, output = folder / "a.safetensors", folder / "a.onnx"
    export_generator(weights, format="onnx", output=output, drawings=drawings)
    return generator, (folder / "a.onnx").read_bytes()


@pytest.fixture
def onnx_path(tmp_path: Path, made: tuple[UNetGenerator, bytes]) -> Path:
    """The tiny generator as .onnx."""
    path = tmp_path / "generator.onnx"
    path.write_bytes(made[1])
    return path


@pytest.fixture
def change(onnx_path: Path) -> Callable[..., Path]:
    """A function that changes the tiny .onnx file's model in place."""

    def changed(edit: Callable[[onnx.ModelProto], Any]) -> Path:
        model = onnx.ModelProto.FromString(onnx_path.read_bytes())
        edit(model)
        onnx_path.write_bytes(model.SerializeToString())
        return onnx_path

    return changed


def retell(**changes: Any) -> Callable[[onnx.ModelProto], None]:
    """An edit of the description."""

    def edit(model: onnx.ModelProto) -> None:
        about = json.loads(model.metadata_props[0].value) | changes
        helper.set_model_props(model, {KEY: json.dumps(about)})

    return edit


def test_it_stands_in_for_the_generator(onnx_path: Path, made: tuple[UNetGenerator, bytes]) -> None:
    network, about = load(onnx_path, device="cpu", task="sketch")
    assert isinstance(network, ExportedGenerator) and network.device == "cpu"
    assert (network.size, network.multiple, network.task) == (16, 16, "sketch")
    assert (network.in_channels, network.out_channels) == (1, 3)
    assert about["dtype"] == "float32" and about["opset"] == 18
    sketch = torch.rand(3, 1, 16, 48) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(network(sketch), made[0](sketch), atol=1e-5)
    painted = network.colour({"sketch": sketch.numpy()})
    torch.testing.assert_close(torch.from_numpy(painted), network(sketch), rtol=0, atol=0)


def test_another_task_is_refused(onnx_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.onnx: expected weights for the task photo, got task"):
        load(onnx_path, device="cpu", task="photo")


@pytest.mark.parametrize("shape", [(1, 1, 16, 20), (1, 2, 16, 16)])
def test_shapes_it_cannot_colour(onnx_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Expected 1 channels, height and width multiples of 16"):
        ExportedGenerator(onnx_path, "cpu")(torch.zeros(shape))


def test_a_file_that_says_another_shape_than_it_gives(change: Callable[..., Path]) -> None:
    network = ExportedGenerator(change(retell(out_channels=2)), "cpu")
    with pytest.raises(ValueError, match=r"Expected a picture \[1, 2, 16, 16\] .* got \[1, 3, 16"):
        network(torch.zeros(1, 1, 16, 16))


def test_a_device_that_is_not_there(onnx_path: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("ONNX Runtime has CUDA here")
    with pytest.raises(ValueError, match="Expected ONNX Runtime to have CUDA for device=cuda"):
        ExportedGenerator(onnx_path, "cuda")
    ExportedGenerator(onnx_path, "auto")


def test_without_the_packages(onnx_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("sketch2paint.models.onnx_generator.importlib.import_module", without)
    with pytest.raises(ValueError, match=r"found no onnx. pip install 'sketch2paint\[onnx\]'"):
        ExportedGenerator(onnx_path)


# ---------------------------------------------------------------- from strangers


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.onnx"):
        load(tmp_path / "gone.onnx")


@pytest.mark.parametrize("keep", [0, 10, 500, -1])
def test_truncated(onnx_path: Path, keep: int) -> None:
    onnx_path.write_bytes(onnx_path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"generator\.onnx: (damaged|expected|ONNX Runtime)"):
        load(onnx_path)


def test_onnx_of_another_program(change: Callable[..., Path]) -> None:
    path = change(lambda model: model.ClearField("metadata_props"))
    with pytest.raises(ValueError, match="expected an .onnx file written by export.py, got anoth"):
        load(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"size": 2**40},
            "expected `size` to be a whole number from 1 to 65536, got 1099",
        ),
        ({"multiple": 0}, "expected `multiple` to be a whole number"),
        ({"in_channels": "1"}, "expected `in_channels` to be a whole number .* got '1'"),
        ({"out_channels": True}, "expected `out_channels` to be a whole number"),
        ({"version": 3}, "got 'sketch2paint generator' version 3. Read it with"),
        ({"style_channels": -1}, "expected `style_channels` to be a whole number from 0 to 65536"),
        ({"task": ["sketch"]}, "expected weights for the task sketch or photo"),
    ],
)
def test_absurd_descriptions(
    change: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as info:
        load(change(retell(**changes)))
    assert "generator.onnx: " in str(info.value)


def test_weights_in_other_files_are_not_opened(change: Callable[..., Path], tmp_path: Path) -> None:
    def outside(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../secret.bin")

    with pytest.raises(ValueError, match="expected all weights inside, got the names of other"):
        load(change(outside))


def run_custom(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("evil", 1))
    model.graph.node[0].domain = "evil"


def loop(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=onnx.GraphProto()))


def function(model: onnx.ModelProto) -> None:
    model.functions.append(onnx.FunctionProto(name="Conv"))


@pytest.mark.parametrize("edit", [run_custom, loop, function])
def test_other_operations_are_not_run(
    change: Callable[..., Path], edit: Callable[[onnx.ModelProto], None]
) -> None:
    with pytest.raises(ValueError, match="expected the operations of a generator, got others, whi"):
        load(change(edit))


def test_weights_that_declare_more_than_they_are(change: Callable[..., Path]) -> None:
    def huge(model: onnx.ModelProto) -> None:
        model.graph.initializer[0].dims[0] = 2**40

    with pytest.raises(ValueError, match="ONNX Runtime cannot read it"):
        load(change(huge))


def test_inputs_of_other_names(change: Callable[..., Path]) -> None:
    def rename(model: onnx.ModelProto) -> None:
        model.graph.input[0].name = "x"
        for node in model.graph.node:
            node.input[:] = ["x" if name == "sketch" else name for name in node.input]

    with pytest.raises(
        ValueError, match=r"expected inputs \['sketch'\] of 1 channels and one output `picture`"
    ):
        load(change(rename))

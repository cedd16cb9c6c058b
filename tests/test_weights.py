from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sketch2paint.networks import UNetGenerator
from sketch2paint.weights import (
    FORMAT,
    VERSION,
    describe,
    load_generator,
    read_checkpoint,
    save_generator,
    weight_file,
)

TINY = {"size": 16, "base_channels": 4}
ABOUT = describe(TINY, "sketch")


def assert_same_generator(generator: UNetGenerator, expected: UNetGenerator) -> None:
    state, wanted = generator.state_dict(), expected.state_dict()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[key], wanted[key]) for key in wanted)


def checkpoint(generator: UNetGenerator, **changes: Any) -> dict[str, Any]:
    """What a training run's .ckpt holds, as far as weights.py looks."""
    state: dict[str, Tensor] = {"discriminator.logits.bias": torch.zeros(1)}
    for prefix, factor in (("generator", 0), ("ema", 1)):  # two sets, and `about` says which
        state |= {f"{prefix}.{k}": v * factor for k, v in generator.state_dict().items()}
    return {"state_dict": state, "about": ABOUT | {"weights": "ema"}} | changes


# ---------------------------------------------------------------- round trip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"norm": "batch", "upsampling": "resize", "dropout": 0.0},
        {"size": 32, "levels": 3, "in_channels": 3, "out_channels": 2, "norm": "none"},
    ],
)
def test_round_trip(tmp_path: Path, changes: dict[str, Any]) -> None:
    generator = UNetGenerator(**TINY | changes)
    path = tmp_path / "weights" / "generator.safetensors"
    save_generator(path, generator.state_dict(), describe(TINY | changes, "sketch"))
    loaded, about = load_generator(path)
    assert about == describe(TINY | changes, "sketch")
    assert_same_generator(loaded, generator)
    assert not loaded.training
    assert list(path.parent.iterdir()) == [path]


def test_loaded_generator_computes_the_same(
    weight_path: Path, tiny_generator: UNetGenerator
) -> None:
    sketch = torch.rand(2, 1, 32, 16) * 2 - 1
    loaded, _ = load_generator(str(weight_path))
    with torch.no_grad():
        assert torch.equal(loaded(sketch), tiny_generator.eval()(sketch))


def test_description_is_plain_and_complete(weight_path: Path) -> None:
    _, about = load_generator(weight_path)
    assert about == {
        "format": "sketch2paint generator",
        "version": 1,
        "task": "sketch",
        "value_range": [-1, 1],
        "generator": TINY,
    }


def test_state_of_views_and_gradients_is_saved(tmp_path: Path) -> None:
    state = {"a": torch.arange(6.0).reshape(2, 3).T, "b": torch.ones(2, requires_grad=True)}
    save_generator(tmp_path / "a.safetensors", state, ABOUT)
    with pytest.raises(ValueError, match="disagree"):  # it is no generator, but a whole file
        load_generator(tmp_path / "a.safetensors")
    from safetensors.torch import load_file

    loaded = load_file(tmp_path / "a.safetensors")
    assert torch.equal(loaded["a"], state["a"]) and loaded["b"].tolist() == [1, 1]


# ---------------------------------------------------------------- run folder and checkpoint


def test_run_folder_gives_its_weight_file(tmp_path: Path, tiny_generator: UNetGenerator) -> None:
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    torch.save(checkpoint(tiny_generator), run / "checkpoints/last.ckpt")
    assert weight_file(run) == run / "checkpoints/last.ckpt"
    assert_same_generator(load_generator(run)[0], tiny_generator)
    save_generator(run / "weights/generator.safetensors", tiny_generator.state_dict(), ABOUT)
    assert weight_file(run) == run / "weights/generator.safetensors"
    loaded, about = load_generator(str(run))
    assert_same_generator(loaded, tiny_generator)
    assert about == ABOUT


def test_checkpoint_gives_the_weights_it_names(
    tmp_path: Path, tiny_generator: UNetGenerator
) -> None:
    torch.save(checkpoint(tiny_generator), tmp_path / "last.ckpt")
    loaded, about = load_generator(tmp_path / "last.ckpt")
    assert_same_generator(loaded, tiny_generator)
    assert not loaded.training
    assert about["generator"] == TINY


def test_run_folder_without_weights(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="expected a run folder .* found neither"):
        load_generator(tmp_path)


@pytest.mark.parametrize("name", ["gone", "gone.ckpt", "gone.safetensors"])
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"{name}: no such file. Pass a run folder"):
        load_generator(tmp_path / name)


# ---------------------------------------------------------------- foreign and damaged files


def test_foreign_safetensors(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "bert.safetensors")
    with pytest.raises(ValueError, match=r"bert\.safetensors: expected 'sketch2paint generator'"):
        load_generator(tmp_path / "bert.safetensors")


@pytest.mark.parametrize("change", [{"version": VERSION + 1}, {"format": "other " + FORMAT}])
def test_other_format_or_version(
    tmp_path: Path, tiny_generator: UNetGenerator, change: dict[str, Any]
) -> None:
    path = tmp_path / "a.safetensors"
    save_generator(path, tiny_generator.state_dict(), ABOUT | change)
    (value,) = change.values()
    with pytest.raises(ValueError, match=f"expected .* version 1, got .*{value}.*Read it with"):
        load_generator(path)


@pytest.mark.parametrize("about", ["[]", "3", "null", "{", '"text"'])
def test_description_that_is_none(tmp_path: Path, about: str) -> None:
    save_file({"w": torch.zeros(3)}, tmp_path / "a.safetensors", metadata={"sketch2paint": about})
    with pytest.raises(ValueError, match=r"a\.safetensors: expected"):
        load_generator(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    "generator",
    [
        TINY | {"base_channels": 8},  # other shapes
        TINY | {"size": 32},  # more levels than tensors
        TINY | {"levels": 3},  # fewer
        TINY | {"size": 17},  # refused by the constructor
        TINY | {"width": 3},  # no such parameter
        TINY | {"norm": "none"},  # biases that are not there
        None,
    ],
)
def test_description_and_weights_that_disagree(
    tmp_path: Path, tiny_generator: UNetGenerator, generator: dict[str, Any] | None
) -> None:
    path = tmp_path / "a.safetensors"
    save_generator(path, tiny_generator.state_dict(), ABOUT | {"generator": generator})
    with pytest.raises(ValueError, match=r"a\.safetensors: weights and description disagree"):
        load_generator(path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_truncated_safetensors(weight_path: Path, keep: int) -> None:
    weight_path.write_bytes(weight_path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"expected a \.safetensors file, got") as info:
        load_generator(weight_path)
    assert str(info.value).startswith(f"{weight_path}: ")


@pytest.mark.parametrize("keep", [0, 4, 1000, -1, -100])
def test_truncated_checkpoint(tmp_path: Path, tiny_generator: UNetGenerator, keep: int) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint(tiny_generator), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="expected a checkpoint that holds plain data") as info:
        load_generator(path)
    assert str(info.value).startswith(f"{path}: ")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("content", [b"text, not a checkpoint\n", b"\x89PNG\r\n\x1a\n" * 9])
def test_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.ckpt: expected a checkpoint"):
        load_generator(tmp_path / "a.ckpt")


@pytest.mark.parametrize("content", [[1, 2], {"weights": 3}])
def test_torch_file_that_is_no_checkpoint(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="expected a Lightning checkpoint with a state_dict"):
        read_checkpoint(tmp_path / "a.ckpt")


@pytest.mark.parametrize("about", [None, {}, ABOUT, "text"])
def test_checkpoint_of_another_program(
    tmp_path: Path, tiny_generator: UNetGenerator, about: Any
) -> None:
    torch.save(checkpoint(tiny_generator, about=about), tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"a\.ckpt: expected a checkpoint written by train\.py"):
        load_generator(tmp_path / "a.ckpt")


# ---------------------------------------------------------------- data, never code


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.path,)


@pytest.mark.parametrize("bare", [True, False], ids=["pickle", "torch.save"])
def test_code_in_a_checkpoint_is_not_run(
    tmp_path: Path, tiny_generator: UNetGenerator, bare: bool
) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "evil.ckpt"
    content = checkpoint(tiny_generator, trap=Trap(sprung))
    if bare:
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path)

    with pytest.raises(ValueError, match=r"evil\.ckpt: expected a checkpoint that holds plain"):
        load_generator(path)
    assert not sprung.exists()

    # The trap is a live one.
    pickle.loads(path.read_bytes()) if bare else torch.load(path, weights_only=False)
    assert sprung.exists()


def test_a_pickle_called_safetensors_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(ValueError, match=r"expected a \.safetensors file"):
        load_generator(path)
    assert not (tmp_path / "sprung").exists()


def test_description_is_json(weight_path: Path) -> None:
    header = weight_path.read_bytes()
    size = int.from_bytes(header[:8], "little")
    metadata = json.loads(header[8 : 8 + size])["__metadata__"]
    assert json.loads(metadata["sketch2paint"]) == ABOUT

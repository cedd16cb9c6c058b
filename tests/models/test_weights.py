from __future__ import annotations

import json
import pickle
import random
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ABOUT, TINY, Trap, checkpoint, repack
from safetensors.torch import save_file

from sketch2paint.models.description import FORMAT, VERSION, describe
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import load_generator, save_generator, weight_file


def assert_same_generator(generator: UNetGenerator, expected: UNetGenerator) -> None:
    state, wanted = generator.state_dict(), expected.state_dict()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[key], wanted[key]) for key in wanted)


# ---------------------------------------------------------------- round trip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"norm": "batch", "upsampling": "resize", "dropout": 0.0},
        {"size": 32, "levels": 3, "norm": "none", "style_channels": 3},
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
        "version": 2,
        "task": "sketch",
        "planes": [{"name": "sketch", "channels": 1, "empty": 1.0}],
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
    with pytest.raises(ValueError, match=f"expected .* version 2, got .*{value}.*Read it with"):
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


@pytest.mark.parametrize("about", [None, {}, ABOUT, "text"])
def test_checkpoint_of_another_program(
    tmp_path: Path, tiny_generator: UNetGenerator, about: Any
) -> None:
    torch.save(checkpoint(tiny_generator, about=about), tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"a\.ckpt: expected a checkpoint written by train\.py"):
        load_generator(tmp_path / "a.ckpt")


def test_a_pickle_called_safetensors_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(pickle.dumps(Trap(Path.mkdir, tmp_path / "sprung")))
    with pytest.raises(ValueError, match=r"expected a \.safetensors file"):
        load_generator(path)
    assert not (tmp_path / "sprung").exists()


def test_description_is_json(weight_path: Path) -> None:
    header = weight_path.read_bytes()
    size = int.from_bytes(header[:8], "little")
    metadata = json.loads(header[8 : 8 + size])["__metadata__"]
    assert json.loads(metadata["sketch2paint"]) == ABOUT


# ---------------------------------------------------------------- declared sizes

HUGE = {"size": 65536, "base_channels": 4096}  # 2 TB


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (HUGE, "disagree in .* tensors: 'down.32768x32768.conv.weight' is declared as float32"),
        ({"size": 2**40}, "`generator` cannot be built: Expected `size` to be at most"),
        ({"base_channels": 10**9}, "`base_channels` to be at most 65536, got 1000000000"),
        ({"levels": 10**6}, "`levels` to be at most 16"),
        ({"levels": "4"}, "`levels` to be a whole number, got '4'"),
        ({"norm": [[["batch"]]]}, "`norm` to be one of"),
        ({"dropout": float("nan")}, r"`dropout` to be in \[0, 1\), got nan"),
        ({"width": 3}, "`generator` declares 'width', expected size, in_channels"),
        ({"out_channels": 4}, "declares `out_channels` 4, expected 3 for the task sketch"),
    ],
)
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_absurd_arguments(
    tmp_path: Path,
    tiny_generator: UNetGenerator,
    change: dict[str, Any],
    message: str,
    suffix: str,
) -> None:
    path, about = tmp_path / f"a{suffix}", ABOUT | {"generator": TINY | change}
    if suffix == ".ckpt":
        torch.save(checkpoint(tiny_generator, about=about | {"weights": "ema"}), path)
    else:
        save_generator(path, tiny_generator.state_dict(), about)
    before = peak()
    with pytest.raises(ValueError, match=rf"a\{suffix}: weights and description .*{message}"):
        load_generator(path)
    assert peak() - before < 50e6


def peak() -> float:
    """The most memory this process has had, in bytes; 0 on Windows, which does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_disagreement_names_what_is_declared_and_what_is_there(
    tmp_path: Path, tiny_generator: UNetGenerator
) -> None:
    path, state = tmp_path / "a.safetensors", tiny_generator.state_dict()
    save_generator(path, state | {"out.0.bias": torch.zeros(5)}, ABOUT)
    told = r"'out.0.bias' is declared as float32 \[3\], in the file it is float32 \[5\]"
    with pytest.raises(ValueError, match=rf"a\.safetensors: .* in 1 tensors: {told}"):
        load_generator(path)
    save_generator(path, {key: value.half() for key, value in state.items()}, ABOUT)
    with pytest.raises(ValueError, match=r"declared as float32 .*in the file it is float16 \["):
        load_generator(path)


def test_tensors_of_stride_zero_take_no_memory(tmp_path: Path) -> None:
    with torch.device("meta"):
        declared = UNetGenerator(**HUGE).state_dict()
    state = {f"ema.{k}": torch.zeros(1).expand(v.shape) for k, v in declared.items()}
    assert sum(tensor.nbytes for tensor in state.values()) > 1e12
    path = tmp_path / "a.ckpt"
    about = describe(HUGE, "sketch") | {"weights": "ema"}
    torch.save({"state_dict": state, "about": about}, path)
    before = peak()
    with pytest.raises(ValueError, match=r"a\.ckpt: damaged: its tensors declare more bytes than"):
        load_generator(path)
    assert peak() - before < 50e6


# ---------------------------------------------------------------- tasks, values, descriptions


def test_weights_for_another_task(weight_path: Path) -> None:
    assert load_generator(weight_path, task="sketch")[1]["task"] == "sketch"
    with pytest.raises(ValueError, match="expected weights for the task photo, got task 'sketch'"):
        load_generator(weight_path, task="photo")


@pytest.mark.parametrize("task", ["music", None, 3, ["sketch"]])
def test_unknown_task(tmp_path: Path, tiny_generator: UNetGenerator, task: Any) -> None:
    save_generator(tmp_path / "a.safetensors", tiny_generator.state_dict(), ABOUT | {"task": task})
    with pytest.raises(ValueError, match="expected weights for the task sketch or photo, got task"):
        load_generator(tmp_path / "a.safetensors")


def test_other_range_of_values(tmp_path: Path, tiny_generator: UNetGenerator) -> None:
    about = ABOUT | {"value_range": [0, 1]}
    save_generator(tmp_path / "a.safetensors", tiny_generator.state_dict(), about)
    with pytest.raises(ValueError, match=r"expected `value_range` to be \[-1, 1\], got \[0, 1\]"):
        load_generator(tmp_path / "a.safetensors")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_weights_that_are_not_finite(
    tmp_path: Path, tiny_generator: UNetGenerator, value: float, suffix: str
) -> None:
    path = tmp_path / f"a{suffix}"
    tiny_generator.out[0].weight.data[1, 2, 3, 0] = value
    if suffix == ".ckpt":
        about = ABOUT | {"weights": "generator"}
        state = {f"generator.{k}": v for k, v in tiny_generator.state_dict().items()}
        torch.save({"state_dict": state, "about": about}, path)
    else:
        save_generator(path, tiny_generator.state_dict(), ABOUT)
    with pytest.raises(ValueError, match=rf"a\{suffix}: expected finite .* in out\.0\.weight"):
        load_generator(path)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "1" * 5000, '{"format": ' * 5000, '"' + "x" * 2**23 + '"']
)
def test_descriptions_that_are_traps(tmp_path: Path, text: str) -> None:
    save_file({"w": torch.zeros(3)}, tmp_path / "a.safetensors", metadata={"sketch2paint": text})
    with pytest.raises(ValueError, match=r"a\.safetensors: expected a description") as info:
        load_generator(tmp_path / "a.safetensors")
    assert len(str(info.value)) < 600


def test_a_description_that_would_print_without_end(
    tmp_path: Path, tiny_generator: UNetGenerator
) -> None:
    nested: list[Any] = []
    for _ in range(60):
        nested = [nested] * 60
    for about in (ABOUT | {"task": nested}, ABOUT | {"generator": TINY | {"norm": nested}}):
        about = about | {"weights": "ema"}
        torch.save(checkpoint(tiny_generator, about=about), tmp_path / "a.ckpt")
        with pytest.raises(ValueError, match=r"a\.ckpt: "):
            load_generator(tmp_path / "a.ckpt")


@pytest.mark.parametrize("suffix", [".onnx", ".pt", ".pt2"])
def test_exported_files_are_no_weights(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_bytes(b"")
    with pytest.raises(ValueError, match=rf"a\{suffix}: expected weights, got an exported file"):
        load_generator(tmp_path / f"a{suffix}")


# ---------------------------------------------------------------- the checksum, and chance


def test_a_flipped_bit_in_a_safetensors_file_is_seen(weight_path: Path) -> None:
    content = bytearray(weight_path.read_bytes())
    content[-1000] ^= 1  # in a tensor; still a finite number
    weight_path.write_bytes(content)
    with pytest.raises(ValueError, match=r"generator\.safetensors: damaged: its checksum is anot"):
        load_generator(weight_path)


def test_files_without_a_checksum_still_load(tmp_path: Path, tiny_generator: UNetGenerator) -> None:
    text = {"sketch2paint": json.dumps(ABOUT)}
    save_file(tiny_generator.state_dict(), tmp_path / "old.safetensors", metadata=text)
    assert_same_generator(load_generator(tmp_path / "old.safetensors")[0], tiny_generator)


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Flip a bit, cut, zero or overwrite at a place that is often in the header."""
    place = rng.randrange(min(len(content), rng.choice([8, 64, 4000, len(content)])))
    length = rng.choice([1, 8, 300])
    kind = rng.choice(["flip", "cut", "zero", "noise", "grow"])
    if kind == "flip":
        return (
            content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]
        )
    if kind == "cut":
        return content[:place]
    if kind == "grow":
        return content[:place] + rng.randbytes(length) + content[place:]
    filling = bytes(length) if kind == "zero" else rng.randbytes(length)
    return content[:place] + filling + content[place + length :]


@pytest.mark.parametrize(
    ("suffix", "inside"), [(".safetensors", False), (".ckpt", False), (".ckpt", True)]
)
def test_files_damaged_by_chance(
    tmp_path: Path,
    tiny_generator: UNetGenerator,
    weight_path: Path,
    ckpt_path: Path,
    suffix: str,
    inside: bool,
) -> None:
    """Only ValueError and OSError come out, or the same weights: 200 mutations of each."""
    rng = random.Random(0)
    whole = (ckpt_path if suffix == ".ckpt" else weight_path).read_bytes()
    path, before, refused = tmp_path / f"damaged{suffix}", peak(), 0
    for _ in range(200):
        path.write_bytes(whole if inside else mutate(whole, rng))
        if inside:  # with its checksums in order
            repack(path, lambda name, old: mutate(old, rng) if name.endswith("data.pkl") else old)
        try:
            generator = load_generator(path)[0]
        except (ValueError, OSError) as error:
            assert "damaged" in str(error)  # its name, at least
            refused += 1
        else:
            if not inside:
                assert_same_generator(generator, tiny_generator)
    assert refused > 100
    assert peak() - before < 200e6

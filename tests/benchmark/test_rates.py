"""The verb benchmark.py as a whole; the loader alone and colouring."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from test_conf import composed
from whole_program import call

from sketch2paint.benchmark import rates
from sketch2paint.benchmark.ablation import Work
from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.inference.painter import Painter
from sketch2paint.models.networks import UNetGenerator

WORK = Work(torch.device("cpu"), size=64, batch_size=2, base_channels=4)
TINY = ["size=32", "base_channels=4", "seconds=0.001", "repeats=2", "matrix=16", "device=cpu"]


def test_steps_as_a_whole(tmp_path: Path) -> None:
    found = call(
        "benchmark", "what=step", *TINY, "batch_size=1,2", "threads=1", "repeats=1",
        "json=o/a.json",
        cwd=tmp_path,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    assert "Step, 32x32, batch 1" in found.stdout and "Step, 32x32, batch 2" in found.stdout
    assert found.stdout.endswith("Wrote o/a.json\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["o", "a.json"]
    plain = json.loads((tmp_path / "o/a.json").read_text())
    assert set(plain["keys"]) == set(composed("benchmark"))
    assert plain["keys"]["batch_size"] == [1, 2] and plain["machine"]["threads"] == 1
    for table in plain["tables"]:
        rows = {row[""]: row for row in table["rows"]}
        assert rows["reference"]["ratio"] == {"median": 1, "min": 1, "max": 1}
        assert rows["ours, with average"]["pairs/s"]["min"] > 0


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["what=steps"], "Expected `what` to be one of step, loader, fit, predict, start, got"),
        ([], "Expected a value for what. Pass what=..."),
        (["batch_size=[]"], "Expected `batch_size` to be whole numbers above 0, got []."),
        (["batch_size=0"], "Expected `batch_size` to be whole numbers above 0, got 0."),
        (["batch_size=[4,0]"], "Expected `batch_size` to be whole numbers above 0, got [4, 0]."),
        (
            ["batch_size=[4,1.5]"],
            "Expected `batch_size` to be int or a list of int or null, got [4, 1.5]",
        ),
        (["what=fit", "batch_size=[1,4]"], "Expected one `batch_size` for what=fit, got [1, 4]."),
        (["size=48"], "Expected `size` to be a multiple of 32 (the U-Net halves it 5 times), got"),
        (["size=16"], "Expected `size` to be at least 32 for a discriminator with 3 layers, got"),
        (["device=abacus"], "Expected `device` to be usable, got 'abacus'"),
        (["repeats=0"], "Expected `repeats` to be at least 1, got 0."),
        (["threads=0"], "Expected `threads` to be at least 1, got 0."),
        (["seconds=0"], "Expected `seconds` above 0, got 0."),
        (["seconds=inf"], "Expected `seconds` to be finite, got inf."),
        (
            ["model.norm=batch"],
            "Unknown key `model.norm`. Expected one of base_channels, batch_size",
        ),
        (["what=predict", "checkpoint=none"], "none"),
    ],
)
def test_bad_input_is_told(
    refused_here: Callable[[str, list[str]], str],  # noqa: F811
    keys: list[str],
    words: str,
) -> None:
    what = [] if not keys or keys[0].startswith("what") else ["what=step"]
    assert words in refused_here("benchmark", [*TINY, *what, *keys])


def test_loader_counts_pairs_of_cache_and_files(
    pairs_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "default_workers", lambda: 2)
    common = {"root": str(pairs_dir), "size": 16, "jitter": 2, "cache_dir": str(tmp_path / "c")}
    cached = SketchDataModule(**common, cache="require")  # type: ignore[arg-type]
    cached.build_cache()
    files = SketchDataModule(**common, cache="off")  # type: ignore[arg-type]
    (table,) = rates.loader(
        {"cache": cached, "files": files}, batch_sizes=[3], rounds=1, seconds=1e-3
    )
    assert [row[""] for row in table.rows] == [
        f"{name}, num_workers={workers}" for name in ("cache", "files") for workers in (0, 1, 2)
    ]
    assert all(row["pairs/s"].min > 0 for row in table.rows)
    assert table.rows[0]["ratio"].median == 1 and table.title == "Loader alone, 16x16, batch 3"


@pytest.mark.parametrize("bf16", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_predict_beside_the_loop_and_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bf16: bool
) -> None:
    monkeypatch.setattr("sketch2paint.device.has_bf16", lambda: bf16)
    painter = rates.load_painter(
        Work(torch.device("cpu"), size=32, batch_size=1, base_channels=4), None
    )
    (table,) = rates.predict(painter, folder=tmp_path, batch_sizes=[1, 2], rounds=1, seconds=1e-3)
    names = [row[""] for row in table.rows]
    assert names == [
        "plain loop, float32, one by one", "paint_files, batch 8",
        "paint_files, a copy for the network",
        "network alone, batch 1", "network alone, batch 2",
    ]  # fmt: skip
    assert all(row["pictures/s"].min > 0 for row in table.rows)
    assert table.rows[0]["ratio"].median == 1
    assert 1 in [row["of the network's best"].median for row in table.rows[3:]]
    for folder in ("in", "out", "copy", "plain"):
        pictures = sorted((tmp_path / folder).glob("*.png"))
        assert len(pictures) == 128
        with Image.open(pictures[0]) as picture:
            assert picture.size == (32, 32)


def test_plain_loop_makes_what_the_painter_s_network_makes(
    tiny_generator: UNetGenerator, tmp_path: Path
) -> None:
    paths = rates.write_drawings(tmp_path / "in", 1, 16)
    rates.plain_loop(tiny_generator.eval(), paths, tmp_path)
    painter = Painter(tiny_generator, lines="network", normalise="off")
    with Image.open(paths[0]) as drawing, Image.open(tmp_path / paths[0].name) as plain:
        painted = painter.paint(drawing)
        for ours, theirs in zip(painted.tobytes(), plain.tobytes(), strict=True):
            assert abs(ours - theirs) <= 1


def test_painter_is_of_a_checkpoint_for_sketches(weight_path: Path, tmp_path: Path) -> None:
    assert rates.load_painter(WORK, str(weight_path)).generator.size == 16
    from sketch2paint.models.description import describe
    from sketch2paint.models.weights import save_generator

    arguments = {"size": 16, "base_channels": 4, "out_channels": 2}
    photo = UNetGenerator(**arguments)  # type: ignore[arg-type]
    save_generator(tmp_path / "p.safetensors", photo.state_dict(), describe(arguments, "photo"))
    with pytest.raises(ValueError, match="Expected `checkpoint` to be weights for the task sketch"):
        rates.load_painter(WORK, str(tmp_path / "p.safetensors"))

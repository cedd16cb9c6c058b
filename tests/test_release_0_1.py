"""Files that release 0.1 wrote load, resume and paint as before (release_0_1/README.md)."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from whole_program import call

from sketch2paint.images.io import read_rgb
from sketch2paint.inference.painter import Painter
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.tasks import PHOTO, SKETCH
from sketch2paint.models.weights import load_generator

OLD = Path(__file__).parent / "release_0_1"
KEYS = [
    "data=pairs", "data.root=pairs", "name=run", "resume=true", "trainer.max_epochs=2",
    "data.size=32", "data.jitter=2", "data.batch_size=2", "data.num_workers=0",
    "model.generator.base_channels=2", "model.generator.levels=3", "model.ema_kimg=0.01",
    "model.discriminator.base_channels=2", "model.discriminator.layers=2", "trainer.gpus=0",
    "trainer.precision=32-true", "trainer.progress_bar=false", "trainer.log_every_n_steps=2",
    "seed=3", "checkpoint_every=6pairs",
]  # fmt: skip
SHORT = ["name=run", "resume=true", "trainer.max_epochs=2"]  # config.yaml knows the others


@pytest.mark.parametrize(
    ("file", "task"),
    [
        ("run", SKETCH),
        ("run/checkpoints/last.ckpt", SKETCH),
        ("photo.safetensors", PHOTO),
        ("sketch.onnx", SKETCH),
    ],
)
def test_weights_paint_as_they_did(file, task):
    painter = Painter.load(OLD / file, device="cpu", precision="32-true")
    assert (painter.task, painter.planes) == (task, task.planes)
    painted = painter.paint(read_rgb(OLD / "sketch.png"))
    expected = read_rgb(OLD / f"{task.name}_painted.png")
    # Other processors sum in another order; ONNX Runtime too.
    assert np.abs(painted.astype(int) - expected).max() <= 1


def test_old_weights_begin_a_new_run():
    generator, about = load_generator(OLD / "run")
    assert about["version"] == 1 and "planes" not in about
    assert generator.in_channels == 1 and generator.style_channels == 0


@pytest.mark.parametrize(
    ("middle", "keys"),
    [
        pytest.param(False, KEYS, id="after an epoch", marks=pytest.mark.slow),
        pytest.param(True, KEYS, id="inside an epoch", marks=pytest.mark.slow),
        pytest.param(True, SHORT, id="by its own keys"),
    ],
)
def test_an_old_run_goes_on_quietly_and_exactly(tmp_path, write_pairs, middle, keys):
    write_pairs(tmp_path / "pairs/train", 8, seed=1)
    write_pairs(tmp_path / "pairs/val", 4, seed=2)
    shutil.copytree(OLD / "run", tmp_path / "runs/run")
    if middle:
        folder = tmp_path / "runs/run/checkpoints"
        shutil.move(folder / "previous.ckpt", folder / "last.ckpt")
        assert read_checkpoint(folder / "last.ckpt")["pairs_seen"] == 6
    found = call("train", *keys, cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    changed = [line for line in found.stdout.splitlines() if "hanged since" in line]
    assert changed == ["Changed since the run began, trainer.max_epochs: 1 -> 2"], found.stdout
    ours = load_file(tmp_path / "runs/run/weights/generator.safetensors")
    theirs = load_file(OLD / "whole.safetensors")
    # To the bit on the machine that wrote them; others sum in another order.
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)

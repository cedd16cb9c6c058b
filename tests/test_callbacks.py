import pytest
import torch
from PIL import Image
from tiny_run import run

from sketch2paint.callbacks import SampleGrids, TimeEstimate
from sketch2paint.module import LOSSES


def test_run_folder(pairs_dir, tmp_path, capsys):
    _, module = run(pairs_dir, tmp_path, epochs=3)
    assert module.pairs_seen == 3 * 8
    found = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    expected = {
        "metrics.csv",
        "losses.png",
        "checkpoints/last.ckpt",
        "checkpoints/best.ckpt",
        "checkpoints/epoch_0002.ckpt",
        "weights/generator.safetensors",
        "samples/training_pairs.png",
        "samples/epoch_0001.png",
        "samples/epoch_0003.png",
    }
    assert expected <= found
    assert not [name for name in found if "tmp" in name]
    # sketch | fake | real, three rows, 4 pixels between
    with Image.open(tmp_path / "samples/epoch_0003.png") as sheet:
        assert sheet.size == (3 * 36 + 4, 3 * 36 + 4)
    output = capsys.readouterr().out
    assert "Epoch 1/3, iteration 2/3: loss_D_fake " in output
    assert all(name in output for name in LOSSES)
    assert "Epoch 3/3, validation: val/psnr " in output


def test_time_estimate(capsys):
    class Trainer:
        max_epochs, current_epoch, num_training_batches = 100, 0, 10**9

    class Module:
        device = torch.device("cpu")

    estimate = TimeEstimate(after_steps=3)
    for _ in range(4):
        estimate.on_train_batch_end(Trainer(), Module(), None, None, 0)
    text = capsys.readouterr().out
    assert text.count("remaining 100 epochs") == 1
    assert "experiment=demo" in text


def test_arguments():
    with pytest.raises(ValueError, match="`callbacks.samples.rows` to be at least 1, got 0"):
        SampleGrids("x", 0)

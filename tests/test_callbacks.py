import csv
import os
import signal

import pytest
import torch
from PIL import Image
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sketch2paint.callbacks import (
    Checkpoints,
    Interrupted,
    LossLog,
    SampleGrids,
    TimeEstimate,
    plot_losses,
)
from sketch2paint.data import SketchDataModule
from sketch2paint.module import LOSSES, Pix2Pix
from sketch2paint.trainer import build_trainer
from sketch2paint.weights import load_generator


def run(pairs_dir, out, extra=(), epochs=2, checkpoint=None, model=None, **model_arguments):
    """Train a tiny network with all callbacks; returns the trainer and the module."""
    torch.manual_seed(0)
    module = model or Pix2Pix(
        size=32,
        generator={"base_channels": 2, "dropout": 0.0},
        discriminator={"base_channels": 2},
        **model_arguments,
    )
    data = SketchDataModule(root=str(pairs_dir), size=32, jitter=4, batch_size=3, num_workers=0)
    callbacks = [SampleGrids(str(out), rows=3), Checkpoints(str(out), every_n_epochs=2), *extra]
    trainer = build_trainer(
        str(out),
        callbacks,
        TensorBoardLogger(str(out), name="", version="tensorboard"),
        gpus=0,
        max_epochs=epochs,
        log_every_n_steps=2,
        progress_bar=False,
    )
    trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    return trainer, module


def rows(out):
    with open(out / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def stopper(at_pairs, signum=signal.SIGINT):
    from pytorch_lightning import Callback

    class Stop(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if pl_module.pairs_seen == at_pairs:
                os.kill(os.getpid(), signum)

    return Stop()


def scalars(out):
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return events


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


def test_csv_has_means_on_the_axis_of_pairs(pairs_dir, tmp_path):
    seen = []

    class Record(TimeEstimate):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            seen.append((pl_module.pairs_seen, outputs["loss_G_L1"].item()))

    run(pairs_dir, tmp_path, extra=[Record()], epochs=2)
    lines = [row for row in rows(tmp_path) if row["loss_G_L1"]]
    assert [int(row["pairs"]) for row in lines] == [6, 11, 16]  # batches of 3, 3 and 2
    means = [(a + b) / 2 for (_, a), (_, b) in zip(seen[::2], seen[1::2], strict=True)]
    assert [float(row["loss_G_L1"]) for row in lines] == pytest.approx(means, abs=1e-4)
    validations = [row for row in rows(tmp_path) if row["val/psnr"]]
    assert [int(row["pairs"]) for row in validations] == [8, 16]


def test_tensorboard_has_every_step_on_the_axis_of_pairs(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path, epochs=2)
    events = scalars(tmp_path)
    for name in (*LOSSES, "lr"):
        assert [e.step for e in events.Scalars(name)] == [3, 6, 8, 11, 14, 16], name
    assert [e.step for e in events.Scalars("val/psnr")] == [8, 16]
    assert {"samples", "training_pairs"} <= set(events.Tags()["images"])


def test_weights_are_the_averaged_generator(pairs_dir, tmp_path):
    _, module = run(pairs_dir, tmp_path)
    for source in (tmp_path, tmp_path / "checkpoints/last.ckpt"):
        generator, about = load_generator(source)
        torch.testing.assert_close(generator.state_dict(), module.ema.state_dict())
        assert about["task"] == "sketch"
    _, module = run(pairs_dir, tmp_path / "no_ema", ema_kimg=0)
    generator, _ = load_generator(tmp_path / "no_ema/checkpoints/last.ckpt")
    torch.testing.assert_close(generator.state_dict(), module.generator.state_dict())


def test_best_follows_the_metric(tmp_path):
    class FakeTrainer:
        is_global_zero, current_epoch = True, 0
        callback_metrics: dict = {}

        def save_checkpoint(self, path, weights_only):
            path.write_text(f"score {self.callback_metrics['val/psnr']}")

    trainer, module = FakeTrainer(), Pix2Pix(size=32, generator={"base_channels": 1})
    callback = Checkpoints(str(tmp_path), every_n_epochs=100)
    for score in (3.0, 5.0, 4.0):
        trainer.callback_metrics = {"val/psnr": score}
        callback.on_train_epoch_end(trainer, module)
    assert (tmp_path / "checkpoints/best.ckpt").read_text() == "score 5.0"
    assert (tmp_path / "checkpoints/last.ckpt").read_text() == "score 4.0"
    assert callback.state_dict() == {"best": 5.0}


@pytest.mark.parametrize("at_pairs", [3, 6, 8, 11])  # inside and at the ends of epochs
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_resumed_equals_unbroken(pairs_dir, tmp_path, at_pairs, signum):
    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3)
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted, match=f"stopped by {signum.name}"):
        run(pairs_dir, tmp_path / "b", extra=[stopper(at_pairs, signum)], epochs=3)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == handlers
    last = tmp_path / "b/checkpoints/last.ckpt"
    _, resumed = run(pairs_dir, tmp_path / "b", epochs=3, checkpoint=last)
    assert resumed.pairs_seen == unbroken.pairs_seen == 24
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)
    assert (tmp_path / "b/metrics.csv").read_text() == (tmp_path / "a/metrics.csv").read_text()


def test_resume_goes_on_with_optimizers_and_schedule(pairs_dir, tmp_path):
    arguments = {"lr_decay_epochs": 3, "lr": 1e-3}
    run(pairs_dir, tmp_path / "a", epochs=2, **arguments)
    last = tmp_path / "a/checkpoints/last.ckpt"
    trainer, module = run(pairs_dir, tmp_path / "a", epochs=4, checkpoint=last, **arguments)
    assert module.current_epoch == 4
    state = trainer.optimizers[1].state_dict()["state"][0]
    assert state["step"] == 4 * 3  # one for each batch of G, none lost
    lrs = {int(row["epoch"]): float(row["lr"]) for row in rows(tmp_path / "a")}
    assert lrs[4] == pytest.approx(1e-3 * 0.25)


def test_cut_csv_drops_what_comes_again(pairs_dir, tmp_path):
    run(pairs_dir, tmp_path, epochs=2)
    log = LossLog(str(tmp_path), 2)
    with open(tmp_path / "metrics.csv", "a") as file:
        file.write("3,2,22,0.0002,0.5")  # cut off by a kill
    log._cut_csv(8)
    assert [int(row["pairs"]) for row in rows(tmp_path)] == [6, 8]


def test_plot_of_an_empty_table(tmp_path):
    (tmp_path / "metrics.csv").write_text("epoch,iteration,pairs,lr," + ",".join(LOSSES) + "\n")
    plot_losses(tmp_path / "metrics.csv", tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as picture:
        assert picture.size[0] > 1000


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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LossLog("x", 0), "Expected `log_every_n_steps` to be at least 1, got 0"),
        (lambda: SampleGrids("x", 0), "`callbacks.samples.rows` to be at least 1, got 0"),
        (lambda: Checkpoints("x", 0), "`callbacks.checkpoints.every_n_epochs` to be at least 1"),
    ],
)
def test_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()

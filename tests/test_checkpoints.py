import os
import signal

import pytest
import torch
from pytorch_lightning import Callback
from tiny_run import rows, run, scalars

from sketch2paint.checkpoints import Checkpoints, Interrupted
from sketch2paint.module import Pix2Pix
from sketch2paint.weights import load_generator


def stopper(at_pairs, signum=signal.SIGINT):
    class Stop(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            if pl_module.pairs_seen == at_pairs:
                os.kill(os.getpid(), signum)

    return Stop()


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
    steps = [[e.step for e in scalars(tmp_path / name).Scalars("loss_G")] for name in "ab"]
    assert steps[0] == steps[1] == [3, 6, 8, 11, 14, 16, 19, 22, 24]


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


def test_arguments():
    with pytest.raises(
        ValueError, match="`callbacks.checkpoints.every_n_epochs` to be at least 1, got 0"
    ):
        Checkpoints("x", 0)

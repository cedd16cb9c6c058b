import errno
import os
import signal

import pytest
import torch
from pytorch_lightning import Callback
from tiny_run import rows, run, scalars

from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.weights import load_generator
from sketch2paint.training import learner
from sketch2paint.training.checkpoints import Checkpoints, Interrupted, NotFinite, interval


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


class Script(Callback):
    """Does something before the step at which so many pairs have been seen."""

    def __init__(self, **actions):
        self.actions = {int(pairs.removeprefix("at_")): act for pairs, act in actions.items()}

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if act := self.actions.pop(pl_module.pairs_seen, None):
            act(trainer, pl_module)


def test_best_follows_the_metric(pairs_dir, tmp_path):
    scores = iter([3.0, 5.0, 4.0])

    class Judge(Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            trainer.callback_metrics["val/psnr"] = torch.tensor(next(scores))

    run(pairs_dir, tmp_path, extra=[Judge()], epochs=3)
    found = {
        path.stem: read_checkpoint(path)["pairs_seen"]
        for path in (tmp_path / "checkpoints").iterdir()
    }
    assert found == {"last": 24, "previous": 16, "best": 16, "epoch_0002": 16}
    last = read_checkpoint(tmp_path / "checkpoints/last.ckpt")
    assert last["callbacks"]["Checkpoints"] == {"best": 5.0, "restored": False}


@pytest.mark.parametrize(  # inside and at the ends of epochs
    ("at_pairs", "signum"),
    [
        *[(3, signal.SIGINT), (6, signal.SIGTERM), (8, signal.SIGINT), (11, signal.SIGTERM)],
        pytest.param(3, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(6, signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(8, signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(11, signal.SIGINT, marks=pytest.mark.slow),
    ],
)
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


def test_codes_of_the_look_are_resumed_exactly(pairs_dir, tmp_path):
    keys = {"epochs": 3, "style": True}
    _, unbroken = run(pairs_dir, tmp_path / "a", **keys)
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path / "b", extra=[stopper(11)], **keys)
    last = tmp_path / "b/checkpoints/last.ckpt"
    _, resumed = run(pairs_dir, tmp_path / "b", checkpoint=last, **keys)
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)
    assert all(block.style.weight.any() for block in resumed.generator.up.values())
    with pytest.raises(ValueError, match=r"style \[\] \(was \['mean_L', 'mean_a'"):
        run(pairs_dir, tmp_path / "b", checkpoint=last, epochs=4)


def test_an_average_that_waits_to_be_moved_is_resumed_exactly(pairs_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(learner, "MOVES_IN_HALFLIFE", 0.1)  # after 3, 6, 14, 22 pairs
    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3)
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path / "b", extra=[stopper(8)], epochs=3)
    last = tmp_path / "b/checkpoints/last.ckpt"
    assert read_checkpoint(last)["unaveraged"] == 5
    _, resumed = run(pairs_dir, tmp_path / "b", epochs=3, checkpoint=last)
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("batch_size", "seen"),
    [
        (3, [6, 8, 11, 14]),
        (2, [6, 8, 10, 12, 14]),
        (1, [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]),
        (4, [6, 10, 14]),  # the two pairs before, which are half of a batch now, come once more
        (8, [6, 14]),
    ],
)
def test_batch_size_changes_within_an_epoch(pairs_dir, tmp_path, batch_size, seen):
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path, extra=[stopper(3)])  # ends after the step, with 6 of 8 pairs seen
    found = []

    class Watch(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            found.append(pl_module.pairs_seen)

    last = tmp_path / "checkpoints/last.ckpt"
    trainer, _ = run(pairs_dir, tmp_path, extra=[Watch()], checkpoint=last, batch_size=batch_size)
    assert found == seen
    assert trainer.current_epoch == 2


def test_other_pictures_begin_the_epoch_anew(pairs_dir, tmp_path):
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path, extra=[stopper(3)])
    (pairs_dir / "train/000.png").unlink()
    last = tmp_path / "checkpoints/last.ckpt"
    _, module = run(pairs_dir, tmp_path, checkpoint=last)
    assert module.pairs_seen == 6 + 2 * 7


def test_resume_goes_on_with_optimizers_and_schedule(pairs_dir, tmp_path):
    arguments = {"lr_decay": 0.75, "lr": 1e-3}
    run(pairs_dir, tmp_path / "a", epochs=2, **arguments)
    last = tmp_path / "a/checkpoints/last.ckpt"
    trainer, module = run(pairs_dir, tmp_path / "a", epochs=4, checkpoint=last, **arguments)
    assert module.current_epoch == 4
    state = trainer.optimizers[1].state_dict()["state"][0]
    assert state["step"] == 4 * 3  # one for each batch of G, none lost
    lrs = {int(row["epoch"]): float(row["lr"]) for row in rows(tmp_path / "a")}
    assert lrs[4] == pytest.approx(1e-3 * 0.25)


def test_checkpoints_within_an_epoch(pairs_dir, tmp_path):
    seen = []

    class Watch(Callback):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            last = tmp_path / "checkpoints/last.ckpt"
            seen.append(read_checkpoint(last)["pairs_seen"] if last.exists() else 0)

    run(pairs_dir, tmp_path, extra=[Watch()], checkpoints={"every": "4pairs"})
    # Steps of 3, 3 and 2 pairs: 6 is due after the second one, the epochs end at 8 and 16.
    assert seen == [0, 0, 6, 8, 8, 14]


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("15min", (900, float("inf"))),
        ("0.5 min", (30, float("inf"))),
        ("20000pairs", (float("inf"), 20000)),
        (None, (float("inf"), float("inf"))),
    ],
)
def test_interval(text, parsed):
    assert interval(text) == parsed


@pytest.mark.parametrize("text", ["15", "0min", "min", "-3pairs", "3 epochs", ""])
def test_interval_that_is_none(text):
    with pytest.raises(ValueError, match="`checkpoint_every` to be minutes or pairs seen, as 15mi"):
        interval(text)


def poison(trainer, module):
    with torch.no_grad():
        module.generator.out[0].bias.fill_(float("nan"))


def test_not_finite_stops_at_the_step(pairs_dir, tmp_path):
    with pytest.raises(
        NotFinite,
        match=r"loss_D_fake is nan at epoch 2, iteration 2 \(14 pairs seen\)\. The run st.*on_nan",
    ):
        run(pairs_dir, tmp_path, extra=[Script(at_11=poison)], epochs=3)
    assert read_checkpoint(tmp_path / "checkpoints/last.ckpt")["pairs_seen"] == 8
    with pytest.raises(NotFinite):  # nor is a checkpoint of broken weights written
        run(pairs_dir, tmp_path / "b", extra=[Script(at_6=poison)], checkpoints={"every": "1pairs"})
    assert read_checkpoint(tmp_path / "b/checkpoints/last.ckpt")["pairs_seen"] == 6


def test_not_finite_restores_once(pairs_dir, tmp_path, capsys):
    restore = {"on_nan": "restore"}
    script = Script(at_11=poison)
    _, module = run(pairs_dir, tmp_path, extra=[script], epochs=3, checkpoints=restore)
    output = capsys.readouterr().out
    assert "WARNING: loss_D_fake is nan at epoch 2, iteration 2 (14 pairs seen). Going on" in output
    assert "last.ckpt (8 pairs seen), this once (on_nan=restore)" in output
    assert module.pairs_seen == 24  # the run goes on with the next batch
    assert all(value.isfinite().all() for value in module.state_dict().values())
    last = tmp_path / "checkpoints/last.ckpt"
    assert read_checkpoint(last)["callbacks"]["Checkpoints"]["restored"]
    twice = Script(at_11=poison, at_19=poison)
    with pytest.raises(NotFinite, match="at epoch 3, iteration 2 .22 pairs seen., again. The run"):
        run(pairs_dir, tmp_path / "b", extra=[twice], epochs=3, checkpoints=restore)


def test_restored_weights_are_the_checkpoints(pairs_dir, tmp_path):
    states = []

    def keep(trainer, module):
        states.append({name: value.clone() for name, value in module.state_dict().items()})
        states.append(trainer.optimizers[1].state_dict()["state"][0]["exp_avg"].clone())

    script = Script(at_8=keep, at_11=poison, at_14=keep)
    run(pairs_dir, tmp_path, extra=[script], checkpoints={"on_nan": "restore"})
    torch.testing.assert_close(states[0], states[2], rtol=0, atol=0)
    torch.testing.assert_close(states[1], states[3], rtol=0, atol=0)


def test_not_finite_with_nothing_to_restore(pairs_dir, tmp_path):
    with pytest.raises(NotFinite, match="at epoch 1, iteration 2"):
        run(pairs_dir, tmp_path, extra=[Script(at_3=poison)], checkpoints={"on_nan": "restore"})


def test_full_disk_and_the_run_goes_on(pairs_dir, tmp_path, capsys, full_disk):
    size = 100_000  # less than a checkpoint, more than everything else
    script = Script(at_8=lambda *_: full_disk(size), at_16=lambda *_: full_disk(0))
    seen = []

    class Watch(Callback):
        def on_train_epoch_start(self, trainer, pl_module):
            last = tmp_path / "b/checkpoints/last.ckpt"
            seen.append(read_checkpoint(last)["pairs_seen"] if last.exists() else 0)

    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3)
    _, module = run(pairs_dir, tmp_path / "b", extra=[script, Watch()], epochs=3)
    output = capsys.readouterr().out
    assert (
        "last.ckpt: the checkpoint could not be written: [Errno 27] File too large. The" in output
    )
    assert "one before is kept. Free space on that disk; the run goes on and tries again" in output
    assert seen == [0, 8, 8]
    assert read_checkpoint(tmp_path / "b/checkpoints/last.ckpt")["pairs_seen"] == 24
    torch.testing.assert_close(module.state_dict(), unbroken.state_dict(), rtol=0, atol=0)
    assert not list((tmp_path / "b/checkpoints").glob(".*"))


def test_full_disk_and_the_run_stops(pairs_dir, tmp_path, full_disk):
    stop = {"on_write_error": "stop"}
    script = Script(at_8=lambda *_: full_disk(100_000))
    with pytest.raises(
        OSError, match="File too large. The one before is kept. Free space .* resum"
    ):
        run(pairs_dir, tmp_path / "b", extra=[script], epochs=3, checkpoints=stop)
    full_disk(0)
    last = tmp_path / "b/checkpoints/last.ckpt"
    _, resumed = run(pairs_dir, tmp_path / "b", epochs=3, checkpoint=last)
    _, unbroken = run(pairs_dir, tmp_path / "a", epochs=3)
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)


def test_an_end_that_is_not_saved_is_an_error(pairs_dir, tmp_path, full_disk):
    script = Script(at_8=lambda *_: full_disk(100_000))
    out = tmp_path / "a run"
    with pytest.raises(OSError) as info:
        run(pairs_dir, out, extra=[script], epochs=3)
    full_disk(0)
    assert str(info.value) == (
        f"{out}: the end of the run is not saved: [Errno 27] File too large. The newest "
        f"checkpoint on the disk is {out}/checkpoints/last.ckpt (8 of 24 pairs seen). Free space "
        f"on that disk, then go on: the same command with 'out_dir={out}' resume=true"
    )
    assert not list((out / "checkpoints").glob(".*"))
    _, resumed = run(pairs_dir, out, epochs=3, checkpoint=out / "checkpoints/last.ckpt")
    _, unbroken = run(pairs_dir, tmp_path / "b", epochs=3)
    torch.testing.assert_close(resumed.state_dict(), unbroken.state_dict(), rtol=0, atol=0)


def test_nothing_saved_at_all_is_said(pairs_dir, tmp_path, full_disk):
    script = Script(at_0=lambda *_: full_disk(100_000))
    with pytest.raises(OSError, match="not saved: .* There is no checkpoint on the disk. Free"):
        run(pairs_dir, tmp_path / "a", extra=[script], epochs=1)


def test_an_end_by_signal_that_is_not_saved_is_told(pairs_dir, tmp_path, capsys, full_disk):
    script = Script(at_8=lambda *_: full_disk(100_000))
    with pytest.raises(Interrupted):
        run(pairs_dir, tmp_path / "a", extra=[script, stopper(11)], epochs=3)
    assert "WARNING: " + str(tmp_path / "a") + ": the end of the run is" in capsys.readouterr().out


def test_weights_that_cannot_be_written_leave_the_checkpoints_as_they_were(
    pairs_dir, tmp_path, monkeypatch, capsys
):
    def no_room(path, tensors, metadata=None):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run(pairs_dir, tmp_path, epochs=1)
    last = tmp_path / "checkpoints/last.ckpt"
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*t*") if path.suffix != ".csv"}
    monkeypatch.setattr("sketch2paint.models.weights.save", no_room)
    with pytest.raises(OSError, match="No space left on device.*8 of 16 pairs seen"):
        run(pairs_dir, tmp_path, epochs=2, checkpoint=last)
    told = capsys.readouterr().out
    assert f"No space left on device: '{tmp_path}/weights/generator.safetensors'. The one" in told
    for folder in ("checkpoints", "weights"):
        assert all(path in before for path in (tmp_path / folder).iterdir())
        assert all(p.read_bytes() == before[p] for p in (tmp_path / folder).iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every_n_epochs": 0}, "`callbacks.checkpoints.every_n_epochs` to be at least 1, got 0"),
        ({"on_nan": "ignore"}, "`on_nan` to be one of stop, restore, got 'ignore'"),
        (
            {"on_write_error": "no"},
            "`callbacks.checkpoints.on_write_error` to be one of",
        ),
    ],
)
def test_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Checkpoints("x", **arguments)

import shutil

import pytest
import torch
from PIL import Image
from tiny_run import run

from sketch2paint.shell import command
from sketch2paint.training.callbacks import CompiledNetworks, SampleGrids, TimeEstimate
from sketch2paint.training.pix2pix import LOSSES, Pix2Pix


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


def test_time_estimate_follows_the_machine(capsys, monkeypatch):
    class Trainer:
        max_epochs, current_epoch, num_training_batches = 10, 0, 1000

    class Module:
        device = torch.device("cpu")

    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    estimate = TimeEstimate(after_steps=6)

    def steps(seconds, count, first=0):
        for number in range(first, first + count):
            clock[0] += seconds
            estimate.on_train_batch_end(Trainer(), Module(), None, None, number)
        return capsys.readouterr().out

    assert steps(12.6, 6) == (
        "On this CPU a step takes 12.6 s: the remaining 10 epochs take about 35.0 hours, "
        "validation not counted. Use a GPU (trainer.gpus=1), or try the small run: "
        f"{command('train')} experiment=demo\n"
    )
    assert steps(11.0, 60, 6) == ""  # much the same
    assert steps(2.0, 149, 66) == (  # four slower ones among them
        "A step takes 2.3 s by now: the remaining 10 epochs take about 6.2 hours, "
        "validation not counted.\n"
    )
    assert steps(2.0, 300, 215) == ""
    clock[0] += 10_000  # a validation
    estimate.on_train_epoch_start(Trainer(), Module())
    assert steps(2.0, 400, 515) == ""
    assert "A step takes 9.0 s by now" in steps(9.0, 80, 915)


def test_a_short_run_is_not_estimated(capsys):
    class Trainer:
        max_epochs, current_epoch, num_training_batches = 1, 0, 10

    class Module:
        device = torch.device("cpu")

    estimate = TimeEstimate()
    for number in range(10):
        estimate.on_train_batch_end(Trainer(), Module(), None, None, number)
    assert capsys.readouterr().out == ""


def test_arguments():
    with pytest.raises(ValueError, match="`callbacks.samples.rows` to be at least 1, got 0"):
        SampleGrids("x", 0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            RuntimeError("No working C++ compiler found\nand more"),
            "RuntimeError: No working C++ compiler found",
        ),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_without_a_compiler_a_run_goes_on(pairs_dir, tmp_path, capsys, monkeypatch, error, reason):
    def broken(network):
        raise error

    monkeypatch.setattr(torch, "compile", broken)
    run(pairs_dir, tmp_path, epochs=1, extra=[CompiledNetworks()])
    output = capsys.readouterr().out
    assert f"torch.compile does not work here ({reason}); going on without" in output
    assert "Epoch 1/1, validation" in output


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch.compile needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # torch's own, of its compiler
def test_compiled_networks_are_the_same_networks(pairs_dir, tmp_path, capsys):
    states = []
    for extra in ([], [CompiledNetworks()]):
        torch.manual_seed(0)
        model = Pix2Pix(
            size=32,
            generator={"base_channels": 2, "dropout": 0.0},  # compiled, it draws other numbers
            discriminator={"base_channels": 2},
        )
        run(pairs_dir, tmp_path / str(len(extra)), extra=extra, model=model)
        states.append(model.state_dict())
    assert "going on without" not in capsys.readouterr().out
    torch.testing.assert_close(*states, rtol=1e-3, atol=1e-4)

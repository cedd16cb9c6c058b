import math

import pytest
import torch

from sketch2paint.training.losslog import LossLog
from sketch2paint.training.trainer import (
    build_trainer,
    choose_devices,
    is_lost_process,
    memory_format_of,
)


def with_gpus(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda i: f"Fast {i}")


def test_gpus(monkeypatch):
    with_gpus(monkeypatch, 2)
    assert choose_devices("auto") == ("gpu", 1)
    assert choose_devices(2) == ("gpu", 2)
    assert choose_devices(0) == ("cpu", 1)
    with pytest.raises(ValueError, match=r"at most 2 \(there is: Fast 0, Fast 1\), got 3"):
        choose_devices(3)


def test_no_gpu(monkeypatch):
    with_gpus(monkeypatch, 0)
    assert choose_devices("auto") == ("cpu", 1)
    with pytest.raises(ValueError, match="no CUDA device.*got 1. Pass trainer.gpus=auto"):
        choose_devices(1)


@pytest.mark.parametrize("gpus", ["all", -1, 1.5, None])
def test_nonsense_gpus(gpus):
    with pytest.raises(ValueError, match="Expected `trainer.gpus` to be auto, 0 or a number"):
        choose_devices(gpus)


def test_named_accelerator_decides(monkeypatch):
    with_gpus(monkeypatch, 0)
    assert choose_devices("auto", "mps") == ("mps", 1)


def test_build_trainer(tmp_path):
    trainer = build_trainer(
        out_dir=str(tmp_path),
        callbacks=[],
        logger=None,
        gpus=0,
        max_epochs=7,
        log_every_n_steps=3,
        progress_bar=False,
    )
    assert trainer.max_epochs == 7
    assert trainer.precision == "32-true"
    assert [c.every_n_steps for c in trainer.callbacks if isinstance(c, LossLog)] == [3]
    assert not trainer.loggers


@pytest.mark.parametrize(
    ("capability", "auto"), [("AVX2", "contiguous"), ("AVX512", "channels_last")]
)
def test_memory_format(tmp_path, monkeypatch, capability, auto):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    given = {"out_dir": str(tmp_path), "callbacks": [], "logger": None, "gpus": 0}
    assert memory_format_of(build_trainer(**given)) == auto
    for chosen in ("contiguous", "channels_last"):
        assert memory_format_of(build_trainer(**given, memory_format=chosen)) == chosen
    with pytest.raises(
        ValueError,
        match="`trainer.memory_format` to be one of auto, channels_last, contiguous, got 'best'",
    ):
        build_trainer(**given, memory_format="best")


@pytest.mark.parametrize("deterministic", [True, False])
def test_cudnn_looks_for_the_fastest_unless_told_not_to(tmp_path, deterministic):
    build_trainer(
        out_dir=str(tmp_path), callbacks=[], logger=None, gpus=0, deterministic=deterministic
    )
    assert torch.backends.cudnn.benchmark is not deterministic


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("timeout", 0.0, "Expected `trainer.timeout` above 0 seconds, got 0.0"),
        ("timeout", math.nan, "Expected `trainer.timeout` above 0 seconds, got nan"),
        ("timeout", math.inf, "Expected `trainer.timeout` to be at most 31536000 seconds, a year"),
        ("timeout", 1e300, "Expected `trainer.timeout` to be at most 31536000 seconds, a year"),
        (
            "check_val_every_n_epoch",
            0,
            "Expected `trainer.check_val_every_n_epoch` to be at least 1, got 0",
        ),
    ],
)
def test_numbers_out_of_range(tmp_path, key, value, words):
    with pytest.raises(ValueError, match=words):
        build_trainer(out_dir=str(tmp_path), callbacks=[], logger=None, gpus=0, **{key: value})


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (torch.distributed.DistBackendError("..."), True),
        (RuntimeError("[/x/gloo/transport/tcp/pair.cc:547] Connection closed by peer"), True),
        (RuntimeError("Application timeout caused pair closure"), True),  # gloo's too
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)"), False),
    ],
)
def test_errors_of_a_lost_process(error, lost):
    assert is_lost_process(error) is lost

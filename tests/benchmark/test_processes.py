"""Verbs as processes: what is read off their lines, and real ones."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from whole_program import call

from sketch2paint.benchmark import processes
from sketch2paint.benchmark.ablation import Work
from sketch2paint.benchmark.processes import Run, TrainingRuns, fit_rate
from sketch2paint.benchmark.timing import Figure

WORK = Work(torch.device("cpu"), size=32, batch_size=2, base_channels=4)


def line(epoch: int, step: int) -> str:
    return f"Epoch {epoch}/3, iteration {step}/9: loss_D_fake 0.6931, loss_G 1.0000 (9.9 pairs/s)"


def test_rate_is_of_lines_within_an_epoch_after_the_first() -> None:
    lines = [
        (1.0, "Run folder: runs/a"),
        (9.0, line(1, 4)),
        (11.0, line(1, 8)),
        (11.5, "Epoch 1/3, validation: val/psnr 9.0000, val/ssim 0.1000"),
        (30.0, line(2, 3)),  # after validation and a checkpoint
        (32.0, line(2, 7)),
    ]
    assert fit_rate(lines, batch_size=2) == (4 + 4) * 2 / (2 + 2)


def test_a_run_too_short_for_a_rate_is_told() -> None:
    with pytest.raises(ValueError, match="Expected a run of train.py with two lines in an epoch"):
        fit_rate([(1.0, line(1, 4)), (2.0, line(2, 4))], 2)


def test_lines_come_with_their_second_and_the_peak() -> None:
    ticks = iter(range(100))
    found = Run(["-c", "print('a'); print('b')"], clock=lambda: float(next(ticks)))
    assert found.lines == [(1.0, "a"), (2.0, "b")] and found.seconds == 3.0
    assert found.peak is None or found.peak > 10**6


def test_a_run_that_fails_is_told_in_its_own_words() -> None:
    with pytest.raises(ChildProcessError, match=r"(?s)ended with exit code 3:\nno pairs"):
        Run(["-c", "print('no pairs'); raise SystemExit(3)"])
    for words in ("CUDA out of memory", "DefaultCPUAllocator: not enough memory"):
        with pytest.raises(MemoryError):
            Run(["-c", f"print({words!r}); raise SystemExit(1)"])
    with pytest.raises(MemoryError):  # what Linux does when there is no more
        Run(["-c", "import os; os.kill(os.getpid(), 9)"])


def test_too_few_pairs_and_other_gpus_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Expected at least 4 training pairs \(two batches\)"):
        TrainingRuns(WORK, overrides=[], pairs=3, folder=tmp_path)
    gpu = Work(torch.device("cuda:1"), size=32, batch_size=2)
    with pytest.raises(ValueError, match="to be cpu or the first GPU for what=fit, got cuda:1"):
        TrainingRuns(gpu, overrides=[], pairs=9, folder=tmp_path)


@pytest.mark.parametrize(
    ("each", "every", "count"), [(0.1, 10, 50), (5.0, 4, 20), (0.001, 20, 100), (math.inf, 4, 20)]
)
def test_a_run_is_as_long_as_its_lines_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, each: float, every: int, count: int
) -> None:
    asked = []

    def run(self: TrainingRuns, steps: int, per_line: int) -> Run:
        asked.append((steps, per_line))
        found = Run.__new__(Run)
        found.lines = [(float(n), line(1, n * per_line)) for n in range(1, steps // per_line + 1)]
        return found

    monkeypatch.setattr(TrainingRuns, "run", run)
    runs = TrainingRuns(WORK, overrides=[], pairs=200, folder=tmp_path)
    assert runs.rate(1.0, lambda: each) == every * 2
    assert asked == [(count, every)]


@pytest.mark.slow
def test_start_asks_each_verb_in_turn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []

    def run(self: Run, command: list[str]) -> None:
        asked.append(" ".join(Path(word).name for word in command))
        self.seconds = float(len(asked))

    monkeypatch.setattr(Run, "__init__", run)
    (table,) = processes.start(WORK, tmp_path, rounds=2)
    answers = ["train.py --help", "predict.py --help"]
    pictures = ["predict.py, one picture", "predict.py, one picture by .onnx"]
    assert [row[""] for row in table.rows] == ["import torch", *answers, *pictures]
    assert (tmp_path / "generator.onnx").exists()
    commands = [f"-m sketch2paint {answer.replace('.py', '')}" for answer in answers]
    assert asked[1:3] == asked[6:8] == asked[11:13] == commands
    assert table.rows[0]["seconds"] == Figure(8.5, 6.0, 11.0)  # the first round warms up


@pytest.mark.slow
def test_start_of_the_verbs(tmp_path: Path) -> None:
    (table,) = processes.start(WORK, tmp_path, rounds=1)
    assert all(row["seconds"].min > 0 for row in table.rows)
    assert (tmp_path / "out/0000.png").exists()


@pytest.mark.slow
def test_train_is_measured_beside_its_step(pairs_dir: Path, tmp_path: Path) -> None:
    keys = ["size=32", "base_channels=4", "seconds=0.01", "repeats=2", "device=cpu", "batch_size=2"]
    data = ["data=pairs", f"data.root={pairs_dir}", "data.jitter=4"]
    found = call("benchmark", "what=fit", *keys, *data, cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    assert "Warning" not in found.stdout, found.stdout
    for words in ("step alone (ours, with average)", "train.py ", "loader alone", "peak MB of"):
        assert words in found.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"pairs"}

"""Verbs timed as processes of their own: the rate of train.py, and how long a start takes."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from sketch2paint.benchmark.ablation import FULL, Work, measure_step, ours
from sketch2paint.benchmark.rates import pictures_rate, save_fresh, write_drawings
from sketch2paint.benchmark.timing import (
    Figure,
    Table,
    interleave,
    peak_of_process,
    rate_row,
    release,
)
from sketch2paint.data.datamodule import SketchDataModule, default_workers
from sketch2paint.images.io import read_rgb
from sketch2paint.models.export import export_generator
from sketch2paint.shell import quoted

ROOT = Path(__file__).resolve().parents[2]
LINE = re.compile(r"Epoch (\d+)/\d+, iteration (\d+)/\d+: ")  # of losslog.LossLog
LINES = 5  # of a run; the first one warms up
TOO_LARGE = ("out of memory", "not enough memory", "can't allocate memory")


class Run:
    """A verb in a process of its own.

    Attributes:
        lines: Lines that it printed, with the seconds since the command.
        seconds: Time until it was done.
        peak: Bytes it had in memory at most, without its workers; None where nobody tells.

    Raises:
        MemoryError: its memory did not suffice.
        ChildProcessError: it failed.
    """

    def __init__(self, command: Sequence[str], clock: Callable[[], float] = time.perf_counter):
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": _search_path()}
        environment["OMP_NUM_THREADS"] = str(torch.get_num_threads())
        self.lines: list[tuple[float, str]] = []
        self.peak: float | None = None
        begun = clock()
        with subprocess.Popen(
            [sys.executable, *command],
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                self.lines.append((clock() - begun, line.rstrip()))
                self.peak = peak_of_process(process.pid) or self.peak
        self.seconds = clock() - begun
        self._check(command, process.returncode)

    def _check(self, command: Sequence[str], code: int) -> None:
        said = "\n".join(line for _, line in self.lines[-5:])
        if code and (code == -9 or any(words in said for words in TOO_LARGE)):
            raise MemoryError
        if code:
            raise ChildProcessError(f"{' '.join(command)}: ended with exit code {code}:\n{said}")


def _search_path() -> str:
    """Our own folder first: the verbs that are measured are those beside this file."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))


def fit_rate(lines: Sequence[tuple[float, str]], batch_size: int) -> float:
    """Pairs in a second by a run's own lines, the first of each epoch left out, which warms up.

    Args:
        lines: Lines that train.py printed, with the second in which each came.
        batch_size: Number of pairs in an iteration.

    Raises:
        ValueError: no epoch has two lines.
    """
    places = [
        (second, int(match[1]), int(match[2]))
        for second, line in lines
        if (match := LINE.match(line))
    ]
    steps = seconds = 0.0
    for (before, epoch, done), (after, same, more) in zip(places, places[1:], strict=False):
        if epoch == same:
            steps, seconds = steps + more - done, seconds + after - before
    if not steps:
        raise ValueError(
            "Expected a run of train.py with two lines in an epoch, got "
            f"{len(places)} in all. Pass more pairs, or a smaller batch_size."
        )
    return steps * batch_size / seconds


class TrainingRuns:
    """Runs of train.py on some data.

    Args:
        work: Size, batch size, width and device.
        overrides: Keys of train.py for its data.
        pairs: Number of training pairs in these data.
        folder: Folder for the runs.

    Raises:
        ValueError: the device is not the first, or there are fewer than two batches of pairs.
    """

    def __init__(self, work: Work, *, overrides: Sequence[str], pairs: int, folder: Path) -> None:
        self.work, self.overrides, self.folder = work, list(overrides), folder
        self.batches = pairs // work.batch_size  # whole ones
        self.runs: list[Run] = []
        self.firsts: list[float] = []
        self.begun = 0
        if work.device.index:
            raise ValueError(
                "Expected `device` to be cpu or the first GPU for what=fit, got "
                f"{work.device}. Set CUDA_VISIBLE_DEVICES instead."
            )
        if self.batches < 2:
            raise ValueError(
                f"Expected at least {2 * work.batch_size} training pairs (two batches), got "
                f"{pairs}. Pass a smaller batch_size."
            )

    def run(self, steps: int, every: int) -> Run:
        """Train for some steps of an epoch, with a line for every few."""
        self.begun += 1
        gpus = 0 if self.work.device.type == "cpu" else 1
        accelerator = ["trainer.accelerator=mps"] * (self.work.device.type == "mps")
        keys = [
            f"data.size={self.work.size}",
            f"data.batch_size={self.work.batch_size}",
            f"model.generator.base_channels={self.work.base_channels}",
            f"model.discriminator.base_channels={self.work.base_channels}",
            f"trainer.gpus={gpus}",
            f"trainer.precision={self.work.chosen_precision}",
            "trainer.max_epochs=1",
            f"trainer.limit_train_batches={steps}",
            "trainer.limit_val_batches=1",
            f"trainer.log_every_n_steps={every}",
            "trainer.progress_bar=false",
            f"out_dir={quoted(str(self.folder / f'run{self.begun}'))}",
        ]
        command = ["-m", "sketch2paint", "train", *self.overrides, *keys, *accelerator]
        return Run(command)

    def rate(self, seconds: float, each: Callable[[], float]) -> float:
        """Pairs in a second of a run that is long enough."""
        every = min(max(4, math.ceil(seconds / each())), max(1, self.batches // LINES))
        steps = min(LINES * every, self.batches)
        release(self.work.device)
        self.runs.append(self.run(steps, every))
        return fit_rate(self.runs[-1].lines, self.work.batch_size)

    def first_step(self) -> float:
        """Seconds from the command to the line of the first step."""
        release(self.work.device)
        found = self.run(1, 1)
        self.firsts.append(next(second for second, line in found.lines if LINE.match(line)))
        return self.firsts[-1]

    def rows(self) -> list[dict[str, Any]]:
        """Rows of a table: the first step and the peak of memory in all the runs so far."""
        peaks = [run.peak / 1e6 for run in self.runs if run.peak is not None]
        values = {
            "seconds from the command to the first step": self.firsts,
            "peak MB of the process of train.py": peaks,
        }
        return [
            {"": name, "value": Figure.of(taken) if taken else None}
            for name, taken in values.items()
        ]


def fit(
    work: Work,
    *,
    data: SketchDataModule,
    overrides: Sequence[str],
    folder: Path,
    rounds: int,
    seconds: float,
) -> list[Table]:
    """A run of train.py beside the same step alone and the loader alone, in turn.

    Args:
        work: Networks and size of the pictures.
        data: Pairs from their cache.
        overrides: Keys of train.py for the same data from the cache.
        folder: Folder for the runs; they stay there.
        rounds: Number of interleaved rounds.
        seconds: Time of a row in a round, at least; a run takes five times as long.

    Raises:
        ChildProcessError: train.py failed.
        ValueError: there are fewer than two batches of pairs.
    """
    data.setup("fit")
    pairs = len(data.datasets["train"])
    runs = TrainingRuns(work, overrides=overrides, pairs=pairs, folder=folder)
    alone: list[float] = []

    def step_alone() -> float:
        alone.append(measure_step(ours(work), work, seconds=seconds).value)
        return work.batch_size / alone[-1]

    bare, run, load, first = f"step alone ({FULL})", "train.py", "loader alone", "first step"
    found = interleave(
        {
            bare: step_alone,
            run: lambda: runs.rate(seconds, lambda: alone[-1]),
            load: lambda: pictures_rate(data, default_workers(), seconds),
            first: runs.first_step,
        },
        rounds,
        warm_up=0,  # each warms up in its round
    )
    rates = bare, run, load
    rows = [rate_row(name, unit="pairs/s", found=found, reference=bare) for name in rates]
    title = f"train.py, {work.size}x{work.size}, batch {work.batch_size}"
    return [Table(title, rows), Table(f"{title}: a whole run", runs.rows())]


def start(work: Work, folder: Path, rounds: int) -> list[Table]:
    """Seconds until the verbs answer, and those that torch needs to be imported.

    Args:
        work: Size, width and device of the network that colours the first picture.
        folder: Folder for weights, a drawing and its picture.
        rounds: Number of interleaved rounds that count.
    """
    drawings = write_drawings(folder / "in", 1, work.size)
    verb = ["-m", "sketch2paint"]
    commands = {
        "import torch": ["-c", "import torch"],
        "train.py --help": [*verb, "train", "--help"],
        "predict.py --help": [*verb, "predict", "--help"],
    }
    for name, weights in _weights(work, folder, drawings).items():
        keys = {"checkpoint": weights, "input": folder / "in", "output": folder / "out"}
        words = [f"{key}={quoted(str(value))}" for key, value in keys.items()]
        commands[name] = [*verb, "predict", *words, f"device={work.device}", "overwrite=true"]
    found = interleave({name: partial(_seconds, words) for name, words in commands.items()}, rounds)
    rows = [{"": name, "seconds": Figure.of(found[name].values)} for name in commands]
    return [Table("Seconds from the command to its end", rows)]


def _weights(work: Work, folder: Path, drawings: Sequence[Path]) -> dict[str, Path]:
    """A fresh network's weights, and the same exported where the packages for that are there."""
    made = {"predict.py, one picture": folder / "generator.safetensors"}
    save_fresh(work, folder / "generator.safetensors")
    if all(find_spec(package) for package in ("onnx", "onnxruntime", "onnxscript")):
        made["predict.py, one picture by .onnx"] = folder / "generator.onnx"
        export_generator(
            folder / "generator.safetensors",
            format="onnx",
            output=folder / "generator.onnx",
            drawings=[read_rgb(path) for path in drawings],
        )
    return made


def _seconds(command: Sequence[str]) -> float:
    return Run(command).seconds

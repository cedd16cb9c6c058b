"""The losses of a run: TensorBoard, lines of text, metrics.csv, losses.png."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from matplotlib.figure import Figure
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from torch import Tensor

from sketch2paint.files import written_beside
from sketch2paint.training.learner import Learner, as_learner


class LossLog(Callback):
    """TensorBoard for every step; a line of text and of metrics.csv for every few; losses.png.

    The axis is the number of pairs seen. Losses stay on the device until a line is due, so that
    the step is not held up.

    Args:
        out_dir: Folder of the run.
        every_n_steps: Number of steps whose mean makes one line; a shorter epoch makes one of its
            own.
    """

    def __init__(self, out_dir: str, every_n_steps: int = 50) -> None:
        if every_n_steps < 1:
            raise ValueError(f"Expected `log_every_n_steps` to be at least 1, got {every_n_steps}.")
        self.out_dir, self.every_n_steps = Path(out_dir), every_n_steps
        self.csv = self.out_dir / "metrics.csv"
        self.losses: tuple[str, ...] = ()  # names, of the module that is trained
        self.metrics: tuple[str, ...] = ()
        self.window: list[list[float]] = []  # losses of the steps since the last line
        self.unread: list[tuple[int, float, Tensor]] = []  # the same, not yet fetched
        self.loggers: list[Any] = []
        self.reduce: Any = None
        self.since = (0, 0.0)  # pairs seen and time at the last line
        self.plot_after = 0.0

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        model = as_learner(pl_module)
        self.losses, self.metrics = model.losses, model.metrics

    def state_dict(self) -> dict[str, Any]:
        """Keep the unfinished line for a resume; what was written so far is brought to the disk."""
        self._fetch()
        for logger in self.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.flush()
        if self.csv.exists():
            with open(self.csv, "rb+") as file:
                os.fsync(file.fileno())
        return {"window": self.window}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        rows = state_dict["window"]
        self.window = [
            row for row in rows if len(row) == len(self.losses)
        ]  # or of an older version

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.loggers = trainer.loggers
        self.reduce = trainer.strategy.reduce
        if trainer.is_global_zero:
            self._cut_csv(as_learner(pl_module).pairs_seen)
            self._cut_tensorboard(as_learner(pl_module).pairs_seen)
        self.since = (as_learner(pl_module).pairs_seen, time.monotonic())

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.since = (as_learner(pl_module).pairs_seen, time.monotonic())

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        model = as_learner(pl_module)
        losses = torch.stack([outputs[name] for name in self.losses])
        self.unread.append((model.pairs_seen, model.current_lr(), losses))
        batches = trainer.num_training_batches
        short = batches < self.every_n_steps and batch_idx + 1 == batches  # a line for each epoch
        if short or len(self.window) + len(self.unread) >= self.every_n_steps:
            self._fetch()
            means = [sum(column) / len(self.window) for column in zip(*self.window, strict=True)]
            self.window = []
            if trainer.is_global_zero:
                self._line(trainer, model, means, batch_idx + 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero or trainer.training is None:
            return
        model, metrics = as_learner(pl_module), trainer.callback_metrics
        if "val/psnr" in metrics:
            values = {name: round(float(metrics[name]), 4) for name in self.metrics}
            self._write({**self._place(trainer, model), **values})
            print(
                f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, validation: "
                + ", ".join(f"{name} {value:.4f}" for name, value in values.items()),
                flush=True,
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._fetch()
        if time.monotonic() > self.plot_after:  # drawing takes longer than a short epoch
            self._plot(trainer)
            self.plot_after = time.monotonic() + 30

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._plot(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._fetch(alone=True)  # the other processes may be gone
        self._plot(trainer)

    def _plot(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero and self.csv.exists():
            try:
                plot_losses(self.csv, self.out_dir / "losses.png")
            except OSError as error:  # a full disk ends no run for a picture
                print(f"WARNING: losses.png could not be written: {error}", flush=True)

    def _fetch(self, alone: bool = False) -> None:
        """Bring the waiting losses, means over processes, in one transfer; log each at its step."""
        if not self.unread:
            return
        stacked = torch.stack([losses for _, _, losses in self.unread]).float()  # (N, losses)
        values = (stacked if alone else self.reduce(stacked, reduce_op="mean")).cpu().tolist()
        for (pairs, lr, _), row in zip(self.unread, values, strict=True):
            metrics = {**dict(zip(self.losses, row, strict=True)), "lr": lr}
            for logger in self.loggers:
                try:
                    logger.log_metrics(metrics, step=pairs)
                except ValueError as error:  # Lightning's words for whatever TensorBoard raised
                    raise error.__cause__ or error from error
        self.window += values
        self.unread = []

    def _line(self, trainer: pl.Trainer, model: Learner, means: list[float], step: int) -> None:
        named = {name: round(mean, 5) for name, mean in zip(self.losses, means, strict=True)}
        rate = (model.pairs_seen - self.since[0]) / (time.monotonic() - self.since[1])
        self.since = (model.pairs_seen, time.monotonic())
        place = {**self._place(trainer, model), "iteration": step}
        self._write({**place, **named})
        print(
            f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, "
            f"iteration {step}/{trainer.num_training_batches}: "
            + ", ".join(f"{name} {mean:.4f}" for name, mean in named.items())
            + f" ({rate:.1f} pairs/s)",
            flush=True,
        )

    def _place(self, trainer: pl.Trainer, model: Learner) -> dict[str, Any]:
        return {
            "epoch": trainer.current_epoch + 1,
            "iteration": trainer.num_training_batches,
            "pairs": model.pairs_seen,
            "lr": model.current_lr(),
        }

    def _write(self, row: dict[str, Any]) -> None:
        new = not self.csv.exists()
        self.csv.parent.mkdir(parents=True, exist_ok=True)
        with open(self.csv, "a", newline="") as file:
            writer = csv.DictWriter(file, self._columns())
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _columns(self) -> tuple[str, ...]:
        return "epoch", "iteration", "pairs", "lr", *self.losses, *self.metrics

    def _cut_csv(self, pairs: int) -> None:
        """Drop lines that a resumed run is going to write again."""
        if not self.csv.exists():
            return
        with open(self.csv, newline="") as file:
            kept = [row for row in csv.DictReader(file) if _complete(row) <= pairs]
        text = io.StringIO()
        writer = csv.DictWriter(text, self._columns())
        writer.writeheader()
        writer.writerows(kept)
        with written_beside(self.csv) as beside:
            beside.write_text(text.getvalue(), newline="")

    def _cut_tensorboard(self, pairs: int) -> None:
        """Tell TensorBoard to forget the steps that a resumed run is going to log again."""
        start = SessionLog(status=SessionLog.START)
        for logger in self.loggers:
            if isinstance(logger, TensorBoardLogger):
                writer = logger.experiment.file_writer
                writer.add_event(Event(session_log=start, step=pairs + 1))


def _complete(row: dict[str, str]) -> float:
    """The pairs seen of a CSV row; infinite for a row cut off by a kill."""
    pairs = row.get("pairs") or ""
    return int(pairs) if pairs.isdigit() and None not in row.values() else float("inf")


def plot_losses(metrics: Path, picture: Path) -> None:
    """Draw the losses and validation metrics of a metrics.csv over thousands of pairs seen."""
    with open(metrics, newline="") as file:
        reader = csv.DictReader(file)
        rows, panels = list(reader), _panels(reader.fieldnames or ())
    if not any(float(row.get("loss_G_PSNR") or 0) for row in rows):  # a term that has no weight
        panels = [names for names in panels if names != ("loss_G_PSNR",)]
    figure = Figure(figsize=(4 * len(panels), 3.4), layout="constrained")
    for axes, names in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for name in names:
            drawn = [row for row in rows if row[name]]
            x = [int(row["pairs"]) / 1000 for row in drawn]
            axes.plot(x, [float(row[name]) for row in drawn], label=name)
        axes.set_title(", ".join(names), fontsize=9)
        axes.set_xlabel("pairs seen (thousands)")
        axes.grid(alpha=0.3)
        if len(names) > 1:
            axes.legend(fontsize=7)
    with written_beside(picture) as beside:
        figure.savefig(beside, dpi=100)


def _panels(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """What is drawn: the losses of D together, each other one but the sum, each metric."""
    losses = [name for name in columns if name.startswith("loss")]
    together = tuple(name for name in losses if name.startswith("loss_D"))
    alone = [(name,) for name in losses[:-1] if name not in together]
    metrics = [(name,) for name in columns if name.startswith("val/")]
    return [*([together] if together else []), *alone, *metrics]

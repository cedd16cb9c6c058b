"""What a training run leaves behind: loss lines and curves, sample grids, checkpoints, weights."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from matplotlib.figure import Figure
from pytorch_lightning.callbacks import Callback, Checkpoint
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from sketch2paint.files import written_beside
from sketch2paint.images import grid, pairs_grid, to_rgb, write_picture
from sketch2paint.module import LOSSES, Pix2Pix
from sketch2paint.weights import save_generator

COLUMNS = ("epoch", "iteration", "pairs", "lr", *LOSSES, "val/psnr", "val/ssim")


class LossLog(Callback):
    """TensorBoard for every step; a line of text and of metrics.csv for every few; losses.png.

    The axis is the number of pairs seen. Losses stay on the device until a line is due, so that
    the step is not held up.

    Args:
        out_dir: the run folder.
        every_n_steps: steps whose mean makes one line.
    """

    def __init__(self, out_dir: str, every_n_steps: int = 50) -> None:
        if every_n_steps < 1:
            raise ValueError(f"Expected `log_every_n_steps` to be at least 1, got {every_n_steps}.")
        self.out_dir, self.every_n_steps = Path(out_dir), every_n_steps
        self.csv = self.out_dir / "metrics.csv"
        self.window: list[list[float]] = []  # losses of the steps since the last line
        self.unread: list[tuple[int, float, Tensor]] = []  # the same, not yet fetched
        self.since = (0, 0.0)  # pairs seen and time at the last line
        self.plot_after = 0.0

    def state_dict(self) -> dict[str, Any]:
        """Keep the unfinished line, so that it survives a resume."""
        self._fetch([])
        return {"window": self.window}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.window = state_dict["window"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self._cut_csv(_pix2pix(pl_module).pairs_seen)
        self.since = (_pix2pix(pl_module).pairs_seen, time.monotonic())

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.since = (_pix2pix(pl_module).pairs_seen, time.monotonic())

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        model = _pix2pix(pl_module)
        losses = torch.stack([outputs[name] for name in LOSSES])  # (6,)
        self.unread.append((model.pairs_seen, model.current_lr(), losses))
        if len(self.window) + len(self.unread) >= self.every_n_steps:
            self._fetch(trainer.loggers)
            means = [sum(column) / len(self.window) for column in zip(*self.window, strict=True)]
            self.window = []
            if trainer.is_global_zero:
                self._line(trainer, model, means, batch_idx + 1)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.sanity_checking or not trainer.is_global_zero or trainer.training is None:
            return
        model, metrics = _pix2pix(pl_module), trainer.callback_metrics
        if "val/psnr" in metrics:
            values = {name: round(float(metrics[name]), 4) for name in ("val/psnr", "val/ssim")}
            self._write({**self._place(trainer, model), **values})
            _say(
                f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, validation: "
                + ", ".join(f"{name} {value:.4f}" for name, value in values.items())
            )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._fetch(trainer.loggers)
        if time.monotonic() > self.plot_after:  # drawing takes longer than a short epoch
            self._plot(trainer)
            self.plot_after = time.monotonic() + 30

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._plot(trainer)

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._fetch(trainer.loggers)
        self._plot(trainer)

    def _plot(self, trainer: pl.Trainer) -> None:
        if trainer.is_global_zero and self.csv.exists():
            plot_losses(self.csv, self.out_dir / "losses.png")

    def _fetch(self, loggers: list[Any]) -> None:
        """Bring the waiting losses over in one transfer and log each at its own step."""
        if not self.unread:
            return
        values = torch.stack([losses for _, _, losses in self.unread]).float().cpu().tolist()
        for (pairs, lr, _), row in zip(self.unread, values, strict=True):
            for logger in loggers:
                logger.log_metrics({**dict(zip(LOSSES, row, strict=True)), "lr": lr}, step=pairs)
        self.window += values
        self.unread = []

    def _line(self, trainer: pl.Trainer, model: Pix2Pix, means: list[float], step: int) -> None:
        named = {name: round(mean, 5) for name, mean in zip(LOSSES, means, strict=True)}
        rate = (model.pairs_seen - self.since[0]) / (time.monotonic() - self.since[1])
        self.since = (model.pairs_seen, time.monotonic())
        place = {**self._place(trainer, model), "iteration": step}
        self._write({**place, **named})
        _say(
            f"Epoch {trainer.current_epoch + 1}/{trainer.max_epochs}, "
            f"iteration {step}/{trainer.num_training_batches}: "
            + ", ".join(f"{name} {mean:.4f}" for name, mean in named.items())
            + f" ({rate:.1f} pairs/s)"
        )

    def _place(self, trainer: pl.Trainer, model: Pix2Pix) -> dict[str, Any]:
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
            writer = csv.DictWriter(file, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)

    def _cut_csv(self, pairs: int) -> None:
        """Drop lines that a resumed run is going to write again."""
        if not self.csv.exists():
            return
        with open(self.csv, newline="") as file:
            kept = [row for row in csv.DictReader(file) if _complete(row) <= pairs]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(kept)
        with written_beside(self.csv) as beside:
            beside.write_text(text.getvalue(), newline="")


def _complete(row: dict[str, str]) -> float:
    """The pairs seen of a CSV row; infinite for a row cut off by a kill."""
    pairs = row.get("pairs") or ""
    return int(pairs) if pairs.isdigit() and row.get(COLUMNS[-1]) is not None else float("inf")


def plot_losses(metrics: Path, picture: Path) -> None:
    """Draw the losses and validation metrics of a metrics.csv over thousands of pairs seen."""
    with open(metrics, newline="") as file:
        rows = list(csv.DictReader(file))
    panels = (LOSSES[:3], LOSSES[3:4], LOSSES[4:5], ("val/psnr",), ("val/ssim",))
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


class SampleGrids(Callback):
    """Pictures as PNG in samples/ and in TensorBoard.

    Before the first step: 16 training pairs as the networks see them. After each validation: the
    same validation pairs as sketch | fake | real.

    Args:
        out_dir: the run folder.
        rows: number of validation pairs shown.
    """

    def __init__(self, out_dir: str, rows: int = 8) -> None:
        if rows < 1:
            raise ValueError(f"Expected `callbacks.samples.rows` to be at least 1, got {rows}.")
        self.folder, self.rows = Path(out_dir) / "samples", rows
        self.training: list[dict[str, Tensor]] = []
        self.shown: list[tuple[Tensor, Tensor, Tensor]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not trainer.is_global_zero or (self.folder / "training_pairs.png").exists():
            return
        self.training.append(batch)
        if sum(len(b["real"]) for b in self.training) >= 16 or trainer.fit_loop.epoch_loop.done:
            sketch, real = _cat(self.training, "sketch"), _cat(self.training, "real")
            sheet = training_grid(to_rgb(sketch, real), sketch)
            self._show(trainer, pl_module, "training_pairs", sheet)
            self.training = []

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        missing = self.rows - sum(len(sketch) for sketch, _, _ in self.shown)
        if missing > 0 and trainer.is_global_zero:
            sketch, real = batch["sketch"][:missing], batch["real"][:missing]
            fake = pl_module(sketch)
            self.shown.append((sketch, to_rgb(sketch, fake), to_rgb(sketch, real)))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        shown, self.shown = self.shown, []
        if shown and not trainer.sanity_checking:
            columns = [torch.cat(column) for column in zip(*shown, strict=True)]
            name = f"epoch_{trainer.current_epoch + 1:04d}"
            self._show(trainer, pl_module, name, pairs_grid(columns), tag="samples")

    def _show(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        name: str,
        sheet: np.ndarray,
        tag: str = "",
    ) -> None:
        write_picture(self.folder / f"{name}.png", sheet)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                pairs = _pix2pix(pl_module).pairs_seen
                logger.experiment.add_image(tag or name, sheet, pairs, dataformats="HWC")


def _cat(batches: list[dict[str, Tensor]], name: str) -> Tensor:
    return torch.cat([batch[name] for batch in batches])[:16]


def training_grid(real: Tensor, sketch: Tensor) -> np.ndarray:
    """Show up to 16 pairs, four in a row, colour beside sketch."""
    both = torch.stack([real, sketch.expand(-1, 3, -1, -1)], dim=1)  # (B, 2, 3, H, W)
    return grid(both.flatten(0, 1), columns=8)


class Interrupted(Exception):
    """The run stopped in order after a signal; its checkpoint is written.

    Args:
        signum: the signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum


class Checkpoints(Checkpoint):
    """checkpoints/last.ckpt after each epoch, every n-th and the best kept, the weights beside.

    Ctrl-C and SIGTERM finish the running step, save, and raise Interrupted; a second one stops at
    once. In validation they wait for its end.

    Args:
        out_dir: the run folder.
        every_n_epochs: epochs of which the checkpoint is kept.
        monitor: the metric whose highest value is kept as best.ckpt.
    """

    def __init__(self, out_dir: str, every_n_epochs: int = 5, monitor: str = "val/psnr") -> None:
        if every_n_epochs < 1:
            raise ValueError(
                f"Expected `callbacks.checkpoints.every_n_epochs` to be at least 1, "
                f"got {every_n_epochs}."
            )
        self.folder = Path(out_dir) / "checkpoints"
        self.weights = Path(out_dir) / "weights/generator.safetensors"
        self.every_n_epochs, self.monitor = every_n_epochs, monitor
        self.best = float("-inf")
        self.signum = 0
        self.handlers: dict[int, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # After Lightning's own handlers, which would only act between epochs.
        for signum in (signal.SIGINT, signal.SIGTERM):
            self.handlers[signum] = signal.signal(signum, self._on_signal)

    def _on_signal(self, signum: int, frame: Any) -> None:
        if self.signum:
            raise KeyboardInterrupt
        self.signum = signum
        _say(
            f"{signal.Signals(signum).name}: finishing the step, then saving a checkpoint. "
            "Once more stops at once."
        )

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        # After an epoch's last batch validation and the checkpoint of the epoch come first.
        if self.signum and not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            self._save(trainer)
            raise Interrupted(self.signum)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        score = float(trainer.callback_metrics.get(self.monitor, float("-inf")))
        is_best, self.best = score > self.best, max(score, self.best)
        epoch = trainer.current_epoch + 1
        self._save(trainer)
        if trainer.is_global_zero:
            if is_best:
                _link(self.folder / "last.ckpt", self.folder / "best.ckpt")
            if epoch % self.every_n_epochs == 0:
                _link(self.folder / "last.ckpt", self.folder / f"epoch_{epoch:04d}.ckpt")
            model = _pix2pix(pl_module)
            state = (model.ema or model.generator).state_dict()
            save_generator(self.weights, state, model.about())
        if self.signum:
            raise Interrupted(self.signum)

    def _save(self, trainer: pl.Trainer) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        beside = self.folder / ".last.ckpt.tmp"
        trainer.save_checkpoint(beside, weights_only=False)  # on every rank; rank 0 writes
        if trainer.is_global_zero:
            with open(beside, "rb") as file:
                os.fsync(file.fileno())
            os.replace(beside, self.folder / "last.ckpt")

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._restore_handlers()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        self._restore_handlers()

    def _restore_handlers(self) -> None:
        for signum, handler in self.handlers.items():
            signal.signal(signum, handler)
        self.handlers = {}


def _link(source: Path, target: Path) -> None:
    """Give a checkpoint a second name; a copy where the file system has no hard links."""
    beside = target.with_name(f".{target.name}.tmp")
    beside.unlink(missing_ok=True)
    try:
        os.link(source, beside)
    except OSError:
        shutil.copyfile(source, beside)
    os.replace(beside, target)


class TimeEstimate(Callback):
    """On a CPU, say after the first steps how long the run will take.

    Args:
        after_steps: steps looked at; the first ones, which warm up, are left out.
    """

    def __init__(self, after_steps: int = 6) -> None:
        self.after_steps = after_steps
        self.begun = 0.0
        self.steps = 0

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self.steps += 1
        if self.steps == 2:
            self.begun = time.monotonic()
        if self.steps == self.after_steps and pl_module.device.type == "cpu":
            seconds = (time.monotonic() - self.begun) / (self.after_steps - 2)
            epochs = (trainer.max_epochs or 0) - trainer.current_epoch
            hours = seconds * epochs * trainer.num_training_batches / 3600
            if hours > 1:
                _say(
                    f"On this CPU a step takes {seconds:.1f} s: the remaining {epochs} epochs take "
                    f"about {hours:.1f} hours, validation not counted. Use a GPU "
                    "(trainer.gpus=1), or try the small run: python train.py experiment=demo"
                )


def _pix2pix(module: pl.LightningModule) -> Pix2Pix:
    assert isinstance(module, Pix2Pix)
    return module


def _say(text: str) -> None:
    """A whole line at once, also where the progress bar is drawn or output is a file."""
    print(text, flush=True)

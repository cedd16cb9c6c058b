"""Pictures of a run's progress, and how long it will take."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import TensorBoardLogger
from torch import Tensor

from sketch2paint.device import MemoryFormat
from sketch2paint.images.convert import grid, pairs_grid, to_rgb
from sketch2paint.images.io import write_picture
from sketch2paint.shell import command
from sketch2paint.training.learner import as_learner

LOOK_AGAIN = 300  # seconds of steps between looks at how long they take
MUCH = 1.5  # times as long, or as short, is told


class SampleGrids(Callback):
    """Pictures as PNG in samples/ and in TensorBoard.

    Before the first step: 16 training pairs as the networks see them. After each validation: the
    same validation pairs as sketch | fake | real, or what else the module has to show.

    Args:
        out_dir: Folder of the run.
        rows: Number of validation pairs shown.
    """

    def __init__(self, out_dir: str, rows: int = 8) -> None:
        if rows < 1:
            raise ValueError(f"Expected `callbacks.samples.rows` to be at least 1, got {rows}.")
        self.folder, self.rows = Path(out_dir) / "samples", rows
        self.training: list[dict[str, Tensor]] = []
        self.shown: list[tuple[Tensor, ...]] = []

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if not trainer.is_global_zero or (self.folder / "training_pairs.png").exists():
            return
        self.training.append(batch)
        if sum(len(b["real"]) for b in self.training) >= 16 or trainer.fit_loop.epoch_loop.done:
            sketch, real = (_cat(self.training, name) for name in ("sketch", "real"))
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
        missing = self.rows - sum(len(columns[0]) for columns in self.shown)
        if missing > 0 and trainer.is_global_zero:
            some = {name: tensor[:missing] for name, tensor in batch.items()}
            self.shown.append(as_learner(pl_module).pictures(some))

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
        try:
            write_picture(self.folder / f"{name}.png", sheet)
        except OSError as error:  # a full disk ends no run for a picture
            print(f"WARNING: samples/{name}.png could not be written: {error}", flush=True)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                pairs = as_learner(pl_module).pairs_seen
                logger.experiment.add_image(tag or name, sheet, pairs, dataformats="HWC")


def _cat(batches: list[dict[str, Tensor]], name: str) -> Tensor:
    return torch.cat([batch[name] for batch in batches])[:16]


def training_grid(real: Tensor, sketch: Tensor) -> np.ndarray:
    """Show up to 16 pairs, four in a row, colour beside sketch."""
    both = torch.stack([real, sketch.expand(-1, 3, -1, -1)], dim=1)  # (B, 2, 3, H, W)
    return grid(both.flatten(0, 1), columns=8)


class TimeEstimate(Callback):
    """On a CPU, say after the first steps how long the run will take, and again when that changes.

    Other programs may hold the cores when it begins, or later.

    Args:
        after_steps: Number of steps looked at; the first ones, which warm up, are left out.
    """

    def __init__(self, after_steps: int = 6) -> None:
        self.after_steps = after_steps
        self.steps = 0
        self.before: float | None = None  # the time when the last step ended
        self.window: list[float] = []  # seconds of the steps since the last look
        self.looked = False
        self.told: float | None = None  # seconds of a step, as they were told last

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.before = None if self.steps else self.before  # a validation is no step

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        self.steps += 1
        before, self.before = self.before, time.monotonic()
        if before is None or self.steps <= 2 or pl_module.device.type != "cpu":
            return
        self.window.append(self.before - before)
        enough = len(self.window) >= self.after_steps - 2
        if enough and (not self.looked or sum(self.window) >= LOOK_AGAIN):
            seconds, self.looked = sum(self.window) / len(self.window), True
            self.window = []
            epochs = (trainer.max_epochs or 0) - trainer.current_epoch
            steps = epochs * trainer.num_training_batches - batch_idx - 1
            self._tell(seconds, epochs, seconds * steps / 3600)

    def _tell(self, seconds: float, epochs: int, hours: float) -> None:
        rest = f"the remaining {epochs} epochs take about {hours:.1f} hours, validation not counted"
        if self.told is None and hours > 1:
            print(
                f"On this CPU a step takes {seconds:.1f} s: {rest}. Use a GPU (trainer.gpus=1), "
                f"or try the small run: {command('train')} experiment=demo",
                flush=True,
            )
            self.told = seconds
        elif self.told is not None and not 1 / MUCH < seconds / self.told < MUCH:
            print(f"A step takes {seconds:.1f} s by now: {rest}.", flush=True)
            self.told = seconds


class LaidOut(Callback):
    """Lay out weights and pictures before there are optimizers, whose moments lie as they do.

    Args:
        memory_format: Name of the order: channels_last | contiguous.
    """

    def __init__(self, memory_format: MemoryFormat) -> None:
        self.memory_format = memory_format

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        as_learner(pl_module).lay_out(self.memory_format)


class CompiledNetworks(Callback):
    """Let torch.compile translate all networks, in place: their state dicts stay as they are."""

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        model = as_learner(pl_module)
        try:
            torch.compile(torch.nn.ReLU())(torch.zeros(4, device=model.device))
        except (RuntimeError, OSError, ImportError) as error:  # no C++ compiler, no Triton, ...
            lines = str(error).strip().splitlines()
            if len(lines) > 1 and lines[0].endswith("raised:"):  # torch's own first line says less
                del lines[0]
            reason = ": ".join([type(error).__name__, *lines[:1]])
            print(f"trainer.compile: torch.compile does not work here ({reason}); going on without")
            return
        for network in model.networks:
            network.compile()

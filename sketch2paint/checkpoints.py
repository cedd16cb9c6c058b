"""Checkpoints and weights of a run, and its end in order."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Checkpoint

from sketch2paint.module import as_pix2pix
from sketch2paint.weights import save_generator


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
            print("Stopping at once, without a checkpoint.", flush=True)
            raise SystemExit(128 + signum)
        self.signum = signum
        print(
            f"{signal.Signals(signum).name}: finishing the step, then saving a checkpoint. "
            "Once more stops at once.",
            flush=True,
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
            model = as_pix2pix(pl_module)
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

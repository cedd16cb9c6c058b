"""Checkpoints and weights of a run, and its end in order."""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any, Literal, NoReturn

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch import Tensor

from sketch2paint.arguments import one_of
from sketch2paint.files import sync_folder
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.weights import save_generator
from sketch2paint.shell import override
from sketch2paint.training.learner import Learner, as_learner

SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGUSR1")  # the last one: a scheduler's warning
    if hasattr(signal, name)
]
OnNan = Literal["stop", "restore"]
OnWriteError = Literal["continue", "stop"]
INTERVAL = re.compile(r"(\d+(?:\.\d+)?) ?(min|pairs)")


class Interrupted(Exception):
    """The run stopped in order after a signal; its checkpoint is written if the disk has room.

    Args:
        signum: Number of the signal.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(f"stopped by {signal.Signals(signum).name}")
        self.signum = signum


class NotFinite(ValueError):
    """A loss became NaN or infinite."""


class SyncedCheckpointIO(TorchCheckpointIO):
    """Writes checkpoints straight to the disk, where Lightning builds them in memory first.

    A failure is kept in `error`: it happens on one process, and the others must not wait for it.
    """

    error: OSError | None = None

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        self.error = None
        try:
            with open(path, "wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
        except (OSError, RuntimeError) as error:  # torch's writer wraps the first in the second
            cause = error if isinstance(error, OSError) else error.__context__
            if not isinstance(cause, OSError):
                raise
            self.error = cause


class Checkpoints(Checkpoint):
    """checkpoints/last.ckpt after each epoch and within, the one before, every n-th and the best.

    The weights that colour stand beside. SIGINT (Ctrl-C), SIGTERM and SIGUSR1 finish the
    running step, save, and raise Interrupted; a second one stops at once. In validation they wait
    for its end. last.ckpt is replaced last of all: a run killed before goes on from the old one
    and writes everything else again.

    Lightning's ModelCheckpoint does not serve: it counts in `global_step`, which two optimizers
    count twice, builds a checkpoint in memory, and knows neither signals nor a full disk.

    Args:
        out_dir: Folder of the run.
        every: Interval of checkpoints within an epoch, `15min` or `20000pairs`; None: none.
        every_n_epochs: Number of epochs between checkpoints that are kept.
        monitor: Metric whose highest value is kept as best.ckpt.
        on_nan: stop | restore (go back to the last checkpoint's weights, once), when a loss is
            not finite.
        on_write_error: continue | stop, when a checkpoint cannot be written (a full disk).
    """

    def __init__(
        self,
        out_dir: str,
        *,
        every: str | None = "15min",
        every_n_epochs: int = 5,
        monitor: str = "val/psnr",
        on_nan: OnNan = "stop",
        on_write_error: OnWriteError = "continue",
    ) -> None:
        if every_n_epochs < 1:
            raise ValueError(
                f"Expected `callbacks.checkpoints.every_n_epochs` to be at least 1, "
                f"got {every_n_epochs}."
            )
        one_of("on_nan", on_nan, OnNan)
        one_of("callbacks.checkpoints.on_write_error", on_write_error, OnWriteError)
        self.seconds, self.pairs = interval(every)
        self.folder = Path(out_dir) / "checkpoints"
        self.every_n_epochs, self.monitor = every_n_epochs, monitor
        self.on_nan, self.on_write_error = on_nan, on_write_error
        self.best, self.restored = float("-inf"), False
        self.saved_at = (0.0, 0)  # time and pairs seen
        self.unsaved = ""  # why the newest checkpoint could not be written
        self.unchecked: list[tuple[str, Tensor]] = []  # where, and its losses
        self.signum = 0
        self.handlers: dict[int, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "restored": self.restored}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best, self.restored = state_dict["best"], state_dict["restored"]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # After Lightning's own handlers, which would only act between epochs.
        for signum in SIGNALS:
            self.handlers[signum] = signal.signal(signum, self._on_signal)
        self.saved_at = (time.monotonic(), as_learner(pl_module).pairs_seen)

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
        model = as_learner(pl_module)
        where = (
            f"epoch {trainer.current_epoch + 1}, iteration {batch_idx + 1} "
            f"({model.pairs_seen} pairs seen)"
        )
        self.unchecked.append((where, torch.stack([outputs[name] for name in model.losses])))
        # Several processes agree every ten steps; a device is waited for every fifty.
        alone = trainer.world_size == 1
        if not alone and batch_idx % 10 != 9:
            return
        if len(self.unchecked) >= (1 if model.device.type == "cpu" else 50):
            self._check_losses(trainer, model)
        # After an epoch's last batch validation and the checkpoint of the epoch come first.
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            return
        due, signum = self._agreed(trainer, int(self._is_due(model)), self.signum)
        if due or signum:
            self._save(trainer, model)
        if signum:
            self._stop(signum, model)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        score = float(trainer.callback_metrics.get(self.monitor, float("-inf")))
        is_best, self.best = score > self.best, max(score, self.best)
        epoch = trainer.current_epoch + 1
        names = ["best.ckpt"] if is_best else []
        names += [f"epoch_{epoch:04d}.ckpt"] if epoch % self.every_n_epochs == 0 else []
        model = as_learner(pl_module)
        self._save(trainer, model, names)
        (signum,) = self._agreed(trainer, self.signum)
        if signum:
            self._stop(signum, model)

    def _is_due(self, model: Learner) -> bool:
        at, seen = self.saved_at
        return time.monotonic() - at >= self.seconds or model.pairs_seen - seen >= self.pairs

    def _agreed(self, trainer: pl.Trainer, *flags: int) -> list[int]:
        """The largest value of each flag over all processes."""
        if trainer.world_size == 1:
            return list(flags)
        mine = torch.tensor(flags, device=trainer.strategy.root_device)
        return trainer.strategy.reduce(mine, reduce_op="max").tolist()  # type: ignore[union-attr]

    def _check_losses(self, trainer: pl.Trainer, model: Learner) -> None:
        finite = (
            torch.stack([losses for _, losses in self.unchecked]).isfinite().cpu()
        )  # (N, losses)
        unchecked, self.unchecked = self.unchecked, []
        if not self._agreed(trainer, int(not finite.all()))[0]:
            return
        what = "A loss of another process is not finite"
        if not finite.all():
            step, loss = (~finite).nonzero()[0].tolist()
            where, losses = unchecked[step]
            what = f"{model.losses[loss]} is {float(losses[loss])} at {where}"
        last = self.folder / "last.ckpt"
        if self.on_nan == "restore" and not self.restored and last.exists():
            self._restore(trainer, model, last, what)
            return
        again = ", again" if self.restored else ""
        raise NotFinite(
            f"{what}{again}. The run stops; checkpoints/ holds the state before. Expected finite "
            "losses: try a lower model.lr or trainer.precision=32-true; resume=true goes on "
            "from the last checkpoint, on_nan=restore does so by itself, once."
        )

    def _restore(self, trainer: pl.Trainer, model: Learner, last: Path, what: str) -> None:
        """Take up the checkpoint's weights and optimizers, and go on with the next batch."""
        checkpoint = read_checkpoint(last)
        model.load_state_dict(checkpoint["state_dict"])
        trainer.strategy.load_optimizer_state_dict(checkpoint)
        precision = type(trainer.precision_plugin).__qualname__
        if precision in checkpoint:  # the loss scale of fp16
            trainer.precision_plugin.load_state_dict(checkpoint[precision])
        self.restored = True
        print(
            f"WARNING: {what}. Going on with the weights and optimizers of {last} "
            f"({checkpoint['pairs_seen']} pairs seen), this once (on_nan=restore).",
            flush=True,
        )

    def _save(self, trainer: pl.Trainer, model: Learner, names: list[str] | None = None) -> None:
        """Write a checkpoint under `names`, then as last.ckpt; called on every process."""
        if self.unchecked:
            self._check_losses(trainer, model)  # no checkpoint of broken weights
        beside, last = self.folder / ".last.ckpt.tmp", self.folder / "last.ckpt"
        self.folder.mkdir(parents=True, exist_ok=True)
        trainer.save_checkpoint(beside, weights_only=False)  # on every rank; rank 0 writes
        io = trainer.strategy.checkpoint_io
        error = io.error if isinstance(io, SyncedCheckpointIO) else None
        try:
            if trainer.is_global_zero and not error:
                if names is not None:  # the end of an epoch
                    weights = self.folder.parent / model.weights
                    save_generator(weights, model.colouring().state_dict(), model.about())
                for name in names or []:
                    _link(beside, self.folder / name)
                if last.exists():
                    _link(last, self.folder / "previous.ckpt")
                os.replace(beside, last)
                sync_folder(self.folder)
        except OSError as failure:
            error = failure
        self.saved_at, self.unsaved = (time.monotonic(), model.pairs_seen), ""
        if self._agreed(trainer, int(error is not None))[0]:
            self._failed(beside, last, error)

    def _failed(self, beside: Path, last: Path, error: OSError | None) -> None:
        beside.unlink(missing_ok=True)
        self.unsaved = str(error or "the first process has no room")
        message = (
            f"{last}: the checkpoint could not be written: {error}. "
            + ("The one before is kept. " if last.exists() else "")
            + "Free space on that disk"
        )
        if self.on_write_error == "stop":
            raise OSError(f"{message}, then go on with resume=true.") from error
        print(
            f"WARNING: {message}; the run goes on and tries again at the next one "
            "(callbacks.checkpoints.on_write_error=stop would stop it).",
            flush=True,
        )

    def _stop(self, signum: int, model: Learner) -> NoReturn:
        if self.unsaved:
            print(f"WARNING: {self._end_lost(model)}", flush=True)
        raise Interrupted(signum)

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self.unsaved:
            raise OSError(self._end_lost(as_learner(pl_module)))

    def _end_lost(self, model: Learner) -> str:
        """What is on the disk of a run whose last checkpoint is not, and how to go on from it."""
        last, run = self.folder / "last.ckpt", override("out_dir", self.folder.parent)
        newest = "There is no checkpoint on the disk"
        if last.exists():
            seen = f"{read_checkpoint(last)['pairs_seen']} of {model.pairs_seen} pairs seen"
            newest = f"The newest checkpoint on the disk is {last} ({seen})"
        return (
            f"{self.folder.parent}: the end of the run is not saved: {self.unsaved}. {newest}. "
            f"Free space on that disk, then go on: the same command with {run} resume=true"
        )

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


def interval(every: str | None) -> tuple[float, float]:
    """Parse `15min` or `20000pairs` into (seconds, pairs), the other one infinite.

    Raises:
        ValueError: it is neither, or 0.
    """
    if every is None:
        return float("inf"), float("inf")
    match = INTERVAL.fullmatch(every)
    if not match or not float(match[1]):
        raise ValueError(
            f"Expected `checkpoint_every` to be minutes or pairs seen, as 15min or 20000pairs, "
            f"or null, got {every!r}."
        )
    number = float(match[1])
    return (60 * number, float("inf")) if match[2] == "min" else (float("inf"), number)


def _link(source: Path, target: Path) -> None:
    """Give a checkpoint a second name; a copy where the file system has no hard links."""
    beside = target.with_name(f".{target.name}.tmp")
    beside.unlink(missing_ok=True)
    try:
        try:
            os.link(source, beside)
        except OSError:
            shutil.copyfile(source, beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)

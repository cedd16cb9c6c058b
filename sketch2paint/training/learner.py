"""What every module that train.py trains has in common, and what its callbacks know of it."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from sketch2paint.device import MemoryFormat
from sketch2paint.images.convert import to_rgb
from sketch2paint.models.description import in_full, planes_of
from sketch2paint.models.networks import channels_last
from sketch2paint.models.tasks import Plane

# A move of the average reads and writes all weights, up to 8 % of a step on a CPU. At 50 moves in
# a half-life it costs nothing, and the average is that of 50 weights instead of thousands.
MOVES_IN_HALFLIFE = 50


class Learner(pl.LightningModule, ABC):
    """Counts the pairs seen, averages the weights of what colours, and sets the learning rate.

    Args:
        lr: Learning rate.
        betas: Adam's betas.
        lr_decay: Share of the run, at its end, over which the learning rate falls linearly to 0.
        ema_kimg: Half-life of the weight average in thousands of pairs seen; 0: no average.
        seed: Seed of dropout.

    Attributes:
        trained: Name of the network that colours; the weight file holds it, or its average.
        losses: Names of a step's losses, the last of them the sum that is made small.
        metrics: Names of the validation's metrics.
        weights: Path of the weight file in the run folder.
        keys: Configuration keys that decide on the network, for errors.
        words: Number of regions that the data are to make words of at most; 0: none.
        palettes: Whether the data are to serve palettes with the words.
        pairs_seen: Training pairs seen, what progress is counted in.
        unaveraged: Pairs seen since the average was moved.
        memory_format: Order of weights and pictures in memory.
        parallel: Networks as a strategy wraps them to synchronise their gradients (trainer.py).

    Raises:
        ValueError: a parameter is out of its range.
    """

    trained: str
    losses: tuple[str, ...]
    metrics: tuple[str, ...]
    weights: str
    keys: str
    words, palettes = 0, False
    ema: nn.Module | None
    memory_format: MemoryFormat

    def __init__(
        self, *, lr: float, betas: Sequence[float], lr_decay: float, ema_kimg: float, seed: int
    ) -> None:
        super().__init__()
        check_number("lr", lr, above_zero=True)
        check_number("ema_kimg", ema_kimg)
        if not 0 <= lr_decay <= 1:
            raise ValueError(f"Expected `model.lr_decay` to be in [0, 1], got {lr_decay}.")
        if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(f"Expected `model.betas` to be two numbers in [0, 1), got {betas}.")
        self.lr, self.betas, self.lr_decay = lr, (betas[0], betas[1]), lr_decay
        self.ema_kimg, self.seed = ema_kimg, seed
        self.pairs_seen = 0  # Lightning's global_step counts every optimizer's
        self.unaveraged = 0
        self.parallel: tuple[nn.Module, ...] | None = None

    @property
    @abstractmethod
    def networks(self) -> tuple[nn.Module, ...]:
        """The networks that are trained."""

    @abstractmethod
    def about(self) -> dict[str, Any]:
        """Describe the network that colours for weight files."""

    @abstractmethod
    def read_weights(self, path: Path | str) -> nn.Module:
        """Read a network that `start_from` may take."""

    @abstractmethod
    def check_data(self, served: Sequence[Plane], style: Sequence[str] = ()) -> None:
        """Compare what the network is given with what the data serve.

        Raises:
            ValueError: the data do not serve it.
        """

    def pictures(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Columns that show what was learnt, (B, 1 or 3, H, W) in [-1, 1]: sketch, fake, real."""
        sketch = batch["sketch"]
        return sketch, to_rgb(sketch, self(batch)), to_rgb(sketch, batch["real"])

    def lay_out(self, memory_format: MemoryFormat) -> None:
        """Order weights and pictures in memory; to be called before there are optimizers."""
        self.memory_format = memory_format
        last = memory_format == "channels_last"
        layout = torch.channels_last if last else torch.contiguous_format
        self.to(memory_format=layout)  # type: ignore[call-overload]

    def _laid(self, x: Tensor) -> Tensor:
        return channels_last(x) if self.memory_format == "channels_last" else x.contiguous()

    def averaged(self) -> nn.Module | None:
        """A copy of the network to keep the average of its weights in; None: there is none."""
        if not self.ema_kimg:
            return None
        return copy.deepcopy(getattr(self, self.trained)).requires_grad_(False)

    def colouring(self) -> nn.Module:
        """The network that colours: the average, where there is one."""
        return getattr(self, self._kept())

    def count(self, batch: dict[str, Tensor]) -> None:
        """Count a step's pairs, and move the average."""
        pairs = len(batch["sketch"]) * self.trainer.world_size
        self.pairs_seen += pairs
        self.average(pairs)

    def draw_anew(self, number: int = 0) -> None:
        """Make dropout depend on (seed, pairs seen, rank): a resumed run draws the same numbers."""
        torch.manual_seed(_mixed(self.seed, self.pairs_seen, self.global_rank, number))

    def average(self, pairs: int) -> None:
        """Move the averaged weights towards the network's, if it is time, after a step.

        Args:
            pairs: Number of pairs in the step, which `pairs_seen` counts already.
        """
        self.unaveraged += pairs
        # The half-life grows with the run, or the first weights would stay in (EDM's ramp-up).
        halflife = min(self.ema_kimg * 1000, 0.05 * self.pairs_seen)
        if self.ema is not None and self.unaveraged * MOVES_IN_HALFLIFE >= halflife:
            self._move(self.ema, 1 - 0.5 ** (self.unaveraged / max(halflife, 1e-8)))
            self.unaveraged = 0

    @torch.no_grad()
    def _move(self, ema: nn.Module, share: float) -> None:
        # Batch norm's running statistics are averaged too: they belong to the weights.
        means, news = ema.state_dict(), getattr(self, self.trained).state_dict()
        for name, mean in means.items():
            mean.lerp_(news[name], share) if mean.is_floating_point() else mean.copy_(news[name])

    def current_lr(self) -> float:
        """The learning rate of this epoch: a function of the epoch, so resume cannot restart it."""
        if not self.lr_decay:
            return self.lr
        epochs = self.trainer.max_epochs or 0
        left = epochs - self.current_epoch  # 1 in the last epoch, which still learns
        return self.lr * min(1.0, left / (self.lr_decay * epochs + 1))

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Set this epoch's learning rate."""
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.current_lr()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the pairs seen, and what a reader needs to use the file as weights."""
        checkpoint["pairs_seen"] = self.pairs_seen
        checkpoint["unaveraged"] = self.unaveraged
        checkpoint["about"] = {**self.about(), "weights": self._kept()}

    def _kept(self) -> str:
        """Name of the network that is used for colouring."""
        return self.trained if self.ema is None else "ema"

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the counts of pairs.

        Raises:
            ValueError: the checkpoint is of another network, or not of this project.
        """
        theirs, ours = checkpoint.get("about"), self.about()
        if theirs is None or "pairs_seen" not in checkpoint:
            raise ValueError("Expected a checkpoint written by train.py, got another one.")
        theirs, ours = (
            {
                "format": about["format"],
                "task": about["task"],
                "planes": [list(plane) for plane in planes_of(about)],
                "style": about.get("style", []),
                **in_full(about),
                "ema_kimg > 0": kept == "ema",
            }
            for about, kept in ((theirs, theirs["weights"]), (ours, self._kept()))
        )
        if differing := [key for key in theirs | ours if theirs.get(key) != ours.get(key)]:
            raise ValueError(
                f"Expected the checkpoint's own {self.trained} to resume with, got other values: "
                + ", ".join(f"{key} {ours.get(key)} (was {theirs.get(key)})" for key in differing)
                + ". Pass the run's own keys, or start a new run with another name."
            )
        self.pairs_seen = checkpoint["pairs_seen"]
        self.unaveraged = checkpoint.get("unaveraged", 0)  # 0.1 moved it at each step

    def start_from(self, network: nn.Module) -> None:
        """Take over a network's weights to begin a new run with (fine-tuning).

        Raises:
            ValueError: it is built differently.
        """
        own: nn.Module = getattr(self, self.trained)
        theirs, ours = network.state_dict(), own.state_dict()
        differing = [
            key
            for key in sorted(theirs.keys() | ours.keys())
            if key not in theirs or key not in ours or theirs[key].shape != ours[key].shape
        ]
        if differing:
            raise ValueError(
                f"Expected weights of the same {self.trained}, got {len(differing)} differing "
                f"tensors ({', '.join(differing[:3])}, ...). Set {self.keys} as in the run the "
                "weights come from."
            )
        own.load_state_dict(theirs)
        if self.ema is not None:
            self.ema.load_state_dict(theirs)


def check_number(name: str, value: float, *, above_zero: bool = False) -> None:
    """See that `model.<name>` is a finite number of at least 0, or above it."""
    if not (value > 0 if above_zero else value >= 0):  # nor NaN
        least = "above 0" if above_zero else "to be at least 0"
        raise ValueError(f"Expected `model.{name}` {least}, got {value}.")
    if math.isinf(value):
        raise ValueError(f"Expected `model.{name}` to be finite, got {value}.")


def _mixed(*numbers: int) -> int:
    """One well mixed seed out of several numbers, of 64 bits."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def as_learner(module: pl.LightningModule) -> Learner:
    """What callbacks are given, as what it is."""
    assert isinstance(module, Learner)
    return module

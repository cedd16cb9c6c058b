"""Pix2Pix: one generator and one discriminator step for each batch (Isola et al. 2017)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.utilities.rank_zero import rank_zero_warn
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from sketch2paint.images.convert import to_rgb
from sketch2paint.models import weights
from sketch2paint.models.networks import PatchDiscriminator, UNetGenerator, channels_last
from sketch2paint.training.losses import (
    check_gan_mode,
    discriminator_loss,
    generator_loss,
    psnr_loss,
)

Optimizer = torch.optim.Optimizer | LightningOptimizer
Optimizers = tuple[Optimizer, Optimizer]  # of D, of G
Backward = Callable[..., None]
UPDATES = ("alternating", "simultaneous")
LOSSES = (
    "loss_D_fake",
    "loss_D_real",
    "loss_D",
    "loss_G_GAN",
    "loss_G_L1",
    "loss_G_PSNR",
    "loss_G",
)


class Pix2Pix(pl.LightningModule):
    """The conditional GAN of pix2pix with manual optimization.

    Args:
        task: sketch (line art to RGB) | photo (L to ab in CIE Lab).
        size: side of the training pictures in pixels.
        norm: batch | instance | none, in both networks.
        generator: keyword arguments of UNetGenerator besides size, out_channels and norm.
        discriminator: keyword arguments of PatchDiscriminator besides in_channels and norm.
        gan_mode: vanilla | lsgan | hinge.
        lambda_l1: weight of the L1 term (LAMBDA; paper: 100).
        lambda_psnr: weight of minus the PSNR in dB (paper: 0); loss_G_PSNR is below 0.
        lr: learning rate of both Adam optimizers.
        betas: Adam's betas (paper: 0.5 and 0.999).
        lr_decay: share of the run, at its end, over which the learning rates fall linearly to 0.
        update: alternating (paper: G learns from the D of the same step, already improved) |
            simultaneous (both from the networks as they were; one pass of D less).
        accumulate: parts that a batch is cut into, one after the other in memory; the gradients
            are those of the whole batch, unless batch norm mixes samples.
        ema_kimg: half-life of the generator's weight average in thousands of pairs seen (Karras
            et al. 2020), which validation and colouring use; 0: no average.
        seed: of dropout.

    Raises:
        ValueError: a parameter is out of its range.
    """

    def __init__(
        self,
        task: str = "sketch",
        size: int = 256,
        norm: str = "instance",
        generator: dict[str, Any] | None = None,
        discriminator: dict[str, Any] | None = None,
        gan_mode: str = "vanilla",
        lambda_l1: float = 100.0,
        lambda_psnr: float = 0.0,
        lr: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        lr_decay: float = 0.0,
        update: str = "alternating",
        accumulate: int = 1,
        ema_kimg: float = 10.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if task not in weights.OUT_CHANNELS:
            raise ValueError(f"Expected `model.task` to be sketch or photo, got {task!r}.")
        _check(gan_mode, lambda_l1, lambda_psnr, lr, betas, lr_decay, ema_kimg)
        _check_update(update, accumulate)
        betas = (betas[0], betas[1])
        self.save_hyperparameters()
        self.automatic_optimization = False
        fixed = {"size": size, "norm": norm, "out_channels": weights.OUT_CHANNELS[task]}
        self.task, self.generator_arguments = task, {**fixed, **(generator or {})}
        self.generator = UNetGenerator(**self.generator_arguments)
        channels = self.generator.in_channels + self.generator.out_channels
        self.discriminator = PatchDiscriminator(channels, norm=norm, **(discriminator or {}))
        _check_size(size, **(discriminator or {}))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema: UNetGenerator | None = None
        if ema_kimg:
            self.ema = copy.deepcopy(self.generator).requires_grad_(False)
        self.gan_mode, self.lambda_l1, self.lambda_psnr = gan_mode, lambda_l1, lambda_psnr
        self.lr, self.betas, self.lr_decay = lr, betas, lr_decay
        self.update, self.accumulate = update, accumulate
        self.ema_kimg, self.seed = ema_kimg, seed
        # Both networks as a strategy wraps them to synchronise their gradients (trainer.py).
        self.parallel: tuple[nn.Module, nn.Module] | None = None
        self.pairs_seen = 0  # what progress is counted in: Lightning's global_step counts twice
        self.psnr = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))  # mean over pictures
        self.ssim = StructuralSimilarityIndexMeasure(data_range=1.0)

    def forward(self, sketch: Tensor) -> Tensor:
        """Colour sketches with the averaged weights.

        Args:
            sketch: (B, 1, H, W) in [-1, 1].

        Returns:
            (B, 3, H, W) in [-1, 1]; deterministic in eval mode.
        """
        return (self.ema or self.generator)(channels_last(sketch))

    def on_fit_start(self) -> None:
        """Say where batch norm does not see the whole batch."""
        batch_norm = self.generator_arguments["norm"] == "batch"
        if batch_norm and self.accumulate > 1:
            rank_zero_warn(
                f"Batch norm sees each of the model.accumulate={self.accumulate} parts of a batch "
                "alone: the step is not that of the whole batch. Pass model.norm=instance."
            )
        if batch_norm and self.trainer.world_size > 1 and self.device.type == "cpu":
            rank_zero_warn(
                "Batch norm is synchronised between processes on CUDA only: on the CPU each "
                "process normalises its own part of the batch. Pass model.norm=instance."
            )

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """One step of both networks; returns the seven detached losses."""
        optimizer_d, optimizer_g = self.optimizers()  # type: ignore[misc, attr-defined]
        losses = self.gan_step(
            batch["sketch"], batch["real"], optimizer_d, optimizer_g, self.manual_backward
        )
        pairs = len(batch["sketch"]) * self.trainer.world_size
        self.pairs_seen += pairs
        self.average(pairs)
        self.log_dict(losses, prog_bar=True)
        self.log("step", float(self.pairs_seen))  # Lightning takes this as the logger's axis
        return losses

    def gan_step(
        self,
        sketch: Tensor,
        real: Tensor,
        optimizer_d: Optimizer,
        optimizer_g: Optimizer,
        backward: Backward = Tensor.backward,
    ) -> dict[str, Tensor]:
        """Update both networks once.

        Args:
            sketch: (B, 1, H, W) in [-1, 1].
            real: (B, 3, H, W) in [-1, 1].
            optimizer_d: of the discriminator.
            optimizer_g: of the generator.
            backward: called as `Tensor.backward` is; Lightning scales and synchronises in its own.

        Returns:
            The seven detached losses.
        """
        optimizers = optimizer_d, optimizer_g
        step = self._alternating if self.update == "alternating" else self._simultaneous
        losses = step(channels_last(sketch), channels_last(real), optimizers, backward)
        of_d, of_g = losses.detach().split([2, 3])  # fake, real; GAN, L1, PSNR
        values = (*of_d, of_d.mean(), *of_g, of_g.sum())
        return dict(zip(LOSSES, values, strict=True))

    def _alternating(
        self, sketch: Tensor, real: Tensor, optimizers: Optimizers, backward: Backward
    ) -> Tensor:
        """D on fake and real, then G against the new D; the five losses."""
        optimizer_d, optimizer_g = optimizers
        parts = list(zip(sketch.chunk(self.accumulate), real.chunk(self.accumulate), strict=True))
        shares = [len(part) / len(sketch) for part, _ in parts]
        fake, losses = sketch, torch.zeros(5, device=sketch.device)

        # Backward and step of one optimizer belong together: under fp16 Lightning updates the one
        # GradScaler after each optimizer step, so a later backward uses the new scale.
        optimizer_d.zero_grad(set_to_none=True)
        for number, ((part, truth), share) in enumerate(zip(parts, shares, strict=True)):
            with torch.set_grad_enabled(len(parts) == 1):  # else each is made again for G
                fake = self._fake(part, number)
            logits = self._judge(part, fake.detach()), self._judge(part, truth)
            loss_d = share * self._losses_d(*logits)  # (2,)
            backward(loss_d.mean())  # of the two: that slows D down, as the paper does (3.3)
            losses[:2] += loss_d.detach()
        optimizer_d.step()

        # D's weights take no gradient here.
        self.discriminator.requires_grad_(False)
        optimizer_g.zero_grad(set_to_none=True)
        for number, ((part, truth), share) in enumerate(zip(parts, shares, strict=True)):
            fake = fake if len(parts) == 1 else self._fake(part, number)
            loss_g = share * self._losses_g(self.discriminator(part, fake), fake, truth)  # (3,)
            backward(loss_g.sum())
            losses[2:] += loss_g.detach()
        optimizer_g.step()
        self.discriminator.requires_grad_(True)
        return losses

    def _simultaneous(
        self, sketch: Tensor, real: Tensor, optimizers: Optimizers, backward: Backward
    ) -> Tensor:
        """G and D against each other as they were; D judges the fake once; the five losses."""
        optimizer_d, optimizer_g = optimizers
        fake = self._fake(sketch, 0)
        logits = self._judge(sketch, fake)
        loss_g = self._losses_g(logits, fake, real)
        optimizer_g.zero_grad(set_to_none=True)
        backward(loss_g.sum(), inputs=list(self.generator.parameters()), retain_graph=True)
        optimizer_g.step()

        loss_d = self._losses_d(logits, self._judge(sketch, real))
        optimizer_d.zero_grad(set_to_none=True)
        backward(loss_d.mean(), inputs=list(self.discriminator.parameters()))
        optimizer_d.step()
        return torch.cat([loss_d, loss_g])

    def _fake(self, sketch: Tensor, number: int) -> Tensor:
        """What G makes of one part of a batch."""
        generator = self.parallel[0] if self.parallel else self.generator
        # Dropout is a function of (seed, pairs seen, rank): a resumed run draws what it would have.
        torch.manual_seed(_mixed(self.seed, self.pairs_seen, self.global_rank, number))
        return generator(sketch)  # (B, 3, H, W)

    def _judge(self, sketch: Tensor, picture: Tensor) -> Tensor:
        """Logits of D for its own update, (B, 1, h, w)."""
        discriminator = self.parallel[1] if self.parallel else self.discriminator
        return discriminator(sketch, picture)

    def _losses_d(self, fake: Tensor, real: Tensor) -> Tensor:
        """The losses of D by its logits of fake and real, (2,)."""
        losses = [
            discriminator_loss(logits, is_real, self.gan_mode)
            for logits, is_real in ((fake, False), (real, True))
        ]
        return torch.stack(losses)

    def _losses_g(self, logits: Tensor, fake: Tensor, real: Tensor) -> Tensor:
        """The losses of G: to fool D, and to stay near the truth in two measures, (3,)."""
        gan = generator_loss(logits, self.gan_mode)
        l1 = self.lambda_l1 * F.l1_loss(fake.float(), real)
        psnr = self.lambda_psnr * psnr_loss(fake, real) if self.lambda_psnr else l1.new_zeros(())
        return torch.stack([gan, l1, psnr])

    @torch.no_grad()
    def average(self, pairs: int) -> None:
        """Move the averaged weights towards the generator's, after a step on `pairs` pairs."""
        if self.ema is None:
            return
        # The half-life grows with the run, or the first weights would stay in (EDM's ramp-up).
        halflife = min(self.ema_kimg * 1000, 0.05 * self.pairs_seen)
        share = 1 - 0.5 ** (pairs / max(halflife, 1e-8))
        # Batch norm's running statistics are averaged too: they belong to the weights.
        means, news = self.ema.state_dict(), self.generator.state_dict()
        for name, mean in means.items():
            mean.lerp_(news[name], share) if mean.is_floating_point() else mean.copy_(news[name])

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Compare the coloured validation sketches with the truth."""
        sketch = batch["sketch"]
        fake = self(sketch).float()
        # Metrics are of [0, 1], and of float32: SSIM subtracts squares, which takes all 24 bits.
        with torch.autocast(self.device.type, enabled=False):
            fake = (to_rgb(sketch, fake) + 1) / 2
            real = (to_rgb(sketch, batch["real"]) + 1) / 2
            self.psnr.update(fake, real)
            self.ssim.update(fake, real)
        self.log("val/psnr", self.psnr, prog_bar=True)
        self.log("val/ssim", self.ssim, prog_bar=True)
        self.log("step", float(self.pairs_seen), sync_dist=True)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for D, then Adam for G."""
        optimizers: list[torch.optim.Optimizer] = [
            torch.optim.Adam(network.parameters(), lr=self.lr, betas=self.betas, fused=True)
            for network in (self.discriminator, self.generator)
        ]
        for optimizer in optimizers:
            optimizer.register_load_state_dict_post_hook(_lie_as_weights_do)
        return optimizers

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

    def about(self) -> dict[str, Any]:
        """Describe the generator for weight files."""
        return weights.describe(self.generator_arguments, self.task)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the pairs seen, and what a reader needs to use the file as weights."""
        checkpoint["pairs_seen"] = self.pairs_seen
        checkpoint["about"] = {**self.about(), "weights": self._kept()}

    def _kept(self) -> str:
        """The network that is used for colouring."""
        return "generator" if self.ema is None else "ema"

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the count of pairs seen.

        Raises:
            ValueError: the checkpoint is of another generator, or not of this project.
        """
        theirs, ours = checkpoint.get("about"), self.about()
        if theirs is None or "pairs_seen" not in checkpoint:
            raise ValueError("Expected a checkpoint written by train.py, got another one.")
        theirs, ours = (
            {
                "task": about["task"],
                **about["generator"],
                "ema_kimg > 0": kept == "ema",
            }
            for about, kept in ((theirs, theirs["weights"]), (ours, self._kept()))
        )
        if differing := [key for key in theirs | ours if theirs.get(key) != ours.get(key)]:
            raise ValueError(
                "Expected the checkpoint's own generator to resume with, got other values: "
                + ", ".join(f"{key} {ours.get(key)} (was {theirs.get(key)})" for key in differing)
                + ". Pass the run's own keys, or start a new run with another name."
            )
        self.pairs_seen = checkpoint["pairs_seen"]

    def start_from(self, generator: UNetGenerator) -> None:
        """Take over a generator's weights to begin a new run with (fine-tuning).

        Raises:
            ValueError: it is built differently.
        """
        theirs, ours = generator.state_dict(), self.generator.state_dict()
        differing = [
            key
            for key in sorted(theirs.keys() | ours.keys())
            if key not in theirs or key not in ours or theirs[key].shape != ours[key].shape
        ]
        if differing:
            raise ValueError(
                f"Expected weights of the same generator, got {len(differing)} differing tensors "
                f"({', '.join(differing[:3])}, ...). Set model.generator.*, model.norm and "
                "data.size as in the run the weights come from."
            )
        self.generator.load_state_dict(theirs)
        if self.ema is not None:
            self.ema.load_state_dict(theirs)


def _lie_as_weights_do(optimizer: torch.optim.Optimizer) -> None:
    """Order moments in memory as their weights: fused Adam walks through both, and mixes them up.

    A checkpoint keeps the order that it was written with.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if torch.is_tensor(value) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _mixed(*numbers: int) -> int:
    """One well mixed seed out of several numbers, of 64 bits."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])


def as_pix2pix(module: pl.LightningModule) -> Pix2Pix:
    """What callbacks are given, as what it is."""
    assert isinstance(module, Pix2Pix)
    return module


def _check(
    gan_mode: str,
    lambda_l1: float,
    lambda_psnr: float,
    lr: float,
    betas: tuple[float, float],
    lr_decay: float,
    ema_kimg: float,
) -> None:
    check_gan_mode(gan_mode)
    for name, value in (
        ("lambda_l1", lambda_l1),
        ("lambda_psnr", lambda_psnr),
        ("ema_kimg", ema_kimg),
    ):
        if not value >= 0:  # nor NaN
            raise ValueError(f"Expected `model.{name}` to be at least 0, got {value}.")
    if not lr > 0:
        raise ValueError(f"Expected `model.lr` above 0, got {lr}.")
    if not 0 <= lr_decay <= 1:
        raise ValueError(f"Expected `model.lr_decay` to be in [0, 1], got {lr_decay}.")
    if len(betas) != 2 or not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"Expected `model.betas` to be two numbers in [0, 1), got {betas}.")


def _check_update(update: str, accumulate: int) -> None:
    if update not in UPDATES:
        raise ValueError(
            f"Expected `model.update` to be one of {', '.join(UPDATES)}, got {update!r}."
        )
    if accumulate < 1:
        raise ValueError(f"Expected `model.accumulate` to be at least 1, got {accumulate}.")
    if accumulate > 1 and update == "simultaneous":
        raise ValueError(
            "Expected `model.accumulate` to be 1 with model.update=simultaneous, got "
            f"{accumulate}. Pass model.update=alternating."
        )


def _check_size(size: int, layers: int = 3, **_: Any) -> None:
    if size < 4 * 2**layers:
        raise ValueError(
            f"Expected `size` to be at least {4 * 2**layers} for a discriminator with {layers} "
            f"layers, got {size}. Pass a larger data.size or fewer model.discriminator.layers."
        )

"""Pix2Pix: one generator and one discriminator step for each batch (Isola et al. 2017)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
import torch.nn.functional as F
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.utilities.rank_zero import rank_zero_warn
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from sketch2paint.arguments import one_of
from sketch2paint.images.convert import to_rgb
from sketch2paint.models.description import describe
from sketch2paint.models.networks import Norm, PatchDiscriminator, UNetGenerator
from sketch2paint.models.tasks import (
    Plane,
    TaskName,
    as_planes,
    channels_of,
    stack,
    task_of,
)
from sketch2paint.models.weights import GENERATOR, load_generator
from sketch2paint.training.learner import Learner, check_number
from sketch2paint.training.losses import (
    GanMode,
    discriminator_loss,
    generator_loss,
    psnr_loss,
)

Optimizer = torch.optim.Optimizer | LightningOptimizer
Optimizers = tuple[Optimizer, Optimizer]  # of D, of G
Backward = Callable[..., None]
Losses = Mapping[str, Tensor]
Update = Literal["alternating", "simultaneous"]
OF_THE_RUN = ("size", "norm", "in_channels", "out_channels", "style_channels")  # not G's own keys
TERMS_G = ("loss_G_GAN", "loss_G_L1", "loss_G_PSNR")
LOSSES = ("loss_D_fake", "loss_D_real", "loss_D", *TERMS_G, "loss_G")  # as they are logged


class Pix2Pix(Learner):
    """The conditional GAN of pix2pix with manual optimization.

    Args:
        task: sketch (line art to RGB) | photo (L to ab in CIE Lab).
        size: Side of the training pictures in pixels.
        norm: Norm of both networks: batch | instance | none.
        generator: Keyword arguments of UNetGenerator besides OF_THE_RUN.
        discriminator: Keyword arguments of PatchDiscriminator besides in_channels and norm.
        discriminator_planes: Names of the planes that D sees beside the picture (paper: all that G
            is given, the sketch); without any it is unconditional.
        planes: Planes that G is given, (name, channels, empty) each, as the data serve them; None:
            the task's own.
        style: Names of the numbers of the style code that G is given, as the data serve them.
        gan_mode: vanilla | lsgan | hinge.
        lambda_l1: Weight of the L1 term (LAMBDA; paper: 100).
        lambda_psnr: Weight of minus the PSNR in dB (paper: 0); loss_G_PSNR is below 0.
        lr: Learning rate of both Adam optimizers.
        betas: Adam's betas (paper: 0.5 and 0.999).
        lr_decay: Share of the run, at its end, over which the learning rates fall linearly to 0.
        update: alternating (paper: G learns from the D of the same step, already improved) |
            simultaneous (both from the networks as they were; one pass of D less).
        accumulate: Parts that a batch is cut into, one after the other in memory; the gradients
            are those of the whole batch, unless batch norm mixes samples.
        ema_kimg: Half-life of the generator's weight average in thousands of pairs seen (Karras
            et al. 2020), which validation and colouring use; 0: no average. It is moved at most 50
            times in a half-life.
        seed: Seed of dropout.

    Raises:
        ValueError: a parameter is out of its range.
    """

    trained, weights, losses = "generator", GENERATOR, LOSSES
    metrics = ("val/psnr", "val/ssim")
    keys = "model.generator.*, model.norm, data.size, data.flats and data.style"
    generator: UNetGenerator
    ema: UNetGenerator | None

    def __init__(
        self,
        *,
        task: TaskName = "sketch",
        size: int = 256,
        norm: Norm = "instance",
        generator: dict[str, Any] | None = None,
        discriminator: dict[str, Any] | None = None,
        discriminator_planes: Sequence[str] = ("sketch",),
        planes: Sequence[Any] | None = None,
        style: Sequence[str] = (),
        gan_mode: GanMode = "vanilla",
        lambda_l1: float = 100.0,
        lambda_psnr: float = 0.0,
        lr: float = 2e-4,
        betas: tuple[float, float] = (0.5, 0.999),
        lr_decay: float = 0.0,
        update: Update = "alternating",
        accumulate: int = 1,
        ema_kimg: float = 10.0,
        seed: int = 0,
    ) -> None:
        super().__init__(lr=lr, betas=betas, lr_decay=lr_decay, ema_kimg=ema_kimg, seed=seed)
        one_of("model.task", task, TaskName)
        one_of("model.gan_mode", gan_mode, GanMode)
        check_number("lambda_l1", lambda_l1)
        check_number("lambda_psnr", lambda_psnr)
        _check_update(update, accumulate)
        betas = (betas[0], betas[1])
        given = as_planes(planes, "`planes`") if planes else task_of(task).planes
        planes, discriminator_planes = [list(plane) for plane in given], [*discriminator_planes]
        style = [*style]
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.task, self.planes, self.style = task_of(task), given, style
        self.judged_planes = _chosen(discriminator_planes, given)
        self.generator_arguments = {
            "size": size,
            "norm": norm,
            "in_channels": channels_of(given),
            "out_channels": self.task.out_channels,
            "style_channels": len(style),
            **_own(generator, "generator", OF_THE_RUN),
        }
        self.generator = UNetGenerator(**self.generator_arguments)
        arguments = _own(discriminator, "discriminator", ("in_channels", "norm"))
        channels = channels_of(self.judged_planes) + self.task.out_channels
        self.discriminator = PatchDiscriminator(channels, norm=norm, **arguments)
        _check_size(size, **arguments)
        self.ema = self.averaged()  # type: ignore[assignment]
        self.lay_out("channels_last")
        self.gan_mode, self.lambda_l1, self.lambda_psnr = gan_mode, lambda_l1, lambda_psnr
        self.update, self.accumulate = update, accumulate
        self.psnr = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))  # mean over pictures
        self.ssim = StructuralSimilarityIndexMeasure(data_range=1.0)

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """G and D."""
        return self.generator, self.discriminator

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Colour sketches with the averaged weights.

        Args:
            batch: `sketch` (B, 1, H, W) in [-1, 1], and what else the generator is given.

        Returns:
            (B, 3, H, W) in [-1, 1]; deterministic in eval mode.
        """
        planes, *style = self._given(batch)
        return (self.ema or self.generator)(self._laid(planes), *style)

    def check_data(self, served: Sequence[Plane], style: Sequence[str] = ()) -> None:
        """Compare what the generator is given with what the data serve.

        Args:
            served: Planes of the data's batches.
            style: Names of the numbers of their `style`; none: they have none.

        Raises:
            ValueError: the generator is given a plane that the data do not serve, or another style.
        """
        for plane in self.planes:
            if plane not in served:
                there = ", ".join(f"{p.name} of {p.channels}" for p in served)
                raise ValueError(
                    f"Expected data that serve the plane `{plane.name}` of {plane.channels} "
                    f"channels (empty: {plane.empty}), got {there}. Pass the data keys of the run "
                    "that the model is of."
                )
        if self.style and self.style != [*style]:
            raise ValueError(
                f"Expected data that serve the style {', '.join(self.style)}, got "
                f"{', '.join(style) or 'none'}. Pass the data keys of the run that the model is of."
            )

    def on_fit_start(self) -> None:
        """See that the data fit, and say where batch norm does not see the whole batch."""
        data = self.trainer.datamodule  # type: ignore[attr-defined]
        if hasattr(data, "planes"):
            self.check_data(data.planes, data.style)
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
        """One step of both networks; returns the detached losses by their names."""
        losses = self.gan_step(batch, self.optimizers(), self.manual_backward)  # type: ignore[arg-type]
        self.count(batch)
        self.log_dict(losses, prog_bar=True)
        self.log("step", float(self.pairs_seen))  # Lightning takes this as the logger's axis
        return losses

    def gan_step(
        self,
        batch: Mapping[str, Tensor],
        optimizers: Optimizers,
        backward: Backward = Tensor.backward,
    ) -> dict[str, Tensor]:
        """Update both networks once.

        Args:
            batch: `sketch` (B, 1, H, W) and `real` (B, 3, H, W) in [-1, 1], further planes and
                `style` (B, N) where the generator takes them; what nobody knows is passed on.
            optimizers: Optimizer of the discriminator, and of the generator.
            backward: Called as `Tensor.backward` is; Lightning scales and synchronises in its own.

        Returns:
            The detached losses by their names, in the order of LOSSES.
        """
        step = self._alternating if self.update == "alternating" else self._simultaneous
        found = step(
            {k: self._laid(v) if v.ndim == 4 else v for k, v in batch.items()},
            optimizers,
            backward,
        )
        found = {name: loss.detach() for name, loss in found.items()}
        found["loss_D"] = (found["loss_D_fake"] + found["loss_D_real"]) / 2
        found["loss_G"] = torch.stack([found[name] for name in TERMS_G]).sum()
        return {name: found[name] for name in LOSSES}

    def _alternating(
        self, batch: Mapping[str, Tensor], optimizers: Optimizers, backward: Backward
    ) -> Losses:
        """D on fake and real, then G against the new D; the losses of both."""
        optimizer_d, optimizer_g = optimizers
        parts = _chunks(batch, self.accumulate)
        shares = [len(part["sketch"]) / len(batch["sketch"]) for part in parts]
        fake, losses = batch["sketch"], dict[str, Tensor]()

        # Backward and step of one optimizer belong together: under fp16 Lightning updates the one
        # GradScaler after each optimizer step, so a later backward uses the new scale.
        optimizer_d.zero_grad(set_to_none=True)
        for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
            with torch.set_grad_enabled(len(parts) == 1):  # else each is made again for G
                fake = self._fake(part, number)
            logits = self._judge(part, fake.detach()), self._judge(part, part["real"])
            loss_d = {name: share * loss for name, loss in self._losses_d(*logits).items()}
            # Halved: that slows D down, as the paper does (3.3).
            backward((loss_d["loss_D_fake"] + loss_d["loss_D_real"]) / 2)
            _add(losses, loss_d)
        optimizer_d.step()

        # D's weights take no gradient here.
        self.discriminator.requires_grad_(False)
        optimizer_g.zero_grad(set_to_none=True)
        for number, (part, share) in enumerate(zip(parts, shares, strict=True)):
            fake = fake if len(parts) == 1 else self._fake(part, number)
            logits_of_fake = self.discriminator(stack(part, self.judged_planes), fake)
            loss_g = self._losses_g(logits_of_fake, fake, part["real"])
            loss_g = {name: share * loss for name, loss in loss_g.items()}
            backward(_sum(loss_g))
            _add(losses, loss_g)
        optimizer_g.step()
        self.discriminator.requires_grad_(True)
        return losses

    def _simultaneous(
        self, batch: Mapping[str, Tensor], optimizers: Optimizers, backward: Backward
    ) -> Losses:
        """G and D against each other as they were; D judges the fake once; the losses of both."""
        optimizer_d, optimizer_g = optimizers
        fake = self._fake(batch, 0)
        logits = self._judge(batch, fake)
        loss_g = self._losses_g(logits, fake, batch["real"])
        optimizer_g.zero_grad(set_to_none=True)
        backward(_sum(loss_g), inputs=list(self.generator.parameters()), retain_graph=True)
        optimizer_g.step()

        loss_d = self._losses_d(logits, self._judge(batch, batch["real"]))
        optimizer_d.zero_grad(set_to_none=True)
        backward(_sum(loss_d) / 2, inputs=list(self.discriminator.parameters()))
        optimizer_d.step()
        return {**loss_d, **loss_g}

    def _fake(self, batch: Mapping[str, Tensor], number: int) -> Tensor:
        """What G makes of one part of a batch."""
        generator = self.parallel[0] if self.parallel else self.generator
        self.draw_anew(number)
        return generator(*self._given(batch))  # (B, 3, H, W)

    def _given(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """What G is given of a batch: its planes, and the style where it takes one."""
        planes = stack(batch, self.planes)
        return (planes, batch["style"]) if self.generator.style_channels else (planes,)

    def _judge(self, batch: Mapping[str, Tensor], picture: Tensor) -> Tensor:
        """Logits of D for its own update, (B, 1, h, w)."""
        discriminator = self.parallel[1] if self.parallel else self.discriminator
        return discriminator(stack(batch, self.judged_planes), picture)

    def _losses_d(self, fake: Tensor, real: Tensor) -> Losses:
        """The losses of D by its logits of fake and real."""
        return {
            "loss_D_fake": discriminator_loss(fake, False, self.gan_mode),
            "loss_D_real": discriminator_loss(real, True, self.gan_mode),
        }

    def _losses_g(self, logits: Tensor, fake: Tensor, real: Tensor) -> Losses:
        """The losses of G: to fool D, and to stay near the true colours in two measures."""
        l1 = self.lambda_l1 * F.l1_loss(fake.float(), real)
        psnr = self.lambda_psnr * psnr_loss(fake, real) if self.lambda_psnr else l1.new_zeros(())
        return {
            "loss_G_GAN": generator_loss(logits, self.gan_mode),
            "loss_G_L1": l1,
            "loss_G_PSNR": psnr,
        }

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Compare the coloured validation sketches with the truth."""
        sketch = batch["sketch"]
        fake = self(batch).float()
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

    def about(self) -> dict[str, Any]:
        """Describe the generator for weight files."""
        return describe(self.generator_arguments, self.task.name, self.planes, style=self.style)

    def read_weights(self, path: Path | str) -> UNetGenerator:
        """Read a generator that `start_from` may take."""
        return load_generator(path)[0]


def _chunks(batch: Mapping[str, Tensor], parts: int) -> list[dict[str, Tensor]]:
    """A batch cut into parts of samples, as `Tensor.chunk` does."""
    cut = {name: tensor.chunk(parts) for name, tensor in batch.items()}
    return [dict(zip(cut, tensors, strict=True)) for tensors in zip(*cut.values(), strict=True)]


def _sum(losses: Losses) -> Tensor:
    return torch.stack([*losses.values()]).sum()


def _add(sums: dict[str, Tensor], losses: Losses) -> None:
    for name, loss in losses.items():
        sums[name] = sums[name] + loss.detach() if name in sums else loss.detach()


def _chosen(names: Iterable[str], planes: Sequence[Plane]) -> tuple[Plane, ...]:
    """The planes of these names."""
    by_name = {plane.name: plane for plane in planes}
    if unknown := [name for name in names if name not in by_name]:
        raise ValueError(
            f"Expected `model.discriminator_planes` to be names out of {', '.join(by_name)}, which "
            f"the generator is given, got {unknown[0]!r}."
        )
    return tuple(by_name[name] for name in names)


def _own(arguments: dict[str, Any] | None, node: str, fixed: Sequence[str]) -> dict[str, Any]:
    """A network's own arguments; those that the rest of the run decides on are refused."""
    for name in fixed:
        if name in (arguments or {}):
            raise ValueError(
                f"Expected no `model.{node}.{name}`: the task, the data's planes and the other "
                "keys of the model decide on it. Leave it out."
            )
    return {**(arguments or {})}


def _lie_as_weights_do(optimizer: torch.optim.Optimizer) -> None:
    """Order moments in memory as their weights: fused Adam walks through both, and mixes them up.

    A checkpoint keeps the order that it was written with.
    """
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if torch.is_tensor(value) and value.shape == parameter.shape:
                state[name] = torch.empty_like(parameter).copy_(value)


def _check_update(update: str, accumulate: int) -> None:
    one_of("model.update", update, Update)
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

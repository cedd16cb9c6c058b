"""Training a region network: the true colours of each region, given some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from sketch2paint.images.convert import rgb_to_lab, to_float, to_uint8
from sketch2paint.images.layer import CLEAR
from sketch2paint.models.answer import TEMPERATURE, mix
from sketch2paint.models.description import describe_regions
from sketch2paint.models.region_network import RegionNetwork, Reply
from sketch2paint.models.tasks import SKETCH, Plane, as_planes
from sketch2paint.models.weights import REGION_NETWORK, load_region_network
from sketch2paint.training.learner import Learner, check_number

SMOOTHING = 1e-3  # added to each colour's frequency
MEMORY = 0.01  # of what was seen lately is forgotten with 64 pairs
SURE = 1e-5  # least share of a colour, or a single wrong pixel would be all that counts
TOLD = ("about", "pairs", "known", "given")  # what a batch tells of words
PALETTE = ("palette", "portions")  # and of colours without a place


class RegionColours(Learner):
    """Teaches a region network what colours regions have and which of them are one object.

    Args:
        planes: Planes that the data serve, (name, channels, empty) each; None: the sketch alone.
        style: Names of the numbers of a style code that the data serve, of which it can take none.
        size: Side of the training pictures in pixels.
        words: Number of regions of a picture that become words at most, the largest ones.
        network: Keyword arguments of RegionNetwork besides size.
        lambda_same: Weight of the loss of "one object" beside that of the colours.
        rebalance: Strength tau of the logit adjustment: in the loss the share of each named colour
            is multiplied by its frequency to this power, so that the network itself need not prefer
            what is common (Menon et al. 2021, "Long-tail learning via logit adjustment", Eq. 10;
            here with a running frequency, and copied colours are left alone). 0: none; 1: as if all
            colours were equally frequent.
        lr: Learning rate of AdamW.
        betas: AdamW's betas.
        weight_decay: AdamW's weight decay.
        warmup: Number of pairs over which the learning rate grows from 0.
        lr_decay: Share of the run, at its end, over which the learning rate falls linearly to 0.
        clip: Largest norm of the gradient.
        ema_kimg: Half-life of the weight average in thousands of pairs seen; 0: no average. It is
            moved at most 50 times in a half-life.
        seed: Seed of dropout.

    Raises:
        ValueError: a parameter is out of its range, or the data are photographs.
    """

    trained, weights = "network", REGION_NETWORK
    losses = ("loss_words", "loss_same", "loss")
    metrics: tuple[str, ...] = ("val/psnr", "val/psnr_hinted", "val/ssim")
    keys = "model.network.* and data.size"
    network: RegionNetwork
    ema: RegionNetwork | None
    seen: Tensor

    def __init__(
        self,
        *,
        planes: Sequence[Any] | None = None,
        style: Sequence[str] = (),
        size: int = 256,
        words: int = 64,
        network: dict[str, Any] | None = None,
        lambda_same: float = 0.1,
        rebalance: float = 0.0,
        lr: float = 7e-4,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 0.02,
        warmup: int = 2000,
        lr_decay: float = 0.5,
        clip: float = 1.0,
        ema_kimg: float = 10.0,
        seed: int = 0,
    ) -> None:
        super().__init__(lr=lr, betas=betas, lr_decay=lr_decay, ema_kimg=ema_kimg, seed=seed)
        if words < 1:
            raise ValueError(f"Expected `model.words` to be at least 1, got {words}.")
        check_number("clip", clip, above_zero=True)
        for name, value in (
            ("lambda_same", lambda_same),
            ("rebalance", rebalance),
            ("weight_decay", weight_decay),
            ("warmup", warmup),
        ):
            check_number(name, value)
        self.check_data(as_planes(planes, "`planes`") if planes else SKETCH.planes, style)
        if "size" in (network or {}):
            raise ValueError(
                "Expected no `model.network.size`: data.size decides on it. Leave it out."
            )
        self.save_hyperparameters(ignore=["planes", "style"])
        self.arguments = {"size": size, **(network or {})}
        self.network = RegionNetwork(**self.arguments)
        self.words, self.palettes = words, self.network.palettes
        if self.palettes:
            self.metrics = (*self.metrics, "val/psnr_palette")
        self.told = TOLD + PALETTE * self.palettes
        self.lambda_same, self.clip, self.rebalance = lambda_same, clip, rebalance
        self.weight_decay, self.warmup = weight_decay, warmup
        self.ema = self.averaged()  # type: ignore[assignment]
        self.lay_out("channels_last")
        # How much of each colour was seen lately, in training.
        self.register_buffer("seen", torch.zeros(len(self.network.colours)), persistent=False)
        self.register_buffer("nearest", torch.zeros(0, dtype=torch.long), persistent=False)
        self.psnr = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))  # mean over pictures
        self.psnr_hinted = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))
        self.psnr_palette = PeakSignalNoiseRatio(data_range=1.0, dim=(1, 2, 3))
        self.ssim = StructuralSimilarityIndexMeasure(data_range=1.0)

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """The region network."""
        return (self.network,)

    def about(self) -> dict[str, Any]:
        """Describe the network for weight files."""
        return describe_regions(self.arguments)

    def read_weights(self, path: Path | str) -> RegionNetwork:
        """Read a region network that `start_from` may take."""
        return load_region_network(path)[0]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what was seen to the counts of pairs."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["seen"] = self.seen.clone()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the counts of pairs and what was seen, which older checkpoints do not know."""
        super().on_load_checkpoint(checkpoint)
        self.seen.copy_(checkpoint.get("seen", self.seen))

    def check_data(self, served: Sequence[Plane], style: Sequence[str] = ()) -> None:
        """See that the data are line drawings without a style.

        Raises:
            ValueError: they are photographs, or have one.
        """
        if served[0] != SKETCH.planes[0]:
            raise ValueError(
                "Expected data of line drawings for model=regions, as photographs have no regions "
                "between lines, got the task photo. Pass data.task=sketch, or model=pix2pix."
            )
        if style:
            raise ValueError(
                "Expected data without a style for model=regions, which takes none, got "
                "data.style=true. Leave it out, or pass model=pix2pix."
            )

    def on_fit_start(self) -> None:
        """Choose the colours that the network names, once for each run."""
        if not self.network.colours.any():
            data = self.trainer.datamodule  # type: ignore[attr-defined]
            chosen = to_float(torch.from_numpy(data.colours(len(self.network.colours))))
            for network in (self.network, self.colouring()):
                network.colours.copy_(chosen)  # type: ignore[operator,union-attr]
        self.nearest = nearest_of_all(self.network.colours)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> dict[str, Tensor]:
        """The losses of a batch by their names; Lightning makes the last one small."""
        self.draw_anew()
        network = self.parallel[0] if self.parallel else self.network
        reply = network(
            self._laid(batch["sketch"]),
            labels=batch["places"].long(),
            **{name: batch[name] for name in self.told},
        )
        losses = self.losses_of(reply, batch)
        self.count(batch)
        self.log_dict(losses, prog_bar=True)
        self.log("step", float(self.pairs_seen))  # Lightning takes this as the logger's axis
        return losses

    def losses_of(self, reply: Reply, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Losses of what the network said, scalars by their names.

        Args:
            reply: Shares and kinship of the words.
            batch: `sketch`, `real` and what `WordDataset` tells.
        """
        counts = self._histograms(batch, reply.shares.shape[1])  # (B, N, K)
        area = counts.sum(2)
        true = counts / area.clamp(min=1)[..., None]
        # A known word's colour, or a palette's, is as good as the nearest one that has a name.
        sources = torch.cat([batch[name] for name in self.told if name in ("given", "palette")], 1)
        bins = self._bins(sources)[:, None].expand(-1, area.shape[1], -1)
        named, copied = reply.shares.split([counts.shape[2], sources.shape[1]], dim=2)
        weight = area.sqrt() * ~batch["known"]
        if self.training:
            self._see((weight[..., None] * true).sum((0, 1)), pairs=len(area))
        share = self._rebalanced(named).scatter_add(2, bins, copied)
        surprise = -(true * (share + SURE).log()).sum(2)
        words = (weight * surprise).sum() / weight.sum().clamp(min=1)
        same = _loss_same(reply.same, true=true, area=area, pairs=batch["pairs"])
        return {"loss_words": words, "loss_same": same, "loss": words + self.lambda_same * same}

    def _see(self, colours: Tensor, pairs: int) -> None:
        """Count a batch's colours (K,), those of all processes."""
        if self.parallel:
            torch.distributed.all_reduce(colours)
            pairs *= torch.distributed.get_world_size()
        self.seen.mul_((1 - MEMORY) ** (pairs / 64)).add_(colours)

    def _rebalanced(self, named: Tensor) -> Tensor:
        """Shares of named colours (B, N, K), each times its frequency to the power of rebalance."""
        frequency = self.seen / self.seen.sum().clamp(min=1) + SMOOTHING
        adjusted = named * (frequency / frequency.max()) ** self.rebalance
        return adjusted * (
            named.sum(2, keepdim=True) / adjusted.sum(2, keepdim=True).clamp(min=1e-12)
        )

    def _histograms(self, batch: Mapping[str, Tensor], count: int) -> Tensor:
        """Clear pixels of each word in each named colour, (B, N, K)."""
        labels, colours = batch["labels"].long(), len(self.network.colours)
        clear = (labels >= 0) & (batch["sketch"][:, 0] > CLEAR / 127.5 - 1)
        bins = self._bins(batch["real"].permute(0, 2, 3, 1))
        first = torch.arange(len(labels), device=labels.device)[:, None, None] * count
        places = ((first + labels) * colours + bins)[clear]
        counts = torch.bincount(places, minlength=len(labels) * count * colours)
        return counts.view(len(labels), count, colours).float()

    def _bins(self, rgb: Tensor) -> Tensor:
        """Number of the named colour that is nearest to colours (..., 3) in [-1, 1]."""
        red, green, blue = to_uint8(rgb).long().unbind(-1)
        return self.nearest[(red >> 3) << 10 | (green >> 3) << 5 | blue >> 3]

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Colour drawings with the averaged weights, no colour known; see `flats`."""
        return self.flats(batch)[0]

    def flats(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Colour drawings region by region: told nothing, with hints, and with a palette.

        Args:
            batch: `sketch` (B, 1, H, W) in [-1, 1], and what `WordDataset` tells.

        Returns:
            Three times (B, 3, H, W) in [-1, 1], the drawing's lines laid on; twice where the
            network takes no palettes.
        """
        network = self.colouring()
        assert isinstance(network, RegionNetwork)
        sketch, places = self._laid(batch["sketch"]), batch["places"].long()
        features = network.read(sketch, places, batch["about"].shape[1])
        read = {**batch, "features": features, "bias": network.relate(batch["pairs"])}
        for name in PALETTE:
            read.pop(name, None)
        told_nothing = {**read, "known": torch.zeros_like(batch["known"])}
        told = [told_nothing, read]
        if self.palettes:
            told.append(told_nothing | {name: batch[name] for name in PALETTE})
        return tuple(_flat(network, each) for each in told)

    def pictures(self, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
        """Columns of what was learnt: sketch, flats, with hints, perhaps with a palette, real."""
        return batch["sketch"], *self.flats(batch), batch["real"]

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Compare the flats of the validation sketches with the truth."""
        flats = [(flat.float() + 1) / 2 for flat in self.flats(batch)]
        real = (batch["real"].float() + 1) / 2
        metrics = [self.psnr, self.psnr_hinted, self.ssim, self.psnr_palette][: len(self.metrics)]
        with torch.autocast(self.device.type, enabled=False):
            for metric, flat in zip(metrics, [*flats[:2], flats[0], *flats[2:]], strict=True):
                metric.update(flat, real)
        for name, metric in zip(self.metrics, metrics, strict=True):
            self.log(name, metric, prog_bar=True)
        self.log("step", float(self.pairs_seen), sync_dist=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW for the network."""
        parameters = self.network.parameters()
        return torch.optim.AdamW(
            parameters, lr=self.lr, betas=self.betas, weight_decay=self.weight_decay
        )

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip the gradient to its largest norm, whatever the trainer's own keys are."""
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)

    def current_lr(self) -> float:
        """The learning rate of this step: it grows over the first pairs, then it is the epoch's."""
        return super().current_lr() * min(1.0, (self.pairs_seen + 1) / max(self.warmup, 1))


def nearest_of_all(colours: Tensor) -> Tensor:
    """Number of the colour (K, 3) in [-1, 1] that is nearest in Lab to each of 32^3, (32768,)."""
    level = (torch.arange(32, device=colours.device) * 8 + 4) / 127.5 - 1
    every = torch.cartesian_prod(level, level, level)  # red is the slowest
    lab, own = (_lab(rgb) for rgb in (every, colours))
    return torch.cdist(lab, own).argmin(1)


def _lab(rgb: Tensor) -> Tensor:
    """CIE Lab of colours (N, 3) in [-1, 1], in its own units."""
    scaled = rgb_to_lab(rgb.T[None, :, :, None])[0, :, :, 0].T
    return scaled * scaled.new_tensor([50.0, 110.0, 110.0])


def _flat(network: RegionNetwork, batch: Mapping[str, Tensor]) -> Tensor:
    """One picture (B, 3, H, W) for each drawing that was read."""
    names = ("features", "about", "bias", "known", "given", *PALETTE)
    reply = network.reply(**{name: batch[name] for name in names if name in batch})
    sketch, given = batch["sketch"].float(), batch["given"].float()
    with torch.autocast(sketch.device.type, enabled=False):
        sources = torch.cat([given, batch.get("palette", given[:, :0]).float()], dim=1)
        mixed = mix(reply.shares, network.colours, sources, TEMPERATURE)
        colours = torch.where(batch["known"][..., None], given, mixed)
        colours = F.pad(colours, (0, 0, 0, 1), value=1.0)  # what is no word stays white
        labels = batch["labels"].long().flatten(1)
        places = torch.where(labels < 0, colours.shape[1] - 1, labels)
        flat = colours.gather(1, places[..., None].expand(-1, -1, 3)).transpose(1, 2)
        flat = flat.unflatten(2, sketch.shape[2:])
        return (flat + 1) * (sketch + 1) / 2 - 1


def _loss_same(logits: Tensor, *, true: Tensor, area: Tensor, pairs: Tensor) -> Tensor:
    """Loss of "one object" of words that touch; two are one as far as their true colours overlap.

    The measure of that is Bhattacharyya's, 1 for equal histograms.
    """
    root = true.sqrt()
    overlap = (root @ root.transpose(1, 2)).clamp(0, 1)
    smaller = torch.minimum(area[:, :, None], area[:, None])
    touching = (pairs[..., 4] > 0) | (pairs[..., 6] > 0)
    apart = ~torch.eye(area.shape[1], dtype=torch.bool, device=area.device)
    weight = smaller.sqrt() * touching * apart
    each = F.binary_cross_entropy_with_logits(logits, overlap.to(logits.dtype), reduction="none")
    return (weight * each).sum() / weight.sum().clamp(min=1)

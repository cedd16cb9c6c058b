"""An ablation of the training step: as people write it, with one thing more each time, as ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from sketch2paint.benchmark.timing import (
    Clock,
    Figure,
    Rounds,
    Table,
    Unavailable,
    forget_peak,
    interleave,
    largest_fitting,
    peak_memory,
    product_rate,
    release,
    seconds_each,
    synchroniser,
)
from sketch2paint.device import (
    MemoryFormat,
    is_out_of_memory,
    training_memory_format,
    training_precision,
)
from sketch2paint.models.networks import InstanceNorm
from sketch2paint.training.learner import MOVES_IN_HALFLIFE
from sketch2paint.training.pix2pix import Pix2Pix, Update

Step = Callable[[], object]
REFERENCE, OURS, FULL = "reference", "ours", "ours, with average"
AVERAGE = "a move of the average"


@dataclass(frozen=True)
class Work:
    """The networks of a training run and one batch for them.

    Attributes:
        device: Device that trains.
        size: Side of the pictures.
        batch_size: Number of pairs in a step.
        base_channels: Width of the generator; the discriminator has the same, as in the paper.
        chosen_precision: What trainer.precision is: auto, bf16-mixed or 32-true.
    """

    device: torch.device
    _: KW_ONLY
    size: int
    batch_size: int
    base_channels: int = 64
    chosen_precision: str = "auto"

    def model(
        self, update: Update = "alternating", accumulate: int = 1, average: bool = True
    ) -> Any:
        """Networks as they begin, the same at each call, on the device."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = Pix2Pix(
                size=self.size,
                generator={"base_channels": self.base_channels},
                discriminator={"base_channels": self.base_channels},
                update=update,
                accumulate=accumulate,
                ema_kimg=10.0 if average else 0.0,
            )
        model.lay_out(self.memory_format()[0])
        return model.to(self.device).train()

    def batch(self) -> dict[str, Tensor]:
        """`sketch` (B, 1, S, S) and `real` (B, 3, S, S) in [-1, 1]."""
        draws = torch.Generator().manual_seed(1)
        shape = self.batch_size, 4, self.size, self.size
        pairs = (torch.rand(shape, generator=draws) * 2 - 1).to(self.device)
        return {"sketch": pairs[:, :1].contiguous(), "real": pairs[:, 1:].contiguous()}

    def precision(self) -> str:
        """What training computes in here: bf16-mixed, 16-mixed or 32-true."""
        chosen = self.chosen_precision
        return training_precision(self._accelerator()) if chosen == "auto" else chosen

    def memory_format(self) -> tuple[MemoryFormat, str]:
        """What trainer.memory_format=auto is here, and why."""
        return training_memory_format(self._accelerator(), self.precision())

    def _accelerator(self) -> str:
        return "gpu" if self.device.type == "cuda" else self.device.type

    def place(self) -> str:
        """CPU or GPU, for people."""
        return "CPU" if self.device.type == "cpu" else "GPU"

    def autocast(self, bf16: bool) -> AbstractContextManager[object]:
        """The arithmetic of a step."""
        return torch.autocast(self.device.type, torch.bfloat16) if bf16 else nullcontext()


def reference_step(
    generator: nn.Module,
    *,
    discriminator: nn.Module,
    optimizer_d: torch.optim.Optimizer,
    optimizer_g: torch.optim.Optimizer,
    sketch: Tensor,
    real: Tensor,
    lambda_l1: float = 100.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One step of pix2pix in plain torch, as most implementations of it have it.

    Args:
        generator: Network that makes (B, 3, H, W) of a sketch.
        discriminator: Network that gives the logits of a sketch and a picture.
        optimizer_d: Optimizer of the discriminator.
        optimizer_g: Optimizer of the generator.
        sketch: Tensor (B, 1, H, W) in [-1, 1].
        real: Tensor (B, 3, H, W) in [-1, 1].
        lambda_l1: Weight of the L1 term.

    Returns:
        The detached loss_D_fake, loss_D_real, loss_G_GAN and loss_G_L1.
    """
    bce, l1 = nn.BCEWithLogitsLoss(), nn.L1Loss()
    fake = generator(sketch)

    # The discriminator, on the fake and on the real picture
    for parameter in discriminator.parameters():
        parameter.requires_grad = True
    optimizer_d.zero_grad()
    logits_fake = discriminator(sketch, fake.detach())
    loss_d_fake = bce(logits_fake, torch.zeros_like(logits_fake))
    logits_real = discriminator(sketch, real)
    loss_d_real = bce(logits_real, torch.ones_like(logits_real))
    loss_d = (loss_d_fake + loss_d_real) * 0.5
    loss_d.backward()
    optimizer_d.step()

    # The generator, against the discriminator as it is now
    for parameter in discriminator.parameters():
        parameter.requires_grad = False
    optimizer_g.zero_grad()
    logits = discriminator(sketch, fake)
    loss_g_gan = bce(logits, torch.ones_like(logits))
    loss_g_l1 = l1(fake, real) * lambda_l1
    loss_g = loss_g_gan + loss_g_l1
    loss_g.backward()
    optimizer_g.step()
    return loss_d_fake.detach(), loss_d_real.detach(), loss_g_gan.detach(), loss_g_l1.detach()


def with_torchs_norm(network: nn.Module) -> nn.Module:
    """Put torch's own instance norm, with the same weights, in the place of ours."""
    for name, child in network.named_children():
        if isinstance(child, InstanceNorm):
            norm = nn.InstanceNorm2d(child.num_features, affine=True)
            norm.weight, norm.bias = child.weight, child.bias
            setattr(network, name, norm)
        else:
            with_torchs_norm(child)
    return network


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The reference step with some of what makes it faster; by default with nothing of it.

    Attributes:
        channels_last: Whether networks and pictures lie in memory channels last.
        norm: Whether our instance norm, which keeps that layout, stands in torch's place.
        bf16: Whether autocast computes in bfloat16.
        fused: Whether Adam is the fused one.
        kept: Whether the process keeps the memory it frees.
    """

    channels_last: bool = False
    norm: bool = False
    bf16: bool = False
    fused: bool = False
    kept: bool = False

    def step(self, work: Work) -> Step:
        """Networks, optimizers and a batch, as a step that can be called."""
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        model = work.model(average=False)
        generator, discriminator = (
            (network if self.norm else with_torchs_norm(network)).to(memory_format=layout)
            for network in (model.generator, model.discriminator)
        )
        sketch, real = (x.to(memory_format=layout) for x in work.batch().values())
        plain = partial(
            reference_step,
            generator,
            discriminator=discriminator,
            optimizer_d=_adam(discriminator, self.fused),
            optimizer_g=_adam(generator, self.fused),
            sketch=sketch,
            real=real,
        )

        def step() -> None:
            with work.autocast(self.bf16):
                plain()

        return step


def _adam(network: nn.Module, fused: bool) -> torch.optim.Adam:
    parameters = network.parameters()
    return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999), fused=fused, foreach=False)


@dataclass(frozen=True)
class Ours:
    """Pix2Pix.gan_step as training runs it.

    Attributes:
        bf16: Whether autocast computes in bfloat16, as training does where that is fast.
        average: Whether the average of the generator's weights is moved on too.
        update: Order of the two updates, as model.update.
        accumulate: Number of parts of a batch, as model.accumulate.
        compiled: Whether torch.compile has compiled both networks.
        kept: Whether the process keeps the memory it frees.
    """

    bf16: bool
    _: KW_ONLY
    average: bool = False
    update: Update = "alternating"
    accumulate: int = 1
    compiled: bool = False
    kept: bool = True

    def step(self, work: Work) -> Step:
        """The module, its optimizers and a batch, as a step that can be called."""
        model = work.model(self.update, self.accumulate, self.average)
        model.pairs_seen = SETTLED
        optimizers = model.configure_optimizers()
        batch = work.batch()
        if self.compiled:
            torch.compiler.reset()  # or another batch size would be compiled for all sizes
            model.generator.compile()
            model.discriminator.compile()

        def step() -> None:
            with work.autocast(self.bf16):
                model.gan_step(batch, optimizers)
                model.pairs_seen += work.batch_size
                model.average(work.batch_size)

        return _compiled(step) if self.compiled else step


PAIRS_OF_A_MOVE = 10_000 / MOVES_IN_HALFLIFE  # by the default model.ema_kimg, when it is settled
SETTLED = 1_000_000  # pairs seen by a run whose average no longer moves at each step
Variant = Reference | Ours | Unavailable


def _compiled(step: Step) -> Step:
    """The step after its first call, which compiles.

    Raises:
        Unavailable: it cannot be compiled here; torch has many errors for that.
    """
    try:
        step()
    except (RuntimeError, OSError, ImportError) as error:
        if is_out_of_memory(error):
            raise
        raise Unavailable(f"not available: {str(error).strip().splitlines()[0][:60]}") from None
    return step


def variants(work: Work, compiled: bool) -> dict[str, Variant]:
    """The rows of the table by name: the reference, one thing added at a time, ours."""
    last, found = Reference(), dict[str, Variant]()
    found[REFERENCE], bf16 = last, work.precision() == "bf16-mixed"
    # First the layout: bf16 without it is several times slower than float32 on a CPU.
    steps = [*_layout(work), *_arithmetic(work)]
    if work.memory_format()[0] == "contiguous":  # then channels_last is what was left out
        steps = [*_arithmetic(work), *_layout(work)]
    for name, added in steps:
        last = replace(last, **added)
        found[name] = last if added else Unavailable(f"this {work.place()} has no bf16")
    found[OURS] = Ours(bf16)
    found[FULL] = Ours(bf16, average=True)
    found["ours, simultaneous"] = Ours(bf16, average=True, update="simultaneous")
    if work.batch_size > 1:
        found["ours, accumulate=2"] = Ours(bf16, average=True, accumulate=2)
    if compiled:
        found["ours, compiled"] = Ours(bf16, average=True, compiled=True)
    return found


def _layout(work: Work) -> list[tuple[str, dict[str, bool]]]:
    added = [("+ channels_last", {"channels_last": True})]
    # On a GPU our norm is torch's.
    return added + [("+ norm that keeps it", {"norm": True})] * (work.device.type == "cpu")


def _arithmetic(work: Work) -> list[tuple[str, dict[str, bool]]]:
    bf16 = {"bf16": True} if work.precision() == "bf16-mixed" else {}
    added = [("+ bf16", bf16), ("+ fused Adam", {"fused": True})]
    return added + [("+ memory kept", {"kept": True})] * (work.device.type == "cpu")


@dataclass(frozen=True)
class Timing:
    """One round of one row.

    Attributes:
        value: Seconds of a step, or FLOP/s of a limit.
        peak: Bytes of memory at most, less what there was before; None where nobody tells.
    """

    value: float
    peak: float | None = None


def measure_step(
    variant: Variant, work: Work, *, seconds: float, clock: Clock = time.perf_counter
) -> Timing:
    """Build, warm up, time and drop one row, so that memory holds one at a time.

    Args:
        variant: Row of the table.
        work: Networks and pictures.
        seconds: Time until which the step is repeated.
        clock: Function that tells the time in seconds.

    Raises:
        Unavailable: the variant is that.
    """
    if isinstance(variant, Unavailable):
        raise variant
    device = work.device
    release(device, variant.kept)
    forget_peak(device)
    before = peak_memory(device)
    step = variant.step(work)
    forget_peak(device)  # of building them
    wait = synchroniser(device)
    each = seconds_each(step, at_least=seconds, synchronise=wait, clock=clock)
    peak = peak_memory(device)
    return Timing(each, None if peak is None or before is None else peak - before)


def _measure_average(work: Work, seconds: float, clock: Clock) -> Timing:
    """One move of the average, which a settled run makes 50 times in a half-life."""
    release(work.device, kept=True)
    model, wait = work.model(), synchroniser(work.device)

    def move() -> None:
        model.average(work.batch_size)  # at no pairs seen each step moves it

    return Timing(seconds_each(move, at_least=seconds, synchronise=wait, clock=clock))


def _measure_limit(
    device: torch.device, *, dtype: torch.dtype, side: int | None, seconds: float, clock: Clock
) -> Timing:
    release(device)
    return Timing(product_rate(device, dtype=dtype, side=side, at_least=seconds, clock=clock))


def flops_of_pair(work: Work) -> float:
    """FLOPs of the reference step for one pair, counted without computing them."""
    meta = Reference().step(replace(work, device=torch.device("meta"), batch_size=1))
    with FlopCounterMode(display=False) as counter:
        meta()
    return float(counter.get_total_flops())


def steps(
    work: Work,
    *,
    batch_sizes: Sequence[int],
    rounds: int,
    seconds: float,
    side: int | None,
    compiled: bool,
    clock: Clock = time.perf_counter,
) -> list[Table]:
    """A table for each batch size: the variants of the step, and the device's limit.

    Args:
        work: Networks and pictures; its batch size is replaced by each of `batch_sizes`.
        batch_sizes: Numbers of pairs in a step.
        rounds: Number of interleaved rounds that count.
        seconds: Time of a row in a round, at least.
        side: Side of the matrices that the limit is measured with; None: by the device.
        compiled: Whether torch.compile has a row too, which takes a minute.
        clock: Function that tells the time in seconds.

    Raises:
        ValueError: the networks do not take the size.
    """
    flops = flops_of_pair(work)
    return [
        _step_table(
            replace(work, batch_size=n),
            variants(replace(work, batch_size=n), compiled),
            flops=flops,
            rounds=rounds,
            side=side,
            timed={"seconds": seconds, "clock": clock},
        )
        for n in batch_sizes
    ]


def _step_table(
    work: Work,
    chosen: Mapping[str, Variant],
    *,
    flops: float,
    rounds: int,
    side: int | None,
    timed: dict[str, Any],
) -> Table:
    tasks: dict[str, Callable[[], Timing]] = {
        name: partial(measure_step, variant, work, **timed) for name, variant in chosen.items()
    }
    tasks[AVERAGE] = partial(_measure_average, work, **timed)
    dtypes = [torch.float32] + [torch.bfloat16] * (work.precision() == "bf16-mixed")
    limits = {dtype: f"limit, {str(dtype).removeprefix('torch.')} product" for dtype in dtypes}
    for dtype, name in limits.items():
        tasks[name] = partial(_measure_limit, work.device, dtype=dtype, side=side, **timed)
    found = interleave(tasks, rounds)
    for name, variant in chosen.items():
        if found[name].too_large:
            found[name].note += f"; {_fitting(variant, work)}"
    rows = [
        _row(name, variant, found, limits, flops * work.batch_size, work.batch_size)
        for name, variant in chosen.items()
    ]
    rows.append(_average_row(work, found))
    rows += [_limit_row(name, found[name]) for name in limits.values()]
    title = f"Step, {work.size}x{work.size}, batch {work.batch_size}"
    return Table(title, rows, _notes(work, flops))


def _notes(work: Work, flops: float) -> list[str]:
    layout, why = work.memory_format()
    notes = [f"{flops / 1e9:.3g} GFLOP a pair, of the reference (also in the rows of others)."]
    notes.append(f"Ours lies {layout} in memory (trainer.memory_format=auto): {why}.")
    if work.precision() == "16-mixed":
        notes.append("Training takes 16-mixed on this GPU; ours is measured in float32 here.")
    if work.device.type == "cpu":
        notes.append("Peak memory is the process's, less what it had before the row.")
    return notes


def _fitting(variant: Variant, work: Work) -> str:
    def attempt(batch_size: int) -> None:
        measure_step(variant, replace(work, batch_size=batch_size), seconds=0)

    fits = largest_fitting(attempt, work.batch_size)
    return f"{fits} fits" if fits else "not even 1 fits"


def _row(
    name: str,
    variant: Variant,
    found: Mapping[str, Rounds[Timing]],
    limits: Mapping[torch.dtype, str],
    flops: float,
    batch_size: int,
) -> dict[str, Any]:
    """A row of what the rounds gave; ratios are of the same round."""
    rate = ratio = tera = share = peak = each = None
    if taken := [timing.value for timing in found[name].values]:
        dtype = torch.bfloat16 if getattr(variant, "bf16", False) else torch.float32
        limit = [timing.value for timing in found[limits[dtype]].values]
        reference = [timing.value for timing in found[REFERENCE].values]
        each, rate = Figure.of(taken), Figure.of([batch_size / s for s in taken])
        tera = Figure.of([flops / s / 1e12 for s in taken])
        if reference:
            ratio = Figure.of([r / s for r, s in zip(reference, taken, strict=True)])
        if limit:
            share = Figure.of([flops / s / most for s, most in zip(taken, limit, strict=True)])
        peaks = [timing.peak / 1e6 for timing in found[name].values if timing.peak is not None]
        peak = Figure.of(peaks).max if peaks else None
    return {
        "": name, "pairs/s": rate, "s/step": each, "ratio": ratio, "peak MB": peak,
        "TFLOP/s": tera, "of the limit": share, "note": found[name].note,
    }  # fmt: skip


def _average_row(work: Work, found: Mapping[str, Rounds[Timing]]) -> dict[str, Any]:
    """What a move of the average takes, and its share of ours where each 200 pairs have one."""
    moves = [timing.value for timing in found[AVERAGE].values]
    note = found[AVERAGE].note
    if (bare := [timing.value for timing in found[OURS].values]) and moves:
        shares = [move / step for move, step in zip(moves, bare, strict=True)]
        most = Figure.of(shares).median
        settled = most * min(1.0, work.batch_size / PAIRS_OF_A_MOVE)
        note = f"{settled:.2%} of ours, moved each {PAIRS_OF_A_MOVE:.0f} pairs; {most:.1%} at first"
    return {
        "": AVERAGE, "pairs/s": None, "s/step": Figure.of(moves) if moves else None, "ratio": None,
        "peak MB": None, "TFLOP/s": None, "of the limit": None, "note": note,
    }  # fmt: skip


def _limit_row(name: str, found: Rounds[Timing]) -> dict[str, Any]:
    tera = Figure.of([timing.value / 1e12 for timing in found.values]) if found.values else None
    return {
        "": name, "pairs/s": None, "s/step": None, "ratio": None, "peak MB": None,
        "TFLOP/s": tera, "of the limit": None, "note": found.note,
    }  # fmt: skip


def ours(work: Work) -> Ours:
    """The step of training as its defaults have it."""
    return Ours(work.precision() == "bf16-mixed", average=True)

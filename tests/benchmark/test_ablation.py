"""The reference is the same mathematics as our step; every variant can be measured."""

from __future__ import annotations

import copy
import re
import time
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from sketch2paint.benchmark import ablation
from sketch2paint.benchmark.ablation import (
    AVERAGE,
    FULL,
    OURS,
    REFERENCE,
    Ours,
    Reference,
    Work,
    flops_of_pair,
    steps,
    variants,
)
from sketch2paint.benchmark.timing import Figure
from sketch2paint.models.networks import InstanceNorm
from sketch2paint.training.pix2pix import Pix2Pix

WORK = Work(torch.device("cpu"), size=32, batch_size=2, base_channels=4)


def without_dropout() -> Pix2Pix:
    """Tiny networks; masks are drawn in the order of memory, which is another one here."""
    torch.manual_seed(0)
    return Pix2Pix(
        size=32,
        generator={"base_channels": 4, "dropout": 0.0},
        discriminator={"base_channels": 4},
        ema_kimg=0.0,
    )


def sgd(network: nn.Module) -> torch.optim.SGD:
    return torch.optim.SGD(network.parameters(), lr=0.01)


def test_reference_has_the_losses_gradients_and_weights_of_gan_step() -> None:
    model = without_dropout()
    plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    generator = ablation.with_torchs_norm(plain.generator)
    discriminator = ablation.with_torchs_norm(plain.discriminator)
    batch = WORK.batch()
    ours = model.gan_step(batch, (sgd(model.discriminator), sgd(model.generator)))
    theirs = ablation.reference_step(
        generator,
        discriminator=discriminator,
        optimizer_d=sgd(discriminator),
        optimizer_g=sgd(generator),
        sketch=batch["sketch"],
        real=batch["real"],
    )
    names = ("loss_D_fake", "loss_D_real", "loss_G_GAN", "loss_G_L1")
    for name, loss in zip(names, theirs, strict=True):
        torch.testing.assert_close(loss, ours[name], rtol=1e-4, atol=1e-4)
    for mine, other in ((model.generator, generator), (model.discriminator, discriminator)):
        known = dict(other.named_parameters())
        for name, parameter in mine.named_parameters():
            torch.testing.assert_close(parameter.grad, known[name].grad, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(parameter, known[name], rtol=1e-4, atol=1e-4)


def test_reference_is_contiguous_and_has_no_norm_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(
        ablation, "reference_step", lambda generator, **given: seen.append(given | {"g": generator})
    )
    Reference().step(WORK)()
    Reference(channels_last=True, norm=True, fused=True).step(WORK)()
    for given, last, fused in zip(seen, (False, True), (False, True), strict=True):
        generator, discriminator, optimizer_d, optimizer_g, real = (
            given[name] for name in ("g", "discriminator", "optimizer_d", "optimizer_g", "real")
        )
        for network in (generator, discriminator):
            norms = [m for m in network.modules() if isinstance(m, nn.InstanceNorm2d)]
            assert norms and all(isinstance(norm, InstanceNorm) == last for norm in norms)
        layout = torch.channels_last if last else torch.contiguous_format
        weight = generator.down["8x8"].conv.weight
        assert weight.is_contiguous(memory_format=layout)
        assert real.is_contiguous(memory_format=layout)
        for optimizer in (optimizer_d, optimizer_g):
            assert optimizer.defaults["fused"] == fused and optimizer.defaults["foreach"] is False
        assert optimizer_g.param_groups[0]["params"][0] is next(generator.parameters())
        assert optimizer_d.param_groups[0]["params"][0] is next(discriminator.parameters())


def test_average_moves_in_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "SETTLED", 0)
    model = WORK.model()
    monkeypatch.setattr(Work, "model", lambda self, *rest: model)
    before = copy.deepcopy(model.ema.state_dict())
    Ours(bf16=False, average=True).step(WORK)()
    assert model.pairs_seen == 2
    moved = [not torch.equal(value, before[name]) for name, value in model.ema.state_dict().items()]
    assert any(moved)


def test_networks_begin_alike_and_the_stream_of_draws_is_left_alone() -> None:
    state = torch.get_rng_state()
    first, second = WORK.model().state_dict(), WORK.model().state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(state, torch.get_rng_state())


def test_flops_grow_with_the_area_and_not_with_the_batch() -> None:
    one, four = (flops_of_pair(replace(WORK, size=size, batch_size=3)) for size in (64, 128))
    assert one > 0 and 3.5 < four / one < 4.5
    assert one == flops_of_pair(replace(WORK, size=64, batch_size=1))


@pytest.mark.parametrize(("has_bf16", "capability"), [(True, "AVX512"), (False, "AVX512")])
def test_variants_add_one_thing_at_a_time(
    monkeypatch: pytest.MonkeyPatch, has_bf16: bool, capability: str
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    precision = "bf16-mixed" if has_bf16 else "32-true"
    monkeypatch.setattr(ablation, "training_precision", lambda accelerator: precision)
    found = variants(WORK, compiled=True)
    assert list(found) == [
        "reference", "+ channels_last", "+ norm that keeps it", "+ bf16", "+ fused Adam",
        "+ memory kept", "ours", "ours, with average", "ours, simultaneous", "ours, accumulate=2",
        "ours, compiled",
    ]  # fmt: skip
    assert found[REFERENCE] == Reference()
    chain = [variant for variant in found.values() if isinstance(variant, Reference)]
    for before, after in zip(chain, chain[1:], strict=False):
        changed = [name for name in vars(after) if vars(after)[name] != vars(before)[name]]
        assert len(changed) == 1
    last = Reference(channels_last=True, norm=True, bf16=has_bf16, fused=True, kept=True)
    assert chain[-1] == last
    assert all(ours.bf16 == has_bf16 for ours in found.values() if isinstance(ours, Ours))
    assert "ours, accumulate=2" not in variants(replace(WORK, batch_size=1), compiled=False)
    if not has_bf16:
        assert str(found["+ bf16"]) == "this CPU has no bf16"


def test_variants_end_with_the_layout_that_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    work = replace(WORK, chosen_precision="32-true")
    found = variants(work, compiled=False)
    assert list(found)[:7] == [
        "reference", "+ bf16", "+ fused Adam", "+ memory kept", "+ channels_last",
        "+ norm that keeps it", "ours",
    ]  # fmt: skip
    assert found["+ memory kept"] == Reference(fused=True, kept=True)
    assert found["+ norm that keeps it"] == Reference(
        fused=True, kept=True, channels_last=True, norm=True
    )
    weight = work.model().generator.down["8x8"].conv.weight
    assert weight.is_contiguous()
    (table,) = steps(work, batch_sizes=[1], rounds=1, seconds=1e-4, side=16, compiled=False)
    assert table.notes[1] == (
        "Ours lies contiguous in memory (trainer.memory_format=auto): "
        "float32 without AVX-512 (AVX2)."
    )


def test_every_row_has_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "training_precision", lambda accelerator: "bf16-mixed")
    (table,) = steps(WORK, batch_sizes=[2], rounds=2, seconds=1e-4, side=16, compiled=False)
    assert table.title == "Step, 32x32, batch 2"
    rows = {row[""]: row for row in table.rows}
    for name in variants(WORK, compiled=False):
        for column in ("pairs/s", "s/step", "ratio", "TFLOP/s", "of the limit"):
            figure = rows[name][column]
            assert 0 < figure.min <= figure.median <= figure.max, (name, column)
        assert rows[name]["note"] == ""
        assert rows[name]["pairs/s"].max == pytest.approx(2 / rows[name]["s/step"].min)
    assert rows[REFERENCE]["ratio"] == Figure(1.0, 1.0, 1.0)
    assert rows[AVERAGE]["s/step"].min > 0
    assert re.fullmatch(
        r"\d+\.\d\d% of ours, moved each 200 pairs; \d+\.\d% at first", rows[AVERAGE]["note"]
    )
    assert rows["limit, float32 product"]["TFLOP/s"].min > 0
    assert rows["limit, bfloat16 product"]["TFLOP/s"].min > 0
    assert table.notes[0].endswith("GFLOP a pair, of the reference (also in the rows of others).")


def test_a_machine_without_bf16_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ablation, "training_precision", lambda accelerator: "32-true")
    (table,) = steps(WORK, batch_sizes=[1], rounds=1, seconds=1e-4, side=16, compiled=False)
    rows = {row[""]: row for row in table.rows}
    assert rows["+ bf16"]["note"] == "this CPU has no bf16" and rows["+ bf16"]["ratio"] is None
    assert rows[FULL]["ratio"].min > 0
    assert "limit, bfloat16 product" not in rows


def test_a_batch_that_does_not_fit_is_told_with_the_one_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = Ours.step

    def step(self: Ours, work: Work) -> Any:
        if self == Ours(self.bf16) and work.batch_size > 2:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9")
        if self.update == "simultaneous":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, work)

    monkeypatch.setattr(Ours, "step", step)
    work = replace(WORK, batch_size=8)
    (table,) = steps(work, batch_sizes=[8], rounds=1, seconds=1e-4, side=16, compiled=False)
    rows = {row[""]: row for row in table.rows}
    assert rows[OURS]["note"] == "out of memory; 2 fits" and rows[OURS]["pairs/s"] is None
    assert rows["ours, simultaneous"]["note"] == "out of memory; not even 1 fits"
    assert rows[FULL]["pairs/s"].min > 0
    assert "out of memory; 2 fits" in table.text()


def test_another_clock_times_every_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> float:
        raise AssertionError("the time of day was looked at")

    monkeypatch.setattr(ablation, "training_precision", lambda accelerator: "32-true")
    monkeypatch.setattr(time, "perf_counter", never)
    ticks = iter(range(10**6))
    given = {"rounds": 1, "seconds": 1e-4, "side": 16, "compiled": False}
    (table,) = steps(WORK, batch_sizes=[2], clock=lambda: float(next(ticks)), **given)
    assert {row["s/step"].median for row in table.rows if row["s/step"]} == {1.0}


def test_what_cannot_be_compiled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: nn.Module) -> None:
        def call(*given: object) -> object:
            raise RuntimeError("Failed to find C++ compiler\nmore of it")

        monkeypatch.setattr(self, "forward", call)

    monkeypatch.setattr(nn.Module, "compile", broken)
    (table,) = steps(WORK, batch_sizes=[1], rounds=1, seconds=1e-4, side=16, compiled=True)
    row = next(row for row in table.rows if row[""] == "ours, compiled")
    assert row["note"] == "not available: Failed to find C++ compiler"


def test_sizes_are_the_networks_to_refuse() -> None:
    work = replace(WORK, size=36, batch_size=1)
    with pytest.raises(ValueError, match="Expected `size` to be a multiple of 32"):
        steps(work, batch_sizes=[1], rounds=1, seconds=1e-4, side=16, compiled=False)

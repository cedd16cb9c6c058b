"""Learned distances: what their networks are given, closed forms, and what is said without them."""

from __future__ import annotations

import math
import socket
import sys

import numpy as np
import pytest
import torch
from tiny_evaluation import RED, Moments, absolute, flat, noisy
from torch import nn

import sketch2paint.evaluation.learned as learned
from sketch2paint.evaluation.learned import Learned, fid, kid


def test_learned_networks_are_given_what_they_expect() -> None:
    networks = Learned(absolute, Moments())
    assert networks.distance(flat(255), flat(0)) == 1
    assert networks.features(flat(RED)).tolist() == [[*RED, 0, 0, 0]]
    without = Learned("none", "none")
    assert math.isnan(without.distance(flat(255), flat(0)))
    assert without.features(flat(RED)).shape == (0, 2048)


def test_lpips_without_its_weights_takes_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision

    make = torchvision.models.alexnet
    monkeypatch.setattr(torchvision.models, "alexnet", lambda weights: make(weights=None))
    with torch.random.fork_rng():
        networks = Learned(learned._loaded(learned._lpips), "")
    fake, real = noisy(0, 32)
    assert networks.distance(real, real) == 0 < networks.distance(fake, real)
    assert math.isnan(networks.distance(fake[:31], real[:31]))


def test_set_distances_have_their_closed_forms() -> None:
    real = torch.from_numpy(np.random.default_rng(0).normal(size=(300, 4)))
    assert fid(real, real) == pytest.approx(0, abs=1e-6)
    shifted = fid(real + torch.tensor([3.0, 4, 0, 0]), real)
    assert shifted == pytest.approx(25, rel=1e-5)  # the same covariance, the means 5 apart
    fake = real * 2
    k = [((a @ b.T / 4) + 1) ** 3 for a, b in ((real, real), (fake, fake), (real, fake))]
    inside = sum((m.sum() - m.trace()) / (300 * 299) for m in k[:2])
    assert kid(fake, real, 0) == pytest.approx(float(inside - 2 * k[2].mean()))
    assert math.isnan(fid(real[:1], real[:1])) and math.isnan(kid(real[:1], real[:1], 0))


def test_subsets_of_kid_depend_on_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "SUBSET", 20)
    real, fake = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 50, 3)))
    state = torch.random.get_rng_state()
    first = kid(fake, real, 1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.rand(1)
    assert kid(fake, real, 1) == first != kid(fake, real, 2)


def test_missing_networks_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        assert socket.getdefaulttimeout() == learned.WAIT
        raise OSError("host unreachable")

    before = socket.getdefaulttimeout()
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr(learned, "_lpips", refuse)
    found = Learned.load()
    assert "could not be fetched (host unreachable)" in str(found.lpips)
    assert isinstance(found.inception, nn.Module) or "pip install torch-fidelity" in str(
        found.inception
    )
    assert socket.getdefaulttimeout() == before

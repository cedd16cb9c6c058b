"""Distances that are learned: networks of others, and what is computed from their features."""

from __future__ import annotations

import math
import socket
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

ALEXNET = 32  # pixels a side that LPIPS needs
FEATURES = 2048  # that FID and KID compare
SUBSET = 1000  # pictures that KID compares at once
WAIT = 20  # seconds without an answer, before weights count as not to be had


@dataclass(frozen=True)
class Learned:
    """Networks behind the learned metrics, or the words why one is missing.

    Attributes:
        lpips: Function of twice (B, 3, H, W) in [0, 1] that gives a distance, or words.
        inception: Function of (B, 3, H, W) uint8 that gives (B, 2048) features, or words.
    """

    lpips: Callable[[Tensor, Tensor], Tensor] | str
    inception: Callable[[Tensor], Tensor] | str

    @classmethod
    def load(cls) -> Learned:
        """Torchmetrics' own networks, on the CPU; torch fetches their weights once."""
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(WAIT)  # where packets are dropped, a download would wait for ever
        try:
            return cls(_loaded(_lpips), _loaded(_inception))
        finally:
            socket.setdefaulttimeout(before)

    def distance(self, fake: np.ndarray, real: np.ndarray) -> float:
        """LPIPS of (H, W, 3) uint8 RGB; NaN without its network."""
        if isinstance(self.lpips, str):
            return math.nan
        with torch.inference_mode():
            return float(self.lpips(to_unit(fake), to_unit(real)))

    def features(self, rgb: np.ndarray) -> Tensor:
        """What FID and KID compare of (H, W, 3) uint8 RGB: (1, 2048); (0, 2048) without network."""
        if isinstance(self.inception, str):
            return torch.empty(0, FEATURES)
        with torch.inference_mode():
            return self.inception(torch.tensor(rgb).permute(2, 0, 1)[None])


def _lpips() -> Callable[[Tensor, Tensor], Tensor]:
    from torchmetrics.image.lpip import LearnedPerceptualImagePatchSimilarity

    measure = LearnedPerceptualImagePatchSimilarity(net_type="alex", normalize=True).eval()
    nothing = torch.tensor(math.nan)
    return lambda fake, real: measure(fake, real) if min(real.shape[2:]) >= ALEXNET else nothing


def _inception() -> Callable[[Tensor], Tensor]:
    from torchmetrics.image.fid import NoTrainInceptionV3

    return NoTrainInceptionV3(name="inception-v3-compat", features_list=["2048"]).eval()


def _loaded(make: Callable[[], Any]) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # their makers' about their own code
            return make()
    except ModuleNotFoundError:
        return "no weights: pip install torch-fidelity, which has the network"
    except (OSError, RuntimeError) as error:  # no network, a full disk; a download cut short
        return f"no weights: they could not be fetched ({error}); run once with network access"


def fid(fake: Tensor, real: Tensor) -> float:
    """Frechet distance between the features of two sets of pictures, as torchmetrics computes it.

    Args:
        fake: Features of the one set, (N, F).
        real: Features of the other, (N, F); the result is NaN for N under 2.
    """
    if len(real) < 2:
        return math.nan
    from torchmetrics.image.fid import FrechetInceptionDistance

    return float(_of_sets(FrechetInceptionDistance(_unchanged(real)), fake, real))


def kid(fake: Tensor, real: Tensor, seed: int) -> float:
    """Kernel distance between the features of two sets of pictures, as torchmetrics computes it.

    Args:
        fake: Features of the one set, (N, F).
        real: Features of the other, (N, F); the result is NaN for N under 2.
        seed: Seed of the subsets of 1000 pictures; up to 1000 pictures it is computed on all.
    """
    if len(real) < 2:
        return math.nan
    from torchmetrics.image.kid import KernelInceptionDistance

    subsets, size = 1 if len(real) <= SUBSET else 100, min(SUBSET, len(real))
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.filterwarnings("ignore", ".*will save all extracted features")
        torch.manual_seed(seed)
        metric = KernelInceptionDistance(_unchanged(real), subsets=subsets, subset_size=size)
        return float(_of_sets(metric, fake, real)[0])


def _unchanged(features: Tensor) -> nn.Module:
    """What stands for the network: each picture was looked at already."""
    given = nn.Identity()
    given.register_buffer("num_features", torch.tensor(features.shape[1]))
    return given


def _of_sets(metric: Any, fake: Tensor, real: Tensor) -> Any:
    metric.update(real, real=True)
    metric.update(fake, real=False)
    return metric.compute()


def to_unit(rgb: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (1, 3, H, W) in [0, 1], as torchmetrics takes it."""
    return torch.tensor(rgb).permute(2, 0, 1)[None].float() / 255

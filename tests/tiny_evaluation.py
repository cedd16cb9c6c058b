"""What the tests of evaluation share: data, weights, pictures, stand-ins for learned networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.evaluation.compare import Results, Split, Watcher, measure
from sketch2paint.evaluation.learned import Learned
from sketch2paint.models.description import describe
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import save_generator

NOTHING = Learned("not wanted", "not wanted")
RED = (200, 30, 30)


def data(root: Path, size: int = 16, **keys: object) -> SketchDataModule:
    fixed = {"size": size, "jitter": 0, "cache": "off", "num_workers": 0}
    return SketchDataModule(root=str(root), **{**fixed, **keys})  # type: ignore[arg-type]


def other_weights(path: Path, size: int = 16, task: str = "sketch") -> str:
    about = {"size": size, "base_channels": 2, "out_channels": 3 if task == "sketch" else 2}
    torch.manual_seed(1)
    save_generator(path, UNetGenerator(**about).state_dict(), describe(about, task))
    return str(path)


def flat(colour: object, side: int = 32) -> np.ndarray:
    return np.full((side, side, 3), colour, np.uint8)


def noisy(seed: int, side: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """Smooth colours and the same with noise."""
    rng = np.random.default_rng(seed)
    small = torch.from_numpy(rng.uniform(20, 230, (1, 3, 6, 6)))
    smooth = nn.functional.interpolate(small, (side, side), mode="bicubic")[0].permute(1, 2, 0)
    real = smooth.numpy().clip(0, 255).astype(np.uint8)
    return (real + rng.normal(0, 20, real.shape)).clip(0, 255).astype(np.uint8), real


def ignore(name: str, pictures: object) -> None:
    pass


def measure_baselines(split: Split, learned: Learned = NOTHING, watch: Watcher = ignore) -> Results:
    return measure(split, candidates=[], learned=learned, seed=0, watch=watch)


class Moments(nn.Module):
    """A stand-in for Inception: mean and deviation of each channel."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = pictures.float().flatten(2)
        return torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)


def absolute(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one - other).abs().mean()

"""What the tests of evaluation share: tiny data, other weights, stand-ins for learned networks."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.evaluation.metrics import Learned
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import describe, save_generator

NOTHING = Learned("not wanted", "not wanted")


def data(root: Path, size: int = 16, **keys: object) -> SketchDataModule:
    fixed = {"size": size, "jitter": 0, "cache": "off", "num_workers": 0}
    return SketchDataModule(root=str(root), **{**fixed, **keys})  # type: ignore[arg-type]


def other_weights(path: Path, size: int = 16, task: str = "sketch") -> str:
    about = {"size": size, "base_channels": 2, "out_channels": 3 if task == "sketch" else 2}
    torch.manual_seed(1)
    save_generator(path, UNetGenerator(**about).state_dict(), describe(about, task))
    return str(path)


def ignore(name: str, pictures: object) -> None:
    pass


class Moments(nn.Module):
    """A stand-in for Inception: mean and deviation of each channel."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = pictures.float().flatten(2)
        return torch.cat([x.mean(dim=2), x.std(dim=2)], dim=1)


def absolute(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one - other).abs().mean()

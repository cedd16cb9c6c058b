"""A tiny generator that follows a style code, of smooth colours."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from sketch2paint.images.look import NAMES
from sketch2paint.models.description import describe
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import save_generator

ARGUMENTS = {"size": 16, "base_channels": 4, "style_channels": len(NAMES), "lay_lines": True}


def make_coded(size: int = 16) -> UNetGenerator:
    """A generator whose colours are nearly plain without a code, and other ones with it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = UNetGenerator(**{**ARGUMENTS, "size": size})
        for block in generator.up.values():
            nn.init.normal_(block.style.weight, 0, 0.3)
    with torch.no_grad():
        generator.out[0].bias.copy_(torch.tensor([0.6, 0.1, -0.4]))
    return generator.eval()


def save_coded(path: Path) -> None:
    """Write it as a weight file."""
    about = describe(ARGUMENTS, "sketch", style=NAMES)
    save_generator(path, make_coded().state_dict(), about)

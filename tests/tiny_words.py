"""A tiny region network, and what it is told of drawings."""

import numpy as np
import torch

from sketch2paint.hints.regions import Regions, find_regions
from sketch2paint.hints.words import labels_on_square, words_of
from sketch2paint.models.region_network import RegionNetwork

TINY = {
    "size": 32, "base_channels": 2, "levels": 3, "features": 4, "width": 12, "heads": 3,
    "layers": 2, "colours": 6,
}  # fmt: skip


def make_region_network(**changes: object) -> RegionNetwork:
    """A region network whose answers differ visibly, in eval mode."""
    torch.manual_seed(0)
    network = RegionNetwork(**{**TINY, **changes}).eval()
    network.colours.copy_(torch.rand(network.colours.shape) * 2 - 1)
    network.colours[0] = 1.0
    for layer in (network.logits, network.query, network.key):
        torch.nn.init.normal_(layer.weight)
    return network


def cells(across: int, side: int) -> tuple[np.ndarray, Regions]:
    """A drawing of across * across closed cells, and these as its regions."""
    labels = np.arange(across**2, dtype=np.int32).reshape(across, across)
    labels = labels.repeat(side, 0).repeat(side, 1)
    ink = np.zeros(labels.shape, bool)
    ink[::side] = ink[:, ::side] = True
    none = np.empty((0, 2), np.int32), np.empty(0, np.float32)
    return np.where(ink, 0, 255).astype(np.uint8), Regions(labels, ink, *none)


def told(sketch: np.ndarray, side: int = 16) -> dict[str, torch.Tensor]:
    """What a region network is told of a square drawing."""
    words = words_of(find_regions(sketch))
    count = len(words.regions)
    return {
        "labels": torch.from_numpy(labels_on_square(words, side)).long()[None],
        "about": torch.from_numpy(words.about)[None],
        "pairs": torch.from_numpy(words.pairs)[None],
        "known": torch.zeros(1, count, dtype=torch.bool),
        "given": torch.zeros(1, count, 3),
    }

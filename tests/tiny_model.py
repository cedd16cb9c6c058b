"""A tiny model of both networks, and the same in the place of the one that comes along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tiny_painter import make_generator
from tiny_words import TINY, make_region_network

from sketch2paint.models import shipped
from sketch2paint.models.description import PartName, describe, describe_regions
from sketch2paint.models.tasks import FLATS, SKETCH
from sketch2paint.models.weights import Described, save_model

GENERATOR = {"size": 32, "base_channels": 4}
BOTH: tuple[PartName, ...] = ("generator", "region_network")


def tiny_networks(*parts: PartName) -> dict[PartName, Described]:
    """Networks with their descriptions."""
    generator = make_generator(**GENERATOR, strength=4.0), describe(GENERATOR, "sketch")
    words = make_region_network(palettes=True), describe_regions({**TINY, "palettes": True})
    every: dict[PartName, Described] = {"generator": generator, "region_network": words}
    return {part: every[part] for part in parts}


def write_model(path: Path, *parts: PartName, **keys: Any) -> Path:
    """The file of a tiny model."""
    save_model(path, tiny_networks(*parts), **keys)
    return path


def write_shading(path: Path) -> Path:
    """The file of a tiny model whose generator is given the flats."""
    planes = (*SKETCH.planes, FLATS)
    keys = {"size": 16, "base_channels": 4, "in_channels": 4}
    generator = make_generator(**keys, strength=4.0), describe(keys, "sketch", planes)
    save_model(path, {**tiny_networks("region_network"), "generator": generator})
    return path


def ship(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Let a file be the one that comes with the package."""
    monkeypatch.setattr(shipped, "FILE", path)

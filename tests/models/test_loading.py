"""The one way in, and what it costs."""

from __future__ import annotations

from pathlib import Path

from sketch2paint.models.loading import load
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.onnx_generator import ExportedGenerator

EXPORTED = Path(__file__).parents[1] / "release_0_1/sketch.onnx"


def test_an_exported_file_is_run() -> None:
    network, about = load(EXPORTED, device="cpu")
    assert isinstance(network, ExportedGenerator) and about is network.about


def test_other_files_are_weights(weight_path: Path) -> None:
    network, about = load(weight_path)
    assert isinstance(network, UNetGenerator) and about["task"] == "sketch"

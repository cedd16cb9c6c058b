"""Tiny pairs and tiny weights for the tests, made anew in temporary folders."""

from __future__ import annotations

import importlib
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from tiny_painter import make_generator
from torch import Tensor
from whole_program import ROOT

from sketch2paint.models.description import describe
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import save_generator

torch.set_num_threads(1)  # the networks are so small that threads only wait for each other

TINY = {"size": 16, "base_channels": 4}  # keyword arguments of the smallest useful generator
ABOUT = describe(TINY, "sketch")


def checkpoint(generator: UNetGenerator, **changes: Any) -> dict[str, Any]:
    """What a training run's .ckpt holds, as far as weights.load_generator looks."""
    state: dict[str, Tensor] = {"discriminator.logits.bias": torch.zeros(1)}
    for prefix, factor in (("generator", 0), ("ema", 1)):  # two sets, and `about` says which
        state |= {f"{prefix}.{k}": v * factor for k, v in generator.state_dict().items()}
    return {"state_dict": state, "about": ABOUT | {"weights": "ema"}} | changes


class Trap:
    """Calls a function when it is unpickled."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def repack(path: Path, change: Any, compression: int = zipfile.ZIP_STORED) -> None:
    """Write the archive again, each content changed by `change(name, content)`."""
    with zipfile.ZipFile(path) as archive:
        contents = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, change(name, content))


def draw_pair(seed: int, width: int = 64, height: int = 32) -> np.ndarray:
    """A pair (height, width, 3): coloured rectangles on the left, their black outlines right."""
    rng = np.random.default_rng(seed)
    half = width // 2
    colour = Image.new("RGB", (half, height), "white")
    sketch = Image.new("RGB", (half, height), "white")
    for _ in range(3):
        x, y = int(rng.integers(half - 6)), int(rng.integers(height - 6))
        box = (x, y, x + int(rng.integers(4, half - x)), y + int(rng.integers(4, height - y)))
        fill = tuple(int(value) for value in rng.integers(40, 230, 3))
        ImageDraw.Draw(colour).rectangle(box, fill=fill, outline="black")
        ImageDraw.Draw(sketch).rectangle(box, fill="white", outline="black")
    return np.hstack([np.asarray(colour), np.asarray(sketch)])


@pytest.fixture
def write_pairs() -> Callable[..., list[Path]]:
    """A function that writes `count` pairs as PNG files into a folder."""

    def write(folder: Path, count: int, seed: int = 0, **size: int) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"{number:03d}.png" for number in range(count)]
        for number, path in enumerate(paths):
            Image.fromarray(draw_pair(1000 * seed + number, **size)).save(path)
        return paths

    return write


@pytest.fixture
def pairs_dir(tmp_path: Path, write_pairs: Callable[..., list[Path]]) -> Path:
    """A folder with train/ (8 pairs) and val/ (4), PNGs of 64x32: colours left, sketch right."""
    root = tmp_path / "pairs"
    write_pairs(root / "train", 8, seed=1)
    write_pairs(root / "val", 4, seed=2)
    return root


@pytest.fixture
def two_folders(tmp_path: Path, pairs_dir: Path) -> dict[str, Path]:
    """The halves of `pairs_dir` in two folders of the same layout: PNGs and BMPs of 32x32."""
    folders = {"colours": tmp_path / "colours", "sketches": tmp_path / "sketches"}
    for path in pairs_dir.rglob("*.png"):
        halves = np.split(np.asarray(Image.open(path)), 2, axis=1)
        for (name, folder), half in zip(folders.items(), halves, strict=True):
            target = folder / path.relative_to(pairs_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            suffix = ".png" if name == "colours" else ".bmp"
            Image.fromarray(half).save(target.with_suffix(suffix))
    return folders


@pytest.fixture
def paintings(tmp_path: Path) -> Path:
    """A folder with train/ (6 pictures) and val/ (3), of all shapes and some deeper."""
    root = tmp_path / "paintings"
    shapes = [(24, 36), (36, 24), (20, 20), (16, 90), (70, 17), (8, 12)]
    for number in range(9):
        folder = root / ("train/deep" if number in (1, 2) else "train" if number < 6 else "val")
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(painting(number, *shapes[number % 6])).save(folder / f"{number}.png")
    return root


def painting(seed: int, height: int, width: int) -> np.ndarray:
    """(height, width, 3): shapes in colours, soft enough for every style of lines."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), rng.integers(150, 256, 3), np.uint8)
    for _ in range(4):
        centre = int(rng.integers(width)), int(rng.integers(height))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.circle(picture, centre, int(rng.integers(4, 10)), colour, -1)
    return picture


@pytest.fixture
def tiny_generator() -> UNetGenerator:
    """UNetGenerator(size=16, base_channels=4), the same in every test, with visible colours."""
    return make_generator(**TINY)


@pytest.fixture
def weight_path(tmp_path: Path, tiny_generator: UNetGenerator) -> Path:
    """The weight file of `tiny_generator`."""
    path = tmp_path / "generator.safetensors"
    save_generator(path, tiny_generator.state_dict(), describe(TINY, "sketch"))
    return path


@pytest.fixture(autouse=True)
def no_bf16(monkeypatch):
    """Let `precision=auto` mean the same on every machine; processes of their own ask theirs."""
    monkeypatch.setattr("sketch2paint.device.has_bf16", lambda: False)


@pytest.fixture
def full_disk() -> Iterator[Callable[[int], None]]:
    """A function that forbids files above a size, as a full disk would; 0: allows them again."""
    resource = pytest.importorskip("resource")  # not on Windows
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size or before[0], before[1]))

    yield limit
    limit(0)


@pytest.fixture
def refused_here(tmp_path, monkeypatch, capfd):
    """As `refused`, in this process: the imports are paid once for many small cases."""

    def call_here(verb_name, arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(ROOT / f"{verb_name}.py"), *arguments])
        with pytest.raises(SystemExit) as stop:
            importlib.import_module(f"sketch2paint.commands.{verb_name}").main()
        assert stop.value.code == 2
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        return captured.out + captured.err

    return call_here


@pytest.fixture
def ckpt_path(tmp_path: Path, tiny_generator: UNetGenerator) -> Path:
    """A checkpoint of `tiny_generator`."""
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint(tiny_generator), path)
    return path

"""Painter: a weight file and drawings or photographs in, pictures of the same size out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sketch2paint.images import lab_to_rgb, resize, rgb_to_grey, rgb_to_lab, to_float, to_hwc
from sketch2paint.networks import UNetGenerator
from sketch2paint.weights import load_generator

LONGEST = 4  # the longer side the network sees, in training sizes


class Painter:
    """Colours sketches or photographs with a trained generator, deterministically.

    Args:
        generator: in eval mode.
        task: sketch | photo, what it was trained for.
        device: where it runs.
    """

    def __init__(self, generator: UNetGenerator, task: str = "sketch", device: str = "cpu") -> None:
        self.device, self.task = torch.device(device), task
        self.generator = generator.eval().to(self.device)

    @classmethod
    def load(cls, path: Path | str, device: str = "auto") -> Painter:
        """Read a run folder, a .ckpt or a .safetensors.

        Args:
            path: where the weights are.
            device: auto (a GPU if there is one), cpu, cuda, cuda:1, mps.

        Raises:
            FileNotFoundError: there are no weights.
            ValueError: a damaged or foreign file, or no such device.
        """
        generator, about = load_generator(path)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            return cls(generator, about["task"], device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"Expected `device` to be usable, got {device!r}: {error}") from error

    def paint(self, sketches: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Colour sketches (or photographs, for the task photo) of any sizes.

        The network sees a sketch as it saw the training pairs: its shorter side scaled to the
        training size (so that lines have the thickness it knows), padded with white. A photograph
        keeps its own lightness at full resolution; a and b alone are predicted.

        Args:
            sketches: (H, W) or (H, W, 3) uint8, black lines on white, H and W at least 1.

        Returns:
            One (H, W, 3) uint8 RGB picture for each, of the sketch's own size.

        Raises:
            ValueError: a sketch has another shape or type.
        """
        sketches = [_checked(sketch) for sketch in sketches]
        inputs = [self._scaled(sketch) for sketch in sketches]
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, picture in enumerate(inputs):
            by_shape[picture.shape].append(i)
        pictures: list[np.ndarray] = [np.empty(0)] * len(sketches)
        for indices in by_shape.values():
            batch = torch.from_numpy(np.stack([inputs[i] for i in indices]))  # (B, h, w, 1 or 3)
            for i, fake in zip(indices, self._network(batch.permute(0, 3, 1, 2)), strict=True):
                pictures[i] = self._full_size(fake, sketches[i])
        return pictures

    def _scaled(self, sketch: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 to what the network is to see, (h, w, 1) grey or (h, w, 3)."""
        height, width = sketch.shape[:2]
        size = self.generator.size
        scale = min(size / min(height, width), LONGEST * size / max(height, width))
        small = resize(sketch, max(1, round(height * scale)), max(1, round(width * scale)))
        return small if self.task == "photo" else rgb_to_grey(small)[..., None]

    @torch.inference_mode()
    def _network(self, batch: Tensor) -> Tensor:
        """(B, 1 or 3, h, w) uint8 to (B, 3 or 2, h, w) in [-1, 1], padded in between."""
        x = to_float(batch.to(self.device))
        if self.task == "photo":
            x = rgb_to_lab(x)[:, :1]
        height, width = x.shape[-2:]
        down, right = (-n % self.generator.multiple for n in (height, width))
        top, left = down // 2, right // 2
        padding = (left, right - left, top, down - top)
        if self.task == "photo":  # a photograph goes on; a drawing ends in white paper
            x = torch.nn.functional.pad(x, padding, mode="replicate")
        else:
            x = torch.nn.functional.pad(x, padding, value=1.0)
        return self.generator(x)[..., top : top + height, left : left + width].float().cpu()

    def _full_size(self, fake: Tensor, sketch: np.ndarray) -> np.ndarray:
        """(3 or 2, h, w) as predicted to (H, W, 3) uint8 of the sketch's size."""
        if self.task != "photo":
            return resize(to_hwc(fake), *sketch.shape[:2])
        ab = resize(fake.permute(1, 2, 0).numpy(), *sketch.shape[:2])  # (H, W, 2)
        rgb = to_float(torch.tensor(sketch).permute(2, 0, 1)[None])  # a copy: PIL's are read-only
        lab = torch.cat(
            [rgb_to_lab(rgb)[:, :1], torch.from_numpy(ab).permute(2, 0, 1)[None]], dim=1
        )
        return to_hwc(lab_to_rgb(lab)[0])


def _checked(sketch: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, 3) uint8 to (H, W, 3)."""
    shaped = sketch.ndim == 2 or (sketch.ndim == 3 and sketch.shape[2] == 3)
    if sketch.dtype != np.uint8 or not shaped or 0 in sketch.shape:
        raise ValueError(
            "Expected a sketch as uint8 array (H, W) or (H, W, 3), "
            f"got {sketch.dtype} {sketch.shape}."
        )
    return sketch if sketch.ndim == 3 else np.repeat(sketch[..., None], 3, axis=2)

"""Painter: a weight file and sketches of any size in, pictures of the same size out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from sketch2paint.images import rgb_to_grey, to_float, to_hwc
from sketch2paint.networks import UNetGenerator
from sketch2paint.weights import load_generator

LONGEST = 4  # the longer side the network sees, in training sizes


class Painter:
    """Colours sketches with a trained generator, deterministically.

    Args:
        generator: in eval mode.
        device: where it runs.
    """

    def __init__(self, generator: UNetGenerator, device: str = "cpu") -> None:
        self.device = torch.device(device)
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
        generator, _ = load_generator(path)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            return cls(generator, device)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"Expected `device` to be usable, got {device!r}: {error}") from error

    def paint(self, sketches: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Colour sketches of any sizes.

        The network sees a sketch as it saw the training pairs: its shorter side scaled to the
        training size (so that lines have the thickness it knows), padded with white.

        Args:
            sketches: (H, W) or (H, W, 3) uint8, black lines on white, H and W at least 1.

        Returns:
            One (H, W, 3) uint8 RGB picture for each, of the sketch's own size.

        Raises:
            ValueError: a sketch has another shape or type.
        """
        inputs = [self._scaled(_grey(sketch)) for sketch in sketches]
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i, grey in enumerate(inputs):
            by_shape[grey.shape].append(i)
        pictures: list[np.ndarray] = [np.empty(0)] * len(sketches)
        for indices in by_shape.values():
            batch = np.stack([inputs[i] for i in indices])[:, None]  # (B, 1, h, w)
            for i, picture in zip(indices, self._network(torch.from_numpy(batch)), strict=True):
                pictures[i] = _resize(to_hwc(picture), sketches[i].shape[0], sketches[i].shape[1])
        return pictures

    def _scaled(self, grey: np.ndarray) -> np.ndarray:
        height, width = grey.shape
        size = self.generator.size
        scale = min(size / min(height, width), LONGEST * size / max(height, width))
        return _resize(grey, max(1, round(height * scale)), max(1, round(width * scale)))

    @torch.inference_mode()
    def _network(self, sketches: Tensor) -> Tensor:
        """(B, 1, h, w) uint8 to (B, 3, h, w) in [-1, 1], padded for the U-Net in between."""
        height, width = sketches.shape[-2:]
        multiple = self.generator.multiple
        down, right = -height % multiple, -width % multiple
        top, left = down // 2, right // 2
        padding = (left, right - left, top, down - top)
        x = to_float(sketches.to(self.device))
        x = torch.nn.functional.pad(x, padding, value=1.0)  # white paper
        return self.generator(x)[..., top : top + height, left : left + width]


def _grey(sketch: np.ndarray) -> np.ndarray:
    shaped = sketch.ndim == 2 or (sketch.ndim == 3 and sketch.shape[2] == 3)
    if sketch.dtype != np.uint8 or not shaped or 0 in sketch.shape:
        raise ValueError(
            "Expected a sketch as uint8 array (H, W) or (H, W, 3), "
            f"got {sketch.dtype} {sketch.shape}."
        )
    return sketch if sketch.ndim == 2 else rgb_to_grey(sketch)


def _resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    if picture.shape[:2] == (height, width):
        return picture
    smaller = height < picture.shape[0] or width < picture.shape[1]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return cv2.resize(picture, (width, height), interpolation=interpolation)

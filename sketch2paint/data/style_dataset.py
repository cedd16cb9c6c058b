"""Training samples with the code of their look."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sketch2paint.data.dataset import EpochIndex, Joined, PictureDataset
from sketch2paint.images.look import NAMES, look_code

TOLD = 0.5  # of the training samples have their own code, the others zeros
STREAM = 0x57796C65  # of chance beside the samples' own, which stays as it is without codes


class Styled(Dataset[np.ndarray]):
    """A data set whose batches have a `style`, the look of their true colours or zeros.

    Args:
        samples: Data set of pictures in RGB.
        seed: Seed that determines which samples have a code, with their epoch and index.
        tell: Whether any has one.
    """

    def __init__(self, samples: PictureDataset | Joined, *, seed: int, tell: bool) -> None:
        self.samples, self.seed, self.tell = samples, seed, tell
        self.pictures = samples.pictures

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, sample: EpochIndex) -> np.ndarray:
        """Read and augment the sample (epoch, index)."""
        return self.samples[sample]

    def __getitems__(self, samples: list[EpochIndex]) -> dict[str, Tensor]:
        """A batch of the data set, and `style` (B, N) float32."""
        batch = self.samples.__getitems__(samples)
        pictures = batch["pictures"][..., :3].numpy()
        pairs = zip(samples, pictures, strict=True)
        codes = [self._code(sample, picture) for sample, picture in pairs]
        return {**batch, "style": torch.from_numpy(np.stack(codes))}

    def _code(self, sample: EpochIndex, picture: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng([self.seed, *sample, STREAM])
        if not self.tell or rng.random() >= TOLD:
            return np.zeros(len(NAMES), np.float32)
        return look_code(np.ascontiguousarray(picture))

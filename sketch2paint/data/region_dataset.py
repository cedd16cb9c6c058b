"""Training samples with the regions of their drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sketch2paint.data.dataset import EpochIndex, Fitted, Lines, PictureDataset, Sampling
from sketch2paint.data.label_maps import regions_kept
from sketch2paint.hints.regions import Regions, find_regions


class RegionDataset(PictureDataset):
    """Augmented samples whose drawings' regions are known.

    The regions of a drawing are found once, before the crop and the flip, which then cut them as
    they cut the picture; those of a sketch that is made for a sample are its own.

    Args:
        pictures: Fitted pictures with their sketch, decoded or cached, or without where `lines`
            makes it.
        sampling: How samples are cut out of them. If that is more than cut out and mirrored,
            regions are found for every sample.
        lines: Maker of the sketches.
        folder: Folder in which regions are kept; None: they are found for every sample.
    """

    def __init__(
        self, pictures: Fitted, sampling: Sampling, *, lines: Lines, folder: Path | None
    ) -> None:
        super().__init__(pictures, sampling, lines=lines)
        self.keeps_sketch = "drawn" in lines.styles and not sampling.is_affine
        self.folder = folder

    def with_regions(
        self, sample: EpochIndex
    ) -> tuple[np.ndarray, np.ndarray, Regions, np.random.Generator]:
        """Read and augment the sample (epoch, index).

        Returns:
            True colours (S, S, 3) and sketch (S, S), uint8, the sketch's regions, and the source of
            what chance is drawn next.
        """
        picture = self.pictures[sample[1]]
        joins = np.empty((0, 2), np.int32), np.empty(0, np.float32)
        if self.keeps_sketch:
            found = regions_kept(self.folder, picture[..., 3])
            picture, joins = np.dstack([picture, _packed(found)]), (found.joins, found.openings)
        cut, rng = self.augmented(sample, picture)
        real, sketch = (np.ascontiguousarray(cut[..., own]) for own in (slice(3), 3))
        # A sketch that was made has no labels beside it.
        regions = Regions(*_unpacked(cut), *joins) if cut.shape[2] > 4 else find_regions(sketch)
        return real, sketch, regions, rng


def _packed(regions: Regions) -> np.ndarray:
    """Labels and ink as four channels of a picture, (H, W, 4) uint8."""
    return (2 * regions.labels + regions.ink)[..., None].astype("<i4").view(np.uint8)


def _unpacked(cut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels (S, S) int32 and ink (S, S) bool of a picture with four channels more."""
    numbers = np.ascontiguousarray(cut[..., 4:]).view("<i4")[..., 0]
    return numbers >> 1, (numbers & 1).astype(bool)

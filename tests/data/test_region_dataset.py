"""Samples with regions that were cut and flipped as the picture was, or are the sketch's own."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_word_dataset import BOUNDS, LARGE, SIZE, pair

from sketch2paint.data.dataset import Lines, Sampling
from sketch2paint.data.outlines import with_lines, without_outlines
from sketch2paint.data.region_dataset import RegionDataset
from sketch2paint.hints.regions import find_regions


def dataset(*styles: str, folder: Path | None = None, **changes: Any) -> RegionDataset:
    pictures = [pair(seed) for seed in range(6)]
    sampling = Sampling(**{"size": SIZE, "augment": True, "flip": True, "seed": 0, **changes})
    return RegionDataset(pictures, sampling, lines=Lines(styles, **BOUNDS), folder=folder)


def test_regions_are_cut_as_the_picture_is() -> None:
    data = dataset("drawn")
    found = find_regions(data.pictures[0][..., 3])
    cuts = defaultdict(list)
    for y in range(LARGE - SIZE + 1):
        for x in range(LARGE - SIZE + 1):
            cut = np.s_[y : y + SIZE, x : x + SIZE]
            sketch, labels = data.pictures[0][..., 3][cut], found.labels[cut]
            cuts[sketch.tobytes()].append(labels)
            cuts[sketch[:, ::-1].tobytes()].append(labels[:, ::-1])
    for epoch in range(20):
        _, sketch, regions, _ = data.with_regions((epoch, 0))
        assert any((regions.labels == cut).all() for cut in cuts[sketch.tobytes()])
        np.testing.assert_array_equal(regions.joins, found.joins)


@pytest.mark.parametrize(("style", "least"), [("pencil", 1), ("redrawn", 4)])
def test_a_sketch_that_is_made_has_regions_of_its_own(style: str, least: int) -> None:
    changed = 0
    for epoch in range(8):
        real, sketch, regions, _ = dataset(style).with_regions((epoch, 1))
        np.testing.assert_array_equal(regions.labels, find_regions(sketch).labels)
        drawn = dataset("drawn").with_regions((epoch, 1))
        # Crop and flip are the same; the outlines are those of the new sketch.
        bare, _ = without_outlines(np.dstack(drawn[:2]))
        np.testing.assert_array_equal(real, with_lines(bare, sketch))
        changed += int((sketch != drawn[1]).any())
        both = dataset("drawn", style).with_regions((epoch, 1))
        assert both[2].labels.shape == (SIZE, SIZE)
    assert changed >= least


def test_regions_that_were_kept_are_those_that_are_found(tmp_path: Path) -> None:
    for _ in range(2):  # the second time from the files
        for index in range(6):
            kept = dataset("drawn", folder=tmp_path).with_regions((0, index))
            found = dataset("drawn").with_regions((0, index))
            np.testing.assert_array_equal(kept[2].labels, found[2].labels)
            np.testing.assert_array_equal(kept[2].ink, found[2].ink)
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("moves", [{"zoom": 1.5}, {"rotate": 40.0}, {"zoom": 2.0, "rotate": 180.0}])
def test_a_moved_sample_has_the_regions_of_its_own_sketch(
    tmp_path: Path, moves: dict[str, float]
) -> None:
    data, plain = dataset("drawn", folder=tmp_path, **moves), dataset("drawn")
    changed = 0
    for index in range(6):
        real, sketch, regions, _ = data.with_regions((0, index))
        found = find_regions(sketch)
        np.testing.assert_array_equal(regions.labels, found.labels)
        np.testing.assert_array_equal(regions.ink, found.ink)
        np.testing.assert_array_equal(regions.joins, found.joins)
        assert real.shape == (SIZE, SIZE, 3) and sketch.shape == (SIZE, SIZE)
        changed += int((sketch != plain.with_regions((0, index))[1]).any())
    assert changed == 6 and not list(tmp_path.iterdir())  # nothing is kept that nobody reads


def test_outside_training_regions_are_kept_whatever_moves(tmp_path: Path) -> None:
    still = dataset("drawn", augment=False).with_regions((0, 2))
    moved = dataset("drawn", augment=False, folder=tmp_path, zoom=2.0, rotate=90.0)
    for one, other in zip(moved.with_regions((0, 2))[:2], still[:2], strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(list(tmp_path.iterdir())) == 1

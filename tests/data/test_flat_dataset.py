"""Samples with their flats: true, recoloured together with the truth, wrong or missing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from test_word_dataset import BOUNDS, pair

from sketch2paint.data import flat_dataset
from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.dataset import Lines, Sampling
from sketch2paint.data.flat_dataset import FlatDataset, own_colours
from sketch2paint.hints.regions import find_regions


def dataset(augment: bool = True) -> FlatDataset:
    lines = Lines(("drawn",), **BOUNDS)
    pictures = [pair(seed) for seed in range(6)]
    return FlatDataset(pictures, Sampling(32, augment, seed=0), lines=lines, folder=None)


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("MISSING", "RECOLOURED", "WRONG", "BLURRED", "NOISE"):
        monkeypatch.setattr(flat_dataset, name, 0.0)
    return monkeypatch


def clear_of(sample: np.ndarray) -> np.ndarray:
    return sample[..., 3] > flat_dataset.CLEAR


def test_colours_of_regions_are_medians_off_the_lines() -> None:
    rng = np.random.default_rng(0)
    sketch = np.full((60, 60), 255, np.uint8)
    cv2.rectangle(sketch, (10, 10), (45, 50), 0, 2)
    real = rng.integers(0, 256, (60, 60, 3), np.uint8)
    regions = find_regions(sketch)
    table = own_colours(real, sketch, regions)
    for number in range(regions.count):
        own = np.sort(real[(regions.labels == number) & (sketch > flat_dataset.CLEAR)], axis=0)
        np.testing.assert_array_equal(table[number], own[len(own) // 2])
    black = np.zeros_like(sketch)
    assert (own_colours(real, black, find_regions(black)) == 255).all()


def test_outside_training_flats_are_true() -> None:
    data = dataset(augment=False)
    for index in range(6):
        sample = data[7, index]
        clear = clear_of(sample)
        np.testing.assert_array_equal(sample[clear][:, 4:], sample[clear][:, :3])
        np.testing.assert_array_equal(sample, data[8, index])


def test_what_is_recoloured_is_so_in_the_truth_as_well(never: pytest.MonkeyPatch) -> None:
    plain = [dataset()[0, index] for index in range(6)]
    never.setattr(flat_dataset, "RECOLOURED", 1.0)
    changed = 0
    for index, before in enumerate(plain):
        after = dataset()[0, index]
        clear = clear_of(after)
        np.testing.assert_array_equal(after[clear][:, 4:], after[clear][:, :3])
        paper = clear & (before[..., :3] == 255).all(2)
        assert (after[paper][:, :3] == 255).all()
        changed += int((after != before).any())
    assert changed >= 3


def test_shading_is_carried_over_to_another_colour() -> None:
    flat = np.full((1, 3, 3), 100, np.uint8)
    real = np.array([[[100] * 3, [50] * 3, [178] * 3]], np.uint8)  # half way to black, to white
    moved = flat_dataset._moved(real, flat, np.full_like(flat, 200))
    np.testing.assert_array_equal(moved[0, :, 0], [200, 100, 228])


@pytest.mark.parametrize(
    ("name", "what"), [("MISSING", "white"), ("WRONG", "other"), ("BLURRED", "soft")]
)
def test_flats_are_spoilt_and_the_truth_is_not(
    never: pytest.MonkeyPatch, name: str, what: str
) -> None:
    plain = np.stack([dataset()[0, index] for index in range(6)])
    never.setattr(flat_dataset, name, 1.0)
    spoilt = np.stack([dataset()[epoch, 0] for epoch in range(20)])
    never.setattr(flat_dataset, name, 0.0)
    truth = np.stack([dataset()[epoch, 0] for epoch in range(20)])
    np.testing.assert_array_equal(spoilt[..., :4], truth[..., :4])
    assert plain.shape == (6, 32, 32, 7) and (spoilt != truth).any()
    if what == "white":
        assert (spoilt[..., 4:] == 255).all()
    if what == "soft":
        assert len(np.unique(spoilt[0, ..., 4])) > len(np.unique(truth[0, ..., 4]))


def test_batches_serve_the_plane_for_a_generator(tmp_path, pairs_dir) -> None:
    data = SketchDataModule(
        root=str(pairs_dir), size=32, jitter=4, flats=True, batch_size=2, num_workers=0, cache="off"
    )
    data.setup("fit")
    batch = data.on_after_batch_transfer(next(iter(data.train_dataloader())), 0)
    assert [plane.name for plane in data.planes] == ["sketch", "flats"]
    shapes = {name: tuple(tensor.shape[1:]) for name, tensor in batch.items()}
    assert shapes == {"sketch": (1, 32, 32), "real": (3, 32, 32), "flats": (3, 32, 32)}
    assert batch["flats"].dtype == torch.float32 and batch["flats"].abs().max() <= 1


def test_photographs_have_no_flats(paintings) -> None:
    data = SketchDataModule(
        source="pictures", root=str(paintings), task="photo", flats=True, num_workers=0
    )
    with pytest.raises(ValueError, match="`data.task` sketch for words or flats.*got photo. Pass"):
        data.setup("fit")

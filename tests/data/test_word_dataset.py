import pickle

import cv2
import numpy as np
import pytest
import torch

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.dataset import Lines
from sketch2paint.data.word_dataset import WordDataset

SIZE, LARGE = 32, 40
BOUNDS = {"thickness": (1.0, 1.0), "threshold": (0.1, 0.1), "intensity": (1.0, 1.0)}


def pair(seed: int) -> np.ndarray:
    """Colours and sketch of some boxes, (40, 40, 4) uint8."""
    rng = np.random.default_rng(seed)
    picture = np.full((LARGE, LARGE, 4), 255, np.uint8)
    for _ in range(3):
        x, y = rng.integers(0, LARGE - 12, 2)
        box = np.s_[y : y + 12, x : x + 12]
        picture[box] = (*rng.integers(40, 230, 3), 255)
        edge = cv2.rectangle(np.zeros((12, 12), np.uint8), (0, 0), (11, 11), 1)
        picture[box][edge > 0] = 0
    return picture


def dataset(augment: bool = True, styles=("drawn",), **changes) -> WordDataset:
    arguments = {
        "size": SIZE, "augment": augment, "flip": True, "lines": Lines(styles, **BOUNDS),
        "seed": 0, "most": 64, "folder": None,
    }  # fmt: skip
    return WordDataset([pair(seed) for seed in range(6)], **{**arguments, **changes})


def test_outside_training_nothing_is_chance():
    data = dataset(augment=False)
    one, other = data.told((0, 2)), data.told((5, 2))
    np.testing.assert_array_equal(one.given.known, other.given.known)
    middle = np.s_[4 : 4 + SIZE, 4 : 4 + SIZE]
    np.testing.assert_array_equal(one.sketch, data.pictures[2][middle][..., 3])
    np.testing.assert_array_equal(one.given.real, data.pictures[2][middle][..., :3])


def test_a_batch_is_its_samples_filled_up():
    data = dataset()
    samples = [(1, 3), (0, 2), (1, 0), (4, 5)]
    batch = data.__getitems__(samples)
    counts = [len(data.told(sample).words.regions) for sample in samples]
    assert len(set(counts)) > 1
    assert batch["about"].shape == (4, max(counts), 9)
    assert batch["pairs"].shape == (4, max(counts), max(counts), 8)
    for row, (sample, count) in enumerate(zip(samples, counts, strict=True)):
        told = data.told(sample)
        np.testing.assert_array_equal(batch["pictures"][row].numpy(), data[sample])
        np.testing.assert_array_equal(batch["labels"][row].numpy(), told.words.labels)
        np.testing.assert_array_equal(batch["pairs"][row, :count, :count], told.words.pairs)
        np.testing.assert_array_equal(batch["known"][row, :count].numpy(), told.given.known)
        expected = torch.from_numpy(told.given.colours) / 127.5 - 1
        torch.testing.assert_close(batch["given"][row, :count], expected)
        assert (batch["about"][row, count:] == 0).all() and not batch["known"][row, count:].any()
        assert (batch["about"][row, :count, -1] == 1).all()


def test_a_sample_depends_on_seed_epoch_and_index_alone(tmp_path):
    plain, kept = dataset(), pickle.loads(pickle.dumps(dataset(folder=tmp_path / "kept")))
    samples = [(epoch, index) for epoch in range(3) for index in range(6)]
    expected = plain.__getitems__(samples)
    for again in (plain, kept, kept):  # the second time from the files
        for name, tensor in again.__getitems__(samples).items():
            torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)
    assert len(list((tmp_path / "kept").iterdir())) == 6
    other = dataset(seed=1).__getitems__(samples)
    assert (other["known"].shape != expected["known"].shape) or (
        other["known"] != expected["known"]
    ).any()


def test_the_smallest_regions_are_left_out():
    words = dataset(most=2).told((0, 0)).words
    assert len(words.regions) == 2 and -1 in words.labels


def loaded(pairs_dir, tmp_path, **changes):
    keys = {"root": str(pairs_dir), "size": 32, "jitter": 4, "batch_size": 4, "num_workers": 0}
    data = SketchDataModule(**keys, cache_dir=str(tmp_path / "cache"), **changes)
    data.words = 64
    data.setup("fit")
    return data


def test_the_data_module_serves_words(pairs_dir, tmp_path):
    data = loaded(pairs_dir, tmp_path)
    for loader in (data.train_dataloader(), data.val_dataloader()):
        batch = data.on_after_batch_transfer(next(iter(loader)), 0)
        assert batch["sketch"].shape == (4, 1, 32, 32) and batch["labels"].shape == (4, 32, 32)
        assert batch["given"].abs().max() <= 1
    assert list((tmp_path / "cache/regions").glob("*.npz"))
    assert data.colours(7).shape == (7, 3)


def test_without_a_cache_nothing_is_written(pairs_dir, tmp_path):
    data = loaded(pairs_dir, tmp_path, cache="off")
    assert "labels" in next(iter(data.train_dataloader()))
    assert not (tmp_path / "cache").exists()


def test_photographs_have_no_words(paintings, tmp_path):
    data = SketchDataModule(
        source="pictures", task="photo", root=str(paintings), fit="crop", size=16, jitter=0
    )
    data.words = 64
    with pytest.raises(ValueError, match="Expected `data.task` sketch for words.*got photo. Pass"):
        data.setup("fit")

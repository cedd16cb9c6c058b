import pickle
import random

import cv2
import numpy as np
import pytest
import torch

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.dataset import Lines, Sampling
from sketch2paint.data.given import draw_given
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


def dataset(augment: bool = True, styles=("drawn",), seed: int = 0, **changes) -> WordDataset:
    sampling = Sampling(SIZE, augment, seed, flip=True)
    arguments = {"lines": Lines(styles, **BOUNDS), "most": 64, "folder": None, **changes}
    return WordDataset([pair(seed) for seed in range(6)], sampling, **arguments)


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
    plain = dataset(palettes=True)
    kept = pickle.loads(pickle.dumps(dataset(palettes=True, folder=tmp_path / "kept")))
    samples = [(epoch, index) for epoch in range(3) for index in range(6)]
    expected = plain.__getitems__(samples)
    for again in (plain, kept, kept):  # the second time from the files
        for name, tensor in again.__getitems__(samples).items():
            torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)
    assert len(list((tmp_path / "kept").iterdir())) == 6
    other = dataset(palettes=True, seed=1).__getitems__(samples)
    assert (other["known"].shape != expected["known"].shape) or (
        other["known"] != expected["known"]
    ).any()


def test_half_of_the_training_samples_have_palettes_and_all_others():
    data, samples = (
        dataset(palettes=True),
        [(epoch, index) for epoch in range(40) for index in (0, 1)],
    )
    told = [data.told(sample) for sample in samples]
    has = np.array([len(one.palette.colours) > 0 for one in told])
    assert 0.35 < has.mean() < 0.6
    recoloured = 0
    for one, (_, index) in zip(told, samples, strict=True):
        own = {tuple(colour) for colour in data.pictures[index][..., :3].reshape(-1, 3).tolist()}
        recoloured += not {tuple(c) for c in one.given.real.reshape(-1, 3).tolist()} <= own
    assert recoloured > 0
    judged = dataset(augment=False, palettes=True)
    for index in range(6):
        one = judged.told((3, index))
        np.testing.assert_array_equal(one.palette.colours, judged.told((0, index)).palette.colours)
        here = {tuple(colour) for colour in one.given.real.reshape(-1, 3).tolist()}
        assert {tuple(colour) for colour in one.palette.colours.tolist()} <= here
        assert one.palette.portions.sum() == pytest.approx(1)


def test_palettes_of_a_batch_are_filled_up():
    data, samples = dataset(palettes=True), [(epoch, 1) for epoch in range(12)]
    batch = data.__getitems__(samples)
    found = [data.told(sample).palette for sample in samples]
    counts = [len(one.colours) for one in found]
    assert batch["palette"].shape == (12, max(counts), 3) and min(counts) == 0
    for row, one in enumerate(found):
        count = len(one.colours)
        got = torch.round((batch["palette"][row, :count] + 1) * 127.5)
        np.testing.assert_array_equal(got.numpy(), one.colours)
        np.testing.assert_array_equal(batch["portions"][row, :count].numpy(), one.portions)
        assert (batch["portions"][row, count:] == -1).all()
    without = dataset().__getitems__([(0, 0)])
    assert without["palette"].shape == (1, 1, 3) and without["portions"].tolist() == [[-1]]


def test_where_palettes_are_not_wanted_samples_are_as_before_them():
    plain, other = dataset(), dataset(palettes=True)
    assert not any(len(plain.told((epoch, 0)).palette.colours) for epoch in range(10))
    rng = np.random.default_rng([0, 3, 0])
    plain.transform.set_random_state(rng, random.Random(int(rng.integers(2**63))))
    cut = plain.lines(plain.transform(image=plain.pictures[0])["image"], rng)
    told = plain.told((3, 0))
    expected = draw_given(rng, real=cut[..., :3], sketch=told.sketch, words=told.words)
    np.testing.assert_array_equal(told.given.known, expected.known)
    np.testing.assert_array_equal(told.sketch, other.told((3, 0)).sketch)  # one crop for both


def test_the_smallest_regions_are_left_out():
    words = dataset(most=2).told((0, 0)).words
    assert len(words.regions) == 2 and -1 in words.labels


def loaded(pairs_dir, tmp_path, **changes):
    keys = {"root": str(pairs_dir), "size": 32, "jitter": 4, "batch_size": 4, "num_workers": 0}
    data = SketchDataModule(**keys, cache_dir=str(tmp_path / "cache"), **changes)
    data.words, data.palettes = 64, True
    data.setup("fit")
    return data


def test_the_data_module_serves_words(pairs_dir, tmp_path):
    data = loaded(pairs_dir, tmp_path)
    for loader in (data.train_dataloader(), data.val_dataloader()):
        batch = data.on_after_batch_transfer(next(iter(loader)), 0)
        assert batch["sketch"].shape == (4, 1, 32, 32) and batch["labels"].shape == (4, 32, 32)
        assert batch["given"].abs().max() <= 1
        assert batch["palette"].shape[:2] == batch["portions"].shape
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

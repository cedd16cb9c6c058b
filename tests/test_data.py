from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from sketch2paint.data import (
    EpochSampler,
    PairDataset,
    SketchDataModule,
    default_workers,
    training_transform,
    validation_transform,
)
from sketch2paint.images import read_rgb, rgb_to_grey

SIZE, JITTER = 16, 4

# A machine with fewer cores than loading processes is none of these tests' business.
few_cores = pytest.mark.filterwarnings("ignore:This DataLoader will create")


def module(root: Path, **changes: Any) -> SketchDataModule:
    """A data module that is ready for use, small and without workers unless told otherwise."""
    small: dict[str, Any] = {"size": SIZE, "jitter": JITTER, "batch_size": 3, "num_workers": 0}
    data = SketchDataModule(str(root), **(small | changes))
    data.prepare_data()
    data.setup("fit")
    return data


def epochs(data: SketchDataModule, *numbers: int) -> list[list[dict[str, Tensor]]]:
    """All training batches of the given epochs, from one loader, as Lightning asks for them."""
    loader = data.train_dataloader()
    batches = []
    for epoch in numbers:
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        batches.append(list(loader))
    return batches


def same(one: Any, other: Any) -> bool:
    """Whether two nestings of lists, dicts and tensors hold the same values."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return len(one) == len(other) and all(map(same, one, other))


@pytest.fixture
def aligned(tmp_path: Path) -> Path:
    """A pair of 20x20 halves: noise, and the same noise in grey."""
    rng = np.random.default_rng(0)
    colour = rng.integers(0, 256, (SIZE + JITTER, SIZE + JITTER, 3), dtype=np.uint8)
    grey = rgb_to_grey(colour)
    Image.fromarray(np.hstack([colour, np.dstack([grey] * 3)])).save(tmp_path / "aligned.png")
    return tmp_path / "aligned.png"


def augmented(path: Path, seed: int = 0, flip: bool = True) -> PairDataset:
    return PairDataset([path] * 50, "left", training_transform(SIZE, JITTER, flip), seed)


# ---------------------------------------------------------------- the joint augmentation


def test_both_halves_are_cropped_and_flipped_alike(aligned: Path) -> None:
    dataset = augmented(aligned)
    for index in range(50):
        sample = dataset[0, index]
        real = sample["real"].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(sample["sketch"][0].numpy(), rgb_to_grey(real))


@pytest.mark.parametrize("flip", [True, False])
def test_every_sample_is_a_crop_flipped_or_not(aligned: Path, flip: bool) -> None:
    colour = read_rgb(aligned)[:, : SIZE + JITTER]
    crops = {}
    for y in range(JITTER + 1):
        for x in range(JITTER + 1):
            crop = colour[y : y + SIZE, x : x + SIZE]
            crops[crop.tobytes()] = (y, x, False)
            crops[crop[:, ::-1].tobytes()] = (y, x, True)
    dataset = augmented(aligned, flip=flip)
    drawn = [
        crops[dataset[epoch, index]["real"].permute(1, 2, 0).numpy().tobytes()]
        for epoch in range(4)
        for index in range(50)
    ]
    # 200 draws: every offset is seen (each is missed with 0.8 ** 200), half of them mirrored.
    assert {y for y, _, _ in drawn} == {x for _, x, _ in drawn} == set(range(JITTER + 1))
    mirrored = sum(flipped for _, _, flipped in drawn)
    assert 65 <= mirrored <= 135 if flip else mirrored == 0  # 100 +- 5 deviations


def test_without_jitter_there_is_no_crop(aligned: Path) -> None:
    transform = training_transform(SIZE + JITTER, 0, False)
    sample = PairDataset([aligned], "left", transform, 0)[0, 0]
    colour = read_rgb(aligned)[:, : SIZE + JITTER]
    np.testing.assert_array_equal(sample["real"].permute(1, 2, 0).numpy(), colour)


@pytest.mark.parametrize("height", [64, 50, 16, 9])
def test_samples_are_uint8_of_the_wanted_size(tmp_path: Path, height: int) -> None:
    Image.new("RGB", (80, height), (10, 20, 30)).save(tmp_path / "a.png")
    for transform in (training_transform(SIZE, JITTER, True), validation_transform(SIZE)):
        sample = PairDataset([tmp_path / "a.png"], "left", transform, 0)[0, 0]
        assert sample.keys() == {"sketch", "real"}
        assert sample["sketch"].shape == (1, SIZE, SIZE)
        assert sample["real"].shape == (3, SIZE, SIZE)
        assert sample["sketch"].dtype == sample["real"].dtype == torch.uint8
        assert sample["real"].flatten(1).unique(dim=1).flatten().tolist() == [10, 20, 30]


def test_colour_side_is_passed_on(tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 16), "red")
    picture.paste("white", (16, 0, 32, 16))
    picture.save(tmp_path / "a.png")
    for side, real in (("left", [255, 0, 0]), ("right", [255, 255, 255])):
        dataset = PairDataset([tmp_path / "a.png"], side, validation_transform(SIZE), 0)
        assert dataset[0, 0]["real"][:, 5, 5].tolist() == real


# ---------------------------------------------------------------- resizing


def test_shrinking_is_the_mean_of_the_area() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (64, 48, 4), dtype=np.uint8)
    small = validation_transform(16)(image=picture)["image"].astype(float)
    mean = picture.reshape(16, 4, 16, 3, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(small, mean, atol=0.51)


def test_growing_is_smooth_and_keeps_flat_colours() -> None:
    picture = np.zeros((8, 8, 4), np.uint8)
    picture[:, 4:] = 255
    large = validation_transform(32)(image=picture)["image"].astype(int)
    assert (large[:, :10] == 0).all() and (large[:, 22:] == 255).all()
    assert len(np.unique(large)) > 4  # nearest neighbour would know 0 and 255 alone


@pytest.mark.parametrize("height", [128, 32, 16, 5])  # the last: wider than tall by far
@pytest.mark.parametrize("upright", [False, True])
def test_thin_lines_survive_as_grey(height: int, upright: bool) -> None:
    line_at = range(3, 128, 9)
    picture = np.full((height, 128, 4), 255, np.uint8)
    picture[:, line_at] = 0
    if upright:
        picture = np.ascontiguousarray(picture.transpose(1, 0, 2))
    small = validation_transform(32)(image=picture)["image"]
    profile = small[..., 0].mean(axis=1 if upright else 0)  # (32,) across the lines
    for x in line_at:
        assert profile[x // 4] == pytest.approx(255 * 3 / 4, abs=1.5)  # one black pixel in four
    assert 255 - profile.mean() == pytest.approx(255 * len(line_at) / 128, abs=1.5)


# ---------------------------------------------------------------- determinism


@few_cores
def test_stream_is_the_same_for_any_number_of_workers(pairs_dir: Path) -> None:
    alone = epochs(module(pairs_dir, seed=3), 0, 1)
    shared = epochs(module(pairs_dir, seed=3, num_workers=2), 0, 1)
    assert [batch["real"].shape[0] for batch in alone[0]] == [3, 3, 2]
    assert same(alone, shared)
    assert not same(alone[0], alone[1])


def test_stream_is_the_same_in_another_module_and_leaves_global_randomness_alone(
    pairs_dir: Path,
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    first = epochs(module(pairs_dir), 0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert random.getstate() == before[2]
    torch.rand(5), np.random.rand(5), random.random()  # from another state it is the same stream
    assert same(first, epochs(module(pairs_dir), 0))


def test_seed_changes_the_stream(pairs_dir: Path) -> None:
    assert not same(epochs(module(pairs_dir, seed=0), 0), epochs(module(pairs_dir, seed=1), 0))


def test_an_epoch_does_not_depend_on_those_before(pairs_dir: Path) -> None:
    data = module(pairs_dir)
    assert same(epochs(data, 0, 1, 2)[2], epochs(data, 2)[0])


def test_a_sample_depends_on_seed_epoch_and_index_alone(aligned: Path) -> None:
    dataset = augmented(aligned)
    sample = dataset[2, 7]
    for other in ((0, 0), (1, 7), (2, 6)):
        dataset[other]
    assert same(dataset[2, 7], sample)
    assert same(augmented(aligned)[2, 7], sample)


def test_seed_epoch_and_index_each_change_the_augmentation(aligned: Path) -> None:
    # The file is one and the same, and there are 50 crops: 10 in a row alike is no chance.
    def crops(samples: list[dict[str, Tensor]]) -> int:
        return len({sample["real"].numpy().tobytes() for sample in samples})

    assert crops([augmented(aligned, seed=seed)[0, 0] for seed in range(10)]) > 3
    assert crops([augmented(aligned)[epoch, 0] for epoch in range(10)]) > 3
    assert crops([augmented(aligned)[0, index] for index in range(10)]) > 3


# ---------------------------------------------------------------- EpochSampler


def indices(sampler: EpochSampler) -> list[int]:
    return [index for _, index in sampler]


def test_order_is_a_permutation_given_by_seed_and_epoch() -> None:
    order = indices(EpochSampler(100, seed=0, shuffle=True, epoch=1))
    assert sorted(order) == list(range(100)) != order
    assert indices(EpochSampler(100, seed=0, shuffle=True, epoch=1)) == order
    assert indices(EpochSampler(100, seed=1, shuffle=True, epoch=1)) != order
    assert indices(EpochSampler(100, seed=0, shuffle=True, epoch=2)) != order


def test_set_epoch_is_the_same_as_beginning_there() -> None:
    sampler = EpochSampler(10, seed=0, shuffle=True)
    first = list(sampler)
    assert {epoch for epoch, _ in first} == {0}
    sampler.set_epoch(5)
    assert list(sampler) == list(EpochSampler(10, seed=0, shuffle=True, epoch=5))
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_unshuffled_order_is_the_natural_one() -> None:
    assert list(EpochSampler(3, seed=0, shuffle=False)) == [(0, 0), (0, 1), (0, 2)]


def test_start_leaves_out_what_was_seen_in_the_first_epoch_alone() -> None:
    whole = EpochSampler(10, seed=0, shuffle=True, epoch=4)
    resumed = EpochSampler(10, seed=0, shuffle=True, epoch=4, start=6)
    resumed.set_epoch(4)  # Lightning says so before the epoch, and it changes nothing
    assert list(resumed) == list(whole)[6:]
    assert len(resumed) == 10  # or Lightning would end the epoch too early
    for sampler in (whole, resumed):
        sampler.set_epoch(5)
    assert list(resumed) == list(whole)
    assert len(list(resumed)) == 10


@pytest.mark.parametrize("length", [12, 10, 2])
@pytest.mark.parametrize("shuffle", [True, False])
def test_ranks_share_out(length: int, shuffle: bool) -> None:
    world = 4
    ranks = [EpochSampler(length, 0, shuffle, rank=rank, world_size=world) for rank in range(world)]
    shares = [indices(rank) for rank in ranks]
    each = -(-length // world)
    assert [len(share) for share in shares] == [len(rank) for rank in ranks] == [each] * world
    seen = [index for share in shares for index in share]
    assert set(seen) == set(range(length))
    # Only as many twice as it takes to give everybody the same number.
    assert len(seen) - len(set(seen)) == each * world - length


def test_ranks_go_through_the_order_of_a_single_process() -> None:
    ranks = [EpochSampler(12, 0, True, rank=rank, world_size=3) for rank in range(3)]
    together = [index for step in zip(*map(indices, ranks), strict=True) for index in step]
    assert together == indices(EpochSampler(12, 0, True))


def test_a_rank_leaves_out_what_it_has_seen() -> None:
    whole = EpochSampler(12, 0, True, rank=1, world_size=3)
    resumed = EpochSampler(12, 0, True, start=2, rank=1, world_size=3)
    assert list(resumed) == list(whole)[2:]


# ---------------------------------------------------------------- SketchDataModule


def test_batches_end_to_end(pairs_dir: Path) -> None:
    data = module(pairs_dir, batch_size=4)
    for loader, sizes in ((data.train_dataloader(), [4, 4]), (data.val_dataloader(), [4])):
        batches = list(loader)
        assert [len(batch["real"]) for batch in batches] == sizes
        batch = data.on_after_batch_transfer(batches[0], 0)
        assert batch["sketch"].shape == (4, 1, SIZE, SIZE)
        assert batch["real"].shape == (4, 3, SIZE, SIZE)
        for picture in batch.values():
            assert picture.dtype == torch.float32
            assert -1 <= picture.min() < -0.2 and picture.max() == 1  # lines, and white paper


def test_validation_is_resized_alone_and_in_order(pairs_dir: Path) -> None:
    loader = module(pairs_dir).val_dataloader()
    batches = list(loader)
    assert same(batches, list(loader))
    reals = torch.cat([batch["real"] for batch in batches]).permute(0, 2, 3, 1).numpy()
    for real, path in zip(reals, sorted((pairs_dir / "val").iterdir()), strict=True):
        half = read_rgb(path)[:, :32]
        small = cv2.resize(half, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(real, small)


def test_training_is_shuffled(pairs_dir: Path) -> None:
    data = module(pairs_dir, jitter=0, flip=False)
    in_order = [data.datasets["train"][0, index]["real"] for index in range(8)]
    real = torch.cat([batch["real"] for batch in epochs(data, 0)[0]])
    order = [next(i for i, r in enumerate(in_order) if torch.equal(r, row)) for row in real]
    assert sorted(order) == list(range(8)) != order


def test_test_split(pairs_dir: Path, write_pairs: Callable[..., list[Path]]) -> None:
    with pytest.raises(ValueError, match=r"pairs/test: no such folder\. Expected the test pairs"):
        module(pairs_dir).test_dataloader()
    write_pairs(pairs_dir / "test", 2, seed=5)
    (batch,) = module(pairs_dir).test_dataloader()
    assert batch["real"].shape == (2, 3, SIZE, SIZE)


def test_flat_folder_is_split_by_fraction_and_seed(
    tmp_path: Path, write_pairs: Callable[..., list[Path]]
) -> None:
    write_pairs(tmp_path / "flat", 20, width=32, height=16)

    def held_out(**changes: Any) -> list[Path]:
        data = module(tmp_path / "flat", **changes)
        assert len(data.datasets["train"]) + len(data.datasets["val"]) == 20
        return data.datasets["val"].paths

    few, many = held_out(val_fraction=0.2), held_out(val_fraction=0.7)
    assert set(few) < set(many)
    assert held_out(val_fraction=0.7, seed=1) != many


def test_setup_looks_at_the_files_once(pairs_dir: Path) -> None:
    data = module(pairs_dir)
    datasets = dict(data.datasets)
    data.setup("validate")
    assert data.datasets.keys() == datasets.keys()
    assert all(data.datasets[name] is datasets[name] for name in datasets)


def test_bad_files_are_raised_or_skipped(pairs_dir: Path) -> None:
    (pairs_dir / "train" / "broken.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"1 of 13 pictures(.|\n)*broken\.png"):
        module(pairs_dir)
    with pytest.warns(UserWarning, match=r"broken\.png(.|\n)*skipped"):
        data = module(pairs_dir, on_bad="skip")
    assert len(data.datasets["train"]) == 8


def test_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone: no such folder"):
        module(tmp_path / "gone")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour_side": "top"}, r"`data\.colour_side` to be one of left, right, got 'top'"),
        ({"on_bad": "ignore"}, r"`data\.on_bad` to be one of raise, skip, got 'ignore'"),
        ({"val_fraction": 0.0}, r"`data\.val_fraction` between 0 and 1, got 0\.0"),
        ({"val_fraction": 1.0}, r"`data\.val_fraction` between 0 and 1, got 1\.0"),
        ({"size": 0}, r"`data\.size` to be at least 1, got 0"),
        ({"batch_size": 0}, r"`data\.batch_size` to be at least 1, got 0"),
        ({"jitter": -1}, r"`data\.jitter` to be at least 0, got -1"),
        ({"draw": -1}, r"`data\.draw` to be at least 0, got -1"),
        ({"num_workers": -1}, r"`data\.num_workers` to be at least 0, got -1"),
    ],
)
def test_wrong_parameters_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SketchDataModule("anywhere", **changes)


def test_default_number_of_workers() -> None:
    assert 1 <= default_workers() <= 8
    assert SketchDataModule("anywhere").num_workers == default_workers()
    assert SketchDataModule("anywhere", num_workers=0).num_workers == 0

"""The order of an epoch's samples where several sets are mixed; see test_datamodule for one set."""

from __future__ import annotations

from collections import Counter

import pytest

from sketch2paint.data.order import EpochSampler, MixedSampler


def mixed(sizes: list[int], weights: list[float], **place: int) -> MixedSampler:
    return MixedSampler(sizes, weights, seed=3, **place)


def test_with_weights_of_one_each_sample_comes_once() -> None:
    for epoch in (0, 4):
        found = list(mixed([5, 3], [1, 1], epoch=epoch))
        assert sorted(found) == [(epoch, index) for index in range(8)]
    assert len(mixed([5, 3], [1, 1])) == 8


def test_weights_say_how_often_a_sample_comes() -> None:
    counts = Counter(
        index for epoch in range(4) for _, index in mixed([4, 8, 2], [1, 0.25, 3], epoch=epoch)
    )
    assert [counts[index] for index in range(4)] == [4] * 4
    assert [counts[index] for index in range(4, 12)] == [1] * 8  # a quarter in each epoch
    assert [counts[index] for index in (12, 13)] == [12] * 2


def test_no_sample_is_augmented_twice_in_the_same_way() -> None:
    found = [sample for epoch in range(6) for sample in mixed([4, 3], [1.5, 2.4], epoch=epoch)]
    assert len(found) == len(set(found)) == 6 * (6 + 7)


def test_sets_are_mixed_and_every_epoch_and_seed_has_its_own_order() -> None:
    orders = [list(mixed([20, 20], [1, 1], epoch=epoch)) for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] and [i for _, i in orders[0]] != [i for _, i in orders[2]]
    other = list(MixedSampler([20, 20], [1, 1], seed=4))
    assert other != orders[0] and sorted(other) == sorted(orders[0])
    changes = sum((a < 20) != (b < 20) for (_, a), (_, b) in zip(other, other[1:], strict=False))
    assert changes > 10


def test_a_set_that_hardly_counts_comes_at_least_once() -> None:
    assert sum(index == 4 for _, index in mixed([4, 1], [1, 0.001])) == 1


@pytest.mark.parametrize("world_size", [1, 3])
def test_a_start_leaves_out_what_was_seen_by_each_process(world_size: int) -> None:
    for rank in range(world_size):
        place = {"rank": rank, "world_size": world_size, "epoch": 2}
        whole = list(mixed([5, 4], [1, 2], **place))
        assert list(mixed([5, 4], [1, 2], start=2, **place)) == whole[2:]
        assert len(mixed([5, 4], [1, 2], start=2, **place)) == len(whole) == -(-13 // world_size)
    every = [list(mixed([5, 4], [1, 2], rank=r, world_size=world_size)) for r in range(world_size)]
    assert {one for part in every for one in part} == set(mixed([5, 4], [1, 2]))


def test_set_epoch_is_the_same_as_beginning_there() -> None:
    sampler = mixed([5, 4], [1, 2], start=3)
    sampler.set_epoch(2)
    assert list(sampler) == list(mixed([5, 4], [1, 2], epoch=2))
    assert isinstance(sampler, EpochSampler)

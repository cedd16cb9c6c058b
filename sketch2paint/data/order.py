"""The order of an epoch's samples: a function of the seed and the epoch, so that it can go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

from sketch2paint.data.dataset import EpochIndex


class EpochSampler(Sampler[EpochIndex]):
    """Yields (epoch, index); the order is a function of (seed, epoch), and a start can be set.

    Lightning goes on at the right batch number when it resumes in the middle of an epoch, but with
    the data from the beginning; so the sampler leaves out what was seen.

    Args:
        length: Number of samples.
        seed: Seed of the order.
        shuffle: Whether the order is one of chance; else it is 0, 1, 2, ...
        epoch: Number of the first pass.
        start: Number of samples of the first pass that were seen already.
        rank: Number of this process, of `world_size`; each takes every world_size-th sample.
        world_size: Number of processes. Where samples are shuffled (training) every process gets
            as many, the last ones begin again at the front; else each sample comes once.
    """

    def __init__(
        self,
        length: int,
        *,
        seed: int,
        shuffle: bool,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.length, self.seed, self.shuffle = length, seed, shuffle
        self.epoch, self.start = epoch, start
        self.rank, self.world_size = rank, world_size

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        if epoch != self.epoch:
            self.epoch, self.start = epoch, 0

    def __len__(self) -> int:
        """Samples of a whole epoch for this rank, also while a part of it is left out."""
        if self.shuffle:
            return -(-self.length // self.world_size)
        return len(range(self.rank, self.length, self.world_size))

    def __iter__(self) -> Iterator[EpochIndex]:
        order = self.order()
        if self.shuffle:
            order = np.resize(order, (len(self) * self.world_size, 2))
        for epoch, index in order[self.rank :: self.world_size][self.start :]:
            yield int(epoch), int(index)

    def order(self) -> np.ndarray:
        """The samples of a whole epoch, of all processes, (length, 2): epoch and index."""
        indices = np.arange(self.length)
        if self.shuffle:
            np.random.default_rng([self.seed, self.epoch]).shuffle(indices)
        return np.stack([np.full(self.length, self.epoch), indices], axis=1)


class MixedSampler(EpochSampler):
    """Shuffled samples of several sets that lie end to end, each set as often as it is to count.

    Each set is gone through again and again, in a new order each time, and an epoch goes on in it
    where the last one stopped: all of its samples come as often, give or take one. What a sample is
    augmented by is the number of that pass, so that one that comes twice in an epoch differs.

    Args:
        sizes: Number of samples of each set.
        weights: Number of times that a sample of each set comes in an epoch, on average.
        seed, epoch, start, rank, world_size: As EpochSampler's.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        weights: Sequence[float],
        *,
        seed: int,
        epoch: int = 0,
        start: int = 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.sizes = list(sizes)
        self.counts = [max(1, round(n * w)) for n, w in zip(sizes, weights, strict=True)]
        super().__init__(
            sum(self.counts),
            seed=seed,
            shuffle=True,
            epoch=epoch,
            start=start,
            rank=rank,
            world_size=world_size,
        )

    def order(self) -> np.ndarray:
        """The samples of a whole epoch, (length, 2): pass and index."""
        firsts = np.cumsum([0, *self.sizes[:-1]])
        found = np.concatenate([self._of_set(number) for number in range(len(self.sizes))])
        found[:, 1] += np.repeat(firsts, self.counts)
        return found[np.random.default_rng([self.seed, self.epoch]).permutation(len(found))]

    def _of_set(self, number: int) -> np.ndarray:
        """This epoch's samples of a set: passes and indices in it."""
        size, count = self.sizes[number], self.counts[number]
        passes, places = np.divmod(np.arange(count) + self.epoch * count, size)
        found = np.stack([passes, places], axis=1)
        for one in np.unique(passes):
            order = np.random.default_rng([self.seed, number, int(one), 1]).permutation(size)
            found[passes == one, 1] = order[places[passes == one]]
        return found

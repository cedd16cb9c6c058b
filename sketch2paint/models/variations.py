"""Several answers for one drawing that differ as paintings do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sketch2paint.hints.palette import Palette
from sketch2paint.hints.strokes import Color
from sketch2paint.images.convert import array_to_lab, to_uint8
from sketch2paint.models.answer import (
    ONE_PAINT,
    Reading,
    agreed,
    areas_of,
    ask,
    known_words,
    objects_of,
    of_all,
    reply,
)
from sketch2paint.models.paints import Paints, by_paint, choose, paints_of
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.styles import Style, leaning, steps_of, styled

TEMPERATURE = 0.85  # of the samples: at lower ones they are more alike
ROUNDS = 4  # in each the surest objects decide, and the others are told
SAMPLES = 2  # for each answer that is wanted
APART = 10.0  # units of Lab in the mean of the coloured area: answers so far apart are unlike
CELLS = 2**24  # pairs of words that the network is given at once


def vary(
    network: RegionNetwork,
    *,
    reading: Reading,
    known: Mapping[int, Color],
    count: int,
    seed: int,
    palette: Palette | None = None,
    one_object: float = ONE_PAINT,
    style: Style | None = None,
) -> list[np.ndarray]:
    """Colour a drawing several times; what is known and what is paper is so in all.

    The first one is what `reply` gives. The others are samples, drawn in rounds: the surest
    objects first, the rest given them. Always the likeliest is taken that is unlike those that
    were, or else the furthest.

    Args:
        network: Region network in eval mode.
        reading: Drawing that it has read.
        known: Colours (r, g, b) of regions by their numbers.
        count: Number of answers.
        seed: Seed of the samples.
        palette: Colours that the drawing is to have alone; None: the network's own.
        one_object: Probability above which regions are one object in a sample, see `answer`.
        style: Steps along named directions, which all answers are moved by, see `answer`.

    Returns:
        Colours (count, 3) uint8 of all regions, `count` times.
    """
    first = reply(network, reading=reading, known=known, palette=palette, style=style)
    is_known, given = known_words(reading, known)
    own, same = ask(network, reading, known=is_known[None], given=given[None], palette=palette)
    groups = objects_of(reading.words, own[0], same[0], is_known, one_object)
    paints = paints_of(to_uint8(network.colours).cpu().numpy(), given, palette)
    fixed = np.full(int(groups.max()) + 1, -1)  # paint of each object that has no choice
    fixed[groups[own[0, :, 0] > 0.5]] = 0
    fixed[groups[is_known]] = paints.column[len(network.colours) :][: len(groups)][is_known]
    steps = steps_of(style)
    lean = None if palette is None else steps
    sampler = _Sampler(network, reading, groups=groups, paints=paints, palette=palette, lean=lean)
    chosen, likelihood = sampler.draw(np.random.default_rng(seed), SAMPLES * count, fixed)
    colours = paints.colours[chosen[np.argsort(-likelihood, kind="stable")]]  # (S, G, 3)
    one_of_each = np.unique(groups, return_index=True)[1]  # a word of each object
    if palette is None and steps is not None:
        shares = by_paint(agreed(own[0], groups, reading.words)[one_of_each], paints)
        colours = sampler.styled(colours, shares, steps)
    of_first = first[reading.words.regions[one_of_each]]
    weight = sampler.areas * (fixed < 0)
    lab = array_to_lab(np.concatenate([of_first[None], colours]))
    others = _unlike(lab, weight=weight / max(weight.sum(), 1), count=count)[1:]
    return [first, *(of_all(reading, colours[one - 1][groups], known) for one in others)]


class _Sampler:
    """Draws a paint for each object of a drawing.

    Args:
        groups: Number of the object of each word, (N,).
        paints: Paints to choose from.
        palette: Palette that the network is told.
        lean: Steps along directions by which paints are likelier; None: none.
    """

    def __init__(
        self,
        network: RegionNetwork,
        reading: Reading,
        *,
        groups: np.ndarray,
        paints: Paints,
        palette: Palette | None,
        lean: np.ndarray | None,
    ) -> None:
        self.network, self.reading, self.palette, self.lean = network, reading, palette, lean
        self.groups, self.paints = groups, paints
        self.words = areas_of(reading.words).astype(np.float32)
        self.areas = np.bincount(groups, self.words)

    def draw(
        self, rng: np.random.Generator, samples: int, fixed: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw samples.

        Args:
            rng: Source of all chance.
            samples: Number S of samples.
            fixed: Paints (G,) of objects that have no choice; -1 for the others.

        Returns:
            Paints (S, G), and the mean logarithm of their shares by area, (S,).
        """
        chosen = np.tile(fixed, (samples, 1))
        likelihood, free = np.zeros(samples), int((fixed < 0).sum())
        for left in range(ROUNDS, 0, -1):
            wanted = -(-free // left)
            if not wanted:
                break
            shares = self._shares(chosen)
            for chosen_, shares_, one in zip(chosen, shares, range(samples), strict=True):
                likelihood[one] += self._decide(rng, chosen_, shares_, wanted)
            free -= wanted
        return chosen, likelihood / max(self.areas[fixed < 0].sum(), 1)

    def styled(self, colours: np.ndarray, shares: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Samples' colours (S, G, 3), moved along the directions by the objects' shares (G, C)."""
        told = {"named": self.paints.colours, "areas": self.areas, "steps": steps}
        return np.stack([styled(each, shares=shares, **told) for each in colours])

    def _decide(
        self, rng: np.random.Generator, chosen: np.ndarray, shares: np.ndarray, count: int
    ) -> float:
        """Fix the paints of the `count` surest objects of a sample; their log shares by area."""
        there = np.flatnonzero(chosen >= 0)
        noisy = np.log(shares + 1e-6) + TEMPERATURE * rng.gumbel(size=shares.shape)
        noisy = np.exp(noisy - noisy.max(1, keepdims=True))
        noisy[there] = np.eye(shares.shape[1])[chosen[there]]
        drawn = choose(
            noisy / noisy.sum(1, keepdims=True), areas=self.areas, wanted=self.paints.wanted
        )
        likely = shares[np.arange(len(shares)), drawn]
        sure = np.sqrt(self.areas) * likely
        sure[there] = -1
        who = np.argsort(-sure, kind="stable")[:count]
        chosen[who] = drawn[who]
        return float((self.areas[who] * np.log(likely[who] + 1e-6)).sum())

    def _shares(self, chosen: np.ndarray) -> np.ndarray:
        """Share of each paint for each object, given those that have one, (S, G, C)."""
        at_once = max(1, CELLS // len(self.groups) ** 2)
        parts = [
            self._asked(chosen[start : start + at_once]) for start in range(0, len(chosen), at_once)
        ]
        return np.concatenate(parts)

    def _asked(self, chosen: np.ndarray) -> np.ndarray:
        of_words = chosen[:, self.groups]
        given = np.where((of_words >= 0)[..., None], self.paints.colours[of_words], 255)
        own, _ = ask(
            self.network,
            self.reading,
            known=of_words >= 0,
            given=given.astype(np.uint8),
            palette=self.palette,
        )
        column = self.paints.column.copy()
        count, words = len(self.network.colours), len(self.groups)
        pooled = np.empty((*chosen.shape, len(self.paints.colours)), np.float32)
        for row, shares in enumerate(own):
            # What is copied from a word is what it has in this sample.
            column[count : count + words] = of_words[row].clip(0)
            by_word = by_paint(shares, self.paints._replace(column=column))
            sums = np.zeros(pooled.shape[1:], np.float32)
            np.add.at(sums, self.groups, self.words[:, None] * by_word)
            pooled[row] = self._leaning(sums / self.areas[:, None])
        return pooled

    def _leaning(self, shares: np.ndarray) -> np.ndarray:
        """Shares (G, C) of the paints, tilted along the directions."""
        if self.lean is None:
            return shares
        told = {"colours": self.paints.colours, "areas": self.areas, "steps": self.lean}
        return leaning(shares, chosen=shares.argmax(1), **told)


def _unlike(lab: np.ndarray, *, weight: np.ndarray, count: int) -> list[int]:
    """Numbers of `count` of some colourings (S, G, 3), the likeliest first, that are unlike."""
    taken = [0]
    nearest = np.full(len(lab), np.inf)
    while len(taken) < count:
        nearest = np.minimum(nearest, np.linalg.norm(lab - lab[taken[-1]], axis=2) @ weight)
        nearest[taken] = -1
        far = nearest >= min(APART, nearest.max())
        taken.append(int(far.argmax()))
    return taken

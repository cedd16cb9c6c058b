"""The colours that a person would have given, drawn for a training sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sketch2paint.hints.words import Words
from sketch2paint.images.layer import CLEAR

NONE = 0.3  # of the samples have no hint
BY_ERROR = 0.5  # of the others: where white paper is furthest from the truth; else by size alone
PAPER = 0.1  # of them also say of one region that it is paper
ANY_PIXEL = 0.3  # of the hints have the colour of some pixel, the others the region's median
RECOLOURED = 0.3  # of them are another truth than the picture's: a hint is obeyed, however odd
NOISE = 4.0  # levels, of a hint's colour
JUDGED = 4  # hints of a sample outside training
LEAST = 6  # clear pixels of a region that may get a hint
WHITE = 30  # levels that white paper is off, root mean square over channels and pixels
NEAR = 24  # levels of a channel; regions whose medians are nearer have one colour


class Given(NamedTuple):
    """What is known of a sample's colours, and its truth.

    Attributes:
        real: True colours (H, W, 3) uint8, some regions recoloured.
        known: Words that have a hint, (N,) bool.
        colours: Their colours, (N, 3) uint8; 255 for the others.
    """

    real: np.ndarray
    known: np.ndarray
    colours: np.ndarray


class _Truth:
    """The clear pixels of each word in a picture."""

    def __init__(self, real: np.ndarray, sketch: np.ndarray, words: Words) -> None:
        clear = (sketch > CLEAR) & (words.labels >= 0)
        self.count = len(words.regions)
        labels = words.labels[clear]
        order = np.argsort(labels, kind="stable")
        self.pixels = real[clear][order]
        self.area = np.bincount(labels, minlength=self.count)
        self.starts = np.concatenate([[0], np.cumsum(self.area)])
        square = (255.0 - self.pixels) ** 2
        self.error = np.bincount(labels[order], square.sum(1), self.count)

    def of(self, word: int) -> np.ndarray:
        """Clear pixels of a word, (P, 3)."""
        return self.pixels[self.starts[word] : self.starts[word + 1]]

    def median(self, word: int) -> np.ndarray:
        return np.median(self.of(word), axis=0)


def draw_given(
    rng: np.random.Generator, *, real: np.ndarray, sketch: np.ndarray, words: Words
) -> Given:
    """Draw the hints of a training sample, and now and then other true colours.

    Args:
        rng: Source of all chance.
        real: True colours (H, W, 3) uint8.
        sketch: Drawing (H, W) uint8.
        words: Regions of the drawing as words.
    """
    truth = _Truth(real, sketch, words)
    chosen = _chosen(rng, truth)
    if len(chosen) and rng.random() < RECOLOURED:
        real = _recoloured(rng, chosen, truth=truth, real=real, sketch=sketch, words=words)
        truth = _Truth(real, sketch, words)
    colours = np.full((truth.count, 3), 255.0)
    for word in chosen:
        some = rng.random() < ANY_PIXEL
        colours[word] = rng.choice(truth.of(word)) if some else truth.median(word)
        colours[word] += rng.normal(0, NOISE, 3)
    return _as_given(real, chosen, colours)


def fixed_given(*, real: np.ndarray, sketch: np.ndarray, words: Words) -> Given:
    """The hints of a sample that a network is judged by: the four most needed, without chance."""
    truth = _Truth(real, sketch, words)
    can = np.flatnonzero(truth.area > LEAST)
    chosen = can[np.argsort(-truth.error[can], kind="stable")[:JUDGED]]
    colours = np.full((truth.count, 3), 255.0)
    for word in chosen:
        colours[word] = truth.median(word)
    return _as_given(real, chosen, colours)


def _as_given(real: np.ndarray, chosen: np.ndarray, colours: np.ndarray) -> Given:
    known = np.zeros(len(colours), bool)
    known[chosen] = True
    return Given(real, known, np.rint(colours).clip(0, 255).astype(np.uint8))


def _chosen(rng: np.random.Generator, truth: _Truth) -> np.ndarray:
    """Words that get a hint: their number is log-uniform."""
    can = np.flatnonzero(truth.area > LEAST)
    if rng.random() < NONE or not len(can):
        return can[:0]
    count = int(np.exp(rng.uniform(0, np.log(len(can) + 1))))
    if rng.random() < BY_ERROR:
        worth = truth.error[can] + 30 * truth.area[can]
        order = np.argsort(-worth * np.exp(rng.normal(0, 0.3, len(can))), kind="stable")
        chosen = can[order[:count]]
    else:
        weight = np.sqrt(truth.area[can])
        chosen = rng.choice(can, min(count, len(can)), replace=False, p=weight / weight.sum())
    paper = can[truth.error[can] < 3 * WHITE**2 * truth.area[can]]
    if rng.random() < PAPER and len(paper):
        chosen = np.union1d(chosen, rng.choice(paper, 1))
    return chosen


def _recoloured(
    rng: np.random.Generator,
    chosen: np.ndarray,
    *,
    truth: _Truth,
    real: np.ndarray,
    sketch: np.ndarray,
    words: Words,
) -> np.ndarray:
    """True colours in which the colours of some chosen words are others, wherever they stand."""
    medians = np.full((truth.count, 3), np.inf)
    for word in np.flatnonzero(truth.area).tolist():
        medians[word] = truth.median(word)
    other = real.copy()
    for word in chosen[rng.random(len(chosen)) < 0.5]:
        alike = np.abs(medians - medians[word]).max(1) <= NEAR
        if medians[word].min() > 255 - NEAR:  # paper: it alone, or every drawing's sheet is tinted
            alike = np.arange(truth.count) == word
        here = np.append(alike, False)[words.labels]  # -1 is the last
        light = sketch[here][:, None] / np.float32(255)
        other[here] = np.rint(rng.integers(0, 256, 3) * light).astype(np.uint8)
    return other

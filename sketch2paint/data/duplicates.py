"""Duplicates: pictures that stand in a data set twice, by perceptual hash and colour."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from PIL import Image

from sketch2paint.data.sources import Item
from sketch2paint.images.convert import rgb_to_grey

NEAR_HASH = 12  # bits of 256: JPEG at 60 and halving change up to 10, a drawing of the same face 14
NEAR_COLOUR = 24  # largest difference (0..255) at 8x8: a red heart is no copy of a green one


class Fingerprint(NamedTuple):
    """What a picture is recognised by."""

    bits: np.ndarray  # (256,) bool, perceptual hash
    thumb: np.ndarray  # (8, 8, 3) uint8


Fingerprints = dict[int, Fingerprint]  # by the sample's number


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """Two samples with the same colours: the same bytes, or a hash `distance` bits of 256 away."""

    first: str
    second: str
    splits: tuple[str, str]
    exact: bool
    distance: int


def perceptual_bits(small: np.ndarray) -> np.ndarray:
    """Perceptual hash, 256 bits.

    A faint fixed pattern decides the coefficients that are zero in a symmetric drawing, which
    rounding would decide otherwise: a face saved as JPEG is then 6 bits away, not 70.
    """
    import imagehash  # not for `cheap_check`

    pattern = np.random.default_rng(0).uniform(-8, 8, small.shape[:2])
    grey = rgb_to_grey(small) * 0.8 + 25 + pattern
    return imagehash.phash(Image.fromarray(grey.astype(np.uint8)), hash_size=16).hash.ravel()


def find_duplicates(
    items: list[Item],
    *,
    names: list[str],
    parts: dict[str, np.ndarray],
    fingerprints: Fingerprints,
) -> tuple[list[Duplicate], list[Duplicate]]:
    """Find the samples whose colours stand in the set twice.

    Args:
        items: All samples.
        names: Name of each sample, for the report.
        parts: Numbers of each split's samples that have a fingerprint.
        fingerprints: Fingerprint of each of these numbers.

    Returns:
        Duplicates in different splits, and within one; each sample beside the nearest before it.
    """

    def between(first: str, second: str) -> list[Duplicate]:
        found = [
            Duplicate(
                first=names[a],
                second=names[b],
                splits=(first, second),
                exact=_same_bytes(items[a], items[b]),
                distance=distance,
            )
            for a, b, distance in _nearest(parts[first], parts[second], fingerprints)
        ]
        return sorted(found, key=lambda one: (not one.exact, one.distance))

    leaks = [one for pair in combinations(parts, 2) for one in between(*pair)]
    return leaks, [one for split in parts for one in between(split, split)]


def _nearest(
    first: np.ndarray, second: np.ndarray, fingerprints: Fingerprints, block: int = 256
) -> Iterator[tuple[int, int, int]]:
    """For each sample of `second` its nearest duplicate in `first`, if it has one.

    Bits as -1 and 1 make the Hamming distance a matrix product: exact in float32, and 18,000
    samples take seconds.

    Yields:
        Both samples' numbers and the bits by which they differ.
    """
    if not len(first) or not len(second):
        return
    left = _signs(first, fingerprints)
    right = left if first is second else _signs(second, fingerprints)
    thumbs = np.stack([fingerprints[n].thumb for n in first]).astype(np.int16)
    for start in range(0, len(second), block):
        rows = right[start : start + block]
        distances = (left.shape[1] - rows @ left.T) / 2
        near = distances <= NEAR_HASH
        if first is second:
            near &= np.arange(len(first)) < np.arange(start, start + len(rows))[:, None]
        for row in np.flatnonzero(near.any(axis=1)):
            some = np.flatnonzero(near[row])
            other = fingerprints[second[start + row]].thumb
            some = some[np.abs(thumbs[some] - other).max(axis=(1, 2, 3)) <= NEAR_COLOUR]
            if len(some):
                best = some[distances[row, some].argmin()]
                yield int(first[best]), int(second[start + row]), int(distances[row, best])


def _signs(part: np.ndarray, fingerprints: Fingerprints) -> np.ndarray:
    return np.array([fingerprints[n].bits for n in part], np.float32) * 2 - 1


def _same_bytes(first: Item, second: Item) -> bool:
    return all(filecmp.cmp(a, b, shallow=False) for a, b in zip(first, second, strict=True))

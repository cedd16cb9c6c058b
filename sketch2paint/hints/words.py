"""What a network is told of a drawing's regions: numbers for each, and for each pair of them.

Lengths count in sides of the square that just holds the drawing, so that the numbers are the same
at every resolution.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from sketch2paint.hints.fill import spread
from sketch2paint.hints.regions import DEFAULT_GAP, Regions
from sketch2paint.hints.sets import root, unite
from sketch2paint.images.convert import fit_within

MOST = 1024  # regions that become words; a page of hatching has more
ABOUT = 9  # numbers for a region; the last is 1, so that what fills up a batch (0) can be told
PAIR = 8  # numbers for a pair
DEEPEST = 0.25  # of the side: no line is further away than that


class Words(NamedTuple):
    """A drawing's regions as words, the largest first; more than wanted are left out.

    Attributes:
        regions: Number of each in the drawing's `Regions`, (N,) int32.
        labels: Map of the words, (H, W) int32; -1 where a region is none.
        about: Numbers for each, (N, 9) float32: x, y, spread along both, size, depth, border of the
            sheet, number of words, 1.
        pairs: Numbers for word i as seen from word j, (N, N, 8) float32: offset in x and y,
            difference in size, distance, length of the border that both share, length of it that
            is no line, whether openings lead from one to the other, the widest way's narrowest.
    """

    regions: np.ndarray
    labels: np.ndarray
    about: np.ndarray
    pairs: np.ndarray


def words_of(regions: Regions, most: int = MOST) -> Words:
    """Turn regions into words.

    Args:
        regions: Regions of a drawing, or of a part cut out of it, where some have no pixel.
        most: Number of words, above which the smallest regions are left out.
    """
    areas = np.bincount(regions.labels.ravel(), minlength=regions.count)
    chosen = np.argsort(-areas, kind="stable")[: min(most, np.count_nonzero(areas))]
    place = np.full(len(areas), -1, np.int32)
    place[chosen] = np.arange(len(chosen), dtype=np.int32)
    labels = place[regions.labels]
    about = _about(labels, regions.ink, areas[chosen])
    pairs = np.empty((len(chosen), len(chosen), PAIR), np.float32)
    pairs[..., :3] = about[:, None, [0, 1, 4]] - about[None, :, [0, 1, 4]]
    pairs[..., 3] = np.hypot(pairs[..., 0], pairs[..., 1])
    side = max(labels.shape)
    for number, lengths in enumerate(_borders(labels, ~regions.ink, len(chosen)), 4):
        pairs[..., number] = 3 * np.sqrt(lengths / side)
    openings = _openings(regions, place, len(chosen))
    pairs[..., 6] = openings > 0
    pairs[..., 7] = np.sqrt(np.minimum(openings / (DEFAULT_GAP * min(labels.shape)), 2))
    return Words(chosen.astype(np.int32), labels, about, pairs)


def labels_on_square(words: Words, side: int) -> np.ndarray:
    """Map of the words at the size that a network reads, (side, side) int32; -1 for none.

    The drawing lies in the middle, its aspect kept, as `convert.on_square` lays it; a word keeps at
    least one pixel, however small it is.
    """
    height, width = fit_within(words.labels.shape, side, enlarge=True)
    top, left = (side - height) // 2, (side - width) // 2
    rows, columns = (
        ((np.arange(small) + 0.5) * large / small).astype(int)
        for small, large in zip((height, width), words.labels.shape, strict=True)
    )
    square = np.full((side, side), -1, np.int32)
    square[top : top + height, left : left + width] = words.labels[rows[:, None], columns]
    lost = np.setdiff1d(np.arange(len(words.regions)), square)
    y, x = (
        centre + (words.about[lost, axis] / 2 * side).astype(int)
        for centre, axis in ((side // 2, 1), (side // 2, 0))
    )
    square[y.clip(0, side - 1), x.clip(0, side - 1)] = lost
    return square


def colours_of_all(regions: Regions, words: Words, colours: np.ndarray) -> np.ndarray:
    """Colours (count, 3) of all regions by those of the words (N, 3).

    A region that is no word takes the colour of the word to which the way has the widest opening;
    one without a way stays white.
    """
    taken = np.zeros(regions.count, np.int32)
    taken[words.regions] = np.arange(1, len(words.regions) + 1)
    one_group = np.zeros(regions.count, np.int32)
    white = np.full((1, 3), 255, colours.dtype)
    return np.concatenate([white, colours])[spread(regions, one_group, taken)]


def _about(labels: np.ndarray, ink: np.ndarray, areas: np.ndarray) -> np.ndarray:
    height, width = labels.shape
    side, count = max(height, width), len(areas)
    inside = labels >= 0
    of = labels[inside]
    y, x = np.indices(labels.shape, np.float32)
    about = np.ones((count, ABOUT), np.float32)
    for number, (place, length) in enumerate(((x, width), (y, height))):
        here = ((place - (length - 1) / 2) * (2 / side))[inside]
        mean = np.bincount(of, here, count) / areas
        about[:, number] = mean
        square = np.bincount(of, here**2, count) / areas
        about[:, 2 + number] = np.sqrt(np.maximum(square - mean**2, 1e-6))
    about[:, 4] = np.log2(areas / side**2) / 7 + 1
    depth = cv2.distanceTransform((~ink).astype(np.uint8), cv2.DIST_L2, 3)
    depth = np.minimum(depth, DEEPEST * side)[inside]
    about[:, 5] = 12 * np.bincount(of, depth, count) / areas / side
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    about[:, 6] = np.sqrt(np.bincount(rim[rim >= 0], minlength=count) / side)
    about[:, 7] = np.log2(max(count, 1)) / 10
    return about


def _borders(labels: np.ndarray, free: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels on which each two words touch, and those where neither is a line, (N, N) each."""
    keys, opens = [], []
    for one, other in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
        first, second = labels[one], labels[other]
        touch = (first != second) & (first >= 0) & (second >= 0)
        keys.append(first[touch].astype(np.int64) * count + second[touch])
        opens.append((free[one] & free[other])[touch])
    key, is_open = np.concatenate(keys), np.concatenate(opens)
    both = [np.bincount(found, minlength=count**2) for found in (key, key[is_open])]
    all_, open_ = (lengths.reshape(count, count).astype(np.float32) for lengths in both)
    return all_ + all_.T, open_ + open_.T


def _openings(regions: Regions, place: np.ndarray, count: int) -> np.ndarray:
    """The narrowest opening on the widest way between each two words in px; 0: there is none."""
    openings = np.zeros((count, count), np.float32)
    np.fill_diagonal(openings, np.inf)
    parents = list(range(len(place)))
    members = {number: [word] for number, word in enumerate(place.tolist()) if word >= 0}
    for (one, other), width in zip(regions.joins.tolist(), regions.openings, strict=True):
        one, other = root(parents, one), root(parents, other)  # widest first: two sets become one
        here, there = members.pop(one, []), members.pop(other, [])
        unite(parents, one, other)
        if here or there:
            members[root(parents, one)] = here + there
        if here and there:
            rows, columns = np.array(here)[:, None], np.array(there)
            openings[rows, columns] = openings[columns, rows] = width
    return openings

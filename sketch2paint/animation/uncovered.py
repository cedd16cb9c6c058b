"""Regions that come out from behind something, by the truth: the nearest key has them nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sketch2paint.animation.colouring import follow
from sketch2paint.animation.keys import CLEAR, Key
from sketch2paint.animation.motion import beyond, carried, led_to
from sketch2paint.animation.simpler_ways import Truth, near

MOST = 0.5  # of a region's pixels lie on no region of its true colour: it comes out


def uncovered(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> dict[int, np.ndarray]:
    """Whether each region (n,) bool of a scene's frames comes out; by number, without the keys.

    One comes out if most of its pixels, warped back to the nearest key, lie on no region of its own
    true colour.
    """
    return {
        number: _uncovered(told, number, key, places)
        for key in keys
        for number, places in _nearest(told, scene, keys, key)
    }


def _nearest(
    told: Truth, scene: Sequence[int], keys: Mapping[int, Key], key: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The frames of which a key is the nearest, of two the first, and their places in it."""
    its = [n for n in scene if min(keys, key=lambda other: abs(other - n)) == key]
    for frames in ([n for n in its if n > key], [n for n in its if n < key][::-1]):
        for number, drawing, [found] in follow(told.drawings.__getitem__, frames, [keys[key]]):
            yield number, led_to(found, *drawing.shape)


def _uncovered(told: Truth, number: int, key: int, places: np.ndarray) -> np.ndarray:
    clear, regions = told.drawings[number] > CLEAR, told.regions[number]
    own, areas = told.true_colours(number)
    there = carried(told.true_colours(key)[0][told.regions[key]], places)
    lost = clear & (beyond(places) | ~near(there, own[regions]))
    return np.bincount(regions[lost], minlength=len(areas)) > MOST * areas

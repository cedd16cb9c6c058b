"""Simpler ways to carry colours from the key before a frame, and the limit of whole regions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sketch2paint.animation.keys import CLEAR, Key, make_key
from sketch2paint.animation.motion import LinePicture, carried, chained, flow, led_to
from sketch2paint.images.convert import codes

NEAR = 24  # levels in each channel within which a colour is right

Frames = dict[int, np.ndarray]


@dataclass(frozen=True)
class Truth:
    """A shot with its true colours, in memory: drawings (H, W), pictures (H, W, 3), regions."""

    drawings: list[np.ndarray]
    pictures: list[np.ndarray]
    regions: list[np.ndarray]
    scenes: list[list[int]]

    def placed(self, every: int) -> set[int]:
        """Numbers of the keys: each scene's first frame, and one each so many; 0: no other one."""
        return {n for scene in self.scenes for n in (scene[::every] if every else scene[:1])}

    def keys(self, every: int) -> list[dict[int, Key]]:
        """The keys of each scene by number."""
        placed = self.placed(every)
        return [
            {n: make_key(self.drawings[n], self.pictures[n]) for n in scene if n in placed}
            for scene in self.scenes
        ]

    def true_colours(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Most frequent true colours (n, 3) of a frame's regions, and their clear pixels (n,)."""
        clear = self.drawings[number] > CLEAR
        return most_frequent(self.regions[number], self.pictures[number], clear)

    def with_lines(self, number: int, colours: np.ndarray) -> np.ndarray:
        """Colours (H, W, 3) with the true picture's pixels where the drawing has lines."""
        clear = self.drawings[number] > CLEAR
        return np.where(clear[..., None], colours, self.pictures[number])


def _before(scene: Sequence[int], keys: Mapping[int, Key]) -> Iterator[tuple[int, Key]]:
    """Each frame of a scene that is no key, with the key before it."""
    for number in scene:
        if number in keys:
            key = keys[number]
        else:
            yield number, key


def _copied(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    return {n: key.colours for n, key in _before(scene, keys)}


def _overlap(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    return {n: _voted(told.regions[n], key.colours) for n, key in _before(scene, keys)}


def _warped(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    """Carried by flows between neighbours, one after another."""
    found, lines, led = {}, None, None
    for number in scene:
        here = LinePicture(told.drawings[number])
        if number in keys:
            key, led = keys[number], np.zeros((*here.distances.shape, 2), np.float32)
        elif lines is not None and led is not None:
            led = chained(flow(here, lines), led)
            found[number] = carried(key.colours, led_to(led, *told.drawings[number].shape))
        lines = here
    return found


def _warped_and_voted(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    warped = _warped(told, scene, keys)
    return {n: _voted(told.regions[n], colours) for n, colours in warped.items()}


def _limit(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    """The truth, voted: what no way by whole regions can beat."""
    return {
        n: _voted(told.regions[n], told.pictures[n], told.drawings[n] > CLEAR)
        for n, _ in _before(scene, keys)
    }


def _true(told: Truth, scene: Sequence[int], keys: Mapping[int, Key]) -> Frames:
    return {n: told.pictures[n] for n, _ in _before(scene, keys)}


WAYS = {
    "key copied": _copied,
    "overlap of regions": _overlap,
    "warp alone": _warped,
    "warp, then vote": _warped_and_voted,
    "limit: the truth, voted": _limit,
    "the truth": _true,
}


def _voted(
    regions: np.ndarray, colours: np.ndarray, counts: np.ndarray | None = None
) -> np.ndarray:
    """Each region its most frequent colour (H, W, 3)."""
    return most_frequent(
        regions, colours, np.ones_like(regions, bool) if counts is None else counts
    )[0][regions]


def most_frequent(
    regions: np.ndarray, colours: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Most frequent colours (n, 3) of regions among the pixels that count, and their number (n,).

    Of colours of one step of 8 levels the first counts for all.
    """
    steps = codes(colours >> 3)
    _, first, which = np.unique(steps, return_index=True, return_inverse=True)
    number = int(regions.max()) + 1
    cells = (regions.astype(np.int64) * len(first) + which.reshape(regions.shape))[counts]
    table = np.bincount(cells, minlength=number * len(first)).reshape(number, len(first))
    return colours.reshape(-1, 3)[first[table.argmax(1)]], table.sum(1)


def near(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether colours (..., 3) uint8 are right where the others are true, (...) bool."""
    found: np.ndarray = np.abs(one.astype(np.int16) - other).max(-1) < NEAR
    return found

"""A scene coloured from its keys, frame by frame, in memory that does not grow with its length."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from sketch2paint.animation.keys import Key
from sketch2paint.animation.matching import Marked, answer, marked
from sketch2paint.animation.motion import LinePicture, chained, flow, led_to
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.layer import multiplied

REACH = 48  # frames before a key that it is asked for where another key stands before them
AT_ONCE = 2  # frames coloured at the same time
HELD = 32  # levels by which a pixel of a held drawing may differ: the noise of a video


@dataclass(frozen=True)
class Coloured:
    """A coloured frame.

    Attributes:
        picture: Result (H, W, 3) uint8.
        colours: Colours (H, W, 3) uint8 without lines.
        lines: Drawing (H, W) uint8.
        keys: Names of the keys that were asked.
        unsure: Regions to look at, the least sure first.
        regions: Number of the drawing's regions.
        held: Whether it is the same drawing as the frame beside it.
        flat: Whether the colours have no shading.
    """

    picture: np.ndarray
    colours: np.ndarray
    lines: np.ndarray
    keys: tuple[str, ...]
    unsure: tuple[Marked, ...] = ()
    regions: int = 0
    held: bool = False
    flat: bool = True


def colour_scene(
    read: Callable[[int], np.ndarray],
    *,
    frames: Sequence[int],
    keys: Mapping[int, Callable[[], Key]],
    flats: bool = False,
    wanted: Container[int] | None = None,
    both: bool = True,
) -> Iterator[tuple[int, Coloured]]:
    """Colour the frames of one scene; the order of the results is that of the work.

    Args:
        read: Function that gives a frame's drawing (H, W) uint8 by its number, all of one size.
        frames: Numbers of the scene's frames, in order.
        keys: Functions that give the keys, by the numbers of their frames; at least one. At most
            three keys are in memory.
        flats: Whether shaded keys give plain colours too.
        wanted: Numbers of the frames to colour; None: all.
        both: Whether keys after a frame are asked besides those before it.

    Yields:
        The number of a frame and its colours.
    """
    placed = [number for number in frames if number in keys]
    if not placed:
        raise ValueError("Expected at least one key in the scene, got none. Give a frame of it.")
    wanted = frames if wanted is None else wanted
    before = [number for number in frames if number < placed[0]]
    after = [number for number in frames if number > placed[-1]]
    older, key = None, keys[placed[0]]()
    second = keys[placed[1]]() if before and placed[1:] else None
    yield from _away(read, before[::-1], (key, second), {}, wanted, flats)
    for first, last in pairwise(placed):
        inside = [number for number in frames if first < number < last]
        next_key = keys[last]()
        later = _later(read, inside, next_key, wanted) if both else {}
        yield from _away(read, inside, (key, older), later, wanted, flats)
        yield from _given(first, key, wanted)
        older, key = key, next_key
    yield from _away(read, after, (key, older), {}, wanted, flats)
    yield from _given(placed[-1], key, wanted)


def _given(number: int, key: Key, wanted: Container[int]) -> Iterator[tuple[int, Coloured]]:
    if number in wanted:
        yield number, _as_given(key)


def _later(
    read: Callable[[int], np.ndarray], frames: Sequence[int], key: Key, wanted: Container[int]
) -> dict[int, tuple[Key, np.ndarray]]:
    """The key after frames with the flow from each to it; as many as memory has room for."""
    if not any(number in wanted for number in frames):
        return {}
    near = frames[-REACH:][::-1]
    return {number: (key, found) for number, _, [found] in follow(read, near, [key])}


def _as_given(key: Key) -> Coloured:
    # Its lines are the frame's too, or they would change from a key to the next frame.
    picture = multiplied(key.colours, key.drawing)
    return Coloured(
        picture, key.colours, key.drawing, (key.name,), regions=key.regions.count, flat=key.flat
    )


def _away(
    read: Callable[[int], np.ndarray],
    frames: Sequence[int],
    keys: tuple[Key, Key | None],
    other: dict[int, tuple[Key, np.ndarray]],
    wanted: Container[int],
    flats: bool,
) -> Iterator[tuple[int, Coloured]]:
    """Colour frames one after another away from a key, with what was found of another one.

    A third key, the one behind the first, may have what both have not.
    """
    if not any(number in wanted for number in frames):
        return
    # While a frame is followed here, threads colour those before it.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting: deque[tuple[int, Future[Coloured]]] = deque()
        asked = [key for key in keys if key]
        for one in _begun(pool, follow(read, frames, asked), asked, other, wanted, flats):
            waiting.append(one)
            if len(waiting) > AT_ONCE:
                number, task = waiting.popleft()
                yield number, task.result()
        yield from ((number, task.result()) for number, task in waiting)


def _begun(
    pool: ThreadPoolExecutor,
    followed: Iterator[tuple[int, np.ndarray, list[np.ndarray]]],
    keys: Sequence[Key],
    other: dict[int, tuple[Key, np.ndarray]],
    wanted: Container[int],
    flats: bool,
) -> Iterator[tuple[int, Future[Coloured]]]:
    """Begin to colour each wanted frame, or take what the same drawing was given."""
    before, last = keys[0].drawing, pool.submit(_as_given, keys[0])
    for number, drawing, found in followed:
        also = other.pop(number, None)
        if number not in wanted:
            continue
        if is_held(drawing, before):
            last = pool.submit(_again, last, drawing)
        elif also and is_held(drawing, also[0].drawing):
            last = pool.submit(_again, pool.submit(_as_given, also[0]), drawing)
        else:
            led = [*zip(keys, found, strict=True), *([also] if also else [])]
            last = pool.submit(_coloured, drawing, led, flats)
            before = drawing
        yield number, last


def follow(
    read: Callable[[int], np.ndarray], frames: Sequence[int], keys: Sequence[Key]
) -> Iterator[tuple[int, np.ndarray, list[np.ndarray]]]:
    """Follow frames away from a key, or from the first of several.

    A flow goes on from the neighbour's, and then is found again between frame and key: so it
    neither loses what moved far nor drifts.

    Args:
        read: Function that gives a frame's drawing (H, W) uint8 by its number.
        frames: Numbers of frames, in order away from the first key.
        keys: Keys to which flows are wanted.

    Yields:
        The number of a frame, its drawing, and its flow to each key.
    """
    before, lines = keys[0].drawing, keys[0].lines
    still = np.zeros((*lines.distances.shape, 2), np.float32)
    found = [still, *(flow(lines, key.lines) for key in keys[1:])]
    for number in frames:
        drawing = read(number)
        if not is_held(drawing, before):
            here = LinePicture(drawing)
            step = flow(here, lines)
            pairs = zip(keys, found, strict=True)
            found = [flow(here, key.lines, chained(step, led)) for key, led in pairs]
            before, lines = drawing, here
        yield number, drawing, found


def is_held(drawing: np.ndarray, other: np.ndarray) -> bool:
    """Whether two drawings (H, W) uint8 are the same but for the noise of a video."""
    return int(cv2.absdiff(drawing, other).max()) <= HELD


def _again(same: Future[Coloured], drawing: np.ndarray) -> Coloured:
    """The same colours for the same drawing: to the bit, unless a video's noise differs."""
    last = same.result()  # of a task begun before: it is done or at work
    if np.array_equal(drawing, last.lines):
        return replace(last, held=True)
    picture = multiplied(last.colours, drawing)
    return replace(last, picture=picture, lines=drawing, held=True)


def _coloured(
    drawing: np.ndarray, followed: Sequence[tuple[Key, np.ndarray]], flats: bool
) -> Coloured:
    regions = find_regions(drawing)
    placed = [(key, led_to(found, *drawing.shape)) for key, found in followed]
    said = answer(regions, placed, flats=flats)
    return Coloured(
        multiplied(said.colours, drawing),
        said.colours,
        drawing,
        tuple(key.name for key, _ in followed),
        unsure=tuple(marked(said, regions)),
        regions=regions.count,
        flat=flats or all(key.flat for key, _ in followed),
    )

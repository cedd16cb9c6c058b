"""Pictures larger than a network can take at once: overlapping tiles, blended without seams."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import reduce
from threading import get_ident
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # an exported file's tiles need no torch
    from torch import Tensor, nn

Paint = Callable[[list[np.ndarray]], Iterable[np.ndarray]]
Finish = Callable[[np.ndarray], np.ndarray]


def in_tiles(
    picture: np.ndarray, *, tile: int, overlap: int, paint: Paint, finish: Finish
) -> np.ndarray:
    """Paint a picture tile by tile, in one piece where it is no larger than a tile.

    Over `overlap` pixels, one passes into the next along half a cosine wave: where they differ,
    the shift is spread over so many pixels that no step between two of them shows it. Unfinished
    rows run along the shorter side, so that memory does not grow with the length of a strip.

    Args:
        picture: Picture (H, W, ...).
        tile: Side of a tile, at least 4.
        overlap: Width of what two neighbours share, less than `tile`.
        paint: Function from pictures (h, w, ...) of one size to as many float32 (h, w, C).
        finish: Function of finished rows, float32 (rows, W, C); lets them be kept as uint8.

    Returns:
        The finished picture (H, W, C).
    """
    height, width = picture.shape[:2]
    if height <= tile and width <= tile:
        return finish(next(iter(paint([picture]))))
    if width > height:

        def painted_upright(parts: list[np.ndarray]) -> Iterator[np.ndarray]:
            return map(_turned, paint([_turned(part) for part in parts]))

        upright = _by_rows(_turned(picture), tile, overlap, painted_upright, finish)
        return np.ascontiguousarray(_turned(upright))
    return _by_rows(picture, tile, overlap, paint, finish)


def _turned(picture: np.ndarray) -> np.ndarray:
    """Rows for columns."""
    return picture.swapaxes(0, 1)


def _by_rows(
    picture: np.ndarray, tile: int, overlap: int, paint: Paint, finish: Finish
) -> np.ndarray:
    """Paint the tiles of a row, then those of the next; see `in_tiles`."""
    height, width = picture.shape[:2]
    tops, downs = _windows(height, tile, overlap)
    lefts, acrosses = _windows(width, tile, overlap)
    out: np.ndarray | None = None
    unfinished: np.ndarray | None = None  # rows to which the next tiles add
    for top, following, down in zip(tops, [*tops[1:], height], downs, strict=True):
        cuts = [
            picture[top : top + len(down), left : left + len(across)]
            for left, across in zip(lefts, acrosses, strict=True)
        ]
        sums: np.ndarray | None = None
        for left, across, part in zip(lefts, acrosses, paint(cuts), strict=True):
            if sums is None:
                sums = np.zeros((len(down), width, part.shape[2]), np.float32)
            sums[:, left : left + len(across)] += part * (down[:, None] * across)[..., None]
        assert sums is not None
        if unfinished is not None:
            sums[: len(unfinished)] += unfinished
        finished = finish(sums[: following - top])
        if out is None:
            out = np.empty((height, *finished.shape[1:]), finished.dtype)
        out[top:following] = finished
        unfinished = sums[following - top :].copy()  # lets go of the rest
    assert out is not None
    return out


def _windows(length: int, tile: int, overlap: int) -> tuple[list[int], list[np.ndarray]]:
    """Where the tiles along one side start, and their weights, which sum to 1."""
    if length <= tile:
        return [0], [np.ones(length, np.float32)]
    # All but the last in one step, which keeps them on the grid that the network halves.
    starts = [*range(0, length - tile, tile - overlap), length - tile]
    middles = [(one + tile + other) / 2 for one, other in zip(starts, starts[1:], strict=False)]
    windows = []
    for start, left, right in zip(starts, [-math.inf, *middles], [*middles, math.inf], strict=True):
        place = np.arange(start, start + tile) + 0.5
        window = _rise(place, left, overlap) - _rise(place, right, overlap)
        windows.append(window.astype(np.float32))
    return starts, windows


def _rise(place: np.ndarray, middle: float, overlap: int) -> np.ndarray:
    """From 0 to 1 along half a cosine wave, `overlap` long."""
    return 0.5 - 0.5 * np.cos(math.pi * ((place - middle) / overlap + 0.5).clip(0, 1))


class Part(NamedTuple):
    """A tile of a page, with the share that it has in each row and column.

    Attributes:
        picture: Tile (h, w, ...), a view.
        down: Weights (h,) float32; those of all parts sum to 1 at each pixel of the page.
        across: Weights (w,) float32.
    """

    picture: np.ndarray
    down: np.ndarray
    across: np.ndarray


def in_parts(picture: np.ndarray, *, tile: int, overlap: int) -> list[Part]:
    """Cut a picture (H, W, ...) into overlapping tiles, for `norms_of`; see `in_tiles`."""
    columns = list(zip(*_windows(picture.shape[1], tile, overlap), strict=True))
    return [
        Part(picture[top : top + tile, left : left + tile], down, across)
        for top, down in zip(*_windows(picture.shape[0], tile, overlap), strict=True)
        for left, across in columns
    ]


class _Moments(NamedTuple):
    """Mean and variance of each channel, (C,) float32, and the pixels that they are of."""

    mean: Tensor
    variance: Tensor
    weight: Tensor


def _moments(x: Tensor, part: Part) -> _Moments:
    """Those of (1, C, h, w), each pixel by the weight that it has in the page."""
    import torch

    weights = torch.from_numpy(np.outer(part.down, part.across)).to(x.device)
    weights = torch.nn.functional.adaptive_avg_pool2d(weights[None], (x.shape[2], x.shape[3]))
    weight, x = weights.sum(), x.float()
    mean = (x * weights).sum(dim=(0, 2, 3)) / weight
    variance = ((x - mean[:, None, None]).square() * weights).sum(dim=(0, 2, 3)) / weight
    return _Moments(mean, variance, weight)


def _together(one: _Moments, other: _Moments) -> _Moments:
    """Those of two parts (Chan et al. 1979)."""
    weight = one.weight + other.weight
    share, away = other.weight / weight, other.mean - one.mean
    variance = one.variance + share * (other.variance - one.variance)
    variance = variance + share * (1 - share) * away.square()
    return _Moments(one.mean + share * away, variance, weight)


class _Seen(Exception):
    """A norm has seen a part; what the network would go on to do is not needed."""


@contextmanager
def norms_of(
    generator: nn.Module, parts: Sequence[Part], see: Callable[[np.ndarray], object]
) -> Iterator[None]:
    """Let every instance norm use the mean and variance of a whole page, while inside.

    By itself it would take those of a tile: neighbours would differ, and on a tile of empty paper
    it would blow up what little there is to a pattern. The norms see the page one after the other,
    since what one is given depends on those before it: in parts, and at the page's own scale, for
    a page made smaller has other lines. What other threads paint meanwhile with the same network
    is left alone.

    Args:
        generator: Network of any kind; one without instance norm sees nothing and is left as it is.
        parts: Parts of the page, see `in_parts`.
        see: Function that calls the generator once, with a part.
    """
    from torch import nn

    norms = [module for module in generator.modules() if isinstance(module, nn.InstanceNorm2d)]
    known: dict[nn.Module, _Moments] = {}
    here = get_ident()

    def replace(norm: nn.InstanceNorm2d, inputs: tuple[Tensor], _: Tensor) -> Tensor | None:
        if get_ident() != here or norm not in known:
            return None
        mean, variance, _weight = known[norm]
        args = mean, variance, norm.weight, norm.bias, False, 0.0, norm.eps
        return nn.functional.batch_norm(inputs[0], *args)

    handles = [norm.register_forward_hook(replace) for norm in norms]
    try:
        for norm in norms:  # in the order of the forward pass
            if seen := [m for part in parts if (m := _seen_by(norm, part, see))]:
                known[norm] = reduce(_together, seen)
        yield
    finally:
        for handle in handles:
            handle.remove()


def _seen_by(norm: nn.Module, part: Part, see: Callable[[np.ndarray], object]) -> _Moments | None:
    """What a norm is given of a part, or None where it takes no part in the network's work."""
    here, seen = get_ident(), []

    def look(_: nn.Module, inputs: tuple[Tensor]) -> None:
        if get_ident() == here:
            seen.append(_moments(inputs[0], part))
            raise _Seen

    handle = norm.register_forward_pre_hook(look)
    try:
        with suppress(_Seen):
            see(part.picture)
    finally:
        handle.remove()
    return seen[0] if seen else None

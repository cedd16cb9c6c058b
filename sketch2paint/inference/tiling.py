"""Pictures larger than a network can take at once: overlapping tiles, blended without seams."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # an exported file's tiles need no torch
    from torch import Tensor, nn

Paint = Callable[[list[np.ndarray]], Iterable[np.ndarray]]
Finish = Callable[[np.ndarray], np.ndarray]


def in_tiles(picture: np.ndarray, *, tile: int, paint: Paint, finish: Finish) -> np.ndarray:
    """Paint a picture tile by tile, in one piece where it is no larger than a tile.

    Over a quarter of a tile, one passes into the next along half a cosine wave: where they differ,
    the shift is spread over so many pixels that no step between two of them shows it.

    Args:
        picture: Picture (H, W, ...).
        tile: Side of a tile, at least 4.
        paint: Function from pictures (h, w, ...) of one size to as many float32 (h, w, C).
        finish: Function of finished rows, float32 (rows, W, C); lets them be kept as uint8.

    Returns:
        The finished picture (H, W, C).
    """
    height, width = picture.shape[:2]
    if height <= tile and width <= tile:
        return finish(next(iter(paint([picture]))))
    tops, downs = _windows(height, tile)
    lefts, acrosses = _windows(width, tile)
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


def _windows(length: int, tile: int) -> tuple[list[int], list[np.ndarray]]:
    """Where the tiles along one side start, and their weights, which sum to 1."""
    if length <= tile:
        return [0], [np.ones(length, np.float32)]
    overlap = tile // 4
    # All but the last in one step, which keeps them on the grid that the network halves.
    starts = [*range(0, length - tile, tile - overlap), length - tile]
    place = np.arange(length) + 0.5
    rises = [np.ones(length)]
    for one, other in zip(starts, starts[1:], strict=False):
        middle = (one + tile + other) / 2
        share = ((place - middle) / overlap + 0.5).clip(0, 1)
        rises.append(0.5 - 0.5 * np.cos(math.pi * share))
    rises.append(np.zeros(length))
    windows = [a - b for a, b in zip(rises, rises[1:], strict=False)]
    return starts, [
        window[start : start + tile].astype(np.float32)
        for start, window in zip(starts, windows, strict=True)
    ]


@contextmanager
def norms_of(generator: nn.Module, see_the_page: Callable[[], object]) -> Iterator[None]:
    """Let every instance norm use the mean and variance of a whole page, while inside.

    By itself it would take those of a tile: neighbours would differ, and on a tile of empty paper
    it would blow up what little there is to a pattern. What other threads paint meanwhile with the
    same network is left alone.

    Args:
        generator: Network of any kind; one without instance norm is left as it is.
        see_the_page: Function that calls the generator once, with a page so small that it fits.
    """
    import torch
    from torch import nn

    norms = [module for module in generator.modules() if isinstance(module, nn.InstanceNorm2d)]
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    here = get_ident()

    def watch(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        if get_ident() != here:
            return
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        seen[norm] = mean, variance

    def replace(norm: nn.InstanceNorm2d, inputs: tuple[Tensor], _: Tensor) -> Tensor | None:
        if get_ident() != here:
            return None
        args = *seen[norm], norm.weight, norm.bias, False, 0.0, norm.eps
        return nn.functional.batch_norm(inputs[0], *args)

    handles = [norm.register_forward_pre_hook(watch) for norm in norms]
    try:
        see_the_page()
        for handle in handles:
            handle.remove()
        handles = [norm.register_forward_hook(replace) for norm in norms]
        yield
    finally:
        for handle in handles:
            handle.remove()

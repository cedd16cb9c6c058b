"""Overlapping tiles, blended."""

from __future__ import annotations

from threading import Thread

import numpy as np
import pytest
import torch
from tiny_painter import make_generator
from torch import nn

from sketch2paint.inference.tiling import _windows, in_tiles, norms_of
from sketch2paint.models.networks import UNetGenerator


def whole(part: np.ndarray) -> np.ndarray:
    return part


def echo(parts: list[np.ndarray]) -> list[np.ndarray]:
    return [part[..., None].astype(np.float32) for part in parts]


@pytest.mark.parametrize("length", [1, 63, 64, 65, 100, 112, 113, 1000, 16384])
def test_windows_cover_a_side_and_sum_to_one(length: int) -> None:
    starts, windows = _windows(length, 64)
    total = np.zeros(length)
    for start, window in zip(starts, windows, strict=True):
        assert len(window) == min(length, 64)
        total[start : start + len(window)] += window
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert starts[0] == 0 and starts[-1] + len(windows[-1]) == length
    assert len(starts) == (1 if length <= 64 else -(-(length - 16) // 48))


@pytest.mark.parametrize("size", [(5, 9), (64, 64), (65, 64), (10, 200), (200, 10), (130, 301)])
def test_what_each_tile_knows_comes_back_whole(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    seen: list[tuple[int, ...]] = []

    def paint(parts: list[np.ndarray]) -> list[np.ndarray]:
        seen.extend(part.shape for part in parts)
        return echo(parts)

    painted = in_tiles(picture, tile=64, paint=paint, finish=whole)
    np.testing.assert_allclose(painted[..., 0], picture, atol=1e-3)
    assert set(seen) == {(min(size[0], 64), min(size[1], 64))}


def test_tiles_that_differ_pass_softly() -> None:
    count = iter(range(100))

    def shifted(parts: list[np.ndarray]) -> list[np.ndarray]:
        return [part + 100.0 * (next(count) % 2) for part in echo(parts)]

    painted = in_tiles(np.zeros((64, 400)), tile=64, paint=shifted, finish=whole)[..., 0]
    assert painted.min() == 0 and painted.max() == pytest.approx(100)
    assert np.abs(np.diff(painted, axis=1)).max() < 100 * np.pi / 2 / 16 + 0.1  # a cosine, 16 wide


def test_rows_are_finished_on_the_way() -> None:
    picture, sizes = np.zeros((300, 70)), []

    def finish(part: np.ndarray) -> np.ndarray:
        sizes.append(len(part))
        return part.astype(np.uint8)

    painted = in_tiles(picture, tile=64, paint=echo, finish=finish)
    assert painted.dtype == np.uint8 and painted.shape == (300, 70, 1)
    assert sum(sizes) == 300 and max(sizes) <= 64


@pytest.fixture
def generator() -> UNetGenerator:
    return make_generator().eval()


@torch.inference_mode()
def test_norms_are_those_of_the_page(generator: UNetGenerator) -> None:
    page, tile = torch.rand(1, 1, 64, 64), torch.ones(1, 1, 32, 32)
    own_page, own_tile = generator(page), generator(tile)
    with norms_of(generator, lambda: generator(page)):
        torch.testing.assert_close(generator(page), own_page)  # the same as its own
        assert (generator(tile) - own_tile).abs().max() > 1e-4
    torch.testing.assert_close(generator(tile), own_tile, rtol=0, atol=0)  # no trace is left


def test_other_threads_keep_their_own_norms(generator: UNetGenerator) -> None:
    page, tile = torch.rand(2, 1, 1, 32, 32)
    results = []

    def see(x: torch.Tensor) -> None:
        with torch.inference_mode():
            results.append(generator(x))

    def beside() -> None:
        thread = Thread(target=see, args=(tile,))
        thread.start()
        thread.join()

    def see_the_page() -> None:
        see(page)
        beside()

    see(tile)
    with norms_of(generator, see_the_page):
        see(page)
        beside()
    alone, own_page, beside_the_page, with_its_norms, beside_others = results
    torch.testing.assert_close(with_its_norms, own_page)
    torch.testing.assert_close(beside_the_page, alone, rtol=0, atol=0)
    torch.testing.assert_close(beside_others, alone, rtol=0, atol=0)


@torch.inference_mode()
def test_norms_are_given_back_after_an_error(generator: UNetGenerator) -> None:
    page = torch.rand(1, 1, 32, 32)
    own = generator(page)
    with pytest.raises(KeyError), norms_of(generator, lambda: generator(page * 0.5)):
        raise KeyError
    torch.testing.assert_close(generator(page), own, rtol=0, atol=0)


def test_networks_without_instance_norm_are_left_alone() -> None:
    calls: list[int] = []
    with norms_of(nn.Conv2d(1, 1, 1), lambda: calls.append(1)):
        assert calls == [1]


@torch.inference_mode()
def test_steps_at_tile_borders_are_no_larger_than_inside(generator: UNetGenerator) -> None:
    rng = np.random.default_rng(0)
    page = np.full((256, 512), 255, np.uint8)
    page[rng.integers(0, 256, 3000), rng.integers(0, 512, 3000)] = 0
    page[100:160] = 255  # a band of empty paper

    def paint(parts: list[np.ndarray]) -> list[np.ndarray]:
        x = torch.from_numpy(np.stack(parts)[:, None]).float() / 127.5 - 1
        return list(generator(x).permute(0, 2, 3, 1).numpy())

    with norms_of(generator, lambda: paint([page[::2, ::2]])):
        tiled, untiled = in_tiles(page, tile=64, paint=paint, finish=whole), paint([page])[0]
    for axis, length in ((0, 256), (1, 512)):
        # Relative to a page painted in one go, since what is drawn there makes steps, too.
        steps, given = (
            np.abs(np.diff(p, axis=axis)).mean(axis=(1 - axis, 2)) for p in (tiled, untiled)
        )
        starts, _ = _windows(length, 64)
        edges = {place - 1 for s in starts for place in (s, s + 64) if 0 < place < length}
        middles = {(a + 64 + b) // 2 - 1 for a, b in zip(starts, starts[1:], strict=False)}
        at = np.zeros(length - 1, bool)
        at[list(edges | middles)] = True
        assert steps[at].sum() / given[at].sum() <= 1.05 * steps[~at].sum() / given[~at].sum()

"""Overlapping tiles, blended."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from threading import Thread

import numpy as np
import pytest
import torch
from tiny_painter import make_generator
from torch import nn

from sketch2paint.inference.tiling import _windows, in_parts, in_tiles, norms_of
from sketch2paint.models.networks import UNetGenerator


def whole(part: np.ndarray) -> np.ndarray:
    return part


def echo(parts: list[np.ndarray]) -> list[np.ndarray]:
    return [part[..., None].astype(np.float32) for part in parts]


@pytest.mark.parametrize("overlap", [1, 16, 32, 48])
@pytest.mark.parametrize("length", [1, 63, 64, 65, 100, 112, 113, 1000, 16384])
def test_windows_cover_a_side_and_sum_to_one(length: int, overlap: int) -> None:
    starts, windows = _windows(length, 64, overlap)
    total = np.zeros(length)
    for start, window in zip(starts, windows, strict=True):
        assert len(window) == min(length, 64) and window.min() >= 0
        total[start : start + len(window)] += window
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert starts[0] == 0 and starts[-1] + len(windows[-1]) == length
    assert len(starts) == (1 if length <= 64 else -(-(length - overlap) // (64 - overlap)))


def test_windows_of_a_long_side_take_no_more_than_they_are() -> None:
    tracemalloc.start()
    try:
        _, windows = _windows(1_000_000, 1024, 256)
        assert tracemalloc.get_traced_memory()[1] < 2 * sum(w.nbytes for w in windows)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("overlap", [16, 48])
@pytest.mark.parametrize("size", [(5, 9), (64, 64), (65, 64), (10, 200), (200, 10), (130, 301)])
def test_what_each_tile_knows_comes_back_whole(size: tuple[int, int], overlap: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    seen: list[tuple[int, ...]] = []

    def paint(parts: list[np.ndarray]) -> list[np.ndarray]:
        seen.extend(part.shape for part in parts)
        return echo(parts)

    painted = in_tiles(picture, tile=64, overlap=overlap, paint=paint, finish=whole)
    np.testing.assert_allclose(painted[..., 0], picture, atol=1e-3)
    assert set(seen) == {(min(size[0], 64), min(size[1], 64))}


def test_tiles_that_differ_pass_softly() -> None:
    count = iter(range(100))

    def shifted(parts: list[np.ndarray]) -> list[np.ndarray]:
        return [part + 100.0 * (next(count) % 2) for part in echo(parts)]

    page = np.zeros((64, 400))
    painted = in_tiles(page, tile=64, overlap=16, paint=shifted, finish=whole)[..., 0]
    assert painted.min() == 0 and painted.max() == pytest.approx(100)
    assert np.abs(np.diff(painted, axis=1)).max() < 100 * np.pi / 2 / 16 + 0.1  # a cosine, 16 wide


@pytest.mark.parametrize("size", [(300, 70), (70, 300)])
def test_rows_are_finished_on_the_way(size: tuple[int, int]) -> None:
    rows = []

    def finish(part: np.ndarray) -> np.ndarray:
        rows.append(part.shape)
        return part.astype(np.uint8)

    page = np.zeros(size)
    painted = in_tiles(page, tile=64, overlap=16, paint=echo, finish=finish)
    assert painted.dtype == np.uint8 and painted.shape == (*size, 1)
    assert {shape[1] for shape in rows} == {70}  # the shorter side, for the sake of strips
    assert sum(shape[0] for shape in rows) == 300 and max(shape[0] for shape in rows) <= 64


def test_parts_weigh_as_much_as_the_page() -> None:
    page = np.arange(150 * 64).reshape(150, 64)
    total = np.zeros((150, 64))
    for picture, down, across in in_parts(page, tile=64, overlap=16):
        assert picture.shape == (len(down), len(across)) == (64, 64)
        top, left = divmod(int(picture[0, 0]), 64)
        total[top : top + 64, left : left + 64] += np.outer(down, across)
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.fixture
def generator() -> UNetGenerator:
    return make_generator().eval()


def seeing(generator: UNetGenerator) -> Callable[[np.ndarray], np.ndarray]:
    """What a generator makes of a picture (h, w) in [-1, 1], as (h, w, 3)."""

    def see(picture: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(picture))[None, None]
            return generator(x)[0].permute(1, 2, 0).numpy()

    return see


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width), np.float32)


def test_norms_are_those_of_the_page(generator: UNetGenerator) -> None:
    see, page, tile = seeing(generator), noise(64, 64), np.ones((32, 32), np.float32)
    own_page, own_tile = see(page), see(tile)
    with norms_of(generator, in_parts(page, tile=64, overlap=16), see):
        np.testing.assert_allclose(see(page), own_page, atol=1e-5)  # the same as its own
        assert np.abs(see(tile) - own_tile).max() > 1e-4
    np.testing.assert_array_equal(see(tile), own_tile)  # no trace is left


@pytest.mark.parametrize("size", [(256, 256), (32, 256), (256, 16)])
def test_norms_of_a_page_in_parts(generator: UNetGenerator, size: tuple[int, int]) -> None:
    see, page = seeing(generator), noise(*size)
    page[: size[0] // 2, : size[1] // 2] = 1  # some of it is empty
    own = see(page)
    with norms_of(generator, in_parts(page, tile=64, overlap=16), see):
        given = see(page)
    assert np.abs(given - own).mean() < 0.1 * own.std()


def test_other_threads_keep_their_own_norms(generator: UNetGenerator) -> None:
    see, page, tile = seeing(generator), *(noise(32, 32, seed) for seed in (0, 1))
    beside: list[np.ndarray] = []

    def see_beside(_: np.ndarray | None = None) -> None:
        thread = Thread(target=lambda: beside.append(see(tile)))
        thread.start()
        thread.join()

    def see_both(part: np.ndarray) -> None:
        see_beside()
        see(part)

    alone, own_page = see(tile), see(page)
    with norms_of(generator, in_parts(page, tile=32, overlap=8), see_both):
        np.testing.assert_allclose(see(page), own_page, atol=1e-5)
        see_beside()
    assert len(beside) > 2
    for picture in beside:
        np.testing.assert_array_equal(picture, alone)


def test_norms_are_given_back_after_an_error(generator: UNetGenerator) -> None:
    see, page = seeing(generator), noise(32, 32)
    own = see(page)
    parts = in_parts(page, tile=32, overlap=8)
    with pytest.raises(KeyError), norms_of(generator, parts, see):
        raise KeyError
    np.testing.assert_array_equal(see(page), own)

    def fail(part: np.ndarray) -> None:
        raise MemoryError

    with pytest.raises(MemoryError), norms_of(generator, parts, fail):
        raise KeyError
    np.testing.assert_array_equal(see(page), own)


def test_networks_without_instance_norm_see_nothing_before() -> None:
    calls: list[np.ndarray] = []
    parts = in_parts(noise(64, 64), tile=32, overlap=8)
    with norms_of(nn.Conv2d(1, 1, 1), parts, calls.append):
        assert calls == []


@torch.inference_mode()
def test_steps_at_tile_borders_are_no_larger_than_inside(generator: UNetGenerator) -> None:
    rng = np.random.default_rng(0)
    page = np.full((256, 512), 255, np.uint8)
    page[rng.integers(0, 256, 3000), rng.integers(0, 512, 3000)] = 0
    page[100:160] = 255  # a band of empty paper

    def paint(parts: list[np.ndarray]) -> list[np.ndarray]:
        x = torch.from_numpy(np.stack(parts)[:, None]).float() / 127.5 - 1
        return list(generator(x).permute(0, 2, 3, 1).numpy())

    parts = in_parts(page, tile=64, overlap=16)
    with norms_of(generator, parts, lambda part: paint([part])):
        tiled = in_tiles(page, tile=64, overlap=16, paint=paint, finish=whole)
        untiled = paint([page])[0]
    for axis, length in ((0, 256), (1, 512)):
        # Relative to a page painted in one go, since what is drawn there makes steps, too.
        steps, given = (
            np.abs(np.diff(p, axis=axis)).mean(axis=(1 - axis, 2)) for p in (tiled, untiled)
        )
        starts, _ = _windows(length, 64, 16)
        edges = {place - 1 for s in starts for place in (s, s + 64) if 0 < place < length}
        middles = {(a + 64 + b) // 2 - 1 for a, b in zip(starts, starts[1:], strict=False)}
        at = np.zeros(length - 1, bool)
        at[list(edges | middles)] = True
        assert steps[at].sum() / given[at].sum() <= 1.05 * steps[~at].sum() / given[~at].sum()

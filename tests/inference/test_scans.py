"""Scans made black on white; coloured pages told from drawings."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_painter import REAL, draw_shapes, in_rgb, needs_real

from sketch2paint.images.convert import rgb_to_grey
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.scans import (
    Levels,
    _thumbnail,
    apply,
    is_coloured,
    measure,
    normalise,
)


def clean(seed: int = 0, side: int = 384) -> np.ndarray:
    """Black lines with smooth edges on white, (side, side)."""
    return draw_shapes(seed, side, count=20, thickness=3)[1]


def scanned(
    grey: np.ndarray, seed: int = 0, pencil: float = 1.0, paper: bool = True, noise: float = 6
) -> np.ndarray:
    """On yellowed paper in uneven light, with colour noise, as JPEG; (H, W, 3)."""
    page = 255 - (255 - grey[..., None].astype(float)) * pencil
    if paper:
        y, x = np.mgrid[: len(grey), : grey.shape[1]] / max(grey.shape)
        page = page * (0.62 + 0.18 * x + 0.12 * y)[..., None] * (1, 0.95, 0.82)
    page = page + np.random.default_rng(seed).normal(0, noise, (*grey.shape, 3))
    buffer = io.BytesIO()
    Image.fromarray(page.clip(0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=60)
    return np.asarray(Image.open(buffer).convert("RGB"))


def error(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other).mean())


GREY_PAGES = ("car2", "gopher-", "openclipart-bach_ganson")  # light grey, pencil, grey paper


def drawings() -> dict[str, np.ndarray]:
    """The clean ones of the real drawings: black lines on white paper."""
    paths = sorted((REAL / "drawings").glob("*.png"))
    clean = [path for path in paths if not path.stem.startswith(GREY_PAGES)]
    return {path.stem: rgb_to_grey(read_rgb(path)) for path in clean}


@pytest.mark.parametrize("seed", range(3))
def test_clean_drawing_is_left_as_it_is(seed: int) -> None:
    page = clean(seed)
    for same in (page, in_rgb(page)):
        grey, notes = normalise(same)
        np.testing.assert_array_equal(grey, page)
        assert notes == ()


@pytest.mark.parametrize("fill", [0, 90, 200])
def test_areas_of_tone_on_white_are_no_paper(fill: int) -> None:
    page = clean().copy()
    page[40:200, 40:300] = fill
    grey, notes = normalise(page)
    np.testing.assert_array_equal(grey, page)
    assert notes == ()


@pytest.mark.parametrize(
    ("how", "notes"),
    [
        ({}, ("paper lightened",)),
        ({"pencil": 0.4}, ("paper lightened", "lines darkened")),
        ({"pencil": 0.4, "paper": False, "noise": 2}, ("lines darkened",)),
        ({"pencil": 0.4, "noise": 15}, ("paper lightened", "lines darkened")),
    ],
)
def test_scan_comes_near_to_the_clean_drawing(how: dict, notes: tuple[str, ...]) -> None:
    page = clean()
    scan = scanned(page, **how)
    grey, done = normalise(scan)
    assert done == notes
    assert error(grey, page) < 0.5 * error(rgb_to_grey(scan), page)
    assert error(grey, page) < 6
    assert np.median(grey) == 255


def strip_of(pages: int) -> np.ndarray:
    """Drawings one below the other, (200 * pages, 200)."""
    return np.vstack([clean(seed, 200) for seed in range(pages)])


@pytest.mark.parametrize("turned", [False, True])
def test_scan_of_a_strip_comes_as_near(turned: bool) -> None:
    page = strip_of(20).T if turned else strip_of(20)
    grey, found = normalise(scanned(page))
    assert found == ("paper lightened",)
    assert error(grey, page) < 8


def test_coloured_strip_is_told_from_a_drawing() -> None:
    page = in_rgb(strip_of(40)).copy()
    assert not is_coloured(page)
    for top in range(0, len(page), 200):
        page[top + 40 : top + 100, 40:100] = np.minimum(
            page[top + 40 : top + 100, 40:100], (255, 120, 90)
        )
    assert is_coloured(page)


def test_thumbnail_of_the_longest_strip_stays_small() -> None:
    assert not is_coloured(np.broadcast_to(np.uint8(255), (64, 400_000, 3)))
    assert _thumbnail(np.broadcast_to(np.uint8(255), (64, 400_000)), 256).shape == (3, 16384)
    assert _thumbnail(np.zeros((800, 20000), np.uint8), 256).shape == (64, 1600)
    assert _thumbnail(np.zeros((800, 3200), np.uint8), 256).shape == (64, 256)


def test_white_on_black_is_turned() -> None:
    page = clean()
    grey, notes = normalise(255 - page)
    np.testing.assert_array_equal(grey, page)
    assert notes == ("inverted",)
    grey, notes = normalise(np.clip(255 - page, 30, 220))  # a blackboard
    assert notes == ("inverted", "paper lightened")
    assert error(grey, page) < 6


def test_one_measurement_serves_a_whole_shot() -> None:
    frames = [scanned(clean(seed), seed, pencil=0.4) for seed in range(3)]
    levels = measure(frames[0])
    assert levels.notes == ("paper lightened", "lines darkened")
    for seed, frame in enumerate(frames):
        assert error(apply(frame, levels), clean(seed)) < 6
    grey, notes = normalise(frames[0])
    np.testing.assert_array_equal(apply(frames[0], levels), grey)
    assert notes == levels.notes
    assert not np.array_equal(apply(frames[1], levels), normalise(frames[1])[0])  # its own differ


def test_levels_say_what_is_done() -> None:
    page = clean()
    for same in (apply(page, Levels()), apply(page, measure(page))):
        assert same is page
    assert measure(255 - page) == Levels(inverted=True) and Levels().notes == ()
    np.testing.assert_array_equal(apply(255 - page, Levels(inverted=True)), page)
    ramp = np.arange(256, dtype=np.uint8)[None]
    darkened = apply(ramp, Levels(ink=51))
    assert (darkened[0, :52] == 0).all() and darkened[0, 255] == 255 and darkened[0, 153] == 128
    paper = np.full((1, 1), 128, np.uint8)
    lightened = apply(ramp, Levels(paper=paper, white=200))
    assert (lightened[0, 101:] == 255).all() and lightened[0, 50] == round(
        round(255 * 50 / 128) * 1.275
    )


@pytest.mark.parametrize("level", [0, 128, 200, 255])
def test_empty_page_stays_empty(level: int) -> None:
    page = np.random.default_rng(0).normal(level, 3, (200, 300)).clip(0, 255).astype(np.uint8)
    grey, notes = normalise(page)
    assert not {"inverted", "lines darkened"} & set(notes)
    assert grey.std() < 5


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (15, 15), (16, 900), (40, 17)])
def test_any_size(size: tuple[int, int]) -> None:
    page = np.random.default_rng(0).integers(0, 256, size, dtype=np.uint8)
    grey, notes = normalise(page)
    assert grey.shape == size and grey.dtype == np.uint8
    if min(size) < 16:  # too small to judge
        np.testing.assert_array_equal(grey, page)
        assert notes == ()
    assert is_coloured(in_rgb(page)) is False


def test_input_is_left_alone() -> None:
    scan = scanned(clean())
    before = scan.copy()
    normalise(scan)
    is_coloured(scan)
    np.testing.assert_array_equal(scan, before)


@needs_real
def test_clean_real_drawings_are_left_as_they_are() -> None:
    for name, page in drawings().items():
        grey, notes = normalise(page)
        np.testing.assert_array_equal(grey, page, name)
        assert notes == ()


@needs_real
def test_scans_of_real_colouring_pages() -> None:
    errors = []
    pages = [page for name, page in drawings().items() if "-" not in name]  # lines, no black areas
    for seed, page in enumerate(pages):
        scan = scanned(page, seed, pencil=0.45)
        grey, notes = normalise(scan)
        assert notes[0] == "paper lightened"
        errors.append((error(rgb_to_grey(scan), page), error(grey, page)))
        assert not is_coloured(scan)
    before, after = np.mean(errors, axis=0)
    print(f"scans differ from clean drawings by {before:.1f}, normalised by {after:.1f}")
    assert after < 4 < 40 < before


def tinted(grey: np.ndarray, ink: tuple[int, int, int], paper: tuple[int, int, int]) -> np.ndarray:
    share = grey[..., None] / 255
    return np.round(share * paper + (1 - share) * np.array(ink)).astype(np.uint8)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        ((0, 0, 0), (255, 255, 255)),
        ((0, 0, 0), (235, 215, 165)),
        ((60, 80, 215), (255, 255, 255)),
        ((40, 60, 150), (240, 225, 190)),
        ((215, 50, 50), (255, 255, 255)),
    ],
)
def test_drawing_in_one_ink_is_not_coloured(ink: tuple, paper: tuple) -> None:
    page = tinted(clean(), ink, paper)
    assert not is_coloured(page)
    light = np.linspace(1, 0.7, page.shape[1])[None, :, None]
    noisy = page * light + np.random.default_rng(0).normal(0, 12, page.shape)
    assert not is_coloured(noisy.clip(0, 255).astype(np.uint8))


WHITE, YELLOWED = (255, 255, 255), (235, 220, 185)


@pytest.mark.parametrize(
    ("fill", "paper"),
    [
        ((255, 225, 50), WHITE),
        ((250, 200, 170), WHITE),
        ((120, 190, 240), WHITE),
        ((90, 60, 40), WHITE),
        ((255, 225, 50), YELLOWED),  # skin would be too near to the paper
        ((120, 190, 240), YELLOWED),
    ],
)
def test_coloured_area_is_found(fill: tuple, paper: tuple) -> None:
    page = tinted(clean(), (0, 0, 0), paper)
    cv2.circle(page, (190, 190), 60, fill, -1)
    assert is_coloured(page)


@needs_real
def test_real_pictures_and_drawings_are_told_apart() -> None:
    assert not any(is_coloured(in_rgb(page)) for page in drawings().values())
    pairs = [read_rgb(path) for path in sorted((REAL / "openmoji" / "val").glob("*.png"))[::4]]
    half = pairs[0].shape[1] // 2
    assert not any(is_coloured(pair[:, half:]) for pair in pairs)
    assert np.mean([is_coloured(pair[:, :half]) for pair in pairs]) > 0.95
    paintings = [read_rgb(path) for path in sorted((REAL / "noto_paintings").glob("*.png"))[::4]]
    assert np.mean([is_coloured(picture) for picture in paintings]) > 0.9  # some are grey

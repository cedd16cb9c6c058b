"""One colour for each region, and colours that are obeyed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from tiny_painter import draw_shapes

from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import Hints
from sketch2paint.hints.regions import find_regions
from sketch2paint.hints.strokes import Stroke
from sketch2paint.inference.flats import by_regions, flatten, shade

RED, BLUE, PAPER = (200, 30, 40), (30, 60, 210), (255, 255, 255)


def boxes(count: int, side: int = 60) -> np.ndarray:
    """A row of closed boxes on white paper."""
    sketch = np.full((side + 40, count * (side + 20) + 20), 255, np.uint8)
    for box in range(count):
        left = 20 + box * (side + 20)
        cv2.rectangle(sketch, (left, 20), (left + side, 20 + side), 0, 3)
    return sketch


def coloured(sketch: np.ndarray, *colours: tuple[int, int, int], noise: int = 0) -> np.ndarray:
    """What a network might make of boxes: each its colour, with noise, on paper that is not."""
    picture = np.full((*sketch.shape, 3), 250, np.uint8)
    for box, colour in enumerate(colours):
        picture[20:80, 20 + box * 80 : 80 + box * 80] = colour
    shift = np.random.default_rng(0).integers(-noise, noise + 1, picture.shape)
    return (picture + shift).clip(0, 255).astype(np.uint8)


def centre(picture: np.ndarray, box: int) -> tuple[int, ...]:
    return tuple(int(level) for level in picture[50, 50 + 80 * box])


def test_each_region_has_one_colour_and_paper_is_white() -> None:
    sketch = boxes(2)
    flat = flatten(coloured(sketch, RED, BLUE, noise=5), find_regions(sketch))
    assert len(np.unique(flat.reshape(-1, 3), axis=0)) == 3
    assert (flat[25:75, 25:75] == flat[50, 50]).all()
    assert centre(flat, 0) == pytest.approx(RED, abs=3)
    assert centre(flat, 1) == pytest.approx(BLUE, abs=3)
    assert tuple(flat[5, 5]) == PAPER


def test_like_colours_become_the_same_and_others_stay() -> None:
    sketch = boxes(4)
    near = (206, 34, 42)
    flat = flatten(coloured(sketch, RED, near, BLUE, (60, 160, 60)), find_regions(sketch))
    assert centre(flat, 0) == centre(flat, 1) == RED
    assert len({centre(flat, box) for box in range(4)}) == 3


def test_the_number_of_colours_can_be_capped() -> None:
    sketch = boxes(4)
    colours = coloured(sketch, RED, (150, 60, 60), BLUE, (60, 90, 160))
    flat = flatten(colours, find_regions(sketch), most=2)
    assert len({centre(flat, box) for box in range(4)}) == 2
    assert centre(flat, 0) == centre(flat, 1) != centre(flat, 2) == centre(flat, 3)


def test_hundreds_of_regions_of_different_colours() -> None:
    sketch = np.full((600, 600), 255, np.uint8)
    sketch[::20] = sketch[:, ::20] = 0
    colours = np.random.default_rng(0).integers(0, 240, (30, 30, 3), np.uint8)
    flat = flatten(colours.repeat(20, 0).repeat(20, 1), find_regions(sketch), most=255)
    found = np.unique(flat.reshape(-1, 3), axis=0)
    assert 20 < len(found) <= 255
    away = np.linalg.norm(flat[10::20, 10::20].astype(float) - colours, axis=2)
    assert np.median(away) < 30


def test_a_median_bears_what_runs_over_the_border() -> None:
    sketch = boxes(1)
    colours = coloured(sketch, RED)
    colours[20:80, 20:40] = BLUE  # fog over a third
    assert centre(flatten(colours, find_regions(sketch)), 0) == RED


def test_a_large_picture_s_small_regions_are_found() -> None:
    """Medians are of some pixels in large pictures; a region that lies between them has one too."""
    sketch = np.full((2200, 2200), 255, np.uint8)
    cv2.circle(sketch, (1000, 1000), 300, 0, 6)
    cv2.circle(sketch, (1000, 1000), 12, 0, 6)
    colours = np.full((2200, 2200, 3), 255, np.uint8)
    cv2.circle(colours, (1000, 1000), 300, RED, -1)
    cv2.circle(colours, (1000, 1000), 13, BLUE, -1)
    flat = flatten(colours, find_regions(sketch))
    assert tuple(flat[1000, 1000]) == BLUE
    assert tuple(flat[1000, 1200]) == RED


def hints_of(sketch: np.ndarray, *dots: tuple[int, int, tuple[int, int, int] | None]) -> Hints:
    size = sketch.shape[1], sketch.shape[0]
    return Hints(size, tuple(Stroke(((x, y),), 5, colour) for x, y, colour in dots))


def test_hinted_regions_have_exactly_the_hint_in_flats() -> None:
    sketch = boxes(3)
    hints = hints_of(sketch, (50, 50, (1, 2, 3)), (130, 50, None))
    colours, notes = by_regions(
        coloured(sketch, RED, BLUE, RED, noise=8), sketch, hints=hints, flats=True
    )
    assert centre(colours, 0) == (1, 2, 3)
    assert (colours[25:75, 25:75] == (1, 2, 3)).all()
    assert centre(colours, 1) == PAPER
    assert centre(colours, 2) == pytest.approx(RED, abs=4)
    assert notes == ()


def test_shading_stays_and_its_median_is_the_hint() -> None:
    sketch = boxes(2)
    colours = coloured(sketch, BLUE, BLUE)
    colours[20:80, 20:40] = (20, 42, 150)  # a darker third
    hint = (190, 120, 60)
    out, _ = by_regions(colours, sketch, hints=hints_of(sketch, (60, 50, hint)))
    inside = out[24:77, 24:77].reshape(-1, 3)
    assert np.median(inside, axis=0) == pytest.approx(hint, abs=2)
    assert int(out[50, 30].sum()) < int(out[50, 60].sum()) - 60  # as dark beside light as before
    assert (out[:, 90:] == colours[:, 90:]).all()  # nobody said anything there


def test_shaded_medians_are_near_any_hint() -> None:
    """Channel by channel within 2 of 255, whatever the network painted there."""
    rng = np.random.default_rng(0)
    sketch = draw_shapes(0)[1]
    regions = find_regions(sketch)
    for _ in range(10):
        colours = rng.integers(0, 256, (8, 8, 3), np.uint8)
        colours = cv2.resize(colours, sketch.shape[::-1], interpolation=cv2.INTER_CUBIC)
        marks = np.zeros(sketch.shape, np.int32)
        for stroke in (1, 2):
            x, y = rng.integers(20, 236, 2)
            cv2.circle(marks, (int(x), int(y)), 3, stroke, -1)
        said = rng.integers(0, 256, (3, 3)).astype(np.uint8)
        filled = fill(regions, marks)
        assert filled.any()
        free = ~regions.ink
        out = shade(colours, filled=filled, said=said, free=free)
        for stroke in np.unique(filled[(filled > 0) & free]):
            middle = np.median(out[(filled == stroke) & free], axis=0)
            assert np.abs(middle - said[stroke]).max() <= 2


def test_paper_is_left_white_shaded_too() -> None:
    sketch = boxes(1)
    colours, _ = by_regions(
        coloured(sketch, RED, noise=20), sketch, hints=hints_of(sketch, (50, 50, None))
    )
    assert (colours[25:75, 25:75] == 255).all()


def test_strokes_that_colour_nothing_are_told() -> None:
    sketch = boxes(1)
    hints = hints_of(sketch, (50, 50, RED), (50, 50, BLUE))
    _, notes = by_regions(coloured(sketch, RED), sketch, hints=hints)
    assert notes == ("some strokes colour nothing",)

"""Drawings as another hand, pen or scanner would have left them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.data import redraw as module
from sketch2paint.data.redraw import redraw


def ring(width: int) -> np.ndarray:
    return cv2.circle(np.full((256, 256), 255, np.uint8), (128, 128), 80, 0, width, cv2.LINE_AA)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """One change at a time: no softness, no cuts."""
    monkeypatch.setattr(module, "SOFT", 0.0)
    monkeypatch.setattr(module, "WHOLE", 1.0)
    return monkeypatch


@pytest.fixture
def same_width(alone: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Not even another width."""
    alone.setattr(module, "THINNED", 0.0)
    alone.setattr(module, "THICKENED", 0.0)
    return alone


def many(sketch: np.ndarray, **keys: tuple[float, float]) -> list[np.ndarray]:
    keys = {"intensity": (1.0, 1.0), **keys}
    return [redraw(sketch, rng=np.random.default_rng(seed), **keys) for seed in range(40)]


def ink(sketch: np.ndarray) -> float:
    return float((255.0 - sketch).sum())


@pytest.mark.usefixtures("alone")
def test_lines_are_thinner_and_thicker_about_where_they_were() -> None:
    drawn, sketch = ring(6), ring(6)
    shares = sorted(ink(one) / ink(sketch) for one in many(drawn))
    assert shares[0] < 0.9 and shares[-1] > 1.2
    near = cv2.dilate(255 - drawn, np.ones((11, 11), np.uint8)) > 0
    assert all((one[~near] == 255).all() for one in many(drawn))
    np.testing.assert_array_equal(drawn, sketch)  # what was given is left alone


@pytest.mark.usefixtures("alone")
def test_a_hairline_is_never_thinned_away() -> None:
    assert min(ink(one) for one in many(ring(1))) > 0.45 * ink(ring(1))


@pytest.mark.usefixtures("alone")
def test_lines_are_paler_within_the_bounds() -> None:
    darkest = [int(one.min()) for one in many(ring(8), intensity=(0.4, 0.8))]
    assert min(darkest) >= 255 - 0.8 * 255 - 1 and max(darkest) <= 255 - 0.4 * 255 + 1
    assert max(darkest) - min(darkest) > 40


def test_about_half_have_gaps_where_a_line_was(same_width: pytest.MonkeyPatch) -> None:
    same_width.setattr(module, "WHOLE", 0.5)
    sketch = ring(4)
    cut = [one for one in many(sketch) if (one != sketch).any()]
    assert 10 <= len(cut) <= 30
    assert all((one >= sketch).all() and ink(one) > 0.5 * ink(sketch) for one in cut)


def test_some_are_soft_as_from_a_small_picture(same_width: pytest.MonkeyPatch) -> None:
    same_width.setattr(module, "SOFT", 0.3)
    sketch = ring(4)
    soft = [one for one in many(sketch) if (one != sketch).any()]
    assert 5 <= len(soft) <= 20
    assert all(abs(ink(one) / ink(sketch) - 1) < 0.05 for one in soft)
    assert max(np.count_nonzero((one > 60) & (one < 200)) for one in soft) > 1000


def test_chance_comes_from_the_generator_alone_and_an_empty_sheet_stays() -> None:
    for one, other in zip(many(ring(4)), many(ring(4)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert all((one == 255).all() for one in many(np.full((40, 30), 255, np.uint8)))

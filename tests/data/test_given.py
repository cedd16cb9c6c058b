"""Hints of training samples, on a picture of sixteen cells whose colours are known."""

import numpy as np
import pytest
from tiny_words import cells

from sketch2paint.data.given import Given, draw_given, fixed_given
from sketch2paint.hints.words import words_of

SKETCH, REGIONS = cells(4, 12)
WORDS = words_of(REGIONS)
COLOURS = np.array(
    [[255, 255, 255], [230, 120, 120], [30, 200, 30], [30, 30, 200]] * 4, np.uint8
)  # of the cells, column by column
LIGHT = SKETCH[..., None] / np.float32(255)
REAL = np.rint(COLOURS[REGIONS.labels] * LIGHT).astype(np.uint8)


def drawn(count: int = 600) -> list[Given]:
    rng = np.random.default_rng(0)
    return [draw_given(rng, real=REAL, sketch=SKETCH, words=WORDS) for _ in range(count)]


def own(given: Given) -> np.ndarray:
    """Colours of the words in a sample's truth, (16, 3)."""
    middle = [(6 + 12 * (n // 4), 6 + 12 * (n % 4)) for n in WORDS.regions]
    return np.array([given.real[place] for place in middle])


@pytest.fixture(scope="module")
def many() -> list[Given]:
    return drawn()


def test_a_third_has_none_and_the_others_any_number(many):
    counts = np.array([given.known.sum() for given in many])
    assert 0.25 < (counts == 0).mean() < 0.35  # 0.3 +- 0.05
    some = counts[counts > 0]
    assert some.min() == 1 and some.max() >= 15
    ones, from_two, from_eight = ((some >= low) & (some < 2 * low) for low in (1, 2, 8))
    for octave in (ones, from_two, from_eight):  # log-uniform: each is a quarter
        assert 0.15 < octave.mean() < 0.35


def test_hints_are_near_the_truth(many):
    for given in many:
        off = given.colours[given.known].astype(int) - own(given)[given.known]
        assert np.abs(off).max(initial=0) < 25
        assert (given.colours[~given.known] == 255).all()


def test_paper_is_told_now_and_then(many):
    white = COLOURS[WORDS.regions].min(1) == 255
    told = [given.known[white].any() for given in many if 0 < given.known.sum() < 4]
    assert 0.1 < np.mean(told) < 0.5


def test_the_worst_of_white_paper_come_first():
    given = fixed_given(real=REAL, sketch=SKETCH, words=WORDS)
    assert given.known.sum() == 4 and (given.real == REAL).all()
    known = COLOURS[WORDS.regions[given.known]]
    assert set(map(tuple, known)) <= {(30, 200, 30), (30, 30, 200)}  # the darkest
    np.testing.assert_array_equal(given.colours[given.known], known)


def test_recoloured_regions_are_so_wherever_their_colour_stands(many):
    changed = [given for given in many if (given.real != REAL).any()]
    assert 0.1 < len(changed) / len(many) < 0.25  # half or more of 0.3 of 0.7
    truth = COLOURS[WORDS.regions]
    for given in changed:
        assert given.known.any()
        now = own(given)
        for colour in np.unique(truth, axis=0):
            alike = (truth == colour).all(1)
            same = len(np.unique(now[alike], axis=0)) == 1
            assert same or (colour == 255).all()
        ink = SKETCH == 0
        assert (given.real[ink] == 0).all()  # lines stay


def test_chance_is_counted():
    for one, other in zip(drawn(20), drawn(20), strict=True):
        for ours, theirs in zip(one, other, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_black_sheet_has_no_hints():
    black = np.zeros_like(SKETCH)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert not draw_given(rng, real=REAL, sketch=black, words=WORDS).known.any()
    assert not fixed_given(real=REAL, sketch=black, words=WORDS).known.any()

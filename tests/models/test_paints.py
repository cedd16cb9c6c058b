import numpy as np
import pytest

from sketch2paint.hints.palette import Palette
from sketch2paint.models.paints import WISH, by_paint, choose, paints_of

NAMED = np.array([[255, 255, 255], [200, 40, 40], [30, 30, 190]], np.uint8)
GIVEN = np.array([[255, 255, 255], [10, 200, 10]], np.uint8)
PALETTE = Palette(np.array([[220, 0, 0], [0, 0, 90]], np.uint8), np.float32([0.6, 0.2]))


def test_a_palette_takes_the_place_of_what_the_network_names():
    paints = paints_of(NAMED, GIVEN, PALETTE)
    assert paints.colours.tolist() == [[255, 255, 255], [220, 0, 0], [0, 0, 90], [10, 200, 10]]
    assert paints.column.tolist() == [0, 1, 2, 0, 3, 1, 2]  # named, words, entries
    np.testing.assert_allclose(paints.wanted, [0, 0.75, 0.25, 0])
    untold = paints_of(NAMED, GIVEN, PALETTE._replace(portions=np.zeros(2, np.float32)))
    np.testing.assert_allclose(untold.wanted, [0, 0.5, 0.5, 0])
    shares = np.float32([[0.1, 0.2, 0.3, 0.05, 0.15, 0.12, 0.08]])
    np.testing.assert_allclose(by_paint(shares, paints), [[0.15, 0.32, 0.38, 0.15]], rtol=1e-6)


def test_without_a_palette_all_of_the_network_s_colours_are_there():
    paints = paints_of(NAMED, np.array([[200, 40, 40], [10, 200, 10]], np.uint8), None)
    assert paints.colours.tolist() == [*NAMED.tolist(), [10, 200, 10]]
    assert paints.column.tolist() == [0, 1, 2, 1, 3] and not paints.wanted.any()


def test_what_is_wanted_is_used_where_it_surprises_least():
    shares = np.array(
        [[0.9, 0.1, 0, 0], [0.1, 0.6, 0.3, 0], [0.1, 0.8, 0.1, 0], [0, 0.2, 0.1, 0.7]]
    )
    areas = np.array([50.0, 10, 10, 10])
    plain = choose(shares, areas=areas, wanted=np.zeros(4))
    assert plain.tolist() == [0, 1, 1, 3]
    both = choose(shares, areas=areas, wanted=np.array([0, 0.5, 0.5, 0]))
    assert both.tolist() == [0, 2, 1, 3]  # paper, and what a person gave, stay
    mostly = choose(shares, areas=areas, wanted=np.array([0, 1, 0, 0]))
    assert mostly.tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize("seed", range(5))
def test_no_single_change_is_better(seed):
    rng = np.random.default_rng(seed)
    shares, areas = rng.dirichlet(np.ones(5), 12), rng.integers(1, 50, 12).astype(float)
    wanted = np.r_[0, rng.dirichlet(np.ones(4))]

    def cost(chosen):
        moving = chosen > 0
        weight = areas / areas[shares.argmax(1) > 0].sum() * moving
        used = np.bincount(chosen, weight, 5)[1:]
        surprise = -(weight * np.log(shares[np.arange(12), chosen] + 1e-4)).sum()
        missed = wanted[1:] * np.log((wanted[1:] + 0.02) / (used + 0.02))
        return surprise + WISH * missed.sum()

    chosen = choose(shares, areas=areas, wanted=wanted)
    least = cost(chosen)
    for one in np.flatnonzero(chosen):
        for other in range(1, 5):
            changed = chosen.copy()
            changed[one] = other
            assert cost(changed) >= least - 1e-9


def test_nothing_coloured_and_a_palette_of_one():
    paper = np.array([[0.9, 0.05, 0.05]])
    assert choose(paper, areas=np.ones(1), wanted=np.array([0, 0.5, 0.5])).tolist() == [0]
    assert choose(paper[:, ::-1], areas=np.ones(1), wanted=np.array([0, 0, 1])).tolist() == [2]

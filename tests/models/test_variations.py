import numpy as np
import pytest
import torch
from tiny_words import cells, make_region_network

import sketch2paint.models.variations as variations
from sketch2paint.hints.palette import Palette
from sketch2paint.hints.regions import find_regions
from sketch2paint.models.answer import read, reply
from sketch2paint.models.variations import vary

PALETTE = Palette(np.array([[230, 57, 70], [29, 53, 87]], np.uint8), np.float32([0.5, 0.5]))
KNOWN = {5: (13, 200, 77), 6: (255, 255, 255)}


def undecided() -> torch.nn.Module:
    """A network to which all colours are nearly as likely, and none is paper."""
    network = make_region_network(palettes=True)
    network.logits.weight.data *= 0.05
    network.logits.bias.data[0] = -3
    network.key.weight.data *= 0.05
    network.gate.bias.data[:] = 2  # it copies much
    return network


@pytest.fixture(scope="module")
def network():
    return undecided()


@pytest.fixture(scope="module")
def reading(network):
    return read(network, *cells(4, 12))


@pytest.mark.parametrize("palette", [None, PALETTE])
def test_the_first_is_the_answer_and_the_others_are_unlike(network, reading, palette):
    told = {"reading": reading, "known": KNOWN, "palette": palette}
    found = np.stack(vary(network, count=6, seed=0, **told))
    assert found.shape == (6, 16, 3) and found.dtype == np.uint8
    np.testing.assert_array_equal(found[0], reply(network, **told))
    for number, colour in KNOWN.items():
        assert (found[:, number] == colour).all()
    assert len(np.unique(found, axis=0)) == 6
    allowed = {*map(tuple, PALETTE.colours.tolist()), *KNOWN.values()}
    assert not palette or {*map(tuple, found.reshape(-1, 3).tolist())} <= allowed
    np.testing.assert_array_equal(np.stack(vary(network, count=6, seed=0, **told)), found)
    assert (np.stack(vary(network, count=6, seed=1, **told))[1:] != found[1:]).any()


def test_how_many_the_network_is_given_at_once_changes_nothing(network, reading, monkeypatch):
    told = {"reading": reading, "known": KNOWN, "count": 4, "seed": 0}
    expected = np.stack(vary(network, **told))
    monkeypatch.setattr(variations, "CELLS", 3 * 16**2)
    np.testing.assert_array_equal(np.stack(vary(network, **told)), expected)


def test_paper_is_paper_in_all():
    network = undecided()
    network.logits.bias.data[0] = 20
    network.gate.bias.data[:] = -20
    reading = read(network, *cells(3, 12))
    found = np.stack(vary(network, reading=reading, known={}, count=4, seed=0))
    assert (found == 255).all()


def test_all_known_and_one_region(network):
    sketch, regions = cells(2, 12)
    known = dict.fromkeys(range(4), (1, 2, 3))
    found = vary(network, reading=read(network, sketch, regions), known=known, count=3, seed=0)
    assert (np.stack(found) == (1, 2, 3)).all()
    blank = np.full((20, 50), 255, np.uint8)
    reading = read(network, blank, find_regions(blank))
    assert np.stack(vary(network, reading=reading, known={}, count=3, seed=0)).shape == (3, 1, 3)


def test_of_samples_the_likeliest_that_is_unlike_and_else_the_furthest():
    lab = np.array([[[50, 0, 0]], [[52, 0, 0]], [[50, 30, 0]], [[50, 31, 0]], [[50, 0, 60]]])
    choose = variations._unlike
    assert choose(lab, weight=np.ones(1), count=3) == [0, 2, 4]
    assert choose(lab, weight=np.ones(1), count=4) == [0, 2, 4, 1]  # of near ones the furthest
    assert choose(lab, weight=np.zeros(1), count=2) == [0, 1]

"""Walks along named directions, on a page whose colours are known."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_rooms import rooms
from tiny_words import make_region_network

from sketch2paint.evaluation import direction_table
from sketch2paint.evaluation.direction_table import Walk, rows_of, summary_of, walk
from sketch2paint.evaluation.steps import STEPS
from sketch2paint.models.styles import DIRECTIONS

PAGE = rooms()


def walked(*effects: tuple[float, float, float, float]) -> list[Walk]:
    """Pictures whose attributes change by so much in a step."""
    steps = STEPS[:, None].astype(float)
    return [
        Walk(np.array([10, 50, 30, 20]) * number + steps * np.array(effect), np.full(7, 20.0))
        for number, effect in enumerate(effects, 1)
    ]


def test_a_network_is_walked_along_all_directions() -> None:
    network = make_region_network(colours=64)
    network.logits.weight.data *= 0.1
    network.logits.bias.data[0] = -9
    found = walk(PAGE, network, 0)
    assert list(found)[:4] == [*DIRECTIONS] and len(found) == 12
    for one in found.values():
        np.testing.assert_array_equal(one.attributes[3], found["warmth"].attributes[3])
        assert one.attributes.shape == (7, 4) and one.psnr[3] == found["warmth"].psnr[3]
    of = found["lightness"].attributes[:, 1]
    assert of[0] < of[3] < of[6]
    network.logits.bias.data[0] = 50
    assert walk(PAGE, network, 0) == {}


def test_a_direction_s_effect_and_what_else_it_changes() -> None:
    walks = {
        "warmth": walked((1, 0, 1.5, 0), (1, 0, 1.5, 0)),
        "random 1": walked(*[(0, 0, -3, 0)] * 2),
    }
    found = summary_of(walks)
    assert found["warmth"]["own"] == "warmth" and found["warmth"]["spearman"] == 1
    assert found["warmth"]["into"] == "vividness"
    assert found["warmth"]["leak"] == pytest.approx(0.5)  # spreads are 5 and 15
    assert found["random 1"]["own"] == "vividness" and found["random 1"]["spearman"] == -1
    assert found["warmth"]["+1 dB"] == 20
    text = [" ".join(row) for row in rows_of(found)]
    assert text[1] == "warmth warmth 1.000 0.50 vividness 20.00 20.00 20.00"


def test_what_does_not_move_counts_and_what_has_no_contrast_does_not() -> None:
    moves, stays, alone = walked((0, 0, 0, 2), (0, 0, 0, 0), (0, 0, 0, 9))
    alone.attributes[:, 3] = np.nan
    found = summary_of({"contrast": [moves, stays, alone]})["contrast"]
    assert found["spearman"] == pytest.approx(0.5)
    none = summary_of({"contrast": [alone]})["contrast"]
    assert np.isnan(none["spearman"])
    assert [*rows_of({"contrast": none})][1][2] == "n/a"
    assert direction_table.plain_of({"contrast": [alone]})["contrast"]["spearman"] is None

"""What an attribute does along a direction."""

from __future__ import annotations

import numpy as np
import pytest

from sketch2paint.evaluation.steps import STEPS, rank, slopes


def test_slopes_are_those_of_least_squares() -> None:
    values = np.random.default_rng(0).normal(size=(len(STEPS), 2, 3))
    expected = np.polyfit(STEPS, values.reshape(len(STEPS), 6), 1)[0].reshape(2, 3)
    np.testing.assert_allclose(slopes(values), expected)
    assert np.isnan(slopes(np.full(len(STEPS), np.nan)))


def test_ranks_say_which_way_and_nothing_where_nothing_changes() -> None:
    assert rank(STEPS**3) == pytest.approx(1) and rank(-np.exp(STEPS)) == pytest.approx(-1)
    assert rank(np.full(len(STEPS), 2.5)) == 0

"""Means, intervals and paired differences against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from sketch2paint.evaluation.bootstrap import RESAMPLES, bootstrap, summarise
from sketch2paint.evaluation.compare import BASELINES, Results
from sketch2paint.evaluation.metrics import OF_PICTURES

KEYS = [metric.key for metric in OF_PICTURES]


def equally(values: np.ndarray, seed: int = 0, resamples: int = RESAMPLES) -> np.ndarray:
    return bootstrap(values, weights=np.ones_like(values), seed=seed, resamples=resamples)


def results(candidates: list[str], values: np.ndarray, weights: np.ndarray) -> Results:
    return Results(
        files=[str(n) for n in range(len(values))],
        rows=[*candidates, *BASELINES],
        candidates=len(candidates),
        values=values,
        weights=weights,
        sets=np.full((values.shape[1], 2), np.nan),
        missing={},
    )


def test_intervals_are_those_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(5, 2, (400, 2))
    low, high = equally(values, seed=1)
    wide = 1.96 * values.std(axis=0) / np.sqrt(400)  # by the central limit theorem
    np.testing.assert_allclose(low, values.mean(axis=0) - wide, atol=0.02)
    np.testing.assert_allclose(high, values.mean(axis=0) + wide, atol=0.02)


def test_intervals_leave_out_what_is_not_known() -> None:
    values = np.random.default_rng(0).normal(size=(60, 4))
    values[40:, 1] = np.nan
    values[1:, 2] = np.nan
    values[2:, 3], values[:2, 3] = np.nan, 7
    bounds = equally(values, resamples=2000)
    alone = equally(values[:40, 1:2], resamples=2000)
    np.testing.assert_allclose(bounds[:, 1], alone[:, 0], atol=0.05)
    assert np.isnan(bounds[:, 2]).all() and (bounds[:, 3] == 7).all()
    assert np.isnan(equally(values[:1], resamples=10)).all()


def test_intervals_depend_on_the_seed_alone() -> None:
    values = np.random.default_rng(0).normal(size=(30, 1))
    first, again, other = (equally(values, seed, 500) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_draws_in_parts_are_all_made() -> None:
    constant = np.full((2**19, 1), 3.0)  # two draws at once
    np.testing.assert_array_equal(equally(constant, resamples=5), [[3], [3]])


def test_a_mean_ratio_is_the_ratio_of_means() -> None:
    reals, fakes = np.random.default_rng(0).uniform(5, 60, (2, 200))
    values = np.full((200, 3, len(KEYS)), np.nan)
    values[:, 0, KEYS.index("colourfulness")] = fakes / reals
    weights = np.ones((200, len(KEYS)))
    weights[:, KEYS.index("colourfulness")] = reals
    summary = summarise(results([], values, weights), 0, 1000)
    low, high = summary.intervals[:, 0, KEYS.index("colourfulness")]
    mean = fakes.mean() / reals.mean()
    assert summary.means[0, KEYS.index("colourfulness")] == pytest.approx(mean)
    assert mean - 0.2 < low < mean < high < mean + 0.2
    assert (fakes / reals).mean() > high


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(0)
    values = np.full((100, 5, len(KEYS)), np.nan)
    values[:, 0, 0] = rng.normal(20, 5, 100)
    values[:, 1, 0] = values[:, 0, 0] - 0.5 + rng.normal(0, 0.1, 100)
    values[:50, 0, 1], values[50:, 1, 1] = 1, 2  # no picture has both
    summary = summarise(results(["a", "b"], values, np.ones((100, len(KEYS)))), 0, 2000)
    assert list(summary.differences) == [("a", "b")]
    means, (low, high) = summary.differences["a", "b"]
    assert means[0] == pytest.approx(values[:, 0, 0].mean() - values[:, 1, 0].mean())
    assert 0.4 < low[0] < means[0] < high[0] < 0.6
    assert summary.intervals[1, 0, 0] - summary.intervals[0, 0, 0] > 1.5  # each alone is unsure
    assert np.isnan(means[1]) and summary.counts[0, 1] == 50

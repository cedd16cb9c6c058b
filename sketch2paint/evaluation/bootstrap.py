"""Means over pictures with 95 % intervals, and paired differences between candidates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from sketch2paint.evaluation.compare import Results

RESAMPLES = 10_000  # of the bootstrap


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Means over pictures with 95 % bootstrap intervals.

    Attributes:
        means: Means, (R, M); NaN is not applicable.
        intervals: Low and high bounds, (2, R, M); NaN with fewer than two pictures.
        counts: Numbers of pictures that have a value, (R, M).
        differences: Means (M,) of the first minus the second of a pair of candidates, over the
            pictures that have both, and their intervals (2, M).
    """

    means: np.ndarray
    intervals: np.ndarray
    counts: np.ndarray
    differences: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]


def summarise(results: Results, seed: int, resamples: int = RESAMPLES) -> Summary:
    """Means, intervals and the paired differences between candidates.

    Args:
        results: Values that `measure` found.
        seed: Seed of the bootstrap.
        resamples: Number of its draws.
    """
    values, pairs = results.values, list(combinations(range(results.candidates), 2))
    paired = [values[:, a] - values[:, b] for a, b in pairs]
    columns = np.stack([*values.transpose(1, 0, 2), *paired], axis=1)
    counts = (~np.isnan(columns)).sum(axis=0)
    weights = np.broadcast_to(results.weights[:, None], columns.shape)
    sums, shares = np.nansum(columns * weights, axis=0), (~np.isnan(columns) * weights).sum(axis=0)
    means = np.divide(sums, shares, out=np.full_like(sums, np.nan), where=counts > 0)
    shape = len(columns), -1
    flat = bootstrap(
        columns.reshape(shape), weights=weights.reshape(shape), seed=seed, resamples=resamples
    )
    intervals = flat.reshape(2, *means.shape)
    rows = len(results.rows)
    differences = {
        (results.rows[a], results.rows[b]): (means[rows + n], intervals[:, rows + n])
        for n, (a, b) in enumerate(pairs)
    }
    return Summary(
        means=means[:rows],
        intervals=intervals[:, :rows],
        counts=counts[:rows],
        differences=differences,
    )


def bootstrap(
    values: np.ndarray, *, weights: np.ndarray, seed: int, resamples: int = RESAMPLES
) -> np.ndarray:
    """95 % percentile intervals of column means; all columns see the same draws of pictures.

    Args:
        values: Columns of values, (N, K) float64; NaN is left out of its column.
        weights: Weights of the values in their column's mean, (N, K).
        seed: Seed of the draws.
        resamples: Number of draws.

    Returns:
        (2, K), low and high; NaN for a column with fewer than two values.
    """
    rng, number = np.random.default_rng(seed), len(values)
    valid = ~np.isnan(values)
    known, filled = valid * weights, np.where(valid, values * weights, 0)
    means = np.empty((resamples, values.shape[1]))
    step = max(1, 2**20 // number)  # draws at once: memory stays small
    for start in range(0, resamples, step):
        draws = min(step, resamples - start)
        counts = rng.multinomial(number, np.full(number, 1 / number), draws).astype(np.float64)
        with np.errstate(invalid="ignore"):  # a draw may hold none of the few that are known
            means[start : start + draws] = (counts @ filled) / (counts @ known)
    bounds = np.full((2, values.shape[1]), np.nan)
    enough = valid.sum(axis=0) >= 2
    bounds[:, enough] = np.nanpercentile(means[:, enough], [2.5, 97.5], axis=0)
    return bounds

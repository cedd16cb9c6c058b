"""Steps along a direction, and what an attribute does along them."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

STEPS = np.arange(-3, 4)


def slopes(values: np.ndarray) -> np.ndarray:
    """Change with a step (...), by least squares, of what came of each of STEPS (7, ...)."""
    return np.tensordot(STEPS / (STEPS**2).sum(), values, 1)


def rank(values: np.ndarray) -> float:
    """Rank correlation of STEPS and what came of them (7,); 0 where nothing did."""
    return float(spearmanr(STEPS, values).statistic) if np.ptp(values) else 0.0

"""Medians of pixels by their labels."""

from __future__ import annotations

import numpy as np


def medians(values: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Median of each channel over the pixels of each label: one of them, the upper of two.

    Args:
        values: Pixels (n, C) uint8.
        labels: Label of each, (n,), from 0.
        count: Number of labels.

    Returns:
        (count, C) uint8, 0 for a label without pixels; which labels have some, (count,) bool.
    """
    sizes = np.bincount(labels, minlength=count)
    there, middles = sizes > 0, np.cumsum(sizes) - sizes + sizes // 2
    table = np.zeros((count, values.shape[1]), np.uint8)
    for channel in range(values.shape[1]):
        ranked = np.sort(labels.astype(np.int64) << 8 | values[:, channel])
        table[there, channel] = ranked[middles[there]] & 255
    return table, there

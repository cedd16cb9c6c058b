"""Directions in the space of style codes, (N,) unit vectors: found by formulas, without torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def sefa(weights: Sequence[np.ndarray]) -> np.ndarray:
    """Find what moves the layers that read a code most (SeFa, Shen and Zhou, CVPR 2021, section 3).

    Args:
        weights: Weights of those layers, (outputs, N) each.

    Returns:
        (N, N) float64, a direction in each row, the strongest first: the eigenvectors of A^T A,
        where A are all weights on top of each other.
    """
    stacked = np.concatenate(weights).astype(np.float64)
    return _signed(np.linalg.eigh(stacked.T @ stacked)[1].T[::-1])


def principal(codes: np.ndarray) -> np.ndarray:
    """Find along what codes (B, N) differ most; (N, N) float64, the principal axes in rows."""
    centred = codes - codes.mean(0)
    return _signed(np.linalg.eigh(centred.T @ centred)[1].T[::-1])


def boundary(codes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Find the normal of the plane that parts codes with high scores from those with low ones.

    As InterFaceGAN does (Shen et al., CVPR 2020, section 3), but by least squares on the scores,
    which are numbers here, where the paper fits a classifier to labels.

    Args:
        codes: Codes (B, N).
        scores: Score of each one's picture, (B,).

    Returns:
        (N,) float64, towards the higher scores.
    """
    slopes = np.linalg.lstsq(codes - codes.mean(0), scores - scores.mean(), rcond=None)[0]
    return _unit(slopes)


def conditional(normals: np.ndarray, held: int) -> np.ndarray:
    """Take from each direction what it shares with others (InterFaceGAN, section 3).

    Args:
        normals: Directions (K, N), independent of each other, K at most N.
        held: Number of them, the first ones, that are to stay as they are along each other one.

    Returns:
        (K, N) float64: each at a right angle to the held ones' normals but its own.
    """
    found = []
    for number, normal in enumerate(normals):
        others = np.delete(normals, [number, *range(held, len(normals))], axis=0)
        across = np.linalg.qr(others.T)[0]  # (N, others)
        found.append(_unit(normal - across @ (across.T @ normal)))
    return np.stack(found)


def by_chance(count: int, numbers: int, rng: np.random.Generator) -> np.ndarray:
    """Draw directions (count, numbers) from all, as a control."""
    return np.stack([_unit(rng.normal(size=numbers)) for _ in range(count)])


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def _signed(axes: np.ndarray) -> np.ndarray:
    """Axes turned so that the largest number of each is above zero: either end would do."""
    largest = np.abs(axes).argmax(1)
    return axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]

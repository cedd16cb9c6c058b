"""How well steps along the named directions of a style do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from sketch2paint.evaluation.metrics import psnr
from sketch2paint.evaluation.placements import Page
from sketch2paint.evaluation.steps import STEPS, rank, slopes
from sketch2paint.images.convert import array_to_lab
from sketch2paint.images.layer import WHITE, multiplied
from sketch2paint.images.look import WARMEST
from sketch2paint.models.answer import read, reply
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.styles import CONDITIONAL, DIRECTIONS, MOST

RANDOM = 4  # directions by chance
DIFFERENT = 1.0  # units of L between neighbours, below which there is no contrast to change
LEGEND = (
    "Spearman: rank correlation of step (-3 to 3) and own attribute of a picture, its mean. Leak: "
    "change of another\nattribute for that of the own, both in standard deviations over the "
    "pictures; the largest. Alone: what else\nchanges is not taken back. A random direction's own "
    "attribute is what it changes most."
)


class Walk(NamedTuple):
    """One picture along one direction.

    Attributes:
        attributes: Warmth, lightness, vividness and contrast after each step, (7, 4); NaN where
            there is none.
        psnr: PSNR in dB after each step, (7,).
    """

    attributes: np.ndarray
    psnr: np.ndarray


Walks = dict[str, list[Walk]]


def measured_directions(seed: int) -> dict[str, np.ndarray]:
    """Steps along DIRECTIONS, (4,), that are one step of each direction measured."""
    alone = np.linalg.inv(CONDITIONAL)
    chance = np.random.default_rng(seed).normal(size=(RANDOM, len(DIRECTIONS)))
    chance /= np.linalg.norm(chance, axis=1, keepdims=True)
    named = dict(zip(DIRECTIONS, np.eye(len(DIRECTIONS)), strict=True))
    return {
        **named,
        **{f"{name} alone": row for name, row in zip(DIRECTIONS, alone, strict=True)},
        **{f"random {number}": row for number, row in enumerate(chance, 1)},
    }


def walk(page: Page, network: RegionNetwork, seed: int) -> dict[str, Walk]:
    """Walk a page along all directions.

    Args:
        page: Drawing and its real picture.
        network: Region network in eval mode.
        seed: Seed of the random directions.

    Returns:
        What came of each direction; nothing where the network leaves all white.
    """
    reading = read(network, page.sketch, page.regions)
    plain = reply(network, reading=reading, known={})
    coloured = (plain != WHITE).any(1)
    if not page.areas[coloured].sum():
        return {}
    found = {}
    for name, direction in measured_directions(seed).items():
        longest = max(1.0, float(np.abs(direction).max()))  # no step is out of range
        tables = []
        for step in STEPS:
            along = (step * direction / longest).clip(-MOST, MOST)
            style = dict(zip(DIRECTIONS, along.tolist(), strict=True))
            tables.append(reply(network, reading=reading, known={}, style=style))
        pictures = [multiplied(table[page.regions.labels], page.sketch) for table in tables]
        found[name] = Walk(
            np.stack([_attributes(page, table, coloured) for table in tables]),
            np.array([psnr(picture, page.real) for picture in pictures]),
        )
    return found


def _attributes(page: Page, table: np.ndarray, coloured: np.ndarray) -> np.ndarray:
    """Warmth, lightness and vividness over coloured pixels, and contrast of neighbours, (4,)."""
    lightness, a, b = array_to_lab(table[None])[0].T
    chroma = np.hypot(a, b)
    warmth = chroma**1.07 * np.cos(np.arctan2(b, a) - WARMEST)
    means = np.average([warmth, lightness, chroma], axis=1, weights=page.areas * coloured)
    one, other, length = _borders(page.regions.labels)
    both = coloured[one] & coloured[other] & (page.areas[one] > 0) & (page.areas[other] > 0)
    apart = np.abs(lightness[one] - lightness[other])[both]
    contrast = np.average(apart, weights=length[both]) if both.any() else np.nan
    return np.array([*means, contrast])


def _borders(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of regions beside each other, and the pixels of their borders."""
    beside = [
        np.stack([one[one != other], other[one != other]])
        for one, other in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))
    ]
    pairs, length = np.unique(np.sort(np.concatenate(beside, 1), 0), axis=1, return_counts=True)
    return pairs[0], pairs[1], length


def summary_of(walks: Walks) -> dict[str, dict[str, Any]]:
    """What came of each direction over the pictures, of which there is one at least."""
    first = np.stack([one.attributes for one in next(iter(walks.values()))])  # (P, 7, 4)
    middle = len(STEPS) // 2
    there = ~(first[:, middle, 3] < DIFFERENT) & ~np.isnan(first[:, middle, 3])
    spread = np.array(
        [*first[:, middle, :3].std(0), first[there, middle, 3].std() if there.any() else np.nan]
    )
    found = {}
    for name, of in walks.items():
        values = np.stack([one.attributes for one in of])
        values[~there, :, 3] = np.nan
        dB = np.mean([one.psnr for one in of], 0)
        found[name] = {
            **_effects(name, values, spread),
            **{f"{step:+d} dB": float(dB[middle + step]) for step in (-1, 0, 1)},
        }
    return found


def _effects(name: str, values: np.ndarray, spread: np.ndarray) -> dict[str, Any]:
    """Spearman and leakage of a direction by attributes (P, 7, 4)."""
    changes = slopes(values.swapaxes(0, 1))  # (P, 4)
    effects = np.array([_mean(column) for column in changes.T]) / np.where(spread > 0, spread, 1)
    named = name.split()[0]
    sizes = np.nan_to_num(np.abs(effects))
    own = DIRECTIONS.index(named) if named in DIRECTIONS else int(sizes.argmax())
    others = np.delete(np.arange(len(DIRECTIONS)), own)
    most = others[sizes[others].argmax()]
    ranks = [rank(of_one.round(3)) for of_one in values[..., own] if not np.isnan(of_one).any()]
    return {
        "own": DIRECTIONS[own],
        "spearman": _mean(np.array(ranks)),
        "leak": float(sizes[most] / sizes[own]) if sizes[own] else np.nan,
        "into": DIRECTIONS[most],
    }


def _mean(values: np.ndarray) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")


def rows_of(summary: dict[str, dict[str, Any]]) -> Iterator[Sequence[str]]:
    """Rows of a table in words, the heading first."""
    yield ["", "Own", "Spearman", "Leak", "Into", "-1 dB", "0 dB", "+1 dB"]
    for name, of in summary.items():
        numbers = [f"{of[key]:.2f}" for key in ("-1 dB", "+0 dB", "+1 dB")]
        ranks, leak = f"{of['spearman']:.3f}", f"{of['leak']:.2f}"
        cells = [name, of["own"], ranks, leak, of["into"], *numbers]
        yield ["n/a" if cell == "nan" else cell for cell in cells]


def plain_of(walks: Walks) -> dict[str, dict[str, Any]]:
    """The summary as plain data, None for what is not applicable."""
    return {
        name: {
            key: value if isinstance(value, str) else None if np.isnan(value) else round(value, 6)
            for key, value in of.items()
        }
        for name, of in summary_of(walks).items()
    }

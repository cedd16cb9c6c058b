"""The colours that regions may be given when they are not mixed, and which one each gets."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sketch2paint.hints.palette import Palette
from sketch2paint.images.convert import array_to_lab
from sketch2paint.images.layer import WHITE

WISH = 0.6  # weight of a palette's portions beside the surprise at an object's colour
LEAST = 0.02  # of the coloured area: with less, a colour of the palette counts as missing
TURNS = 6  # in which objects reconsider; few ever need the last


class Paints(NamedTuple):
    """Colours to choose from, the first one paper.

    Attributes:
        colours: RGB, (C, 3) uint8.
        column: Number of the paint that each column of a network's shares speaks for,
            (K + N + M,).
        wanted: Portion of the coloured area that each is to have, (C,); 0 for those that have no
            wish: paper, and what a person gave a region.
    """

    colours: np.ndarray
    column: np.ndarray
    wanted: np.ndarray


def paints_of(named: np.ndarray, given: np.ndarray, palette: Palette | None) -> Paints:
    """Paints of a network's K colours, or of a palette of M alone, and of what is known.

    Args:
        named: The network's colours, (K, 3) uint8, white first.
        given: Colours of the N words, (N, 3) uint8; white where they are not known.
        palette: Palette that takes the place of the network's colours; to each of these belongs
            its nearest entry.
    """
    own = named[1:] if palette is None else palette.colours
    base = np.concatenate([np.array([WHITE], np.uint8), own])
    others = np.unique(given, axis=0)
    others = others[~(others[:, None] == base).all(2).any(1)]
    colours = np.concatenate([base, others])
    of_given = (given[:, None] == colours).all(2).argmax(1)
    wanted = np.zeros(len(colours), np.float32)
    if palette is None:
        return Paints(colours, np.concatenate([np.arange(len(named)), of_given]), wanted)
    count = len(own)
    is_told = palette.portions.sum() > 0
    wanted[1 : 1 + count] = palette.portions / palette.portions.sum() if is_told else 1 / count
    one, other = (array_to_lab(rgb[None])[0] for rgb in (named[1:], own))
    nearest = 1 + np.linalg.norm(one[:, None] - other, axis=2).argmin(1)
    return Paints(colours, np.r_[0, nearest, of_given, 1 : 1 + count], wanted)


def by_paint(shares: np.ndarray, paints: Paints) -> np.ndarray:
    """Shares (..., K + N + M) of a network's columns as those of the paints, (..., C)."""
    pooled = np.zeros((len(paints.colours), *shares.shape[:-1]), np.float32)
    np.add.at(pooled, paints.column, np.moveaxis(shares, -1, 0))
    return np.moveaxis(pooled, 0, -1)


def choose(shares: np.ndarray, *, areas: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Choose a paint for each object: the likeliest, or another so that more of a palette is used.

    What is likeliest as paper, or in a colour that a person gave, stays so. The others, by turns,
    take the colour with the least surprise (weighted by area) plus divergence of the areas from
    what is wanted.

    Args:
        shares: Share of each paint for each object, (G, C).
        areas: Areas of the objects, (G,).
        wanted: Portions of the paints, (C,), see Paints.

    Returns:
        Number of the paint of each object, (G,).
    """
    chosen = shares.argmax(1)
    entries = np.flatnonzero(wanted > 0)
    moving = np.flatnonzero(wanted[chosen] > 0)
    total = areas[moving].sum()
    if len(entries) < 2 or not total:
        return chosen
    weight, target = areas / total, wanted[entries]
    surprise = -np.log(shares[:, entries] + 1e-4) * weight[:, None]  # (G, M)
    at = np.searchsorted(entries, chosen)
    used = np.bincount(at[moving], weight[moving], len(entries))
    for _ in range(TURNS):
        before = at.copy()
        for one in moving[np.argsort(-areas[moving], kind="stable")]:
            used[at[one]] -= weight[one]
            after = used + np.eye(len(entries)) * weight[one]
            missed = (target * np.log((target + LEAST) / (after + LEAST))).sum(1)
            at[one] = (surprise[one] + WISH * missed).argmin()
            used[at[one]] += weight[one]
        if (before == at).all():
            break
    chosen[moving] = entries[at[moving]]
    return chosen

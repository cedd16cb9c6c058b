"""One plain colour for each region: of the network's picture, or as a person said."""

from __future__ import annotations

import numpy as np

from sketch2paint.hints.corrected import has_idle_cut, regions_said
from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import Hints, marks
from sketch2paint.hints.regions import Regions
from sketch2paint.images.convert import array_to_lab, strips
from sketch2paint.images.layer import WHITE
from sketch2paint.images.medians import medians

# CIE 1976 differences, measured in benchmarks/flats.md.
NEAR_WHITE = 10.0  # from white, within which a region was left white
OUTSIDE_WHITE = 20.0  # the same for one that is open to the page's edge: the network's fog
UNSEEN = 3.0  # from white: no eye tells it from paper
ALIKE = 14.0  # between colours of regions that belong together
SAMPLED = 2**20  # pixels of which medians are taken; larger pictures are looked at in steps
FEW = 512  # different colours that are compared with each other


def by_regions(
    colours: np.ndarray,
    drawing: np.ndarray,
    *,
    hints: Hints | None = None,
    flats: bool = False,
    gap: float | None = None,
    most: int | None = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Colours of a drawing as a person said, and with `flats` one for each region.

    Args:
        colours: Colours without lines (H, W, 3), uint8, as the network has them.
        drawing: Drawing (H, W), uint8, dark lines on white.
        hints: Strokes on a drawing of this size, or None.
        flats: Whether each region gets one colour; else the network's shading stays.
        gap: Width in px of the widest opening that is a border; None: the hints' or a tenth of the
            shorter side.
        most: Number of colours of flats at most, paper and hints not counted.

    Returns:
        (H, W, 3) uint8, and notes on the hints.
    """
    regions = regions_said(drawing, hints)
    filled, said, notes = filled_by(hints, regions, gap)
    if flats:
        flat = flatten(colours, regions, gap=gap_of(hints, gap), most=most)
        flat[filled > 0] = said[filled[filled > 0]]
        return flat, notes
    return shade(colours, filled=filled, said=said, free=~regions.ink), notes


def filled_by(
    hints: Hints | None, regions: Regions, gap: float | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Fill regions with what a person said.

    Args:
        hints: Strokes on a drawing of this size, or None.
        regions: Regions of the drawing.
        gap: Width in px of the widest opening that is a border; None: the hints', if they say it.

    Returns:
        Map (H, W) int32 of the stroke that each pixel takes, 0 for none; the strokes' colours
        (strokes + 1, 3) uint8, from row 1; notes on the hints.
    """
    filled, said = np.zeros(regions.labels.shape, np.int32), np.full((1, 3), 255, np.uint8)
    notes = hints.notes if hints else ()
    if hints and hints.strokes:
        filled = fill(regions, marks(hints), gap_of(hints, gap))
        said = hints.colours
        idle = len(hints.strokes) - np.count_nonzero(np.bincount(filled.ravel())[1:])
        if idle:
            notes = (*notes, "some strokes colour nothing")
    if hints and hints.cuts and has_idle_cut(hints, regions.cut(gap_of(hints, gap)), regions.ink):
        notes = (*notes, "some cuts part nothing")
    return filled, said, notes


def gap_of(hints: Hints | None, gap: float | None) -> float | None:
    """The gap that was told: by the painter's own key, else by the hints."""
    return hints.gap if gap is None and hints else gap


def flatten(
    colours: np.ndarray,
    regions: Regions,
    *,
    gap: float | None = None,
    most: int | None = None,
) -> np.ndarray:
    """Give each region one colour, and regions of like colours the same one.

    Args:
        colours: Colours without lines (H, W, 3), uint8, as the network has them.
        regions: Regions of the drawing.
        gap: Width in px of the widest opening that is a border, see `Regions.groups`.
        most: Number of colours at most, paper not counted.

    Returns:
        (H, W, 3) uint8; paper is white.
    """
    groups = regions.groups(gap)
    labels = groups[regions.labels]
    count = int(groups.max()) + 1
    table = _medians(colours, labels, ~regions.ink, count)
    areas = np.bincount(labels.ravel(), minlength=count)
    away = np.linalg.norm(array_to_lab(table[None])[0] - (100, 0, 0), axis=1)
    paper = away < np.where(regions.outside(gap), OUTSIDE_WHITE, NEAR_WHITE)
    table[~paper] = clustered(table[~paper], areas[~paper], most)
    table[paper] = WHITE
    return table[labels]


def shade(
    colours: np.ndarray, *, filled: np.ndarray, said: np.ndarray, free: np.ndarray
) -> np.ndarray:
    """Shift what a person coloured to that colour; the network's differences of lightness stay.

    Args:
        colours: Colours without lines (H, W, 3), uint8, as the network has them.
        filled: Map (H, W) of the stroke that each pixel takes, 0 for none (`hints.fill`).
        said: Table (strokes + 1, 3) uint8 of the strokes' colours, from row 1; white is left white.
        free: Map (H, W) bool of the pixels that are no line.

    Returns:
        (H, W, 3) uint8; the median over the free pixels of each stroke's area is its colour.
    """
    lightness = np.empty(filled.shape, np.uint8)
    for here in strips(*filled.shape):
        lightness[here] = np.round(array_to_lab(colours[here])[..., 0] * 2.55)
    middle = _medians(lightness[..., None], filled, (filled > 0) & free, len(said))[:, 0] / 2.55
    own = array_to_lab(said[None])[0, :, 0]
    out = colours.copy()
    for here in strips(*filled.shape):
        on = filled[here] > 0
        stroke = filled[here][on]
        more = lightness[here][on] / 2.55 - middle[stroke]
        # Towards black or white, by the share of the way that the lightness goes: all channels
        # move the same way, so that medians stay, and none leaves its range.
        share = more / np.where(more < 0, own[stroke], 100 - own[stroke]).clip(1)
        share[(said[stroke] == 255).all(1)] = 0
        colour = said[stroke].astype(np.float32)
        goal = np.where(share < 0, 0, 255)[:, None]
        out[here][on] = np.round(colour + np.abs(share).clip(0, 1)[:, None] * (goal - colour))
    return out


def _medians(values: np.ndarray, labels: np.ndarray, counts: np.ndarray, number: int) -> np.ndarray:
    """(number, C) uint8: medians of (H, W, C) over each label, of the pixels that count if any."""
    step = max(1, int(np.ceil(np.sqrt(labels.size / SAMPLED))))
    some = counts[::step, ::step]
    table, there = medians(values[::step, ::step][some], labels[::step, ::step][some], number)
    if not there.all():  # a region of some pixels, or under lines alone
        missed = ~there[labels]
        table[~there] = medians(values[missed], labels[missed], number)[0][~there]
    return table


def clustered(table: np.ndarray, areas: np.ndarray, most: int | None) -> np.ndarray:
    """Colours (n, 3) with the nearest ones made equal, the larger area's, while they are alike."""
    if len(table) < 2:
        return table
    rough = table // 8 if len(table) > FEW else table
    which = np.unique(rough, axis=0, return_inverse=True)[1].ravel()
    order = np.lexsort((-areas, which))
    chosen = table[order[np.searchsorted(which[order], np.arange(which.max() + 1))]]
    weight = np.bincount(which, areas)
    lab = array_to_lab(chosen[None])[0].astype(np.float64)
    leader = np.arange(len(chosen))
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    left = len(chosen)
    while left > 1:
        one, other = divmod(int(distance.argmin()), len(chosen))
        if distance[one, other] >= ALIKE and (most is None or left <= most):
            break
        keeps, goes = (one, other) if weight[one] >= weight[other] else (other, one)
        weight[keeps] += weight[goes]
        leader[leader == goes] = keeps
        distance[goes] = distance[:, goes] = np.inf
        left -= 1
    return chosen[leader[which]]

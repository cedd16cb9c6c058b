"""The colours of a drawing's regions, voted by keys whose pixels were followed to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import find_objects

from sketch2paint.animation.keys import SHADED, SPOT, UNLIKE, Key, nearest_of, spread
from sketch2paint.animation.motion import beyond, carried
from sketch2paint.animation.shapes import likeness, shapes_of
from sketch2paint.hints.regions import Regions

BELONGS = 0.5  # of a key's region lies in a drawing's one: they match
SOLID = 0.1  # of a region's winning pixels come from a room: what else is in it may meet them
CRUMB = 1 / 10000  # of the drawing: smaller spots of another colour are noise
WEAK = 0.5  # of confidence: below, regions that look alike have a vote
SHAPE = 0.5  # of a vote by place that such a vote counts
UNSURE = 0.28  # of confidence: below, a region is marked
PLAIN = 0.9  # of a region has one colour in each key: that of the open room around it


class Marked(NamedTuple):
    """A region to look at.

    Attributes:
        box: Place as (x, y, width, height) in pixels.
        area: Number of its pixels.
        confidence: How sure its colour is, 0 to 1.
        number: Number of the region in the drawing.
    """

    box: tuple[int, int, int, int]
    area: int
    confidence: float
    number: int


@dataclass(frozen=True)
class Answer:
    """Colours of a drawing as its keys have them.

    Attributes:
        colours: Colours (H, W, 3) uint8 without lines.
        confidence: How sure each region's colour is, (regions,) 0 to 1.
    """

    colours: np.ndarray
    confidence: np.ndarray


class _Witness(NamedTuple):
    """What one key says.

    Attributes:
        parts: Map (H, W) int32 of the key's parts.
        colours: Label (n,) uint8 of each part.
        rooms: Map (H, W) int32 of the key's rooms where they are believed, else 0.
        counts: Pixels (regions, P) that each region has of each label.
        trust: Share (n,) by which each region and the key's overlap, 0 to 1.
    """

    parts: np.ndarray
    colours: np.ndarray
    rooms: np.ndarray
    counts: np.ndarray
    trust: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """Map (H, W) uint8 of the labels."""
        return np.take(self.colours, self.parts)

    @property
    def votes(self) -> np.ndarray:
        """Shares (n, P) of the regions' pixels."""
        return self.counts / self.counts.sum(1, keepdims=True).clip(1)


def answer(
    regions: Regions, followed: Sequence[tuple[Key, np.ndarray]], *, flats: bool = False
) -> Answer:
    """Colour a drawing.

    Args:
        regions: Regions of the drawing.
        followed: Keys, each with the places (H, W, 2) at which the drawing's pixels are in it.
        flats: Whether shaded keys give plain colours too.
    """
    keys = [key for key, _ in followed]
    flat = all(key.flat for key in keys)
    palette = common_palette([key.palette for key in keys], UNLIKE if flat else SHADED)
    witnesses = [_witness(regions.labels, key, places, palette) for key, places in followed]
    scores = np.stack([each.votes * each.trust[:, None] ** 2 for each in witnesses])
    confidence = _confidence(scores)
    chosen = (scores.sum(0) + _by_shape(regions, confidence < WEAK, keys, palette)).argmax(1)
    agreed = np.min([each.votes[np.arange(len(chosen)), chosen] for each in witnesses], 0)
    confidence = _of_open_rooms(confidence, regions, followed, agreed)
    by = scores[:, np.arange(len(chosen)), chosen].argmax(0)  # the key that says it loudest
    labels = _labelled(regions.labels, witnesses, chosen, by)
    colours = np.take(palette, labels, axis=0)
    if not flats and not flat:
        said = [(*one, witness.labels) for one, witness in zip(followed, witnesses, strict=True)]
        colours = _shaded(colours, labels, by[regions.labels], said)
    return Answer(colours, confidence)


def common_palette(palettes: Sequence[np.ndarray], unlike: int = UNLIKE) -> np.ndarray:
    """The colours (P, 3) uint8 of several palettes; of like ones the first."""
    found = palettes[0]
    for palette in palettes[1:]:
        away = np.abs(palette[:, None].astype(np.int16) - found).max(2).min(1)
        found = np.concatenate([found, palette[away > unlike]])
    return found[:256]


def marked(answer: Answer, regions: Regions) -> list[Marked]:
    """The regions whose colour is unsure, the least sure first."""
    unsure = np.flatnonzero(answer.confidence < UNSURE)
    areas = np.bincount(regions.labels[~regions.ink], minlength=len(answer.confidence))
    places = find_objects(regions.labels + 1)
    found = []
    for number in unsure[areas[unsure] > 0]:
        down, across = places[number]
        size = across.stop - across.start, down.stop - down.start
        box = across.start, down.start, *size
        found.append(Marked(box, int(areas[number]), float(answer.confidence[number]), int(number)))
    return sorted(found, key=lambda each: each.confidence)


def _witness(labels: np.ndarray, key: Key, places: np.ndarray, palette: np.ndarray) -> _Witness:
    """Votes count a region's pixels; trust is how well it and the key's regions overlap."""
    parts = key.parts
    colours = nearest_of(key.palette, palette)[parts.labels]
    there = carried(parts.numbers, places)
    table = _table(labels, there, len(colours))
    overlap = _gathered(table, parts.regions, key.regions.count)
    whole, areas = overlap.sum(0), overlap.sum(1).clip(1)
    belongs = overlap > BELONGS * whole
    belongs[np.arange(len(overlap)), overlap.argmax(1)] = True
    shared = (overlap * belongs).sum(1)
    trust = shared / (areas + belongs @ whole - shared).clip(1)
    # Where colours meet without a line is only believed of regions that match.
    rooms = np.take(parts.rooms, there)
    rooms[beyond(places)] = 0
    at = np.flatnonzero(rooms)
    np.put(rooms, at, rooms.take(at) * belongs[labels.take(at), parts.regions[there.take(at)]])
    counts = _gathered(table, colours, len(palette))
    return _Witness(there, colours, rooms, counts, trust)


def _table(rows: np.ndarray, columns: np.ndarray, number: int) -> np.ndarray:
    """(rows, number) how often each value of `rows` meets each of `columns`."""
    count = int(rows.max()) + 1
    cells = rows * np.int32(number) + columns  # a table larger than int32 would have no room
    return np.bincount(cells.ravel(), minlength=count * number).reshape(count, number)


def _gathered(table: np.ndarray, groups: np.ndarray, number: int) -> np.ndarray:
    """(rows, number) sums of a table's columns (rows, n) that are of one group (n,)."""
    row, column = np.nonzero(table)
    cells = row * number + groups[column]
    found = np.bincount(cells, table[row, column], len(table) * number)
    return found.astype(np.int64).reshape(len(table), number)


def _labelled(
    regions: np.ndarray, witnesses: Sequence[_Witness], chosen: np.ndarray, by: np.ndarray
) -> np.ndarray:
    """Labels (H, W): each region its chosen one, but for the spots of the key that says it."""
    plain = np.take(chosen.astype(np.uint8), regions)
    labels = plain.copy()
    for number, witness in enumerate(witnesses):
        if (by == number).any():
            at, other = _spots(regions, witness, chosen, plain)
            its = by[regions.take(at)] == number
            np.put(labels, at[its], other[its])
    return labels


def _spots(
    regions: np.ndarray, witness: _Witness, chosen: np.ndarray, plain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a key has other labels in the room of the chosen ones: flat places, and these."""
    at = np.flatnonzero(witness.rooms)
    part, region, room = (each.take(at) for each in (witness.parts, regions, witness.rooms))
    told = witness.colours[part]
    wins = told == plain.take(at)
    number = int(room.max(initial=0)) + 1
    cells = region[wins].astype(np.int64) * number + room[wins]
    table = np.bincount(cells, minlength=len(chosen) * number).reshape(len(chosen), number)
    won = witness.counts[np.arange(len(chosen)), chosen]
    solid = (table > 0) & (table > SOLID * won[:, None])
    other = ~wins & solid[region, room]
    spots = np.zeros(regions.shape, np.uint16)
    np.put(spots, at[other], told[other].astype(np.uint16) + 1)
    spots = _without_crumbs(spots)
    kept = np.flatnonzero(spots)
    return kept, spots.take(kept) - 1


def _without_crumbs(spots: np.ndarray) -> np.ndarray:
    """Spots (H, W) uint16 of several colours, 0 for none, without the thin and the small ones."""
    square = np.ones((3, 3), np.uint8)
    inner = spots * (cv2.erode(spots, square) == cv2.dilate(spots, square))
    opened = spots * (cv2.dilate(inner, square) == spots)
    _, pieces, stats, _ = cv2.connectedComponentsWithStats((opened > 0).astype(np.uint8))
    large = stats[:, cv2.CC_STAT_AREA] >= max(SPOT, CRUMB * spots.size)
    large[0] = False
    return opened * np.take(large, pieces)


def _shaded(
    colours: np.ndarray,
    labels: np.ndarray,
    from_key: np.ndarray,
    said: Sequence[tuple[Key, np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Colours (H, W, 3) with the shading of the keys where they say what was voted.

    Elsewhere the nearest such shading goes on, if it is of the same colour.
    """
    known = np.zeros(labels.shape, bool)
    for number, (key, places, its) in enumerate(said):
        agrees = (from_key == number) & (its == labels) & ~beyond(places)
        colours[agrees] = carried(key.colours, places)[agrees]
        known |= agrees
    if known.any():
        goes_on = spread(labels, known) == labels
        colours[goes_on] = spread(colours, known)[goes_on]
    return colours


def _confidence(scores: np.ndarray) -> np.ndarray:
    """Confidence (regions,) 0 to 1 by what all keys say: (keys, regions, P)."""
    first = np.arange(scores.shape[1]), scores.sum(0).argmax(1)
    rest = scores.sum(0)
    best = rest[first]
    rest[first] = 0
    loudest = scores.max(2).max(0)
    return (best - rest.max(1)) / best.clip(1e-9) * np.sqrt(loudest.clip(0, 1))


def _of_open_rooms(
    confidence: np.ndarray,
    regions: Regions,
    followed: Sequence[tuple[Key, np.ndarray]],
    agreed: np.ndarray,
) -> np.ndarray:
    """Confidence (regions,), of plain parts of a room open to the edge at least how that fits.

    How open paper comes apart into regions depends on lines far away: little follows from it.
    """
    groups = regions.groups()
    plain = regions.outside()[groups] & (agreed > PLAIN)
    if not plain[confidence < UNSURE].any():
        return confidence
    rooms = groups[regions.labels]
    fit = np.min([_fit(rooms, key, places) for key, places in followed], 0)[groups]
    return np.where(plain, np.maximum(confidence, fit), confidence)


def _fit(rooms: np.ndarray, key: Key, places: np.ndarray) -> np.ndarray:
    """(rooms,) how well each of a map (H, W) and the key's room that it is in most overlap."""
    its = key.regions.cut()
    areas = np.bincount(its.ravel())
    there = carried(its, places)
    there[beyond(places)] = len(areas)  # what the key does not show is in none
    overlap = _table(rooms, there, len(areas) + 1)
    own, shared, most = overlap.sum(1), overlap[:, :-1].max(1), overlap[:, :-1].argmax(1)
    fit: np.ndarray = shared / (own + areas[most] - shared)
    return fit


def _by_shape(
    regions: Regions, weak: np.ndarray, keys: Sequence[Key], palette: np.ndarray
) -> np.ndarray:
    """Votes (regions, P) for weak regions by those of the keys that look alike, wherever."""
    votes = np.zeros((len(weak), len(palette)))
    shapes = shapes_of(regions.labels, weak)
    if len(shapes.numbers):
        for key in keys:
            others, colours = key.shapes
            whose = np.eye(len(palette))[nearest_of(key.palette, palette)[colours]]
            votes[shapes.numbers] += SHAPE * likeness(shapes, others) @ whose
    return votes

"""The regions of a drawing and the tree of their merges, found without a network.

A region is a basin of the distance to the nearest line. Two basins meet at the neck between them,
and a neck is twice as wide as the distance there: a gap in a line is only a neck. So one number,
`gap`, says which openings are borders, and it is a cut through a tree.

The steps, each plain enough to be written a second time in a page's language:

1. A line is what is darker than its surroundings (`ink_of`).
2. Two ends of lines that look at each other are joined by a straight border (`line_ends.py`).
3. The depth of a pixel is its distance to the nearest border, negative under the lines.
4. Each pixel climbs to the highest of its eight neighbours, up to a summit: a basin.
5. Where two basins touch, the highest pixel is the pass between them: half the opening's width.
6. Summits that hardly rise above their pass, and crumbs, join their neighbour for good. What is
   left are the finest regions, and the passes between them, widest first, are the tree.

The idea of basins is that of Meyer's watershed (1991), of summits that of dynamics (Grimaud 1992).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from sketch2paint.hints.line_ends import with_closures
from sketch2paint.hints.sets import root, roots, unite

WORK = 1600  # shorter side at which regions are found; those of larger drawings are refined
AREA = 4096**2  # pixels at most of what they are found in
DEFAULT_GAP = 0.1  # of the shorter side
LOW, HIGH = 0.37, 0.6  # of the strongest lines' darkness: part of a line; what each line reaches
SPECK, CRUMB = 0.5, 4.0  # of a line's thickness squared: smaller ink, smaller cells are noise
AROUND = 31  # of 256 px of the shorter side: what a line is darker than
GRAIN = 32  # levels by which paper's own grain is darker than its surroundings at most

Pairs = np.ndarray  # (P, 2) integers: two neighbours, the lower number first
Window = tuple[slice | np.ndarray, slice | np.ndarray]  # rows and columns


@dataclass(frozen=True)
class Regions:
    """A drawing's finest regions and the tree of their merges."""

    labels: np.ndarray  # (H, W) int32, 0 to count - 1
    ink: np.ndarray  # (H, W) bool: where the lines are
    joins: np.ndarray  # (J, 2) int32: the two regions that an opening joins; J < count
    openings: np.ndarray  # (J,) float32: its width in px of the drawing, widest first

    @property
    def count(self) -> int:
        """Number of finest regions; in a part cut out of a drawing some have no pixel."""
        return int(max(self.labels.max(), self.joins.max(initial=0))) + 1

    def groups(self, gap: float | None = None) -> np.ndarray:
        """(count,) int32: the number of the region in which each finest one lies at this gap.

        Args:
            gap: Width in px of the widest opening that is a border. 0: closed lines only. None: a
                tenth of the shorter side.
        """
        limit = DEFAULT_GAP * min(self.labels.shape) if gap is None else gap
        parents = list(range(self.count))
        for one, other in self.joins[self.openings > limit].tolist():
            unite(parents, one, other)
        return np.unique(roots(parents), return_inverse=True)[1].astype(np.int32)

    def cut(self, gap: float | None = None) -> np.ndarray:
        """(H, W) int32: the regions at this gap (see `groups`), numbered from 0."""
        return self.groups(gap)[self.labels]

    def part(self, window: Window) -> tuple[Regions, np.ndarray]:
        """What lies in a window, numbered anew, and the numbers (n,) that these regions had."""
        numbers, labels = np.unique(self.labels[window], return_inverse=True)
        labels = labels.reshape(self.labels[window].shape).astype(np.int32)
        both = np.isin(self.joins, numbers).all(1)
        joins = np.searchsorted(numbers, self.joins[both]).astype(np.int32)
        return Regions(labels, self.ink[window], joins, self.openings[both]), numbers

    def merged(self, parents: list[int]) -> Regions:
        """Regions of which some have become one, numbered anew.

        Args:
            parents: Parent of each finest region in a forest, as `sets` has it.
        """
        number = np.unique(roots(parents), return_inverse=True)[1].astype(np.int32)
        joins, openings = _tree(number, self.joins, self.openings)
        return Regions(number[self.labels], self.ink, joins, openings)

    def outside(self, gap: float | None = None) -> np.ndarray:
        """(number of groups,) bool: which are open to the drawing's edge, as the paper is.

        That is, along more than an eighth of the shorter side.
        """
        groups = self.groups(gap)
        edge = np.zeros(self.labels.shape, bool)
        edge[[0, -1]] = edge[:, [0, -1]] = True
        touching = groups[self.labels[edge & ~self.ink]]
        return np.bincount(touching, minlength=int(groups.max()) + 1) > min(edge.shape) / 8


def find_regions(sketch: np.ndarray, cuts: np.ndarray | None = None) -> Regions:
    """Find the regions of a drawing; they cover every pixel and meet under the lines.

    Args:
        sketch: Drawing (H, W), uint8, dark lines on lighter paper.
        cuts: Map (H, W) bool of what counts as a line, too; None: nothing does.
    """
    if sketch.ndim != 2 or sketch.dtype != np.uint8 or not sketch.size:
        raise ValueError(
            "Expected a drawing as one channel (H, W) of uint8, 255 for white, "
            f"got shape {sketch.shape} of {sketch.dtype}. Pass sketch[..., 0] of a grey picture"
        )
    full = ink_of(sketch) if cuts is None else ink_of(sketch) | cuts
    factor = math.ceil(max(min(sketch.shape) / WORK, math.sqrt(sketch.size / AREA)))
    ink = _darkest(full, factor)
    if ink.all() or not ink.any():
        return Regions(np.zeros(sketch.shape, np.int32), full, *_no_joins())
    labels, joins, openings = _regions_of(ink)
    if factor > 1:
        labels = _refined(labels, full, factor)
    return Regions(labels, full, joins, (factor * openings).astype(np.float32))


def ink_of(sketch: np.ndarray) -> np.ndarray:
    """(H, W) uint8 to bool: lines, which are darker than their surroundings or nearly black."""
    height, width = sketch.shape
    scale = min(1.0, 256 / min(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(sketch, size, interpolation=cv2.INTER_AREA)
    around = cv2.dilate(small, np.ones((AROUND, AROUND), np.uint8))
    around = cv2.blur(around, (AROUND, AROUND))
    paper = cv2.resize(around, (width, height), interpolation=cv2.INTER_LINEAR)
    darker = cv2.subtract(paper, sketch)
    counts = np.bincount(darker.ravel(), minlength=256)
    counts[:GRAIN] = 0
    if not counts.any():
        return np.zeros(sketch.shape, bool)
    strong = int(np.searchsorted(counts.cumsum(), 0.9 * counts.sum()))
    black = 0.3 * float(np.percentile(around, 95))
    ink = np.array((darker >= max(GRAIN, LOW * strong)) | (sketch < black))
    return _without_specks(ink, ink & (darker >= HIGH * strong))


def _without_specks(ink: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """Ink without the pieces that are tiny, or as pale as shading is."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    stays = np.array(stats[:, cv2.CC_STAT_AREA] >= SPECK * _thickness(ink) ** 2)
    stays &= np.bincount(pieces[dark], minlength=count) > 0
    stays[0] = False
    return stays[pieces]


def _thickness(ink: np.ndarray) -> float:
    """Median thickness of the lines in px, each pixel of a line's middle counting one.

    No line is thicker than a fiftieth of the shorter side: what is, is a filled shape.
    """
    half = cv2.distanceTransform(ink.astype(np.uint8), cv2.DIST_L2, 3)
    ridge = (half > 0) & (half >= cv2.dilate(half, np.ones((3, 3), np.uint8)))
    return min(2 * float(np.median(half[ridge])), min(ink.shape) / 50)


def _darkest(ink: np.ndarray, factor: int) -> np.ndarray:
    """A smaller map in which a block is ink where any of its pixels is."""
    if factor == 1:
        return ink
    height, width = ink.shape
    padded = np.pad(ink, ((0, -height % factor), (0, -width % factor)))
    rows = padded.reshape(-1, factor, padded.shape[1]).max(1)
    return rows.reshape(rows.shape[0], -1, factor).max(2)


def _regions_of(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finest regions (H, W), the joins of their tree and these openings' widths.

    The drawing gets a margin as wide as half of the default gap, into which what touches its edge
    goes on: between a figure and the edge the paper is as open as elsewhere.
    """
    side = min(ink.shape)
    margin = math.ceil(DEFAULT_GAP * side / 2) + 1
    inner = np.s_[margin:-margin, margin:-margin]
    wide = np.pad(ink, margin, mode="edge")
    barrier, across = with_closures(wide, side)
    depth, distance = _depth(barrier)
    basins, summits = _basins(depth)
    pairs, passes, is_closure, openings = _passes(basins, depth, distance, across)
    rise = min(max(side / 512, 0.6), 4.0)
    parents = _without_knolls(summits, pairs, passes, is_closure, rise)
    parents = _without_crumbs(parents, basins, wide)
    parents = _without_margin(parents, basins[inner], pairs)
    number = np.unique(roots(parents), return_inverse=True)[1].astype(np.int32)
    return number[basins[inner]], *_tree(number, pairs, openings)


def _without_margin(parents: list[int], basins: np.ndarray, pairs: Pairs) -> list[int]:
    """Parents once each region that lies in the margin alone has joined its most open neighbour."""
    number = np.array(roots(parents))
    shown = np.zeros(len(parents), bool)
    shown[number[np.bincount(basins.ravel(), minlength=len(parents)) > 0]] = True
    beside = ~shown[number[pairs]].all(1)
    for one, other in pairs[beside].tolist():  # widest first
        one, other = root(parents, one), root(parents, other)
        if one != other and not (shown[one] and shown[other]):
            unite(parents, one, other)
            shown[min(one, other)] = shown[one] | shown[other]
    return parents


def _depth(barrier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) float32: distance to the nearest border, minus that out of it; the bare distance."""

    def distance(where: np.ndarray, beyond: bool) -> np.ndarray:
        padded = np.pad(where, 1, constant_values=beyond).astype(np.uint8)
        return cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]

    outside = np.ascontiguousarray(distance(~barrier, True))
    smooth = cv2.GaussianBlur(outside, (0, 0), 1.0)
    return np.where(barrier, -distance(barrier, True), smooth), outside


def _basins(depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) int32: the summit that each pixel climbs to by its highest neighbour; their depths."""
    height, width = depth.shape
    place = np.arange(height * width, dtype=np.int32).reshape(height, width)
    highest = cv2.dilate(depth, np.ones((3, 3), np.uint8))
    climbs = depth < highest
    up = place.copy()
    steps = [(dy, dx) for dy in (1, 0, -1) for dx in (1, 0, -1) if dy or dx]
    for dy, dx in steps:  # of equal ones the first in reading order stays
        here = np.s_[max(-dy, 0) : height - max(dy, 0), max(-dx, 0) : width - max(dx, 0)]
        there = np.s_[max(dy, 0) : height - max(-dy, 0), max(dx, 0) : width - max(-dx, 0)]
        leads = (depth[there] == highest[here]) & climbs[here]
        np.copyto(up[here], place[there], where=leads)
    goal = up.ravel().astype(np.intp)
    while True:
        further = np.take(goal, goal)
        if np.array_equal(further, goal):
            break
        goal = further
    numbers = np.zeros(height * width, np.int32)
    summits = np.flatnonzero(goal == place.ravel())
    numbers[summits] = np.arange(len(summits))
    return numbers[goal].reshape(height, width), depth.ravel()[summits]


def _touching(labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Flat places of neighbours, across and down, whose labels differ."""
    place = np.arange(labels.size, dtype=np.int32).reshape(labels.shape)
    across = labels[:, 1:] != labels[:, :-1]
    down = labels[1:] != labels[:-1]
    return [
        (place[:, :-1][across], place[:, 1:][across]),
        (place[:-1][down], place[1:][down]),
    ]


def _passes(
    basins: np.ndarray, depth: np.ndarray, distance: np.ndarray, across: np.ndarray
) -> tuple[Pairs, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of basins, highest pass first, whether that is a closure, and how wide it is in px.

    Pixels touch by their sides only: lines drawn corner to corner have no opening.
    """
    flat, depths, halves = basins.ravel(), depth.ravel(), across.ravel()
    one, other = (np.concatenate(places) for places in zip(*_touching(basins), strict=True))
    closing = np.maximum(halves[one], halves[other])
    height = np.where(closing > 0, closing, np.minimum(depths[one], depths[other]))
    low, high = np.minimum(flat[one], flat[other]), np.maximum(flat[one], flat[other])
    order = np.lexsort((high, low, -height))
    key = (low.astype(np.int64) * (int(flat.max()) + 1) + high)[order]
    first = order[np.sort(np.unique(key, return_index=True)[1])]
    # The pixel in the middle of an opening of n px is (n + 1) / 2 from the lines, or half less.
    reach = np.minimum(distance.ravel()[one[first]], distance.ravel()[other[first]])
    openings = np.where(closing[first] > 0, 2 * closing[first], 2 * reach - 1)
    return np.stack([low, high], 1)[first], height[first], closing[first] > 0, openings


def _without_knolls(
    summits: np.ndarray, pairs: Pairs, passes: np.ndarray, is_closure: np.ndarray, rise: float
) -> list[int]:
    """Parents of the basins once those are joined whose summit hardly rises above its pass."""
    tree, finest = list(range(len(summits))), list(range(len(summits)))
    top = summits.tolist()
    for (one, other), height, closed in zip(
        pairs.tolist(), passes.tolist(), is_closure.tolist(), strict=True
    ):
        first, second = root(tree, one), root(tree, other)
        if first == second:
            continue
        if min(top[first], top[second]) - height < rise and not closed:
            unite(finest, one, other)
        elif height <= 0:
            continue
        highest = max(top[first], top[second])
        unite(tree, first, second)
        top[root(tree, first)] = highest
    return finest


def _without_crumbs(parents: list[int], basins: np.ndarray, ink: np.ndarray) -> list[int]:
    """Parents once each crumb has joined the neighbour it shares most open border with.

    Crumbs without an open border, as hatching leaves them, join each other.
    """
    labels = np.array(roots(parents), np.int32)[basins]
    free = ~ink
    areas = np.bincount(labels[free], minlength=len(parents))
    one, other = (np.concatenate(places) for places in zip(*_touching(labels), strict=True))
    small = areas < max(12.0, CRUMB * _thickness(ink) ** 2)
    is_open = free.ravel()[one] & free.ravel()[other]
    flat = labels.ravel()
    borders = _border_lengths(flat[one[is_open]], flat[other[is_open]])
    for crumb in sorted(borders, key=lambda number: (areas[number], number)):
        if small[crumb]:
            _join_widest(parents, crumb, borders[crumb])
    closed = np.array([small[number] and number not in borders for number in range(len(parents))])
    both = closed[flat[one]] & closed[flat[other]]
    pairs = np.unique(np.stack([flat[one[both]], flat[other[both]]], 1), axis=0)
    for first, second in pairs.tolist():
        unite(parents, first, second)
    return parents


def _join_widest(parents: list[int], crumb: int, neighbours: dict[int, int]) -> None:
    """Join a crumb to the region with which it has the longest border, if it has not happened."""
    lengths: dict[int, int] = {}
    for neighbour, length in neighbours.items():
        region = root(parents, neighbour)
        lengths[region] = lengths.get(region, 0) + length
    lengths.pop(root(parents, crumb), None)
    if lengths:
        unite(parents, crumb, max(lengths, key=lambda region: (lengths[region], -region)))


def _border_lengths(one: np.ndarray, other: np.ndarray) -> dict[int, dict[int, int]]:
    """For each region, its neighbours and on how many pixels they touch."""
    pairs, lengths = np.unique(
        np.stack([np.minimum(one, other), np.maximum(one, other)], 1), axis=0, return_counts=True
    )
    found: dict[int, dict[int, int]] = {}
    for (low, high), length in zip(pairs.tolist(), lengths.tolist(), strict=True):
        found.setdefault(low, {})[high] = length
        found.setdefault(high, {})[low] = length
    return found


def _tree(number: np.ndarray, pairs: Pairs, openings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The joins between finest regions that connect them, and their openings, widest first."""
    parents = list(range(int(number.max()) + 1))
    order = np.argsort(-openings, kind="stable")
    order = order[openings[order] > 0]
    kept = []
    for place, (one, other) in zip(order.tolist(), number[pairs[order]].tolist(), strict=True):
        if root(parents, one) != root(parents, other):
            unite(parents, one, other)
            kept.append(place)
    return number[pairs[kept]].reshape(-1, 2), openings[kept]


def _no_joins() -> tuple[np.ndarray, np.ndarray]:
    return np.empty((0, 2), np.int32), np.empty(0, np.float32)


def _refined(labels: np.ndarray, ink: np.ndarray, factor: int) -> np.ndarray:
    """Labels of a smaller map at full size, their borders found again between the lines.

    What lies near a border is forgotten and grows back, first over free paper, then under lines;
    a region that would be forgotten as a whole stays as it is.
    """
    height, width = ink.shape
    large = np.ascontiguousarray(labels.repeat(factor, 0).repeat(factor, 1)[:height, :width])
    kernel = np.ones((2 * factor + 1, 2 * factor + 1), np.uint8)
    as_float = large.astype(np.float32)
    near = cv2.dilate(as_float, kernel) != cv2.erode(as_float, kernel)
    del as_float
    forgotten = np.bincount(large[~near], minlength=int(labels.max()) + 1) == 0
    if forgotten.any():
        near &= ~forgotten[large]
    large[near] = -1
    for where in (near & ~ink, near):
        _grow(large.reshape(-1), where.ravel(), width)
    return large


def _grow(labels: np.ndarray, where: np.ndarray, width: int) -> None:
    """Let labels spread to those of -1 where allowed, a pixel at a time, in place; both flat."""
    height = len(labels) // width
    left = np.flatnonzero(where & (labels < 0))
    while len(left):
        row, column = np.divmod(left, width)
        new = np.full(len(left), -1, np.int32)
        for step, inside in (
            (width, row < height - 1),
            (1, column < width - 1),
            (-1, column > 0),
            (-width, row > 0),
        ):
            neighbour = np.where(inside, labels[(left + step).clip(0, labels.size - 1)], -1)
            new = np.where(neighbour >= 0, neighbour, new)
        if (new < 0).all():
            return
        labels[left] = new
        left = left[new < 0]

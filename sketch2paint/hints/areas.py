"""A painted overlay taken apart: which pixels belong to which stroke, whatever blends them."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from sketch2paint.hints.runs import components, parts
from sketch2paint.images.convert import codes

COUNTS = 128  # alpha from which a pixel counts
NEAR = 20  # levels of a channel; colours nearer than that are one, where they are blended
SPECK = 64  # pixels of a part that noise may have made, if its colour is not far off
FLAT = 12  # levels that noise may vary by, averaged, where a stroke shows its own colour


def areas_of(rgba: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Take a painted overlay apart into strokes.

    What hangs together and has neither half-transparent pixels nor near colours side by side was
    not blended: there every change of colour is the edge of a stroke. Elsewhere pixels belong to
    the flat place that they hang together with; noise, soft edges and what is too thin beside
    another colour to show its own (less than about 5 pixels) make no strokes.

    Args:
        rgba: Overlay (H, W, 4) uint8.

    Yields:
        Mask (h, w) bool of each stroke's pixels, and the column and row where it begins; strokes
        are in the order of their first pixels.
    """
    opaque = rgba[..., 3] >= COUNTS
    if not opaque.any():
        return
    rows, columns = (np.flatnonzero(opaque.any(axis)) for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    cut = np.s_[top : rows[-1] + 1, left : columns[-1] + 1]
    rgb, opaque = np.ascontiguousarray(rgba[..., :3][cut]), opaque[cut]
    is_soft = bool(((rgba[..., 3] > 0) & (rgba[..., 3] < 255)).any())
    blended = opaque if is_soft else opaque & _is_blended(rgb, opaque)
    kinds = (codes(rgb) + 1) * opaque  # above 0, for black too
    if blended.any():
        kinds[blended] = 2**24 + _kinds(rgb, blended)[blended]  # above all codes
    for mask, (x, y) in _masks(kinds):
        yield mask, (x + left, y + top)


def _is_blended(rgb: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """Where what hangs together has neighbours of near colours that are not the same, (H, W)."""
    count, blobs = cv2.connectedComponents(opaque.astype(np.uint8))
    blended = np.zeros(count, bool)
    for first, second in ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        one, other = rgb[first], rgb[second]
        apart = (np.maximum(one, other) - np.minimum(one, other)).max(2)
        near = (apart > 0) & (apart <= NEAR) & opaque[first] & opaque[second]
        blended[blobs[first][near]] = True
    return blended[blobs]


def _masks(kinds: np.ndarray) -> Iterator[tuple[np.ndarray, tuple[int, int]]]:
    """Mask and corner (x, y) of each connected part of one kind in a map (H, W)."""
    runs, part = parts(kinds)
    order = np.argsort(part, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        y, start, stop = (values[chosen] for values in (runs.y, runs.start, runs.stop))
        left, top = int(start.min()), int(y.min())
        mask = np.zeros((int(y.max()) - top + 1, int(stop.max()) - left), bool)
        for row, first, last in zip(y - top, start - left, stop - left, strict=True):
            mask[row, first:last] = True
        yield mask, (left, top)


def _kinds(rgb: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """Kinds (H, W) int32 of an overlay with blended colours: 0 where there is nothing.

    Where a stroke is flat it shows its colour; from there it grows over its noise and its edges.
    """
    smooth = _smoothed(rgb, opaque)
    square = np.ones((5, 5), np.uint8)
    some = opaque[..., None]
    most = cv2.dilate(np.where(some, smooth, 0).astype(np.uint8), square)
    least = cv2.erode(np.where(some, smooth, 255).astype(np.uint8), square)
    flat = opaque & (cv2.subtract(most, least).max(2, initial=0) <= FLAT)
    count, kinds = cv2.connectedComponents(flat.astype(np.uint8))
    colours = _means(smooth, kinds, count + 1)
    for reach in (NEAR, 255):  # its own pixels first, then what is left between
        _grow(kinds, rgb, where=opaque, colours=colours, reach=reach)
    kinds[opaque & (kinds == 0)] = count  # small things without a flat place
    kinds = _merged(kinds, colours)
    _grow_over_specks(kinds, rgb, colours)
    return kinds


def _smoothed(rgb: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """Means over 3x3 of the pixels that count, (H, W, 3) uint8."""
    sums = cv2.boxFilter(rgb * opaque[..., None], cv2.CV_16U, (3, 3), normalize=False)
    counts = cv2.boxFilter(opaque.astype(np.uint8), cv2.CV_16U, (3, 3), normalize=False)
    return (sums // np.maximum(counts, 1)[..., None]).astype(np.uint8)


def _means(rgb: np.ndarray, kinds: np.ndarray, count: int) -> np.ndarray:
    """Mean colour of each kind, (count, 3) int16; 0 for none."""
    places = kinds.ravel()
    sums = [np.bincount(places, rgb[..., channel].ravel(), count) for channel in range(3)]
    pixels = np.maximum(np.bincount(places, minlength=count), 1)
    return (np.stack(sums, 1) / pixels[:, None]).astype(np.int16)


def _merged(kinds: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Kinds where those that touch and have near colours are one."""
    pairs = [kinds[:, :-1], kinds[:, 1:]], [kinds[:-1], kinds[1:]]
    beside = np.concatenate([np.stack([a[a != b], b[a != b]], 1) for a, b in pairs])
    beside = np.unique(beside[beside.all(1)], axis=0)
    near = np.abs(colours[beside[:, 0]] - colours[beside[:, 1]]).max(1, initial=0) <= NEAR
    _, first, part = np.unique(
        components(len(colours), beside[near]), return_index=True, return_inverse=True
    )
    return first[part][kinds].astype(np.int32)


def _grow_over_specks(kinds: np.ndarray, rgb: np.ndarray, colours: np.ndarray) -> None:
    """Give small parts to what surrounds them, unless their colour is a very different one."""
    runs, part = parts(kinds)
    lengths = runs.stop - runs.start
    small = np.bincount(part, lengths)[part] < SPECK
    specks = np.zeros(kinds.shape, bool)
    specks[kinds != 0] = np.repeat(small, lengths)
    before = kinds.copy()
    kinds[specks] = 0
    _grow(kinds, rgb, where=specks, colours=colours, reach=3 * NEAR)
    kinds[:] = np.where(kinds == 0, before, kinds)


def _grow(
    kinds: np.ndarray, rgb: np.ndarray, *, where: np.ndarray, colours: np.ndarray, reach: int
) -> None:
    """Give pixels without a kind that of the neighbour whose colour is nearest, within reach."""
    wide = where.shape[1] + 2
    framed = np.pad(kinds, 1).ravel()
    waiting = np.pad(where & (kinds == 0), 1).ravel()
    around = np.array([-wide - 1, -wide, -wide + 1, -1, 1, wide - 1, wide, wide + 1])
    places = np.flatnonzero(waiting)
    while len(places):
        beside = framed[places[:, None] + around]  # (N, 8)
        levels = rgb[places // wide - 1, places % wide - 1].astype(np.int16)
        apart = np.abs(colours[beside] - levels[:, None]).max(2)
        apart[beside == 0] = 256
        found = np.flatnonzero(apart.min(1) <= reach)
        new = places[found]
        framed[new] = beside[found, apart[found].argmin(1)]
        waiting[new] = False
        places = np.unique(new[:, None] + around)  # for nobody else has a neighbour changed
        places = places[waiting[places]]
    kinds[:] = framed.reshape(kinds.shape[0] + 2, wide)[1:-1, 1:-1]

"""Scans and photographs of drawings: made black on white; coloured pages told from drawings."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from sketch2paint.images.convert import fit_within, resize, rows, strips, to_grey

SMALLEST = 16  # pixels; below that there is no telling paper from line
THUMBNAIL = 512  # longer side, but for strips, of what the paper is estimated on
DARK, WHITE = 64, 250  # darker is no paper; paper from here on is white


class Levels(NamedTuple):
    """What makes a drawing black on white; by default nothing, for it is so already.

    Attributes:
        inverted: Whether black and white change places.
        paper: Paper to divide by, (h, w) uint8, a thumbnail; None: it is white.
        white: Grey of the divided paper's grain, from which all is white.
        ink: Grey of light lines, up to which all is black.
    """

    inverted: bool = False
    paper: np.ndarray | None = None
    white: int = 255
    ink: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What is done, out of "inverted", "paper lightened", "lines darkened"."""
        done = {
            "inverted": self.inverted,
            "paper lightened": self.paper is not None,
            "lines darkened": self.ink > 0,
        }
        return tuple(note for note, is_done in done.items() if is_done)


def normalise(sketch: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Make a scanned or photographed drawing black on white; a clean one is left as it is.

    Args:
        sketch: Drawing (H, W) or (H, W, 3) uint8.

    Returns:
        (H, W) uint8 grey, and what was done out of "inverted", "paper lightened", "lines darkened".
    """
    levels = measure(sketch)
    return apply(sketch, levels), levels.notes


def measure(sketch: np.ndarray) -> Levels:
    """Find what makes a drawing black on white; see `apply`.

    Args:
        sketch: Drawing (H, W) or (H, W, 3) uint8.
    """
    grey = to_grey(sketch)
    if min(grey.shape) < SMALLEST:
        return Levels()
    counts = _counts(grey)
    inverted = _is_inverted(grey, counts)
    if inverted:
        grey, counts = 255 - grey, counts[::-1]
    paper, white = _uneven_paper(grey, counts), 255
    if paper is not None:
        counts = _counts(_divided(grey, paper))
        white = _white(counts)
        counts = np.bincount(_lightening(white), counts, 256)
    return Levels(inverted, paper, white, _ink(counts))


def apply(sketch: np.ndarray, levels: Levels) -> np.ndarray:
    """Make a drawing black on white as it was measured, itself or another frame of its shot.

    Args:
        sketch: Drawing (H, W) or (H, W, 3) uint8, of the size of the one that was measured.
        levels: What `measure` found.

    Returns:
        (H, W) uint8 grey; the sketch itself where it is grey and nothing is to be done.
    """
    grey = to_grey(sketch)
    if levels.inverted:
        grey = 255 - grey
    if levels.paper is not None:
        grey = _divided(grey, levels.paper)
    if levels.paper is None and not levels.ink:
        return grey
    return cv2.LUT(grey, _darkening(levels.ink)[_lightening(levels.white)])


def is_coloured(rgb: np.ndarray) -> bool:
    """Tell a page that has been coloured from a drawing, be it on yellow paper or in blue pencil.

    Every mixture of paper, shadow and the one ink of a drawing lies in a plane of the RGB cube.
    What lies off it is another colour; it counts as an area only: lines vanish in an opening,
    noise in a thumbnail.

    Args:
        rgb: Picture (H, W, 3) uint8.

    Returns:
        Whether at least 1 % of the page is such an area, or 5 % are filled with a coloured ink.
    """
    small = _thumbnail(rgb, 256).astype(np.float32)
    light = small.mean(axis=2)
    paper = np.median(small[light >= np.percentile(light, 60)], axis=0)
    if paper.mean() < 128 or np.ptp(paper) > 96:  # none, but a background with a colour of its own
        paper = np.full(3, 255, np.float32)
    ink = np.median(small[light <= np.percentile(light, 2)], axis=0)
    shadow = paper / np.linalg.norm(paper)
    tint = ink - shadow * (ink @ shadow)
    off = small - (small @ shadow)[..., None] * shadow
    if np.linalg.norm(tint) <= 16:  # black ink
        return _area(off, 5) >= 0.01
    if _area(off, 11) >= 0.05:  # nobody fills this much with a pencil
        return True
    tint /= np.linalg.norm(tint)
    return _area(off - (off @ tint)[..., None] * tint, 5) >= 0.01


def _thumbnail(picture: np.ndarray, side: int) -> np.ndarray:
    """Shrink the longer side to `side`; that of a strip to more, so that its lines do not vanish.

    The shorter side keeps a quarter of `side`, but for strips of more than 256:1.
    """
    shorter, longer = sorted(picture.shape[:2])
    longest = round(side * min(max(longer / (4 * shorter), 1), 64))
    return resize(picture, *fit_within(picture.shape, longest))


def _area(off: np.ndarray, side: int) -> float:
    """The share of a page that is colour, in patches at least `side` wide."""
    far = (np.linalg.norm(off, axis=2) > 28).astype(np.uint8)
    return float(cv2.morphologyEx(far, cv2.MORPH_OPEN, np.ones((side, side))).mean())


def _counts(grey: np.ndarray) -> np.ndarray:
    """How often each level stands on a page; numpy's own would take 8 bytes a pixel for it."""
    counts = cv2.calcHist([np.ascontiguousarray(grey)], [0], None, [256], [0, 256])
    return counts.ravel().astype(np.int64)


def _is_inverted(grey: np.ndarray, counts: np.ndarray) -> bool:
    """Dark on the whole and at the edge, with something light drawn on it."""
    total = np.cumsum(counts)
    halves = (total[-1] - 1) // 2, total[-1] // 2  # both the same where the number is odd
    middle = int(np.searchsorted(total, halves, side="right").sum()) // 2  # the median
    if middle >= 96:
        return False
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    light = counts[middle + 65 :].sum() / total[-1]
    return float(np.median(edge)) < 96 and 0.001 < light < 0.5


def _uneven_paper(grey: np.ndarray, counts: np.ndarray) -> np.ndarray | None:
    """The paper of a drawing, (h, w), a thumbnail; None where it is white or black."""
    if counts[WHITE:].sum() >= grey.size / 2:
        return None
    paper = _paper(grey)
    return paper if DARK <= np.median(paper) < WHITE else None


def _paper(grey: np.ndarray) -> np.ndarray:
    """The paper without the lines, as a thumbnail: a closing is blind to what is dark and thin."""
    small = _thumbnail(grey, THUMBNAIL)
    side = max(3, min(max(small.shape), 4 * min(small.shape)) // 12) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    paper = cv2.morphologyEx(cv2.medianBlur(small, 3), cv2.MORPH_CLOSE, kernel)
    # Black areas wider than the closing are ink, not shadow: paper is at least half as light.
    paper = np.maximum(paper, int(np.percentile(paper, 90)) // 2)
    return cv2.GaussianBlur(paper, (0, 0), side / 3)


def _divided(grey: np.ndarray, paper: np.ndarray) -> np.ndarray:
    """A drawing by its paper, so that the paper becomes white but for its grain."""
    out = np.empty_like(grey)
    height, width = grey.shape
    for here in strips(height, width):
        share = grey[here] / np.maximum(rows(paper, height=height, width=width, here=here), 1)
        out[here] = np.round(255 * share.clip(0, 1))
    return out


def _white(counts: np.ndarray) -> int:
    """The level from which a divided page is paper: the grain is taken for white.

    It is as wide on the dark side of the paper as on the light one, where no lines are.
    """
    total = np.cumsum(counts) / counts.sum()
    middle, upper = (int(np.searchsorted(total, part)) for part in (0.5, 0.84))
    return max(middle - 3 * (upper - middle), 200)


def _ink(counts: np.ndarray) -> int:
    """The grey of light lines that are to become black, or 0: they are dark, or there are none."""
    size = counts.sum()
    if counts[:64].sum() > size / 5000:
        return 0
    lines = np.cumsum(counts[:240])
    if lines[-1] < size / 1000:
        return 0
    ink = int(np.searchsorted(lines, lines[-1] / 10))
    return ink if ink <= 224 else 0  # or it is the grain of the paper


def _lightening(white: int) -> np.ndarray:
    """What becomes of each level when `white` is to be white, (256,) uint8."""
    return np.round((np.arange(256) * (255 / white)).clip(0, 255)).astype(np.uint8)


def _darkening(ink: int) -> np.ndarray:
    """What becomes of each level when `ink` is to be black, (256,) uint8."""
    levels = (np.arange(256) - ink) * (255 / (255 - ink))
    return np.round(levels.clip(0, 255)).astype(np.uint8)

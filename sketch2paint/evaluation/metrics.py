"""How near a picture is to the real one: functions of uint8 pictures, and the table's columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor
from torchmetrics.functional.image import (
    multiscale_structural_similarity_index_measure,
    structural_similarity_index_measure,
)

from sketch2paint.evaluation.learned import ALEXNET, Learned, fid, kid, to_unit
from sketch2paint.evaluation.region_accuracy import Work
from sketch2paint.images.convert import CHROMA, rgb_to_lab, to_float, to_grey

COLOURED = 10.0  # CIE Lab chroma of the real picture above which a pixel counts as coloured
COLOURFUL = 5.0  # colourfulness of the real picture below which a ratio to it says nothing
BEST_PSNR = 60.0  # dB; or one copied blank page would make a mean infinite
WINDOW = 11  # pixels, of SSIM
COARSEST = WINDOW * 2**4  # pixels, of MS-SSIM; torchmetrics says 161, and refuses up to 175
FEW = "a set needs at least 2 pictures"

Better = Literal["higher", "lower", "one"]
Given = TypeVar("Given")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A picture beside the real one, and what else a metric may need.

    Attributes:
        fake: Picture, (H, W, 3) uint8 RGB.
        real: Real picture, (H, W, 3) uint8 RGB.
        lines: Drawing, (H, W) uint8; None for a photograph, which has none.
        learned: Networks behind the learned metrics.
        work: Fills that are left to do on its flats; None where there are none.
    """

    fake: np.ndarray
    real: np.ndarray
    lines: np.ndarray | None
    learned: Learned
    work: Work | None = None


@dataclass(frozen=True, kw_only=True)
class ComparedSets:
    """Features of a set of pictures beside those of the real ones.

    Attributes:
        fake: Features of the pictures, (N, F), or (0, F) where their network is missing.
        real: Features of the real ones, likewise.
        learned: Networks behind the learned metrics.
        seed: Seed of KID's subsets.
    """

    fake: Tensor
    real: Tensor
    learned: Learned
    seed: int


@dataclass(frozen=True, kw_only=True)
class Metric(Generic[Given]):
    """A column of the table: all that the rest of the room knows of a metric.

    Attributes:
        key: Name in files.
        heading: Name above the column.
        legend: Name in the words below the table.
        digits: Number of digits after the point.
        better: Values that are good: higher | lower | one.
        measure: Function that gives the value; NaN where it says nothing.
        missing: Words for why nothing has a value, or a function that finds them.
        weight: Function of the real picture that weighs the value in a mean of pictures.
    """

    key: str
    heading: str
    legend: str
    digits: int
    better: Better
    measure: Callable[[Given], float]
    missing: str | Callable[[Given], str]
    weight: Callable[[np.ndarray], float] = lambda real: 1.0

    def why_missing(self, given: Given) -> str:
        """Words for why nothing has a value, where `given` is one of those that have none."""
        return self.missing if isinstance(self.missing, str) else self.missing(given)


def psnr(fake: np.ndarray, real: np.ndarray) -> float:
    """Peak signal-to-noise ratio of (H, W, 3) uint8 pictures in dB, at most 60."""
    error = float(((fake.astype(np.float64) - real) ** 2).mean())
    return BEST_PSNR if error == 0 else min(BEST_PSNR, 10 * np.log10(255**2 / error))


def ssim(fake: np.ndarray, real: np.ndarray) -> float:
    """Structural similarity of (H, W, 3) uint8 RGB; NaN for sides under 11 pixels.

    Gaussian window of 11 pixels, sigma 1.5, as in Wang et al. (2004); the mean of the channels.
    """
    if min(real.shape[:2]) < WINDOW:
        return math.nan
    measure = structural_similarity_index_measure
    whole = measure(to_unit(fake), to_unit(real), data_range=1.0, return_full_image=True)[1]
    inner = slice(WINDOW // 2, -(WINDOW // 2))  # as in the paper: torchmetrics' mean has windows
    return float(whole[..., inner, inner].mean())  # that reach into a mirrored border


def ms_ssim(fake: np.ndarray, real: np.ndarray) -> float:
    """SSIM over five scales of (H, W, 3) uint8 RGB; NaN for sides under 176 pixels."""
    if min(real.shape[:2]) < COARSEST:
        return math.nan
    measure = multiscale_structural_similarity_index_measure
    return float(measure(to_unit(fake), to_unit(real), data_range=1.0))


def colour_difference(fake: np.ndarray, real: np.ndarray, where: np.ndarray | None = None) -> float:
    """Mean CIEDE2000 of (H, W, 3) uint8 RGB over the coloured pixels of `real`, else NaN.

    Coloured is a chroma above 10, so that white paper and black lines do not flatter. `where`
    (H, W) bool leaves out further pixels.
    """
    lab = _lab(real)
    coloured = np.hypot(lab[..., 1], lab[..., 2]) > COLOURED
    if where is not None:
        coloured &= where
    if not coloured.any():
        return math.nan
    return float(ciede2000(_lab(fake)[coloured], lab[coloured]).mean())


def ciede2000(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Colour difference of CIE Lab colours by Sharma, Wu and Dalal (2005), all weights k being 1.

    Args:
        one: Colours, (..., 3) L, a, b.
        other: Colours to compare with, likewise.

    Returns:
        (...) differences; 1 is about what an eye can tell.
    """
    (l1, a1, b1), (l2, a2, b2) = (
        np.moveaxis(np.asarray(x, np.float64), -1, 0) for x in (one, other)
    )
    g = 0.5 * (1 - _saturation((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = h2 - h1 - 360 * np.round((h2 - h1) / 360)  # the shorter way round
    hue = ((h1 + h2) / 2 + 180 * (np.abs(h1 - h2) > 180)) % 360
    hue = np.where(c1 * c2 == 0, h1 + h2, hue)  # a grey has none: the other's
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    s_l = 1 + 0.015 * (lightness - 50) ** 2 / np.sqrt(20 + (lightness - 50) ** 2)
    s_c, s_h = 1 + 0.045 * chroma, 1 + 0.015 * chroma * _hue_weight(hue)
    rotation = np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation = -2 * _saturation(chroma) * rotation
    d_l, d_c = (l2 - l1) / s_l, (c2 - c1) / s_c
    d_h = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / s_h
    return np.sqrt(np.maximum(0, d_l**2 + d_c**2 + d_h**2 + rotation * d_c * d_h))


def _saturation(chroma: np.ndarray) -> np.ndarray:
    return np.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _hue_weight(hue: np.ndarray) -> np.ndarray:
    terms = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.20, 4, -63))
    return 1 + sum(weight * np.cos(np.radians(n * hue + shift)) for weight, n, shift in terms)


def colourfulness(rgb: np.ndarray) -> float:
    """Hasler and Suesstrunk's M (2003) of (H, W, 3) uint8 RGB: 0 is grey, 15 a little, 59 quite."""
    r, g, b = np.moveaxis(rgb.astype(np.float64), -1, 0)
    red_green, yellow_blue = r - g, (r + g) / 2 - b
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


def colour_ratio(fake: np.ndarray, real: np.ndarray) -> float:
    """Colourfulness of `fake` as a ratio to that of `real`; NaN where the latter is under 5."""
    reference = colourfulness(real)
    return colourfulness(fake) / reference if reference >= COLOURFUL else math.nan


def edge_agreement(picture: np.ndarray, sketch: np.ndarray) -> float:
    """Pearson's correlation of both Scharr gradient magnitudes, within 5 pixels of a line.

    Elsewhere a drawing has no gradient, and agreement on empty paper would count for it.

    Args:
        picture: Picture, (H, W, 3) uint8 RGB, or (H, W).
        sketch: Drawing, (H, W) uint8; a line is darker than 128.

    Returns:
        -1 to 1; 0 where the picture is flat, NaN where the drawing has no lines.
    """
    near = cv2.dilate((sketch < 128).astype(np.uint8), np.ones((11, 11))) > 0
    drawn, painted = _gradient(sketch)[near], _gradient(picture)[near]
    if not drawn.size or drawn.std() == 0:
        return math.nan
    return 0.0 if painted.std() == 0 else float(np.corrcoef(painted, drawn)[0, 1])


def _gradient(picture: np.ndarray) -> np.ndarray:
    grey = to_grey(picture).astype(np.float32)
    return np.hypot(cv2.Scharr(grey, -1, 1, 0), cv2.Scharr(grey, -1, 0, 1))


def _lab(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 to L, a, b, float64."""
    lab = rgb_to_lab(to_float(torch.tensor(rgb).permute(2, 0, 1)[None]))[0].permute(1, 2, 0)
    return (lab.double().numpy() + (1, 0, 0)) * (50, CHROMA, CHROMA)


def _words(network: object, otherwise: str) -> str:
    """Words for why a network is missing; where it is there, the others."""
    return network if isinstance(network, str) else otherwise


def _of_work(
    key: str, heading: str, *, read: Callable[[Work], float], **words: Any
) -> Metric[Compared]:
    """A metric of what flats leave to do, which baselines have none of."""

    def measure(given: Compared) -> float:
        return read(given.work) if given.work else math.nan

    return Metric(key=key, heading=heading, measure=measure, **words)


# One value for each picture, in this order.
OF_PICTURES: tuple[Metric[Compared], ...] = (
    Metric(
        key="psnr",
        heading="PSNR dB",
        legend="PSNR",
        digits=2,
        better="higher",
        measure=lambda given: psnr(given.fake, given.real),
        missing="there is no picture",
    ),
    Metric(
        key="ssim",
        heading="SSIM",
        legend="SSIM",
        digits=3,
        better="higher",
        measure=lambda given: ssim(given.fake, given.real),
        missing=f"needs pictures of at least {WINDOW} pixels a side",
    ),
    Metric(
        key="ms_ssim",
        heading="MS-SSIM",
        legend="MS-SSIM",
        digits=3,
        better="higher",
        measure=lambda given: ms_ssim(given.fake, given.real),
        missing=f"needs pictures of at least {COARSEST} pixels a side",
    ),
    Metric(
        key="ciede2000",
        heading="CIEDE2000",
        legend="CIEDE2000 (coloured pixels)",
        digits=2,
        better="lower",
        measure=lambda given: colour_difference(given.fake, given.real),
        missing="no picture has coloured pixels",
    ),
    Metric(
        key="colourfulness",
        heading="Colourfulness",
        legend="Colourfulness: of all pictures, for the truth's: 1 is the same, "
        "< 0.6 grey, > 1.3 neon",
        digits=2,
        better="one",
        measure=lambda given: colour_ratio(given.fake, given.real),
        missing="no picture is colourful enough for a ratio",
        # The mean is then the ratio of means: a few nearly grey pictures would rule a plain one.
        weight=colourfulness,
    ),
    Metric(
        key="edges",
        heading="Edges",
        legend="edges (agreement with the drawing's)",
        digits=3,
        better="higher",
        measure=lambda given: (
            math.nan if given.lines is None else edge_agreement(given.fake, given.lines)
        ),
        missing=lambda given: (
            "photographs have no lines" if given.lines is None else "no lines drawn"
        ),
    ),
    Metric(
        key="lpips",
        heading="LPIPS",
        legend="LPIPS",
        digits=3,
        better="lower",
        measure=lambda given: given.learned.distance(given.fake, given.real),
        missing=lambda given: _words(given.learned.lpips, f"needs {ALEXNET} pixels"),
    ),
)
# The same, of flats, where those are measured.
OF_FLATS: tuple[Metric[Compared], ...] = (
    _of_work(
        "fills_left",
        "Fills left",
        legend="fills left (regions of the flats with a wrong colour)",
        digits=1,
        better="lower",
        read=lambda work: work.left,
        missing="there is no checkpoint",
    ),
    _of_work(
        "fills_blank",
        "From blank",
        legend="fills from blank (the drawing's coloured regions, for comparison)",
        digits=1,
        better="lower",
        read=lambda work: work.blank,
        missing="there is no checkpoint",
    ),
    _of_work(
        "paper_white",
        "Paper white",
        legend="paper white (share of the paper that the flats leave white)",
        digits=3,
        better="higher",
        read=lambda work: work.paper,
        missing="no picture has white paper",
    ),
    _of_work(
        "flats_per_object",
        "Per object",
        legend="flats per object (1: each coloured object is one flat)",
        digits=2,
        better="lower",
        read=lambda work: work.pieces,
        missing="no picture has a coloured object",
    ),
    _of_work(
        "merged",
        "Merged",
        legend="merged (share of coloured area in a flat that is mostly another colour's)",
        digits=3,
        better="lower",
        read=lambda work: work.merged,
        missing="no picture has a coloured object",
    ),
)
# One value for a whole set.
OF_SETS: tuple[Metric[ComparedSets], ...] = (
    Metric(
        key="fid",
        heading="FID",
        legend="FID",
        digits=1,
        better="lower",
        measure=lambda given: fid(given.fake, given.real),
        missing=lambda given: _words(given.learned.inception, FEW),
    ),
    Metric(
        key="kid",
        heading="KID",
        legend="KID",
        digits=4,
        better="lower",
        measure=lambda given: kid(given.fake, given.real, given.seed),
        missing=lambda given: _words(given.learned.inception, FEW),
    ),
)
METRICS: tuple[Metric[Any], ...] = (*OF_PICTURES, *OF_SETS)

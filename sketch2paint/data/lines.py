"""A painting -> line art, in several styles, so that a network does not overfit to one extractor.

    rng = np.random.default_rng((seed, epoch, index))
    bounds = {"thickness": (0.8, 2.0), "threshold": (0.06, 0.2), "intensity": (0.6, 1.0)}
    sketch = draw_lines(painting, rng=rng, styles=["xdog", "faint"], **bounds)

Three words for every style: `thickness` is the width of a line, about, in pixels of a picture whose
shorter side is 256 (it grows with the picture, and never falls below one pixel); `threshold` is the
contrast, 0..1, from about which an edge is drawn; `intensity` is how dark a line gets, 1 is black.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, Protocol

import cv2
import numpy as np

StyleName = Literal["xdog", "canny", "adaptive", "pencil", "faint"]

BASE = 256  # the shorter side for which thickness is given
MIN_SIDE = 16  # pixels; below that there is no drawing to speak of
WIDE = 1.6  # k, the ratio of the two Gaussians: DoG is then closest to the Laplacian (Marr 1980)
# The depth of that DoG on the dark side of a step of contrast 1; it turns contrasts into DoG:
# |Phi(x) - Phi(x / k)| at x = -k * sqrt(2 * ln(k) / (k * k - 1)), Phi the normal CDF.
STEP = 0.1117


def draw_lines(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    styles: Sequence[StyleName],
    thickness: tuple[float, float],
    threshold: tuple[float, float],
    intensity: tuple[float, float],
) -> np.ndarray:
    """Draw a painting's lines in one of the styles, all chance from `rng`.

    Args:
        painting: Picture (H, W, 3) uint8 RGB, H and W >= 16.
        rng: Generator of all randomness; the same state gives the same bytes.
        styles: Names out of `STYLES`; one is drawn per call, a name given twice twice as often.
        thickness: Bounds of the width in pixels at a shorter side of 256, > 0.
        threshold: Bounds of the contrast of an edge, in (0, 1]; higher draws fewer lines.
        intensity: Bounds of the darkness in (0, 1]; 1 is black.

    Returns:
        (H, W) uint8, dark lines on white.

    Raises:
        ValueError: an argument out of its range; the message names it.
    """
    check_lines(styles, thickness=thickness, threshold=threshold, intensity=intensity)
    _check_painting(painting)
    style = STYLES[styles[int(rng.integers(len(styles)))]]
    pixels = rng.uniform(*thickness) * min(painting.shape[:2]) / BASE
    return style(
        painting,
        rng=rng,
        thickness=max(1.0, pixels),
        threshold=rng.uniform(*threshold),
        intensity=rng.uniform(*intensity),
    )


def check_lines(
    styles: Sequence[StyleName],
    *,
    thickness: tuple[float, float],
    threshold: tuple[float, float],
    intensity: tuple[float, float],
) -> None:
    """Check the settings of `draw_lines`, for a constructor that wants to fail before the data.

    Raises:
        ValueError: an unknown style, or bounds that are not 0 < low <= high <= limit.
    """
    if isinstance(styles, str) or not styles or any(name not in STYLES for name in styles):
        raise ValueError(
            f"Expected `styles` to be a list of names out of {list(STYLES)}, got {styles!r}. "
            "Pass at least one of them."
        )
    _check_bounds("thickness", thickness, BASE, "(0.8, 2.0)")
    _check_bounds("threshold", threshold, 1, "(0.06, 0.2)")
    _check_bounds("intensity", intensity, 1, "(0.6, 1.0)")


def _check_bounds(name: str, bounds: tuple[float, float], limit: float, example: str) -> None:
    try:
        low, high = (float(bound) for bound in bounds)
        good = 0 < low <= high <= limit
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(
            f"Expected `{name}` to be two numbers, 0 < low <= high <= {limit}, got {bounds!r}. "
            f"Pass something like {example}."
        )


def _check_painting(painting: np.ndarray) -> None:
    shape, kind = np.shape(painting), getattr(painting, "dtype", type(painting).__name__)
    if kind != np.uint8 or len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < MIN_SIDE:
        raise ValueError(
            f"Expected `painting` to be (H, W, 3) uint8 RGB of at least {MIN_SIDE} x {MIN_SIDE} "
            f"pixels, got {kind} {shape}. Pass a picture read with images.read_rgb."
        )


class Style(Protocol):
    """A way to draw a painting's lines.

    Edges are sought in every channel and the strongest counts: red beside a green of equal
    brightness is an edge.

    Args:
        painting: Picture (H, W, 3) uint8 RGB.
        rng: Generator for the chance that is the style's own.
        thickness: Width of a line in pixels of this picture, at least 1.
        threshold: Contrast of an edge, in (0, 1].
        intensity: Darkness of a line, in (0, 1].

    Returns:
        (H, W) uint8, dark lines on white.
    """

    def __call__(
        self,
        painting: np.ndarray,
        *,
        rng: np.random.Generator,
        thickness: float,
        threshold: float,
        intensity: float,
    ) -> np.ndarray: ...


def xdog(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    thickness: float,
    threshold: float,
    intensity: float,
) -> np.ndarray:
    """Draw ink lines by XDoG (Winnemoeller, Kyprianidis, Olsen 2012): (H, W, 3) -> (H, W) uint8."""
    # The paper lets dark paint fall below epsilon and turn black. Line art has no black masses, so
    # tones are lifted to 0.5..1 and epsilon stays below: only an edge gets there.
    tone = _tone(painting) * np.float32(0.5) + np.float32(0.5)
    epsilon = rng.uniform(0.0, 0.3)
    phi = math.exp(rng.uniform(math.log(1.5), math.log(8.0)))
    # A line begins where S = tone - p * |DoG| reaches epsilon; with this p an edge of contrast
    # `threshold` (half of it after the lifting) just gets there on a mid-tone, 0.75 when lifted.
    p = (0.75 - epsilon) / (0.5 * threshold * STEP)
    ramp = xdog_ramp(tone, sigma=0.4 * thickness, p=p, epsilon=epsilon, phi=phi)
    return _on_white(1 - ramp, intensity)


def xdog_ramp(
    tone: np.ndarray, *, sigma: float, p: float, epsilon: float, phi: float, k: float = WIDE
) -> np.ndarray:
    """Compute the XDoG operator of Winnemoeller et al. 2012 (Section 2.5).

    Most code in circulation differs: it takes the older D = G_sigma - tau * G_k_sigma (S is
    D / (1 - tau) at p = tau / (1 - tau)), returns white where D is *below* epsilon, forgets epsilon
    inside tanh, and then stretches every picture to 0..1, which blows up the noise of an even one.

    Args:
        tone: Picture (H, W) or (H, W, C) float32 in [0, 1].
        sigma: Deviation of the narrow Gaussian, in pixels.
        p: Strength of the sharpening.
        epsilon: Tone from which on the paper stays white.
        phi: Steepness of the ramp below it.
        k: Ratio of the two Gaussians.

    Returns:
        (H, W) float32 in [0, 1], 1 is white; the darkest channel.
    """
    sharp = (1 + p) * _blur(tone, sigma) - p * _blur(tone, k * sigma)  # S, Eq. 7
    below = np.minimum(_darkest(sharp) - np.float32(epsilon), 0)
    return 1 + np.tanh(np.float32(phi) * below)  # T: 1 from epsilon up


def canny(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    thickness: float,
    threshold: float,
    intensity: float,
) -> np.ndarray:
    """Draw even lines along Canny's edges, anti-aliased: (H, W, 3) -> (H, W) uint8."""
    sigma = rng.uniform(0.7, 1.3) * max(1.0, min(painting.shape[:2]) / BASE)
    # The slope of a blurred step, times 8 for Sobel's 3 x 3 weights.
    strong = 8 * 255 * threshold / (math.sqrt(2 * math.pi) * math.hypot(sigma, 0.6))
    weak = rng.uniform(0.4, 0.7) * strong
    smooth = cv2.GaussianBlur(painting, (0, 0), sigma)
    edges = cv2.Canny(smooth, weak, strong, L2gradient=True)
    distance = cv2.distanceTransform(255 - edges, cv2.DIST_L2, cv2.DIST_MASK_3)
    # Two edges run along each line of the painting: thinner lines keep them from closing up.
    ink = np.clip(max(1.0, 0.75 * thickness) / 2 + 0.5 - distance, 0, 1)
    return _on_white(_blur(ink, 0.6), intensity)  # the blur takes Canny's stairs away


def adaptive(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    thickness: float,
    threshold: float,
    intensity: float,
) -> np.ndarray:
    """Draw what is darker than its neighbourhood's mean, softened: (H, W, 3) -> (H, W) uint8."""
    tone = _blur(_tone(painting), max(0.5, 0.3 * thickness))
    radius = max(1, round(thickness * rng.uniform(0.8, 1.6)))
    darker = cv2.blur(tone, (2 * radius + 1, 2 * radius + 1)) - tone
    soft = rng.uniform(0.2, 0.8) * threshold
    ink = (_strongest(darker) - np.float32(threshold / 4)) / np.float32(soft / 2)
    return _on_white(np.clip(ink, 0, 1), intensity)


def pencil(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    thickness: float,
    threshold: float,
    intensity: float,
) -> np.ndarray:
    """Draw soft shaded lines, the dodge blend of grey and blur: (H, W, 3) -> (H, W) uint8."""
    # Dodge is grey / (1 - blur(1 - grey)), that is grey / blur(grey); the lift keeps black finite.
    tone = _tone(painting) + np.float32(0.3)
    dodge = tone / _blur(tone, thickness * rng.uniform(0.6, 1.2))
    ink = (1 - _darkest(dodge) - threshold / 4) * rng.uniform(3.0, 6.0)
    return _on_white(np.clip(ink, 0, 1), intensity)


def faint(
    painting: np.ndarray,
    *,
    rng: np.random.Generator,
    thickness: float,
    threshold: float,
    intensity: float,
) -> np.ndarray:
    """Draw thin, grey, broken lines, as in the Kaggle sketch set: (H, W, 3) -> (H, W) uint8."""
    sigma = max(1.0, thickness / 2) / 2
    tone = _tone(painting)
    edge = _strongest(_blur(tone, WIDE * sigma) - _blur(tone, sigma)) / np.float32(STEP)
    pressure = _cloud(rng, painting.shape[:2])
    ink = np.clip((edge - np.float32(threshold) * (1.5 - pressure)) * np.float32(3), 0, 1)
    # Where the pencil was lifted even a strong edge is gone; elsewhere weak ones are lost first.
    return _on_white(ink * np.clip(4 * pressure - np.float32(0.6), 0, 1), 0.8 * intensity)


STYLES: dict[StyleName, Style] = {
    "xdog": xdog,
    "canny": canny,
    "adaptive": adaptive,
    "pencil": pencil,
    "faint": faint,
}


def _tone(painting: np.ndarray) -> np.ndarray:
    return painting.astype(np.float32) * np.float32(1 / 255)


def _blur(tone: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(tone, (0, 0), sigma)


def _darkest(tone: np.ndarray) -> np.ndarray:
    """Take the minimum over channels, (H, W, 3) or (H, W) -> (H, W)."""
    if tone.ndim == 2:
        return tone
    red, green, blue = cv2.split(tone)
    return cv2.min(cv2.min(red, green), blue)


def _strongest(edge: np.ndarray) -> np.ndarray:
    red, green, blue = cv2.split(edge)  # (H, W, 3) -> (H, W)
    return cv2.max(cv2.max(red, green), blue)


def _cloud(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw a smooth random field, (H, W) float32 in 0..1, 32 patches along the shorter side."""
    patch = max(2.0, min(shape) / 32)
    cells = rng.random((math.ceil(shape[0] / patch), math.ceil(shape[1] / patch)), np.float32)
    return cv2.resize(cells, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)


def _on_white(ink: np.ndarray, intensity: float) -> np.ndarray:
    """Print ink, (H, W) in 0..1, on white paper: (H, W) uint8."""
    return cv2.convertScaleAbs(ink, alpha=-255 * intensity, beta=255)

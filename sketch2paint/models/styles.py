"""Named directions of a painting's look, in which the answers of a region network can be moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from reprlib import repr as shortened

import numpy as np

from sketch2paint.arguments import is_number
from sketch2paint.images.convert import array_to_lab, lab_to_array
from sketch2paint.images.layer import WHITE
from sketch2paint.images.look import WARMEST

DIRECTIONS = ("warmth", "lightness", "vividness", "contrast")
MOST = 3.0  # steps either way
# What a step of each direction wishes: units of Lab, and for contrast a part of what is there.
STEP = np.array([14, 9, 12, 0.33], np.float32)
# A step of each direction (row) is so many steps of the wishes: what else would change with it is
# taken back. From the effects on training pictures, see benchmarks/style.md.
CONDITIONAL = np.array(
    [[1, 0, -0.65, 0], [0, 1, -0.1, 0.6], [-0.4, -0.1, 1, 0], [0, 0, 0, 1]], np.float32
)
GREY = 10.0  # chroma below which a hue means less and less
WIDTH = 12.0  # units of Lab: how far a colour may be from what is wished
WIDTH_OF_CHOICE = 30.0  # the same where one of a few colours is chosen
SOFTER = 2.5  # temperature of the shares: what is unlikely is looked at as well
LIGHTEST = 98.0  # L of a colour: paper alone is white

Style = Mapping[str, float]


def steps_of(style: Style | None, known: Sequence[str] = DIRECTIONS) -> np.ndarray | None:
    """Steps along the known directions.

    Args:
        style: Steps by the directions' names, -3 to 3; a name that is left out is 0.
        known: Names that a model knows.

    Returns:
        (len(known),) float32, or None where nothing is to change.

    Raises:
        ValueError: it is no mapping, a direction is not known, or a step is no number or out of
            range.
    """
    if not isinstance(style, Mapping | None):
        raise ValueError(
            f"Expected `style` to be steps by the names of directions, got {shortened(style)}. "
            f"Pass {{{known[0]!r}: 1}}, or None for no change."
        )
    for name, step in (style or {}).items():
        if name not in known:
            raise ValueError(
                f"Expected `style` to name directions that the model knows ({', '.join(known)}), "
                f"got {shortened(name)}. Pass style={{{known[0]}: 1}}, for instance."
            )
        if not is_number(step) or abs(step) > MOST:
            raise ValueError(
                f"Expected a step of `style` to be a number from -{MOST:g} to {MOST:g}, got "
                f"{name}: {shortened(step)}. Pass 1 for a little, {MOST:g} for much; 0 changes "
                "nothing."
            )
    steps = np.array([(style or {}).get(name, 0) for name in known], np.float32)
    return steps if steps.any() else None


def styled(
    colours: np.ndarray,
    *,
    shares: np.ndarray,
    named: np.ndarray,
    areas: np.ndarray,
    steps: np.ndarray,
) -> np.ndarray:
    """Move colours along the directions, as far as the network finds others likely.

    What has a wished colour is the mean of the network's colours, its shares tilted by how near
    these are to the wish; a colour moves as that mean does. White stays, and nothing becomes white.

    Args:
        colours: Colours of the regions, (N, 3) uint8.
        shares: Share of each named colour, (N, C).
        named: Colours that the network names, (C, 3) uint8.
        areas: Areas of the regions, (N,).
        steps: Steps along DIRECTIONS, (4,).

    Returns:
        (N, 3) uint8.
    """
    coloured = (named != WHITE).any(1)
    lab, own = array_to_lab(named[None, coloured])[0], array_to_lab(colours[None])[0]
    likely = np.log(np.maximum(shares[:, coloured], 1e-12)) / SOFTER
    wish = wished(own, steps, _mean_lightness(own, areas * (colours != WHITE).any(1)))
    moved = own + _expected(likely, lab, wish) - _expected(likely, lab, own)
    moved[:, 0] = moved[:, 0].clip(0, np.maximum(own[:, 0], LIGHTEST))
    after = lab_to_array(moved[None].astype(np.float32))[0]
    kept = (colours == WHITE).all(1) | (after == WHITE).all(1)
    return np.where(kept[:, None], colours, after)


def wished(lab: np.ndarray, steps: np.ndarray, mean: float) -> np.ndarray:
    """Lab colours (N, 3) after some steps, whatever a network finds likely; `mean` is of L."""
    warmth, lightness, vividness, contrast = steps @ CONDITIONAL * STEP
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    wider = np.maximum(chroma + vividness * np.minimum(chroma / GREY, 1), 0)
    wish = lab * (wider / np.maximum(chroma, 1e-6))[:, None]
    wish[:, 1:] += warmth * np.array([np.cos(WARMEST), np.sin(WARMEST)], np.float32)
    wish[:, 0] = mean + (lab[:, 0] - mean) * max(1 + contrast, 0) + lightness
    wish[:, 0] = wish[:, 0].clip(0, 100)
    return wish


def _expected(likely: np.ndarray, lab: np.ndarray, wish: np.ndarray) -> np.ndarray:
    """Mean (N, 3) of colours (C, 3), by log shares (N, C) and a normal density around a wish.

    Without what all colours share, the density's exponent is linear in the wish. So this is an
    exponential family: the mean's derivative is the covariance, and along the way of a wish the
    mean never goes back (Brown 1986, Fundamentals of Statistical Exponential Families, chapter 2).
    """
    score = likely + (wish @ lab.T - (lab**2).sum(1) / 2) / WIDTH**2
    tilted = np.exp(score - score.max(1, keepdims=True))
    return tilted @ lab / tilted.sum(1, keepdims=True)


def leaning(
    shares: np.ndarray,
    *,
    chosen: np.ndarray,
    colours: np.ndarray,
    areas: np.ndarray,
    steps: np.ndarray,
) -> np.ndarray:
    """Shares of colours that are chosen from, tilted towards what lies along the directions.

    Args:
        shares: Share of each colour for each object, (G, C), the first one's being paper.
        chosen: Number of the colour (G,) of each object without a style.
        colours: Colours to choose from, (C, 3) uint8.
        areas: Areas of the objects, (G,).
        steps: Steps along DIRECTIONS, (4,).

    Returns:
        (G, C); what is paper stays so, and nothing else becomes paper.
    """
    lab = array_to_lab(colours[None])[0]
    own = lab[chosen]
    apart = wished(own, steps, _mean_lightness(own, areas * (chosen > 0))) - own
    score = np.log(np.maximum(shares, 1e-12)) + apart @ lab.T / WIDTH_OF_CHOICE**2
    score[:, 0] = -np.inf
    tilted = np.exp(score - score.max(1, keepdims=True))
    tilted /= tilted.sum(1, keepdims=True)
    return np.where(chosen[:, None] > 0, tilted, shares)


def _mean_lightness(lab: np.ndarray, areas: np.ndarray) -> float:
    """Mean L of colours (N, 3), by their areas."""
    return float(areas @ lab[:, 0] / max(areas.sum(), 1))

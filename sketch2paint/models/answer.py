"""From a drawing's regions, and the colours that are known, to a colour for each region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sketch2paint.hints.regions import Regions
from sketch2paint.hints.runs import components
from sketch2paint.hints.strokes import Color, check_color
from sketch2paint.hints.words import Words, colours_of_all, labels_on_square, words_of
from sketch2paint.images.convert import on_square, to_float, to_uint8
from sketch2paint.models.region_network import RegionNetwork

TEMPERATURE = 0.3  # nearer to the likeliest colour than to the mean of all, which is dull
ONE_OBJECT = 0.8  # probability from which regions are one object: no worse, and half as many flats


class Reading(NamedTuple):
    """A drawing as a network has read it; it serves every set of known colours."""

    regions: Regions
    words: Words
    features: Tensor  # (1, N, 2 * features)
    bias: Tensor  # (1, heads + 2, N, N)


@torch.inference_mode()
def read(network: RegionNetwork, sketch: np.ndarray, regions: Regions) -> Reading:
    """Read a drawing, which takes most of the time; `reply` then answers for any hints.

    Args:
        network: Region network in eval mode.
        sketch: Drawing (H, W) uint8, dark lines on white.
        regions: Its regions; above 1,024 the smallest are no words.
    """
    if sketch.shape != regions.labels.shape or sketch.dtype != np.uint8:
        raise ValueError(
            f"Expected the drawing of these regions, {regions.labels.shape} of uint8, got "
            f"{sketch.shape} of {sketch.dtype}. Pass what `find_regions` was given."
        )
    words, device = words_of(regions), network.colours.device
    square, labels = on_squares(sketch, words, network.size)
    features = network.read(square.to(device), labels.to(device), len(words.regions))
    bias = network.relate(torch.from_numpy(words.pairs)[None].to(device))
    return Reading(regions, words, features, bias)


def on_squares(sketch: np.ndarray, words: Words, size: int) -> tuple[Tensor, Tensor]:
    """A drawing (H, W) uint8 and its words as a network of that size reads them.

    Returns:
        (1, 1, size, size) in [-1, 1], and numbers of words (1, size / 2, size / 2) int64.
    """
    square = on_square(np.dstack([sketch] * 3), size)[..., 0]
    labels = torch.from_numpy(labels_on_square(words, size // 2)).long()
    return to_float(torch.from_numpy(square))[None, None], labels[None]


@torch.inference_mode()
def reply(
    network: RegionNetwork,
    *,
    reading: Reading,
    known: Mapping[int, Color],
    temperature: float = TEMPERATURE,
    one_object: float = ONE_OBJECT,
) -> np.ndarray:
    """Answer as `answer` does for a drawing that was read."""
    regions, words, features, bias = reading
    _check(regions, known, temperature, one_object)
    device, place = features.device, {int(n): i for i, n in enumerate(words.regions)}
    is_known = torch.zeros(1, len(words.regions), dtype=torch.bool)
    given = torch.zeros(1, len(words.regions), 3)
    for number in known.keys() & place.keys():
        is_known[0, place[number]] = True
        given[0, place[number]] = to_float(torch.tensor(known[number]))
    said = network.reply(
        features,
        about=torch.from_numpy(words.about)[None].to(device),
        bias=bias,
        known=is_known.to(device),
        given=given.to(device),
    )
    own, same = said.shares[0].cpu().numpy(), said.same[0].sigmoid().cpu().numpy()
    paper = own[:, 0] > 0.5  # it lies open to many things, and would make them one
    likely = (same > one_object) & (paper[:, None] == paper)
    groups = _objects(words, likely, is_known[0].numpy())
    shares = torch.from_numpy(_agreed(own, groups, words))
    mixed = mix(shares[None].to(device), network.colours, given.to(device), temperature)[0]
    mixed[shares[:, 0] > 0.5] = 1  # paper is white, not nearly so
    colours = colours_of_all(regions, words, to_uint8(mixed).cpu().numpy())
    for number, colour in known.items():
        colours[number] = colour
    return colours


def answer(
    network: RegionNetwork,
    *,
    sketch: np.ndarray,
    regions: Regions,
    known: Mapping[int, Color],
    temperature: float = TEMPERATURE,
    one_object: float = ONE_OBJECT,
) -> np.ndarray:
    """Give each region of a drawing a colour.

    Args:
        network: Region network in eval mode.
        sketch: Drawing (H, W) uint8, dark lines on white.
        regions: Its regions, as `find_regions` finds them.
        known: Colours (r, g, b), 0 to 255, of regions by their numbers; white is paper.
        temperature: Sharpness of the mixture of likely colours: near 0 the likeliest one, 1 their
            mean, which is dull.
        one_object: Probability above which regions that open to each other, and are neither known
            nor paper, are one object and get one colour; 1: each has its own.

    Returns:
        Colours (count, 3) uint8 of all regions; known ones are exactly as they were given. What
        lies beyond the 1,024 largest takes the colour of the region that it opens to.

    Raises:
        ValueError: the drawing is another one, or a known region or colour is none.
    """
    reading = read(network, sketch, regions)
    return reply(
        network, reading=reading, known=known, temperature=temperature, one_object=one_object
    )


def mix(shares: Tensor, colours: Tensor, given: Tensor, temperature: float) -> Tensor:
    """Mix colours by their shares, sharpened.

    Args:
        shares: Shares of K colours and N known ones, (B, N, K + N).
        colours: The K colours, (K, 3) in [-1, 1].
        given: Colours of the known words, (B, N, 3) in [-1, 1].
        temperature: Sharpness, above 0; 1 leaves the shares as they are.

    Returns:
        (B, N, 3) in [-1, 1].
    """
    sharp = (shares.clamp(min=1e-12).log() / temperature).softmax(2)
    every = torch.cat([colours.expand(len(given), -1, -1), given.to(colours.dtype)], dim=1)
    return sharp @ every


def _objects(words: Words, likely: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Number of the object of each word, (N,): those that open to each other and are likely one."""
    one, other = np.nonzero(np.triu(likely & (words.pairs[..., 5] > 0), 1))
    asked = ~known[one] & ~known[other]
    return components(len(known), np.stack([one[asked], other[asked]], 1))


def _agreed(shares: np.ndarray, groups: np.ndarray, words: Words) -> np.ndarray:
    """Shares (N, K + N) that the words of an object have agreed on: their means by area."""
    area = np.bincount(words.labels[words.labels >= 0], minlength=len(groups)).astype(np.float32)
    sums = np.zeros((int(groups.max()) + 1, shares.shape[1]), np.float32)
    np.add.at(sums, groups, area[:, None] * shares)
    return (sums / sums.sum(1, keepdims=True))[groups]


def _check(
    regions: Regions, known: Mapping[int, Color], temperature: float, one_object: float
) -> None:
    if not 0 <= one_object <= 1:
        raise ValueError(
            f"Expected `one_object` to be a probability, got {one_object}. Pass 1 for a colour of "
            "its own for each region."
        )
    if not temperature > 0:
        raise ValueError(
            f"Expected `temperature` above 0, got {temperature}. Pass 0.05 for the likeliest."
        )
    for number, colour in known.items():
        if not 0 <= number < regions.count:
            raise ValueError(
                f"Expected `known` to name regions from 0 to {regions.count - 1}, got {number}. "
                "Take the number from `regions.labels`."
            )
        check_color(colour)

"""From a drawing's regions, and the colours that are known, to a colour for each region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sketch2paint.hints.palette import Palette
from sketch2paint.hints.regions import Regions
from sketch2paint.hints.runs import components
from sketch2paint.hints.strokes import Color, check_color
from sketch2paint.hints.words import Words, colours_of_all, labels_on_square, words_of
from sketch2paint.images.convert import on_square, to_float, to_uint8
from sketch2paint.models.paints import Paints, by_paint, choose, paints_of
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.styles import Style, leaning, steps_of, styled

TEMPERATURE = 0.15  # near the likeliest colour: the mean of all is dull
ONE_OBJECT = 0.8  # probability from which regions are one object: no worse, and half as many flats
WIDE = 0.3  # of a pair's open border, as `words_of` has it: a hundredth of the side
ONE_PAINT = 0.5  # the same where objects choose one of some colours, which is another at once


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


def reply(
    network: RegionNetwork,
    *,
    reading: Reading,
    known: Mapping[int, Color],
    palette: Palette | None = None,
    strict: bool = True,
    temperature: float = TEMPERATURE,
    one_object: float | None = None,
    style: Style | None = None,
) -> np.ndarray:
    """Answer as `answer` does for a drawing that was read."""
    regions, words, *_ = reading
    alone = palette is not None and strict
    one_object = (ONE_PAINT if alone else ONE_OBJECT) if one_object is None else one_object
    _check(regions, known, temperature, one_object)
    steps = steps_of(style)
    is_known, given = known_words(reading, known)
    own, same = ask(network, reading, known=is_known[None], given=given[None], palette=palette)
    groups = objects_of(words, own[0], same[0], is_known, one_object)
    shares = agreed(own[0], groups, words)
    areas = areas_of(words)
    if alone:
        paints = paints_of(to_uint8(network.colours).cpu().numpy(), given, palette)
        colours = _chosen(shares, groups=groups, areas=areas, paints=paints, steps=steps)
    else:
        colours = _mixed(network, shares, given, palette, temperature)
        if steps is not None:
            colours[is_known] = given[is_known]  # they count in what the others contrast with
            named = _columns(network, given, palette)
            colours = styled(colours, shares=shares, named=named, areas=areas, steps=steps)
    return of_all(reading, colours, known)


def answer(
    network: RegionNetwork,
    *,
    sketch: np.ndarray,
    regions: Regions,
    known: Mapping[int, Color],
    palette: Palette | None = None,
    strict: bool = True,
    temperature: float = TEMPERATURE,
    one_object: float | None = None,
    style: Style | None = None,
) -> np.ndarray:
    """Give each region of a drawing a colour.

    Args:
        network: Region network in eval mode.
        sketch: Drawing (H, W) uint8, dark lines on white.
        regions: Its regions, as `find_regions` finds them.
        known: Colours (r, g, b), 0 to 255, of regions by their numbers; white is paper.
        palette: Colours that the drawing is to have, wherever; None: the network's own.
        strict: Whether a palette's colours alone are used, besides paper and known ones; else
            they are mixed with the network's own.
        temperature: Sharpness of the mixture of likely colours: near 0 the likeliest one, 1 their
            mean, which is dull.
        one_object: Probability above which regions that open to each other, and are neither known
            nor paper, are one object and get one colour; 1: each has its own; None: 0.8, and 0.5
            for the colours of a palette alone.
        style: Steps along named directions, see `styles`; they move neither known colours nor
            paper, and decide what goes where with a palette's colours alone.

    Returns:
        Colours (count, 3) uint8 of all regions; known ones are exactly as they were given. What
        lies beyond the 1,024 largest takes the colour of the region that it opens to.

    Raises:
        ValueError: the drawing is another one, a known region or colour is none, the network takes
            no palettes, or a direction or step is none.
    """
    return reply(
        network,
        reading=read(network, sketch, regions),
        known=known,
        palette=palette,
        strict=strict,
        temperature=temperature,
        one_object=one_object,
        style=style,
    )


def known_words(reading: Reading, known: Mapping[int, Color]) -> tuple[np.ndarray, np.ndarray]:
    """Which words are known, (N,) bool, and their colours, (N, 3) uint8; white for the others."""
    place = {int(n): i for i, n in enumerate(reading.words.regions)}
    is_known, given = np.zeros(len(place), bool), np.full((len(place), 3), 255, np.uint8)
    for number in known.keys() & place.keys():
        is_known[place[number]], given[place[number]] = True, known[number]
    return is_known, given


@torch.inference_mode()
def ask(
    network: RegionNetwork,
    reading: Reading,
    *,
    known: np.ndarray,
    given: np.ndarray,
    palette: Palette | None,
) -> tuple[np.ndarray, np.ndarray]:
    """What a network says of a drawing's words, for several sets of known ones at once.

    Args:
        network: Region network in eval mode.
        reading: What it has read.
        known: Words that are known, (B, N) bool.
        given: Colours of the words, (B, N, 3) uint8.
        palette: Palette for all of them.

    Returns:
        Shares (B, N, K + N + M), and probabilities of two being one object (B, N, N), float32.
    """
    device, batch = reading.features.device, len(known)
    about = torch.from_numpy(reading.words.about).to(device)
    entries = {}
    if palette is not None:
        colours = to_float(torch.from_numpy(palette.colours)).to(device)
        portions = torch.from_numpy(palette.portions).to(device)
        entries = {"palette": colours.expand(batch, -1, -1), "portions": portions.expand(batch, -1)}
    said = network.reply(
        reading.features.expand(batch, -1, -1),
        about=about.expand(batch, -1, -1),
        bias=reading.bias.expand(batch, -1, -1, -1),
        known=torch.from_numpy(known).to(device),
        given=to_float(torch.from_numpy(given)).to(device)
        * torch.from_numpy(known).to(device)[..., None],
        **entries,
    )
    return said.shares.cpu().numpy(), said.same.sigmoid().cpu().numpy()


def objects_of(
    words: Words, shares: np.ndarray, same: np.ndarray, known: np.ndarray, one_object: float
) -> np.ndarray:
    """Number of the object of each word, (N,): those that open to each other and are likely one.

    So are those that reach the rim of the sheet and lie wide open to each other there or elsewhere:
    they are the ground around the figure, which no line parts.
    """
    paper = shares[:, 0] > 0.5  # it lies open to many things, and would make them one
    likely = (same > one_object) & (paper[:, None] == paper)
    rim = words.about[:, 6] > 0
    likely |= rim[:, None] & rim & (words.pairs[..., 5] > WIDE) & (one_object < 1)
    one, other = np.nonzero(np.triu(likely & (words.pairs[..., 5] > 0), 1))
    asked = ~known[one] & ~known[other]
    return components(len(known), np.stack([one[asked], other[asked]], 1))


def areas_of(words: Words) -> np.ndarray:
    """Pixels of each word, (N,)."""
    return np.bincount(words.labels[words.labels >= 0], minlength=len(words.regions))


def agreed(shares: np.ndarray, groups: np.ndarray, words: Words) -> np.ndarray:
    """Shares (N, K + N + M) that the words of an object have agreed on: their means by area."""
    area = areas_of(words).astype(np.float32)
    sums = np.zeros((int(groups.max()) + 1, shares.shape[1]), np.float32)
    np.add.at(sums, groups, area[:, None] * shares)
    return (sums / sums.sum(1, keepdims=True))[groups]


def of_all(reading: Reading, colours: np.ndarray, known: Mapping[int, Color]) -> np.ndarray:
    """Colours (count, 3) uint8 of all regions by those of the words (N, 3) and the known ones."""
    table = colours_of_all(reading.regions, reading.words, colours)
    for number, colour in known.items():
        table[number] = colour
    return table


def _chosen(
    shares: np.ndarray,
    *,
    groups: np.ndarray,
    areas: np.ndarray,
    paints: Paints,
    steps: np.ndarray | None,
) -> np.ndarray:
    """Paints of the words' objects, leaning along directions, (N, 3) uint8."""
    first = np.unique(groups, return_index=True)[1]  # a word of each object
    pooled, areas = by_paint(shares[first], paints), np.bincount(groups, areas)
    chosen = choose(pooled, areas=areas, wanted=paints.wanted)
    if steps is not None:
        told = {"colours": paints.colours, "areas": areas, "steps": steps}
        pooled = leaning(pooled, chosen=chosen, **told)
        chosen = choose(pooled, areas=areas, wanted=paints.wanted)
    return paints.colours[chosen[groups]]


def _columns(network: RegionNetwork, given: np.ndarray, palette: Palette | None) -> np.ndarray:
    """Colours (K + N + M, 3) uint8 that the columns of a network's shares speak for."""
    own = to_uint8(network.colours).cpu().numpy()
    return np.concatenate([own, given, *([] if palette is None else [palette.colours])])


def _mixed(
    network: RegionNetwork,
    shares: np.ndarray,
    given: np.ndarray,
    palette: Palette | None,
    temperature: float,
) -> np.ndarray:
    """Mixtures of the likely colours, (N, 3) uint8."""
    sources = given if palette is None else np.concatenate([given, palette.colours])
    told, device = to_float(torch.from_numpy(sources)), network.colours.device
    every = torch.from_numpy(shares)[None].to(device)
    mixed = mix(every, network.colours, told[None].to(device), temperature)[0]
    mixed[every[0, :, 0] > 0.5] = 1  # paper is white, not nearly so
    return to_uint8(mixed).cpu().numpy()


def mix(shares: Tensor, colours: Tensor, given: Tensor, temperature: float) -> Tensor:
    """Mix colours by their shares, sharpened.

    Args:
        shares: Shares of K colours, of N known ones and of M entries, (B, N, K + N + M).
        colours: The K colours, (K, 3) in [-1, 1].
        given: Colours of the known words and the entries, (B, N + M, 3) in [-1, 1].
        temperature: Sharpness, above 0; 1 leaves the shares as they are.

    Returns:
        (B, N, 3) in [-1, 1].
    """
    sharp = (shares.clamp(min=1e-12).log() / temperature).softmax(2)
    every = torch.cat([colours.expand(len(given), -1, -1), given.to(colours.dtype)], dim=1)
    return sharp @ every


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

"""How well a painting's look can be chosen: palettes, variations, and named directions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
from tqdm import tqdm

from sketch2paint.data.palettes import palette_of_picture, turned
from sketch2paint.evaluation import direction_table
from sketch2paint.evaluation.compare import Candidate, Split, samples
from sketch2paint.evaluation.direction_table import Walks
from sketch2paint.evaluation.metrics import ciede2000, colour_difference, psnr
from sketch2paint.evaluation.placements import Page
from sketch2paint.hints.palette import Palette
from sketch2paint.images.convert import array_to_lab, to_hwc
from sketch2paint.images.layer import multiplied
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.answer import Reading, read, reply
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.variations import vary
from sketch2paint.tables import aligned

ENTRIES = 5  # colours of the palettes that are given
FURTHER = 37  # pictures further on stands the one whose palette is the wrong one
WITHIN = 10.0  # CIEDE2000, up to which a pixel has a colour of the palette
SEVERAL = 3  # regions from which a drawing has, and colours that are to be used then
VARIATIONS = 8
EVERY = 8  # of so many pictures one is walked along the directions
WHITEST = 245  # level of every channel from which a median counts as white paper
LEAST = 0.01  # of the clear pixels: the area of a region that counts

OF_PALETTES = ("none", "true", "ciede2000_true", "followed", "several")
OF_VARIATIONS = ("single", "each", "best", "apart")
HEADINGS = {
    "none": "None dB",
    "true": "True dB",
    "ciede2000_true": "CIEDE2000",
    "followed": "Followed",
    "several": "Three used",
    "single": "Single dB",
    "each": "Each dB",
    "best": f"Best of {VARIATIONS} dB",
    "apart": "Apart",
}
LEGEND = (
    f"A palette has {ENTRIES} colours of a real picture with their areas: the drawing's own, or "
    f"(wrong)\nthat of the {FURTHER}th picture further on. Followed: coloured pixels within "
    f"CIEDE2000 {WITHIN:g} of a colour of the\nwrong one. Three used: wrong palettes of which at "
    f"least {SEVERAL} colours are used where the figure has {SEVERAL}\nregions. Apart: mean "
    "CIEDE2000 between two of the variations. Higher is better, but for CIEDE2000."
)

Way = Callable[[Palette], np.ndarray]
Values = dict[str, dict[str, list[float]]]  # by row and column, one for each picture


@dataclass(frozen=True, kw_only=True)
class StyleTable:
    """What came of palettes, of variations and of directions.

    Attributes:
        palettes: Values of OF_PALETTES of each picture, by row; NaN is not applicable.
        variations: The same of OF_VARIATIONS.
        walks: Walks along the directions of each candidate that knows some.
    """

    palettes: Values
    variations: Values
    walks: dict[str, Walks] = field(default_factory=dict)

    def text(self) -> str:
        """Both tables in words, aligned."""
        head = "Given a palette, and varied; the drawing's lines laid on:"
        tables = [
            aligned(
                [
                    ["", *(HEADINGS[key] for key in keys)],
                    *([row, *(_text(key, of[key]) for key in keys)] for row, of in values.items()),
                ]
            )
            for values, keys in (
                (self.palettes, OF_PALETTES),
                (self.variations, OF_VARIATIONS),
            )
            if values
        ]
        tables.append(LEGEND)
        for name, walks in self.walks.items():
            rows = direction_table.rows_of(direction_table.summary_of(walks))
            count = len(next(iter(walks.values())))
            head_of_rows = f"Along named directions, {name} (pictures: {count}, every {EVERY}th):"
            tables += [head_of_rows, aligned([*rows]), direction_table.LEGEND]
        return "\n".join([head, *tables])

    def plain(self) -> dict[str, Any]:
        """The means as plain data, None for what is not applicable."""
        rows = {"palettes": self.palettes, "variations": self.variations}
        plain = {
            name: {row: {key: _number(of[key]) for key in of} for row, of in values.items()}
            for name, values in rows.items()
        }
        along = {name: direction_table.plain_of(walks) for name, walks in self.walks.items()}
        return {**plain, "directions": along}


def _mean(values: Sequence[float]) -> float:
    there = [value for value in values if not math.isnan(value)]
    return float(np.mean(there)) if there else math.nan


def _text(key: str, values: Sequence[float]) -> str:
    mean = _mean(values)
    digits = 3 if key in ("followed", "several") else 2
    return "n/a" if math.isnan(mean) else f"{mean:.{digits}f}"


def _number(values: Sequence[float]) -> float | None:
    mean = _mean(values)
    return None if math.isnan(mean) else round(mean, 6)


def measure_style(split: Split, *, candidates: Sequence[Candidate], seed: int) -> StyleTable:
    """Measure what candidates make of palettes and how their variations differ.

    Candidates without palettes have the baselines alone: their picture moved to the colours of the
    palette that are nearest, and its hues turned by eighths.

    Args:
        split: Pictures to measure on, drawings.
        candidates: Candidates, compared at the data's size.
        seed: Seed of the variations.
    """
    found = StyleTable(palettes={}, variations={})
    pictures = tqdm(_pages(split), "style", len(split.files), disable=None)
    for number, (page, wrong) in enumerate(zip(pictures, _wrong_palettes(split), strict=True)):
        for candidate in candidates:
            plain = candidate.flat(page.sketch)
            single = multiplied(plain, page.sketch)
            for name, way in _ways(candidate.painter, page, plain).items():
                row = found.palettes.setdefault(f"{candidate.name}, {name}", _empty(OF_PALETTES))
                _add(row, _of_palettes(page, way, psnr(single, page.real), wrong))
            for name, several in _several(candidate.painter, page, single, seed).items():
                row = found.variations.setdefault(
                    f"{candidate.name}, {name}", _empty(OF_VARIATIONS)
                )
                _add(row, _of_variations(page, several, psnr(single, page.real)))
            if number % EVERY == 0 and isinstance(candidate.painter, RegionPainter):
                along = direction_table.walk(page, candidate.painter.network, seed)
                for name, one in along.items():
                    found.walks.setdefault(candidate.name, {}).setdefault(name, []).append(one)
    return found


def _empty(keys: Sequence[str]) -> dict[str, list[float]]:
    return {key: [] for key in keys}


def _add(row: dict[str, list[float]], values: dict[str, float]) -> None:
    for key, value in values.items():
        row[key].append(value)


def _pages(split: Split) -> Iterator[Page]:
    pairs = zip(split.files, samples(split, split.data.size), strict=True)
    for file, (batch, real) in pairs:
        yield Page.of(file, to_hwc(batch["sketch"][0])[..., 0], real)


def _palette_of(page: Page) -> Palette:
    """Palette of the real picture."""
    return palette_of_picture(np.dstack([page.real, page.sketch]), ENTRIES)


def _wrong_palettes(split: Split) -> list[Palette]:
    """For each picture the palette of one further on, of those that have colours."""
    own = [_palette_of(page) for page in _pages(split)]
    coloured = [palette for palette in own if len(palette.colours)]
    numbers = iter(range(FURTHER, FURTHER + len(coloured)))
    return [
        coloured[next(numbers) % len(coloured)] if len(palette.colours) else palette
        for palette in own
    ]


def _ways(painter: Painter | RegionPainter, page: Page, plain: np.ndarray) -> dict[str, Way]:
    """Ways to colour a page by a palette, to colours (H, W, 3) uint8 without lines, by name."""
    ways: dict[str, Way] = {"moved to the palette": partial(moved, plain)}
    if isinstance(painter, RegionPainter) and painter.network.palettes:
        reading = read(painter.network, page.sketch, page.regions)
        for name, strict in (("palette alone", True), ("palette mixed", False)):
            ways[name] = partial(_answered, painter.network, reading, strict)
    return ways


def _answered(
    network: RegionNetwork, reading: Reading, strict: bool, palette: Palette
) -> np.ndarray:
    table = reply(network, reading=reading, known={}, palette=palette, strict=strict)
    return table[reading.regions.labels]


def moved(colours: np.ndarray, palette: Palette) -> np.ndarray:
    """Move colours (H, W, 3) uint8 to the nearest ones of a palette and of white paper, in Lab."""
    flat, which = np.unique(colours.reshape(-1, 3), axis=0, return_inverse=True)
    entries = np.concatenate([np.full((1, 3), 255, np.uint8), palette.colours])
    one, other = (array_to_lab(rgb[None])[0] for rgb in (flat, entries))
    nearest = np.linalg.norm(one[:, None] - other, axis=2).argmin(1)
    return entries[nearest][which.ravel()].reshape(colours.shape)


def _of_palettes(page: Page, way: Way, none: float, wrong: Palette) -> dict[str, float]:
    """Values of OF_PALETTES for a way to colour a page; NaN where it has no colours."""
    own = _palette_of(page)
    if not len(own.colours):
        return dict.fromkeys(OF_PALETTES, math.nan)
    picture = multiplied(way(own), page.sketch)
    share, used = _followed(page, way(wrong), wrong)
    is_asked = _coloured_regions(page) >= SEVERAL and len(wrong.colours) == ENTRIES
    return {
        "none": none,
        "true": psnr(picture, page.real),
        "ciede2000_true": colour_difference(picture, page.real),
        "followed": share,
        "several": float(used >= SEVERAL) if is_asked else math.nan,
    }


def _followed(page: Page, colours: np.ndarray, palette: Palette) -> tuple[float, int]:
    """Share of the coloured clear pixels with a palette's colour, and how many of it there are."""
    shown = np.unique(colours[page.clear], axis=0, return_counts=True)
    flat, areas = (part[(shown[0] != 255).any(1)] for part in shown)
    if not len(flat):
        return math.nan, 0
    one, other = (array_to_lab(rgb[None])[0] for rgb in (flat, palette.colours))
    apart = ciede2000(np.repeat(one, len(other), 0), np.tile(other, (len(one), 1)))
    apart = apart.reshape(len(one), len(other))
    near = apart.min(1) <= WITHIN
    return float(areas[near].sum() / areas.sum()), len(np.unique(apart[near].argmin(1)))


def _coloured_regions(page: Page) -> int:
    """Number of regions of some size that are coloured in the real picture."""
    coloured = (page.medians(page.real) < WHITEST).any(1)
    return int((coloured & (page.areas > LEAST * page.areas.sum())).sum())


def _several(
    painter: Painter | RegionPainter, page: Page, single: np.ndarray, seed: int
) -> dict[str, list[np.ndarray]]:
    """Several pictures (H, W, 3) uint8 of a page, by name."""
    steps = [round(256 * turn / VARIATIONS) for turn in range(VARIATIONS)]
    found = {"hues turned": [turned(single, angle) for angle in steps]}
    if isinstance(painter, RegionPainter):
        reading = read(painter.network, page.sketch, page.regions)
        tables = vary(painter.network, reading=reading, known={}, count=VARIATIONS, seed=seed)
        colours = [table[page.regions.labels] for table in tables]
        found["variations"] = [multiplied(each, page.sketch) for each in colours]
    return found


def _of_variations(page: Page, several: list[np.ndarray], single: float) -> dict[str, float]:
    """Values of OF_VARIATIONS; NaN where the page has no colours."""
    each = [psnr(picture, page.real) for picture in several]
    coloured = page.clear & (page.real < WHITEST).any(2)
    lab = [array_to_lab(picture[coloured][None])[0] for picture in several if coloured.any()]
    apart = [float(ciede2000(one, other).mean()) for one, other in combinations(lab, 2)]
    return {
        "single": single,
        "each": float(np.mean(each)),
        "best": max(each),
        "apart": float(np.mean(apart)) if apart else math.nan,
    }

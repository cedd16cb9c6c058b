"""How well methods colour when a person tells n colours: the table, its plain data, its plot."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sketch2paint.arguments import is_whole, one_of
from sketch2paint.evaluation.compare import Split, samples
from sketch2paint.evaluation.hint_methods import Method, filled
from sketch2paint.evaluation.metrics import (
    ciede2000,
    colour_difference,
    colour_ratio,
    colourfulness,
    psnr,
)
from sketch2paint.evaluation.placements import Ask, Page, Placement, place
from sketch2paint.evaluation.region_accuracy import with_cuts
from sketch2paint.files import written_beside
from sketch2paint.hints.format import MOST, Hints
from sketch2paint.images.convert import array_to_lab, to_hwc
from sketch2paint.images.layer import multiplied
from sketch2paint.tables import aligned

MOVED = 10.0  # CIEDE2000 from which a pixel counts as moved
RIGHT = 5.0  # CIEDE2000 between medians, up to which a region has its true colour


@dataclass(frozen=True)
class Told:
    """A page that was coloured by hints.

    Attributes:
        page: Drawing and its real picture.
        hints: Hints that were given.
        colours: Colours that came of it, (H, W, 3) uint8, without lines.
        picture: The same with the drawing's lines laid on.
        before: What came of all but the last hint, as `colours`; None: there is no hint.
    """

    page: Page
    hints: Hints
    colours: np.ndarray
    picture: np.ndarray
    before: np.ndarray | None = None

    def hinted(self) -> np.ndarray:
        """Number of the finest region in which each hint's dot lies, (n,)."""
        dots = np.array([s.points[0] for s in self.hints.strokes], int).reshape(-1, 2)
        return self.page.regions.labels[dots[:, 1], dots[:, 0]]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of the table.

    Attributes:
        key: Name in files.
        heading: Name above the column.
        digits: Number of digits after the point.
        measure: Function that gives the value; NaN where it says nothing.
        weight: Function of the real picture that weighs the value in a mean of pictures.
        largest: Whether the table has the largest value of all pictures, not the mean.
    """

    key: str
    heading: str
    digits: int
    measure: Callable[[Told], float]
    weight: Callable[[np.ndarray], float] = lambda real: 1.0
    largest: bool = False


def of_picture(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[Told], float]:
    """Take a function of pictures (H, W, 3) uint8, one beside the real one, for a column."""
    return lambda told: measure(told.picture, told.page.real)


def hints_set(told: Told) -> float:
    """Number of hints that found a place."""
    return len(told.hints.strokes)


def untold_difference(told: Told) -> float:
    """Mean CIEDE2000 of the coloured pixels in regions without a hint; NaN: there are none."""
    untold = ~np.isin(told.page.regions.labels, told.hinted())
    return colour_difference(told.picture, told.page.real, untold)


def regions_right(told: Told) -> float:
    """Share of the regions' area in those whose median is within CIEDE2000 5 of the real one."""
    page = told.page
    apart = _apart(page.medians(told.picture), page.medians(page.real))
    area = page.areas.sum()
    return float(page.areas[apart <= RIGHT].sum() / area) if area else math.nan


def obedience(told: Told) -> float:
    """Largest CIEDE2000 between a hinted region's median and its hint, the nearest of several."""
    regions = told.hinted()
    if not len(regions):
        return math.nan
    apart = _apart(told.page.medians(told.colours)[regions], told.hints.colours[1:])
    return max(float(apart[regions == region].min()) for region in np.unique(regions))


def leak(told: Told) -> float:
    """Share of the clear pixels that the last hint moved by CIEDE2000 10, away from the truth."""
    if told.before is None:
        return math.nan
    clear = told.page.clear
    if not clear.any():
        return math.nan
    before, after, real = (
        array_to_lab(picture[clear][None])[0]
        for picture in (told.before, told.colours, told.page.real)
    )
    away = ciede2000(after, real) > ciede2000(before, real)
    return float((away & (ciede2000(before, after) > MOVED)).mean())


def _apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """CIEDE2000 of colours (N, 3) uint8."""
    return ciede2000(array_to_lab(one[None])[0], array_to_lab(other[None])[0])


COLUMNS = (
    Column(key="hints_set", heading="Set", digits=1, measure=hints_set),
    Column(key="psnr", heading="PSNR dB", digits=2, measure=of_picture(psnr)),
    Column(key="ciede2000", heading="CIEDE2000", digits=2, measure=of_picture(colour_difference)),
    Column(key="ciede2000_untold", heading="Untold", digits=2, measure=untold_difference),
    Column(key="regions_right", heading="Regions right", digits=3, measure=regions_right),
    Column(key="obedience", heading="Obedience", digits=2, measure=obedience, largest=True),
    Column(key="leak", heading="Leak", digits=4, measure=leak),
    Column(
        key="colourfulness",
        heading="Colourfulness",
        digits=2,
        measure=of_picture(colour_ratio),
        weight=colourfulness,
    ),
)
KEYS = tuple(column.key for column in COLUMNS)
COMPARED = "the drawing as it is, not made black on white; its lines laid on the colours"
LEGEND = (
    "Set: hints that found a place. Higher is better: PSNR, regions right (share of the area in "
    "regions\nwhose median is within CIEDE2000 5 of the real one). Lower is better: CIEDE2000 "
    "(coloured pixels), untold\n(the same in regions without a hint), obedience (largest CIEDE2000 "
    "of a hinted region's median to its hint),\nleak (share of the pixels that the last hint moved "
    "by more than CIEDE2000 10 and away from the truth)."
)


@dataclass(frozen=True, kw_only=True)
class HintTable:
    """What came of n hints.

    Attributes:
        placement: Rule by which hints were set.
        cut: Pixels by which lines were cut at eight places of each drawing.
        counts: Numbers of hints, (C,), rising.
        files: Names of the N pictures.
        rows: Names of the R methods.
        values: Values of COLUMNS, (N, R, C, 8) float64; NaN is not applicable.
        weights: Weights of each picture's values in a mean, (N, 8).
    """

    placement: Placement
    cut: int
    counts: list[int]
    files: list[str]
    rows: list[str]
    values: np.ndarray
    weights: np.ndarray

    def means(self) -> np.ndarray:
        """Means over the pictures, the largest for obedience, (R, C, 8); NaN: not applicable."""
        weights = ~np.isnan(self.values) * self.weights[:, None, None]
        sums, shares = np.nansum(self.values * weights, axis=0), weights.sum(axis=0)
        means = np.divide(sums, shares, out=np.full_like(sums, np.nan), where=shares > 0)
        largest = [column.largest for column in COLUMNS]
        means[..., largest] = np.fmax.reduce(self.values[..., largest], axis=0)
        return means

    def text(self) -> str:
        """The table in words, aligned."""
        lines = [["", "n", *(column.heading for column in COLUMNS)]]
        for row, found in zip(self.rows, self.means(), strict=True):
            cells = [
                [str(n), *map(_text, COLUMNS, of)] for n, of in zip(self.counts, found, strict=True)
            ]
            lines += [[row, *cells[0]], *(["", *more] for more in cells[1:])]
        cut = f", lines cut by {self.cut} px" if self.cut else ""
        head = f"Told n colours (placement {self.placement}{cut}), the drawing's lines laid on:"
        return f"{head}\n{aligned(lines)}\n{LEGEND}"

    def plain(self) -> dict[str, Any]:
        """The table as plain data, None for what is not applicable."""
        rows = {
            row: [
                {"n": n, **_named(None if math.isnan(v) else round(v, 6) for v in values)}
                for n, values in zip(self.counts, found.tolist(), strict=True)
            ]
            for row, found in zip(self.rows, self.means(), strict=True)
        }
        about: dict[str, Any] = {
            "placement": self.placement,
            "right_within": RIGHT,
            "compared": COMPARED,
        }
        about |= {"cut": self.cut, "moved_from": MOVED}
        return {**about, "rows": rows}

    def records(self) -> Iterator[dict[str, Any]]:
        """Each picture, row and number of hints with its values, by their keys."""
        for file, of_rows in zip(self.files, self.values.tolist(), strict=True):
            for row, of_counts in zip(self.rows, of_rows, strict=True):
                for n, values in zip(self.counts, of_counts, strict=True):
                    yield {"picture": file, "row": row, "n": n, **_named(values)}

    def draw(self, path: Path | str) -> None:
        """Draw PSNR and the share of right regions against n, all rows, to a .png file."""
        from matplotlib.figure import Figure  # who draws nothing need not wait for it

        figure = Figure(figsize=(11, 4), layout="constrained")
        means, ticks = self.means(), range(len(self.counts))
        for axes, key in zip(figure.subplots(1, 2), ("psnr", "regions_right"), strict=True):
            for row, found in zip(self.rows, means[..., KEYS.index(key)], strict=True):
                label = row.replace("$", r"\$")  # a name is no formula
                axes.plot(ticks, found, marker="o", markersize=3, label=label)
            axes.set_title(COLUMNS[KEYS.index(key)].heading, fontsize=9)
            axes.set_xticks(ticks, [str(count) for count in self.counts])
            axes.set_xlabel(f"hints (placement {self.placement})")
            axes.grid(alpha=0.3)
        figure.axes[0].legend(fontsize=7)
        with written_beside(path) as beside:
            figure.savefig(beside, dpi=100)


def _text(column: Column, value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.{column.digits}f}"


def _named(values: Iterable[float | None]) -> dict[str, float | None]:
    return dict(zip(KEYS, values, strict=True))


def check_hints(hints: int | Sequence[int] | None, placement: str, cut: int) -> list[int]:
    """See that numbers of hints and their placement are some, and how far lines are cut.

    Returns:
        The numbers, each once, rising; none where no hints are asked for.

    Raises:
        ValueError: they are not.
    """
    one_of("placement", placement, Placement)
    if cut < 0 or (cut and hints is None):
        raise ValueError(
            f"Expected `cut` to be a number of pixels from 0 on, with `hints`, got {cut}. Pass "
            "hints=0,4 cut=4."
        )
    if hints is None:
        return []
    counts = [hints] if isinstance(hints, int) else hints
    if not counts or not all(is_whole(count) and 0 <= count <= MOST for count in counts):
        raise ValueError(
            f"Expected `hints` to be whole numbers from 0 to {MOST:,}, got {hints}. "
            "Pass hints=0,1,2,4,8,16."
        )
    return sorted(set(counts))


def measure_hints(
    split: Split,
    *,
    methods: Mapping[str, Method],
    counts: Sequence[int],
    placement: Placement,
    seed: int,
    cut: int = 0,
) -> HintTable:
    """Measure what each method makes of a split's drawings and n hints.

    Args:
        split: Pictures to measure on, drawings.
        methods: Methods by name, from `hint_methods`.
        counts: Numbers of hints, from `check_hints`.
        placement: Rule by which hints are set, see `place`.
        seed: Seed of the placement uniform.
        cut: Pixels by which lines are cut at eight places, see `with_cuts`; where hints are set
            and what is compared follows the drawing without cuts.
    """
    pictures = tqdm(samples(split, split.data.size), "hints", len(split.files), disable=None)
    values, weights = [], []
    for file, (batch, real) in zip(split.files, pictures, strict=True):
        page = Page.of(file, to_hwc(batch["sketch"][0])[..., 0], real)
        seen = Page.of(file, with_cuts(page.sketch, Path(file).stem, cut), real) if cut else page
        told = partial(place, page, placement=placement, most=counts[-1], seed=seed)
        of_all = None if placement == "user" else told(ask=partial(filled, page))
        asks = [partial(method, seen) for method in methods.values()]
        values.append([_row(page, ask, counts, of_all, told) for ask in asks])
        weights.append([column.weight(real) for column in COLUMNS])
    return HintTable(
        placement=placement,
        cut=cut,
        counts=list(counts),
        files=split.files,
        rows=list(methods),
        values=np.array(values, np.float64),
        weights=np.array(weights),
    )


def _row(
    page: Page,
    method: Ask,
    counts: Sequence[int],
    of_all: Hints | None,
    told: Callable[..., Hints],
) -> list[list[float]]:
    """Values of COLUMNS for each number of hints; `told` sets hints where there are none yet."""
    ask = _remembered(method)
    hints = of_all or told(ask=ask)
    rows = []
    for count in counts:
        given = replace(hints, strokes=hints.strokes[:count])
        colours = ask(given)
        before = ask(replace(given, strokes=given.strokes[:-1])) if given.strokes else None
        one = Told(page, given, colours, multiplied(colours, page.sketch), before)
        rows.append([column.measure(one) for column in COLUMNS])
    return rows


def _remembered(ask: Ask) -> Ask:
    """Ask no number of hints twice, where all are the first of the same."""
    known: dict[int, np.ndarray] = {}

    def asked(hints: Hints) -> np.ndarray:
        if len(hints.strokes) not in known:
            known[len(hints.strokes)] = ask(hints)
        return known[len(hints.strokes)]

    return asked

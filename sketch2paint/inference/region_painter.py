"""RegionPainter: a region network names the colours; a generator, if there is one, shades."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from sketch2paint.arguments import is_whole
from sketch2paint.device import choose_device
from sketch2paint.hints.corrected import regions_said
from sketch2paint.hints.format import Hints
from sketch2paint.hints.palette import Palette
from sketch2paint.hints.panels import find_regions_by_panel
from sketch2paint.hints.regions import Regions
from sketch2paint.hints.strokes import Color
from sketch2paint.images.convert import array_to_lab, codes, to_float, to_uint8
from sketch2paint.images.layer import WHITE, multiplied
from sketch2paint.inference.flats import ALIKE, UNSEEN, clustered, filled_by
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.picture_painter import Normalise, Painted, PicturePainter
from sketch2paint.inference.shading import laid_over
from sketch2paint.inference.windows import by_windows
from sketch2paint.models.answer import read, reply
from sketch2paint.models.styles import Style, steps_of
from sketch2paint.models.tasks import FLATS, SKETCH, Batch
from sketch2paint.models.variations import vary

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from sketch2paint.models.region_network import RegionNetwork

MOST_VARIATIONS = 64
MEANT = 0.5  # of a region's free pixels: with more of them a stroke tells the region's colour


class Named(NamedTuple):
    """The colours of a drawing.

    Attributes:
        which: Number of a colour for each pixel, (H, W).
        tables: Colours (n, 3) uint8 for each variation.
        free: Map (H, W) bool of the pixels that are no line.
        notes: Remarks on the hints.
        used: Colours of the palette that some region has.
    """

    which: np.ndarray
    tables: list[np.ndarray]
    free: np.ndarray
    notes: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def flats(self) -> list[np.ndarray]:
        """One plain colour for each region, (H, W, 3) uint8 for each variation."""
        return [table[self.which] for table in self.tables]


class RegionPainter(PicturePainter):
    """Colours drawings region by region, deterministically; what a person said is obeyed.

    Args:
        network: Region network in eval mode.
        shading: Painter of a generator for sketches, whose differences of lightness are laid over
            the regions' colours, which it is given if it takes them; None: flats.
        device: Device on which the network runs: auto | cpu | cuda | cuda:1 | mps.
        normalise: Treatment of scans: auto | off, see Painter.
        flats: Whether each region gets one plain colour even where a generator could shade.
        colours: Number of colours of flats at most, paper and hints not counted | auto: as many as
            are unlike.
        gap: Width in pixels of the widest opening in a line that still stops a stroke | auto: the
            hints', or a tenth of the shorter side.
        palette: Colours that regions get, and no others besides paper and hints; None: the
            network's own.
        variations: Number of results for each drawing, see `vary`; 1: the likeliest alone.
        seed: Seed of the variations.
        style: Steps -3 to 3 by the names of directions, {"warmth": 1.5}, see `models.styles`.

    Raises:
        ValueError: a parameter is out of its range; the message names it.
    """

    def __init__(
        self,
        network: RegionNetwork,
        *,
        shading: Painter | None = None,
        device: str = "cpu",
        normalise: Normalise = "auto",
        flats: bool = False,
        colours: int | str = "auto",
        gap: float | str = "auto",
        palette: Palette | None = None,
        variations: int = 1,
        seed: int = 0,
        style: Style | None = None,
    ) -> None:
        super().__init__(
            SKETCH,
            normalise=normalise,
            flats=flats or not shading,
            colours=colours,
            gap=gap,
        )
        if shading and (shading.task is not SKETCH or shading.lines == "network"):
            raise ValueError(
                "Expected `shading` to be a painter of sketches with lines=keep, got task "
                f"{shading.task.name} with lines={shading.lines}. Leave it out for flats."
            )
        _check_palette(palette, network, self.colours)
        _check_variations(variations, seed)
        steps_of(style)  # it checks them
        self.network, self.shading = network.eval().to(choose_device(device)), shading
        self.palette, self.variations, self.seed = palette, variations, seed
        self.style = style

    @property
    def size(self) -> int:
        """Side of the training pictures in pixels."""
        return self.network.size

    @property
    def multiple(self) -> int:
        """One: a drawing of any size is fitted to what the network sees."""
        return 1

    @property
    def device(self) -> torch.device:
        """Device on which the region network runs."""
        return self.network.colours.device

    @property
    def is_flat(self) -> bool:
        """Whether each region has one plain colour, without shading."""
        return self.flats or not self.shading

    @property
    def on_cpu(self) -> bool:
        """Whether the networks compute on the CPU."""
        return self.device.type == "cpu"

    def process(
        self, sketches: Sequence[np.ndarray], hints: Sequence[Hints | None] | None = None
    ) -> list[Painted]:
        """Colour sketches as `paint` does, and keep the layers; see PicturePainter."""
        told = self.fitted(hints, sketches)
        drawings, notes = self.drawings(sketches)
        named = [self._named(*each) for each in zip(drawings, told, strict=True)]
        if not self.shading or self.flats:
            layers = [one.flats for one in named]
        else:
            layers = self._shaded(self.shading, drawings, named)
        return [
            _painted(drawing, one, colours, (*own, *one.notes), self.is_flat)
            for drawing, one, colours, own in zip(drawings, named, layers, notes, strict=True)
        ]

    def _shaded(
        self, shading: Painter, drawings: Sequence[np.ndarray], named: Sequence[Named]
    ) -> list[list[np.ndarray]]:
        """Colours with a generator's light and dark, for each drawing those of each variation."""
        if FLATS in shading.planes:
            many = [d for d, one in zip(drawings, named, strict=True) for _ in one.tables]
            every = shading.process(many, flats=[flats for one in named for flats in one.flats])
        else:
            every = [p for p in shading.process(drawings) for _ in range(self.variations)]
        bases = iter(painted.colours for painted in every)
        return [
            [
                laid_over(next(bases), which=one.which, table=table, free=one.free)
                for table in one.tables
            ]
            for one in named
        ]

    def generate(self, batch: Batch) -> Tensor:
        """Pictures for a batch, as `Painter.generate` makes them.

        Args:
            batch: Batch with `sketch` (B, 1, H, W) in [-1, 1].

        Returns:
            (B, 3, H, W) float32 in [-1, 1], on the network's device.
        """
        import torch

        sketches = [*to_uint8(batch["sketch"][:, 0]).cpu().numpy()]
        pictures = np.stack([painted.picture for painted in self.process(sketches)])
        return to_float(torch.from_numpy(pictures).permute(0, 3, 1, 2)).to(self.device)

    def _named(self, drawing: np.ndarray, hints: Hints | None) -> Named:
        """The colours of a drawing (H, W) that a person and the network name."""
        regions = regions_said(drawing, hints, find_regions_by_panel)
        filled, said, notes = filled_by(hints, regions, self.gap)
        known = known_regions(regions, filled, said)
        told: dict[str, Any] = {"drawing": drawing, "regions": regions, "known": known}
        tables = by_windows(self._answers, variations=self.variations, **told)
        if self.palette is None:
            tables = np.stack([self._joined(table, regions, known) for table in tables])
        # Each region by itself: where a generator leaves one white, its colour still holds.
        which = np.where(filled > 0, filled, regions.labels + len(said))
        every = [np.concatenate([said, table]) for table in tables]
        return Named(which, every, ~regions.ink, notes, self._used(tables))

    def _used(self, tables: np.ndarray) -> tuple[str, ...]:
        """The colours of the palette that some region has."""
        there = set(codes(tables).ravel().tolist())
        entries = self.palette.colours if self.palette else np.empty((0, 3), np.uint8)
        return tuple(f"#{code:06x}" for code in codes(entries).tolist() if code in there)

    def _answers(
        self, drawing: np.ndarray, regions: Regions, known: dict[int, Color]
    ) -> np.ndarray:
        """Colours (variations, count, 3) of the regions of what the network reads at once."""
        reading = read(self.network, drawing, regions)
        told: dict[str, Any] = {
            "reading": reading, "known": known, "palette": self.palette, "style": self.style,
        }  # fmt: skip
        if self.variations == 1:
            return reply(self.network, **told)[None]
        return np.stack(vary(self.network, count=self.variations, seed=self.seed, **told))

    def _joined(self, table: np.ndarray, regions: Regions, known: dict[int, Color]) -> np.ndarray:
        """Colours (count, 3) uint8 of all regions; like ones are equal, a person's as they were."""
        free = (table != WHITE).any(1)
        free[list(known)] = False
        if not free.any():
            return table
        areas = np.bincount(regions.labels.ravel(), minlength=regions.count)
        told = np.array(sorted({*known.values()} - {WHITE}), np.uint8).reshape(-1, 3)
        where = np.flatnonzero(free)
        like = nearest_told(table[where], told)
        table[where[like >= 0]] = told[like[like >= 0]]
        rest = where[like < 0]
        table[rest] = clustered(table[rest], areas[rest], self.colours)
        if self.is_flat:  # or there would be a layer that nobody sees
            away = np.linalg.norm(array_to_lab(table[None])[0] - (100, 0, 0), axis=1)
            table[rest[away[rest] < UNSEEN]] = WHITE
        return table


def _painted(
    drawing: np.ndarray,
    named: Named,
    layers: Sequence[np.ndarray],
    notes: tuple[str, ...],
    flat: bool,
) -> Painted:
    """The result for one drawing (H, W), with its variations."""
    pictures = [multiplied(colours, drawing) for colours in layers]
    return Painted(
        pictures[0],
        colours=layers[0],
        lines=drawing,
        notes=notes,
        flat=flat,
        variations=tuple(pictures[1:]),
        used=named.used,
    )


def nearest_told(table: np.ndarray, told: np.ndarray) -> np.ndarray:
    """Number (n,) of the nearest told colour (m, 3) uint8 that each of (n, 3) is like, or -1."""
    if not len(told):
        return np.full(len(table), -1)
    one, other = (array_to_lab(colours[None])[0] for colours in (table, told))
    distance, nearest = cKDTree(other).query(one)
    return np.where(distance < ALIKE, nearest, -1)


def known_regions(regions: Regions, filled: np.ndarray, said: np.ndarray) -> dict[int, Color]:
    """The colours of the regions that strokes were meant for, by their numbers.

    Args:
        regions: Regions of a drawing.
        filled: Map (H, W) of the stroke that each pixel takes, 0 for none.
        said: Colours (strokes + 1, 3) uint8 of the strokes, from row 1.
    """
    if len(said) == 1:
        return {}
    free = ~regions.ink
    areas = np.bincount(regions.labels[free], minlength=regions.count)
    meant = free & (filled > 0)
    labels = regions.labels[meant].astype(np.int64)
    pairs, counts = np.unique(labels * len(said) + filled[meant], return_counts=True)
    known = {}
    for number, stroke, count in zip(*divmod(pairs, len(said)), counts, strict=True):
        if count > MEANT * areas[number]:
            red, green, blue = said[stroke].tolist()
            known[int(number)] = (red, green, blue)
    return known


def _check_palette(palette: Palette | None, network: RegionNetwork, colours: int | None) -> None:
    if palette is None:
        return
    if not network.palettes:
        raise ValueError(
            "Expected a region network that was trained with palettes, got one that takes none. "
            "Pass a later one (model.network.palettes=true), or say colours with hints."
        )
    if not len(palette.colours):
        raise ValueError("Expected a palette with a colour, got an empty one. Pass None for none.")
    if colours:
        raise ValueError(
            f"Expected no `colours` with a palette, which tells all of them, got {colours}. Leave "
            "one of them out."
        )


def _check_variations(variations: int, seed: int) -> None:
    if not is_whole(variations) or not 1 <= variations <= MOST_VARIATIONS:
        raise ValueError(
            f"Expected `variations` to be a whole number from 1 to {MOST_VARIATIONS}, got "
            f"{variations!r}. Pass 8, for instance."
        )
    if not is_whole(seed) or seed < 0:
        raise ValueError(f"Expected `seed` to be a whole number from 0 on, got {seed!r}. Pass 0.")

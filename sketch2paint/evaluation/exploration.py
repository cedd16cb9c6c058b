"""Directions of a network's style: found, walked along, measured, shown."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from sketch2paint.evaluation.attributes import ATTRIBUTES, HELD, Canvas
from sketch2paint.evaluation.directions import boundary, by_chance, conditional, principal, sefa
from sketch2paint.evaluation.steps import STEPS, rank, slopes
from sketch2paint.images.convert import GAP, on_square, resize, to_float, to_grey, to_hwc
from sketch2paint.images.io import write_picture
from sketch2paint.images.look import look_code
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.picture_painter import PicturePainter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.styles import DIRECTIONS
from sketch2paint.tables import aligned, write_table

AXES = 4  # of SeFa and of PCA that are shown, the strongest
RANDOM, CONTROLS = "random", 2  # directions by chance
ALONE = "_alone"  # ends the name of a direction without what it shares with the others
LONGEST = 2.0  # of such a direction's steps: three of them leave the codes that were learned
AT_ONCE = 16  # pictures in a batch
READS = ".style.weight"  # in the name of the weights that read the code
LABEL = 128  # pixels of a row's name

Way = Callable[[float], Sequence[np.ndarray]]  # from a step to a picture of each drawing


@dataclass(frozen=True)
class Walked:
    """What a walk along a direction does.

    Attributes:
        name: Name of the direction.
        attribute: Attribute that it is for; where it is for none, the one that changes most.
        spearman: Rank correlation of step and attribute, mean over the drawings.
        leakage: Largest effect on another one of the HELD attributes, in own effects.
        to: That other attribute.
        effects: Effect of the whole walk on each attribute, by the slope, in spreads; mean over the
            drawings.
    """

    name: str
    attribute: str
    spearman: float
    leakage: float
    to: str
    effects: tuple[float, ...]


class Coded:
    """A generator with a style code, and drawings for it.

    Args:
        painter: Painter of the generator.
        sketches: Sketches (H, W, 3), uint8, of any sizes.

    Raises:
        ValueError: none of the drawings gets any colours, or the generator is an exported one.
    """

    def __init__(self, painter: Painter, sketches: Sequence[np.ndarray]) -> None:
        if not isinstance(painter.generator, UNetGenerator):
            raise ValueError(
                "Expected a painter of a generator whose weights can be read, got that of an "
                "exported one. Pass a run or .safetensors."
            )
        self.painter, self.generator = painter, painter.generator
        self.numbers = self.generator.style_channels
        self.drawings = _fitted(painter, sketches)  # (K, S, S)
        painted = _painted(self._all(np.zeros(self.numbers)))
        self.drawings, self.canvases = self.drawings[[*painted]], [*painted.values()]

    @property
    def weights(self) -> list[np.ndarray]:
        """Weights of the layers that read the code, (outputs, N) each."""
        weights = [one for name, one in self.generator.named_parameters() if READS in name]
        return [one.detach().float().cpu().numpy() for one in weights]

    def codes(
        self, pictures: Sequence[np.ndarray] | None, *, samples: int, seed: int
    ) -> np.ndarray:
        """Codes (B, N) of coloured pictures (H, W, 3) uint8, or as many by chance."""
        if pictures is None:
            return np.random.default_rng(seed).normal(size=(samples, self.numbers))
        size = self.painter.size
        return np.stack([look_code(resize(picture, size, size)) for picture in pictures])

    def paint(self, which: np.ndarray, codes: np.ndarray) -> list[np.ndarray]:
        """Pictures (S, S, 3) uint8 of some drawings, each with its code (N,)."""
        import torch

        found: list[np.ndarray] = []
        for start in range(0, len(which), AT_ONCE):
            here = slice(start, start + AT_ONCE)
            sketch = torch.from_numpy(self.drawings[which[here]])[:, None]
            style = torch.from_numpy(codes[here].astype(np.float32))
            device = self.painter.device
            batch = {"sketch": to_float(sketch.to(device)), "style": style.to(device)}
            with torch.inference_mode():
                found += [to_hwc(picture) for picture in self.painter.generate(batch)]
        return found

    def way(self, direction: np.ndarray) -> Way:
        """The walk along a direction (N,), from no style."""
        return lambda step: self._all(step * direction)

    def _all(self, code: np.ndarray) -> list[np.ndarray]:
        """A picture of each drawing with one code."""
        count = len(self.drawings)
        return self.paint(np.arange(count), np.tile(code, (count, 1)))


class ByRegions:
    """A region network, which brings its directions, and drawings for it.

    Args:
        painter: Painter of the region network.
        sketches: Sketches (H, W, 3), uint8, of any sizes.

    Raises:
        ValueError: none of the drawings gets any colours.
    """

    def __init__(self, painter: RegionPainter, sketches: Sequence[np.ndarray]) -> None:
        self.painter = copy.copy(painter)  # its style is another one at each step
        self.drawings = _fitted(painter, sketches)
        painted = _painted(self.way(DIRECTIONS[0])(0.0))
        self.drawings, self.canvases = self.drawings[[*painted]], [*painted.values()]

    def way(self, direction: str) -> Way:
        """The walk along a direction, from no style."""

        def paint(step: float) -> list[np.ndarray]:
            self.painter.style = {direction: step}
            return [one.picture for one in self.painter.process([*self.drawings])]

        return paint


def _fitted(painter: PicturePainter, sketches: Sequence[np.ndarray]) -> np.ndarray:
    """Drawings in the middle of squares of the training size, (K, S, S) uint8."""
    wide = [np.repeat(grey[..., None], 3, axis=2) for grey in painter.drawings(sketches)[0]]
    return np.stack([to_grey(on_square(drawing, painter.size)) for drawing in wide])


def _painted(pictures: Sequence[np.ndarray]) -> dict[int, Canvas]:
    """The pictures that have colours, by their numbers."""
    canvases = {number: Canvas(picture) for number, picture in enumerate(pictures)}
    painted = {number: one for number, one in canvases.items() if not one.is_blank}
    if not painted:
        raise ValueError(
            "Expected drawings that the network colours, got blank pictures of all of them. Pass "
            "another `input`, or train the network for longer."
        )
    return painted


def directions_of(
    coded: Coded, *, codes: np.ndarray, samples: int, seed: int
) -> dict[str, np.ndarray]:
    """Find directions (N,) of a generator's code by all methods.

    Args:
        coded: Generator and drawings.
        codes: Codes (B, N) as they come, for PCA and to draw samples from.
        samples: Number of codes that are painted and scored for the boundaries.
        seed: Seed of all chance.

    Returns:
        Directions by their names: attributes, the same with ALONE, sefa_1, pca_1, random_1 and on.
    """
    rng = np.random.default_rng(seed)
    drawn = codes[rng.integers(len(codes), size=samples)]
    which = rng.integers(len(coded.canvases), size=samples)
    normals = _boundaries(coded, drawn, which)
    alone = _as_strong(conditional(normals, HELD), normals)
    found = dict(zip(ATTRIBUTES, normals, strict=True))
    found |= {f"{name}{ALONE}": one for name, one in zip(ATTRIBUTES, alone, strict=True)}
    for name, axes in (
        ("sefa", sefa(coded.weights)[:AXES]),
        ("pca", principal(codes)[:AXES]),
        (RANDOM, by_chance(CONTROLS, codes.shape[1], rng)),
    ):
        found |= {f"{name}_{number + 1}": axis for number, axis in enumerate(axes)}
    return found


def _boundaries(coded: Coded, codes: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Normals (5, N) for the attributes, from the pictures that codes make of some drawings."""
    scores = []
    for start in tqdm(range(0, len(codes), AT_ONCE), "codes", disable=None):
        here = slice(start, start + AT_ONCE)
        pictures = zip(which[here], coded.paint(which[here], codes[here]), strict=True)
        scores += [coded.canvases[k].moved(picture) for k, picture in pictures]
    return np.stack([boundary(codes, own) for own in np.array(scores).T])


def _as_strong(alone: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Directions as long as does as much to their attribute as a step along its normal."""
    shared = np.maximum((alone * normals).sum(1), 1 / LONGEST)
    return alone / shared[:, None]


def walk(way: Way) -> list[list[np.ndarray]]:
    """Pictures of a walk: a list of the drawings for each of STEPS."""
    return [list(way(float(step))) for step in STEPS]


def measured(name: str, pictures: list[list[np.ndarray]], canvases: Sequence[Canvas]) -> Walked:
    """Measure what a walk does to the attributes.

    Args:
        name: Name of the direction.
        pictures: Pictures of the walk.
        canvases: Drawings as they are without a style.
    """
    moves = np.array(
        [[one.moved(p) for one, p in zip(canvases, step, strict=True)] for step in pictures]
    )  # (steps, drawings, attributes)
    effects = slopes(moves).mean(0) * np.ptp(STEPS)
    strength = np.abs(effects)
    base = name.removesuffix(ALONE)
    own = ATTRIBUTES.index(base) if base in ATTRIBUTES else int(strength.argmax())
    others = [number for number in range(HELD) if number != own]
    to = max(others, key=lambda number: float(strength[number]))
    return Walked(
        name,
        attribute=ATTRIBUTES[own],
        spearman=float(np.mean([rank(of_one) for of_one in moves[..., own].T])),
        leakage=float(strength[to] / max(strength[own], 1e-9)),
        to=ATTRIBUTES[to],
        effects=tuple(effects.tolist()),
    )


def table(rows: Sequence[Walked]) -> str:
    """The table, for people."""
    heads = ["direction", "attribute", "Spearman", "leakage", "to", *ATTRIBUTES]
    cells = [
        [one.name, one.attribute, f"{one.spearman:.2f}", f"{one.leakage:.2f}", one.to]
        + [f"{effect:+.2f}" for effect in one.effects]
        for one in rows
    ]
    return aligned([heads, *cells])


def write_csv(path: Path, rows: Sequence[Walked]) -> None:
    """Write the table for programs; the effects stand under the attributes' names."""
    plain = [asdict(one) for one in rows]
    effects = [dict(zip(ATTRIBUTES, one.pop("effects"), strict=True)) for one in plain]
    lines = [{**one, **own} for one, own in zip(plain, effects, strict=True)]
    write_table(path, [*lines[0]], lines)


def write_sheet(path: Path, walks: Mapping[str, list[list[np.ndarray]]]) -> None:
    """Write a row for each direction: its name, and the first drawing at each of STEPS."""
    rows = []
    for name, pictures in walks.items():
        shown = [np.pad(step[0], ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)
                 for step in pictures]  # fmt: skip
        rows.append(np.hstack([_label(name, len(shown[0])), *shown]))
    write_picture(path, np.vstack(rows))


def _label(words: str, height: int) -> np.ndarray:
    """Words on white, (height, LABEL, 3) uint8."""
    label = Image.new("RGB", (LABEL, height), "white")
    draw = ImageDraw.Draw(label)
    draw.text((GAP, height // 2), words, fill="black", font=ImageFont.load_default(), anchor="lm")
    return np.asarray(label)

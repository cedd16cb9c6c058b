"""Find directions of a style: python explore.py checkpoint=runs/NAME input=DIR output=OUT"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketch2paint.arguments import Name
from sketch2paint.shell import command, override
from sketch2paint.verb import verb, working

if TYPE_CHECKING:
    import numpy as np

    from sketch2paint.evaluation.attributes import Canvas
    from sketch2paint.evaluation.exploration import Coded, Way

MOST = 24  # drawings that are walked
FEWEST = 100  # codes, several for each of their numbers
FILE = "directions.safetensors"


def explore(
    checkpoint: Name,
    input: Name,
    output: Name,
    pictures: Name | None,
    samples: int,
    seed: int,
    device: str,
    max_pixels: int,
) -> int:
    """Write directions, a sheet of walks along them, and a table of what they do."""
    _check(output, samples, seed)
    from sketch2paint.models.loading import networks_in

    sketches = _read(input, "input", MOST, max_pixels)
    if "region_network" in networks_in(checkpoint):
        _explore_regions(checkpoint, sketches, Path(output), device)
        return 0
    shown = _read(pictures, "pictures", None, max_pixels) if pictures else None
    coded, names = _coded(checkpoint, sketches, device)
    with working():
        _explore_code(coded, names, shown, output=Path(output), samples=samples, seed=seed)
    told = {"checkpoint": checkpoint, "directions": str(Path(output, FILE))}
    words = " ".join(override(*each) for each in told.items())
    print(f"Go along them: {command('predict')} {words} 'style={{warmth: 1}}' input=... output=...")
    return 0


def _explore_regions(
    checkpoint: str, sketches: list[np.ndarray], output: Path, device: str
) -> None:
    """Walk along the directions that a region network brings."""
    from sketch2paint.evaluation.exploration import ByRegions
    from sketch2paint.inference.painters import load_painter
    from sketch2paint.inference.region_painter import RegionPainter
    from sketch2paint.models.styles import DIRECTIONS

    painter = load_painter(checkpoint, device=device)
    assert isinstance(painter, RegionPainter)
    with working():
        regions = ByRegions(painter, sketches)
        _show({name: regions.way(name) for name in DIRECTIONS}, regions.canvases, output)


def _explore_code(
    coded: Coded,
    names: tuple[str, ...],
    pictures: list[np.ndarray] | None,
    *,
    output: Path,
    samples: int,
    seed: int,
) -> None:
    """Find directions of a style code, walk along them and keep them."""
    from sketch2paint.evaluation.exploration import RANDOM, directions_of
    from sketch2paint.models.direction_file import save_directions

    codes = coded.codes(pictures, samples=samples, seed=seed)
    found = directions_of(coded, codes=codes, samples=samples, seed=seed)
    _show({name: coded.way(one) for name, one in found.items()}, coded.canvases, output)
    kept = {name: one for name, one in found.items() if not name.startswith(RANDOM)}
    save_directions(output / FILE, kept, names)
    print(f"Wrote {output / FILE}")


def _check(output: str, samples: int, seed: int) -> None:
    if samples < FEWEST:
        raise ValueError(f"Expected `samples` to be at least {FEWEST}, got {samples}. Pass 2000.")
    if seed < 0:
        raise ValueError(f"Expected `seed` to be at least 0, got {seed}. Pass 0.")
    if Path(output).exists() and not Path(output).is_dir():
        raise NotADirectoryError(
            f"{output}: expected a folder for `output`, got a file. Pass another name."
        )


def _read(place: str, key: str, most: int | None, max_pixels: int) -> list[np.ndarray]:
    """The pictures of a folder, or one picture."""
    from sketch2paint.images.formats import find_pictures
    from sketch2paint.images.io import read_rgb

    if not Path(place).exists():
        raise FileNotFoundError(f"{place}: no such picture or folder. Pass another `{key}`.")
    paths = find_pictures(place) if Path(place).is_dir() else [Path(place)]
    if not paths:
        raise ValueError(
            f"{place}: expected a folder with pictures for `{key}`, found none. Pass another one."
        )
    return [read_rgb(path, max_pixels) for path in paths[:most]]


def _coded(
    checkpoint: str, sketches: list[np.ndarray], device: str
) -> tuple[Coded, tuple[str, ...]]:
    """The generator with drawings for it, and the names of its code's numbers."""
    from sketch2paint.evaluation.exploration import Coded
    from sketch2paint.inference.painter import Painter
    from sketch2paint.models.description import planes_of, style_of
    from sketch2paint.models.weights import load_generator

    generator, about = load_generator(checkpoint, "sketch")
    if not (names := style_of(about)):
        raise ValueError(
            f"{checkpoint}: expected a generator with a style code, got one without. Train one "
            "with data.style=true, or say colours with hints."
        )
    return Coded(Painter(generator, planes=planes_of(about), device=device), sketches), names


def _show(ways: dict[str, Way], canvases: list[Canvas], output: Path) -> None:
    """Walk along directions, and write and print what comes of it."""
    from sketch2paint.evaluation.exploration import measured, table, walk, write_csv, write_sheet

    walks = {name: walk(way) for name, way in ways.items()}
    rows = [measured(name, pictures, canvases) for name, pictures in walks.items()]
    print(table(rows))
    write_csv(output / "directions.csv", rows)
    write_sheet(output / "directions.png", walks)
    print(f"Wrote {output / 'directions.csv'} and {output / 'directions.png'}")


main = verb(explore)

"""Find directions of a style: python explore.py checkpoint=runs/NAME input=DIR output=OUT"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sketch2paint.arguments import Name
from sketch2paint.shell import command, override
from sketch2paint.verb import verb, working

if TYPE_CHECKING:
    import numpy as np

    from sketch2paint.evaluation.exploration import Coded

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
    from sketch2paint.evaluation.exploration import directions_of
    from sketch2paint.models.direction_file import save_directions

    sketches = _read(input, "input", MOST, max_pixels)
    shown = _read(pictures, "pictures", None, max_pixels) if pictures else None
    coded, names = _coded(checkpoint, sketches, device)
    codes = coded.codes(shown, samples=samples, seed=seed)
    with working():
        found = directions_of(coded, codes=codes, samples=samples, seed=seed)
        _show(coded, found, Path(output))
        kept = {name: one for name, one in found.items() if not name.startswith("random")}
        save_directions(Path(output, FILE), kept, names)
    words = [override("checkpoint", checkpoint), override("directions", str(Path(output, FILE)))]
    print(
        f"Go along: {command('predict')} {' '.join(words)} 'style={{warmth: 1}}' input=DIR output=OUT"
    )
    return 0


def _check(output: str, samples: int, seed: int) -> None:
    if samples < FEWEST:
        raise ValueError(f"Expected `samples` to be at least {FEWEST}, got {samples}. Pass 2000.")
    if seed < 0:
        raise ValueError(f"Expected `seed` to be at least 0, got {seed}.")
    if Path(output).exists() and not Path(output).is_dir():
        raise NotADirectoryError(f"{output}: expected a folder for `output`, got a file.")


def _read(place: str, key: str, most: int | None, max_pixels: int) -> list[np.ndarray]:
    """The pictures of a folder, or one picture."""
    from sketch2paint.images.formats import find_pictures
    from sketch2paint.images.io import read_rgb

    if not Path(place).exists():
        raise FileNotFoundError(f"{place}: no such picture or folder. Pass another `{key}`.")
    paths = find_pictures(place) if Path(place).is_dir() else [Path(place)]
    if not paths:
        raise ValueError(f"{place}: expected a folder with pictures for `{key}`, found none.")
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


def _show(coded: Coded, directions: dict[str, np.ndarray], output: Path) -> None:
    """Walk along directions, and write and print what comes of it."""
    from sketch2paint.evaluation.exploration import measured, table, walk, write_csv, write_sheet

    walks = {name: walk(coded.way(one)) for name, one in directions.items()}
    rows = [measured(name, pictures, coded.canvases) for name, pictures in walks.items()]
    print(table(rows))
    write_csv(output / "directions.csv", rows)
    write_sheet(output / "directions.png", walks)
    print(f"Wrote {output / 'directions.png'}, {output / 'directions.csv'} and {output / FILE}")


main = verb(explore)

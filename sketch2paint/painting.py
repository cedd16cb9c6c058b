"""Files in, files out: which picture goes where, painting in batches, the gallery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from sketch2paint.images import find_pictures, grid, on_square, read_rgb, to_float, write_picture
from sketch2paint.painter import Painter


def plan_outputs(source: Path, output: Path) -> dict[Path, Path]:
    """Decide where the picture of each input goes: the folder tree is mirrored, as PNG.

    Args:
        source: a picture, or a folder with pictures (searched recursively).
        output: a folder; for a single picture also a file name ending in .png.

    Returns:
        Input file to output file. Inputs that would share an output (a.png and a.jpg) keep their
        suffix in the name: a.jpg.png.

    Raises:
        FileNotFoundError: `source` is missing.
        ValueError: no pictures, or `output` is a file, the input folder, or would overwrite inputs.
    """
    if source.is_file():
        single = output.suffix.lower() == ".png" and not output.is_dir()
        target = output if single else output / f"{source.stem}.png"
        if target.resolve() == source.resolve():
            raise ValueError(f"{target}: expected `output` to be another place than `input`.")
        return {source: target}
    if not source.is_dir():
        raise FileNotFoundError(f"{source}: no such file or folder. Pass input=FILE or input=DIR.")
    if output.is_file() or output.resolve() == source.resolve():
        raise ValueError(f"{output}: expected `output` to be a folder other than the input.")
    found = find_pictures(source)
    inside = output.resolve()
    if source.resolve() in inside.parents:  # pictures of an earlier run are no input
        found = [path for path in found if inside not in path.resolve().parents]
    if not found:
        raise ValueError(f"{source}: no pictures. Expected sketches as .png, .jpg or .webp files.")
    plan = {path: output / path.relative_to(source).with_suffix(".png") for path in found}
    while shared := {target for target, count in Counter(plan.values()).items() if count > 1}:
        for path, target in plan.items():
            if target in shared:
                plan[path] = output / f"{path.relative_to(source)}.png"
    inputs = {path.resolve() for path in found}
    for target in plan.values():
        if target.resolve() in inputs:
            raise ValueError(f"{target}: expected `output` to be another place than `input`.")
    return plan


def paint_files(
    painter: Painter, plan: dict[Path, Path], batch_size: int
) -> Iterator[tuple[Path, str | None]]:
    """Paint every file of a plan, `batch_size` at a time.

    Yields:
        Each input with None, or with what was wrong; the others are done all the same.
    """
    todo = iter(plan.items())
    while chunk := list(islice(todo, batch_size)):
        sketches: dict[Path, np.ndarray] = {}
        for source, _ in chunk:
            try:
                sketches[source] = read_rgb(source)
            except (ValueError, OSError) as error:
                yield source, str(error)
        pictures = painter.paint(list(sketches.values()))
        for source, picture in zip(sketches, pictures, strict=True):
            try:
                write_picture(plan[source], picture)
                yield source, None
            except OSError as error:
                yield source, f"{plan[source]}: cannot be written: {error}"


def find_truths(sketches: list[Path], source: Path, truth: Path) -> dict[Path, Path]:
    """Find the true picture of each sketch: the same relative name, whatever the suffix.

    Raises:
        FileNotFoundError: a sketch has none.
    """
    there = {path.relative_to(truth).with_suffix(""): path for path in find_pictures(truth)}
    found = {}
    for sketch in sketches:
        name = sketch.relative_to(source) if source.is_dir() else Path(sketch.name)
        if name.with_suffix("") not in there:
            raise FileNotFoundError(
                f"{truth / name}: no true picture of that name for the gallery. Expected one for "
                "every sketch; leave out `truth`, or add it."
            )
        found[sketch] = there[name.with_suffix("")]
    return found


def make_gallery(
    path: Path, plan: dict[Path, Path], source: Path, truth: Path | None, rows: int, side: int = 256
) -> None:
    """Write rows of sketch | coloured (| truth) as one PNG.

    Args:
        path: the PNG to write.
        plan: inputs and their pictures.
        source: the input folder, to which names in `truth` are relative.
        truth: a folder with the true pictures under the same names, or None.
        rows: how many; spread evenly over the plan.
        side: of a square cell, in pixels.

    Raises:
        FileNotFoundError: `truth` lacks a picture.
        ValueError: the plan is empty.
    """
    pairs = list(plan.items())
    if not pairs:
        raise ValueError(f"{path}: no pictures to show. Expected at least one that was painted.")
    truths = find_truths(list(plan), source, truth) if truth else {}
    cells = []
    for sketch, picture in pairs[:: max(1, len(pairs) // rows)][:rows]:
        files = [sketch, picture, *([truths[sketch]] if truth else [])]
        cells += [on_square(read_rgb(file), side) for file in files]
    sheet = to_float(torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2))
    write_picture(path, grid(sheet, columns=3 if truth else 2))

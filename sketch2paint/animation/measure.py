"""How near coloured frames are to the true ones, beside simpler ways to carry colours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sketch2paint.animation.colouring import Coloured, colour_scene
from sketch2paint.animation.key_files import key_files
from sketch2paint.animation.keys import CLEAR, Key
from sketch2paint.animation.scenes import look_through, scenes
from sketch2paint.animation.shots import Shot
from sketch2paint.animation.simpler_ways import WAYS, Frames, Truth, most_frequent, near
from sketch2paint.animation.uncovered import uncovered
from sketch2paint.animation.warping import Step, step_between, warping_error
from sketch2paint.evaluation.metrics import ciede2000, psnr
from sketch2paint.files import written_beside
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import array_to_lab, resize, scaled_size
from sketch2paint.images.io import MAX_PIXELS, read_rgb, write_picture
from sketch2paint.tables import aligned, markdown

BACKGROUND = 16  # levels from the first frame's median colour: background
LARGE = 10  # pixels that count: a larger region is told apart
STILL = 2  # levels by which a still pixel of the truth may change
SEEN = 2.0  # CIE 1976 difference by which a change is seen
EVERY = 4  # frames from one of the sheet to the next
OURS, PAST = "animate", "animate, keys before alone"
# Columns and their digits after the point.
COLUMNS = {
    "pixels": 3, "figure": 3, "regions": 3, "large": 3, "PSNR": 1, "PSNR figure": 1,
    "CIEDE2000": 2, "CIEDE2000 figure": 2, "flicker": 3, "warping error": 4, "come out": 3,
    "of them right": 3, "marked": 3, "wrong marked": 3,
}  # fmt: skip


@dataclass
class _Sums:
    """Values of each frame, by column."""

    shares: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def row(self) -> list[str]:
        """Means as cells."""
        told = [np.array(values)[~np.isnan(values)] for values in self.shares.values()]
        digits = COLUMNS.values()
        return [f"{v.mean():.{n}f}" if len(v) else "" for v, n in zip(told, digits, strict=True)]


def measure_shot(
    shot: Shot,
    truth: Path | str,
    *,
    spacings: Sequence[int],
    output: Path | str,
    size: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> str:
    """Colour a shot from some of its true frames and compare the others.

    Args:
        shot: Frames of a shot.
        truth: Folder of the true pictures under the frames' names or numbers.
        spacings: Numbers of frames from one key to the next; 0: the first of each scene alone.
        output: Folder for measured.md, measured.json and a sheet of every fourth frame (result
            beside truth) for each spacing.
        size: Shorter side in pixels at which it is measured; None: the frames' own.
        max_pixels: Largest number of pixels of a frame.

    Returns:
        The table as aligned text.

    Raises:
        ValueError: a frame has no true picture, or one of another size.
    """
    told = _read(shot, truth, size, max_pixels)
    steps = {n: step_between(*told.pictures[n - 1 : n + 1]) for s in told.scenes for n in s[1:]}
    rows = [["keys each", "way", *COLUMNS]]
    for every in spacings:
        keys = told.keys(every)
        came = _uncovered(told, keys)
        found = _ways(told, keys)
        for way, results in tqdm(found, f"every {every}", len(WAYS) + 2, disable=None, leave=False):
            sums = _measured(told, results, came, steps)
            rows.append([str(every or "one"), way, *sums.row()])
            if way == OURS:
                _write_sheet(Path(output) / f"sheet-{every or 'one'}.png", told, results)
    _write(Path(output), rows)
    return aligned(rows)


def _read(shot: Shot, truth: Path | str, size: int | None, max_pixels: int) -> Truth:
    files, _ = key_files(truth, shot.frames)
    looks = list(look_through(shot.frames, max_pixels=max_pixels))
    for place, (frame, look) in enumerate(zip(shot.frames, looks, strict=True)):
        if look.trouble or place not in files:
            raise ValueError(
                look.trouble
                or f"{truth}: expected a true picture for frame {frame.name}, got none. Add it."
            )
    drawings = [frame.drawing(max_pixels) for frame in shot.frames]
    pictures = [read_rgb(files[place], max_pixels) for place in range(len(drawings))]
    for drawing, place in zip(drawings, range(len(drawings)), strict=True):
        if pictures[place].shape[:2] != drawing.shape:
            raise ValueError(
                f"{files[place]}: expected a picture of its frame's size, {drawing.shape[::-1]}, "
                f"got {pictures[place].shape[1::-1]}."
            )
    if size:
        drawings, pictures = ([_scaled(p, size) for p in some] for some in (drawings, pictures))
    regions = [find_regions(drawing).labels for drawing in drawings]
    return Truth(drawings, pictures, regions, scenes(looks))


def _scaled(picture: np.ndarray, size: int) -> np.ndarray:
    return resize(picture, *scaled_size(picture.shape, size / min(picture.shape[:2])))


def _uncovered(told: Truth, keys: Sequence[dict[int, Key]]) -> dict[int, np.ndarray]:
    """Whether each region of each frame that is no key comes out from behind something."""
    found: dict[int, np.ndarray] = {}
    for scene, of_scene in zip(told.scenes, keys, strict=True):
        found |= uncovered(told, scene, of_scene)
    return found


def _ways(
    told: Truth, keys: Sequence[dict[int, Key]]
) -> Iterator[tuple[str, dict[int, Coloured] | Frames]]:
    """Each way with its frames: results of ours with what they mark, else colours (H, W, 3)."""
    for way, one in WAYS.items():
        found: Frames = {}
        for scene, of_scene in zip(told.scenes, keys, strict=True):
            found |= one(told, scene, of_scene)
            found |= {number: key.colours for number, key in of_scene.items()}
        yield way, found
    for way, both in ((PAST, False), (OURS, True)):
        results: dict[int, Coloured] = {}
        for scene, of_scene in zip(told.scenes, keys, strict=True):
            lent = {n: partial(of_scene.__getitem__, n) for n in of_scene}
            results |= colour_scene(told.drawings.__getitem__, frames=scene, keys=lent, both=both)
        yield way, results


def _measured(
    told: Truth,
    results: Mapping[int, Coloured] | Frames,
    came: Mapping[int, np.ndarray],
    steps: Mapping[int, Step],
) -> _Sums:
    """Values of all frames but the keys; what changes from any frame to the next.

    Args:
        told: Shot with its true colours.
        results: Frames as they came out, by number.
        came: Whether each region (n,) comes out from behind something, of frames that are no keys.
        steps: Motion of the truth to each frame that does not begin a scene.
    """
    sums, before = _Sums(), None
    background = np.median(told.pictures[0].reshape(-1, 3), 0)
    for number in sorted(results):
        result = results[number]
        colours = result.colours if isinstance(result, Coloured) else result
        if number in came:
            _add(sums, told, number, colours, background)
            wrong = _add_regions(sums, told, number, colours, came[number])
            if isinstance(result, Coloured):
                _add_marks(sums, result, *wrong)
        if before is not None:
            _add_flicker(sums, told, number, before, colours)
        if before is not None and number in steps:
            pair = told.with_lines(number - 1, before), told.with_lines(number, colours)
            sums.shares["warping error"].append(warping_error(*pair, steps[number]))
        before = colours
    return sums


def _add(
    sums: _Sums, told: Truth, number: int, colours: np.ndarray, background: np.ndarray
) -> None:
    truth, clear = told.pictures[number], told.drawings[number] > CLEAR
    right = near(colours, truth)
    figure = clear & (np.abs(truth - background).max(2) > BACKGROUND)
    sums.shares["pixels"].append(_mean(right[clear]))
    sums.shares["figure"].append(_mean(right[figure]))
    picture = told.with_lines(number, colours)
    away = ciede2000(array_to_lab(picture), array_to_lab(truth))
    sums.shares["PSNR"].append(psnr(picture, truth))
    sums.shares["CIEDE2000"].append(_mean(away))
    sums.shares["CIEDE2000 figure"].append(_mean(away[figure]))
    if figure.any():
        sums.shares["PSNR figure"].append(psnr(picture[figure], truth[figure]))


def _add_regions(
    sums: _Sums, told: Truth, number: int, colours: np.ndarray, came: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add what regions have a wrong most frequent colour (n,) bool; that, and which are large."""
    clear, (true, areas) = told.drawings[number] > CLEAR, told.true_colours(number)
    wrong = ~near(most_frequent(told.regions[number], colours, clear)[0], true)
    large = areas > LARGE
    sums.shares["regions"].append(_mean(~wrong[areas > 0]))
    sums.shares["large"].append(_mean(~wrong[large]))
    sums.shares["come out"].append(_mean(came[large]))
    sums.shares["of them right"] += (~wrong[large & came]).astype(float).tolist()
    return wrong, large


def _add_marks(sums: _Sums, result: Coloured, wrong: np.ndarray, large: np.ndarray) -> None:
    is_marked = np.zeros(len(wrong), bool)
    is_marked[[each.number for each in result.unsure]] = True
    sums.shares["marked"].append(_mean(is_marked[large]))
    sums.shares["wrong marked"] += is_marked[large & wrong].astype(float).tolist()


def _add_flicker(
    sums: _Sums, told: Truth, number: int, before: np.ndarray, colours: np.ndarray
) -> None:
    truth, drawing = told.pictures, told.drawings
    still = (drawing[number] > CLEAR) & (drawing[number - 1] > CLEAR)
    step = np.abs(truth[number].astype(np.int16) - truth[number - 1]).max(2)
    still &= step <= STILL
    one, other = (array_to_lab(each[still][None])[0] for each in (before, colours))
    sums.shares["flicker"].append(_mean(np.linalg.norm(one - other, axis=1) > SEEN))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def _write_sheet(path: Path, told: Truth, results: dict[int, Any]) -> None:
    """Every fourth frame as it came out, beside the true one, three pairs in a row."""
    pairs = [np.hstack([results[n].picture, told.pictures[n]]) for n in sorted(results)[::EVERY]]
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % 3)
    rows = [np.hstack(pairs[start : start + 3]) for start in range(0, len(pairs), 3)]
    write_picture(path, np.vstack(rows))


def _write(folder: Path, rows: Sequence[Sequence[str]]) -> None:
    head, *body = rows
    data = [dict(zip(head, row, strict=True)) for row in body]
    for name, text in (
        ("measured.md", markdown(rows) + "\n"),
        ("measured.json", json.dumps(data, indent=1)),
    ):
        with written_beside(folder / name) as beside:
            beside.write_text(text, "utf-8")

"""How near coloured frames are to the true ones, beside simpler ways to carry colours."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sketch2paint.animation.colouring import Coloured, colour_scene
from sketch2paint.animation.key_files import key_files
from sketch2paint.animation.keys import CLEAR
from sketch2paint.animation.scenes import look_through, scenes
from sketch2paint.animation.shots import Shot
from sketch2paint.animation.simpler_ways import WAYS, Frames, Truth, most_frequent
from sketch2paint.files import written_beside
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import array_to_lab, resize, scaled_size
from sketch2paint.images.io import MAX_PIXELS, read_rgb, write_picture
from sketch2paint.tables import aligned, markdown

NEAR = 24  # levels in each channel within which a colour is right
BACKGROUND = 16  # levels from the first frame's median colour: background
LARGE = 10  # pixels that count: a larger region is told apart
STILL = 2  # levels by which a still pixel of the truth may change
SEEN = 2.0  # CIE 1976 difference by which a change is seen
EVERY = 4  # frames from one of the sheet to the next
OURS, PAST = "animate", "animate, keys before alone"
COLUMNS = ("pixels", "figure", "regions", "large", "flicker", "marked", "wrong marked")


@dataclass
class _Sums:
    """Shares of each frame, by column."""

    shares: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def row(self) -> list[str]:
        """Means as cells."""
        means = [np.nanmean(v) if len(v) else np.nan for v in self.shares.values()]
        return ["" if np.isnan(mean) else f"{mean:.3f}" for mean in means]


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
    rows = [["keys each", "way", *COLUMNS]]
    for every in spacings:
        found = _ways(told, every)
        for way, results in tqdm(found, f"every {every}", len(WAYS) + 2, disable=None, leave=False):
            rows.append(
                [str(every or "one"), way, *_measured(told, results, told.placed(every)).row()]
            )
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


def _ways(told: Truth, every: int) -> Iterator[tuple[str, dict[int, Coloured] | Frames]]:
    """Each way with its frames: results of ours with what they mark, else colours (H, W, 3)."""
    keys = told.keys(every)
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


def _measured(told: Truth, results: Mapping[int, Coloured] | Frames, keys: Container[int]) -> _Sums:
    """Shares of all frames but the keys; flicker from any frame to the next."""
    sums, before = _Sums(), None
    background = np.median(told.pictures[0].reshape(-1, 3), 0)
    for number in sorted(results):
        result = results[number]
        colours = result.colours if isinstance(result, Coloured) else result
        if number not in keys:
            _add(sums, told, number, colours, background)
            if isinstance(result, Coloured):
                _add_marks(sums, told, number, result)
        if before and before[0] == number - 1:
            _add_flicker(sums, told, number, before[1], colours)
        before = number, colours
    return sums


def _add(
    sums: _Sums, told: Truth, number: int, colours: np.ndarray, background: np.ndarray
) -> None:
    truth, clear = told.pictures[number], told.drawings[number] > CLEAR
    right = _near(colours, truth)
    figure = clear & (np.abs(truth - background).max(2) > BACKGROUND)
    sums.shares["pixels"].append(_mean(right[clear]))
    sums.shares["figure"].append(_mean(right[figure]))
    wrong, areas = _wrong(told, number, colours)
    sums.shares["regions"].append(_mean(~wrong[areas > 0]))
    sums.shares["large"].append(_mean(~wrong[areas > LARGE]))


def _wrong(told: Truth, number: int, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each region's most frequent colour is wrong, and its clear pixels (n,)."""
    clear, regions = told.drawings[number] > CLEAR, told.regions[number]
    given, areas = most_frequent(regions, colours, clear)
    return ~_near(given, most_frequent(regions, told.pictures[number], clear)[0]), areas


def _add_marks(sums: _Sums, told: Truth, number: int, result: Coloured) -> None:
    wrong, areas = _wrong(told, number, result.colours)
    is_marked = np.zeros(len(wrong), bool)
    is_marked[[each.number for each in result.unsure]] = True
    large = areas > LARGE
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


def _near(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    near: np.ndarray = np.abs(one.astype(np.int16) - other).max(-1) < NEAR
    return near


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

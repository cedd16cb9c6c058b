"""Looks at a data set before hours are spent on it: bad files, swapped halves, duplicates, ...

    report = inspect(source, source.find(0.1, seed=0), workers=4)
    print(report_text(report))
    json.dumps(dataclasses.asdict(report))

Each sample is decoded once and reduced to a few hundred bytes, so memory does not grow with pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np
import torch
from tqdm import tqdm

from sketch2paint.data.duplicates import (
    Duplicate,
    Fingerprint,
    Fingerprints,
    find_duplicates,
    perceptual_bits,
)
from sketch2paint.data.sources import Item, Source, Splits
from sketch2paint.images.convert import grid, on_square, to_float
from sketch2paint.images.io import LARGE_PIXELS, has_frames, opened
from sketch2paint.shell import command

ROWS_SHOWN = 20  # file names under one heading of the text
CELL = 128  # of the contact sheet
SHEET = 24  # samples on it
CHEAP = 32  # samples that train.py looks at
CONTROLS = 16  # pairs whose halves every other pair is compared with
ENOUGH = 4  # pairs below which nobody can say what is usual
STATS_SIDE = 64  # structure, colourfulness and hash are judged at this size
SKETCHED = ("pairs", "two_folders")  # kinds of source that have sketches
GREY = 4.0  # colourfulness (0..255) of a half that has no colours
BLANK_COLOUR, BLANK_SKETCH = 8, 24  # range of values (0..255) below which there is nothing to see

HEADINGS = {
    "bad_files": "cannot be used",
    "animated": "have several frames; the first one is used",
    "very_large": f"have more than {LARGE_PIXELS / 1e6:.0f} million pixels and are slow to decode",
    "guessed": "were read with something guessed or left out",
    "swapped": "have their halves the other way round than the rest",
    "blank_sketches": "have a blank sketch",
    "blank_colours": "have blank colours",
    "mismatched": "have a sketch that does not seem to belong to the colours",
}

_one_at_a_time = Lock()


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `inspect` found; `dataclasses.asdict` of it goes through JSON.

    Args:
        counts: Number of samples of each split.
        sizes: Number of samples of each "WxH" (of a half, upright), the most common first.
        modes: Number of files of each PIL mode.
        formats: Number of files of each format.
        swapped_set: Whether the sketch half is the colourful one in most pairs.
        advice: Words on what to do about that.
        faults: Names of the samples with a note for each, by key of HEADINGS.
        leaks: Duplicates in different splits, copies of the same bytes first.
        duplicates: Duplicates within a split.
    """

    counts: dict[str, int]
    sizes: dict[str, int]
    modes: dict[str, int]
    formats: dict[str, int]
    swapped_set: bool
    advice: str
    faults: dict[str, dict[str, str]]
    leaks: list[Duplicate]
    duplicates: list[Duplicate]


class Controls(NamedTuple):
    """A few samples whose halves every other pair is compared with."""

    items: list[Item]
    colours: np.ndarray  # (K, STATS_SIDE ** 2) normalised edges
    sketches: np.ndarray


class SampleStats(NamedTuple):
    """What is kept of a decoded sample."""

    size: str
    chroma: tuple[float, float]  # of the colours and of the sketch
    blank: tuple[bool, bool]
    own: float  # agreement of the halves, -1..1
    others: np.ndarray | None  # (2K,) agreement of each half with those of the controls
    fingerprint: Fingerprint | None  # of the colours


class FileStats(NamedTuple):
    """What is said of a sample's files; `stats` is None where they cannot be used."""

    modes: list[str]
    formats: list[str]
    notes: dict[str, str]  # by key of HEADINGS
    stats: SampleStats | None


def inspect(source: Source, splits: Splits, workers: int) -> Report:
    """Decode every sample once and tell what is wrong with the set.

    Args:
        source: Source of the samples.
        splits: Samples of each split.
        workers: Number of threads that decode.
    """
    items = [item for split in splits.values() for item in split]
    files = _all_files(source, items, workers)
    names = [source.name_of(item) for item in items]
    stats = {n: file.stats for n, file in enumerate(files) if file.stats}
    swapped_set, swapped = _swapped(stats)
    notes = [file.notes for file in files]
    for n, note in [*swapped.items(), *_mismatched(stats).items()]:
        notes[n] |= note
    fingerprints = {n: one.fingerprint for n, one in stats.items() if one.fingerprint}
    parts = _parts(splits, fingerprints)
    leaks, duplicates = find_duplicates(items, names=names, parts=parts, fingerprints=fingerprints)
    noted = list(zip(names, notes, strict=True))
    return Report(
        counts={split: len(found) for split, found in splits.items()},
        sizes=_common(one.size for one in stats.values()),
        modes=_common(mode for file in files for mode in file.modes),
        formats=_common(form for file in files for form in file.formats),
        swapped_set=swapped_set,
        advice=_advice(source) if swapped_set else "",
        faults={key: {name: note[key] for name, note in noted if key in note} for key in HEADINGS},
        leaks=leaks,
        duplicates=duplicates,
    )


def cheap_check(source: Source, splits: Splits) -> list[str]:
    """Look at a few evenly chosen samples, in well under a second.

    Returns:
        Warnings, each a sentence or two; none where nothing stands out.
    """
    if source.kind not in SKETCHED:
        return []
    items = _evenly([item for split in splits.values() for item in split], CHEAP)
    with ThreadPoolExecutor(8) as pool:
        controls = _controls(source, items, pool, count=CHEAP)
        found = list(pool.map(partial(_file_stats, source, controls, hashed=False), items))
    stats = {n: file.stats for n, file in enumerate(found) if file.stats}
    swapped_set, _ = _swapped(stats)
    blank = [source.name_of(item) for item, f in zip(items, found, strict=True) if _blank(f)]
    mismatched, of = len(_mismatched(stats)), len(stats)
    said = [f"In most of {of} pairs {_advice(source)}"] if swapped_set else []
    if blank:
        said.append(f"{len(blank)} of {of} sketches are blank, among them {blank[0]}.")
    if mismatched > of / 2:
        said.append(f"In {mismatched} of {of} pairs the sketch does not seem to be of the colours.")
    return [f"{text} Look with: {command('prepare')} data=... check=true" for text in said]


def report_text(report: Report) -> str:
    """Say a report in lines for people: counts, then each kind of fault with some file names."""
    counts = ", ".join(f"{count} {split}" for split, count in report.counts.items())
    lines = [f"{sum(report.counts.values())} samples: {counts}"]
    for word in ("sizes", "modes", "formats"):
        table = list(getattr(report, word).items())
        more = f" and {len(table) - 5} other" if len(table) > 5 else ""
        lines.append(f"{word}: " + ", ".join(f"{key} ({n})" for key, n in table[:5]) + more)
    if report.swapped_set:
        lines.append(f"HALVES SWAPPED: in most pairs {report.advice}")
    for splits, exact in _duplicate_kinds(report.leaks):
        rows = [_row(d) for d in report.leaks if (d.splits, d.exact) == (splits, exact)]
        kind = "the same file" if exact else "nearly the same colours"
        lines += _block(f"LEAK: {len(rows)} times {kind} in {splits[0]} and {splits[1]}", rows)
    for key, notes in report.faults.items():
        rows = [f"{name}: {note}" if note else name for name, note in notes.items()]
        lines += _block(f"{len(rows)} {HEADINGS[key]}", rows)
    for splits, exact in _duplicate_kinds(report.duplicates):
        rows = [_row(d) for d in report.duplicates if (d.splits, d.exact) == (splits, exact)]
        kind = "the same file twice" if exact else "nearly the same colours twice"
        lines += _block(f"{len(rows)} times {kind} in {splits[0]}", rows)
    return "\n".join(lines if len(lines) > 4 else [*lines, "Nothing stands out."])


def contact_sheet(source: Source, splits: Splits) -> np.ndarray:
    """Show evenly chosen samples as training sees them, colours beside sketch, unreadable left out.

    Returns:
        One sheet, (..., ..., 3) uint8.
    """
    cells = []
    for item in _evenly([item for split in splits.values() for item in split], SHEET):
        try:
            picture = source.read(item)
        except (ValueError, OSError):
            continue
        halves = [picture[..., :3]]
        if picture.shape[2] == 4:
            halves.append(np.repeat(picture[..., 3:], 3, axis=2))
        cells.append(np.hstack([on_square(half, CELL) for half in halves]))
    if not cells:
        return np.full((CELL, CELL, 3), 255, np.uint8)
    sheet = torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2)
    return grid(to_float(sheet), columns=4 if cells[0].shape[1] > CELL else 6)


def _all_files(source: Source, items: list[Item], workers: int) -> list[FileStats]:
    with ThreadPoolExecutor(max(1, workers)) as pool:
        controls = _controls(source, items, pool)
        found = pool.map(partial(_file_stats, source, controls), items)
        return list(tqdm(found, total=len(items), unit=" samples", disable=None, leave=False))


def _file_stats(source: Source, controls: Controls, item: Item, hashed: bool = True) -> FileStats:
    file, guessed = FileStats([], [], {}, None), list[str]()
    try:
        for path in item:
            _read_header(path, file)
        with _one_at_a_time if "very_large" in file.notes else nullcontext():
            colour, sketch = source.halves(item, guessed)
            # Decoding a PNG does not check its sums.
            if "PNG" in file.formats and (problem := source.problem(item)):
                raise ValueError(problem)
            stats = _sample_stats(colour, sketch, item, controls, hashed)
    except Exception as error:  # as in images.read_rgb: a damaged file may raise anything
        file.notes["bad_files"] = str(error).removeprefix(f"{item[0]}: ")
        return file
    if guessed:
        file.notes["guessed"] = "; ".join(guessed)
    for key, blank in zip(("blank_colours", "blank_sketches"), stats.blank, strict=True):
        if blank:
            file.notes[key] = ""
    return file._replace(stats=stats)


def _read_header(path: Path, file: FileStats) -> None:
    with opened(path) as picture:
        file.modes.append(picture.mode)
        file.formats.append(str(picture.format))
        if picture.width * picture.height > LARGE_PIXELS:
            file.notes["very_large"] = f"{picture.width}x{picture.height}"
        if has_frames(picture):
            file.notes["animated"] = f"{getattr(picture, 'n_frames', 'several')} frames"


def _sample_stats(
    colour: np.ndarray,
    sketch: np.ndarray | None,
    item: Item,
    controls: Controls,
    hashed: bool,
) -> SampleStats:
    small = _reduced(colour, STATS_SIDE)
    blank = _contrast(small) < BLANK_COLOUR
    stats = SampleStats(
        size=f"{colour.shape[1]}x{colour.shape[0]}",
        chroma=(_chroma(small), 0.0),
        blank=(blank, False),
        own=1.0,
        others=None,
        fingerprint=_fingerprint(small) if hashed and not blank else None,
    )
    return stats if sketch is None else _with_sketch(stats, small, sketch, item, controls)


def _fingerprint(small: np.ndarray) -> Fingerprint:
    return Fingerprint(perceptual_bits(small), _reduced(small, 8))


def _with_sketch(
    stats: SampleStats, small: np.ndarray, sketch: np.ndarray, item: Item, controls: Controls
) -> SampleStats:
    lines = _reduced(sketch, STATS_SIDE)
    chroma = (stats.chroma[0], _chroma(lines))
    faint = _contrast(lines) < BLANK_SKETCH  # one thin line may be; at full size it is dark
    blank = (stats.blank[0], faint and _contrast(sketch) < BLANK_SKETCH)
    if any(blank):
        return stats._replace(chroma=chroma, blank=blank)
    edges, drawn = _edges(small), _edges(lines)
    others = np.concatenate([controls.sketches @ edges, controls.colours @ drawn])
    others[[control == item for control in controls.items] * 2] = np.nan
    return stats._replace(chroma=chroma, blank=blank, own=float(edges @ drawn), others=others)


def _controls(
    source: Source, items: list[Item], pool: ThreadPoolExecutor, count: int = CONTROLS
) -> Controls:
    """Edges of a few evenly chosen pairs; unreadable and blank ones are left out."""
    chosen = _evenly(items, count) if source.kind in SKETCHED else []
    edges = pool.map(partial(_both_edges, source), chosen)
    found = [(item, both) for item, both in zip(chosen, edges, strict=True) if both is not None]
    both = np.array([both for _, both in found], np.float32).reshape(-1, 2, STATS_SIDE**2)
    return Controls([item for item, _ in found], both[:, 0], both[:, 1])


def _both_edges(source: Source, item: Item) -> np.ndarray | None:
    """Edges of the colours and the sketch, (2, STATS_SIDE ** 2); None where either has none."""
    header = FileStats([], [], {}, None)
    try:
        for path in item:
            _read_header(path, header)
        if "very_large" in header.notes:  # several at a time could fill the memory
            return None
        halves = [half for half in source.halves(item) if half is not None]
    except Exception:  # the pass over all samples tells it
        return None
    edges = np.stack([_edges(_reduced(half, STATS_SIDE)) for half in halves])
    return edges if edges.any(axis=1).all() else None


def _reduced(picture: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)


def _edges(small: np.ndarray) -> np.ndarray:
    """Blurred gradient magnitude, the strongest channel's: zero mean, unit length, or all zero.

    The root keeps a few black outlines from deciding alone.
    """
    values = small.astype(np.float32)
    size = cv2.magnitude(*(cv2.Sobel(values, cv2.CV_32F, *d).ravel() for d in ((1, 0), (0, 1))))
    strongest = np.sqrt(size.reshape(small.shape).max(axis=2))
    soft = cv2.GaussianBlur(strongest, (0, 0), 1.0).ravel()
    soft -= soft.mean()
    return soft / max(float(np.linalg.norm(soft)), 1e-6)


def _chroma(small: np.ndarray) -> float:
    """Colourfulness: the mean of the largest less the smallest channel, 0..255."""
    r, g, b = cv2.split(small)
    return float(cv2.subtract(cv2.max(cv2.max(r, g), b), cv2.min(cv2.min(r, g), b)).mean())


def _contrast(picture: np.ndarray) -> float:
    """The widest range of values of a channel, 0..255."""
    return max(high - low for low, high, *_ in map(cv2.minMaxLoc, cv2.split(picture)))


def _swapped(stats: dict[int, SampleStats]) -> tuple[bool, dict[int, dict[str, str]]]:
    """Whether most pairs are the wrong way round, and those that differ from the rest."""
    ways = {
        n: sketch > colour
        for n, (colour, sketch) in ((n, one.chroma) for n, one in stats.items())
        if max(colour, sketch) > GREY + 2 * min(colour, sketch)  # clearly one colourful, one not
    }
    most = sum(ways.values()) > len(ways) / 2
    note = {"swapped": "sketch and colours have changed places"}
    return most, {n: note for n, way in ways.items() if way != most and len(ways) > 1}


def _mismatched(stats: dict[int, SampleStats]) -> dict[int, dict[str, str]]:
    """Pairs whose halves agree hardly better than with those of other pairs."""
    judged = {n: one for n, one in stats.items() if one.others is not None}
    if len(judged) < ENOUGH:
        return {}
    own = np.array([one.own for one in judged.values()])
    others = np.array([one.others for one in judged.values()])
    usual, control = float(np.median(own)), float(np.nanquantile(others, 0.95))
    limit = control + max(0.0, usual - control) / 4
    text = "the halves agree by {:.2f}; usual here is {:.2f}, 95 % of controls are below {:.2f}"
    return {
        n: {"mismatched": text.format(one.own, usual, control)}
        for n, one in judged.items()
        if one.own < limit
    }


def _parts(splits: Splits, fingerprints: Fingerprints) -> dict[str, np.ndarray]:
    """The numbers of each split's samples that have a hash."""
    parts, start = {}, 0
    for split, items in splits.items():
        numbers = range(start, start + len(items))
        hashed = [n for n in numbers if n in fingerprints]
        parts[split] = np.array(hashed, np.int64)
        start += len(items)
    return parts


def _duplicate_kinds(duplicates: list[Duplicate]) -> list[tuple[tuple[str, str], bool]]:
    return list(dict.fromkeys((one.splits, one.exact) for one in duplicates))


def _row(one: Duplicate) -> str:
    return f"{one.first} = {one.second}" + ("" if one.exact else f" ({one.distance} bits)")


def _block(headline: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    more = [f"  ... and {len(rows) - ROWS_SHOWN} more"] if len(rows) > ROWS_SHOWN else []
    return [f"{headline}:", *(f"  {row}" for row in rows[:ROWS_SHOWN]), *more]


def _advice(source: Source) -> str:
    said = "the sketch is more colourful than the colours"
    if source.kind == "two_folders":
        return f"{said}: pass data.colours and data.sketches the other way round."
    side = "right" if source.colour_side == "left" else "left"
    return f"{said}: pass data.colour_side={side}."


def _blank(file: FileStats) -> bool:
    return "blank_sketches" in file.notes


def _common(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _evenly(items: list[Item], count: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[int(place)] for place in places.round()]

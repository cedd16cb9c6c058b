"""Looks at a data set before hours are spent on it: bad files, swapped halves, strangers, twins.

    report = inspect(source, source.find(0.1, seed=0), workers=4)
    print(report_text(report))
    json.dumps(dataclasses.asdict(report))

Each sample is decoded once and reduced to a few hundred bytes, so memory does not grow with pixels.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from sketch2paint.data.duplicates import Mark, Twins, find_twins, perceptual_bits
from sketch2paint.data.sources import Item, Source, Splits
from sketch2paint.images.convert import grid, on_square, to_float

SHOWN = 20  # file names under one heading of the text
CELL = 128  # of the contact sheet
SHEET = 24  # samples on it
CHEAP = 32  # samples that train.py looks at
STRANGERS = 16  # samples that every pair is compared with
ENOUGH = 4  # pairs below which nobody can say what is usual
SMALL = 64  # structure, colourfulness and hash are judged at this size
SKETCHED = ("pairs", "two_folders")  # kinds of source that have sketches
LARGE = 25_000_000  # pixels; larger pictures are decoded one at a time
GREY = 4.0  # colourfulness (0..255) of a half that has no colours
BLANK_COLOUR, BLANK_SKETCH = 8, 24  # range of values (0..255) below which there is nothing to see

HEADINGS = {
    "bad_files": "cannot be used",
    "animated": "have several frames; the first one is used",
    "very_large": f"have more than {LARGE / 1e6:.0f} million pixels and are slow to decode",
    "swapped": "have their halves the other way round than the rest",
    "blank_sketches": "have a blank sketch",
    "blank_colours": "have blank colours",
    "mismatched": "have a sketch that does not seem to belong to the colours",
}

_one_at_a_time = Lock()


@dataclass(frozen=True)
class Report:
    """What `inspect` found; `dataclasses.asdict` of it goes through JSON.

    Args:
        counts: samples of each split.
        sizes: samples of each "WxH" (of a half, upright), the most common first.
        modes: files of each PIL mode.
        formats: files of each format.
        swapped_set: the sketch half is the colourful one in most pairs.
        advice: what to do about that.
        faults: for each key of HEADINGS the names of the samples, each with a note.
        leaks: twins in different splits, copies of the same bytes first.
        duplicates: twins within a split.
    """

    counts: dict[str, int]
    sizes: dict[str, int]
    modes: dict[str, int]
    formats: dict[str, int]
    swapped_set: bool
    advice: str
    faults: dict[str, dict[str, str]]
    leaks: list[Twins]
    duplicates: list[Twins]


class Strangers(NamedTuple):
    """A few samples whose halves every other pair is compared with."""

    items: list[Item]
    colours: np.ndarray  # (K, SMALL * SMALL) normalised edges
    sketches: np.ndarray


class Look(NamedTuple):
    """What is kept of a decoded sample."""

    size: str
    chroma: tuple[float, float]  # of the colours and of the sketch
    blank: tuple[bool, bool]
    own: float  # agreement of the halves, -1..1
    others: np.ndarray | None  # (2K,) agreement of each half with those of strangers
    mark: Mark | None  # of the colours


class Facts(NamedTuple):
    modes: list[str]
    formats: list[str]
    notes: dict[str, str]  # by key of HEADINGS
    look: Look | None


def inspect(source: Source, splits: Splits, workers: int) -> Report:
    """Decode every sample once and tell what is wrong with the set.

    Args:
        source: that the samples are of.
        splits: the samples of each split.
        workers: threads that decode.
    """
    items = [item for split in splits.values() for item in split]
    facts = _all_facts(source, items, workers)
    names = [source.name_of(item) for item in items]
    looks = {n: fact.look for n, fact in enumerate(facts) if fact.look}
    swapped_set, swapped = _swapped(looks)
    notes = [fact.notes for fact in facts]
    for n, note in [*swapped.items(), *_mismatched(looks).items()]:
        notes[n] |= note
    marks = {n: look.mark for n, look in looks.items() if look.mark}
    leaks, duplicates = find_twins(items, names, _parts(splits, marks), marks)
    noted = list(zip(names, notes, strict=True))
    return Report(
        counts={split: len(found) for split, found in splits.items()},
        sizes=_common(look.size for look in looks.values()),
        modes=_common(mode for fact in facts for mode in fact.modes),
        formats=_common(form for fact in facts for form in fact.formats),
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
    with _large_pictures(), ThreadPoolExecutor(8) as pool:
        strangers = _strangers(source, items, pool, count=CHEAP)
        found = list(pool.map(partial(_facts, source, strangers, hashed=False), items))
    looks = {n: fact.look for n, fact in enumerate(found) if fact.look}
    swapped_set, _ = _swapped(looks)
    blank = [source.name_of(item) for item, f in zip(items, found, strict=True) if _blank(f)]
    strange, of = len(_mismatched(looks)), len(looks)
    said = [f"In most of {of} pairs {_advice(source)}"] if swapped_set else []
    if blank:
        said.append(f"{len(blank)} of {of} sketches are blank, among them {blank[0]}.")
    if strange > of / 2:
        said.append(f"In {strange} of {of} pairs the sketch does not seem to be of the colours.")
    return [f"{text} Look with: python prepare.py data=... check=true" for text in said]


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
    for splits, exact in _twin_kinds(report.leaks):
        rows = [_row(t) for t in report.leaks if t.splits == splits and t.exact == exact]
        kind = "the same file" if exact else "nearly the same colours"
        lines += _block(f"LEAK: {len(rows)} times {kind} in {splits[0]} and {splits[1]}", rows)
    for key, notes in report.faults.items():
        rows = [f"{name}: {note}" if note else name for name, note in notes.items()]
        lines += _block(f"{len(rows)} {HEADINGS[key]}", rows)
    for splits, exact in _twin_kinds(report.duplicates):
        rows = [_row(t) for t in report.duplicates if t.splits == splits and t.exact == exact]
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
            with _large_pictures():
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


def _all_facts(source: Source, items: list[Item], workers: int) -> list[Facts]:
    with _large_pictures(), ThreadPoolExecutor(max(1, workers)) as pool:
        strangers = _strangers(source, items, pool)
        found = pool.map(partial(_facts, source, strangers), items)
        return list(tqdm(found, total=len(items), unit=" samples", disable=None, leave=False))


def _facts(source: Source, strangers: Strangers, item: Item, hashed: bool = True) -> Facts:
    facts = Facts([], [], {}, None)
    try:
        for path in item:
            _read_header(path, facts)
        with _one_at_a_time if "very_large" in facts.notes else nullcontext():
            colour, sketch = source.halves(item)
            # Decoding a PNG does not check its sums.
            if "PNG" in facts.formats and (problem := source.problem(item)):
                raise ValueError(problem)
            look = _look(colour, sketch, item, strangers, hashed)
    except Exception as error:  # as in images.read_rgb: a damaged file may raise anything
        facts.notes["bad_files"] = str(error).removeprefix(f"{item[0]}: ")
        return facts
    for key, blank in zip(("blank_colours", "blank_sketches"), look.blank, strict=True):
        if blank:
            facts.notes[key] = ""
    return facts._replace(look=look)


def _read_header(path: Path, facts: Facts) -> None:
    with Image.open(path) as picture:
        facts.modes.append(picture.mode)
        facts.formats.append(str(picture.format))
        if picture.width * picture.height > LARGE:
            facts.notes["very_large"] = f"{picture.width}x{picture.height}"
        if getattr(picture, "is_animated", False):
            facts.notes["animated"] = f"{getattr(picture, 'n_frames', 'several')} frames"


def _look(
    colour: np.ndarray,
    sketch: np.ndarray | None,
    item: Item,
    strangers: Strangers,
    hashed: bool,
) -> Look:
    small = _reduced(colour, SMALL)
    blank = _contrast(small) < BLANK_COLOUR
    look = Look(
        size=f"{colour.shape[1]}x{colour.shape[0]}",
        chroma=(_chroma(small), 0.0),
        blank=(blank, False),
        own=1.0,
        others=None,
        mark=Mark(perceptual_bits(small), _reduced(small, 8)) if hashed and not blank else None,
    )
    return look if sketch is None else _with_sketch(look, small, sketch, item, strangers)


def _with_sketch(
    look: Look, small: np.ndarray, sketch: np.ndarray, item: Item, strangers: Strangers
) -> Look:
    lines = _reduced(sketch, SMALL)
    chroma = (look.chroma[0], _chroma(lines))
    faint = _contrast(lines) < BLANK_SKETCH  # one thin line may be; at full size it is dark
    blank = (look.blank[0], faint and _contrast(sketch) < BLANK_SKETCH)
    if any(blank):
        return look._replace(chroma=chroma, blank=blank)
    edges, drawn = _edges(small), _edges(lines)
    others = np.concatenate([strangers.sketches @ edges, strangers.colours @ drawn])
    others[[stranger == item for stranger in strangers.items] * 2] = np.nan
    return look._replace(chroma=chroma, blank=blank, own=float(edges @ drawn), others=others)


def _strangers(
    source: Source, items: list[Item], pool: ThreadPoolExecutor, count: int = STRANGERS
) -> Strangers:
    """Edges of a few evenly chosen pairs; unreadable and blank ones are left out."""
    chosen = _evenly(items, count) if source.kind in SKETCHED else []
    edges = pool.map(partial(_both_edges, source), chosen)
    found = [(item, both) for item, both in zip(chosen, edges, strict=True) if both is not None]
    both = np.array([both for _, both in found], np.float32).reshape(-1, 2, SMALL * SMALL)
    return Strangers([item for item, _ in found], both[:, 0], both[:, 1])


def _both_edges(source: Source, item: Item) -> np.ndarray | None:
    """(2, SMALL * SMALL) edges of the colours and the sketch; None where either has none."""
    header = Facts([], [], {}, None)
    try:
        for path in item:
            _read_header(path, header)
        if "very_large" in header.notes:  # several at a time could fill the memory
            return None
        halves = [half for half in source.halves(item) if half is not None]
    except Exception:  # the pass over all samples tells it
        return None
    edges = np.stack([_edges(_reduced(half, SMALL)) for half in halves])
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


def _swapped(looks: dict[int, Look]) -> tuple[bool, dict[int, dict[str, str]]]:
    """Whether most pairs are the wrong way round, and those that differ from the rest."""
    ways = {
        n: sketch > colour
        for n, (colour, sketch) in ((n, look.chroma) for n, look in looks.items())
        if max(colour, sketch) > GREY + 2 * min(colour, sketch)  # clearly one colourful, one not
    }
    most = sum(ways.values()) > len(ways) / 2
    note = {"swapped": "sketch and colours have changed places"}
    return most, {n: note for n, way in ways.items() if way != most and len(ways) > 1}


def _mismatched(looks: dict[int, Look]) -> dict[int, dict[str, str]]:
    """Pairs whose halves agree hardly better than those of strangers do."""
    judged = {n: look for n, look in looks.items() if look.others is not None}
    if len(judged) < ENOUGH:
        return {}
    own = np.array([look.own for look in judged.values()])
    others = np.array([look.others for look in judged.values()])
    usual, strange = float(np.median(own)), float(np.nanquantile(others, 0.95))
    limit = strange + max(0.0, usual - strange) / 4
    text = "the halves agree by {:.2f}; usual here is {:.2f}, 95 % of strangers are below {:.2f}"
    return {
        n: {"mismatched": text.format(look.own, usual, strange)}
        for n, look in judged.items()
        if look.own < limit
    }


def _parts(splits: Splits, marks: dict[int, Mark]) -> dict[str, np.ndarray]:
    """The numbers of each split's samples that have a hash."""
    parts, start = {}, 0
    for split, items in splits.items():
        numbers = range(start, start + len(items))
        hashed = [n for n in numbers if n in marks]
        parts[split] = np.array(hashed, np.int64)
        start += len(items)
    return parts


def _twin_kinds(twins: list[Twins]) -> list[tuple[tuple[str, str], bool]]:
    return list(dict.fromkeys((twin.splits, twin.exact) for twin in twins))


def _row(twin: Twins) -> str:
    return f"{twin.first} = {twin.second}" + ("" if twin.exact else f" ({twin.distance} bits)")


def _block(headline: str, rows: Sequence[str]) -> list[str]:
    if not rows:
        return []
    more = [f"  ... and {len(rows) - SHOWN} more"] if len(rows) > SHOWN else []
    return [f"{headline}:", *(f"  {row}" for row in rows[:SHOWN]), *more]


def _advice(source: Source) -> str:
    said = "the sketch is more colourful than the colours"
    if source.kind == "two_folders":
        return f"{said}: pass data.colours and data.sketches the other way round."
    side = "right" if source.colour_side == "left" else "left"
    return f"{said}: pass data.colour_side={side}."


def _blank(facts: Facts) -> bool:
    return "blank_sketches" in facts.notes


def _common(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _evenly(items: list[Item], count: int) -> list[Item]:
    places = np.linspace(0, len(items) - 1, min(count, len(items)))
    return [items[int(place)] for place in places.round()]


@contextmanager
def _large_pictures() -> Iterator[None]:
    """Silence Pillow's warning at 89 million pixels; at twice that it raises, which is reported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield

"""Samples decoded and resized once into one memory-mapped uint8 file.

A cache is a folder with

    pictures.u8  all pictures back to back, each (h, w, c) uint8, row-major, without a header
    index.json   written last: while it is missing, nobody reads pictures.u8
    journal      of an unfinished run: what it makes, then the shapes of each finished chunk
    lock         held by the process that builds
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property, partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from sketch2paint.data.sources import Item, Source, Splits
from sketch2paint.files import locked, written_beside

INDEX_VERSION = 2  # 1: pictures of deep or odd grey were read wrongly
PICTURES, INDEX, JOURNAL, LOCK = "pictures.u8", "index.json", "journal", "lock"
CHUNK = 64  # pictures between two lines of the journal: what a kill can cost
PROBES = 4  # pictures of each split that are decoded to estimate the space

Fitting = Callable[[np.ndarray, str], np.ndarray]  # (picture, split) -> (h, w, c) uint8
Prepare = Callable[[str, Item], np.ndarray]
Shape = list[int]
Plain = dict[str, Any]  # what JSON can hold


class Pictures:
    """The pictures of a split: `pictures[i]` is a read-only (h, w, c) uint8 view of the file.

    Pickled, it is a path and two arrays; the file is mapped again at the first access.

    Args:
        path: The file pictures.u8.
        offsets: Places (N,) int64 at which the pictures begin in the file.
        shapes: Height, width and channels of each picture, (N, 3) int64.
    """

    def __init__(self, path: Path, offsets: np.ndarray, shapes: np.ndarray) -> None:
        self.path, self.offsets, self.shapes = path, offsets, shapes
        self._stamp = _stamp(path)
        _ = self._bytes  # forked workers share this mapping, even if the cache is made anew

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, index: int) -> np.ndarray:
        height, width, channels = self.shapes[index].tolist()
        start = int(self.offsets[index])
        end = start + height * width * channels
        return self._bytes[start:end].reshape(height, width, channels)

    @cached_property
    def _bytes(self) -> np.ndarray:
        if not self.path.exists() or _stamp(self.path) != self._stamp:
            raise ValueError(f"{self.path}: it was prepared anew while in use. Start again.")
        return np.memmap(self.path, np.uint8, "r").view(np.ndarray)  # memmap slices are slow

    def __getstate__(self) -> Plain:
        return {name: value for name, value in vars(self).items() if name != "_bytes"}


def cache_path(cache_dir: Path | str, source: Source) -> Path:
    """Where the cache of a source lies: `<cache_dir>/<name of the folder>-<key>`.

    One for each source, whatever the parameters: another size replaces it instead of filling the
    disk, and `changes` says so.

    Args:
        cache_dir: Folder of all caches.
        source: Source of the pictures.
    """
    key = _digest([source.kind, *(str(folder.resolve()) for folder in source.folders)])[:8]
    return Path(cache_dir) / f"{source.root.resolve().name[:50]}-{key}"


def changes(path: Path, *, source: Source, splits: Splits, parameters: Plain) -> list[str]:
    """What differs between a cache and its source, in words; one os.stat for each file.

    Returns:
        [] where the cache is there and fresh.
    """
    try:
        index = _read_index(path)
    except ValueError as error:
        return [str(error)]
    was, now = index["parameters"], _all_parameters(source, parameters)
    found = [
        f"made for {key} {was.get(key, 'unset')}, now {now.get(key, 'unset')}"
        for key in now | was
        if was.get(key) != now.get(key)
    ]
    try:
        files = _file_rows(source, splits)
    except OSError as error:  # a link to nowhere, or gone since: `checked` reports it with the rest
        return [*found, f"{error.filename}: {error.strerror}"]
    if index["files"] != files:
        found.append(_difference(index["files"], files))
    return found


def open_cache(path: Path) -> dict[str, Pictures]:
    """Open a cache without looking at its source.

    Returns:
        The pictures of each split, in the order of the samples that `build` was given.

    Raises:
        ValueError: no cache there, a truncated one, or one of another version.
    """
    try:
        shapes = _read_index(path)["shapes"]
    except ValueError as error:
        raise ValueError(f"{path}: {error}. Run prepare.py for it.") from error
    opened, start = {}, 0
    for split, table in shapes.items():
        ends = start + np.cumsum(table.prod(axis=1))
        opened[split] = Pictures(path / PICTURES, np.r_[start, ends[:-1]], table)
        start = int(ends[-1])
    return opened


def build(
    path: Path,
    *,
    source: Source,
    splits: Splits,
    fit: Fitting,
    parameters: Plain,
    workers: int,
) -> None:
    """Fill a cache, or finish what an interrupted run began; a fresh one is left as it is.

    Threads, not processes: Pillow and OpenCV work outside the GIL, and a process takes seconds
    to import torch. Memory holds a few pictures for each worker.

    Args:
        path: Folder of the cache.
        source: Source that reads the samples.
        splits: Samples of each split.
        fit: Function that resizes, (picture, split) -> (h, w, c) uint8; its settings are in
            `parameters`.
        parameters: Plain data, all that changes the pixels.
        workers: Number of threads.

    Raises:
        OSError: not enough space, before the start or in the middle.
        ValueError: a file that cannot be decoded; the message names it.
    """
    path.mkdir(parents=True, exist_ok=True)
    with locked(path / LOCK), ThreadPoolExecutor(workers) as pool:
        if not changes(path, source=source, splits=splits, parameters=parameters):
            return
        (path / INDEX).unlink(missing_ok=True)  # first: from here on nothing looks whole
        parameters, files = _all_parameters(source, parameters), _file_rows(source, splits)
        shapes = _resume(path, _digest([INDEX_VERSION, parameters, *files.items()]))
        prepare = partial(_prepare, source, fit)
        _check_space(path, splits, prepare, _volume(shapes))
        work = [(split, item) for split, items in splits.items() for item in items]
        pictures = _in_order(pool, prepare, work[len(shapes) :], 4 * workers)
        shapes += _append(path, pictures, len(work), len(shapes))
        numbers = chain(*shapes)  # flat lists: a list for each picture would load ten times slower
        index = {
            "version": INDEX_VERSION,
            "parameters": parameters,
            "shapes": {k: list(islice(numbers, 3 * len(items))) for k, items in splits.items()},
            "files": files,
        }
        with written_beside(path / INDEX) as beside:
            beside.write_text(json.dumps(index))
        (path / JOURNAL).unlink()


def _prepare(source: Source, fit: Fitting, split: str, item: Item) -> np.ndarray:
    try:
        picture = fit(source.read(item), split)
    except Exception as error:
        if isinstance(error, ValueError) and any(str(path) in str(error) for path in item):
            raise  # it names the file already
        raise ValueError(f"{item[0]}: cannot be prepared, got: {error!r}.") from error
    if picture.dtype != np.uint8 or picture.ndim != 3:
        got = f"{picture.shape} {picture.dtype}"
        raise ValueError(f"{item[0]}: expected (h, w, c) uint8 from `fit`, got {got}.")
    return picture


def _in_order(
    pool: ThreadPoolExecutor, function: Prepare, calls: Iterable[tuple[str, Item]], ahead: int
) -> Iterator[np.ndarray]:
    """Results in the order of the calls, with no more than `ahead` of them waiting."""
    waiting: deque[Future[np.ndarray]] = deque()
    for arguments in calls:
        if len(waiting) == ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(function, *arguments))
    while waiting:
        yield waiting.popleft().result()


def _append(path: Path, pictures: Iterator[np.ndarray], total: int, done: int) -> list[Shape]:
    """Write pictures behind those that are there, chunk by chunk; their shapes."""
    shapes: list[Shape] = []
    bar = tqdm(pictures, path.name, total, initial=done, unit="picture", disable=None)
    decoded = iter(bar)
    try:
        with bar, open(path / PICTURES, "ab") as data, open(path / JOURNAL, "a") as journal:
            while chunk := [_write(data, picture) for picture in islice(decoded, CHUNK)]:
                data.flush()
                os.fsync(data.fileno())  # the journal must not know more than the disk
                journal.write(f"{json.dumps(chunk)}\n")
                journal.flush()
                shapes += chunk
    except OSError as error:
        raise OSError(
            error.errno,
            f"{path}: stopped after {done + len(shapes)} of {total} pictures: {error.strerror}. "
            "Free space and start again, it continues; or delete the folder.",
        ) from error
    return shapes


def _write(data: BinaryIO, picture: np.ndarray) -> Shape:
    data.write(np.ascontiguousarray(picture).data)
    return list(picture.shape)


def _resume(path: Path, plan: str) -> list[Shape]:
    """The shapes of the pictures that an interrupted run left, its files cut to whole chunks."""
    data, journal = path / PICTURES, path / JOURNAL
    lines = journal.read_text().split("\n")[:-1] if journal.exists() else []  # [-1] is not whole
    chunks = [json.loads(line) for line in lines[1:]] if lines[:1] == [plan] else []
    while chunks and _volume(chain(*chunks)) > data.stat().st_size:
        chunks.pop()
    shapes = list(chain(*chunks))
    if shapes:
        print(f"{path}: going on after {len(shapes)} pictures.", flush=True)
        os.truncate(data, _volume(shapes))
        os.truncate(journal, sum(len(line) + 1 for line in lines[: len(chunks) + 1]))
        return shapes
    if len(lines) > 1:
        print(f"{path}: an interrupted run left what cannot be used; starting anew.", flush=True)
    data.unlink(missing_ok=True)  # never cut to nothing: a training may still have it mapped
    journal.write_text(f"{plan}\n")
    return []


def _check_space(path: Path, splits: Splits, prepare: Prepare, there: int) -> None:
    """Raise OSError if the pictures will not fit on the disk; exact where all shapes are equal."""
    needed = -there
    for split, items in splits.items():
        probes = items[:: -(-len(items) // PROBES)]
        sizes = [prepare(split, item).nbytes for item in probes]
        needed += round(sum(sizes) / len(sizes) * len(items))
    free = shutil.disk_usage(path).free
    if needed > free:
        count = sum(map(len, splits.values()))
        raise OSError(
            f"{path}: expected {needed / 1e9:.3f} GB of free space for {count} pictures, got "
            f"{free / 1e9:.3f} GB. Free space, or choose another cache_dir or a smaller size."
        )


def _read_index(path: Path) -> Plain:
    """The index with an (N, 3) array of shapes for each split.

    Raises:
        ValueError: it or its pictures cannot be used, in the words of `changes`.
    """
    try:
        index = json.loads((path / INDEX).read_text())
        length = (path / PICTURES).stat().st_size
    except FileNotFoundError:
        raise ValueError("no cache") from None
    except ValueError:
        raise ValueError(f"{INDEX} is damaged") from None
    if index.get("version") != INDEX_VERSION:
        raise ValueError("written by another version")
    tables = {k: np.array(flat, np.int64).reshape(-1, 3) for k, flat in index["shapes"].items()}
    if length < sum(int(table.prod(axis=1).sum()) for table in tables.values()):
        raise ValueError(f"{PICTURES} is shorter than its index says (truncated)")
    return {**index, "shapes": tables}


def _difference(was: dict[str, list[str]], now: dict[str, list[str]]) -> str:
    """In words: "3 files added, 1 changed, 2 removed (first: a/b.png)"."""
    old, new = _by_name(was), _by_name(now)
    groups = {
        "added": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and new[name] != old[name]],
        "removed": [name for name in old if name not in new],
    }
    counts = [f"{len(names)} {what}" for what, names in groups.items() if names]
    if not counts:
        return "the same files in other splits or another order"
    counts[0] = counts[0].replace(" ", " file " if counts[0].startswith("1 ") else " files ")
    first = next(names[0] for names in groups.values() if names)
    return f"{', '.join(counts)} (first: {first[1]})"


def _by_name(files: dict[str, list[str]]) -> dict[tuple[str, str], str]:
    rows = (file.split(" ", 3) for split in files.values() for file in split)
    return {(folder, name): f"{size} {changed}" for folder, size, changed, name in rows}


def _file_rows(source: Source, splits: Splits) -> dict[str, list[str]]:
    """A row for each file: "<number of its folder> <size> <mtime_ns> <relative name>"."""

    def row(number: int, path: Path) -> str:
        size, changed = _stamp(path)
        return f"{number} {size} {changed} {path.relative_to(source.folders[number]).as_posix()}"

    return {
        split: [row(number, path) for item in items for number, path in enumerate(item)]
        for split, items in splits.items()
    }


def _all_parameters(source: Source, parameters: Plain) -> Plain:
    own = {"kind": source.kind, "colour_side": source.colour_side}
    return json.loads(json.dumps({**own, **parameters}))  # tuples become lists, as in the index


def _stamp(path: Path) -> list[int]:
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


def _volume(shapes: Iterable[Shape]) -> int:
    return sum(height * width * channels for height, width, channels in shapes)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

"""Files in, files out: reading, painting and writing at the same time; what was done."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NamedTuple

import numpy as np
from tqdm import tqdm

from sketch2paint.arguments import one_of
from sketch2paint.device import shared_threads, thread_count
from sketch2paint.files import written_beside
from sketch2paint.hints.format import Hints, read_hints
from sketch2paint.images.convert import on_square
from sketch2paint.images.formats import left_out_text
from sketch2paint.images.io import (
    MAX_PIXELS,
    Picture,
    declared_pixels,
    encoded,
    read_picture,
    write_picture,
)
from sketch2paint.images.layer import Layer, flat_layers, opaque, soft_layers
from sketch2paint.images.openraster import write_openraster
from sketch2paint.images.psd import write_psd
from sketch2paint.inference.jobs import STDIO, Job
from sketch2paint.inference.picture_painter import Painted, PicturePainter
from sketch2paint.inference.scans import is_coloured

BATCH_PIXELS = 2**23  # in a batch; at most some eight batches are in memory, 10 bytes for a pixel
IfColoured = Literal["skip", "paint"]
Status = Literal["done", "kept", "skipped", "failed"]
AHEAD = 2  # batches being read while others are painted
CELL = 320  # pixels of a side for each picture on the sheet of variations
COMPARE_GAP = 16  # white pixels between input and output in NAME.compare.png
THREADS = 8  # reading and writing; more wait for Python


@dataclass(frozen=True)
class Outcome:
    """What became of a picture.

    Attributes:
        job: Job of the picture.
        status: Result: done | kept (it was there already) | skipped | failed.
        seconds: Time that its batch was painted, shared out equally.
        size: Size as (width, height).
        notes: Remarks on what was done to it or left out.
        used: Colours of the palette that it has, as "#rrggbb".
        error: Reason why it failed, with the file's name.
    """

    job: Job
    status: Status
    _: KW_ONLY
    seconds: float = 0.0
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    error: str | None = None


class Page(NamedTuple):
    """A picture as it was read, and the colours that a person gave for it."""

    picture: Picture
    hints: Hints | None


class Reading(NamedTuple):
    """A batch that is being read.

    Attributes:
        pictures: Jobs, each with its picture to be, or what became of it without painting.
        pixels: Number of pixels in all, as the headers say.
        last: Whether no other batch follows.
    """

    pictures: list[tuple[Job, Future[Page | Outcome]]]
    pixels: int
    last: bool = False


class Colouring(NamedTuple):
    """A picture that has been painted, to be written.

    Attributes:
        job: Job of the picture.
        picture: Picture as it was read.
        painted: Result, or why there is none.
        seconds: Time that its batch was painted, shared out equally.
    """

    job: Job
    picture: Picture
    painted: Painted | str
    seconds: float


def paint_missing(
    painter: PicturePainter,
    *,
    jobs: Sequence[Job],
    batch_size: int | str = "auto",
    overwrite: bool = False,
    coloured: IfColoured = "paint",
    quality: int = 92,
    max_pixels: int = MAX_PIXELS,
) -> tuple[list[Outcome], int]:
    """Paint what is not there yet, with a progress bar, till a signal; see `paint_files`.

    Args:
        batch_size: Number of pictures at once, or auto: 32 on a GPU, 8 on a CPU, which gains
            nothing by more.

    Returns:
        What became of the pictures, and the number of the signal that ended it, or 0.
    """
    if isinstance(batch_size, str):
        batch_size = 8 if painter.on_cpu else 32
    if painter.task.lightness:  # a photograph is given in colour as well
        coloured = "paint"
    todo = [job for job in jobs if overwrite or job.problem() or job.missing()]
    kept = {job.source for job in jobs} - {job.source for job in todo}
    outcomes = [Outcome(job, "kept") for job in jobs if job.source in kept]
    with Stop() as stop, tqdm(total=len(todo), unit="picture", disable=None) as bar:
        for outcome in paint_files(
            painter,
            jobs=todo,
            batch_size=batch_size,
            overwrite=overwrite,
            coloured=coloured,
            quality=quality,
            max_pixels=max_pixels,
            stopped=lambda: bool(stop.signum),
        ):
            outcomes.append(outcome)
            bar.update()
    return outcomes, stop.signum


def paint_files(
    painter: PicturePainter,
    *,
    jobs: Iterable[Job],
    batch_size: int,
    overwrite: bool = False,
    coloured: IfColoured = "paint",
    quality: int = 92,
    max_pixels: int = MAX_PIXELS,
    stopped: Callable[[], bool] = bool,
) -> Iterator[Outcome]:
    """Paint pictures, read and written by threads meanwhile; memory is bounded.

    Args:
        painter: Painter, or what processes sketches as it does.
        jobs: Jobs, each a picture to paint.
        batch_size: Number of pictures at once, fewer where they are large.
        overwrite: Whether files that are there are replaced; else only missing ones are written.
        coloured: Treatment of pictures that are in colour already: skip | paint.
        quality: Quality of JPEG and WebP, 1 to 100.
        max_pixels: Largest number of pixels; a picture of more fails.
        stopped: Function asked before each batch; what is painted by then is written.

    Yields:
        What became of each, in the order of the jobs; one that fails leaves the others alone.

    Raises:
        ValueError: `coloured` is another word.
    """
    one_of("coloured", coloured, IfColoured)
    read = partial(_read, coloured=coloured, max_pixels=max_pixels)
    write = partial(_write, overwrite=overwrite, quality=quality)
    # On a CPU two batches at a time on half of the threads each: none waits for the others.
    at_once = 2 if painter.on_cpu and thread_count() > 1 else 1
    with _file_threads() as files, shared_threads(at_once) as painters:
        reading = _read_ahead(_batches(jobs, batch_size), files, read, stopped)
        painted = _paint_in_turn(reading, painters, painter, at_once)
        yield from _write_behind(painted, files, write)


@contextmanager
def _file_threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that read and write; what is waiting at the end is cancelled."""
    pool = ThreadPoolExecutor(min(THREADS, os.cpu_count() or 1) + 1)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _read_ahead(
    batches: Iterator[tuple[int, list[Job]]],
    pool: ThreadPoolExecutor,
    read: Callable[[Job], Page | Outcome],
    stopped: Callable[[], bool],
) -> Iterator[Reading]:
    """Begin to read AHEAD batches before their turn, till it is stopped."""
    waiting: deque[Reading] = deque()
    while not stopped():
        for pixels, jobs in islice(batches, AHEAD + 1 - len(waiting)):
            waiting.append(Reading([(job, pool.submit(read, job)) for job in jobs], pixels))
        if not waiting:
            return
        yield waiting.popleft()._replace(last=not waiting)
    for batch in waiting:
        for _job, picture in batch.pictures:
            picture.cancel()  # or the last files would wait for it


def _paint_in_turn(
    batches: Iterator[Reading], pool: ThreadPoolExecutor, painter: PicturePainter, at_once: int
) -> Iterator[list[Colouring | Outcome]]:
    """Paint `at_once` batches at a time, but a large picture or an only batch on all threads."""
    painting: deque[Future[list[Colouring | Outcome]]] = deque()
    for batch in batches:
        alone = batch.pixels > BATCH_PIXELS or batch.last and not painting
        while painting and (alone or len(painting) > at_once):
            yield painting.popleft().result()
        if alone:
            yield _paint_batch(painter, batch)
        else:
            painting.append(pool.submit(_paint_batch, painter, batch))
    while painting:
        yield painting.popleft().result()


def _write_behind(
    batches: Iterator[list[Colouring | Outcome]],
    pool: ThreadPoolExecutor,
    write: Callable[[Colouring | Outcome], Outcome],
) -> Iterator[Outcome]:
    """Write each batch while the one behind it is painted."""
    before: list[Future[Outcome]] = []
    for batch in batches:
        writing = [pool.submit(write, one) for one in batch]
        del batch  # or its pictures would stay till the next one is painted
        yield from (future.result() for future in before)
        before = writing
    yield from (future.result() for future in before)


def _batches(jobs: Iterable[Job], batch_size: int) -> Iterator[tuple[int, list[Job]]]:
    """At most `batch_size` jobs and, but for a single one, BATCH_PIXELS by their headers."""
    batch: list[Job] = []
    total = 0
    for job in jobs:
        pixels = 0 if job.source == STDIO else declared_pixels(job.source)
        if batch and (len(batch) == batch_size or total + pixels > BATCH_PIXELS):
            yield total, batch
            batch, total = [], 0
        batch.append(job)
        total += pixels
    if batch:
        yield total, batch


def _paint_batch(painter: PicturePainter, batch: Reading) -> list[Colouring | Outcome]:
    """Paint the pictures of a batch once they are read; what failed or is skipped goes along."""
    read = [(job, picture.result()) for job, picture in batch.pictures]
    painted, seconds = _paint(painter, [page for _, page in read if isinstance(page, Page)])
    results = iter(painted)
    return [
        found
        if isinstance(found, Outcome)
        else Colouring(job, found.picture, next(results), seconds)
        for job, found in read
    ]


def _read(job: Job, coloured: IfColoured, max_pixels: int) -> Page | Outcome:
    if problem := job.problem():
        return Outcome(job, "failed", error=problem)
    try:
        picture = read_picture(job.source, max_pixels)
        hints = read_hints(job.hints) if job.hints else None
    except (ValueError, OSError) as error:
        return Outcome(job, "failed", error=str(error))
    if coloured == "skip" and is_coloured(picture.rgb):
        height, width = picture.rgb.shape[:2]
        return Outcome(job, "skipped", size=(width, height), notes=("in colour already",))
    return Page(picture, hints)


def _paint(painter: PicturePainter, pages: list[Page]) -> tuple[list[Painted | str], float]:
    """Paint a batch, or each alone where the batch fails; what was wrong; and seconds for one."""
    start = time.perf_counter()
    painted: list[Painted | str] = []
    try:
        sketches = [page.picture.rgb for page in pages]
        hints = [page.hints for page in pages]
        painted += painter.process(sketches, hints) if pages else []
    except (ValueError, RuntimeError, MemoryError) as error:  # RuntimeError: torch's, of memory
        if len(pages) == 1:
            painted = [str(error) or type(error).__name__]
        else:
            painted = [_paint(painter, [page])[0][0] for page in pages]
    return painted, (time.perf_counter() - start) / max(1, len(pages))


def _write(one: Colouring | Outcome, overwrite: bool, quality: int) -> Outcome:
    """Write the files of a painted picture; what became of another one is known."""
    if isinstance(one, Outcome):
        return one
    job, picture, painted, seconds = one
    if isinstance(painted, str):
        return Outcome(job, "failed", error=f"{job.source}: cannot be painted: {painted}")
    for kind in job.files if overwrite else job.missing():
        try:
            _write_kind(job, kind, picture, painted, quality)
        except (OSError, ValueError, MemoryError) as error:
            why = getattr(error, "strerror", None) or error
            return Outcome(job, "failed", error=f"{job.files[kind]}: cannot be written: {why}")
    height, width = painted.picture.shape[:2]
    notes = (*picture.notes, *painted.notes)
    size = (width, height)
    return Outcome(job, "done", seconds=seconds, size=size, notes=notes, used=painted.used)


def _write_kind(job: Job, kind: str, picture: Picture, painted: Painted, quality: int) -> None:
    path, dpi, exif, icc = job.files[kind], picture.dpi, picture.exif, picture.icc
    if kind in ("layers", "psd"):
        write = write_psd if kind == "psd" else write_openraster
        write(path, _layers(painted), merged=painted.picture, dpi=dpi)
    elif kind == "colours":
        write_picture(path, opaque(painted.colours), dpi=dpi, icc=icc)
    elif kind == "compare":
        gap = np.full((len(picture.rgb), COMPARE_GAP, 3), 255, np.uint8)
        write_picture(path, np.hstack([picture.rgb, gap, painted.picture]), icc=icc)
    elif kind == "sheet":
        write_picture(path, sheet([painted.picture, *painted.variations]), icc=icc)
    elif path == STDIO:
        data = encoded(painted.picture, job.suffix, quality=quality, dpi=dpi, exif=exif, icc=icc)
        assert sys.__stdout__ is not None
        sys.__stdout__.buffer.write(data)  # sys.stdout may stand for stderr meanwhile
        sys.__stdout__.buffer.flush()
    else:
        shown = painted.variations[int(kind) - 2] if kind.isdecimal() else painted.picture
        write_picture(path, shown, quality=quality, dpi=dpi, exif=exif, icc=icc)


def sheet(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (H, W, 3) uint8 of one size side by side and below each other, made smaller."""
    small = [on_square(picture, CELL) for picture in pictures]
    columns = math.ceil(math.sqrt(len(small)))
    small += [np.full_like(small[0], 255)] * (-len(small) % columns)
    rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    return np.vstack(rows)


def _layers(painted: Painted) -> Iterable[Layer]:
    if not painted.flat:
        return soft_layers(painted.colours, painted.lines)
    return flat_layers(painted.colours, lines=painted.lines)


class Stop:
    """Notes SIGINT and SIGTERM, so that painting can end in order; a second one ends at once.

    Attributes:
        signum: Number of the signal that came, or 0.
    """

    def __init__(self) -> None:
        self.signum = 0
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for signum in (signal.SIGINT, signal.SIGTERM):
            self._handlers[signum] = signal.signal(signum, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for signum, handler in self._handlers.items():
            signal.signal(signum, handler)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        self.__exit__()


def local_device(device: str, environment: Mapping[str, str]) -> str:
    """For device=auto the GPU of this process among those torchrun or srun started on its host."""
    rank = environment.get("LOCAL_RANK", environment.get("SLURM_LOCALID", ""))
    if device != "auto" or not rank.isdecimal():
        return device
    import torch

    if not torch.cuda.is_available():
        return device
    return f"cuda:{int(rank) % torch.cuda.device_count()}"  # srun may show each only its own


class Record:
    """predict.json in the output folder: what became of each picture, over all runs.

    Args:
        folder: Output folder.
        index: Number of this process, from 0; with others, each has its own predict.I-of-N.json.
        count: Number of processes.

    Raises:
        ValueError: the file that is there is something else.
    """

    def __init__(self, folder: Path, index: int = 0, count: int = 1) -> None:
        self.path = folder / (f"predict.{index}-of-{count}.json" if count > 1 else "predict.json")
        try:
            pictures = json.loads(self.path.read_text("utf-8"))["pictures"]
            self.entries: dict[str, Any] = {entry["output"]: entry for entry in pictures}
        except FileNotFoundError:
            self.entries = {}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path}: expected the record of an earlier predict.py, got {error!r}. "
                "Move it away."
            ) from error

    def write(
        self,
        outcomes: Iterable[Outcome],
        left_out: Mapping[Path, str] | None = None,
        style: Mapping[str, float] | None = None,
    ) -> None:
        """Add what became of some pictures; one that is kept keeps what an earlier run said.

        Args:
            outcomes: Outcomes of the pictures.
            left_out: Files among the inputs that were not painted, with words for their kind.
            style: Steps along named directions that the pictures were painted with.
        """
        for outcome in outcomes:
            output = outcome.job.picture.relative_to(self.path.parent).as_posix()
            if outcome.status == "kept" and self.entries.get(output, {}).get("status") == "done":
                continue
            self.entries[output] = {
                "input": str(outcome.job.source),
                "hints": outcome.job.hints and str(outcome.job.hints),
                "output": output,
                "status": outcome.status,
                "seconds": round(outcome.seconds, 4),
                "size": outcome.size,
                "warnings": outcome.notes,
                **({"palette": outcome.used} if outcome.used else {}),
                **({"style": style} if style and outcome.status == "done" else {}),
                "error": outcome.error,
            }
        with written_beside(self.path) as beside:
            others = [{"input": str(p), "kind": kind} for p, kind in (left_out or {}).items()]
            record = {"pictures": list(self.entries.values()), "left_out": others}
            text = json.dumps(record, indent=1)
            beside.write_text(text, "utf-8")


def summary(
    outcomes: Sequence[Outcome],
    *,
    output: str,
    mine: int,
    total: int,
    signum: int = 0,
    left_out: Mapping[Path, str] | None = None,
    orphans: Sequence[Path] = (),
    palette: Sequence[str] = (),
) -> str:
    """The last lines: failures, notes with their first picture, and the counts.

    Args:
        outcomes: Outcomes of the pictures.
        output: Place where they went.
        mine: Number of pictures of this process's share.
        total: Number of all pictures.
        signum: Number of the signal that ended it, or 0.
        left_out: Files among the inputs that were not painted, with words for their kind.
        orphans: Files of hints without a drawing of their name.
        palette: Colours that the pictures were to have, as "#rrggbb".
    """
    noted: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        for note in outcome.notes:
            noted.setdefault(note, []).append(outcome)
    lines = [f"failed: {outcome.error}" for outcome in outcomes if outcome.error]
    lines += [f"note: {note}: {len(o)} (first: {o[0].job.source})" for note, o in noted.items()]
    if left_out:
        lines.append(f"note: {left_out_text(left_out)}")
    if orphans:
        lines.append(f"note: hints without a drawing: {len(orphans)} (first: {orphans[0]})")
    used = Counter(colour for outcome in outcomes for colour in outcome.used)
    if palette:
        of_each = ", ".join(f"{colour} {used[colour]}" for colour in palette)
        lines.append(f"palette, and in how many pictures each colour is: {of_each}")
    count = Counter(outcome.status for outcome in outcomes)
    told = sum(outcome.status == "done" and outcome.job.hints is not None for outcome in outcomes)
    text = f"{count['done']} coloured{f' ({told} with hints)' if told else ''}"
    text += f", {count['failed']} failed"
    if count["skipped"]:
        text += f", {count['skipped']} skipped (coloured=paint paints them)"
    if count["kept"]:
        text += f", {count['kept']} there already (overwrite=true paints them again)"
    text += f", of a share of {mine} of {total}" if mine < total else ""
    if signum:
        text += f", {mine - len(outcomes)} left by {signal.Signals(signum).name} (the same command"
        text += " does them)"
    # Names come from others: what a terminal would obey is spelt out.
    return "".join(
        c if c.isprintable() or c == "\n" else repr(c)[1:-1]
        for c in "\n".join([*lines, f"{text}: {output}"])
    )

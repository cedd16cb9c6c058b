"""Galleries: a sheet as one PNG, a page as one HTML file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import torch
from tqdm import tqdm

from sketch2paint.images.convert import grid, on_square, to_float
from sketch2paint.images.io import MAX_PIXELS, read_rgb, write_picture
from sketch2paint.inference.jobs import Job
from sketch2paint.web.pages import data_uri, write_page

LABELS = ("Sketch", "Coloured", "Truth")
THUMB, SMALL_THUMB, MEDIUM = 256, 128, 1024  # longer sides in the page
WHOLE_UP_TO, SMALL_THUMBS_ABOVE = 200, 2000  # pictures; a whole page holds them at MEDIUM

Card = dict[str, Any]  # what web/gallery.html asks of a card


def gallery_path(gallery: str | bool, jobs: Sequence[Job]) -> Path:
    """Where the gallery goes: the given file, or gallery.html in the output folder.

    Raises:
        ValueError: it would overwrite an input or an output.
    """
    path = jobs[0].folder / "gallery.html" if gallery is True else Path(str(gallery))
    files = {os.path.realpath(f) for job in jobs for f in (job.source, *job.files.values())}
    if os.path.realpath(path) in files:
        raise ValueError(f"{path}: expected another name for `gallery` than those of pictures.")
    return path


def make_gallery(
    path: Path,
    *,
    jobs: Iterable[Job],
    reals: Mapping[Path, Path],
    rows: int = 6,
    max_pixels: int = MAX_PIXELS,
) -> str:
    """Show the pictures that are there by now: a page for .html, a sheet for .png.

    Args:
        path: File to write.
        jobs: Jobs to show; what has not been painted is left out.
        reals: Source to real picture, or empty.
        rows: Number of rows of the sheet, spread evenly over the pictures.
        max_pixels: Largest number of pixels that is read.

    Returns:
        A line that says what was made.
    """
    shown = [job for job in jobs if os.path.isfile(job.picture)]
    if not shown:
        return "No gallery: there is no picture to show."
    if path.suffix.lower() == ".png":
        make_sheet(path, jobs=shown, reals=reals, rows=rows, max_pixels=max_pixels)
        return f"Gallery: {path}"
    make_page(path, jobs=shown, reals=reals, max_pixels=max_pixels)
    how = (
        "whole in itself"
        if len(shown) <= WHOLE_UP_TO
        else "full sizes are read from the files beside it"
    )
    return f"Gallery: {path} ({len(shown)} pictures, {how})"


def make_sheet(
    path: Path,
    *,
    jobs: Sequence[Job],
    reals: Mapping[Path, Path],
    rows: int,
    side: int = 256,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Write rows of sketch | coloured (| real) as one PNG, square cells of `side` pixels."""
    cells = []
    for job in jobs[:: max(1, len(jobs) // rows)][:rows]:
        cells += [on_square(read_rgb(file, max_pixels), side) for file in _files(job, reals)]
    sheet = to_float(torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2))
    write_picture(path, grid(sheet, columns=3 if reals else 2))


def make_page(
    path: Path, *, jobs: Sequence[Job], reals: Mapping[Path, Path], max_pixels: int = MAX_PIXELS
) -> None:
    """Write all pictures as one HTML file that needs no network and no other file.

    Up to 200 pictures it holds them at 1024 pixels, more only as thumbnails (above 2000 smaller
    ones); what is larger is shown from the files themselves where they still lie beside the page.
    """
    card = partial(_card, folder=path.parent, reals=reals, count=len(jobs), limit=max_pixels)
    cards = tqdm(_in_threads(card, jobs), "gallery", len(jobs), disable=None)
    write_page(path, "web/gallery.html", {"count": len(jobs), "cards": cards})


def _in_threads(card: Callable[[Job], Card], jobs: Sequence[Job]) -> Iterator[Card]:
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(jobs), 64):  # map would hold all results at once
            yield from pool.map(card, jobs[start : start + 64])


def _files(job: Job, reals: Mapping[Path, Path]) -> list[Path]:
    return [job.source, job.picture, *([reals[job.source]] if reals else [])]


def _card(job: Job, folder: Path, reals: Mapping[Path, Path], count: int, limit: int) -> Card:
    pictures, height, width = [], 0, 0
    for label, file in zip(LABELS, _files(job, reals), strict=False):
        try:
            rgb = read_rgb(file, limit)
        except (ValueError, OSError):  # gone since, or damaged: a page of the others is still one
            continue
        height, width = rgb.shape[:2]
        thumb = data_uri(rgb, SMALL_THUMB if count > SMALL_THUMBS_ABOVE else THUMB, quality=75)
        medium = data_uri(rgb, MEDIUM, quality=85) if count <= WHOLE_UP_TO else ""
        link = _link(file, folder)
        pictures.append({"label": label, "thumb": thumb, "medium": medium, "link": link})
    return {"name": job.name.as_posix(), "width": width, "height": height, "pictures": pictures}


def _link(file: Path, folder: Path) -> str:
    """The address of a file from the page; nothing in it can end the attribute."""
    try:
        relative = os.path.relpath(file.absolute(), folder.absolute())
    except ValueError:  # another drive of Windows
        return ""
    return quote(os.fsencode(relative.replace(os.sep, "/")))

"""Galleries: a sheet as one PNG, a page as one HTML file."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
import torch
from tqdm import tqdm

from sketch2paint.files import written_beside
from sketch2paint.images.convert import (
    MAX_PIXELS,
    encoded,
    fit_within,
    grid,
    on_square,
    read_rgb,
    resize,
    to_float,
    write_picture,
)
from sketch2paint.inference.jobs import Job

LABELS = ("Sketch", "Coloured", "Truth")
THUMB, SMALL_THUMB, MEDIUM = 256, 128, 1024  # longer sides in the page
FEW, MANY = 200, 2000  # up to FEW pictures are embedded at MEDIUM; above MANY with small thumbs


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
    jobs: Iterable[Job],
    truths: Mapping[Path, Path],
    rows: int = 6,
    max_pixels: int = MAX_PIXELS,
) -> str:
    """Show the pictures that are there by now: a page for .html, a sheet for .png.

    Args:
        path: the file to write.
        jobs: the plan; what has not been painted is left out.
        truths: source to true picture, or empty.
        rows: of the sheet, spread evenly over the pictures.
        max_pixels: as for reading.

    Returns:
        A line that says what was made.
    """
    shown = [job for job in jobs if os.path.isfile(job.picture)]
    if not shown:
        return "No gallery: there is no picture to show."
    if path.suffix.lower() == ".png":
        make_sheet(path, shown, truths, rows, max_pixels=max_pixels)
        return f"Gallery: {path}"
    make_page(path, shown, truths, max_pixels)
    how = "whole in itself" if len(shown) <= FEW else "full sizes are read from the files beside it"
    return f"Gallery: {path} ({len(shown)} pictures, {how})"


def make_sheet(
    path: Path,
    jobs: Sequence[Job],
    truths: Mapping[Path, Path],
    rows: int,
    side: int = 256,
    max_pixels: int = MAX_PIXELS,
) -> None:
    """Write rows of sketch | coloured (| truth) as one PNG, square cells of `side` pixels."""
    cells = []
    for job in jobs[:: max(1, len(jobs) // rows)][:rows]:
        cells += [on_square(read_rgb(file, max_pixels), side) for file in _files(job, truths)]
    sheet = to_float(torch.from_numpy(np.stack(cells)).permute(0, 3, 1, 2))
    write_picture(path, grid(sheet, columns=3 if truths else 2))


def make_page(
    path: Path, jobs: Sequence[Job], truths: Mapping[Path, Path], max_pixels: int = MAX_PIXELS
) -> None:
    """Write all pictures as one HTML file that needs no network and no other file.

    Up to 200 pictures it holds them at 1024 pixels, more only as thumbnails (above 2000 smaller
    ones); what is larger is shown from the files themselves where they still lie beside the page.
    """
    card = partial(_card, folder=path.parent, truths=truths, count=len(jobs), limit=max_pixels)
    page = PAGE.replace("{{style}}", STYLE).replace("{{count}}", str(len(jobs)))
    head, foot = page.split("{{cards}}")
    with written_beside(path) as beside, open(beside, "w", encoding="utf-8") as file:
        file.write(head)
        for text in tqdm(_in_threads(card, jobs), "gallery", len(jobs), disable=None):
            file.write(text)
        file.write(foot)


def _in_threads(card: partial[str], jobs: Sequence[Job]) -> Iterator[str]:
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for start in range(0, len(jobs), 64):  # map would hold all results at once
            yield from pool.map(card, jobs[start : start + 64])


def _files(job: Job, truths: Mapping[Path, Path]) -> list[Path]:
    return [job.source, job.picture, *([truths[job.source]] if truths else [])]


def _card(job: Job, folder: Path, truths: Mapping[Path, Path], count: int, limit: int) -> str:
    name = escape(_text(job.name.as_posix()))
    images, height, width = [], 0, 0
    for label, file in zip(LABELS, _files(job, truths), strict=False):
        try:
            rgb = read_rgb(file, limit)
        except (ValueError, OSError):  # gone since, or damaged: a page of the others is still one
            continue
        height, width = rgb.shape[:2]
        thumb = data_uri(rgb, SMALL_THUMB if count > MANY else THUMB, quality=75)
        medium = data_uri(rgb, MEDIUM, quality=85) if count <= FEW else ""
        images.append(
            f'<img alt="{label}" src="{thumb}" data-full="{_link(file, folder)}"'
            f"{f' data-medium={chr(34)}{medium}{chr(34)}' if medium else ''}>"
        )
    return (
        f'<button class="card" data-name="{name}" data-size="{width} × {height}">'
        f'<span class="pictures">{"".join(images)}</span><span class="name">{name}</span>'
        "</button>\n"
    )


def data_uri(rgb: np.ndarray, side: int, quality: int) -> str:
    """A picture within a square of `side`, never enlarged, as WebP."""
    data = encoded(resize(rgb, *fit_within(rgb.shape, side)), ".webp", quality)
    return "data:image/webp;base64," + b64encode(data).decode()


def _link(file: Path, folder: Path) -> str:
    """The address of a file from the page; nothing in it can end the attribute."""
    try:
        relative = os.path.relpath(file.absolute(), folder.absolute())
    except ValueError:  # another drive of Windows
        return ""
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def _text(name: str) -> str:
    return os.fsencode(name).decode("utf-8", "replace")


# Of both pages: this one and report_page's.
STYLE = """:root {
  color-scheme: light dark;
  --paper: light-dark(#f4f4f3, #1c1c1c); --card: light-dark(#fff, #262626);
  --ink: light-dark(#222, #e6e6e6); --quiet: light-dark(#6b6b6b, #a0a0a0);
  --edge: light-dark(#e0e0de, #383838);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { margin: 0; font-size: 1.35rem; font-weight: 600; letter-spacing: -.01em; }
.pictures img + img { border-left: 1px solid #eee; }
dialog { width: 100vw; height: 100vh; height: 100dvh; max-width: none; max-height: none; margin: 0;
  padding: 0; border: 0; background: var(--paper); color: inherit; }
dialog[open] { display: grid; grid-template-rows: auto 1fr; }
.bar { display: flex; align-items: center; gap: .75rem; padding: .5rem 1rem; }
.bar b { font-weight: 600; min-width: 0; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; }
.bar button { flex: none; width: 2.25rem; height: 2.25rem; font: 1.1rem/1 system-ui, sans-serif;
  color: inherit; background: none; border: 1px solid var(--edge); border-radius: 6px;
  cursor: pointer; }
.panes { outline: 0; display: flex; gap: 1rem; min-height: 0; padding: 0 1rem 1rem; }
figure { flex: 1 1 0; min-width: 0; min-height: 0; margin: 0; display: flex;
  flex-direction: column; gap: .35rem; }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: file: 'self';
 style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>sketch2paint: {{count}} pictures</title>
<style>
{{style}}header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem;
  padding: 2rem clamp(1rem, 3vw, 3rem) 1rem; }
header p { margin: 0; color: var(--quiet); }
main { display: grid; gap: 1rem; padding: .5rem clamp(1rem, 3vw, 3rem) 3rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); }
.card { content-visibility: auto; contain-intrinsic-size: auto 15rem; display: flex;
  flex-direction: column; padding: 0; overflow: hidden; text-align: left; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
  cursor: zoom-in; transition: border-color .15s, box-shadow .15s; }
.card:hover { border-color: var(--quiet); box-shadow: 0 4px 16px rgb(0 0 0 / .08); }
.card:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
.pictures { display: flex; width: 100%; height: 12rem; background: #fff; }
.pictures img { flex: 1 1 0; min-width: 0; height: 100%; object-fit: contain; padding: .5rem; }
.name { width: 100%; padding: .5rem .75rem; border-top: 1px solid var(--edge); overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; font-size: .85rem; }
.bar span { color: var(--quiet); white-space: nowrap; }
.bar span:nth-of-type(2) { margin-right: auto; }
.bar button:hover { border-color: var(--quiet); }
figcaption { color: var(--quiet); font-size: .85rem; }
figcaption a { color: inherit; }
.frame { flex: 1; min-height: 0; background: #fff; border: 1px solid var(--edge);
  border-radius: 6px; overflow: auto; cursor: zoom-in; }
.frame img { display: block; width: 100%; height: 100%; object-fit: contain; }
.actual .frame { cursor: zoom-out; }
.actual .frame img { width: auto; height: auto; max-width: none; margin: auto; }
@media (max-width: 40rem) { .panes { flex-direction: column; } .bar span { display: none; } }
</style>
<header><h1>{{count}} pictures</h1>
<p>Click one to see it large, then again for its own pixels; arrow keys step, Esc closes.</p>
</header>
<main>
{{cards}}</main>
<dialog aria-label="Picture">
<div class="bar"><b></b><span></span><span></span>
<button aria-label="Previous">&#8592;</button><button aria-label="Next">&#8594;</button>
<button aria-label="Close">&#215;</button></div>
<div class="panes" tabindex="-1" autofocus></div>
</dialog>
<script>
const cards = [...document.querySelectorAll(".card")];
const view = document.querySelector("dialog"), panes = view.querySelector(".panes");
const [name, size, place] = view.querySelectorAll("b, span");
const [previous, next, close] = view.querySelectorAll("button");
let at = 0;

function pane(thumb) {
  const figure = document.createElement("figure"), label = document.createElement("figcaption");
  const frame = document.createElement("div"), picture = new Image(), full = new Image();
  label.append(thumb.alt);
  frame.className = "frame";
  picture.alt = thumb.alt;
  picture.src = thumb.dataset.medium || thumb.src;
  frame.append(picture);
  frame.onclick = () => panes.classList.toggle("actual");
  frame.onscroll = () => follow(frame);
  if (thumb.dataset.full) {  // the file itself, where it still lies beside the page
    full.onload = () => {
      picture.src = full.src;
      const link = document.createElement("a");
      link.href = full.src;
      link.textContent = "file";
      label.append(" \\u00b7 ", link);
    };
    full.src = thumb.dataset.full;
  }
  figure.append(label, frame);
  return figure;
}

function follow(one) {  // at their own pixels all show the same spot
  for (const other of panes.querySelectorAll(".frame")) {
    if (other !== one) other.scrollTo(one.scrollLeft, one.scrollTop);
  }
}

function show(number) {
  at = (number + cards.length) % cards.length;
  const card = cards[at];
  panes.classList.remove("actual");
  panes.replaceChildren(...[...card.querySelectorAll("img")].map(pane));
  name.textContent = card.dataset.name;
  size.textContent = card.dataset.size;
  place.textContent = `${at + 1} / ${cards.length}`;
  if (!view.open) view.showModal();
}

cards.forEach((card, number) => { card.onclick = () => show(number); });
previous.onclick = () => show(at - 1);
next.onclick = () => show(at + 1);
close.onclick = () => view.close();
view.onclose = () => cards[at].focus();
document.addEventListener("keydown", (event) => {
  if (!view.open) return;
  if (event.key === "ArrowRight") show(at + 1);
  else if (event.key === "ArrowLeft") show(at - 1);
  else return;
  event.preventDefault();
});
</script>
</html>
"""

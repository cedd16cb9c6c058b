"""The evaluated pictures as one HTML page: sketch | coloured | truth, sortable by each metric."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

from sketch2paint.evaluation.compare import Results, Split, Summary
from sketch2paint.evaluation.metrics import OF_PICTURES
from sketch2paint.evaluation.report import METRICS, cells
from sketch2paint.files import written_beside
from sketch2paint.inference.gallery import STYLE, data_uri

LARGE, SMALL = 512, 128  # longest side of a picture in the page; the latter above MANY pictures
MANY = 1000
ROWS = 8  # kept for other uses, spread over the set


class Gallery:
    """Collects pictures while they are measured.

    Args:
        count: how many there will be.
        wanted: whether a page is to be written; else only a few rows are kept.

    Attributes:
        rows: up to 8 of the rows of pictures, spread evenly.
    """

    def __init__(self, count: int, wanted: bool) -> None:
        self.wanted, self.small = wanted, count > MANY
        self.spread = set(np.linspace(0, count - 1, min(ROWS, count)).astype(int).tolist())
        self.seen = 0
        self.rows: list[Sequence[np.ndarray]] = []
        self.encoded: list[list[str]] = []

    def add(self, name: str, pictures: Sequence[np.ndarray]) -> None:
        """Take sketch, one picture for each network, and truth, (S, S, 3) uint8."""
        if self.seen in self.spread:
            self.rows.append(pictures)
        if self.wanted:
            side, quality = (SMALL, 75) if self.small else (LARGE, 90)
            self.encoded.append([data_uri(picture, side, quality) for picture in pictures])
        self.seen += 1

    def write(self, path: Path | str, split: Split, results: Results, summary: Summary) -> None:
        """Write the page; it needs no network and no other file.

        Args:
            path: the .html file.
            split: that was measured.
            results: of `measure`, which filled this gallery.
            summary: of `summarise`.
        """
        given = {
            "style": STYLE,
            "title": escape(f"{split.data.source.root}, {split.name}"),
            "note": f"{len(results.files)} pictures at {split.data.size} x {split.data.size}",
            "table": _table(results, summary),
            "metrics": "".join(
                f'<option value="{n}">{metric.heading}</option>'
                for n, metric in enumerate(OF_PICTURES)
                if metric.key not in results.missing
            ),
            "data": _data(results),
        }
        labels = ["Sketch", *results.rows[: results.networks], "Truth"]
        head, foot = (re.sub(r"{{(\w+)}}", lambda m: given[m[1]], p) for p in PAGE.split("{{}}"))
        with written_beside(path) as beside, open(beside, "w", encoding="utf-8") as file:
            file.write(head)
            for number, (name, uris) in enumerate(zip(results.files, self.encoded, strict=True)):
                file.write(_card(number, name, labels, uris))
            file.write(foot)


def _card(number: int, name: str, labels: Sequence[str], uris: Sequence[str]) -> str:
    images = "".join(
        f'<img alt="{escape(label)}" src="{uri}">' for label, uri in zip(labels, uris, strict=True)
    )
    text = escape(name.encode("utf-8", "replace").decode())
    return (
        f'<button class="card" data-number="{number}" data-name="{text}">'
        f'<span class="pictures">{images}</span>'
        f'<span class="line"><span class="name">{text}</span><span class="value"></span></span>'
        "</button>\n"
    )


def _table(results: Results, summary: Summary) -> str:
    shown = [n for n, metric in enumerate(METRICS) if metric.key not in results.missing]
    lines = ["<tr><th></th>" + "".join(f"<th>{METRICS[n].heading}</th>" for n in shown) + "</tr>"]
    for name, row in zip(results.rows, cells(results, summary), strict=True):
        values = "".join(f"<td>{row[n][0]}<small>{row[n][1]}</small></td>" for n in shown)
        lines.append(f"<tr><th>{escape(name)}</th>{values}</tr>")
    return "".join(lines)


def _data(results: Results) -> str:
    """Names, metrics and values as JSON that cannot end the script it stands in."""
    values = [
        [[None if math.isnan(value) else round(value, 5) for value in row] for row in rows]
        for rows in results.values[:, : results.networks].tolist()
    ]
    metrics = [[metric.heading, metric.digits, metric.better] for metric in OF_PICTURES]
    plain = {"networks": results.rows[: results.networks], "metrics": metrics, "values": values}
    return json.dumps(plain, separators=(",", ":")).replace("<", "\\u003c")


PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:;
 style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{{title}}</title>
<style>
{{style}}body:has(dialog[open]) { overflow: hidden; }
header { padding: 2rem clamp(1rem, 3vw, 3rem) .5rem; }
h1 + p { margin: 0 0 1rem; color: var(--quiet); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; white-space: nowrap; }
th, td { padding: .35rem 1.5rem .35rem 0; text-align: right; vertical-align: top;
  border-bottom: 1px solid var(--edge); font-weight: 400; }
th:first-child { text-align: left; }
tr:first-child th { color: var(--quiet); font-size: .85rem; }
td small { display: block; color: var(--quiet); font-size: .75rem; }
form { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center;
  gap: .5rem; padding: .75rem clamp(1rem, 3vw, 3rem); background: var(--paper); }
form output { margin-left: auto; color: var(--quiet); }
select, form button { font: inherit; color: inherit; padding: .3rem .6rem; cursor: pointer;
  background: var(--card); border: 1px solid var(--edge); border-radius: 6px; }
main { display: grid; gap: 1rem; padding: .5rem clamp(1rem, 3vw, 3rem) 3rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
.card { content-visibility: auto; contain-intrinsic-size: auto 12rem; display: flex;
  flex-direction: column; padding: 0; overflow: hidden; text-align: left; font: inherit;
  color: inherit; background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
  cursor: zoom-in; }
.card:hover { border-color: var(--quiet); }
:focus-visible { outline: 2px solid var(--ink); outline-offset: 2px; }
.pictures { display: flex; width: 100%; background: #fff; }
.pictures img { flex: 1 1 0; min-width: 0; aspect-ratio: 1; object-fit: contain; padding: .35rem; }
.line { display: flex; gap: .75rem; width: 100%; padding: .5rem .75rem; margin-top: auto;
  border-top: 1px solid var(--edge); font-size: .85rem; }
.name { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  color: var(--quiet); }
.value { flex: none; margin-left: auto; font-variant-numeric: tabular-nums; }
.bar span { color: var(--quiet); margin-right: auto; white-space: nowrap; }
figcaption { color: var(--quiet); font-size: .85rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
figure div { min-height: 0; aspect-ratio: 1; background: #fff; border: 1px solid var(--edge);
  border-radius: 6px; overflow: hidden; }
figure img { display: block; width: 100%; height: 100%; object-fit: contain; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem 1rem; margin: 0; font-size: .85rem;
  font-variant-numeric: tabular-nums; }
dt { color: var(--quiet); }
dd { margin: 0; }
@media (max-width: 40rem) { .panes { flex-direction: column; overflow: auto; } }
</style>
<header><h1>{{title}}</h1>
<p>{{note}}. Click one to see it large; arrow keys step, Esc closes.</p>
<div class="scroll"><table>{{table}}</table></div>
</header>
<form>
<label for="metric">Sort by</label>
<select id="metric"><option value="">order of the set</option>{{metrics}}</select>
<select id="network" aria-label="of"></select>
<button type="button" id="direction"></button>
<output></output>
</form>
<main>
{{}}</main>
<dialog aria-label="Picture">
<div class="bar"><b></b><span></span>
<button aria-label="Previous">&#8592;</button><button aria-label="Next">&#8594;</button>
<button aria-label="Close">&#215;</button></div>
<div class="panes" tabindex="-1" autofocus></div>
</dialog>
<script type="application/json" id="data">{{data}}</script>
<script>
const {networks, metrics, values} = JSON.parse(document.querySelector("#data").textContent);
const metric = document.querySelector("#metric"), network = document.querySelector("#network");
const direction = document.querySelector("#direction"), told = document.querySelector("output");
const view = document.querySelector("dialog"), panes = view.querySelector(".panes");
const [name, place] = view.querySelectorAll(".bar b, .bar span");
const [previous, next, close] = view.querySelectorAll(".bar button");
const main = document.querySelector("main");
const set = [...main.querySelectorAll(".card")];
let cards = set, at = 0, down = false;

networks.forEach((one, a) => network.add(new Option(one, a)));
networks.forEach((one, a) => networks.forEach((other, b) => {
  if (a < b) network.add(new Option(`${one} \\u2212 ${other}`, `${a} ${b}`));
}));
network.hidden = networks.length < 2;

function text(value, which) {
  return value === null ? "n/a" : value.toFixed(metrics[which][1]);
}

function key(number, which) {  // the value that is sorted by; null where there is none
  const [a, b] = network.value.split(" ").map(n => values[number][n][which]);
  return b === undefined ? a : a === null || b === null ? null : a - b;
}

function sort() {
  const which = metric.value === "" ? null : Number(metric.value);
  const place = card => Number(card.dataset.number);
  const keys = values.map((_, number) => which === null ? number : key(number, which));
  cards = [...set].sort((one, other) => {
    const a = keys[place(one)], b = keys[place(other)];
    if (a === null || b === null) return (a === null) - (b === null);  // n/a stays last
    return (down ? b - a : a - b) || place(one) - place(other);
  });
  for (const card of cards) {
    card.querySelector(".value").textContent =
      which === null ? "" : text(keys[place(card)], which);
  }
  main.replaceChildren(...cards);
  direction.textContent = which === null
    ? (down ? "Backwards" : "Forwards") : (down ? "Highest first" : "Lowest first");
  const better = which === null ? "" : metrics[which][2];
  const words = {higher: "higher is better", lower: "lower is better", one: "1 is the truth's"};
  told.textContent = better && (network.value.includes(" ") ? "difference" : words[better]);
}

function pane(picture, results) {
  const figure = document.createElement("figure"), label = document.createElement("figcaption");
  const frame = document.createElement("div"), large = new Image();
  const list = document.createElement("dl");
  label.append(picture.alt);
  large.alt = picture.alt;
  large.src = picture.src;
  frame.append(large);
  for (const option of results ? [...metric.options].slice(1) : []) {
    const term = document.createElement("dt"), value = document.createElement("dd");
    term.append(option.text);
    value.append(text(results[option.value], option.value));
    list.append(term, value);
  }
  figure.append(label, frame, list);
  return figure;
}

function show(number) {
  at = (number + cards.length) % cards.length;
  const card = cards[at];
  const results = values[card.dataset.number];  // the sketch stands before, the truth behind
  panes.replaceChildren(...[...card.querySelectorAll("img")].map((picture, n) =>
    pane(picture, results[n - 1])));
  name.textContent = card.dataset.name;
  place.textContent = `${at + 1} / ${cards.length}`;
  if (!view.open) view.showModal();
}

set.forEach(card => { card.onclick = () => show(cards.indexOf(card)); });
metric.onchange = network.onchange = sort;
direction.onclick = () => { down = !down; sort(); };
previous.onclick = () => show(at - 1);
next.onclick = () => show(at + 1);
close.onclick = () => view.close();
view.onclose = () => cards[at].focus();
document.addEventListener("keydown", (event) => {
  if (!view.open && event.target.closest?.("form")) return;  // arrows choose in a list there
  if (event.key === "ArrowRight") show(view.open ? at + 1 : at);
  else if (event.key === "ArrowLeft") show(view.open ? at - 1 : at);
  else return;
  event.preventDefault();
});
sort();
</script>
</html>
"""

"""The page as text, and in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from browser import Elements, needs_chromium, told
from tiny_evaluation import data

import sketch2paint.evaluation.page as picture_page
from sketch2paint.evaluation.bootstrap import summarise
from sketch2paint.evaluation.compare import BASELINES, Results, Split, choose_split
from sketch2paint.evaluation.metrics import OF_PICTURES
from sketch2paint.evaluation.page import PicturePage
from sketch2paint.evaluation.report import Evaluation

NASTY = "</script><img src=x onerror=alert(1)> \"'& {{ data }} {% raw %} ü.png"
PSNR = [20.0, 15.0, 30.0, 25.0]


def results(names: list[str], candidates: list[str]) -> Results:
    """PSNRs as above, the second candidate's the other way round and one of them unknown."""
    values = np.full((4, len(candidates) + 3, len(OF_PICTURES)), np.nan)
    values[:, 0, 0] = PSNR
    if len(candidates) > 1:
        values[:3, 1, 0] = PSNR[::-1][:3]
    values[:, len(candidates) :, 0] = 9
    missing = {metric.key: "none" for metric in OF_PICTURES[1:]} | {"fid": "none", "kid": "none"}
    sets = np.full((len(candidates) + 3, 2), np.nan)
    return Results(
        files=names,
        rows=[*candidates, *BASELINES],
        candidates=len(candidates),
        values=values,
        weights=np.ones((4, len(OF_PICTURES))),
        sets=sets,
        missing=missing,
    )


@pytest.fixture
def chosen(pairs_dir: Path) -> Split:
    return choose_split(data(pairs_dir), "val", "refuse")


def page(path: Path, chosen: Split, names: list[str], candidates: list[str]) -> str:
    collected = PicturePage(4, True)
    for n, name in enumerate(names):
        levels = range(10, 10 + 40 * (len(candidates) + 2), 40)
        collected.add(name, [np.full((16, 16, 3), level + n, np.uint8) for level in levels])
    found = results(names, candidates)
    summary = summarise(found, 0, 100)
    collected.write(
        path, Evaluation(split=chosen, candidates=[], results=found, summary=summary, protocol={})
    )
    return path.read_text("utf-8")


def test_the_page_holds_everything(chosen: Split, tmp_path: Path) -> None:
    text = page(tmp_path / "g.html", chosen, [f"{n}.png" for n in range(4)], ["a", "b"])
    elements = Elements(text)
    images = elements.all("img")
    assert [image["alt"] for image in images] == ["Sketch", "a", "b", "Truth"] * 4
    assert all(str(image["src"]).startswith("data:image/webp;base64,") for image in images)
    assert not elements.all("link") and not any("src" in s for s in elements.all("script"))
    assert not re.search(r"https?://", text)
    plain = json.loads(re.search(r'id="data">(.*?)</script>', text)[1])  # type: ignore[index]
    assert [rows[0][0] for rows in plain["values"]] == PSNR
    assert plain["values"][3][1][0] is None
    assert [o["value"] for o in elements.all("option")] == ["", "0"]  # what has values


def test_names_cannot_become_markup(chosen: Split, tmp_path: Path) -> None:
    text = page(tmp_path / "g.html", chosen, [NASTY, "\udcff.png", "c", "d"], [NASTY])
    elements = Elements(text)
    cards = [b for b in elements.all("button") if "data-name" in b]
    assert cards[0]["data-name"] == NASTY and len(cards) == 4
    assert [image["alt"] for image in elements.all("img")] == ["Sketch", NASTY, "Truth"] * 4
    assert len(elements.all("script")) == 2


def test_a_page_of_many_is_lighter(
    chosen: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (256, 256, 3), dtype=np.uint8) for _ in range(3)]
    few = PicturePage(4, True)
    few.add("a", pictures)
    monkeypatch.setattr(picture_page, "SMALL_ABOVE", 3)
    many = PicturePage(4, True)
    many.add("a", pictures)
    assert len(few.encoded[0][0]) > 4 * len(many.encoded[0][0])


def test_rows_are_kept_for_tensorboard() -> None:
    collected = PicturePage(100, False)
    for n in range(100):
        collected.add(str(n), [np.full((4, 4, 3), n, np.uint8)])
    assert [row[0][0, 0, 0] for row in collected.rows] == [0, 14, 28, 42, 56, 70, 84, 99]
    assert not collected.encoded


@needs_chromium
def test_a_browser_sorts_and_steps(chosen: Split, tmp_path: Path) -> None:
    names = [f"{n}.png" for n in range(4)]
    page(tmp_path / "g.html", chosen, names, ["a", "b"])
    script = """
      const [main, metric, network] = ["main", "#metric", "#network"].map(
        s => document.querySelector(s));
      const direction = document.querySelector("#direction");
      const order = () => said.push([...main.querySelectorAll(".card")]
        .map(c => c.dataset.name[0] + "=" + c.querySelector(".value").textContent).join(" "));
      const pick = (list, value) => {
        list.value = value;
        list.dispatchEvent(new Event("change"));
      };
      const seen = () => said.push(`${name.textContent} ${place.textContent} ` +
        [...panes.querySelectorAll("dd")].map(d => d.textContent).join(" "));
      said.push([...document.images].every(i => i.complete && i.naturalWidth === 16));
      order();
      pick(metric, "0"); order();
      direction.click(); order();
      pick(network, "1"); order();
      direction.click(); order();
      pick(network, "0 1"); order();
      pick(network, "0");
      press("ArrowRight"); seen();
      press("ArrowRight"); seen();
      press("ArrowLeft"); press("ArrowLeft"); seen();
      said.push(panes.querySelectorAll("img").length, view.open);
      close.click(); said.push(view.open);
    """
    said = told(tmp_path / "g.html", script, tmp_path / "profile")
    assert said == [
        "true",
        "0= 1= 2= 3=",
        "1=15.00 0=20.00 3=25.00 2=30.00",
        "2=30.00 3=25.00 0=20.00 1=15.00",
        "1=30.00 0=25.00 2=15.00 3=n/a",
        "2=15.00 0=25.00 1=30.00 3=n/a",
        "1=-15.00 0=-5.00 2=15.00 3=n/a",
        "1.png 1 / 4 15.00 30.00",
        "0.png 2 / 4 20.00 25.00",
        "2.png 4 / 4 30.00 15.00",
        *["4", "true", "false"],
    ]

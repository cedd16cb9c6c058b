"""The engine with a network in a browser: as predict.py paints, asking for nothing once loaded."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import needs_chromium
from chromium import Page, Pipe, visited
from PIL import Image
from serving import running
from tiny_words import TINY, make_region_network

from sketch2paint.commands.studio import exported
from sketch2paint.hints.format import Hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator
from sketch2paint.web.server import Server
from sketch2paint.web.site import Model, write_single, write_site

pytestmark = [needs_chromium, pytest.mark.slow]
NETWORK: dict[str, Any] = {**TINY, "colours": 9}
ASK = """(async ({rgba, width, height, hints, ...wishes}) => {
  const {Engine} = await import("./engine/client.js");
  const pixels = Uint8ClampedArray.from(atob(rgba), (letter) => letter.charCodeAt(0));
  const engine = await Engine.start({models: "./model/"});
  const drawing = await engine.open(width, height, pixels);
  const answer = await (async () => {%s})();
  engine.close();
  return answer;
})(%s)"""
PAINT = """
  const plain = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const said = [];
  const {index, table, colours, rgba, notes} = await engine.paint(
    {hints, ...wishes}, ({source}) => said.push(source));
  const middle = await engine.suggest(width / 2, height / 2);
  return {index: plain(new Uint8Array(index.buffer)), wide: index.BYTES_PER_ELEMENT,
    table: plain(table), picture: plain(rgba),
    shaded: colours && plain(colours), said, middle,
    notes: [...drawing.notes, ...notes], threads: engine.about.threads};
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    pytest.importorskip("onnxscript", reason="the extra onnx")
    weights = tmp_path_factory.mktemp("weights") / "regions.safetensors"
    save_generator(weights, make_region_network(**NETWORK).state_dict(), describe_regions(NETWORK))
    return exported(str(weights))


@pytest.fixture(scope="module")
def served(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site") / "studio"
    write_site(folder, model)
    with running(Server(folder, 0)) as url:
        yield url


@pytest.fixture
def opened(browser: Pipe, served: str) -> Iterator[Page]:
    with visited(browser, served) as page:
        yield page


def asked(page: Page, rgb: np.ndarray, script: str, hints: Hints, **wishes: Any) -> Any:
    """What a script returns that has `engine` with a drawing in it, its `hints` and `wishes`."""
    rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
    given = {
        "rgba": b64encode(rgba.tobytes()).decode(),
        "width": rgb.shape[1],
        "height": rgb.shape[0],
        "hints": json.loads(hints.to_json()),
        **wishes,
    }
    return page.run(ASK % (script, json.dumps(given)))


def painted(page: Page, rgb: np.ndarray, hints: Hints, **wishes: Any) -> dict[str, Any]:
    """What the engine makes of a drawing, its pictures as (H, W, 3)."""
    found: dict[str, Any] = asked(page, rgb, PAINT, hints, **wishes)
    levels = {
        name: np.frombuffer(b64decode(found[name]), np.uint8)
        for name in ("index", "table", "picture", "shaded")
        if found[name] is not None
    }
    rows = np.uint16 if found["wide"] == 2 else np.int32
    index = levels["index"].view(rows).reshape(rgb.shape[:2])
    found["colours"] = levels["table"].reshape(-1, 3)[index]
    found["picture"] = levels["picture"].reshape(*rgb.shape[:2], 4)[..., :3]
    if found["shaded"] is not None:
        found["shaded"] = levels["shaded"].reshape(rgb.shape)
    return found


def assert_alike(found: np.ndarray, wanted: np.ndarray) -> None:
    assert np.abs(found.astype(int) - wanted).max() <= 2


def test_the_page_colours_as_predict_does(opened: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    long = np.concatenate([rgb, rgb[:, ::-1], rgb], 1)  # is read in squares
    painter = RegionPainter(make_region_network(**NETWORK))
    strokes = (
        Stroke(((60.0, 100.0), (90.0, 100.0)), 6.0, (200, 30, 40)),
        Stroke(((75.0, 40.0),), 8.0, None),
        Stroke(((200.0, 50.0), (210.0, 150.0)), 5.0, (20, 120, 220)),
    )
    for picture in (rgb, long, 255 - rgb):
        size = picture.shape[1], picture.shape[0]
        cuts = (Stroke(((205.0, 108.0), (208.0, 183.0)), 1.0, None),)
        merges = (Stroke(((35.0, 100.0), (75.0, 100.0)), 1.0, None),)
        parted = Hints(size, strokes[:2], cuts=cuts, merges=merges)
        for hints in (Hints(size), Hints(size, strokes, gap=4.0), parted):
            (wanted,) = painter.process([picture], [hints])
            found = painted(opened, picture, hints)
            assert_alike(found["colours"], wanted.colours)
            assert_alike(found["picture"], wanted.picture)
            assert found["notes"] == list(wanted.notes)
            assert found["said"] == ["filler", "network"]


def test_a_style_moves_colours_as_in_predict(opened: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    stroke = Stroke(((60.0, 100.0), (90.0, 100.0)), 6.0, (200, 30, 40))
    style = {"warmth": 2.5, "lightness": -2, "contrast": 1}
    painter = RegionPainter(make_region_network(**NETWORK), style=style)
    for strokes in ((), (stroke,)):
        hints = Hints((300, 200), strokes)
        (wanted,) = painter.process([rgb], [hints])
        assert_alike(painted(opened, rgb, hints, style=style)["colours"], wanted.colours)
    plain = painted(opened, rgb, Hints((300, 200)))
    moved = painted(opened, rgb, Hints((300, 200)), style=style)
    assert (plain["colours"] != moved["colours"]).any()


def test_colours_are_suggested_and_variations_differ_but_stay(opened: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    hints = Hints((rgb.shape[1], rgb.shape[0]))
    plain, one, again, other = (
        painted(opened, rgb, hints, **wishes)
        for wishes in ({}, {"seed": 1}, {"seed": 1}, {"seed": 2})
    )
    shares = [share for *_, share in plain["middle"]]
    assert 1 <= len(shares) <= 6 and shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.0001
    np.testing.assert_array_equal(one["colours"], again["colours"])
    assert (one["colours"] != plain["colours"]).any() and (one["colours"] != other["colours"]).any()


def test_only_the_newest_wish_is_computed_and_a_wrong_one_told(opened: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    said = asked(
        opened,
        rgb,
        """
        const wishes = [1, 2, 3, 4, 5].map((seed) => engine.paint({hints, seed}));
        const sources = (await Promise.all(wishes)).map((painted) => painted?.source ?? null);
        const told = (wish) => wish.then(() => null, ({message}) => message);
        return [sources, [
          await told(engine.paint({hints: {...hints, size: [9, 300]}})),
          await told(engine.paint({hints, temperature: 0})),
          await told(engine.open(20000, 1, new Uint8ClampedArray(80000))),
        ]];
        """,
        Hints((300, 200)),
    )
    assert said[0] == [None, None, None, None, "network"]
    assert said[1][0].startswith("Expected hints for a drawing of 300 x 200 pixels, or of that")
    assert said[1][1].startswith("Expected `temperature` above 0, got 0. Pass 0.05 for")
    assert said[1][2].startswith("Expected a drawing of at most 16,384 pixels a side")


def test_threads_are_used_where_the_page_is_alone(opened: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    found = painted(opened, rgb, Hints((rgb.shape[1], rgb.shape[0])))
    cores = opened.run("navigator.hardwareConcurrency")
    assert found["threads"] == min(cores, 4) and opened.run("crossOriginIsolated")


def test_one_file_works_from_the_disk_and_asks_for_nothing(
    browser: Pipe, model: Model, drawing: Path, tmp_path: Path
) -> None:
    write_single(tmp_path / "studio.html", model)
    url = (tmp_path / "studio.html").as_uri()
    with visited(browser, url) as page:
        page.files("#files", drawing)
        page.wait("!document.body.classList.contains('empty')")
        page.wait("document.querySelector('#stage').ariaBusy === 'false'")
        shown = page.run(
            """(() => { const {width, height} = document.querySelector("#picture");
              const pixels = document.querySelector("#picture").getContext("2d");
              return Array.from(pixels.getImageData(0, 0, width, height).data); })()"""
        )
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    (wanted,) = RegionPainter(make_region_network(**NETWORK)).process([rgb])
    assert_alike(np.array(shown, np.uint8).reshape(200, 300, 4)[..., :3], wanted.picture)
    assert {got.partition(":")[0] for got in page.requests} <= {"file", "blob", "data"}
    assert [got for got in page.requests if got.startswith("file")] == [url]


def test_a_model_that_is_cut_off_is_told_and_the_filler_still_answers(
    browser: Pipe, model: Model, drawing: Path, tmp_path: Path
) -> None:
    write_site(tmp_path / "studio", model._replace(read=model.read[:1000]))
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    with running(Server(tmp_path / "studio", 0)) as url, closing(Page(browser)) as page:
        page.open(url)
        said = asked(
            page,
            rgb,
            """
            const said = [];
            const wish = engine.paint({hints}, ({source}) => said.push(source));
            const error = await wish.then(() => null, ({message}) => message);
            return [...said, error];
            """,
            Hints((300, 200)),
        )
    assert said[0] == "filler" and len(said) == 2
    assert said[1].startswith("Expected a model that export.py wrote, got one that does not open")

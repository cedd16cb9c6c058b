"""The studio with a generator that shades: as predict.py paints, and what the page does with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from browser import needs_chromium
from chromium import Page, Pipe, visited
from PIL import Image
from serving import served
from test_painting import painted
from test_studio_page import LEFT, QUIET, SUM, dot, opened, saved
from tiny_model import write_shading

from sketch2paint.commands.studio import exported
from sketch2paint.hints.format import Hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.inference.painters import load_painter
from sketch2paint.inference.palette_files import palette_from, palette_of_reference
from sketch2paint.web.site import Model, write_single, write_site

pytestmark = [needs_chromium, pytest.mark.slow]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_shading(tmp_path_factory.mktemp("weights") / "both.safetensors")


@pytest.fixture(scope="module")
def model(weights: Path) -> Model:
    pytest.importorskip("onnxscript", reason="the extra onnx")
    return exported(str(weights))


@pytest.fixture(scope="module")
def shading_url(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site") / "studio"
    write_site(folder, model)
    with served(folder) as url:
        yield url


@pytest.fixture
def page(browser: Pipe, shading_url: str) -> Iterator[Page]:
    """The empty page; errors fail the test."""
    with visited(browser, shading_url) as page:
        yield page


def reload_and_wait(page: Page) -> None:
    """The page as it comes again, once it has kept what was done."""
    page.run("new Promise(done => setTimeout(done, 500))")
    page.open(page.run("location.href"))
    page.wait("document.body.classList.contains('ready')")
    page.wait(QUIET)


def test_the_page_shades_as_predict_does(page: Page, weights: Path, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    keys: dict[str, Any] = {"device": "cpu", "precision": "32-true"}
    stroke = Stroke(((60.0, 100.0), (90.0, 100.0)), 6.0, (200, 30, 40))
    for picture, detail in ((rgb, 1), (rgb, 2), (rgb[:150, :283], 1)):
        hints = Hints((picture.shape[1], picture.shape[0]), (stroke,))
        scale = 16 * detail / min(picture.shape[:2])
        (wanted,) = load_painter(weights, scale=scale, **keys).process([picture], [hints])
        found = painted(page, picture, hints, detail=detail)
        for name, other in (("shaded", wanted.colours), ("picture", wanted.picture)):
            away = np.abs(found[name].astype(int) - other)
            # Lightness comes in 255 levels, of which one is much of a nearly black or white colour.
            assert (away > 2).mean() < 0.001 and away.max() <= 8
        assert (found["shaded"] != found["colours"]).any()
        assert found["said"] == ["filler", "network", "shaded"]


def test_a_palette_alone_is_used_as_predict_does(page: Page, weights: Path, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    names = ["#2060c0", "#f0c040", "#ffffff", "#308050", "#2060c0"]
    painter = load_painter(weights, device="cpu", flats=True, palette=palette_from(names))
    hints = Hints((300, 200), (Stroke(((60.0, 100.0), (90.0, 100.0)), 6.0, (200, 30, 40)),))
    for style in ({"lightness": 3.0}, None):
        painter.style = style
        (wanted,) = painter.process([rgb], [hints])
        found = painted(page, rgb, hints, palette=names, style=style)
        np.testing.assert_array_equal(found["colours"], wanted.colours)
    told = {"#ffffff", "#c81e28", *names}
    assert {f"#{bytes(colour[:3]).hex()}" for colour in found["middle"]} <= told


def test_only_the_colours_that_were_loaded_are_used(
    page: Page, drawing: Path, tmp_path: Path
) -> None:
    (tmp_path / "two.gpl").write_text("GIMP Palette\n32 96 192\n240 192 64\n")
    opened(page, drawing)
    page.click("#flat")
    page.wait(QUIET)
    before = page.run(SUM)
    page.files("#files", tmp_path / "two.gpl")
    page.wait("/loaded/.test(document.querySelector('#status').textContent)")
    assert page.run(SUM) == before
    page.click("#only")
    page.wait(QUIET)
    assert page.run("document.querySelectorAll('#swatches button:not([hidden])').length") == 2
    colours = np.asarray(Image.open(saved(page, "colours", tmp_path))).reshape(-1, 3)
    found = {f"#{bytes(colour).hex()}" for colour in np.unique(colours, axis=0)}
    assert found <= {"#ffffff", "#2060c0", "#f0c040"} and page.run(SUM) != before
    page.click("#only")
    page.wait(QUIET)
    assert page.run(SUM) == before


def test_a_picture_s_colours_become_the_only_ones_as_in_predict(
    page: Page, weights: Path, drawing: Path, tmp_path: Path
) -> None:
    painting = np.full((120, 200, 3), 255, np.uint8)
    painting[10:110, 10:70], painting[30:90, 80:190] = (32, 96, 192), (240, 192, 64)
    Image.fromarray(painting).save(tmp_path / "painting.png")
    opened(page, drawing)
    page.click("#flat")
    page.files("#referenceFile", tmp_path / "painting.png")
    page.wait("/2 main colours of painting/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    found = np.asarray(Image.open(saved(page, "colours", tmp_path)))
    palette = palette_of_reference(str(tmp_path / "painting.png"), [], 10**6)
    painter = load_painter(weights, device="cpu", flats=True, palette=palette)
    (wanted,) = painter.process([np.asarray(Image.open(drawing).convert("RGB"))])
    np.testing.assert_array_equal(found, wanted.colours)
    assert palette.portions[0] != palette.portions[1]
    reload_and_wait(page)
    assert page.run("document.querySelector('#only').checked && !referenceRow.hidden")
    np.testing.assert_array_equal(
        np.asarray(Image.open(saved(page, "colours", tmp_path / "again"))), wanted.colours
    )


def test_flats_alone_are_given_where_they_are_wished(page: Page, drawing: Path) -> None:
    rgb = np.asarray(Image.open(drawing).convert("RGB"))
    hints = Hints((rgb.shape[1], rgb.shape[0]))
    assert painted(page, rgb, hints, shaded=False)["said"] == ["filler", "network"]
    strip = np.concatenate([rgb] * 11, 1)[:150]  # more than 16 times as long
    assert painted(page, strip, Hints(strip.shape[1::-1]))["shaded"] is None


def test_the_switch_turns_to_flat_colours_and_is_kept(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    shaded = page.run(SUM)
    set_detail = "detail.value = 3, detail.dispatchEvent(new Event('change'))"
    page.run(set_detail)
    page.wait(QUIET)
    detailed = page.run(SUM)
    assert detailed != shaded
    page.click("#flat")
    page.wait(QUIET)
    assert page.run(SUM) not in (shaded, detailed)
    reload_and_wait(page)
    assert page.run("document.querySelector('#flat').checked")
    page.click("#shaded")
    page.wait(QUIET)
    assert page.run(SUM) == detailed and page.run("detail.value") == "3"


def test_the_picture_is_saved_shaded_and_layers_flat(
    page: Page, drawing: Path, tmp_path: Path
) -> None:
    opened(page, drawing)
    shaded = np.asarray(Image.open(saved(page, "png", tmp_path)))
    colours = np.asarray(Image.open(saved(page, "colours", tmp_path)))
    with ZipFile(saved(page, "ora", tmp_path)) as archive, archive.open("mergedimage.png") as file:
        merged = np.asarray(Image.open(file).convert("RGB"))
    page.click("#flat")
    page.wait(QUIET)
    flat = np.asarray(Image.open(saved(page, "png", tmp_path / "flat")))
    np.testing.assert_array_equal(merged, flat)
    assert (shaded != flat).any() and len(np.unique(colours.reshape(-1, 3), axis=0)) > 20


def test_one_file_shades_too(browser: Pipe, model: Model, drawing: Path, tmp_path: Path) -> None:
    write_single(tmp_path / "studio.html", model)
    with visited(browser, (tmp_path / "studio.html").as_uri()) as page:
        opened(page, drawing)
        dot(page, LEFT)
        shaded = page.run(SUM)
        page.click("#flat")
        page.wait(QUIET)
        assert page.run(SUM) != shaded

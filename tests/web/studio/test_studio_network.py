"""The studio's page with a region network: what it colours, suggests and varies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import needs_chromium
from chromium import Page, Pipe, visited
from serving import served
from test_studio_page import LEFT, QUIET, RED, RIGHT, SUM, colour, dot, opened, place, strokes
from tiny_words import TINY, make_region_network

from sketch2paint.commands.studio import exported
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator
from sketch2paint.web.site import write_site

pytestmark = [needs_chromium, pytest.mark.slow]
NETWORK: dict[str, Any] = {**TINY, "colours": 9}
CHIPS = "[...document.querySelectorAll('#suggested button')].map(chip => chip.value)"


@pytest.fixture(scope="module")
def network_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the page is served with a tiny network."""
    pytest.importorskip("onnxscript", reason="the extra onnx")
    folder = tmp_path_factory.mktemp("site")
    weights = folder / "regions.safetensors"
    save_generator(weights, make_region_network(**NETWORK).state_dict(), describe_regions(NETWORK))
    write_site(folder / "studio", exported(str(weights)))
    with served(folder / "studio") as url:
        yield url


@pytest.fixture
def page(browser: Pipe, network_url: str, drawing: Path) -> Iterator[Page]:
    """The page with a drawing that is coloured; errors, and requests after that, fail the test."""
    with visited(browser, network_url) as page:
        opened(page, drawing)
        assert {url.split("/")[2] for url in page.requests if url.startswith("http")} == {
            network_url.split("/")[2]
        }
        page.requests.clear()
        yield page
    assert [url for url in page.requests if not url.startswith(("data:", "blob:"))] == []


def test_a_drawing_is_coloured_at_once_unless_that_is_switched_off(page: Page) -> None:
    assert colour(page, RIGHT) != "#ffffff" or colour(page, LEFT) != "#ffffff"
    coloured = page.run(SUM)
    dot(page, LEFT)
    page.click("#network")
    page.wait(QUIET)
    assert colour(page, LEFT) == RED and colour(page, RIGHT) == "#ffffff"
    page.click("#network")
    page.press("Ctrl+z")
    page.wait(QUIET)
    assert page.run(SUM) == coloured


def test_the_likeliest_colours_of_a_region_are_shown_and_taken(page: Page) -> None:
    page.mouse("mouseMoved", place(page, RIGHT))
    page.wait(f"{CHIPS}.length > 1")
    chips = page.run(CHIPS)
    page.key("down", "Shift+2")
    page.key("up", "Shift+2")
    assert page.run("document.querySelector('#hex').value") == chips[1]
    dot(page, RIGHT)
    assert colour(page, RIGHT) == chips[1]
    page.click("#suggested button")
    assert page.run("document.querySelector('#hex').value") != chips[1]


def test_a_finger_is_shown_the_likeliest_colours_too(page: Page) -> None:
    page.size(390, 844, is_phone=True)
    page.wait("picture.getBoundingClientRect().right < 390")
    page.touch([place(page, RIGHT)])
    page.wait(f"{CHIPS}.length > 1")
    assert strokes(page) == 1


def test_sliders_move_the_style_which_is_undone_and_kept(page: Page) -> None:
    first = page.run(SUM)
    move = """(() => {{
      {0}.value = {1};
      for (const kind of ["input", "change"]) {0}.dispatchEvent(new Event(kind));
    }})()"""
    sums = []
    for name, step in (("lightness", -3), ("warmth", 2.5)):
        page.run(move.format(name, step))
        page.wait(QUIET)
        sums.append(page.run(SUM))
    said = "[...document.querySelectorAll('#style output')].map(each => each.textContent)"
    assert page.run(said) == ["+2.5", "\u22123", "0", "0"] and len({first, *sums}) == 3
    page.press("Ctrl+z")
    page.wait(QUIET)
    assert page.run(SUM) == sums[0] and page.run(said) == ["0", "\u22123", "0", "0"]
    dot(page, LEFT)
    assert colour(page, LEFT) == RED  # to the bit
    page.press("Ctrl+z")
    page.wait(QUIET)
    page.run("new Promise(done => setTimeout(done, 600))")
    page.open(page.run("location.href"))
    page.wait("/back as you left it/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    assert page.run(SUM) == sums[0] and page.run("lightness.value") == "-3"
    page.click("#styleReset")
    page.wait(QUIET)
    assert page.run(SUM) == first and page.run("styleReset.disabled")
    page.requests.clear()


def test_a_variation_is_chosen_and_undone(page: Page) -> None:
    first = page.run(SUM)
    page.click("[data-action=variations]")
    page.wait("document.querySelectorAll('#variations button').length === 5")
    page.wait(QUIET)
    assert page.run(SUM) == first
    numbers = "[...document.querySelectorAll('#variations span')].map(each => each.textContent)"
    assert page.run(numbers) == ["1", "2", "3", "4", "5"]
    label = "document.querySelector('#variations button:last-child').ariaLabel"
    assert page.run(label) == "Variation 5"
    sums = []
    for place_ in (3, 4, 5):
        page.click(f"#variations button:nth-child({place_})")
        page.wait(QUIET)
        sums.append(page.run(SUM))
        pressed = "document.querySelector('#variations [aria-pressed=true]').value"
        assert page.run(pressed) == str(place_ - 1)
    assert len({first, *sums}) > 2 and strokes(page) == 0
    for expected in (sums[1], sums[0], first):
        page.press("Ctrl+z")
        page.wait(QUIET)
        assert page.run(SUM) == expected

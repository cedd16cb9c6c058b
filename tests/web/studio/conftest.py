"""The studio's page in a browser, served as any static host would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from chromium import Page, Pipe, chromium
from PIL import Image, ImageDraw

from sketch2paint.web.pages import PACKAGE

Open = Callable[..., Page]


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes nothing to the screen."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def studio_url() -> Iterator[str]:
    """Where the studio's page is served, without a model."""
    serve = partial(Quiet, directory=str(PACKAGE / "web/studio"))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    """A browser for all tests."""
    with chromium(tmp_path_factory.mktemp("profile")) as pipe:
        yield pipe


@pytest.fixture
def page(browser: Pipe, studio_url: str) -> Iterator[Page]:
    """The empty page; an error in its console, or a request to elsewhere, fails the test."""
    page = Page(browser)
    page.size(1280, 800)
    page.open(studio_url)
    page.wait("document.body.classList.contains('ready')")
    yield page
    page.run("0")  # takes up what was sent meanwhile
    assert page.errors == []
    own = (studio_url, "data:", f"blob:{studio_url}")
    assert [url for url in page.requests if not url.startswith(own)] == []
    page.close()


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """A drawing of 300 x 200 pixels: two boxes, the left one with a box in it, and a circle."""
    picture = Image.new("L", (300, 200), 255)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((20, 20, 130, 180), outline=0, width=4)
    pen.rectangle((50, 60, 100, 140), outline=0, width=4)
    pen.rectangle((150, 20, 280, 90), outline=0, width=4)
    pen.ellipse((170, 110, 250, 180), outline=0, width=4)
    picture.save(tmp_path / "boxes.png")
    return tmp_path / "boxes.png"

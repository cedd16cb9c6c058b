"""The studio's page in a browser, and a drawing for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Page, Pipe, chromium, visited
from PIL import Image, ImageDraw
from serving import served

from sketch2paint.web.site import STUDIO


@pytest.fixture(scope="session")
def studio_url() -> Iterator[str]:
    """Where the studio's page is served, without a model."""
    with served(STUDIO) as url:
        yield url


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipe]:
    """A browser for all tests."""
    with chromium(tmp_path_factory.mktemp("profile")) as pipe:
        yield pipe


@pytest.fixture
def page(browser: Pipe, studio_url: str) -> Iterator[Page]:
    """The empty page; an error in its console, or a request to elsewhere, fails the test."""
    with visited(browser, studio_url) as page:
        yield page
    own = (studio_url, "data:", f"blob:{studio_url}")
    assert [url for url in page.requests if not url.startswith(own)] == []


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

"""Templates: what is put in stays text, styles and scripts come with, and files are streamed."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Elements
from jinja2 import UndefinedError
from PIL import Image

from sketch2paint.web.pages import PACKAGE, data_uri, write_page

NASTY = "</script></title><img src=x onerror=alert(1)> \"'& {{ title }} {% raw %} ü \u2028"
POLICY = "default-src 'none'; img-src {}; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def gallery(names: list[str]) -> dict[str, Any]:
    """What web/gallery.html asks for, a card with one picture for each name."""
    picture = {"label": "Sketch", "thumb": "data:,", "medium": "", "link": "a.png"}
    cards = [{"name": n, "width": 1, "height": 2, "pictures": [picture]} for n in names]
    return {"count": len(names), "cards": cards}


def report(names: list[str]) -> dict[str, Any]:
    """What web/report.html asks for, each name wherever one may stand."""
    return {
        "title": names[0],
        "count": len(names),
        "size": 16,
        "headings": ["PSNR dB"],
        "rows": [(name, [("1.00", "0.50..1.50")]) for name in names],
        "metrics": [(0, "PSNR dB")],
        "cards": [(name, [(name, "data:,")]) for name in names],
        "data": {"networks": names, "metrics": [], "values": []},
        "methods": [["regions", "gap 0"], *([name, "0.9"] for name in names)],
    }


PAGES = {"web/gallery.html": gallery, "web/report.html": report}


def elements(page: Path) -> Elements:
    return Elements(page.read_text("utf-8"))


@pytest.mark.parametrize("template", PAGES)
def test_names_cannot_become_markup(tmp_path: Path, template: str) -> None:
    write_page(tmp_path / "plain.html", template, PAGES[template](["a", "b"]))
    write_page(tmp_path / "nasty.html", template, PAGES[template]([NASTY, "b"]))
    plain, nasty = (elements(tmp_path / f"{name}.html") for name in ("plain", "nasty"))
    assert [tag for tag, _ in nasty.found] == [tag for tag, _ in plain.found]
    names = [button["data-name"] for button in nasty.all("button") if "data-name" in button]
    assert names == [NASTY, "b"]
    if template == "web/report.html":
        assert [image["alt"] for image in nasty.all("img")] == [NASTY, "b"]


def test_data_cannot_end_its_script(tmp_path: Path) -> None:
    names = [NASTY, "'\"&<!--<script>", "\udcff"]
    write_page(tmp_path / "r.html", "web/report.html", report(names))
    text = (tmp_path / "r.html").read_text("utf-8")
    island = re.search(r'id="data">(.*?)</script>', text)
    assert island and not re.search("[<>&']", island[1])
    assert json.loads(island[1])["networks"] == names


@pytest.mark.parametrize("template", PAGES)
def test_bytes_that_are_no_text_become_question_marks(tmp_path: Path, template: str) -> None:
    write_page(tmp_path / "p.html", template, PAGES[template](["\udcff<b>\ud800.png", "ü.png"]))
    page = elements(tmp_path / "p.html")
    names = [button["data-name"] for button in page.all("button") if "data-name" in button]
    assert names == ["?<b>?.png", "ü.png"] and not page.all("b")[1:]  # the dialog's own


@pytest.mark.parametrize("template", PAGES)
def test_pages_are_whole_in_themselves(tmp_path: Path, template: str) -> None:
    write_page(tmp_path / "p.html", template, PAGES[template](["a", "b"]))
    text = (tmp_path / "p.html").read_text("utf-8")
    page = Elements(text)
    policy = next(m["content"] for m in page.all("meta") if "http-equiv" in m)
    sources = "data:" if template == "web/report.html" else "data: file: 'self'"
    assert " ".join(str(policy).split()) == POLICY.format(sources)
    assert not page.all("link") and not any("src" in script for script in page.all("script"))
    assert not re.search(r"https?://|@import|url\(", text)
    own = Path(template).stem
    for name in ("pages.css", "pages.js", f"{own}.css", f"{own}.js"):
        assert text.count((PACKAGE / "web" / name).read_text("utf-8")) == 1


def test_styles_and_scripts_cannot_end_their_element() -> None:
    files = [f for f in (PACKAGE / "web").iterdir() if f.suffix in (".css", ".js")]
    assert files
    for file in files:
        assert not re.search("</|<!--", file.read_text("utf-8")), file


def test_a_page_is_written_while_its_pictures_are_made(tmp_path: Path) -> None:
    written = []

    def cards() -> Iterator[dict[str, Any]]:
        for _ in range(4):
            (beside,) = tmp_path.glob(".*.html")
            written.append(beside.stat().st_size)
            yield gallery(["a" * 50_000])["cards"][0]  # a name stands there twice

    write_page(tmp_path / "g.html", "web/gallery.html", {"count": 4, "cards": cards()})
    assert np.diff(written).min() >= 100_000
    assert [file.name for file in tmp_path.iterdir()] == ["g.html"]


def test_an_error_leaves_the_older_page(tmp_path: Path) -> None:
    def cards() -> Iterator[dict[str, Any]]:
        yield gallery(["a"])["cards"][0]
        raise OSError("the disk is full")

    (tmp_path / "g.html").write_text("older")
    with pytest.raises(OSError, match="the disk is full"):
        write_page(tmp_path / "g.html", "web/gallery.html", {"count": 2, "cards": cards()})
    with pytest.raises(UndefinedError, match="'count' is undefined"):
        write_page(tmp_path / "g.html", "web/gallery.html", {"cards": []})
    assert (tmp_path / "g.html").read_text() == "older" and len(list(tmp_path.iterdir())) == 1


def test_markdown_is_not_escaped(tmp_path: Path) -> None:
    asked = re.findall(r"{{ (\w+) }}", (PACKAGE / "assets/model_card.md").read_text("utf-8"))
    write_page(tmp_path / "c.md", "assets/model_card.md", dict.fromkeys(asked, "a < b & {{ c }}"))
    text = (tmp_path / "c.md").read_text("utf-8")
    assert text.count("a < b & {{ c }}") == len(asked) > 10 and text.endswith("```\n")


def test_pictures_are_shrunk_and_never_enlarged() -> None:
    for side, size in ((64, (64, 32)), (500, (200, 100))):
        uri = data_uri(np.full((100, 200, 3), (200, 40, 40), np.uint8), side, quality=90)
        kind, _, data = uri.partition(",")
        assert kind == "data:image/webp;base64"
        assert Image.open(BytesIO(b64decode(data))).size == size

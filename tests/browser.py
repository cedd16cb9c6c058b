"""Pages as a parser and as a browser sees them."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page in")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync "
    "--disable-background-networking --disable-component-update --virtual-time-budget=5000 "
    "--dump-dom"
).split()


class Elements(HTMLParser):
    """The elements of a page, as (tag, attributes)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def told(page: Path, script: str, profile: Path) -> list[str]:
    """What a script, run in the page in a browser with a new profile, pushes to `said`.

    It finds there: cards, name, place, panes and close, of the page; press(key) and wait().
    """
    run = f"""<pre id="said"></pre><script>addEventListener("load", async () => {{
      const said = [], wait = () => new Promise(done => setTimeout(done, 200));
      const press = key => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {{key, bubbles: true}}));
      const cards = document.querySelectorAll(".card"), view = document.querySelector("dialog");
      const [name, place, panes] = [".bar b", ".place", ".panes"].map(s => view.querySelector(s));
      const close = view.querySelector("[aria-label=Close]");
      {script}
      document.querySelector("#said").textContent = said.join("; ");
    }})</script></html>"""
    test = page.with_name("test.html")
    test.write_text(page.read_text("utf-8").replace("</html>", run), "utf-8")
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", test.as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100)
    found = re.search(r'<pre id="said">(.+?)</pre>', result.stdout)
    assert found, result.stdout[-1000:] + result.stderr[-1000:]
    return unescape(found[1]).split("; ")

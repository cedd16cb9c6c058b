"""Time the studio in a browser: python tests/web/studio/measure.py STUDIO DRAWING.png [SIDE ...]

STUDIO is a folder that studio.py built. A drawing is brought to each side in pixels. `threads` as a
last word serves the page with the headers for threads; without it there is one thread.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

TESTS = Path(__file__).parents[2]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]

from chromium import Page, chromium  # noqa: E402
from serving import running, served  # noqa: E402

from sketch2paint.images.convert import resize  # noqa: E402
from sketch2paint.images.io import read_rgb  # noqa: E402
from sketch2paint.web.server import Server  # noqa: E402

STROKES = 60
SCRIPT = """(async (png, strokes) => {
  const {Engine} = await import("./engine/client.js");
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const picture = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const {width, height} = picture;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(picture, 0, 0);
  const {data} = canvas.getImageData(0, 0, width, height);
  const since = (start) => performance.now() - start;
  const begin = performance.now();
  const engine = await Engine.start({models: "./model/"});
  const {count} = await engine.open(width, height, data);
  const open = since(begin);
  const hints = {version: 1, size: [width, height], gap: null, palette: null, hints: []};
  let first = 0;
  await engine.paint({hints}, ({source}) => { if (source === "network") first = since(begin); });
  const chance = (state => () => (state = state * 16807 %% 2147483647) / 2147483647)(7);
  const unit = Math.min(width, height) / 512;
  const times = {filler: [], network: [], shaded: []};
  for (let n = 0; n < strokes; n++) {
    const [x, y] = [width, height].map((side) => side * (0.1 + 0.8 * chance()));
    const points = [[x, y], [x + 8 * unit, y + 4 * unit], [x + 16 * unit, y + 12 * unit]];
    hints.hints.push({points, width: 4 * unit, color: ["#d22828", "#285ac8", "paper"][n %% 3]});
    const start = performance.now();
    await engine.paint({hints}, ({source}) => times[source].push(since(start)));
    await new Promise((done) => setTimeout(done, 20));
  }
  const {threads} = engine.about;
  engine.close();
  return {count, open, first, threads, ...times};
})(%s, %d)"""


def measured(page: Page, rgb: np.ndarray) -> dict[str, Any]:
    """Milliseconds of opening a drawing (H, W, 3), its first colour, and each stroke's answers."""
    done, png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    assert done
    found: dict[str, Any] = page.run(SCRIPT % (json.dumps(b64encode(png).decode()), STROKES))
    return found


def row(name: str, rgb: np.ndarray, found: dict[str, Any]) -> str:
    """A row of the table."""
    answers = [found[of] or [0] for of in ("filler", "network", "shaded")]
    shares = [np.percentile(times, (50, 95)) for times in answers]
    times = [found["open"], found["first"], *np.concatenate(shares)]
    size = f"{name} {rgb.shape[1]} x {rgb.shape[0]}"
    numbers = " | ".join(f"{time:.0f}" for time in times)
    return f"| {size} | {found['count']} | {found['threads']} | {numbers} |"


def main(studio: str, drawing: str, *words: str) -> None:
    server = running(Server(studio, 0)) if "threads" in words else served(Path(studio))
    print(
        "| drawing | regions | threads | open | first colour | filler | p95 | network | p95 "
        "| shaded | p95 |"
    )
    print("|" + " --- |" * 11)
    with TemporaryDirectory() as profile, chromium(Path(profile)) as pipe, server as url:
        for side in [int(word) for word in words if word.isdigit()] or [512]:
            page = Page(pipe)
            page.open(url)
            rgb = read_rgb(drawing)
            scale = side / min(rgb.shape[:2])
            rgb = resize(rgb, round(rgb.shape[0] * scale), round(rgb.shape[1] * scale))
            print(row(Path(drawing).stem, rgb, measured(page, rgb)), flush=True)
            page.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

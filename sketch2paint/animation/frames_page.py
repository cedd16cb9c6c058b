"""The page of frames to look at: each with the regions whose colour is unsure marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sketch2paint.images.io import read_rgb
from sketch2paint.web.pages import data_uri, write_page

MOST = 200  # frames in the page, those with most to look at
THUMB, MEDIUM = 256, 1024  # longer sides
MARK = (255, 0, 160)
NOTE = (
    "Pink frames stand around regions whose colour is unsure; the frames with most of them come "
    "first. Correct one in any program, put it among the keys, and run animate.py again."
)


def write_unsure(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write one HTML file of the frames with unsure regions, those with most of it first.

    Args:
        path: File to write, in the folder of the frames.
        entries: Entries of the record, each with `unsure` regions.
    """
    shown = sorted(entries, key=_weight, reverse=True)[:MOST]
    cards = _cards(path.parent, shown)
    write_page(path, "web/gallery.html", {"count": len(shown), "cards": cards, "note": NOTE})


def _weight(entry: Mapping[str, Any]) -> float:
    return sum(each["area"] * (1 - each["confidence"]) for each in entry["unsure"])


def _cards(folder: Path, entries: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        file = f"{entry['frame']}.png"
        rgb = read_rgb(folder / file)
        pictures = [("Look here", marked(rgb, entry["unsure"]), ""), ("Coloured", rgb, file)]
        count = len(entry["unsure"])
        yield {
            "name": f"{entry['frame']}: {count} {'region' if count == 1 else 'regions'}",
            "width": rgb.shape[1],
            "height": rgb.shape[0],
            "pictures": [
                {
                    "label": label,
                    "thumb": data_uri(picture, THUMB, quality=75),
                    "medium": data_uri(picture, MEDIUM, quality=85),
                    "link": link,
                }
                for label, picture, link in pictures
            ],
        }


def marked(rgb: np.ndarray, unsure: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """A paler copy of a picture (H, W, 3) uint8 with a frame around each unsure region."""
    pale = (255 - (255 - rgb.astype(np.uint16)) // 2).astype(np.uint8)
    width = max(1, round(min(rgb.shape[:2]) / 256))
    for x, y, across, down in (each["box"] for each in unsure):
        region = np.s_[y : y + down, x : x + across]
        pale[region] = rgb[region]
    for x, y, across, down in (each["box"] for each in unsure):
        cv2.rectangle(pale, (x - width, y - width), (x + across, y + down), MARK, width)
    return pale

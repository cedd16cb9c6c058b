"""Drawings, strokes, and the label maps and fills they give, as files.

A second implementation, in another language, is held to the same files: `vectors/NAME.png` is the
drawing, `NAME.hints.json` the strokes, cuts and merges, `NAME.labels.png` the regions at the gap
that the hints name (16 bits, numbers in any order), `NAME.filled.png` the stroke of each pixel.
Written again by `python tests/hints/test_vectors.py`, after a change that is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from sketch2paint.hints.corrected import regions_said
from sketch2paint.hints.fill import fill
from sketch2paint.hints.format import Hints, marks, read_hints, write_hints
from sketch2paint.hints.strokes import Stroke

VECTORS = Path(__file__).parent / "vectors"
NAMES = ["bust", "face", "gaps", "grid", "grey", "hatched", "parted"]
COLOURS = [(210, 40, 40), (40, 90, 200), None, (60, 160, 70), (240, 200, 60)]


def found(name: str) -> tuple[np.ndarray, np.ndarray]:
    """What this implementation makes of a vector: labels and fill."""
    sketch = cv2.imread(str(VECTORS / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    assert sketch is not None
    hints = read_hints(VECTORS / f"{name}.hints.json")
    regions = regions_said(sketch, hints)
    return regions.cut(hints.gap), fill(regions, marks(hints), hints.gap)


def written(name: str, what: str) -> np.ndarray:
    picture = cv2.imread(str(VECTORS / f"{name}.{what}.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None and picture.dtype == np.uint16
    return picture


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_fills_are_those_of_the_files(name: str) -> None:
    labels, filled = found(name)
    wanted = written(name, "labels")
    pairs = np.unique(np.stack([labels.ravel(), wanted.ravel()]), axis=1)
    assert pairs.shape[1] == len(np.unique(labels)) == len(np.unique(wanted))  # one to one
    np.testing.assert_array_equal(filled, written(name, "filled"))


def drawings() -> Iterator[tuple[str, np.ndarray, Hints]]:
    """Small drawings of each kind, with strokes as people make them."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        sketch = np.full((120, 160), 255, np.uint8)
        if name == "bust":  # open below: two line ends close it
            cv2.ellipse(sketch, (80, 95), (36, 50), 0, 180, 360, 0, 3, cv2.LINE_AA)
            cv2.circle(sketch, (80, 28), 16, 0, 3, cv2.LINE_AA)
        elif name == "face":  # small regions, filled eyes
            cv2.circle(sketch, (80, 60), 48, 0, 3, cv2.LINE_AA)
            for x in (62, 98):
                cv2.circle(sketch, (x, 50), 9, 0, 2, cv2.LINE_AA)
                cv2.circle(sketch, (x, 50), 3, 0, -1)
            cv2.ellipse(sketch, (80, 75), (20, 10), 0, 10, 170, 0, 2, cv2.LINE_AA)
        elif name == "gaps":  # a box of rooms with doors of 4, 8 and 14
            cv2.rectangle(sketch, (10, 10), (150, 110), 0, 2)
            for x, door in ((45, 4), (80, 8), (115, 14)):
                cv2.line(sketch, (x, 10), (x, 110), 0, 2)
                sketch[60 : 60 + door, x - 2 : x + 3] = 255
        elif name == "grid":
            sketch[4::12] = sketch[:, 4::12] = 0
        elif name == "parted":  # rooms, of which two are cut and three merged
            cv2.rectangle(sketch, (10, 10), (150, 110), 0, 2)
            for x in (45, 80, 115):
                cv2.line(sketch, (x, 10), (x, 110), 0, 2)
        elif name == "grey":  # thin grey lines on grey, grainy paper
            cv2.circle(sketch, (60, 60), 40, 110, 1, cv2.LINE_AA)
            cv2.circle(sketch, (100, 60), 40, 110, 1, cv2.LINE_AA)
            sketch = (sketch * 0.8 - rng.integers(0, 12, sketch.shape)).clip(0, 255).astype("uint8")
        else:
            cv2.rectangle(sketch, (20, 20), (140, 100), 0, 3)
            for x in range(30, 80, 5):
                cv2.line(sketch, (x, 40), (x + 10, 80), 0, 1)
        strokes = [
            Stroke(((float(x), float(y)), (float(x) + 9, float(y) + 4)), 4, colour)
            for (x, y), colour in zip(rng.integers(25, 95, (5, 2)), COLOURS, strict=True)
        ]
        gap = 6 if name == "gaps" else None
        hints = Hints((160, 120), tuple(strokes), gap=gap)
        if name == "parted":  # a cut that ends before the lines, one from edge to edge
            cuts = Stroke(((14, 58), (41, 63)), 1, None), Stroke(((80, 0), (159, 119)), 2, None)
            merges = (Stroke(((25, 80), (60, 85), (95, 90)), 1, None),)
            hints = replace(hints, cuts=cuts, merges=merges)
        yield name, sketch, hints


if __name__ == "__main__":
    VECTORS.mkdir(exist_ok=True)
    for name, sketch, hints in drawings():
        cv2.imwrite(str(VECTORS / f"{name}.png"), sketch)
        write_hints(VECTORS / f"{name}.hints.json", hints)
        for what, numbers in zip(("labels", "filled"), found(name), strict=True):
            cv2.imwrite(str(VECTORS / f"{name}.{what}.png"), numbers.astype(np.uint16))

"""Ways to find a drawing's regions, compared by what each holds together."""

from __future__ import annotations

import math
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from sketch2paint.evaluation.region_accuracy import Drawing, region_accuracy, segments, with_cuts
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import codes
from sketch2paint.images.io import read_rgb

SIDE = 512  # pixels of the drawings that regions and flats are measured on
GAPS = (0, 4, 8, 16)  # pixels, of the cuts in the lines
BLACK = 160  # level below which connected components take a pixel for a line
SMART = "0,95,1,0,1,124,60,0,75,2,60,20,90,1,10,1"  # G'MIC's parameters
HEADINGS = ("regions", *(f"gap {gap}" for gap in GAPS), "segments", "s")

Method = Callable[[np.ndarray], np.ndarray]  # a drawing (H, W) uint8 to its regions (H, W)


@dataclass(frozen=True)
class MethodTable:
    """Means over drawings.

    Attributes:
        values: Region accuracy for each of GAPS, number of segments, and seconds, for each method;
            NaN is not applicable.
        missing: Words for each method that could not be measured.
    """

    values: dict[str, list[float]]
    missing: dict[str, str]

    def lines(self) -> list[list[str]]:
        """Cells of the table, headings first."""
        digits = [*[3] * len(GAPS), 1, 3]
        rows = [
            [self._title(name), *(_text(*of) for of in zip(row, digits, strict=True))]
            for name, row in self.values.items()
        ]
        return [list(HEADINGS), *rows]

    def _title(self, name: str) -> str:
        return f"{name} ({self.missing[name]})" if name in self.missing else name

    def plain(self) -> dict[str, Any]:
        """The table as plain data, None for what is not applicable."""
        rows = {
            name: {
                heading: None if math.isnan(value) else round(value, 6)
                for heading, value in zip(HEADINGS[1:], row, strict=True)
            }
            for name, row in self.values.items()
        }
        return {"size": SIDE, "rows": rows, "not_applicable": self.missing}


def _text(value: float, digits: int) -> str:
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def compare_methods(drawings: Iterable[Drawing]) -> MethodTable:
    """Measure how well each method's regions hold colours together, by the width of gaps.

    G'MIC takes part where the program `gmic` is installed.
    """
    methods: dict[str, Method] = {
        "connected components": components,
        "sketch2paint": lambda sketch: find_regions(sketch).cut(),
        "G'MIC": gmic_smart,
    }
    missing = {} if shutil.which("gmic") else {"G'MIC": "not installed"}
    found: dict[str, list[np.ndarray]] = {name: [] for name in methods if name not in missing}
    for drawing in tqdm(drawings, "regions", unit="picture", disable=None):
        cuts = [with_cuts(drawing.sketch, drawing.name, gap) for gap in GAPS]
        for name, rows in found.items():
            rows.append(np.array([_measured(methods[name], cut, drawing) for cut in cuts]))
    none = [math.nan] * (len(HEADINGS) - 1)
    return MethodTable({n: _means(found[n]) if n in found else none for n in methods}, missing)


def _measured(method: Method, sketch: np.ndarray, drawing: Drawing) -> tuple[float, float, float]:
    """Accuracy, segments and seconds of a method on a drawing that was cut."""
    start = time.perf_counter()
    labels = method(sketch)
    seconds = time.perf_counter() - start
    return region_accuracy(labels, drawing), segments(labels, drawing), seconds


def _means(rows: list[np.ndarray]) -> list[float]:
    """A row of the table from what was measured, (GAPS, 3) for each drawing."""
    accuracy, counts, seconds = np.moveaxis(np.stack(rows), -1, 0)  # each (N, GAPS)
    coloured = ~np.isnan(accuracy[:, 0])
    held = accuracy[coloured].mean(0) if coloured.any() else accuracy[0]
    return [*held.tolist(), float(counts.mean()), float(seconds.mean())]


def components(sketch: np.ndarray) -> np.ndarray:
    """Connected pixels of a drawing (H, W) uint8 that are no line, numbered from 1."""
    return cv2.connectedComponents((sketch >= BLACK).astype(np.uint8), connectivity=4)[1]


def gmic_smart(sketch: np.ndarray) -> np.ndarray:
    """Regions (H, W) that G'MIC's smart lineart colouring finds in a drawing (H, W) uint8.

    Raises:
        ValueError: the program did not colour it.
    """
    with TemporaryDirectory() as folder:
        given, made = Path(folder, "given.png"), Path(folder, "made.png")
        Image.fromarray(sketch).save(given)
        command = ["gmic", str(given), "-fx_colorize_lineart_smart", SMART, "-k[1]", "-c", "0,255"]
        done = subprocess.run([*command, "-o", str(made)], capture_output=True, text=True)
        if not made.is_file():
            raise ValueError(
                "Expected the program gmic to colour a drawing, got: "
                f"{done.stderr.strip()[-200:]}. Pass regions=false, or install one that works."
            )
        colours = codes(read_rgb(made))
    labels, count = np.zeros(sketch.shape, np.int32), 0
    for colour in np.unique(colours):
        number, parts = cv2.connectedComponents((colours == colour).astype(np.uint8), None, 4)
        labels[parts > 0] = parts[parts > 0] + count
        count += number - 1
    return labels

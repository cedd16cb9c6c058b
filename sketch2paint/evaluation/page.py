"""The evaluated pictures as one HTML page: sketch | coloured | real, sortable by each metric."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sketch2paint.evaluation.bootstrap import Summary
from sketch2paint.evaluation.compare import Results
from sketch2paint.evaluation.metrics import Metric
from sketch2paint.evaluation.report import Evaluation, cells
from sketch2paint.web.pages import data_uri, write_page

SIDE, SMALL_SIDE = 512, 128  # longest, of a picture in the page
SMALL_ABOVE = 1000  # pictures
ROWS = 8  # kept for other uses, spread over the set


class PicturePage:
    """Collects pictures while they are measured.

    Args:
        count: Number of pictures to come.
        wanted: Whether a page is to be written; else only a few rows are kept.

    Attributes:
        rows: Up to 8 of the rows of pictures, spread evenly.
    """

    def __init__(self, count: int, wanted: bool) -> None:
        self.wanted, self.small = wanted, count > SMALL_ABOVE
        self.spread = set(np.linspace(0, count - 1, min(ROWS, count)).astype(int).tolist())
        self.seen = 0
        self.rows: list[Sequence[np.ndarray]] = []
        self.encoded: list[list[str]] = []

    def add(self, name: str, pictures: Sequence[np.ndarray]) -> None:
        """Take sketch, one picture for each candidate, and the real one, (S, S, 3) uint8."""
        if self.seen in self.spread:
            self.rows.append(pictures)
        if self.wanted:
            side, quality = (SMALL_SIDE, 75) if self.small else (SIDE, 90)
            self.encoded.append([data_uri(picture, side, quality) for picture in pictures])
        self.seen += 1

    def write(self, path: Path | str, evaluation: Evaluation) -> None:
        """Write the page; it needs no network and no other file.

        Args:
            path: File to write, .html.
            evaluation: What was found while this page was filled.
        """
        split, results = evaluation.split, evaluation.results
        metrics = list(enumerate(results.of_pictures))
        given = {
            "title": f"{split.data.source.root}, {split.name}",
            "count": len(results.files),
            "size": split.data.size,
            "metrics": [(n, metric.heading) for n, metric in metrics if _shown(metric, results)],
            "headings": [m.heading for m in results.metrics if _shown(m, results)],
            "rows": _rows(results, evaluation.summary),
            "methods": evaluation.methods.lines() if evaluation.methods else [],
            "cards": self._cards(results),
            "data": _data(results),
        }
        write_page(path, "web/report.html", given)

    def _cards(self, results: Results) -> Iterator[tuple[str, Iterable[tuple[str, str]]]]:
        """Each picture's name, and its labels with what was encoded."""
        labels = ["Sketch", *results.rows[: results.candidates], "Truth"]
        for name, uris in zip(results.files, self.encoded, strict=True):
            yield name, zip(labels, uris, strict=True)


def _shown(metric: Metric[Any], results: Results) -> bool:
    return metric.key not in results.missing


def _rows(results: Results, summary: Summary) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each row's name, and mean and interval of the metrics shown."""
    for name, row in zip(results.rows, cells(results, summary), strict=True):
        found = zip(results.metrics, row, strict=True)
        yield name, [cell for metric, cell in found if _shown(metric, results)]


def _data(results: Results) -> dict[str, Any]:
    """What the page sorts by: names, metrics, and values with None for what is not applicable."""
    values = [
        [[None if math.isnan(value) else round(value, 5) for value in row] for row in rows]
        for rows in results.values[:, : results.candidates].tolist()
    ]
    metrics = [[metric.heading, metric.digits, metric.better] for metric in results.of_pictures]
    return {"networks": results.rows[: results.candidates], "metrics": metrics, "values": values}

"""Rows of cells as text: in aligned columns, as a Markdown table, or as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sketch2paint.files import written_beside


def aligned(rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    """Write rows with columns as wide as their widest cell, two spaces apart.

    Args:
        rows: Cells of each row, the headings first; every row has as many.
        numbers: Whether the columns after the first hold numbers, which stand to the right.

    Returns:
        Lines without trailing spaces and without a last line break.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if numbers and number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Write rows as a Markdown table; the first one is its head."""
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_table(
    path: Path | str, columns: Sequence[str], lines: Iterable[Mapping[str, Any]]
) -> None:
    """Write lines as CSV in UTF-8, whole or not at all.

    Args:
        path: File; an older one is replaced.
        columns: Headings in order.
        lines: Values of each line by heading; one that is left out is empty.
    """
    # Names of files may be no Unicode.
    how: dict[str, Any] = {"newline": "", "encoding": "utf-8", "errors": "surrogateescape"}
    with written_beside(path) as beside, open(beside, "w", **how) as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(lines)

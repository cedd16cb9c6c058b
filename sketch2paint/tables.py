"""Rows of cells as text: in aligned columns, or as a Markdown table."""

from __future__ import annotations

from collections.abc import Sequence


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

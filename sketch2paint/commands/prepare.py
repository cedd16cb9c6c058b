"""Decode a data set once, or check it: python prepare.py data=pairs data.root=DIR [check=true]"""

from __future__ import annotations

from typing import Any

from sketch2paint.arguments import DataKeys, Name
from sketch2paint.verb import build, verb, working


def prepare(
    data: DataKeys,
    check: bool,
    json: Name | None,
    sheet: Name | None,
    workers: int | None,
    seed: int,
) -> int:
    """Make the cache; or with `check` a report, whose exit code is 1 if files cannot be used."""
    if workers is not None and workers < 1:
        raise ValueError(
            f"Expected `workers` to be at least 1, or null for all cores, got {workers}."
        )
    pairs = build(data)
    if check and pairs.also:
        raise ValueError(
            f"Expected one set of pictures to check, got {len(pairs.also)} more in `data.also`. "
            "Pass data=pairs and the data.root of each in turn."
        )
    pairs.prepare_data()
    splits = pairs.splits()
    if check:
        return report(pairs, splits, json, sheet, workers)
    with working():
        folder = pairs.build_cache(workers)
    print(f"Ready: {folder}; training with the same data keys uses it.")
    return 0


@working()
def report(
    pairs: Any, splits: Any, json: str | None, sheet: str | None, workers: int | None
) -> int:
    """Print what the checks found and write the files that were asked for."""
    from dataclasses import asdict
    from json import dumps
    from pathlib import Path

    from sketch2paint.data.checks import contact_sheet, inspect, report_text
    from sketch2paint.device import available_cores
    from sketch2paint.files import written_beside
    from sketch2paint.images.io import write_picture

    found = inspect(pairs.source, splits, workers or available_cores())
    print(report_text(found))
    if json:
        with written_beside(Path(json)) as beside:
            beside.write_text(dumps(asdict(found), indent=1))
    if sheet:
        write_picture(sheet, contact_sheet(pairs.source, splits))
        print(f"Contact sheet: {sheet}")
    return 1 if found.faults["bad_files"] or found.swapped_set else 0


main = verb(prepare)

"""Which drawing takes which file of hints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sketch2paint.inference.jobs import HINTS, STDIO, Job

ENDINGS = (f"{HINTS}.json", f"{HINTS}.png")


def with_hints(jobs: Sequence[Job], hints: str, inputs: Sequence[str]) -> list[Job]:
    """Give each job its file of hints, where there is one.

    Args:
        jobs: Jobs as `plan_jobs` made them.
        hints: Place: auto (NAME.hints.json or NAME.hints.png beside each drawing), a file (for all
            drawings), or a folder (NAME.hints.json or .png, NAME.json or .png under the drawings'
            names, mirrored as the output is).
        inputs: Inputs that the jobs were made of.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: a drawing has two files, or a file has no drawing.
    """
    if hints == "auto":
        found = [_named(job, job.source, ENDINGS) for job in jobs]
        folders = [Path(entry) for entry in inputs if Path(entry).is_dir()]
        there = [path for folder in folders for path in _hint_files(folder, ENDINGS)]
    elif Path(hints).is_dir():
        endings = (*ENDINGS, ".json", ".png")
        found = [_named(job, Path(hints) / job.name, endings) for job in jobs]
        there = _hint_files(Path(hints), endings)
    elif Path(hints).is_file():
        found, there = [Path(hints)] * len(jobs), []
    else:
        raise FileNotFoundError(
            f"{hints}: no such file or folder. Pass hints=FILE.json, hints=FILE.png, hints=DIR or "
            "hints=auto."
        )
    _check_used(there, found, hints)
    return [replace(job, hints=path) for job, path in zip(jobs, found, strict=True)]


def _named(job: Job, place: Path, endings: Iterable[str]) -> Path | None:
    """The one file of hints under a drawing's name, but for the suffix."""
    if job.source == STDIO:
        return None
    base = place.with_suffix("")
    found = [path for end in endings if (path := base.with_name(base.name + end)).is_file()]
    if len(found) > 1:
        raise ValueError(
            f"{found[0]}: expected one file of hints for {job.source}, got {found[1].name} as "
            "well. Remove one of them."
        )
    return found[0] if found else None


def _hint_files(folder: Path, endings: Iterable[str]) -> list[Path]:
    found = {path for end in endings for path in folder.rglob(f"*{end}") if path.is_file()}
    return sorted(
        path for path in found if not any(p[0] == "." for p in path.relative_to(folder).parts)
    )


def _check_used(there: Iterable[Path], found: Iterable[Path | None], hints: str) -> None:
    left = sorted(set(there) - set(found))
    if left:
        which = "beside it" if hints == "auto" else "of that name among the inputs"
        raise ValueError(
            f"{left[0]}: hints without a drawing {which} ({len(left)} such files). Name it as the "
            "drawing, NAME.hints.json or NAME.hints.png, or move it away."
        )

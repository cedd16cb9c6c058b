"""Which drawing takes which file of hints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from sketch2paint.images.formats import SUFFIXES
from sketch2paint.inference.jobs import HINTS, STDIO, Job

PLAIN = (".json", *SUFFIXES)
ENDINGS = tuple(f"{HINTS}{suffix}" for suffix in PLAIN)


def with_hints(
    jobs: Sequence[Job], hints: str, inputs: Sequence[str]
) -> tuple[list[Job], list[Path]]:
    """Give each job its file of hints, where there is one; a job with two fails.

    Args:
        jobs: Jobs as `plan_jobs` made them.
        hints: Place: auto (NAME.hints.json or NAME.hints.png beside each drawing), a file (for all
            drawings), or a folder (NAME.hints.json or .png, NAME.json or .png under the drawings'
            names, mirrored as the output is).
        inputs: Inputs that the jobs were made of.

    Returns:
        The jobs, and the files of hints that have no drawing.

    Raises:
        FileNotFoundError: there is no such file or folder, or no file of hints in it.
    """
    if hints == "auto":
        found = [_named(job, job.source, ENDINGS) for job in jobs]
        folders = [Path(entry) for entry in inputs if Path(entry).is_dir()]
        there = [path for folder in folders for path in _hint_files(folder, ENDINGS)]
    elif Path(hints).is_dir():
        endings = (*ENDINGS, *PLAIN)
        found = [_named(job, Path(hints) / job.name, endings) for job in jobs]
        there = _hint_files(Path(hints), endings)
        if not there:
            raise FileNotFoundError(
                f"{hints}: no hints in this folder. Expected NAME.hints.json or NAME.hints.png "
                "under the drawings' names; pass hints=null for none."
            )
    elif Path(hints).is_file():
        found, there = [[Path(hints)] for _ in jobs], []
    else:
        raise FileNotFoundError(
            f"{hints}: no such file or folder. Pass hints=FILE.json, hints=FILE.png, hints=DIR or "
            "hints=auto."
        )
    known = {path for paths in found for path in paths} | {job.source for job in jobs}
    left = sorted(set(there) - known)
    return [_with(job, paths) for job, paths in zip(jobs, found, strict=True)], left


def _with(job: Job, paths: Sequence[Path]) -> Job:
    if len(paths) < 2:
        return replace(job, hints=paths[0] if paths else None)
    others = ", ".join(path.name for path in paths[1:])
    trouble = (
        f"{paths[0]}: expected one file of hints for {job.source}, got {others} as well. "
        "Remove one of them."
    )
    return replace(job, trouble=trouble)


def _named(job: Job, place: Path, endings: Iterable[str]) -> list[Path]:
    """The files of hints under a drawing's name, but for the suffix; not the drawing itself."""
    if job.source == STDIO:
        return []
    base = place.with_suffix("")
    there = (base.with_name(base.name + ending) for ending in endings)
    return [path for path in there if path.is_file() and path != job.source]


def _hint_files(folder: Path, endings: Iterable[str]) -> list[Path]:
    found = {path for end in endings for path in folder.rglob(f"*{end}") if path.is_file()}
    return sorted(
        path for path in found if not any(p[0] == "." for p in path.relative_to(folder).parts)
    )

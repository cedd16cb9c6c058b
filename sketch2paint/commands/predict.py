"""Colour sketches: python predict.py checkpoint=runs/NAME input=DIR output=OUT"""

from __future__ import annotations

from pathlib import Path

from sketch2paint.arguments import Name
from sketch2paint.verb import verb, working


def predict(
    checkpoint: Name,
    input: Name | list[Name],
    output: Name,
    format: str,
    quality: int,
    layers: bool,
    compare: bool,
    gallery: Name | bool | None,
    gallery_rows: int,
    truth: Name | None,
    overwrite: bool,
    coloured: str,
    batch_size: str | int,
    device: str,
    precision: str,
    scale: str | float,
    tile: str | int,
    lines: str,
    normalise: str,
    max_pixels: int,
    shard: str,
) -> int:
    """Colour pictures; the exit code is 1 if one failed, 130 or 143 after a signal."""
    inputs = input if isinstance(input, list) else [input]
    _check_words(inputs, format, coloured, batch_size)
    _check_numbers(quality, gallery_rows, max_pixels)
    _check_gallery(gallery, truth, piped="-" in [*inputs, output])
    import os
    import sys
    from contextlib import nullcontext, redirect_stdout

    # Standard output is for the picture alone when it goes there.
    with redirect_stdout(sys.stderr) if output == "-" else nullcontext():
        from sketch2paint.inference.gallery import gallery_path, make_gallery
        from sketch2paint.inference.jobs import find_truths, plan_jobs, share_of
        from sketch2paint.inference.painter import Painter
        from sketch2paint.inference.pipeline import Record, local_device, paint_missing, summary

        index, count = share_of(shard, os.environ)
        jobs = plan_jobs(inputs, output, format, layers, compare)
        page = gallery_path(gallery, jobs) if gallery else None
        truths = find_truths(jobs, Path(truth)) if truth else {}  # what is missing is told first
        record = Record(jobs[0].folder, index, count) if jobs[0].folder == Path(output) else None
        device = local_device(device, os.environ)
        painter = Painter.load(
            checkpoint,
            device=device,
            precision=precision,  # type: ignore[arg-type]  # it checks them
            scale=scale,
            tile=tile,
            lines=lines,  # type: ignore[arg-type]
            normalise=normalise,  # type: ignore[arg-type]
        )
        if record:
            jobs[0].folder.mkdir(parents=True, exist_ok=True)  # or every picture would fail
        mine = jobs[index::count]  # so no picture is in two shares
        with working():
            outcomes, signum = paint_missing(
                painter, mine, batch_size, overwrite, coloured, quality, max_pixels
            )
            if record:
                record.write(outcomes)  # before anything is said of it
            print(summary(outcomes, output, len(mine), len(jobs), signum))
            if page and index == 0 and not signum:
                print(make_gallery(page, jobs, truths, gallery_rows, max_pixels))
    return 128 + signum if signum else int(any(one.status == "failed" for one in outcomes))


def _check_words(inputs: list[str], format: str, coloured: str, batch_size: str | int) -> None:
    if not inputs or "" in inputs:
        raise ValueError(
            f"Expected `input` to be a file, a folder, a glob or a list of them, got {inputs}."
        )
    if format not in ("auto", "png", "jpg", "webp"):
        raise ValueError(f"Expected `format` to be auto, png, jpg or webp, got {format!r}.")
    if coloured not in ("skip", "paint"):
        raise ValueError(f"Expected `coloured` to be skip or paint, got {coloured!r}.")
    if batch_size != "auto" and (isinstance(batch_size, str) or batch_size < 1):
        raise ValueError(
            f"Expected `batch_size` to be auto or a number of at least 1, got {batch_size!r}."
        )


def _check_numbers(quality: int, gallery_rows: int, max_pixels: int) -> None:
    if not 1 <= quality <= 100:
        raise ValueError(f"Expected `quality` to be 1 to 100, got {quality}.")
    for key, value in (("gallery_rows", gallery_rows), ("max_pixels", max_pixels)):
        if value < 1:
            raise ValueError(f"Expected `{key}` to be at least 1, got {value}.")


def _check_gallery(gallery: str | bool | None, truth: str | None, piped: bool) -> None:
    if truth and not gallery:
        raise ValueError("Expected `gallery` with `truth`. Pass gallery=true or gallery=FILE.png.")
    if isinstance(gallery, str) and not gallery.lower().endswith((".html", ".png")):
        raise ValueError(f"Expected `gallery` to be true, a .html or a .png file, got {gallery!r}.")
    if gallery and piped:
        raise ValueError("Expected no `gallery` with input=- or output=-. Name files instead.")


main = verb(predict)

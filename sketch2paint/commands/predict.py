"""Colour sketches: python predict.py input=DIR output=OUT [checkpoint=runs/NAME]"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sketch2paint.arguments import Name
from sketch2paint.verb import verb, working

if TYPE_CHECKING:
    from sketch2paint.hints.palette import Palette
    from sketch2paint.inference.jobs import Job


def predict(
    checkpoint: Name,
    region_network: Name | None,
    input: Name | list[Name],
    output: Name,
    format: Literal["auto", "png", "jpg", "webp"],
    quality: int,
    layers: bool,
    psd: bool,
    compare: bool,
    flats: bool,
    colours: str | int,
    hints: Name | None,
    gap: str | float,
    palette: Name | list[Name] | None,
    reference: Name | None,
    variations: int,
    seed: int,
    style: dict[str, Any] | None,
    directions: Name | None,
    gallery: Name | bool | None,
    gallery_rows: int,
    truth: Name | None,
    overwrite: bool,
    coloured: Literal["skip", "paint"],
    batch_size: str | int,
    device: str,
    precision: Literal["auto", "32-true", "bf16"],
    scale: str | float,
    tile: str | int,
    lines: Literal["keep", "network"],
    normalise: Literal["auto", "off"],
    max_pixels: int,
    shard: str,
) -> int:
    """Colour pictures; the exit code is 1 if one failed, 130 or 143 after a signal."""
    inputs = input if isinstance(input, list) else [input]
    _check_inputs(inputs)
    _check_numbers(batch_size, quality, gallery_rows, max_pixels)
    _check_gallery(gallery, truth, piped="-" in [*inputs, output])
    _check_palette(palette, reference)
    import os
    import sys
    from contextlib import nullcontext, redirect_stdout

    # Standard output is for the picture alone when it goes there.
    with redirect_stdout(sys.stderr) if output == "-" else nullcontext():
        from sketch2paint.inference.hint_files import with_hints
        from sketch2paint.inference.jobs import find_reals, left_out, plan_jobs, share_of
        from sketch2paint.inference.painters import load_painter
        from sketch2paint.inference.palette_files import hexadecimal
        from sketch2paint.inference.pipeline import Record, local_device, paint_missing, summary

        index, count = share_of(shard, os.environ)
        if psd:
            from sketch2paint.images.psd import check_installed

            check_installed()
        also = {"layers": layers, "psd": psd, "compare": compare}
        jobs = plan_jobs(inputs, output=output, format=format, variations=variations, **also)
        asked = _palette(palette, reference, jobs, max_pixels)
        jobs, orphans = with_hints(jobs, hints, inputs) if hints else (jobs, [])
        others = left_out(inputs, output)
        page = None
        if gallery:  # pages need more than pictures do
            from sketch2paint.inference.gallery import gallery_path, make_gallery

            page = gallery_path(gallery, jobs)
        reals = find_reals(jobs, Path(truth)) if truth else {}  # what is missing is told first
        record = Record(jobs[0].folder, index, count) if jobs[0].folder == Path(output) else None
        device = local_device(device, os.environ)
        painter = load_painter(
            checkpoint, region_network=region_network, device=device, precision=precision,
            scale=scale, tile=tile, lines=lines, normalise=normalise, flats=flats, colours=colours,
            gap=gap, palette=asked, variations=variations, seed=seed, style=style,
            directions=directions,
        )  # fmt: skip
        if record:
            jobs[0].folder.mkdir(parents=True, exist_ok=True)  # or every picture would fail
        mine = jobs[index::count]  # so no picture is in two shares
        with working():
            outcomes, signum = paint_missing(
                painter, jobs=mine, batch_size=batch_size, overwrite=overwrite, coloured=coloured,
                quality=quality, max_pixels=max_pixels,
            )  # fmt: skip
            if record:
                record.write(outcomes, others, style)  # before anything is said of it
            said = summary(
                outcomes, output=output, mine=len(mine), total=len(jobs), signum=signum,
                left_out=others, orphans=orphans, palette=hexadecimal(asked) if asked else (),
            )  # fmt: skip
            print(said)
            if page and index == 0 and not signum:
                shown = {"rows": gallery_rows, "max_pixels": max_pixels}
                print(make_gallery(page, jobs=jobs, reals=reals, **shown))
    return 128 + signum if signum else int(any(one.status == "failed" for one in outcomes))


def _check_inputs(inputs: list[str]) -> None:
    if not inputs or "" in inputs:
        raise ValueError(
            f"Expected `input` to be a file, a folder, a glob or a list of them, got {inputs}."
        )


def _check_numbers(batch_size: str | int, quality: int, gallery_rows: int, max_pixels: int) -> None:
    if batch_size != "auto" and (isinstance(batch_size, str) or batch_size < 1):
        raise ValueError(
            f"Expected `batch_size` to be auto or a number of at least 1, got {batch_size!r}."
        )
    if not 1 <= quality <= 100:
        raise ValueError(f"Expected `quality` to be 1 to 100, got {quality}.")
    for key, value in (("gallery_rows", gallery_rows), ("max_pixels", max_pixels)):
        if value < 1:
            raise ValueError(f"Expected `{key}` to be at least 1, got {value}.")


def _check_palette(palette: str | list[str] | None, reference: str | None) -> None:
    if palette is not None and reference:
        raise ValueError(
            f"Expected `palette` or `reference`, got both ({palette} and {reference}). Leave one "
            "of them out."
        )


def _check_gallery(gallery: str | bool | None, truth: str | None, piped: bool) -> None:
    if truth and not gallery:
        raise ValueError("Expected `gallery` with `truth`. Pass gallery=true or gallery=FILE.png.")
    if isinstance(gallery, str) and not gallery.lower().endswith((".html", ".png")):
        raise ValueError(f"Expected `gallery` to be true, a .html or a .png file, got {gallery!r}.")
    if gallery and piped:
        raise ValueError("Expected no `gallery` with input=- or output=-. Name files instead.")


def _palette(
    palette: str | list[str] | None, reference: str | None, jobs: list[Job], max_pixels: int
) -> Palette | None:
    """The colours that the pictures are to have, or None for the network's own."""
    from sketch2paint.inference.palette_files import palette_from, palette_of_reference

    if reference:
        return palette_of_reference(reference, jobs, max_pixels)
    return None if palette is None else palette_from(palette)


main = verb(predict)

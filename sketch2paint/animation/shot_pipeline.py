"""A shot in, its coloured frames out: what is kept, what is written, what was done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sketch2paint.animation.colouring import Coloured, colour_scene
from sketch2paint.animation.films import write_film
from sketch2paint.animation.frames_page import write_unsure
from sketch2paint.animation.keys import Key, make_key
from sketch2paint.animation.plan import Plan
from sketch2paint.animation.record import PAGE, Place, Record
from sketch2paint.animation.shots import SECONDS
from sketch2paint.console import printable
from sketch2paint.hints.corrected import regions_said
from sketch2paint.hints.format import read_hints
from sketch2paint.images.convert import codes
from sketch2paint.images.io import MAX_PIXELS, read_rgb, write_picture
from sketch2paint.images.layer import MOST, flat_layers, multiplied, opaque, soft_layers
from sketch2paint.images.openraster import write_openraster
from sketch2paint.inference.flats import filled_by
from sketch2paint.inference.picture_painter import PicturePainter
from sketch2paint.inference.pipeline import Stop


@dataclass
class Result:
    """What became of a shot.

    Attributes:
        done: Number of frames coloured, and of those held.
        kept: Number of frames that were there already.
        skipped: Number of frames left out, as they are in colour already.
        left: Number of frames left by a signal.
        signum: Number of that signal, or 0.
        failed: What went wrong, in words.
        unsure: Number of frames with regions to look at.
        notes: Remarks.
    """

    done: int = 0
    held: int = 0
    kept: int = 0
    skipped: int = 0
    left: int = 0
    signum: int = 0
    failed: tuple[str, ...] = ()
    unsure: int = 0
    notes: tuple[str, ...] = ()


def colour_shot(
    plan: Plan,
    *,
    place: Place,
    painter: PicturePainter | None = None,
    flats: bool = False,
    layers: bool = False,
    overwrite: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> Result:
    """Colour what is not there yet, with a progress bar, till a signal; write the record.

    Args:
        plan: Plan of the shot.
        place: Where the files go.
        painter: Painter of frames with hints, and of scenes without keys.
        flats: Whether shaded keys give plain colours.
        layers: Whether NAME.colours.png and NAME.ora are written too.
        overwrite: Whether what is there is coloured again.
        max_pixels: Largest number of pixels of a frame.
    """
    record, made_of = Record(place.folder), plan.made_of(flats)
    names = [frame.name for frame in plan.frames]
    done = {n for n, what in made_of.items() if record.made_of(names[n]) == what}
    done = {n for n in done if all(p.is_file() for p in place.files(names[n], layers).values())}
    todo = set(made_of) if overwrite else set(made_of) - done
    record.write()
    kept, skipped = len(made_of) - len(todo), len(plan.skipped)
    result = Result(kept=kept, skipped=skipped, failed=plan.failed, notes=plan.notes)
    with Stop() as stop, tqdm(total=len(todo), unit="frame", disable=None) as bar:
        for number, coloured in _coloured(plan, todo, painter, flats, max_pixels):
            _write(place.files(names[number], layers), coloured)
            record.add(names[number], _entry(plan, number, coloured, made_of[number]))
            result.done, result.held = result.done + 1, result.held + coloured.held
            bar.update()
            if stop.signum:
                break
        result.signum = stop.signum
    result.left = len(todo) - result.done
    _finish(plan, place, record, result)
    return result


def _coloured(
    plan: Plan,
    todo: set[int],
    painter: PicturePainter | None,
    flats: bool,
    max_pixels: int,
) -> Iterator[tuple[int, Coloured]]:
    """Colour the scenes that have something to do."""

    def read(number: int) -> np.ndarray:
        return plan.frames[number].drawing(max_pixels)

    for scene in plan.scenes:
        if not todo.isdisjoint(scene):
            keys = {
                number: partial(_key, plan, number, painter, max_pixels)
                for number in scene
                if number in plan.sources
            }
            yield from colour_scene(read, frames=scene, keys=keys, flats=flats, wanted=todo)


def _key(plan: Plan, number: int, painter: PicturePainter | None, max_pixels: int) -> Key:
    """A key as it was given, or as it is painted now."""
    source, frame = plan.sources[number], plan.frames[number]
    drawing = frame.drawing(max_pixels)
    if source.kind == "key":
        assert source.path is not None
        return make_key(drawing, read_rgb(source.path, max_pixels), name=frame.name)
    hints = read_hints(source.path) if source.path else None
    if painter:
        (painted,) = painter.process([drawing], [hints])
        colours = painted.colours
    else:
        assert hints is not None  # without a painter there are no other keys
        told = hints.fitted((drawing.shape[1], drawing.shape[0]))
        filled, said, _ = filled_by(told, regions_said(drawing, told), None)
        colours = said[filled]
    return make_key(drawing, multiplied(colours, drawing), name=frame.name, colours=colours)


def _write(files: dict[str, Path], coloured: Coloured) -> None:
    """Write the files of a frame."""
    if "layers" in files:
        write_picture(files["colours"], opaque(coloured.colours))
        flat = coloured.flat and len(np.unique(codes(coloured.colours))) <= MOST
        layers = (
            flat_layers(coloured.colours, lines=coloured.lines)
            if flat
            else soft_layers(coloured.colours, coloured.lines)
        )
        write_openraster(files["layers"], layers, merged=coloured.picture, dpi=None)
    write_picture(files["picture"], coloured.picture)  # last: with it the frame is done


def _entry(plan: Plan, number: int, coloured: Coloured, made_of: str) -> dict[str, Any]:
    height, width = coloured.lines.shape
    source = plan.sources.get(number)
    return {
        "input": str(plan.frames[number].path.name),
        "status": "done",
        "key": source.kind if source else None,
        "colours_from": coloured.keys,
        "held": coloured.held,
        "size": [width, height],
        "regions": coloured.regions,
        "unsure": [
            {"box": each.box, "area": each.area, "confidence": round(each.confidence, 3)}
            for each in coloured.unsure
        ],
        "made_of": made_of,
    }


def _finish(plan: Plan, place: Place, record: Record, result: Result) -> None:
    """Write the record, and if nothing is left the film and the page."""
    in_scenes = {number for scene in plan.scenes for number in scene}
    for number, frame in enumerate(plan.frames):
        if number not in in_scenes:
            record.entries[frame.name] = {"frame": frame.name, **_left_out(plan, number)}
    entries = [record.entries.get(plan.frames[number].name, {}) for number in sorted(in_scenes)]
    unsure = [entry for entry in entries if entry.get("unsure")]
    result.unsure = len(unsure)
    if not result.signum:
        there = sorted(in_scenes)
        if place.film and there and (result.done or not place.film.is_file()):
            files = [place.files(plan.frames[n].name, False)["picture"] for n in there]
            seconds = [plan.frames[n].seconds or SECONDS for n in there]
            result.notes = (*result.notes, *write_film(place.film, files, seconds))
        (place.folder / PAGE).unlink(missing_ok=True)
        if unsure:
            write_unsure(place.folder / PAGE, unsure)
    cuts = [plan.frames[scene[0]].name for scene in plan.scenes[1:]]
    record.write(cuts=cuts, notes=result.notes, failed=result.failed)


def _left_out(plan: Plan, number: int) -> dict[str, str]:
    if number in plan.skipped:
        return {"status": "skipped", "note": "in colour already"}
    return {"status": "failed", "error": plan.looks[number].trouble or "no key in its scene"}


def summary(result: Result, place: Place) -> str:
    """The last lines: failures, notes and counts."""
    lines = [f"failed: {why}" for why in result.failed]
    lines += [f"note: {note}" for note in result.notes]
    text = f"{result.done} coloured ({result.held} held), {len(result.failed)} failed"
    if result.skipped:
        text += f", {result.skipped} in colour already skipped (finished ones are keys: keys=DIR)"
    if result.kept:
        text += f", {result.kept} there already (overwrite=true colours them again)"
    if result.signum:
        text += f", {result.left} left by {signal.Signals(result.signum).name} (the same command"
        text += " does them)"
    elif result.unsure:
        text += f", {result.unsure} with regions to look at ({place.folder / PAGE})"
    whole = "\n".join([*lines, f"{text}: {place.film or place.folder}"])
    return "\n".join(map(printable, whole.split("\n")))

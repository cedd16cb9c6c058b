"""Measure generators: python evaluate.py checkpoint=runs/A[,runs/B] data.root=DIR [split=val]"""

from __future__ import annotations

from sketch2paint.arguments import DataKeys, Name
from sketch2paint.verb import build, verb, working


def evaluate(
    data: DataKeys,
    checkpoint: Name | list[Name],
    region_network: Name | None,
    split: str,
    size: int | None,
    overlap: str,
    learned: bool,
    regions: bool,
    hints: int | list[int] | None,
    placement: str,
    cut: int,
    style: bool,
    plot: Name | None,
    csv: Name | None,
    json: Name | None,
    gallery: Name | None,
    card: Name | None,
    tensorboard: Name | None,
    device: str,
    seed: int,
) -> int:
    """Print one table of checkpoints and baselines, and write the files that are asked for."""
    if gallery and not gallery.endswith(".html"):
        raise ValueError(f"Expected `gallery` to be an .html file, got {gallery}.")
    _check_drawings(data["task"], regions, hints is not None, style)
    _check_plot(plot, hints is not None)
    from functools import partial

    from sketch2paint.evaluation import report
    from sketch2paint.evaluation.bootstrap import summarise
    from sketch2paint.evaluation.compare import (
        check_split,
        choose_split,
        common_size,
        drawings,
        load_candidates,
        measure,
    )
    from sketch2paint.evaluation.hint_methods import hint_methods
    from sketch2paint.evaluation.hint_table import check_hints, measure_hints
    from sketch2paint.evaluation.learned import Learned
    from sketch2paint.evaluation.methods import compare_methods
    from sketch2paint.evaluation.page import PicturePage
    from sketch2paint.evaluation.style_table import measure_style

    counts = check_hints(hints, placement, cut)
    checkpoints = [checkpoint] if isinstance(checkpoint, str) else checkpoint
    candidates = load_candidates(checkpoints, data["task"], device, region_network)
    side = common_size(candidates, size)
    pictures = build({**data, "size": side, "jitter": 0, "cache": "off"})
    check_split(candidates, data=pictures, overlap=overlap)  # type: ignore[arg-type]
    chosen = choose_split(pictures, split, overlap)  # type: ignore[arg-type]  # it checks it
    networks = Learned.load() if learned else Learned("not wanted", "not wanted")
    shown = PicturePage(len(chosen.files), bool(gallery))
    told = partial(measure_hints, counts=counts, placement=placement, cut=cut, seed=seed)  # type: ignore[arg-type]
    with working():
        results = measure(
            chosen,
            candidates=candidates,
            learned=networks,
            seed=seed,
            watch=shown.add,
            flats=regions,
        )
        found = report.Evaluation(
            split=chosen,
            candidates=candidates,
            results=results,
            summary=summarise(results, seed),
            protocol=report.protocol(chosen, results, seed),
            methods=compare_methods(drawings(chosen)) if regions else None,
            hints=told(chosen, methods=hint_methods(candidates)) if counts else None,
            style=measure_style(chosen, candidates=candidates, seed=seed) if style else None,
        )
        print(report.text_report(found))
        for path, write in (
            (csv, report.write_csv),
            (json, report.write_json),
            (card, report.write_card),
            (gallery, shown.write),
            (plot, report.write_plot),
            (tensorboard, partial(report.write_tensorboard, shown=shown.rows)),
        ):
            if path:
                write(path, found)
                print(f"Wrote {path}")
    return 0


def _check_drawings(task: str, regions: bool, hints: bool, style: bool) -> None:
    """See that there are drawings for what is found by their lines."""
    for wanted, what, key in (
        (regions, "measure regions on", "regions=false"),
        (hints, "set hints on", "hints=null"),
        (style, "give palettes to", "style=false"),
    ):
        if wanted and task == "photo":
            raise ValueError(f"Expected drawings to {what}, got data.task=photo. Pass {key}.")


def _check_plot(plot: str | None, hints: bool) -> None:
    """See that there is something to draw, and a file for it."""
    if plot and not plot.endswith(".png"):
        raise ValueError(f"Expected `plot` to be a .png file, got {plot}.")
    if plot and not hints:
        raise ValueError(f"Expected `hints` with plot={plot}, got none. Pass hints=0,1,2,4,8,16.")


main = verb(evaluate, several="checkpoint hints")

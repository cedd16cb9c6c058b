"""Measure generators: python evaluate.py checkpoint=runs/A[,runs/B] data.root=DIR [split=val]"""

from __future__ import annotations

from sketch2paint.arguments import DataKeys, Name
from sketch2paint.verb import build, verb, working


def evaluate(
    data: DataKeys,
    checkpoint: Name | list[Name],
    split: str,
    size: int | None,
    overlap: str,
    learned: bool,
    regions: bool,
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
    if regions and data["task"] == "photo":
        raise ValueError(
            "Expected drawings to measure regions on, got data.task=photo. Pass regions=false."
        )
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
    from sketch2paint.evaluation.learned import Learned
    from sketch2paint.evaluation.methods import compare_methods
    from sketch2paint.evaluation.page import PicturePage

    checkpoints = [checkpoint] if isinstance(checkpoint, str) else checkpoint
    candidates = load_candidates(checkpoints, data["task"], device)
    side = common_size(candidates, size)
    pictures = build({**data, "size": side, "jitter": 0, "cache": "off"})
    check_split(candidates, data=pictures, overlap=overlap)  # type: ignore[arg-type]
    chosen = choose_split(pictures, split, overlap)  # type: ignore[arg-type]  # it checks it
    networks = Learned.load() if learned else Learned("not wanted", "not wanted")
    shown = PicturePage(len(chosen.files), bool(gallery))
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
        )
        print(report.text_report(found))
        for path, write in (
            (csv, report.write_csv),
            (json, report.write_json),
            (card, report.write_card),
            (gallery, shown.write),
            (tensorboard, partial(report.write_tensorboard, shown=shown.rows)),
        ):
            if path:
                write(path, found)
                print(f"Wrote {path}")
    return 0


main = verb(evaluate, several="checkpoint")

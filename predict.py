"""Colour sketches: python predict.py checkpoint=runs/NAME input=DIR output=OUT"""

from __future__ import annotations

from pathlib import Path

from sketch2paint.verb import verb


def predict(
    checkpoint: str,
    input: str,
    output: str,
    batch_size: int,
    device: str,
    overwrite: bool,
    truth: str | None,
    gallery: str | None,
    gallery_rows: int,
) -> int:
    """Colour a file or a folder; the exit code is 1 if a picture failed."""
    if batch_size < 1 or gallery_rows < 1:
        raise ValueError(
            "Expected `batch_size` and `gallery_rows` to be at least 1, "
            f"got {batch_size} and {gallery_rows}."
        )
    if truth and not gallery or gallery and not gallery.endswith(".png"):
        raise ValueError(
            f"Expected `gallery` to be a .png file (with `truth`, too), got {gallery}."
        )
    from tqdm import tqdm

    from sketch2paint.painter import Painter
    from sketch2paint.painting import find_truths, make_gallery, paint_files, plan_outputs

    plan = plan_outputs(Path(input), Path(output))
    if truth:
        find_truths(list(plan), Path(input), Path(truth))  # what is missing is told first
    painter = Painter.load(checkpoint, device)
    todo = {s: t for s, t in plan.items() if overwrite or not t.exists()}
    failures: dict[Path, str] = {}
    with tqdm(total=len(todo), unit="picture", disable=None) as bar:
        for source, problem in paint_files(painter, todo, batch_size):
            bar.update()
            if problem:
                failures[source] = problem
    for problem in failures.values():
        print(f"failed: {problem}")
    kept = len(plan) - len(todo)
    print(
        f"{len(todo) - len(failures)} coloured, {len(failures)} failed"
        + (f", {kept} there already (overwrite=true paints them again)" if kept else "")
        + f": {output}"
    )
    if gallery:
        done = {s: t for s, t in plan.items() if s not in failures}
        make_gallery(Path(gallery), done, Path(input), Path(truth) if truth else None, gallery_rows)
        print(f"Gallery: {gallery}")
    return 1 if failures else 0


if __name__ == "__main__":
    verb(predict)()

"""After each job of a multirun: one table and one picture of all runs so far."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from sketch2paint.files import written_beside
from sketch2paint.tables import aligned, write_table
from sketch2paint.verb import given

TEXT: dict[str, Any] = {"encoding": "utf-8", "errors": "surrogateescape"}  # names may be no Unicode


class SweepSummary(Callback):
    """Writes summary.csv, summary.txt and summary.png into the sweep's folder.

    It is made anew from the jobs' own files after every job, so that a failed or killed job loses
    nothing of the others, with every launcher.
    """

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Note what the job was and how it ended, then renew the summary."""
        hydra = config.hydra
        if hydra.mode.name != "MULTIRUN":
            return
        folder = Path(hydra.runtime.output_dir)
        failed = job_return.status == JobStatus.FAILED
        if failed and (folder / "job.json").exists():
            return  # a second sweep of the same name was refused: the first one's record stays
        note = {
            "overrides": dict(map(given, job_return.overrides or [])),
            "status": "failed" if failed else "done",
            "error": str(job_return._return_value) if failed else "",
        }
        with written_beside(folder / "job.json") as beside:
            beside.write_text(json.dumps(note), "utf-8")
        summarise(folder.parent)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table."""
        table = Path(config.hydra.sweep.dir) / "summary.txt"
        if table.exists():
            text = table.read_text(**TEXT)
            print(f"{text}{table.with_suffix('.png')} compares the sample grids.")


def summarise(folder: Path) -> list[dict[str, Any]]:
    """Write the summary of the jobs in a sweep folder; returns its rows, best val/psnr first."""
    notes = {path.parent: json.loads(path.read_text("utf-8")) for path in folder.glob("*/job.json")}
    varied = _varied([note["overrides"] for note in notes.values()])
    rows = [_row(run, note, varied) for run, note in notes.items()]
    rows.sort(key=lambda row: (-(row["val/psnr"] or float("-inf")), row["job"]))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    write_table(folder / "summary.csv", columns, rows)
    with written_beside(folder / "summary.txt") as beside:
        beside.write_text(_table(columns, rows), **TEXT)
    _picture(folder, rows)
    return rows


def _varied(overrides: list[dict[str, str]]) -> list[str]:
    """The keys that are not the same in all jobs."""
    keys = dict.fromkeys(key for job in overrides for key in job)
    return [key for key in keys if len({job.get(key) for job in overrides}) > 1]


def _row(run: Path, note: dict[str, Any], varied: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"job": run.name}
    row.update({key: note["overrides"].get(key) for key in varied}, status=note["status"])
    values: dict[str, float | None] = dict.fromkeys(("val/psnr", "val/ssim", "loss_G_L1"))
    best: dict[str, float | None] = {"best val/psnr": None}
    metrics = run / "metrics.csv"
    if metrics.exists():
        with open(metrics, newline="") as file:
            for line in csv.DictReader(file):
                for name in values:
                    if line.get(name):
                        values[name] = float(line[name])
                if line.get("val/psnr"):
                    best["best val/psnr"] = max(best["best val/psnr"] or 0, float(line["val/psnr"]))
    return {**row, **values, **best, "error": note["error"]}


def _table(columns: list[str], rows: list[dict[str, Any]]) -> str:
    cells = [["" if row.get(c) is None else str(row[c]) for c in columns] for row in rows]
    return aligned([columns, *cells], numbers=False) + "\n"


def _picture(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Lay the runs' last sample grids side by side, with what was varied above each."""
    shown = [(row, samples[-1]) for row in rows if (samples := _samples(folder / row["job"]))]
    if not shown:
        return
    from matplotlib.figure import Figure
    from matplotlib.image import imread

    pictures = [imread(sample) for _, sample in shown]
    height, width = pictures[0].shape[:2]
    figure = Figure(figsize=(3 * len(shown), 3 * height / width + 0.8), layout="constrained")
    fixed = {"job", "status", "val/psnr", "val/ssim", "loss_G_L1", "best val/psnr", "error"}
    for axes, (row, _), picture in zip(
        figure.subplots(1, len(shown), squeeze=False)[0], shown, pictures, strict=True
    ):
        varied = "\n".join(f"{name}={value}" for name, value in row.items() if name not in fixed)
        axes.set_title(f"{varied}\nval/psnr {row['val/psnr']}", fontsize=8)
        axes.imshow(picture)
        axes.axis("off")
    with written_beside(folder / "summary.png") as beside:
        figure.savefig(beside, dpi=150)


def _samples(run: Path) -> list[Path]:
    return sorted((run / "samples").glob("epoch_*.png"))

"""What evaluate.py writes: table, CSV, JSON, model card, TensorBoard."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import numpy as np

from sketch2paint import __version__
from sketch2paint.evaluation.bootstrap import RESAMPLES, Summary
from sketch2paint.evaluation.compare import Candidate, Results, Split
from sketch2paint.evaluation.hint_table import KEYS, HintTable
from sketch2paint.evaluation.methods import SIDE, MethodTable
from sketch2paint.evaluation.metrics import (
    BEST_PSNR,
    COLOURED,
    COLOURFUL,
    OF_SETS,
    Better,
    Metric,
)
from sketch2paint.evaluation.style_table import StyleTable
from sketch2paint.files import written_beside
from sketch2paint.images.convert import grid, to_float
from sketch2paint.tables import aligned, markdown, write_table
from sketch2paint.web.pages import write_page


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """All that was found, as every writer takes it.

    Attributes:
        split: Pictures that were measured.
        candidates: Networks that were measured, in the order of the rows.
        results: Values of all pictures.
        summary: Means, intervals and differences of these values.
        protocol: Account of how the figures came about, as plain data.
        methods: Ways to find regions, compared; None where nobody wanted it.
        hints: What came of n hints; None where nobody wanted it.
        style: What came of palettes and variations; None where nobody wanted it.
    """

    split: Split
    candidates: Sequence[Candidate]
    results: Results
    summary: Summary
    protocol: dict[str, Any]
    methods: MethodTable | None = None
    hints: HintTable | None = None
    style: StyleTable | None = None


def protocol(split: Split, results: Results, seed: int) -> dict[str, Any]:
    """How the figures came about, as plain data for the JSON."""
    data = split.data
    packages = ("torch", "torchmetrics", "numpy", "opencv-python-headless", "pillow")
    return {
        "source": data.source.kind,
        "folders": [str(folder) for folder in data.source.folders],
        "task": data.task.name,
        "split": split.name,
        "pictures": len(results.files),
        "in_train_too": len(split.duplicates),
        "size": data.size,
        "fit": data.fit.how,
        "resize": "once, from the decoded file: area averages to shrink, cubic to grow",
        "compared": "uint8 RGB in memory, the network at this size, without line composition",
        "mean_colour": None if split.mean is None else split.mean.tolist(),
        "psnr_at_most": BEST_PSNR,
        "coloured_chroma_above": COLOURED,
        "colourfulness": "ratio of mean colourfulness to the truth's",
        "colourfulness_ratio_from": COLOURFUL,
        "ssim": "torchmetrics, Gaussian window 11, sigma 1.5, mean of RGB, whole windows only",
        "interval": f"95 %, percentile bootstrap over pictures, {RESAMPLES} resamples",
        "seed": seed,
        "versions": {"sketch2paint": __version__, **{name: version(name) for name in packages}},
    }


def cells(results: Results, summary: Summary) -> list[list[tuple[str, str]]]:
    """Each row's mean and interval for each metric, as text; n/a where there is none."""
    table = []
    for row in range(len(results.rows)):
        means = [*summary.means[row], *results.sets[row]]
        low, high = (np.append(bound[row], [np.nan] * len(OF_SETS)) for bound in summary.intervals)
        table.append([_cell(*of) for of in zip(results.metrics, means, low, high, strict=True)])
    return table


def _cell(metric: Metric[Any], mean: float, low: float, high: float) -> tuple[str, str]:
    if math.isnan(mean):
        return "n/a", ""
    interval = "" if math.isnan(low) else f"{low:.{metric.digits}f}..{high:.{metric.digits}f}"
    return f"{mean:.{metric.digits}f}", interval


def text_report(evaluation: Evaluation) -> str:
    """Everything a reader needs, aligned."""
    split, results, summary = evaluation.split, evaluation.results, evaluation.summary
    data = split.data
    count = f"{len(results.files)} picture{'s' * (len(results.files) != 1)}"
    head = f"{data.source.root}, {split.name}: {count} at {data.size}x{data.size}"
    parts = [head, _table(results, summary), _legend(results)]
    if words := [f"{_heading(results, key)}: n/a, {w}." for key, w in results.missing.items()]:
        parts.append("\n".join(words))
    if split.mean is None:
        parts.append(f"{results.rows[-1]}: n/a, there are no training pictures to take it from.")
    if len(results.files) < 2:
        parts.append("Intervals: n/a, one picture has none.")
    if split.duplicates:
        parts.append(f"Warning: pictures that are in train too: {len(split.duplicates)}.")
    if summary.differences:
        parts.append(_differences(results, summary))
    if evaluation.methods:
        parts.append(_methods(evaluation.methods))
    if evaluation.hints:
        parts.append(evaluation.hints.text())
    if evaluation.style:
        parts.append(evaluation.style.text())
    parts.append(
        "\n".join(f"{n.name}: {n.about['file']}, {_cost(n)}" for n in evaluation.candidates)
    )
    return "\n\n".join(parts)


def _heading(results: Results, key: str) -> str:
    return next(metric.heading for metric in results.metrics if metric.key == key)


def _table(results: Results, summary: Summary) -> str:
    lines = [["", *(metric.heading for metric in results.metrics)]]
    for name, row in zip(results.rows, cells(results, summary), strict=True):
        lines.append([name, *(mean for mean, _ in row)])
        lines.append(["", *(interval for _, interval in row)])
    return aligned([line for line in lines if any(line)])


def _legend(results: Results) -> str:
    """What the columns are, and which way they are good."""
    higher, lower, one = (
        [metric.legend for metric in results.metrics if metric.better == better]
        for better in get_args(Better)
    )
    return (
        f"Below a mean: its 95 % interval. Higher is better: {', '.join(higher)}.\n"
        f"Lower is better: {', '.join(lower)}. {'. '.join(one)}."
    )


def _methods(methods: MethodTable) -> str:
    words = f"Region accuracy at {SIDE}x{SIDE}, of coloured pixels, by the width of cuts in lines:"
    return f"{words}\n{aligned(methods.lines())}"


def _differences(results: Results, summary: Summary) -> str:
    metrics = results.of_pictures
    lines = [["Paired differences", *(metric.heading for metric in metrics)]]
    for (one, other), (means, (low, high)) in summary.differences.items():
        found = [_cell(*of) for of in zip(metrics, means, low, high, strict=True)]
        lines.append([f"{one} - {other}", *(f"{mean}" for mean, _ in found)])
        lines.append(["", *(interval for _, interval in found)])
    return aligned([line for line in lines if any(line)])


def _cost(candidate: Candidate) -> str:
    about = candidate.about
    parts = [f"trained at {candidate.size}"]
    if about["parameters"]:
        parts.append(f"{about['parameters'] / 1e6:.2f} M parameters")
    if about["gflop"]:
        parts.append(f"{about['gflop']:.2f} GFLOP")
    if about["pairs_seen"] is not None:
        parts.append(f"{about['pairs_seen']} pairs seen")
    return ", ".join([*parts, f"sha256 {about['sha256'][:12]}"])


def write_csv(path: Path | str, evaluation: Evaluation) -> None:
    """Write a line for each picture and row, and for each n; what is not applicable is empty."""
    results, hints = evaluation.results, evaluation.hints
    keys = ["picture", "row", *(metric.key for metric in results.of_pictures)]
    more = [key for key in ("n", *KEYS) if hints and key not in keys]
    records: list[dict[str, Any]] = [
        dict(zip(keys, (name, row, *values), strict=True))
        for name, rows in zip(results.files, results.values, strict=True)
        for row, values in zip(results.rows, rows, strict=True)
    ]
    records += hints.records() if hints else ()
    write_table(path, [*keys, *more], map(_line, records))


def _line(record: dict[str, Any]) -> dict[str, str]:
    """Cells of a line of the CSV."""
    cells = {}
    for key, value in record.items():
        if isinstance(value, str):
            cells[key] = value.encode("utf-8", "replace").decode()
        else:
            cells[key] = "" if math.isnan(value) else f"{value:.6g}"
    return cells


def write_json(path: Path | str, evaluation: Evaluation) -> None:
    """Write the table, the differences and the protocol; null is not applicable."""
    results, summary, methods = evaluation.results, evaluation.summary, evaluation.methods
    metrics, rows = results.of_pictures, {}
    for row, name in enumerate(results.rows):
        found = _figures(metrics, summary.means[row], summary.intervals[:, row])
        for n, key in enumerate(found):
            found[key]["pictures"] = int(summary.counts[row, n])
        sets = zip(OF_SETS, results.sets[row], strict=True)
        rows[name] = found | {m.key: {"mean": _number(v), "interval": None} for m, v in sets}
    plain = {
        "protocol": evaluation.protocol,
        "checkpoints": {candidate.name: candidate.about for candidate in evaluation.candidates},
        "rows": rows,
        "differences": [
            {"of": one, "minus": other, **_figures(metrics, *found)}
            for (one, other), found in summary.differences.items()
        ],
        "not_applicable": results.missing,
    } | ({"regions": methods.plain()} if methods else {})
    plain |= {"hints": evaluation.hints.plain()} if evaluation.hints else {}
    plain |= {"style": evaluation.style.plain()} if evaluation.style else {}
    with written_beside(path) as beside:
        beside.write_text(json.dumps(plain, indent=1, allow_nan=False), encoding="utf-8")


def _figures(
    metrics: Sequence[Metric[Any]], means: np.ndarray, intervals: np.ndarray
) -> dict[str, dict[str, Any]]:
    return {
        metric.key: {
            "mean": _number(mean),
            "interval": None if math.isnan(low) else [_number(low), _number(high)],
        }
        for metric, mean, low, high in zip(metrics, means, *intervals, strict=True)
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def write_plot(path: Path | str, evaluation: Evaluation) -> None:
    """Draw what came of n hints; there must be some."""
    assert evaluation.hints
    evaluation.hints.draw(path)


def write_card(path: Path | str, evaluation: Evaluation) -> None:
    """Fill the model card in for the first candidate; what only a person knows stays marked."""
    candidate, how = evaluation.candidates[0], evaluation.protocol
    results, missing = evaluation.results, evaluation.results.missing
    about = {key: "unknown" if value is None else value for key, value in candidate.about.items()}
    if candidate.about["gflop"]:
        about["gflop"] = f"{candidate.about['gflop']:.2f}"
    given = {
        **{key: how[key] for key in ("task", "split", "pictures", "size")},
        **about,
        "name": candidate.name,
        "trained_at": candidate.size,
        "folders": ", ".join(how["folders"]),
        "table": _markdown(results, evaluation.summary),
        "missing": "; ".join(f"{_heading(results, k)}: {why}" for k, why in missing.items()) or "-",
        "protocol": json.dumps(how, indent=1),
    }
    write_page(path, "assets/model_card.md", given)


def _markdown(results: Results, summary: Summary) -> str:
    metrics = results.metrics
    shown = [n for n, metric in enumerate(metrics) if metric.key not in results.missing]
    lines = [["", *(metrics[n].heading for n in shown)]]
    for name, row in zip(results.rows, cells(results, summary), strict=True):
        lines.append([name, *(f"{row[n][0]} ({row[n][1]})".replace(" ()", "") for n in shown)])
    return markdown(lines)


def write_tensorboard(
    folder: Path | str, evaluation: Evaluation, shown: Sequence[Sequence[np.ndarray]]
) -> None:
    """Write the means as scalars, one run for each row, and rows of pictures as an image.

    Args:
        folder: Folder for `tensorboard --logdir`.
        evaluation: What was found.
        shown: Rows of pictures, each (S, S, 3) uint8; may be empty.
    """
    import torch
    from torch.utils.tensorboard import SummaryWriter

    results, summary = evaluation.results, evaluation.summary
    for row, name in enumerate(results.rows):
        with SummaryWriter(str(Path(folder, name.strip("/").replace("/", "_")))) as writer:
            means = [*summary.means[row], *results.sets[row]]
            for metric, mean in zip(results.metrics, means, strict=True):
                if not math.isnan(mean):
                    writer.add_scalar(f"evaluation/{metric.key}", mean, 0)
    if shown:
        sheet = torch.from_numpy(np.stack([p for row in shown for p in row])).permute(0, 3, 1, 2)
        with SummaryWriter(str(Path(folder, "pictures"))) as writer:
            writer.add_image("pictures", grid(to_float(sheet), len(shown[0])), 0, dataformats="HWC")

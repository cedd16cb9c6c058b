"""The files and the table: what is in them, and that nothing is made up."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_evaluation import NOTHING, Moments, data, ignore, measure_baselines, other_weights

from sketch2paint.evaluation import report
from sketch2paint.evaluation.bootstrap import summarise
from sketch2paint.evaluation.compare import (
    Candidate,
    Results,
    Split,
    choose_split,
    load_candidates,
    measure,
)
from sketch2paint.evaluation.hint_methods import hint_methods
from sketch2paint.evaluation.hint_table import measure_hints
from sketch2paint.evaluation.learned import Learned
from sketch2paint.evaluation.methods import MethodTable
from sketch2paint.evaluation.metrics import METRICS, OF_FLATS, OF_PICTURES
from sketch2paint.evaluation.page import PicturePage
from sketch2paint.evaluation.report import Evaluation

KEYS = [metric.key for metric in OF_PICTURES]


def evaluation(
    split: Split, candidates: list[Candidate], results: Results, seed: int
) -> Evaluation:
    return Evaluation(
        split=split,
        candidates=candidates,
        results=results,
        summary=summarise(results, seed, 200),
        protocol=report.protocol(split, results, seed),
    )


@pytest.fixture
def found(pairs_dir: Path, weight_path: Path, tmp_path: Path) -> Evaluation:
    """Two candidates on 4 pictures, FID and KID from stand-ins, without LPIPS."""
    chosen = choose_split(data(pairs_dir), "val", "refuse")
    candidates = load_candidates(
        [str(weight_path), other_weights(tmp_path / "b.safetensors")], "sketch", "cpu"
    )
    learned = Learned("no weights: none here", Moments())
    results = measure(chosen, candidates=candidates, learned=learned, seed=5, watch=ignore)
    return evaluation(chosen, candidates, results, 5)


def test_table_is_aligned_and_says_what_is_missing(found: Evaluation) -> None:
    results, summary = found.results, found.summary
    text = report.text_report(found)
    lines = text.splitlines()
    assert lines[0].endswith("val: 4 pictures at 16x16")
    head = lines[2]
    ends = [head.index(name) + len(name) for name in ("PSNR dB", "SSIM", "CIEDE2000", "KID")]
    row = next(line for line in lines if line.startswith("b.safetensors"))
    assert [row[end - 1].isdigit() and row[end : end + 1] in (" ", "") for end in ends] == [
        True
    ] * 4
    below = lines[lines.index(row) + 1]
    low, high = summary.intervals[:, 1, 0]
    assert f" {low:.2f}..{high:.2f} " in below
    assert f" {results.sets[1, 0]:.1f} " in row and row.count("n/a") == 2  # MS-SSIM, LPIPS
    assert all(metric.legend in text for metric in METRICS)
    assert "LPIPS: n/a, no weights: none here." in text
    assert "MS-SSIM: n/a, needs pictures of at least 176 pixels a side." in text
    assert "generator.safetensors - b.safetensors" in text
    assert "Warning" not in text and "Intervals: n/a" not in text


def test_flats_and_region_methods_are_in_every_file(found: Evaluation, tmp_path: Path) -> None:
    chosen, candidates = found.split, list(found.candidates)
    results = measure(
        chosen, candidates=candidates, learned=NOTHING, seed=5, watch=ignore, flats=True
    )
    table = MethodTable(
        {"one": [0.5, 0.25, 0.125, 1, 7, 0.0625], "other": [math.nan] * 6}, {"other": "too far"}
    )
    whole = replace(evaluation(chosen, candidates, results, 5), methods=table)
    left = whole.summary.means[1, -len(OF_FLATS)]
    text = report.text_report(whole)
    row = next(line for line in text.splitlines() if line.startswith("b.safetensors"))
    assert f" {left:.1f} " in row and "Fills left" in text and "fills from blank (" in text
    lines = [line.split() for line in text.splitlines()]
    assert "one 0.500 0.250 0.125 1.000 7.0 0.062".split() in lines
    assert "other (too far) n/a n/a n/a n/a n/a n/a".split() in lines
    report.write_json(tmp_path / "a.json", whole)
    plain = json.loads((tmp_path / "a.json").read_text())
    assert plain["rows"]["b.safetensors"]["fills_left"]["mean"] == pytest.approx(left, abs=1e-6)
    assert plain["regions"] == json.loads(json.dumps(table.plain()))
    assert "fills_left" in plain["differences"][0]
    report.write_csv(tmp_path / "a.csv", whole)
    with open(tmp_path / "a.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["row"] == "b.safetensors"]
    assert np.mean([float(row["fills_left"]) for row in rows]) == pytest.approx(left)
    page = PicturePage(0, True)
    page.write(tmp_path / "a.html", replace(whole, results=replace(results, files=[])))
    cells = re.findall(r"<t[hd]>([^<]*)", (tmp_path / "a.html").read_text("utf-8"))
    assert f"{left:.1f}" in cells and "other (too far)" in cells and "Fills left" in cells
    assert cells[cells.index("one") :][:7] == table.lines()[1]
    report.write_card(tmp_path / "a.md", whole)
    assert "| From blank |" in (tmp_path / "a.md").read_text()


def test_told_colours_are_in_words_and_files(found: Evaluation, tmp_path: Path) -> None:
    table = measure_hints(
        found.split,
        methods=hint_methods(found.candidates[:1]),
        counts=[0, 2],
        placement="regions",
        seed=0,
    )
    whole = replace(found, hints=table)
    assert table.text() in report.text_report(whole)
    report.write_json(tmp_path / "a.json", whole)
    assert json.loads((tmp_path / "a.json").read_text())["hints"] == table.plain()
    report.write_csv(tmp_path / "a.csv", whole)
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    pictures, told = [r for r in rows if not r["n"]], [r for r in rows if r["n"]]
    assert len(pictures) == 4 * len(found.results.rows) and len(told) == 4 * 5 * 2
    assert not any(row["regions_right"] for row in pictures) and not any(r["ssim"] for r in told)
    assert (told[9]["row"], told[9]["n"]) == ("generator.safetensors", "2")
    assert float(told[9]["psnr"]) == pytest.approx(table.values[0, 4, 1, 1], rel=1e-5)
    assert [row["obedience"] == "" for row in told] == [True, False] * 20
    report.write_plot(tmp_path / "a.png", whole)
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_nothing_of_regions_and_hints_is_said_where_nobody_asked(
    found: Evaluation, tmp_path: Path
) -> None:
    report.write_json(tmp_path / "a.json", found)
    assert not {"regions", "hints"} & set(json.loads((tmp_path / "a.json").read_text()))
    assert "Fills" not in report.text_report(found) and "Told" not in report.text_report(found)


def test_one_picture_has_no_interval(found: Evaluation) -> None:
    results = found.results
    one = replace(
        results,
        files=results.files[:1],
        values=results.values[:1],
        weights=results.weights[:1],
        sets=results.sets * np.nan,
        missing={},
    )
    text = report.text_report(replace(found, results=one, summary=summarise(one, 0, 50)))
    assert "1 pictures" not in text and "1 picture at" in text
    assert "Intervals: n/a, one picture has none." in text and ".." not in text.split("Higher")[0]


def test_pictures_that_are_trained_on_are_a_warning(found: Evaluation) -> None:
    chosen = found.split
    chosen = Split(chosen.name, chosen.data, chosen.files, chosen.mean, ["a is b"])
    text = report.text_report(replace(found, split=chosen))
    assert "Warning: pictures that are in train too: 1." in text
    assert report.protocol(chosen, found.results, 0)["in_train_too"] == 1


def test_csv_has_every_picture_and_row(found: Evaluation, tmp_path: Path) -> None:
    results = found.results
    report.write_csv(tmp_path / "new/a.csv", found)
    with open(tmp_path / "new/a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["picture"], r["row"]) for r in rows] == [
        (name, row) for name in results.files for row in results.rows
    ]
    for line, values in zip(rows, results.values.reshape(-1, len(KEYS)), strict=True):
        for key, value in zip(KEYS, values, strict=True):
            if math.isnan(value):
                assert line[key] == ""
            else:
                assert float(line[key]) == pytest.approx(value, rel=1e-5)


def test_json_has_the_table_and_the_protocol(found: Evaluation, tmp_path: Path) -> None:
    results, summary = found.results, found.summary
    report.write_json(tmp_path / "a.json", found)
    plain = json.loads((tmp_path / "a.json").read_text())
    psnr = plain["rows"]["b.safetensors"]["psnr"]
    assert psnr["mean"] == pytest.approx(summary.means[1, 0], abs=1e-6) and psnr["pictures"] == 4
    assert psnr["interval"] == pytest.approx(summary.intervals[:, 1, 0], abs=1e-6)
    assert plain["rows"]["all white"]["lpips"] == {"mean": None, "interval": None, "pictures": 0}
    assert plain["rows"]["all white"]["fid"]["mean"] == pytest.approx(results.sets[3, 0], abs=1e-5)
    assert plain["not_applicable"]["lpips"] == "no weights: none here"
    (difference,) = plain["differences"]
    assert (difference["of"], difference["minus"]) == ("generator.safetensors", "b.safetensors")
    assert difference["psnr"]["mean"] == pytest.approx(
        summary.means[0, 0] - summary.means[1, 0], abs=1e-5
    )
    told = plain["protocol"]
    assert (told["size"], told["split"], told["pictures"], told["seed"]) == (16, "val", 4, 5)
    assert "area averages" in told["resize"] and told["versions"]["torchmetrics"]
    assert plain["checkpoints"]["b.safetensors"]["sha256"] == found.candidates[1].about["sha256"]


def test_model_card_is_filled_in(found: Evaluation, tmp_path: Path) -> None:
    nasty = found.protocol | {"folders": ["{{ sha256 }}"]}
    report.write_card(tmp_path / "card.md", replace(found, protocol=nasty))
    text = (tmp_path / "card.md").read_text()
    assert text.startswith("# Model card: generator.safetensors\n")
    assert (
        found.candidates[0].about["sha256"] in text
        and "| Pairs seen in training | unknown |" in text
    )
    assert f"| generator.safetensors | {found.summary.means[0, 0]:.2f} (" in text
    assert "LPIPS: no weights: none here" in text and "_Write: " in text
    assert "`{{ sha256 }}`" in text  # what is put in is not read again
    assert "{{" not in text.replace("{{ sha256 }}", "")


def test_tensorboard_has_the_means_and_pictures(found: Evaluation, tmp_path: Path) -> None:
    shown = [[np.full((16, 16, 3), level, np.uint8) for level in (10, 90, 170)]] * 2
    report.write_tensorboard(tmp_path / "tb", found, shown)
    events = EventAccumulator(str(tmp_path / "tb/b.safetensors"))
    events.Reload()
    assert events.Scalars("evaluation/psnr")[0].value == pytest.approx(found.summary.means[1, 0])
    assert "evaluation/lpips" not in events.Tags()["scalars"]
    pictures = EventAccumulator(str(tmp_path / "tb/pictures"))
    pictures.Reload()
    (image,) = pictures.Images("pictures")
    assert (image.height, image.width) == (2 * 20 + 4, 3 * 20 + 4)


def test_without_candidates_there_are_the_baselines(pairs_dir: Path) -> None:
    chosen = choose_split(data(pairs_dir), "val", "refuse")
    results = measure_baselines(chosen)
    text = report.text_report(evaluation(chosen, [], results, 0))
    assert "all white" in text and "Paired" not in text

"""Interleaving, figures, the machine, tables."""

from __future__ import annotations

import json
import os
import statistics
import sys
from pathlib import Path

import pytest
import torch

from sketch2paint.benchmark import timing
from sketch2paint.benchmark.timing import Figure, Table, Unavailable, interleave, largest_fitting

CPU = torch.device("cpu")


@pytest.fixture
def clock() -> list[float]:
    """A clock that tests set by hand: its only item is the time."""
    return [0.0]


@pytest.mark.parametrize("values", [[3.0], [2.0, 1.0], [5.0, 1.0, 4.0], [4.0, 1.0, 3.0, 2.0]])
def test_figure_is_median_min_max(values: list[float]) -> None:
    assert Figure.of(values) == Figure(statistics.median(values), min(values), max(values))


def test_rounds_are_interleaved_and_warm_up_does_not_count() -> None:
    order = []

    def task(name: str) -> int:
        order.append(name)
        return len(order)

    found = interleave({"a": lambda: task("a"), "b": lambda: task("b")}, rounds=2, warm_up=1)
    assert order == ["a", "b"] * 3
    assert found["a"].values == [3, 5] and found["b"].values == [4, 6]
    assert found["a"].note == "" and not found["a"].too_large


def test_a_task_that_cannot_be_is_left_out() -> None:
    calls = {"none": 0, "full": 0}

    def none() -> float:
        calls["none"] += 1
        raise Unavailable("no such thing")

    def full() -> float:  # fits at first, as memory does that something else fills
        calls["full"] += 1
        if calls["full"] == 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 1.0

    found = interleave({"none": none, "full": full, "good": lambda: 2.0}, rounds=4)
    assert calls == {"none": 1, "full": 3}
    assert (found["none"].values, found["none"].note) == ([], "no such thing")
    assert (found["full"].values, found["full"].note) == ([], "out of memory")
    assert found["full"].too_large and not found["none"].too_large
    assert found["good"].values == [2.0] * 4


def test_other_errors_are_not_hidden() -> None:
    def wrong() -> float:
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        interleave({"a": wrong}, rounds=1)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        largest_fitting(lambda batch: wrong(), 4)


@pytest.mark.parametrize(("room", "fits"), [(16, 8), (8, 8), (7, 4), (1, 1), (0, 0)])
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_largest_batch_is_found_by_halving(room: int, fits: int, error: Exception) -> None:
    tried = []

    def attempt(batch: int) -> None:
        tried.append(batch)
        if batch > room:
            raise error

    assert largest_fitting(attempt, 16) == fits
    assert tried == [n for n in (8, 4, 2, 1) if n >= max(fits, 1)]


def test_seconds_are_of_the_calls_after_the_first(clock: list[float]) -> None:
    waits = []

    def step() -> None:
        clock[0] += 100.0 if clock[0] == 0 else 0.5

    each = timing.seconds_each(
        step, at_least=3.0, synchronise=lambda: waits.append(1), clock=lambda: clock[0]
    )
    assert each == 0.5
    assert clock[0] == 100 + 7 * 0.5  # 1 + 2 + 4 calls: 1.5 s is less than the 3 wanted
    assert len(waits) == 4  # after the first call, and before each look at the clock


def test_slow_steps_are_called_once_more(clock: list[float]) -> None:
    def step() -> None:
        clock[0] += 10.0

    assert timing.seconds_each(step, at_least=1.0, clock=lambda: clock[0]) == 10.0
    assert clock[0] == 20.0


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_peak_begins_anew_and_sees_what_was_freed() -> None:
    timing.release(CPU)
    timing.forget_peak(CPU)
    before = timing.peak_memory(CPU)
    torch.ones(40, 2**20)  # 160 MiB of float32, freed at once
    after = timing.peak_memory(CPU)
    assert before and after and after - before > 100 * 2**20
    assert timing.peak_of_process(os.getpid()) == pytest.approx(after, rel=0.1)
    assert timing.peak_of_process(0) is None


def test_memory_can_be_kept_and_given_back() -> None:
    for kept in (True, False):
        timing.release(CPU, kept)
        assert torch.ones(4, 2**20).sum() == 4 * 2**20


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_limit_is_a_rate(dtype: torch.dtype) -> None:
    before = torch.get_float32_matmul_precision()
    assert timing.product_rate(CPU, dtype=dtype, side=16, at_least=0.001) > 0
    assert torch.get_float32_matmul_precision() == before


def test_machine_and_versions_are_told() -> None:
    about = timing.machine(CPU)
    assert about["cpu"] and about["cores"] >= 1 and about["device"] == "cpu"
    assert about["threads"] == torch.get_num_threads() and "gpu" not in about
    versions = timing.versions()
    assert versions["torch"] and versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["sketch2paint"] and versions["pytorch-lightning"]


def test_table_is_aligned() -> None:
    rows = [
        {"": "plain", "s": Figure(0.25, 0.2, 0.3), "n": 1234.4, "note": ""},
        {"": "much longer", "s": None, "n": 0.00012345, "note": "no bf16"},
    ]
    assert Table("Title", rows, ["A note."]).text().splitlines() == [
        "Title",
        "                          s         n     note",
        "plain        0.25 (0.2-0.3)      1234",
        "much longer               -  0.000123  no bf16",
        "A note.",
    ]


def test_report_comes_back_from_json(tmp_path: Path) -> None:
    tables = [Table("T", [{"": "a", "s": Figure(2.0, 1.0, 3.0), "none": None}], ["why"])]
    found = timing.report(
        "step", keys={"size": 32, "batch_size": [1, 4]}, device=CPU, tables=tables
    )
    timing.write_json(tmp_path / "new/a.json", found)
    read = json.loads((tmp_path / "new/a.json").read_text())
    assert read == found
    assert read["keys"] == {"size": 32, "batch_size": [1, 4]} and read["what"] == "step"
    row = {"": "a", "s": {"median": 2.0, "min": 1.0, "max": 3.0}, "none": None}
    assert read["tables"] == [{"title": "T", "rows": [row], "notes": ["why"]}]
    text = timing.text_report(found, tables)
    assert found["date"] in text and read["machine"]["cpu"] in text
    assert f"torch {read['versions']['torch']}" in text and text.endswith("why")


def test_json_that_cannot_be_written_leaves_the_old(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(TypeError):
        timing.write_json(tmp_path / "a.json", {"no": object()})
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_ratios_are_of_the_same_round() -> None:
    found = {
        "slow": timing.Rounds([1.0, 4.0]),
        "fast": timing.Rounds([3.0, 8.0]),
        "none": timing.Rounds[float]([], "out of memory", True),
    }
    row = timing.rate_row("fast", unit="pairs/s", found=found, reference="slow")
    assert row["ratio"] == Figure(2.5, 2.0, 3.0) and row["pairs/s"] == Figure(5.5, 3.0, 8.0)
    row = timing.rate_row("slow", unit="pairs/s", found=found, reference="slow")
    assert row["ratio"] == Figure(1.0, 1.0, 1.0)
    row = timing.rate_row("none", unit="pairs/s", found=found, reference="slow")
    assert row == {"": "none", "pairs/s": None, "ratio": None, "note": "out of memory"}

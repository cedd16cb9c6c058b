from __future__ import annotations

import errno
import io
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_painter import draw_sketch, make_generator
from tiny_words import make_region_network

import sketch2paint.inference.pipeline as pipeline
from sketch2paint.hints.palette import Palette
from sketch2paint.images.io import read_rgb, write_picture
from sketch2paint.inference.jobs import Job, plan_jobs
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.picture_painter import Painted
from sketch2paint.inference.pipeline import (
    Outcome,
    Record,
    Stop,
    local_device,
    paint_files,
    paint_missing,
    sheet,
    summary,
)
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.tasks import SKETCH

TOO_MUCH = 250  # a sketch of this grey all over needs more memory than there is

PALETTE = Palette(np.array([[230, 57, 70], [29, 53, 87]], np.uint8), np.zeros(2, np.float32))


class Inverter:
    """Stands for a Painter: colours are the negative; knows what it was given."""

    task, on_cpu = SKETCH, True

    def __init__(self) -> None:
        self.batches: list[list[tuple[int, ...]]] = []

    def process(self, sketches: Sequence[np.ndarray], hints: object = None) -> list[Painted]:
        self.batches.append([sketch.shape for sketch in sketches])
        time.sleep(0.002)  # or nothing would be left of it in predict.json
        if any((sketch == TOO_MUCH).all() for sketch in sketches):
            raise RuntimeError("DefaultCPUAllocator: not enough memory")
        return [
            Painted(255 - sketch, colours=255 - sketch, lines=sketch[..., 0], notes=("inverted",))
            for sketch in sketches
        ]


@pytest.fixture
def painter(tiny_generator: UNetGenerator) -> Painter:
    return Painter(tiny_generator)


@pytest.fixture
def inverter() -> Inverter:
    return Inverter()


@pytest.fixture
def sketches(tmp_path: Path) -> Path:
    """A folder with three sketches, one of them deeper."""
    folder = tmp_path / "in"
    for number, name in enumerate(["a.png", "b.jpg", "deep/er/c.png"]):
        write_picture(folder / name, draw_sketch(20 + number, 30, seed=number))
    return folder


def write_flat(folder: Path, heights: Sequence[int]) -> None:
    """Write pictures 10 pixels wide: 0.png is 0 all over, 1.png is 1, and so on."""
    for number, height in enumerate(heights):
        write_picture(folder / f"{number}.png", np.full((height, 10), number, np.uint8))


def jobs_of(source: Path, output: Path, **options: object) -> list[Job]:
    return plan_jobs([str(source)], output=str(output), **options)  # type: ignore[arg-type]


def paint(painter: object, jobs: list[Job], batch_size: int = 8, **options: Any) -> list[Outcome]:
    return list(paint_files(painter, jobs=jobs, batch_size=batch_size, **options))  # type: ignore[arg-type]


def by_name(outcomes: object) -> dict[str, Outcome]:
    return {outcome.job.source.name: outcome for outcome in outcomes}  # type: ignore[attr-defined]


# ---------------------------------------------------------------- paint_files


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_every_file_is_painted_at_its_own_size(
    painter: Painter, sketches: Path, tmp_path: Path, batch_size: int
) -> None:
    jobs = jobs_of(sketches, tmp_path / "out")
    outcomes = paint(painter, jobs, batch_size)
    assert [(outcome.job, outcome.status) for outcome in outcomes] == [(j, "done") for j in jobs]
    for outcome in outcomes:
        (expected,) = painter.process([read_rgb(outcome.job.source)])
        assert outcome.size == expected.picture.shape[1::-1]
        assert outcome.seconds > 0
        read = read_rgb(outcome.job.picture)
        assert np.abs(read.astype(int) - expected.picture).max() <= 1
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {job.picture for job in jobs}


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_broken_picture_is_reported_and_the_others_are_done(
    inverter: Painter, sketches: Path, tmp_path: Path, batch_size: int
) -> None:
    (sketches / "aa.png").write_text("not a picture")
    (sketches / "ab.png").write_bytes((sketches / "a.png").read_bytes()[:50])
    os.mkfifo(sketches / "ac.png")
    jobs = jobs_of(sketches, tmp_path / "out")
    (sketches / "b.jpg").unlink()  # gone since
    outcomes = by_name(paint(inverter, jobs, batch_size))
    assert len(outcomes) == len(jobs)
    failed = {name: o.error for name, o in outcomes.items() if o.status == "failed"}
    assert failed.keys() == {"aa.png", "ab.png", "ac.png", "b.jpg"}
    for name, problem in failed.items():
        assert problem is not None and str(sketches / name) in problem
    assert "expected a readable picture" in str(failed["aa.png"])
    for outcome in outcomes.values():
        assert outcome.job.picture.exists() == (outcome.status == "done")


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_outcomes_come_in_the_order_of_the_jobs(
    inverter: Painter, sketches: Path, tmp_path: Path, batch_size: int
) -> None:
    for name in ("a.jpg", "bb.png", "deep/zz.png"):
        (sketches / name).write_text("not a picture")
    jobs = jobs_of(sketches, tmp_path / "out")
    outcomes = paint(inverter, jobs, batch_size)
    assert [outcome.job for outcome in outcomes] == jobs
    statuses = ["failed", "done", "done", "failed", "done", "failed"]
    assert [outcome.status for outcome in outcomes] == statuses


def test_unwritable_output_is_reported_and_the_others_are_done(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "deep").touch()  # a file where a folder has to be
    (out / "a.png").mkdir()  # a folder where a file has to be
    write_picture(sketches / f"{'n' * 250}.bmp", np.full((3, 3), 9, np.uint8))
    (out / "link").symlink_to(tmp_path)
    write_picture(sketches / "link/x.png", np.full((3, 3), 9, np.uint8))
    outcomes = by_name(paint(inverter, jobs_of(sketches, out), 8))
    assert outcomes["b.jpg"].status == "done"
    for name, target in (("a.png", "a.png"), ("c.png", "deep/er/c.png")):
        assert str(outcomes[name].error).startswith(f"{out / target}: cannot be written: ")
    assert outcomes[f"{'n' * 250}.bmp"].status == "done"  # 254 bytes, and the name beside is short
    assert f"{out}/link/x.png: expected a place inside" in str(outcomes["x.png"].error)
    assert not (tmp_path / "x.png").exists()
    left = sorted(path.name for path in out.iterdir())
    assert left == ["a.png", "b.png", "deep", "link", f"{'n' * 250}.png"]


def test_a_name_too_long_is_said_at_its_file(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    write_picture(sketches / f"{'n' * 250}.png", np.full((3, 3), 9, np.uint8))
    jobs = jobs_of(sketches, tmp_path / "out", compare=True)
    outcomes = by_name(paint(inverter, jobs, 8))
    long = outcomes.pop(f"{'n' * 250}.png")
    assert "n.compare.png: cannot be written: File name too long" in str(long.error)
    assert {outcome.status for outcome in outcomes.values()} == {"done"}


def test_a_full_disk_is_said_at_each_file(
    inverter: Painter, sketches: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *rest: object, **options: object) -> None:
        if path.name != "b.png":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write_picture(path, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "write_picture", full)
    outcomes = by_name(paint(inverter, jobs_of(sketches, tmp_path / "out"), 8))
    assert {name: o.status for name, o in outcomes.items()} == {
        "a.png": "failed",
        "b.jpg": "done",
        "c.png": "failed",
    }
    assert outcomes["a.png"].error == (
        f"{tmp_path}/out/a.png: cannot be written: No space left on device"
    )


def test_what_fails_together_is_painted_alone(
    inverter: Inverter, sketches: Path, tmp_path: Path
) -> None:
    write_picture(sketches / "ab.png", np.full((5, 5), TOO_MUCH, np.uint8))
    outcomes = by_name(paint(inverter, jobs_of(sketches, tmp_path / "out"), 8))
    assert outcomes.pop("ab.png").error == (
        f"{sketches}/ab.png: cannot be painted: DefaultCPUAllocator: not enough memory"
    )
    assert {outcome.status for outcome in outcomes.values()} == {"done"}
    assert [len(batch) for batch in inverter.batches] == [4, 1, 1, 1, 1]


def test_large_pictures_go_in_smaller_batches(
    inverter: Inverter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH_PIXELS", 200)
    write_flat(tmp_path / "in", heights=[10, 10, 10, 100, 5, 5, 5])
    assert len(paint(inverter, jobs_of(tmp_path / "in", tmp_path / "out"), 3)) == 7
    heights = [[shape[0] for shape in batch] for batch in inverter.batches]
    assert heights == [[10, 10], [10], [100], [5, 5, 5]]


def test_few_pictures_are_in_memory_at_a_time(
    tmp_path: Path, inverter: Inverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive, most, lock = [0], [0], threading.Lock()
    read, write = pipeline._read, pipeline._write

    def counted_read(*arguments: object, **options: object) -> object:
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        return read(*arguments, **options)  # type: ignore[arg-type]

    def counted_write(*arguments: object, **options: object) -> Outcome:
        done = write(*arguments, **options)  # type: ignore[arg-type]
        with lock:
            alive[0] -= 1
        return done

    monkeypatch.setattr(pipeline, "_read", counted_read)
    monkeypatch.setattr(pipeline, "_write", counted_write)
    write_flat(tmp_path / "in", heights=[3] * 60)
    outcomes = paint(inverter, jobs_of(tmp_path / "in", tmp_path / "out"), 2)
    assert {outcome.status for outcome in outcomes} == {"done"} and len(outcomes) == 60
    assert alive == [0] and most[0] <= 16  # 3 batches read, 3 painted, 2 written


def test_it_stops_after_the_running_batches(inverter: Inverter, tmp_path: Path) -> None:
    write_flat(tmp_path / "in", heights=[3] * 9)
    jobs, seen = jobs_of(tmp_path / "in", tmp_path / "out"), []
    for outcome in paint_files(inverter, jobs=jobs, batch_size=1, stopped=lambda: bool(seen)):  # type: ignore[arg-type]
        seen.append(outcome.job)
    assert seen == jobs[: len(seen)] and 1 <= len(seen) <= 6
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert names == {job.picture.name for job in seen}


@pytest.mark.parametrize(
    ("heights", "threads"),
    [([3], [4]), ([3, 3, 3], [2, 2, 2]), ([3, 3, 99, 3, 3], [2, 2, 4, 2, 2]), ([99, 99], [4, 4])],
)
def test_two_batches_share_the_threads_and_a_large_picture_has_them_all(
    inverter: Inverter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    heights: list[int],
    threads: list[int],
) -> None:
    monkeypatch.setattr(pipeline, "BATCH_PIXELS", 200)
    before, found, process = torch.get_num_threads(), {}, inverter.process

    def counted(sketches: Sequence[np.ndarray], hints: object) -> list[Painted]:
        found[int(sketches[0][0, 0, 0])] = torch.get_num_threads()
        return process(sketches)

    monkeypatch.setattr(inverter, "process", counted)
    write_flat(tmp_path / "in", heights=heights)
    torch.set_num_threads(4)
    try:
        jobs = jobs_of(tmp_path / "in", tmp_path / "out")
        assert len(paint(inverter, jobs, 1)) == len(heights)
    finally:
        torch.set_num_threads(before)
    assert [found[number] for number in range(len(heights))] == threads


def test_other_threads_compute_as_before(
    inverter: Inverter, sketches: Path, tmp_path: Path
) -> None:
    before, later = torch.get_num_threads(), []
    torch.set_num_threads(4)
    try:
        paint(inverter, jobs_of(sketches, tmp_path / "out"), 1)
        thread = threading.Thread(target=lambda: later.append(torch.get_num_threads()))
        thread.start()
        thread.join()
    finally:
        torch.set_num_threads(before)
    assert later == [4]


def test_an_error_ends_it_at_once(
    inverter: Inverter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sketches: Sequence[np.ndarray], hints: object) -> list[Painted]:
        inverter.batches.append([sketch.shape for sketch in sketches])
        raise KeyError("a mistake in the code")

    monkeypatch.setattr(inverter, "process", broken)
    write_flat(tmp_path / "in", heights=[3] * 20)
    before = torch.get_num_threads(), threading.active_count()
    with pytest.raises(KeyError, match="a mistake in the code"):
        paint(inverter, jobs_of(tmp_path / "in", tmp_path / "out"), 1)
    assert len(inverter.batches) <= 3 and not (tmp_path / "out").exists()
    assert (torch.get_num_threads(), threading.active_count()) == before


def test_whoever_leaves_early_leaves_nothing_running(inverter: Inverter, tmp_path: Path) -> None:
    write_flat(tmp_path / "in", heights=[3] * 20)
    before = torch.get_num_threads(), threading.active_count()
    jobs = jobs_of(tmp_path / "in", tmp_path / "out")
    outcomes = paint_files(inverter, jobs=jobs, batch_size=1)  # type: ignore[arg-type]
    assert next(outcomes).status == "done"
    outcomes.close()  # type: ignore[attr-defined]
    assert len(inverter.batches) <= 6
    assert (torch.get_num_threads(), threading.active_count()) == before


def test_coloured_pictures_are_skipped_or_painted(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[:20], rgb[20:] = (230, 30, 30), (30, 200, 60)
    write_picture(sketches / "aa.png", rgb)
    jobs = jobs_of(sketches, tmp_path / "out")
    outcomes = by_name(paint(inverter, jobs, 8, coloured="skip"))
    assert outcomes["aa.png"].status == "skipped" and outcomes["a.png"].status == "done"
    assert not outcomes["aa.png"].job.picture.exists()
    outcomes = by_name(paint(inverter, jobs, 8, coloured="paint"))
    assert outcomes["aa.png"].status == "done"


def test_other_words_for_coloured_are_refused(inverter: Inverter) -> None:
    with pytest.raises(ValueError, match="Expected `coloured` to be one of skip, paint, got 'co"):
        paint(inverter, [], coloured="copy")


def test_too_large_a_picture_fails_by_its_header(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    outcomes = by_name(paint(inverter, jobs_of(sketches, tmp_path / "out"), 8, max_pixels=610))
    assert outcomes["a.png"].status == "done"
    assert "c.png: expected at most 610 pixels, got 30 x 22" in str(outcomes["c.png"].error)


def test_transparent_sketch_is_painted_as_on_white(
    painter: Painter, tmp_path: Path, sketches: Path
) -> None:
    lines = 255 - read_rgb(sketches / "a.png")[..., 0]  # ink as alpha
    rgba = np.dstack([np.zeros_like(lines)] * 3 + [lines])
    Image.fromarray(rgba).save(sketches / "clear.png")
    assert len(paint(painter, jobs_of(sketches, tmp_path / "out"), 2)) == 4
    np.testing.assert_array_equal(
        read_rgb(tmp_path / "out/clear.png"), read_rgb(tmp_path / "out/a.png")
    )


def test_photographs_of_every_mode_are_painted_at_their_own_size(tmp_path: Path) -> None:
    painter = Painter(make_generator(out_channels=2, strength=1), task="photo")
    ramp = np.repeat(np.arange(40, 220, 4, dtype=np.uint8)[None], 30, axis=0)
    (tmp_path / "in").mkdir()
    grey = Image.fromarray(ramp)
    for name, mode in (("a.png", "L"), ("b.png", "RGB"), ("c.png", "RGBA"), ("d.tif", "CMYK")):
        grey.convert("RGB").convert(mode).save(tmp_path / "in" / name)
    Image.fromarray(ramp.astype(np.uint16) * 256).save(tmp_path / "in" / "e.png")
    jobs = jobs_of(tmp_path / "in", tmp_path / "out")
    assert [outcome.error for outcome in paint(painter, jobs, 3)] == [None] * 5
    painted = [read_rgb(job.picture).astype(int) for job in jobs]
    for picture in painted:
        assert picture.shape == (30, 45, 3)
        assert np.abs(picture - painted[0]).max() <= 2


# ---------------------------------------------------------------- what is written


def test_metadata_goes_with_the_picture(inverter: Painter, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x0112] = "Ann", 6  # artist, orientation
    (tmp_path / "in").mkdir()
    options = {"exif": exif, "dpi": (300, 150), "quality": 95}
    Image.new("L", (30, 20), 255).save(tmp_path / "in/a.jpg", **options)
    for format_ in ("png", "jpg", "webp"):
        jobs = jobs_of(tmp_path / "in", tmp_path / format_, format=format_)
        (outcome,) = paint(inverter, jobs, 1)
        assert outcome.size == (20, 30)
        with Image.open(tmp_path / f"{format_}/a.{format_}") as picture:
            tags = picture.getexif()
            dpi = picture.info.get("dpi") or (tags[0x011A], tags[0x011B])
            assert picture.size == (20, 30)
            assert tags[0x013B] == "Ann" and 0x0112 not in tags
            assert "icc_profile" not in picture.info
        assert tuple(map(float, dpi)) == pytest.approx((150, 300), abs=0.02)


def test_layers_and_compare_are_written_beside(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    jobs = jobs_of(sketches / "a.png", tmp_path / "out", layers=True, compare=True)
    assert [outcome.status for outcome in paint(inverter, jobs, 1)] == ["done"]
    sketch, out = read_rgb(sketches / "a.png"), tmp_path / "out"
    with Image.open(out / "a.colours.png") as colours:
        assert colours.mode == "RGBA"
        np.testing.assert_array_equal(np.asarray(colours)[..., :3], 255 - sketch)
    compare = read_rgb(out / "a.compare.png")
    assert compare.shape == (20, 76, 3)
    np.testing.assert_array_equal(compare[:, :30], sketch)
    np.testing.assert_array_equal(compare[:, -30:], 255 - sketch)
    assert {path.name for path in out.iterdir()} == {
        "a.png",
        "a.colours.png",
        "a.ora",
        "a.compare.png",
    }


def test_variations_are_written_with_a_sheet(sketches: Path, tmp_path: Path) -> None:
    painter = RegionPainter(make_region_network(palettes=True), variations=3, palette=PALETTE)
    jobs = jobs_of(sketches / "a.png", tmp_path / "out", variations=3)
    (outcome,) = paint(painter, jobs, 1)
    assert outcome.status == "done" and set(outcome.used) <= {"#e63946", "#1d3557"}
    (expected,) = painter.process([read_rgb(sketches / "a.png")])
    for number, picture in enumerate((expected.picture, *expected.variations), 1):
        np.testing.assert_array_equal(read_rgb(tmp_path / f"out/a.{number}.png"), picture)
    assert read_rgb(tmp_path / "out/a.variations.png").shape == (640, 640, 3)
    record = Record(tmp_path / "out")
    record.write([outcome])
    assert record.entries["a.1.png"]["palette"] == outcome.used
    assert "style" not in record.entries["a.1.png"]
    record.write([outcome], style={"warmth": 1.5})
    assert record.entries["a.1.png"]["style"] == {"warmth": 1.5}


def test_a_sheet_has_rows_that_are_filled_up() -> None:
    pictures = [np.full((10, 20, 3), level, np.uint8) for level in (10, 90, 200)]
    found = sheet(pictures)
    assert found.shape == (640, 640, 3)
    assert [found[y, x, 0] for y, x in ((160, 160), (160, 480), (480, 160))] == [10, 90, 200]
    assert (found[320:, 320:] == 255).all()


def test_the_summary_says_where_a_palette_s_colours_are(sketches: Path, tmp_path: Path) -> None:
    a, b, _ = jobs_of(sketches, tmp_path)
    outcomes = [Outcome(a, "done", used=("#e63946",)), Outcome(b, "done", used=())]
    text = summary(outcomes, output="out", mine=2, total=2, palette=["#e63946", "#1d3557"])
    assert text.splitlines()[0] == (
        "palette, and in how many pictures each colour is: #e63946 1, #1d3557 0"
    )


def test_standard_input_goes_to_standard_output(
    inverter: Painter, sketches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Pipe:
        def __init__(self, data: bytes = b"") -> None:
            self.buffer = io.BytesIO(data)

    pipe = Pipe()
    monkeypatch.setattr(sys, "stdin", Pipe((sketches / "a.png").read_bytes()))
    monkeypatch.setattr(sys, "__stdout__", pipe)
    (outcome,) = paint(inverter, plan_jobs(["-"], output="-"), 1)
    assert outcome.status == "done", outcome.error
    with Image.open(pipe.buffer) as picture:
        assert picture.format == "PNG"
        np.testing.assert_array_equal(np.asarray(picture), 255 - read_rgb(sketches / "a.png"))


# ---------------------------------------------------------------- paint_missing


def test_only_what_is_missing_is_painted(
    inverter: Inverter, sketches: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    write_picture(out / "a.png", np.full((1, 1), 9, np.uint8))
    outcomes, signum = paint_missing(inverter, jobs=jobs_of(sketches, out))  # type: ignore[arg-type]
    assert {name: o.status for name, o in by_name(outcomes).items()} == {
        "a.png": "kept",
        "b.jpg": "done",
        "c.png": "done",
    }
    assert signum == 0 and read_rgb(out / "a.png").shape == (1, 1, 3)
    paint_missing(inverter, jobs=jobs_of(sketches, out, compare=True))  # type: ignore[arg-type]
    assert (out / "a.compare.png").exists()
    assert read_rgb(out / "a.png").shape == (1, 1, 3)  # what is there stays
    paint_missing(inverter, jobs=jobs_of(sketches, out), overwrite=True)  # type: ignore[arg-type]
    assert read_rgb(out / "a.png").shape == (20, 30, 3)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_noted_once_and_the_old_handlers_come_back(signum: int) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    with Stop() as stop:
        assert stop.signum == 0
        os.kill(os.getpid(), signum)
        assert stop.signum == signum
        assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize(
    ("device", "environment", "gpus", "expected"),
    [
        ("auto", {"LOCAL_RANK": "1"}, 2, "cuda:1"),
        ("auto", {"SLURM_LOCALID": "3"}, 1, "cuda:0"),
        ("auto", {"LOCAL_RANK": "1"}, 0, "auto"),
        ("auto", {}, 2, "auto"),
        ("cpu", {"LOCAL_RANK": "1"}, 2, "cpu"),
    ],
)
def test_each_process_has_its_gpu(
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    environment: dict[str, str],
    gpus: int,
    expected: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert local_device(device, environment) == expected


# ---------------------------------------------------------------- the record, the summary


def test_the_record_keeps_what_earlier_runs_did(
    inverter: Painter, sketches: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jobs = jobs_of(sketches, out)
    Record(out).write(paint_missing(inverter, jobs=jobs[:1])[0])
    (sketches / "b.jpg").write_text("broken")
    Record(out).write(paint_missing(inverter, jobs=jobs)[0])
    entries = {e["output"]: e for e in json.loads((out / "predict.json").read_text())["pictures"]}
    assert {output: e["status"] for output, e in entries.items()} == {
        "a.png": "done",
        "b.png": "failed",
        "deep/er/c.png": "done",
    }
    assert entries["a.png"]["seconds"] > 0
    assert entries["a.png"]["input"] == str(sketches / "a.png")
    assert entries["a.png"]["size"] == [30, 20] and entries["a.png"]["warnings"] == ["inverted"]
    assert "b.jpg: expected a readable picture" in entries["b.png"]["error"]


def test_what_is_left_out_is_in_the_record_and_in_the_summary(tmp_path: Path) -> None:
    others = {Path("in/b.heic"): ".heic", Path("in/more"): "link to a folder"}
    Record(tmp_path).write([], others)
    record = json.loads((tmp_path / "predict.json").read_text())
    assert record["left_out"] == [
        {"input": "in/b.heic", "kind": ".heic"},
        {"input": "in/more", "kind": "link to a folder"},
    ]
    assert summary([], output="out", mine=0, total=0, left_out=others).splitlines()[0] == (
        "note: left out, not among the formats that are read: 1 .heic, 1 link to a folder "
        "(first: in/b.heic)"
    )


def test_processes_have_records_of_their_own(tmp_path: Path) -> None:
    Record(tmp_path, 1, 4).write([])
    assert [path.name for path in tmp_path.iterdir()] == ["predict.1-of-4.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pictures": [{}]}', '{"pictures": 3}'])
def test_a_foreign_record_is_not_written_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "predict.json").write_text(text)
    with pytest.raises(ValueError, match=r"predict\.json: expected the record of an earlier"):
        Record(tmp_path)


def test_summary_counts_and_names(sketches: Path, tmp_path: Path) -> None:
    a, b, c = jobs_of(sketches, tmp_path)
    outcomes = [
        Outcome(a, "done", notes=("inverted",)),
        Outcome(b, "failed", error="evil\x1b[2J\udcff.png: cannot be read"),
        Outcome(c, "skipped"),
        Outcome(a, "kept", notes=("inverted",)),
    ]
    assert summary(outcomes, output="out", mine=4, total=4).splitlines() == [
        "failed: evil\\x1b[2J\\udcff.png: cannot be read",
        f"note: inverted: 2 (first: {a.source})",
        "1 coloured, 1 failed, 1 skipped (coloured=paint paints them), "
        "1 there already (overwrite=true paints them again): out",
    ]
    text = summary(outcomes[:1], output="out", mine=3, total=9, signum=signal.SIGTERM)
    assert text.endswith(
        "of a share of 3 of 9, 2 left by SIGTERM (the same command does them): out"
    )

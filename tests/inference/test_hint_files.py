"""Which drawing takes which file of hints."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sketch2paint.inference.hint_files import with_hints
from sketch2paint.inference.jobs import Job, plan_jobs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a.png", "in/sub/b.jpg", "in/c.png"):
        touch(name)
    return tmp_path


def touch(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(b"x")


def found(hints: str, entry: str = "in") -> dict[str, str | None]:
    jobs, orphans = with_hints(plan_jobs([entry], output="out"), hints, [entry])
    assert not orphans and not any(job.trouble for job in jobs)
    return {str(job.name): job.hints and job.hints.as_posix() for job in jobs}


def test_auto_takes_what_lies_beside(folder: Path) -> None:
    touch("in/a.hints.json")
    touch("in/sub/b.hints.png")
    expected = {"a.png": "in/a.hints.json", "c.png": None, "sub/b.jpg": "in/sub/b.hints.png"}
    assert found("auto") == expected
    assert found("auto", "in/a.png") == {"a.png": "in/a.hints.json"}
    assert found("auto", "in/*.png") == {"a.png": "in/a.hints.json", "c.png": None}


def test_a_painted_overlay_is_no_drawing(folder: Path) -> None:
    touch("in/a.hints.png")
    assert [str(job.name) for job in plan_jobs(["in"], output="out")] == [
        "a.png",
        "c.png",
        "sub/b.jpg",
    ]


def test_one_file_is_for_all(folder: Path) -> None:
    touch("hero.json")
    assert set(found("hero.json").values()) == {"hero.json"}


@pytest.mark.parametrize("name", ["h/sub/b.json", "h/sub/b.hints.json", "h/sub/b.png"])
def test_a_folder_is_mirrored(folder: Path, name: str) -> None:
    touch(name)
    assert found("h") == {"a.png": None, "c.png": None, "sub/b.jpg": name}


def test_a_drawing_with_two_files_fails_alone(folder: Path) -> None:
    touch("in/a.hints.json")
    touch("in/a.hints.png")
    jobs, _ = with_hints(plan_jobs(["in"], output="out"), "auto", ["in"])
    (failed,) = [job.problem() for job in jobs if job.problem()]
    assert failed and "one file of hints for in/a.png, got a.hints.png as well" in failed


@pytest.mark.parametrize(
    ("hints", "name"),
    [("auto", "in/d.hints.json"), ("auto", "in/d.hints.webp"), ("h", "h/d.json")],
)
def test_hints_without_a_drawing_are_told(folder: Path, hints: str, name: str) -> None:
    touch(name)
    _, orphans = with_hints(plan_jobs(["in"], output="out"), hints, ["in"])
    assert [path.as_posix() for path in orphans] == [name]


def test_a_folder_without_hints_is_named(folder: Path) -> None:
    Path("h").mkdir()
    with pytest.raises(FileNotFoundError, match="h: no hints in this folder. Expected NAME.hints"):
        found("h")


def test_a_folder_may_be_the_drawings_own(folder: Path) -> None:
    touch("in/a.hints.webp")
    assert found("auto") == found("in")
    assert found("in") == {"a.png": "in/a.hints.webp", "c.png": None, "sub/b.jpg": None}


def test_hidden_files_are_nobody_s(folder: Path) -> None:
    touch("in/.cache/d.hints.json")
    touch("in/._a.hints.png")
    assert set(found("auto").values()) == {None}


def test_a_missing_place_is_named(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder. Pass hints=FILE"):
        found("nowhere")


def test_hints_newer_than_the_picture_paint_it_again(folder: Path) -> None:
    touch("in/a.hints.json")
    (job,), _ = with_hints(plan_jobs(["in/a.png"], output="out"), "auto", ["in/a.png"])
    touch("out/a.png")
    assert missing_after(job, 0) == []
    assert missing_after(job, 10) == ["picture"]


def missing_after(job: Job, seconds: int) -> list[str]:
    assert job.hints
    when = job.picture.stat().st_mtime + seconds
    os.utime(job.hints, (when, when))
    return job.missing()

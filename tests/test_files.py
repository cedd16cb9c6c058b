from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from sketch2paint.files import written_beside


def test_file_appears_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "table.csv"
    with written_beside(path) as beside:
        beside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_temporary_name_is_hidden_beside_and_keeps_the_suffix(tmp_path: Path) -> None:
    with written_beside(tmp_path / "a.png") as beside:
        beside.touch()
        assert beside.parent == tmp_path
        assert beside.name.startswith(".")
        assert beside.suffix == ".png"


def test_old_file_is_replaced_only_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with written_beside(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
        written = beside.stat().st_ino
    assert path.read_text() == "new"
    assert path.stat().st_ino == written  # renamed, not copied: there is no half file in between


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_error_keeps_the_old_file_and_leaves_no_temporary_one(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), written_beside(path) as beside:
        beside.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_beside(tmp_path / "a.txt"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_path_may_be_a_string(tmp_path: Path) -> None:
    with written_beside(str(tmp_path / "a.txt")) as beside:
        beside.write_text("text")
    assert (tmp_path / "a.txt").read_text() == "text"


def test_a_long_name_has_a_short_one_beside(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 251}.txt"  # as long as a name may be
    with written_beside(path) as beside:
        beside.write_text("text")
    assert path.read_text() == "text"


def test_a_name_too_long_is_named_alone(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 252}.txt"
    with pytest.raises(OSError) as info, written_beside(path) as beside:
        beside.write_text("text")
    assert (info.value.filename, info.value.filename2) == (str(path), None)
    assert list(tmp_path.iterdir()) == []


def test_threads_may_write_one_file_at_a_time(tmp_path: Path) -> None:
    with written_beside(tmp_path / "a.txt") as one, written_beside(tmp_path / "a.txt") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert (tmp_path / "a.txt").read_text() == "one"  # renamed last, whole
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_names_the_file(tmp_path: Path, number: int) -> None:
    with pytest.raises(OSError) as info, written_beside(tmp_path / "a.txt") as beside:
        beside.write_text("half")
        raise OSError(number, os.strerror(number))  # as a file that is open already raises it
    assert str(info.value).endswith(f": '{tmp_path / 'a.txt'}'")
    assert list(tmp_path.iterdir()) == []


def test_an_error_that_is_none_of_the_disk_names_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError) as info, written_beside(tmp_path / "a.txt"):
        raise OSError(errno.ECONNRESET, "gone")
    assert info.value.filename is None

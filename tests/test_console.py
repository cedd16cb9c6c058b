"""Output that costs no result: closed pipes, full disks, names that the encoding lacks."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from whole_program import ROOT

from sketch2paint.console import Lasting, outlast, printable

SPEAK = """
import sys
from sketch2paint.console import outlast
outlast()
for number in range(20000):
    print("ü漢🎨\\udce4", number)
print("spoken", file=sys.stderr)
sys.stdout.flush()
open("done", "w").close()
"""


def speak(folder: Path, command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Let SPEAK run in a shell's command, where PYTHON stands for it."""
    (folder / "speak.py").write_text(SPEAK, "utf-8")
    return subprocess.run(
        ["sh", "-c", command.replace("PYTHON", f"'{sys.executable}' speak.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
    )


@pytest.mark.skipif(os.name == "nt", reason="needs sh")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_ends_nothing(tmp_path: Path, unbuffered: str) -> None:
    result = speak(tmp_path, "PYTHON | head -n 1", PYTHONUNBUFFERED=unbuffered)
    assert result.stdout.count(b"\n") == 1
    assert result.stderr == b"spoken\n"
    assert (tmp_path / "done").exists()
    (tmp_path / "done").unlink()
    assert speak(tmp_path, "PYTHON 2>&1 | true").stderr == b""
    assert (tmp_path / "done").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_nothing(tmp_path: Path) -> None:
    assert speak(tmp_path, "PYTHON > /dev/full").stderr == b"spoken\n"
    assert (tmp_path / "done").exists()


@pytest.mark.skipif(os.name == "nt", reason="needs sh")
@pytest.mark.parametrize(
    ("encoding", "first"),
    [
        ("ascii", rb"\xfc\u6f22\U0001f3a8\udce4 0"),
        ("cp1252", b"\xfc\\u6f22\\U0001f3a8\\udce4 0"),
        ("utf-8", "ü漢🎨".encode() + rb"\udce4 0"),
    ],
)
def test_what_the_encoding_lacks_is_spelt_out(tmp_path: Path, encoding: str, first: bytes) -> None:
    result = speak(tmp_path, "PYTHON", PYTHONIOENCODING=encoding)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[0] == first
    assert len(result.stdout.splitlines()) == 20000


def test_somebody_s_own_output_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = io.StringIO()
    monkeypatch.setattr(sys, "stdout", mine)
    monkeypatch.setattr(sys, "stderr", None)
    outlast()
    assert sys.stdout is mine and sys.stderr is None


def test_a_stream_is_as_the_one_below(tmp_path: Path) -> None:
    with open(tmp_path / "file", "wb", buffering=0) as file:
        lasting = Lasting(file)
        assert lasting.writable() and not lasting.isatty()
        assert lasting.fileno() == file.fileno()
        assert lasting.write(b"abc") == 3
    assert (tmp_path / "file").read_bytes() == b"abc"


def test_what_a_terminal_obeys_is_spelt_out() -> None:
    assert printable("ü\n\x1b[2J\u202e\udce4") == "ü\\n\\x1b[2J\\u202e\\udce4"

"""The program `sketch2paint`: its verbs, its answers, and the shell's completion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from whole_program import ROOT

from sketch2paint import __main__, __version__
from sketch2paint.commands import predict


def answer(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["sketch2paint", *words])
    __main__.main()


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_the_verbs_are_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    answer(monkeypatch, *words)
    lines = capsys.readouterr().out.splitlines()
    found = dict(line.split(maxsplit=1) for line in lines if line.startswith("  "))
    assert found == __main__.VERBS


def test_the_version_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "--version")
    assert capsys.readouterr().out == f"sketch2paint {__version__}\n"


@pytest.mark.parametrize(
    ("word", "nearest"), [("tain", "train"), ("evalute", "evaluate"), ("paint", "train"), ("", "")]
)
def test_another_word_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], word: str, nearest: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        answer(monkeypatch, word, "data=pairs")
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("error: Expected a verb, one of prepare, train, predict, ")
    assert f"got {word!r}. The nearest is: sketch2paint {nearest}" in captured.err


def test_the_other_words_are_the_verb_s(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[str, ...]] = []
    monkeypatch.setattr(predict, "main", lambda *words: given.append((*words, *sys.argv)))
    answer(monkeypatch, "predict", "input=train", "-m")
    assert given == [("predict", "sketch2paint", "predict", "input=train", "-m")]


def test_program_and_script_say_the_same(tmp_path: Path) -> None:
    results = [
        subprocess.run(
            [sys.executable, *front, "input=no"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        for front in (["-m", "sketch2paint", "predict"], [str(ROOT / "predict.py")])
    ]
    assert [result.returncode for result in results] == [2, 2]
    assert results[0].stderr == results[1].stderr and results[0].stdout == ""
    assert "error: Expected a value for output. Pass output=..." in results[0].stderr
    assert not list(tmp_path.iterdir())


COMPLETE = """
answer() {
    COMP_LINE="$1"; COMP_WORDS=($1); [[ "$1" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMPREPLY=()
    hydra_bash_completion; echo "${COMPREPLY[*]}"
}
eval "$(sketch2paint train -sc install=bash)"
complete -p sketch2paint >/dev/null && echo bound
answer "sketch2paint "
answer "sketch2paint pre"
answer "sketch2paint train experiment=s"
answer "sketch2paint train experiment=demo model.lambda_l"
answer "sketch2paint tain experiment="
cd "$ROOT"
eval "$(python train.py -sc install=bash)"
complete -p python >/dev/null && echo bound
answer "python predict.py tru"
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes_verbs_and_keys(tmp_path: Path) -> None:
    program = f"#!{sys.executable}\nfrom sketch2paint.__main__ import main\nmain()\n"
    (tmp_path / "sketch2paint").write_text(program)
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for path in tmp_path.iterdir():
        path.chmod(0o755)
    search = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", COMPLETE],
        env={**os.environ, "PATH": search, "PYTHONPATH": str(ROOT), "ROOT": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0 and result.stderr == "", result.stderr
    assert result.stdout.splitlines() == [
        "bound",
        "prepare train predict studio animate evaluate explore export benchmark",
        "prepare predict",
        "experiment=shading experiment=shipped experiment=sketch2paint experiment=small",
        "model.lambda_l1=",
        "",
        "bound",
        "truth=",
    ]

"""Commands for messages: right for a checkout and for an installed package, whatever is in them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import sketch2paint
from sketch2paint.shell import command, override, quoted


def read(word: str) -> object:
    """What Hydra makes of the value of an override."""
    (parsed,) = OverridesParser.create().parse_overrides([word])
    return parsed.value()


@pytest.mark.parametrize("value", ["a b", "it's", "a,b=[c]", "C:\\new\\", "{}"])
def test_values_survive_hydra(value: str) -> None:
    assert read(f"out_dir={quoted(value)}") == value


@pytest.mark.parametrize(
    "value",
    [
        "runs/a",
        "my run",
        "it's",
        'say "so"',
        "a,b",
        "50%",
        "é",
        "a$(b)",
        "x=y",
        "-",
        "~/a;b",
        "",
        "{}",
    ]
    + ["two  spaces", " edge ", "a\\", "2026-01-02_03-04-05", "C:\\new\\"],
)
def test_overrides_survive_the_shell_and_hydra(value: str) -> None:
    (word,) = shlex.split(override("name", value))
    assert read(word) == value


def test_plain_overrides_are_as_people_type_them() -> None:
    assert override("checkpoint", "runs/2026-01-02_03-04-05") == (
        "checkpoint=runs/2026-01-02_03-04-05"
    )
    assert override("name", 7) == "name=7"
    assert override("name", "my run") == "'name=my run'"


def test_commands_are_those_the_program_was_started_as(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my code").mkdir()
    for script in ("train.py", "predict.py", "my code/predict.py"):
        (tmp_path / script).touch()
    package = Path(sketch2paint.__file__).parent
    for program, expected in {
        "train.py": "python predict.py",
        "my code/train.py": "python 'my code/predict.py'",
        "/usr/bin/sketch2paint": "sketch2paint predict",
        "sketch2paint": "sketch2paint predict",
        str(package / "__main__.py"): "python -m sketch2paint predict",
        "other/own_training.py": "sketch2paint predict",
        "": "sketch2paint predict",
    }.items():
        monkeypatch.setattr(sys, "argv", [program])
        assert command("predict") == expected

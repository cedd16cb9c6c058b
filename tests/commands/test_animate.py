"""The real `animate`, from files to files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_shot import write_shot
from whole_program import call, refused

ANIMATE = ["animate", "input=lines", "output=out"]


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """lines/ and colour/ of 6 frames; keys/ holds the first one in colour."""
    write_shot(tmp_path)
    (tmp_path / "keys").mkdir()
    shutil.copy(tmp_path / "colour/0000.png", tmp_path / "keys/0000.png")
    return tmp_path


def test_a_shot_is_coloured_from_one_key_and_goes_on_where_it_stopped(shot: Path) -> None:
    result = call(*ANIMATE, "keys=keys", "layers=true", cwd=shot)
    assert result.returncode == 0, result.stdout
    assert "6 coloured (3 held), 0 failed" in result.stdout
    drawing = np.asarray(Image.open(shot / "lines/0005.png"))
    truth, picture = (np.asarray(Image.open(shot / f"{f}/0005.png")) for f in ("colour", "out"))
    assert (picture == truth)[drawing == 255].mean() > 0.99
    assert (shot / "out/0005.ora").is_file() and (shot / "out/animate.json").is_file()
    (shot / "out/0004.png").unlink()
    result = call(*ANIMATE, "keys=keys", "layers=true", cwd=shot)
    assert "1 coloured (0 held), 0 failed, 5 there already" in result.stdout


def test_a_checkpoint_paints_the_first_frame(shot: Path, weight_path: Path) -> None:
    shutil.copy(weight_path, shot / "weights.safetensors")
    keys = ["checkpoint=weights.safetensors", "flats=true"]
    result = call("animate", "input=lines", "output=out.webp", *keys, cwd=shot)
    assert result.returncode == 0, result.stdout
    with Image.open(shot / "out.webp") as film:
        assert film.n_frames >= 3


def test_without_keys_the_model_that_comes_along_paints_the_first_frame(shot: Path) -> None:
    result = call(*ANIMATE, cwd=shot)
    assert result.returncode == 0 and "6 coloured" in result.stdout, result.stdout
    first = np.asarray(Image.open(shot / "out/0000.png").convert("RGB"))
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 2


def test_what_fails_is_told_and_the_exit_code_is_1(shot: Path) -> None:
    shutil.copy(shot / "colour/0000.png", shot / "keys/0099.png")
    (shot / "lines/0003.png").write_bytes(b"no picture")
    result = call(*ANIMATE, "keys=keys", cwd=shot)
    assert result.returncode == 1 and "Traceback" not in result.stdout
    assert "failed: keys/0099.png: expected a key under a frame's name or number" in result.stdout
    assert "failed: lines/0003.png: expected a readable picture" in result.stdout
    assert "5 coloured" in result.stdout


def test_a_shot_in_colour_is_skipped_or_painted(shot: Path) -> None:
    given = ["animate", "input=colour", "output=out", "keys=keys"]
    result = call(*given, cwd=shot)
    assert result.returncode == 0, result.stdout
    assert "0 coloured (0 held), 0 failed, 6 in colour already skipped" in result.stdout
    frames = json.loads((shot / "out/animate.json").read_text())["frames"]
    assert {frame["status"] for frame in frames} == {"skipped"}
    assert not list((shot / "out").glob("*.png"))
    result = call(*given, "coloured=paint", cwd=shot)
    assert result.returncode == 0, result.stdout
    assert "note: frames in colour already: their lightness" in result.stdout
    assert "6 coloured (3 held), 0 failed" in result.stdout and "skipped" not in result.stdout


def test_it_measures_against_the_truth(shot: Path) -> None:
    result = call(*ANIMATE, "truth=colour", "every=2,4", cwd=shot)
    assert result.returncode == 0, result.stdout
    assert "warp, then vote" in result.stdout and (shot / "out/measured.md").is_file()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["keys=nowhere"], "error: nowhere: no such file or folder. Pass keys=DIR"),
        (["cuts=77", "keys=keys"], "error: Expected `cuts` to be numbers of frames"),
        (
            ["cuts=soon", "keys=keys"],
            "error: Expected `cuts` to be auto or numbers of frames, got 'soon'",
        ),
        (["truth=colour", "size=-1"], "error: Expected `size` to be at least 16 pixels or null"),
        (["truth=colour", "every=-2"], "error: Expected `every` to be numbers from 0 on, got [-2]"),
        (["max_pixels=0"], "error: Expected `max_pixels` to be at least 1, got 0"),
        (["output=lines", "keys=keys"], "error: lines: expected another `output` than"),
        (["output=colour", "keys=keys"], "expected no picture that animate.py has not written"),
        (["input=nowhere"], "error: nowhere: no such file or folder. Pass a folder of frames"),
    ],
)
def test_bad_keys_are_told_before_the_work(shot: Path, keys: list[str], message: str) -> None:
    given = {word.split("=")[0]: word for word in [*ANIMATE[1:], *keys]}
    assert message in refused("animate", *given.values(), cwd=shot)
    assert not (shot / "out").exists()

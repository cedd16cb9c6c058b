"""Broken pictures, and files that lie, through the verbs: named, survived, nothing else lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from broken_pictures import write
from PIL import Image

ROOT = Path(__file__).parent.parent


# A process begins with the most memory that its parent held, so a small one stands between.
WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def call(folder, verb, *arguments):
    """Run a verb; returns its exit code, its output and the most memory it took, in bytes."""
    verb_line = [sys.executable, str(ROOT / f"{verb}.py"), *arguments]
    result = subprocess.run(
        [sys.executable, "-c", WATCH, str(folder / "memory.txt"), *verb_line],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    memory = int((folder / "memory.txt").read_text()) * 1024
    return result.returncode, result.stdout, memory


def survive(tmp_path, weight_path, count, seed):
    folder = tmp_path / "in"
    write(folder, count, seed)
    code, log, memory = call(
        tmp_path, "predict", f"checkpoint={weight_path}", "input=in", "output=out"
    )
    print(log.splitlines()[-1], f"{memory / 1e9:.2f} GB at most")
    assert code == 1, log
    assert memory < 2e9
    assert "Traceback" not in log and "Warning" not in log, log
    entries = json.loads((tmp_path / "out/predict.json").read_text())["pictures"]
    assert len(entries) == len(list(folder.iterdir())) == count + -(-count // 20)
    for entry in entries:
        assert entry["status"] in ("done", "failed", "skipped"), entry
        if entry["status"] == "failed":
            assert f"failed: {entry['error']}" in log
            assert Path(entry["input"]).name in entry["error"]
            assert not (tmp_path / "out" / entry["output"]).exists()
        elif entry["status"] == "done":
            with Image.open(tmp_path / "out" / entry["output"]) as picture:
                assert list(picture.size) == entry["size"]
    failed = {Path(e["input"]).name for e in entries if e["status"] == "failed"}
    assert {"empty.png", "huge.png", "bomb.png", "letter.jpg", "huge.tif", "no_width.png"} <= failed
    assert not any(name.startswith("good") for name in failed)
    assert not (tmp_path / "sprung").exists()
    assert not [path for path in (tmp_path / "out").rglob(".*")], "no half-written file is left"
    return failed


def scan(tmp_path, failed):
    """The check of the data names every file that predict.py could not read."""
    code, log, memory = call(
        tmp_path, "prepare", "data=paintings", "data.root=in", "data.size=16", "data.jitter=2",
        "check=true", "json=report.json",
    )  # fmt: skip
    assert memory < 2e9
    assert "Traceback" not in log, log
    report = (tmp_path / "report.json").read_text()
    assert not [name for name in failed if name not in report]
    return code


def test_two_hundred(tmp_path, weight_path):
    failed = survive(tmp_path, weight_path, 200, seed=1)
    assert scan(tmp_path, failed) == 1


@pytest.mark.slow
def test_a_thousand(tmp_path, weight_path):
    failed = survive(tmp_path, weight_path, 1000, seed=2)
    assert scan(tmp_path, failed) == 1


@pytest.mark.slow
def test_the_good_ones_are_as_if_alone(tmp_path, weight_path):
    write(tmp_path / "in", 40, 3)
    call(tmp_path, "predict", f"checkpoint={weight_path}", "input=in", "output=out")
    (tmp_path / "alone").mkdir()
    for path in (tmp_path / "in").glob("good*"):
        path.rename(tmp_path / "alone" / path.name)
    call(tmp_path, "predict", f"checkpoint={weight_path}", "input=alone", "output=single")
    good = sorted((tmp_path / "single").glob("good*.png"))
    assert len(good) == 2
    for path in good:
        pictures = [np.asarray(Image.open(p)) for p in (path, tmp_path / "out" / path.name)]
        np.testing.assert_array_equal(*pictures)

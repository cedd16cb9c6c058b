"""The real `studio`: built, served, refused."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from tiny_model import BOTH, write_model, write_shading
from tiny_words import TINY, make_region_network
from whole_program import ROOT, call, refused

from sketch2paint.commands.studio import exported
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator

PLAIN = ("studio", "checkpoint=null", "open=false")


def test_the_page_is_built_without_a_network(tmp_path: Path) -> None:
    result = call(*PLAIN, "output=my page", "serve=false", cwd=tmp_path)
    assert result.returncode == 0 and result.stdout.startswith("Wrote my page/: 0."), result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["my page"]
    assert (tmp_path / "my page/index.html").is_file()


def test_one_file_is_written(tmp_path: Path) -> None:
    result = call(*PLAIN, "single_file=true", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith("Wrote studio.html: 0.")
    assert [path.name for path in tmp_path.iterdir()] == ["studio.html"]


@pytest.mark.skipif(os.name == "nt", reason="Ctrl+C is sent as a signal")
def test_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "studio.py"), *PLAIN[1:], "port=0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline(), process.stdout.readline()]
        try:
            assert lines[1].startswith("Studio: http://127.0.0.1:")
            with urlopen(lines[1].split()[1]) as answer:
                assert b"<title>sketch2paint studio</title>" in answer.read()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "Ended.\n"
    assert process.returncode == 0


@pytest.mark.slow
def test_a_run_goes_into_the_page(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the extra onnx")
    weights = tmp_path / "runs/words/weights/regions.safetensors"
    weights.parent.mkdir(parents=True)
    save_generator(weights, make_region_network().state_dict(), describe_regions(TINY))
    result = call("studio", "checkpoint=runs/words", "serve=false", "open=false", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert result.stdout.startswith("Exporting runs/words\nWrote studio/: ")
    assert (tmp_path / "studio/model/read.onnx").stat().st_size > 1000
    assert not (tmp_path / "studio/model/shade.onnx").exists()


@pytest.mark.slow
def test_a_generator_that_takes_flats_goes_into_the_page_and_no_other(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="the extra onnx")
    model = exported(str(write_shading(tmp_path / "both.safetensors")))
    assert model.shade and model.about["shading"] == {"size": 16, "multiple": 16}
    assert exported(str(write_model(tmp_path / "other.safetensors", *BOTH))).shade is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["port=99999"], "error: Expected `port` to be auto or a number below 65536, got 99999"),
        (["port=here"], "error: Expected `port` to be auto or a number below 65536, got 'here'"),
        (["checkpoint=nowhere"], "nowhere"),
        (["output=own"], "error: own: expected `output` to be a new folder, an empty one or a st"),
        (["checkpoint=generator.safetensors"], "expected a region network, got another one"),
    ],
)
def test_what_cannot_be_built_is_told(
    tmp_path: Path, weight_path: Path, keys: list[str], message: str
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/letter.txt").write_text("dear")
    assert message in refused("studio", *keys, "serve=false", "open=false", cwd=tmp_path)
    assert (tmp_path / "own/letter.txt").read_text() == "dear"

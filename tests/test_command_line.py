"""The commands with names that mean something to shells, grammars and encodings."""

from __future__ import annotations

import copy
import csv
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from whole_program import ROOT

from sketch2paint.commands import train
from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.training import resume
from sketch2paint.verb import verb, working

NAMES = [
    "a b (1) [x] {y}, v2; final!.png",
    'it\'s =\\ 100% #1 & "so" $HOME ${seed}.png',
    "Skizze ü 漢字 🎨 é\u202e.png",
    "2024_01.png",
    " edge .png",
    "-dash,[z].png",
]
TINY = [
    *("data=pairs", "data.size=32", "data.jitter=4", "data.num_workers=0", "data.batch_size=2"),
    *("model.generator.base_channels=2", "model.discriminator.base_channels=2"),
    *("trainer.gpus=0", "trainer.max_epochs=1"),
]
NASTY = "my run, v2 (ü); it's ${x} [1] \"=\\"


def start(folder: Path, verb_name: str, *words: str, **environment: str) -> Any:
    return subprocess.run(
        [sys.executable, str(ROOT / f"{verb_name}.py"), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
    )


@pytest.fixture
def drawings(tmp_path: Path, weight_path: Path) -> Path:
    """A folder of a nasty name with a drawing under each of NAMES."""
    folder = tmp_path / NASTY
    folder.mkdir()
    for name in NAMES:
        Image.new("RGB", (16, 16), "white").save(folder / name)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_drawings_of_any_name_are_painted_and_told_in_any_encoding(drawings: Path) -> None:
    (drawings / "b漢.png").write_bytes(b"no picture")
    result = start(
        drawings.parent, "predict", "checkpoint=generator.safetensors", f"input={NASTY}",
        f"output=out {NASTY}", "gallery=true", PYTHONIOENCODING="ascii",
    )  # fmt: skip
    assert result.returncode == 1, result.stderr
    assert result.stderr == b""
    assert b"failed: my run, v2 (\\xfc); " in result.stdout
    out = drawings.parent / f"out {NASTY}"
    record = json.loads((out / "predict.json").read_text("utf-8"))["pictures"]
    assert {Path(entry["output"]).name for entry in record} == {*NAMES, "b漢.png"}
    assert {path.name for path in out.iterdir()} == {*NAMES, "predict.json", "gallery.html"}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_drawings_are_named_one_by_one_into_a_pipe_that_closes(drawings: Path) -> None:
    words = [f"input=[{','.join(f'./{name}' for name in NAMES if ',' not in name)}]"]
    words += ["checkpoint=../generator.safetensors", "output=../o"]
    command = shlex.join([sys.executable, str(ROOT / "predict.py"), *words])
    result = subprocess.run(
        ["sh", "-c", f"{command} | true"],
        cwd=drawings,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
    )
    assert result.stderr == b""
    record = json.loads((drawings / "../o/predict.json").read_text("utf-8"))["pictures"]
    assert [entry["status"] for entry in record] == ["done"] * 4


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_a_run_of_any_name_prints_a_command_that_can_be_pasted(
    pairs_dir: Path, tmp_path: Path
) -> None:
    data = pairs_dir.rename(tmp_path / NASTY)
    result = start(tmp_path, "train", *TINY, f"data.root={data.name}", f"name={NASTY}")
    assert result.returncode == 0, result.stdout + result.stderr
    run = tmp_path / "runs" / NASTY
    assert (run / "config.yaml").exists() and (run / "checkpoints/last.ckpt").exists()
    assert {path.name for path in tmp_path.iterdir()} == {NASTY, "runs"}
    (line,) = re.findall("^Colour sketches: (.*)$", result.stdout.decode(), re.MULTILINE)
    program, script, *keys = shlex.split(line)
    assert (program, Path(script).name) == ("python", "predict.py")
    drawing = next(data.rglob("val/*.png"))
    keys = [key.replace("DIR", str(drawing)).replace("OUT", "o.png") for key in keys]
    again = start(tmp_path, "predict", *keys)
    assert again.returncode == 0, again.stdout + again.stderr
    more = start(tmp_path, "train", *TINY, f"data.root={NASTY}", f"name={NASTY}", "resume=true")
    assert b"Nothing was left to do." in more.stdout, more.stdout + more.stderr


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., tuple[int, str]]:
    """A function that calls a verb in this process; returns its exit code and its errors."""

    def called(main: Callable[..., None], *words: str) -> tuple[int, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["sketch2paint", *words])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), capfd.readouterr().err

    return called


def export(
    checkpoint: str,
    region_network: str | None,
    format: str,
    output: str,
    dtype: str,
    opset: int,
    drawings: str | None,
    name: str | None,
    licence: str | None,
    attribution: str | None,
) -> int:
    """Stands for a command with the keys of export.py."""
    if dtype == "work":
        with working():
            raise ValueError("the work")
    if dtype == "bug":
        raise KeyError("a bug")
    if dtype == "disk":
        raise PermissionError(13, "Permission denied", "some/place")
    raise ValueError("the key")


@pytest.mark.parametrize(
    ("dtype", "code", "said"),
    [
        ("key", 2, "error: the key\n"),
        ("work", 1, "error: the work\n"),
        ("disk", 2, "error: some/place: Permission denied\n"),
    ],
)
def test_exit_codes_tell_a_wrong_command_from_failed_work(
    call: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
    code: int,
    said: str,
) -> None:
    words = [f"dtype={dtype}", "checkpoint=c", "output=o"]
    assert call(verb(export), *words) == (code, said)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    full_code, full = call(verb(export), *words)
    assert full_code == code
    assert full.startswith("Traceback (most recent") and full.endswith(said)
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


def test_a_bug_shows_where_it_is(call: Callable[..., tuple[int, str]]) -> None:
    code, said = call(verb(export), "dtype=bug", "checkpoint=c", "output=o")
    assert code == 1 and said.startswith("Traceback (most recent") and "KeyError: 'a bug'" in said
    assert "error:" not in said and "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["out_dir=file/run"], "file/run: cannot be a folder, as .*file is a file. Type out_dir="),
        (["out_dir=file"], "file: cannot be a folder, as file is a file. Type out_dir=FOLDER"),
        (["-m", "out_dir=file/run", "model.lr=1e-4,2e-4"], "file/run: Not a directory"),
    ],
)
def test_a_run_folder_that_cannot_be_is_told(
    call: Callable[..., tuple[int, str]], tmp_path: Path, words: list[str], said: str
) -> None:
    (tmp_path / "file").touch()
    code, error = call(train.main, *words)
    assert code == 2 and re.fullmatch(f"error: {said}.*\n", error)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_that_cannot_be_written_to_is_told(
    call: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert call(train.main, "name=a") == (
        2,
        f"error: runs/a: cannot be made, as nothing can be written into {tmp_path}. "
        "Type out_dir=FOLDER for another.\n",
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("model.lr=-1", "Expected `model.lr` above 0, got -1."),
        ("model.lambda_psnr=inf", "Expected `model.lambda_psnr` to be finite, got inf."),
        ("trainer.timeout=inf", "Expected `trainer.timeout` to be at most 31536000 seconds"),
        ("trainer.gpus=77", "Expected `trainer.gpus` to be at most"),
        ("callbacks.samples.rows=0", "Expected `callbacks.samples.rows` to be at least 1, got 0."),
        ("init_from=nowhere", "nowhere: no such file."),
    ],
)
def test_keys_are_told_before_pictures_are_looked_at(
    call: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    pairs_dir: Path,
    key: str,
    said: str,
) -> None:
    def look(*_: object) -> None:
        raise AssertionError("no picture is to be looked at")

    monkeypatch.setattr(SketchDataModule, "prepare_data", look)
    monkeypatch.setattr(SketchDataModule, "setup", look)
    code, error = call(train.main, *TINY, "data.root=pairs", key)
    assert code == 2 and error.startswith(f"error: {said}"), error


def test_a_sweep_over_names_is_one_folder_with_one_summary(
    call: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = []

    def done(config: dict[str, Any], resumed: resume.Resumed | None, first: bool) -> int:
        given.append((config["name"], sys.argv[1:]))
        return 0

    monkeypatch.setattr(train, "_train", done)
    code, error = call(train.main, "-m", "name=first (1),2024_01", "seed=3", "~logger")
    assert (code, error) == (0, "")
    assert [name for name, _ in given] == ["first (1)", "2024_01"]
    assert given[0][1][:2] == ["name='first (1)'", "seed=3"]
    (folder,) = tmp_path.glob("multirun/*")
    assert {path.name for path in folder.glob("*")} >= {"0", "1", "summary.csv", "summary.txt"}
    assert [path.parent for path in tmp_path.rglob("summary.csv")] == [folder]
    with open(folder / "summary.csv", newline="", encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["first (1)", "2024_01"]
    assert not (tmp_path / "runs").exists()


def test_a_job_of_a_sweep_that_fails_is_told(
    call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, error = call(train.main, "-m", "name=s", "seed=-1,-2")
    assert (code, error) == (
        2, "error: job 0 (name=s seed=-1): Expected `seed` to be from 0 to 4294967295, got -1.\n"
    )  # fmt: skip
    assert len(list(tmp_path.glob("multirun/s/*/job.json"))) == 2


def test_a_job_of_a_sweep_whose_work_fails_is_told(
    call: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    @working()
    def fail(*_: object) -> int:
        raise ValueError("the work")

    monkeypatch.setattr(train, "_train", fail)
    said = "error: job 0 (name=s seed=1): the work\n"
    assert call(train.main, "-m", "name=s", "seed=1,2") == (1, said)


def test_a_bug_in_a_job_of_a_sweep_shows_where_it_is(
    call: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise KeyError("a bug")

    monkeypatch.setattr(train, "_train", fail)
    code, said = call(train.main, "-m", "name=s", "seed=1,2")
    assert code == 1 and "Error executing job with overrides: [\"name='s'\", 'seed=1']" in said
    assert "Traceback" in said and "KeyError: 'a bug'" in said


Resumer = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def resumed(
    call: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Resumer:
    """A function that begins a run with some words and resumes it with others: all configs."""

    def run(first: list[str], second: list[str]) -> list[dict[str, Any]]:
        configs: list[dict[str, Any]] = []

        def done(config: dict[str, Any], resumed: Any, first: bool) -> int:
            configs.append(config)
            return 0

        monkeypatch.setattr(train, "_train", done)
        assert call(train.main, "name=a", *first) == (0, "")
        (tmp_path / "runs/a").mkdir(parents=True)
        (tmp_path / "runs/a/config.yaml").write_text(yaml.safe_dump(configs[0]))
        assert call(train.main, "name=a", "resume=true", *second) == (0, "")
        return configs

    return run


@pytest.mark.parametrize("again", [[], ["data=pairs"], ["experiment=demo", "data=pairs"]])
def test_resume_takes_the_keys_of_the_run(resumed: Resumer, again: list[str]) -> None:
    first, second = resumed(
        [
            *("experiment=demo", "data=pairs", "data.root=it's ${seed} [1]", "model.lr=5e-4"),
            *("data.seed=7", "seed=3", "callbacks.samples=null", "~logger", "data.size=64"),
        ],
        [*again, "~logger", "data.size=64", "model.lr=5e-4"] if len(again) == 2 else again,
    )
    assert second == first | {"resume": True}


@pytest.mark.parametrize("again", [[], ["model=regions"], ["experiment=regions"]])
def test_resume_takes_the_kind_of_network_of_the_run(resumed: Resumer, again: list[str]) -> None:
    first, second = resumed(
        ["experiment=regions", "model.lr=1e-3", "model.network.width=80", "seed=3"], again
    )
    assert first["model"]["_target_"].endswith("RegionColours")
    assert second == first | {"resume": True}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (
            "model.lambda_l1=6",
            "The run is one of model=regions. Unknown key `model.lambda_l1`. The nearest is model.",
        ),
        (
            "experiment=demo",
            "Unknown key `model.discriminator`. The nearest is model.discriminator_",
        ),
    ],
)
def test_keys_of_another_kind_of_network_are_told(
    resumed: Resumer, call: Callable[..., tuple[int, str]], word: str, said: str
) -> None:
    resumed(["model=regions"], ["model.network.width=160", "model=regions"])
    code, error = call(train.main, "name=a", "resume=true", word)
    assert code == 2 and error.startswith(f"error: {said}"), error


def test_typed_keys_go_over_those_of_the_run(resumed: Resumer) -> None:
    first, second = resumed(
        ["experiment=demo", "seed=3", "model.lr=5e-4", "checkpoint_every=5min"],
        ["model.lr=2e-4", "data.size=256", "trainer.max_epochs=30", "seed=4"],
    )
    model = {**first["model"], "lr": 2e-4, "size": 256, "seed": 4}  # two follow other keys
    assert second["model"] == model and second["trainer"]["max_epochs"] == 30
    assert second["data"] == {**first["data"], "size": 256, "seed": 4}
    assert second["callbacks"]["checkpoints"]["every"] == "5min"


def test_a_run_that_spelt_the_length_of_its_style_goes_on(
    resumed: Resumer, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    configs = resumed([], [])
    then = copy.deepcopy(configs[0])
    del then["data"]["style"]
    then["model"]["generator"]["style_channels"] = 0  # which the data decide on now
    (tmp_path / "runs/a/config.yaml").write_text(yaml.safe_dump(then))
    assert call(train.main, "name=a", "resume=true") == (0, "")
    assert configs[2] == configs[1]


def test_a_configuration_builds_nothing_of_its_own(
    resumed: Resumer, call: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    configs = resumed([], [])
    first = copy.deepcopy(configs[0])
    trap = {"_target_": "os.mkdir", "path": "sprung"}
    first["logger"] |= {"name": [trap], "version": trap, "_target_": "os.mkdir", "path": "sprung"}
    first["callbacks"] |= {"samples": [trap], "trap": trap, "time_estimate": trap}
    (tmp_path / "runs/a/config.yaml").write_text(yaml.safe_dump(first))
    assert call(train.main, "name=a", "resume=true") == (0, "")
    assert configs[2] == configs[1]  # what was of another kind than the keys is left out

"""The package as pip installs it: what is in it, and that it works far from the checkout."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_model import BOTH, write_model
from whole_program import ROOT

from sketch2paint.__main__ import VERBS
from sketch2paint.data.demo import draw_pair

SHIPPED = "sketch2paint/assets/shipped.safetensors"
SOURCES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "conf")
BUILD = "import sys, setuptools.build_meta as b; print(b.build_{0}(sys.argv[1]))"
TINY = [
    "data=demo", "data.draw=12", "data.size=32", "data.jitter=4", "data.num_workers=0",
    "data.batch_size=2", "model.generator.base_channels=2", "model.discriminator.base_channels=2",
    "trainer.max_epochs=1", "trainer.log_every_n_steps=2",
]  # fmt: skip
Sketch2paint = Callable[..., str]


def build(what: str, source: Path, folder: Path) -> Path:
    """Build a wheel or an sdist with what is installed here, as pip and `python -m build` do."""
    command = [sys.executable, "-c", BUILD.format(what), str(folder)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "_Warning" not in result.stderr and "Deprecat" not in result.stderr, result.stderr
    return folder / result.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, built from a copy: building leaves folders behind.

    Where the model that comes along is not there yet, a tiny one stands in its place.
    """
    copy, folder = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("sdist")
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, copy / name)
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "sketch2paint", copy / "sketch2paint", ignore=no_caches)
    if not (copy / SHIPPED).exists():
        write_model(copy / SHIPPED, *BOTH)
    return build("sdist", copy, folder)


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build("wheel", folder / sdist.name.removesuffix(".tar.gz"), folder)


def files(folder: str) -> set[str]:
    paths = (path for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    return {path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}


def test_the_wheel_holds_the_package_and_the_configuration(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "sketch2paint = sketch2paint.__main__:main" in archive.read(entry_points).decode()
    package = files("sketch2paint") | {SHIPPED}
    assert names == package | {f"sketch2paint/{name}" for name in files("conf")}
    assert {"sketch2paint/conf/train.yaml", "sketch2paint/commands/train.py"} <= names
    assert "sketch2paint/conf/data/demo.yaml" in names


def test_the_sdist_holds_what_the_wheel_is_built_from(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in archive.getnames()}
    assert files("sketch2paint") | files("conf") | {"LICENSE", "setup.py"} <= names


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the packages it needs are this environment's.

    A .pth file names their folders. Python reads no .pth files in these: an editable install of
    the checkout among them stays unseen.
    """
    if not any(metadata.distributions(name="pip")):
        # To import it here would have setuptools, which torch.compile needs, refuse to be imported.
        pytest.skip("pip is not installed")
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    python = folder / "bin/python"
    install = ["-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel]
    subprocess.run([sys.executable, *install], check=True, stdout=subprocess.DEVNULL)
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "others.pth").write_text("\n".join(others))
    return folder


@pytest.fixture
def sketch2paint(environment: Path, tmp_path: Path) -> Sketch2paint:
    """Call the installed program from an empty folder; returns what it printed."""

    def call(*words: str) -> str:
        variables = {**os.environ, "OMP_NUM_THREADS": "1"}
        variables.pop("PYTHONPATH", None)
        variables["PATH"] = f"{environment / 'bin'}{os.pathsep}{variables['PATH']}"
        result = subprocess.run(
            words, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, result.stdout + result.stderr
        assert "Warning" not in result.stderr, result.stderr
        return result.stdout

    code = "import sys, sketch2paint as s; print(s.__file__, *sys.path, sep='\\n')"
    place, *search = call("python", "-c", code).splitlines()
    assert Path(place).is_relative_to(environment) and str(ROOT) not in search
    return lambda *words: call("sketch2paint", *words)


@pytest.mark.slow
def test_every_verb_answers(sketch2paint: Sketch2paint, tmp_path: Path) -> None:
    assert sketch2paint() == sketch2paint("--help")
    assert all(verb in sketch2paint("--help") for verb in VERBS)
    for verb in VERBS:
        assert f"`sketch2paint {verb}` is the same as `python {verb}.py`" in sketch2paint(
            verb, "--help"
        )
    assert "base_channels: 32" in sketch2paint("train", "experiment=demo", "--cfg", "job")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_is_trained_and_used(sketch2paint: Sketch2paint, tmp_path: Path) -> None:
    data = [key for key in TINY if key.startswith("data") and "workers" not in key]
    assert "Ready: data/cache/" in sketch2paint("prepare", *data)
    said = sketch2paint("train", *TINY, "trainer.gpus=0", "name=my run")
    assert "Epoch 1/1, validation" in said and "Pictures from the cache" in said
    (line,) = (line for line in said.splitlines() if line.startswith("Colour sketches: "))
    program, *words = shlex.split(line.removeprefix("Colour sketches: "))
    assert (program, *words[:2]) == ("sketch2paint", "predict", "checkpoint=runs/my run")
    assert " coloured, 0 failed: OUT" in sketch2paint(*words, "input=data/demo/sketches")
    assert list((tmp_path / "OUT").glob("*.png"))
    exported = "output=small.safetensors"
    assert "small.safetensors: " in sketch2paint("export", words[1], "format=safetensors", exported)
    keys = ["data=demo", words[1], "learned=false", "json=o.json", "gallery=o.html"]
    assert "Wrote o.html" in sketch2paint("evaluate", *keys)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"data", "runs", "OUT", "small.safetensors", "o.json", "o.html"}


@pytest.mark.slow
def test_drawings_are_coloured_without_a_checkpoint(
    sketch2paint: Sketch2paint, environment: Path, tmp_path: Path
) -> None:
    sketch = draw_pair(0, 3, 96)[1]
    (tmp_path / "in").mkdir()
    Image.fromarray(sketch).save(tmp_path / "in/page.png")
    assert "1 coloured, 0 failed" in sketch2paint("predict", "input=in", "output=out")
    picture = np.asarray(Image.open(tmp_path / "out/page.png"))
    assert picture.shape == (96, 96, 3) and np.ptp(picture, axis=2).any()
    (shipped,) = environment.glob(f"lib/python*/site-packages/{SHIPPED}")
    told = sketch2paint("export", "checkpoint=shipped", "format=model", "output=a.safetensors")
    assert "a.safetensors: " in told and shipped.stat().st_size > 0
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out", "a.safetensors"}


@pytest.mark.slow
def test_a_card_is_written(sketch2paint: Sketch2paint, pairs_dir: Path, weight_path: Path) -> None:
    data = ["data=pairs", f"data.root={pairs_dir}", "learned=false", "device=cpu"]
    said = sketch2paint("evaluate", f"checkpoint={weight_path.name}", *data, "card=card.md")
    assert "Wrote card.md" in said
    assert (pairs_dir.parent / "card.md").read_text().startswith("# ")


@pytest.mark.slow
def test_several_processes_are_started(sketch2paint: Sketch2paint, tmp_path: Path) -> None:
    said = sketch2paint(
        "train", *TINY, "trainer.accelerator=cpu", "trainer.gpus=2", "name=two", "~logger"
    )
    assert "Device: cpu x 2" in said and said.count("Epoch 1/1, validation") == 1
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"two"}


@pytest.mark.slow
def test_jobs_of_a_sweep_run_side_by_side(sketch2paint: Sketch2paint, tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="the joblib extra")
    sketch2paint("prepare", "data=demo", "data.draw=12", "check=true")  # draws the pairs
    sketch2paint(
        "train", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *TINY,
        "trainer.gpus=0", "name=s", "model.lr=1e-4,2e-4",
    )  # fmt: skip
    table = (tmp_path / "multirun/s/summary.csv").read_text()
    assert table.count("done") == 2


@pytest.mark.slow
def test_the_benchmark_starts_the_installed_verbs(
    sketch2paint: Sketch2paint, tmp_path: Path
) -> None:
    keys = ["what=start", "size=32", "base_channels=4", "repeats=1", "device=cpu"]
    assert "predict.py, one picture" in sketch2paint("benchmark", *keys)
    assert not list(tmp_path.iterdir())

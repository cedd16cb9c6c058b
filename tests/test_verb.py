"""The real verbs in a subprocess."""

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from whole_program import ROOT, call, refused

TINY = [
    "data=pairs",
    "data.size=32",
    "data.jitter=4",
    "data.num_workers=0",
    "data.batch_size=2",
    "model.generator.base_channels=2",
    "model.discriminator.base_channels=2",
    "trainer.gpus=0",
    "trainer.log_every_n_steps=2",
]


NO = ["checkpoint=no", "input=no", "output=o"]


def test_openmp_spins_briefly_unless_told_otherwise(refused_here, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    refused_here("predict", NO)
    assert os.environ["GOMP_SPINCOUNT"] == "10000" and "OMP_WAIT_POLICY" not in os.environ
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    refused_here("predict", NO)
    assert os.environ["GOMP_SPINCOUNT"] == "7"
    monkeypatch.delenv("GOMP_SPINCOUNT")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    refused_here("predict", NO)
    assert "GOMP_SPINCOUNT" not in os.environ and os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


def test_train_resume_finetune_and_predict(pairs_dir, tmp_path, refused_here):
    train = ["train", *TINY, f"data.root={pairs_dir}"]
    contiguous = "trainer.memory_format=contiguous"  # auto keeps it when the run goes on
    first = call(*train, "name=a", "trainer.max_epochs=1", contiguous, cwd=tmp_path)
    assert first.returncode == 0, first.stdout
    assert "Warning" not in first.stdout, first.stdout
    assert re.search("Device: cpu x 1, precision (32-true|bf16-mixed)\n", first.stdout)
    assert "Epoch 1/1, iteration 4/4: loss_D_fake " in first.stdout
    assert (tmp_path / "runs/a/config.yaml").exists()
    assert {p.name for p in tmp_path.iterdir()} == {"runs", "pairs"}

    message = refused(*train, "name=a", cwd=tmp_path)
    assert "runs/a holds a run already" in message
    assert "resume=true" in message and "name=NAME" in message

    again = call(*train, "name=a", "trainer.max_epochs=2", "resume=true", cwd=tmp_path)
    assert again.returncode == 0, again.stdout
    assert "Changed since the run began, trainer.max_epochs: 1 -> 2" in again.stdout
    assert "WARNING" not in again.stdout
    assert "Epoch 1/2" not in again.stdout and "Epoch 2/2, iteration 4/4" in again.stdout
    with open(tmp_path / "runs/a/metrics.csv", newline="") as file:
        assert [r["epoch"] for r in csv.DictReader(file)] == ["1", "1", "1", "2", "2", "2"]

    config = (tmp_path / "runs/a/config.yaml").read_text()
    assert "memory_format: contiguous\n" in config
    done = call(*train, "name=a", "trainer.max_epochs=1", "resume=true", cwd=tmp_path)
    assert "resuming from runs/a/checkpoints/last.ckpt (16 pairs seen)" in done.stdout
    assert "Nothing was left to do. To train on, pass trainer.max_epochs above 1." in done.stdout
    assert (tmp_path / "runs/a/config.yaml").read_text() == config  # of what was done

    (tmp_path / "foreign.ckpt").write_bytes(b"no checkpoint")
    message = refused_here("train", [*train[1:], "name=c", "resume=foreign.ckpt"])
    assert "foreign.ckpt: damaged: expected a checkpoint" in message
    other = refused_here("train", [*train[1:], "name=a", "resume=true", "model.norm=batch"])
    assert (tmp_path / "runs/a/weights/generator.safetensors").stat().st_mode & 0o044
    assert "got other values: model.norm: 'instance' -> 'batch'. Pass the run's own" in other

    tuned = call(
        *train, "name=b", "trainer.max_epochs=1", "init_from=runs/a", "model.lr=1e-30",
        "~logger", "callbacks.samples=null", cwd=tmp_path,
    )  # fmt: skip
    assert tuned.returncode == 0, tuned.stdout
    assert not (tmp_path / "runs/b/tensorboard").exists()
    assert not (tmp_path / "runs/b/samples").exists()
    weights = [load_file(tmp_path / f"runs/{n}/weights/generator.safetensors") for n in "ab"]
    torch.testing.assert_close(weights[0], weights[1])

    sketches = tmp_path / "drawings/deep"
    sketches.mkdir(parents=True)
    Image.fromarray(np.full((40, 70), 255, np.uint8)).save(sketches / "one.png")
    Image.fromarray(np.full((9, 33, 3), 255, np.uint8)).save(tmp_path / "drawings/two.jpg")
    (tmp_path / "drawings/broken.png").write_bytes(b"no picture")
    predict = ["predict", "checkpoint=runs/a", "input=drawings", "output=out"]
    result = call(*predict, "gallery=out/gallery.png", "layers=true", cwd=tmp_path)
    assert result.returncode == 1, result.stdout
    assert "2 coloured, 1 failed: out" in result.stdout
    assert "failed: drawings/broken.png: expected a readable picture" in result.stdout
    for name, size in (("deep/one.png", (70, 40)), ("two.png", (33, 9))):
        with Image.open(tmp_path / "out" / name) as picture:
            assert picture.size == size
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "deep", "gallery.png", "predict.json", "two.png", "two.colours.png", "two.ora",
    }  # fmt: skip
    os.remove(tmp_path / "drawings/broken.png")
    result = call(*predict, cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert "0 coloured, 0 failed, 2 there already" in result.stdout
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"runs", "pairs", "drawings", "out", "foreign.ckpt"}


def predict_from(folder, count, *arguments, **options):
    """Start predict.py on `count` new sketches in in/."""
    (folder / "in").mkdir(exist_ok=True)
    for number in range(count):
        Image.fromarray(np.full((32, 32), 255, np.uint8)).save(folder / f"in/{number:03d}.png")
    return subprocess.Popen(
        [sys.executable, str(ROOT / "predict.py"), "checkpoint=generator.safetensors", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **options.pop("environment", {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_predict_in_a_pipe_writes_nothing_but_the_picture(weight_path, tmp_path):
    process = predict_from(tmp_path, 1, "input=-", "output=-", "format=webp", stdin=subprocess.PIPE)
    out, errors = process.communicate((tmp_path / "in/000.png").read_bytes(), timeout=60)
    assert process.returncode == 0, errors
    with Image.open(io.BytesIO(out)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (32, 32))
        picture.load()
    assert errors.decode() == "1 coloured, 0 failed: -\n"
    assert {p.name for p in tmp_path.iterdir()} == {"in", "generator.safetensors"}


def test_predict_shares_the_work_out(weight_path, tmp_path):
    keys = ["input=in", "output=out", "gallery=true"]
    processes = [
        predict_from(tmp_path, 7, *keys, environment={"RANK": str(rank), "WORLD_SIZE": "2"})
        for rank in range(2)
    ]
    texts = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], texts
    assert b"4 coloured, 0 failed, of a share of 4 of 7" in texts[0][0]
    assert b"3 coloured, 0 failed, of a share of 3 of 7" in texts[1][0]
    assert b"Gallery: " in texts[0][0] and b"Gallery: " not in texts[1][0]
    shares = [
        {entry["output"] for entry in json.loads(path.read_text())["pictures"]}
        for path in sorted((tmp_path / "out").glob("predict.*-of-2.json"))
    ]
    assert [len(share) for share in shares] == [4, 3] and len(set.union(*shares)) == 7


@pytest.mark.parametrize(
    "signum", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_predict_in_order(weight_path, tmp_path, signum):
    process = predict_from(tmp_path, 900, "input=in", "output=out", "batch_size=1")
    while not (tmp_path / "out/002.png").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signum)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signum, out + errors
    assert f"left by {signal.Signals(signum).name} (the same command".encode() in out
    assert b"Traceback" not in errors
    files = [path for path in (tmp_path / "out").iterdir() if path.name != "predict.json"]
    entries = json.loads((tmp_path / "out/predict.json").read_text())["pictures"]
    assert {entry["output"] for entry in entries} == {path.name for path in files}
    assert 3 <= len(files) < 900
    for path in files:
        with Image.open(path) as picture:
            picture.load()


@pytest.mark.slow
def test_prepare_then_train_from_the_cache(pairs_dir, tmp_path):
    data = [key for key in TINY if key.startswith("data") and "workers" not in key]
    data = [*data, f"data.root={pairs_dir}"]
    result = call("prepare", *data, "data.batch_size=2", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert "Ready: data/cache/pairs-" in result.stdout
    assert {p.name for p in tmp_path.iterdir()} == {"pairs", "data"}

    train = ["train", *TINY, f"data.root={pairs_dir}", "trainer.max_epochs=1"]
    cached = call(*train, "name=cached", "data.cache=require", cwd=tmp_path)
    assert cached.returncode == 0, cached.stdout
    assert "Pictures from the cache data/cache/pairs-" in cached.stdout
    decoded = call(*train, "name=decoded", "data.cache=off", cwd=tmp_path)
    assert "from the cache" not in decoded.stdout
    weights = [
        load_file(tmp_path / f"runs/{name}/weights/generator.safetensors")
        for name in ("cached", "decoded")
    ]
    torch.testing.assert_close(weights[0], weights[1], rtol=0, atol=0)

    Image.new("RGB", (64, 32), "red").save(pairs_dir / "train/new.png")
    message = refused(*train, "name=x", "data.cache=require", cwd=tmp_path)
    assert "1 file added (first: train/new.png)" in message or "1 added" in message
    assert "Run prepare.py with the same data keys." in message


@pytest.mark.slow
def test_prepare_checks(pairs_dir, tmp_path):
    (pairs_dir / "val/broken.png").write_bytes(b"no picture")
    call_ = ["prepare", "data=pairs", f"data.root={pairs_dir}", "check=true"]
    result = call(*call_, "json=report.json", "sheet=sheet.png", cwd=tmp_path)
    assert result.returncode == 1, result.stdout
    assert "13 samples: 8 train, 5 val" in result.stdout
    assert "val/broken.png" in result.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(report["faults"]["bad_files"]) == ["val/broken.png"]
    assert {p.name for p in tmp_path.iterdir()} == {"pairs", "report.json", "sheet.png"}
    os.remove(pairs_dir / "val/broken.png")
    assert call(*call_, cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_a_run_whose_end_is_not_saved_says_so(pairs_dir, tmp_path):
    resource = pytest.importorskip("resource")  # not on Windows
    result = call(
        "train", *TINY, f"data.root={pairs_dir}", "name=a", "trainer.max_epochs=1", "~logger",
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000)),
    )  # fmt: skip
    assert result.returncode == 1, result.stdout
    assert "Done." not in result.stdout and "Traceback" not in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "error: runs/a: the end of the run is not saved: [Errno 27] File too large. There is no "
        "checkpoint on the disk. Free space on that disk, then go on: the same command with "
        "out_dir=runs/a resume=true"
    )
    assert not list((tmp_path / "runs/a/checkpoints").iterdir())


@pytest.mark.parametrize(
    "signum", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_the_run_in_order(pairs_dir, tmp_path, signum):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *TINY, f"data.root={pairs_dir}", "name=a"]
        + ["trainer.max_epochs=100000", "trainer.check_val_every_n_epoch=1000"]
        + ["data.num_workers=2"],
        cwd=tmp_path,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Epoch 2/"):
            os.killpg(process.pid, signum)  # as a terminal or a scheduler does: workers get it too
            break
    output = "".join(lines) + process.communicate(timeout=120)[0]
    assert process.returncode == 128 + signum, output
    assert "To go on: the same command with name=a resume=true" in output
    assert "Traceback" not in output
    checkpoint = torch.load(tmp_path / "runs/a/checkpoints/last.ckpt", weights_only=True)
    assert checkpoint["pairs_seen"] >= 10


def test_sweep_keeps_what_succeeded(pairs_dir, tmp_path):
    result = call(
        "train", "-m", *TINY, f"data.root={pairs_dir}", "name=s", "trainer.max_epochs=1",
        "model.lambda_l1=10,100", "model.lr=1e-4,-1", cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 2, result.stdout  # as for model.lr=-1 alone
    with open(tmp_path / "multirun/s/summary.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["status"] for row in rows] == ["done", "done", "failed", "failed"]
    assert {row["model.lambda_l1"] for row in rows[:2]} == {"10", "100"}
    assert "Expected `model.lr` above 0, got -1" in rows[2]["error"]
    assert (tmp_path / "multirun/s/summary.png").exists()
    assert (tmp_path / "multirun/s/0/checkpoints/last.ckpt").exists()
    assert not (tmp_path / "runs").exists()

    again = ["train", "-m", *TINY, f"data.root={pairs_dir}", "name=s", "model.lr=3e-4"]
    assert "multirun/s/0 holds a run already" in call(*again, cwd=tmp_path).stdout
    with open(tmp_path / "multirun/s/summary.csv", newline="") as file:
        assert list(csv.DictReader(file)) == rows  # what the first sweep found stays


@pytest.mark.slow
def test_a_job_of_a_sweep_that_is_refused_is_told_in_one_line(tmp_path):
    words = ["name=my sweep", "model.lr=abc,-1", "data.root=a (b)"]
    result = call("train", "-m", "data=pairs", *words, cwd=tmp_path)
    assert result.returncode == 2, result.stdout
    assert result.stdout.splitlines()[-1] == (
        "error: job 0 (data=pairs 'name=my sweep' model.lr=abc \"data.root='a (b)'\"): "
        "Expected `model.lr` to be float, got 'abc'. Type for instance model.lr=0.0002"
    )
    assert "Error executing" not in result.stdout and "Traceback" not in result.stdout


@pytest.mark.slow
def test_a_signal_ends_a_sweep(pairs_dir, tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), "-m", *TINY, f"data.root={pairs_dir}", "name=s"]
        + ["trainer.max_epochs=100000", "model.lr=1e-4,2e-4"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for line in process.stdout:
        if line.startswith("Epoch 2/"):
            process.send_signal(signal.SIGINT)
            break
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 130, output
    assert (tmp_path / "multirun/s/0/checkpoints/last.ckpt").exists()
    assert not (tmp_path / "multirun/s/1").exists()


@pytest.mark.slow
def test_sweep_with_several_jobs_at_a_time(pairs_dir, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="the joblib extra")
    result = call(
        "train", "-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", *TINY,
        f"data.root={pairs_dir}", "name=s", "trainer.max_epochs=1", "model.lr=1e-4,2e-4",
        cwd=tmp_path,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout
    with open(tmp_path / "multirun/s/summary.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done", "done"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data=pairs"], "Expected a value for data.root. Pass data.root=..."),
        (
            ["data=pairs", "data.root=nowhere"],
            "nowhere: no such folder. Expected the pictures there",
        ),
        (["data=two_folders"], "Expected `data.colours`, a folder, for data.source=two_folders"),
        (
            ["model.lamda_l1=3"],
            "Unknown key `model.lamda_l1`. The nearest is model.lambda_l1: type",
        ),
        (["+colour=3"], "Unknown key `colour`. The nearest is data.colours: type data.colours="),
        (["trainer.gpus=many"], "Expected `trainer.gpus` to be auto, 0 or a number, got 'many'"),
        (["resume=nowhere.ckpt"], "nowhere.ckpt: no such checkpoint. Pass resume=true"),
        (["data.size=300"], "Expected `size` to be a multiple of 256"),
        (["data.batch_size=0"], "Expected `data.batch_size` to be at least 1, got 0"),
        (["model.betas=[a,b]"], "Expected `model.betas` to be [float, float], got ['a', 'b']"),
        (["data.batch_size=many"], "Expected `data.batch_size` to be int, got 'many'"),
        (["model.lambda_l1=abc"], "Expected `model.lambda_l1` to be float, got 'abc'"),
        (["callbacks.samples.rows=2.5"], "Expected `callbacks.samples.rows` to be int, got 2.5"),
    ],
)
def test_train_refuses(tmp_path, pairs_dir, refused_here, arguments, message):
    if not any(a.startswith("data=") for a in arguments):
        arguments = ["data=pairs", f"data.root={pairs_dir}", *arguments]
    assert message in refused_here("train", arguments)
    assert {p.name for p in tmp_path.iterdir()} == {"pairs"}, "nothing may be left behind"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Expected a value for input, output. Pass input=..."),
        (["checkpoint=no", "input=pairs", "output=o"], "no: no such file. Pass a run folder"),
        (["checkpoint=no", "input=no", "output=o"], "no: no such file or folder. Pass input="),
        ([*NO, "input=[]"], "Expected `input` to be a file, a folder, a glob or a list"),
        ([*NO, "input=[3]"], "3: no such file or folder. Pass input="),
        (
            [*NO, "batch_size=0"],
            "Expected `batch_size` to be auto or a number of at least 1, got 0",
        ),
        ([*NO, "batch_size=x"], "Expected `batch_size` to be auto or a number of at least 1, got"),
        ([*NO, "format=tif"], "Expected `format` to be one of auto, png, jpg, webp, got 'tif'"),
        ([*NO, "quality=101"], "Expected `quality` to be 1 to 100, got 101"),
        ([*NO, "coloured=copy"], "Expected `coloured` to be one of skip, paint, got 'copy'"),
        ([*NO, "max_pixels=0"], "Expected `max_pixels` to be at least 1, got 0"),
        ([*NO, "gallery_rows=0"], "Expected `gallery_rows` to be at least 1, got 0"),
        ([*NO, "shard=2/2"], "Expected `shard` to be auto or I/N with I from 0 to N-1, got 2/2"),
        ([*NO, "truth=t"], "Expected `gallery` with `truth`"),
        ([*NO, "gallery=g.gif"], "Expected `gallery` to be true, a .html or a .png file"),
        ([*NO, "gallery=true", "output=-"], "Expected no `gallery` with input=- or output=-"),
        ([*NO, "input=pairs/*/*.png", "output=-"], "Expected one `input`, no `layers`"),
        ([*NO, "input=pairs", "gallery=pairs/val/000.png"], "expected another name for `gallery`"),
        ([*NO, "input=pairs", "output=pairs"], "pairs: expected `output` to be a folder other"),
        (
            ["checkpoint=no", "input=pairs/val", "output=o", "truth=t", "gallery=g.png"],
            "t/000.png: no true picture of that name for the gallery",
        ),
    ],
)
def test_predict_refuses(tmp_path, pairs_dir, refused_here, arguments, message):
    assert message in refused_here("predict", arguments)
    assert {p.name for p in tmp_path.iterdir()} == {"pairs"}


class Trap:
    """As a pickle, makes a file when it is loaded."""

    def __init__(self, sprung):
        self.sprung = str(sprung)

    def __reduce__(self):
        return os.system, (f"touch {self.sprung}",)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("train", ["resume=evil.ckpt"]),
        ("train", ["resume=true", "name=killed"]),
        ("train", ["init_from=evil.ckpt"]),
        ("predict", ["checkpoint=evil.ckpt", "input=pairs/val", "output=o"]),
        ("export", ["checkpoint=evil.ckpt", "output=o.onnx"]),
        ("evaluate", ["checkpoint=evil.ckpt", "data=pairs", "data.root=pairs"]),
    ],
)
def test_a_checkpoint_that_is_a_program_is_not_run(
    tmp_path, pairs_dir, refused_here, name, arguments
):
    evil, sprung = tmp_path / "evil.ckpt", tmp_path / "sprung"
    torch.save({"state_dict": {}, "pairs_seen": Trap(sprung)}, evil)
    last = tmp_path / "runs/killed/checkpoints/last.ckpt"
    last.parent.mkdir(parents=True)
    shutil.copy(evil, last)
    if name == "train":
        arguments = [*TINY, f"data.root={pairs_dir}", *arguments]
    message = refused_here(name, arguments)
    assert "ckpt: expected a checkpoint that holds plain data only, got one that holds" in message
    assert not sprung.exists()
    torch.load(evil, weights_only=False)  # the trap does work
    assert sprung.exists()


@pytest.mark.parametrize(
    "verb", ["train", "prepare", "predict", "animate", "explore", "export", "evaluate", "benchmark"]
)
@pytest.mark.parametrize("question", [["--help"], ["--cfg", "job"]])
def test_questions_import_nothing_heavy(verb, question, tmp_path):
    code = (
        "import atexit, runpy, sys; sys.argv = sys.argv[1:];"
        "heavy = {'torch', 'pytorch_lightning', 'albumentations', 'cv2', 'numpy', 'matplotlib'};"
        "atexit.register(lambda: print('heavy:', sorted(heavy & set(sys.modules))));"
        "runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / f"{verb}.py"), *question],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert "checkpoint" in result.stdout or verb == "prepare" and "cache_dir" in result.stdout
    assert "heavy: []" in result.stdout
    assert not list(tmp_path.iterdir())


def test_a_mixture_is_prepared_and_not_checked(refused_here, pairs_dir, tmp_path):
    keys = ["data=pairs", f"data.root={pairs_dir}", f"data.also=[{{root: {pairs_dir}}}]"]
    said = refused_here("prepare", [*keys, "check=true"])
    assert "Expected one set of pictures to check, got 1 more in `data.also`." in said

"""train.py as a whole: killed and resumed, on several processes, on several hosts."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from tiny_run import scalars

from sketch2paint.models.checkpoint import read_checkpoint

ROOT = Path(__file__).parents[2]
REAL_RUNS = [sys.executable, str(ROOT / "tests/real_runs.py")]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def real_runs(*arguments):
    result = subprocess.run(
        [*REAL_RUNS, *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def flat(value, name=""):
    """Every leaf of a checkpoint by its path."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, (dict, list, tuple)):
            yield from flat(item, f"{name}.{key}")
        else:
            yield f"{name}.{key}", item


def differences(one, other):
    """What two runs do not share, to the bit: weights, averages, optimizers, counters, logs."""
    ours, theirs = (
        dict(flat(read_checkpoint(run / "checkpoints/last.ckpt"))) for run in (one, other)
    )
    found = sorted(ours.keys() ^ theirs.keys())
    for name in ours.keys() & theirs.keys():
        a, b = ours[name], theirs[name]
        if not (torch.equal(a, b) if torch.is_tensor(a) else a == b):
            found.append(f"{name}: {a} and {b}")
    if (one / "metrics.csv").read_text() != (other / "metrics.csv").read_text():
        found.append("metrics.csv")
    for tag in ("loss_D_fake", "loss_G_L1", "val/psnr"):
        a, b = ([(e.step, e.value) for e in scalars(run).Scalars(tag)] for run in (one, other))
        if a != b:
            found.append(f"TensorBoard's {tag}")
    names = [sorted(path.name for path in (run / "checkpoints").iterdir()) for run in (one, other)]
    return found + ([f"checkpoints {names}"] if names[0] != names[1] else [])


def kill(pairs_dir, out, ranks, kills, seed):
    """Kill a run so often; returns what distinguishes it in the end from one never killed."""
    output = real_runs("kill", pairs_dir, out, ranks, kills, seed)
    print(output)
    assert output.count("kill ") == kills
    reached = {int(line.split(" pairs in")[0].split()[-1]) for line in output.splitlines()}
    assert len(reached) > 3  # they were spread over the training
    return differences(out / "unbroken", out / "killed")


@pytest.mark.slow
def test_killed_eight_times(pairs_dir, tmp_path):
    assert kill(pairs_dir, tmp_path, ranks=1, kills=8, seed=2) == []


@pytest.mark.slow
def test_killed_fifty_times(pairs_dir, tmp_path):
    assert kill(pairs_dir, tmp_path, ranks=1, kills=50, seed=2) == []


@pytest.mark.slow
def test_two_processes_killed_ten_times(pairs_dir, tmp_path):
    assert kill(pairs_dir, tmp_path, ranks=2, kills=10, seed=3) == []


@pytest.mark.slow
def test_differences_are_seen(pairs_dir, tmp_path):
    keys = ["trainer.max_epochs=1"]
    real_runs("once", pairs_dir, tmp_path / "a", 1, *keys)
    real_runs("once", pairs_dir, tmp_path / "b", 1, *keys, "seed=1")
    found = differences(tmp_path / "a", tmp_path / "b")
    assert any(line.startswith(".state_dict.generator.") for line in found)
    assert any(line.startswith(".optimizer_states.") for line in found)
    assert "metrics.csv" in found and "TensorBoard's loss_G_L1" in found


def losses(run):
    with open(run / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["pairs"], name): float(value)
        for row in rows
        for name, value in row.items()
        if value and name.startswith(("loss", "val"))
    }


@pytest.mark.parametrize(
    "step",
    [
        "model.update=alternating",
        pytest.param("model.update=simultaneous", marks=pytest.mark.slow),
        pytest.param("model.accumulate=2", marks=pytest.mark.slow),
    ],
)
def test_two_processes_equal_one(pairs_dir, tmp_path, step):
    (pairs_dir / "val/000.png").unlink()  # three are left: one is not to be counted twice
    keys = ["trainer.max_epochs=10", "model.generator.dropout=0", "trainer.log_every_n_steps=1"]
    keys += ["trainer.precision=32-true", step]
    real_runs("once", pairs_dir, tmp_path / "one", 1, "data.batch_size=4", *keys)
    output = real_runs("once", pairs_dir, tmp_path / "two", 2, "data.batch_size=2", *keys)
    assert "Warning" not in output
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert len(one) == 20 * 7 + 10 * 2  # 20 steps of 7 losses, and 10 validations over 3 pictures
    assert one.keys() == two.keys()
    for key, value in one.items():
        tolerance = 1e-4 if "val" in key[1] else 1e-5  # metrics.csv keeps four decimals of them
        assert two[key] == pytest.approx(value, rel=1e-5, abs=tolerance), key
    states = [
        read_checkpoint(tmp_path / name / "checkpoints/last.ckpt")["state_dict"]
        for name in ("one", "two")
    ]
    torch.testing.assert_close(*states, rtol=0, atol=1e-5)


TINY = [
    "data=pairs", "data.size=32", "data.jitter=4", "data.num_workers=0", "data.batch_size=2",
    "data.cache=off", "model.generator.base_channels=2", "model.discriminator.base_channels=2",
]  # fmt: skip
TWO = ["trainer.accelerator=cpu", "trainer.gpus=2", "trainer.strategy=ddp"]


@pytest.mark.slow
def test_sweep_of_jobs_with_two_processes_each(pairs_dir, tmp_path):
    result = subprocess.run(
        [sys.executable, str(ROOT / "train.py"), "-m", *TINY, *TWO, f"data.root={pairs_dir}"]
        + ["name=s", "trainer.max_epochs=2", "model.lr=1e-4,2e-4"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("Epoch 2/2, validation") == 2  # neither child began the sweep again
    assert sorted(path.name for path in (tmp_path / "multirun/s").iterdir() if path.is_dir()) == [
        "0",
        "1",
    ]
    assert not (tmp_path / "runs").exists()
    with open(tmp_path / "multirun/s/summary.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["done", "done"]


@pytest.mark.slow
def test_signal_to_one_of_two_processes_stops_both_in_order(pairs_dir, tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *TINY, *TWO, f"data.root={pairs_dir}", "name=r"]
        + ["trainer.max_epochs=100000"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in process.stdout:
        if line.startswith("Epoch 2/"):
            process.send_signal(signal.SIGTERM)
            break
    output = process.communicate(timeout=120)[0]
    assert process.returncode == 128 + signal.SIGTERM, output
    assert "Stopped in order" in output
    assert (tmp_path / "runs/r/checkpoints/last.ckpt").exists()


def hosts_possible():
    """Whether network namespaces, the hosts of the test, may be made here."""
    if not shutil.which("ip"):
        return False
    made = subprocess.run(["ip", "netns", "add", "s2p_try"], capture_output=True)
    subprocess.run(["ip", "netns", "del", "s2p_try"], capture_output=True)
    return made.returncode == 0


@pytest.fixture
def hosts():
    """Two hosts with an address each on one cable; yields a function that plugs it in or out."""
    if not hosts_possible():
        pytest.skip("network namespaces need root and iproute2")

    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    names, cables = ("s2p_a", "s2p_b"), ("s2p_va", "s2p_vb")
    for name in names:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)
        ip("netns", "add", name)
    ip("link", "add", cables[0], "type", "veth", "peer", "name", cables[1])
    for number, (name, cable) in enumerate(zip(names, cables, strict=True), 1):
        ip("link", "set", cable, "netns", name)
        ip("-n", name, "addr", "add", f"10.77.0.{number}/24", "dev", cable)
        ip("-n", name, "link", "set", cable, "up")
        ip("-n", name, "link", "set", "lo", "up")
    yield lambda state: ip("-n", names[1], "link", "set", cables[1], state)
    for name in names:
        ip("netns", "del", name)


def start_on_host(number, folder, log, *keys):
    """torchrun on one host of two, meeting at the first one."""
    cable = ["s2p_va", "s2p_vb"][number - 1]
    command = ["ip", "netns", "exec", ["s2p_a", "s2p_b"][number - 1], sys.executable, "-m"]
    command += ["torch.distributed.run", "--nnodes=2", "--nproc-per-node=1", "--rdzv-id=s2p"]
    command += ["--rdzv-backend=c10d", "--rdzv-endpoint=10.77.0.1:29411"]
    command += [f"--rdzv-conf=is_host={int(number == 1)}", f"--local-addr=10.77.0.{number}"]
    command += [str(ROOT / "train.py"), *TINY, "trainer.accelerator=cpu", "trainer.gpus=1"]
    command += ["trainer.num_nodes=2", "trainer.timeout=10", "name=r", *keys]
    with open(log, "w") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=ENVIRONMENT | {"GLOO_SOCKET_IFNAME": cable},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


@pytest.mark.slow
def test_two_hosts_and_one_is_cut_off(pairs_dir, tmp_path, hosts):
    def start(*keys):
        keys = [f"data.root={pairs_dir}", *keys]
        return [start_on_host(n, tmp_path, tmp_path / f"{n}.log", *keys) for n in (1, 2)]

    def log(number):
        return (tmp_path / f"{number}.log").read_text()

    processes = start("trainer.max_epochs=100000")
    try:
        until = time.monotonic() + 120
        while "Epoch 3/" not in log(1):
            assert time.monotonic() < until and processes[0].poll() is None, log(1) + log(2)
            time.sleep(0.2)
        hosts("down")
        cut = time.monotonic()
        assert processes[0].wait(timeout=60) != 0
        print(f"host 1 ended {time.monotonic() - cut:.0f} s after the cut")
        message = "error: runs/r: another process of this run is gone, or was silent for trainer.t"
        assert message in log(1)
        assert "The last checkpoint is whole: start all processes again with resume=true." in log(1)
        while message not in log(2):
            assert time.monotonic() < cut + 60, log(2)
            time.sleep(0.2)
    finally:
        for process in processes:
            end(process)
    seen = read_checkpoint(tmp_path / "runs/r/checkpoints/last.ckpt")["pairs_seen"]
    epochs = seen // 8 + 2
    hosts("up")
    processes = start(f"trainer.max_epochs={epochs}", "resume=true")
    try:
        assert [process.wait(timeout=120) for process in processes] == [0, 0], log(1) + log(2)
    finally:
        for process in processes:
            end(process)
    last = read_checkpoint(tmp_path / "runs/r/checkpoints/last.ckpt")
    assert last["pairs_seen"] == epochs * 8


def end(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

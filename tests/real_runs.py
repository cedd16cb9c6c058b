"""Real runs of train.py in processes of their own, forked where everything is imported already.

    python tests/real_runs.py once PAIRS OUT RANKS [key=value ...]
    python tests/real_runs.py kill PAIRS OUT RANKS KILLS SEED

`kill` ends one training again and again with SIGKILL at random moments and resumes it each time,
beside one that runs through, for a comparison of the two; it prints a line for each kill. Dropout
is on; the number of loading workers and the interval of checkpoints change from run to run.
"""

import os
import random
import runpy
import signal
import socket
import sys
import time
from pathlib import Path

import torch

import sketch2paint.data.datamodule
import sketch2paint.training.callbacks
import sketch2paint.training.checkpoints
import sketch2paint.training.trainer  # noqa: F401  # the children find it imported
from sketch2paint.models.checkpoint import read_checkpoint

ROOT = Path(__file__).parent.parent
IN_TRAINING = 0.75  # of the kills fall after a run's first steps, the others from its start on
EVERY = ["2pairs", "2pairs", "6pairs", "6pairs", "15min"]  # so long that none is due
PATIENCE = 120  # s for a run's first steps
TINY = [
    "data=pairs", "data.size=32", "data.jitter=4", "data.batch_size=2", "data.cache=off",
    "data.num_workers=0", "model.generator.base_channels=2", "model.discriminator.base_channels=2",
    "trainer.deterministic=true", "trainer.log_every_n_steps=3",
]  # fmt: skip


def start(pairs, out, ranks, *keys):
    """Fork a training, with `ranks` processes as torchrun would start them; returns their pids."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    keys = [f"data.root={pairs}", f"out_dir={out}", "trainer.gpus=0", *keys]
    if ranks > 1:
        keys += ["trainer.accelerator=cpu", f"trainer.gpus={ranks}", "trainer.timeout=60"]
    return [_fork(out, rank, ranks, port, keys) for rank in range(ranks)]


def _fork(out, rank, ranks, port, keys):
    child = os.fork()
    if child:
        return child
    os.setsid()
    torch.set_num_threads(1)
    if ranks > 1:
        os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
        os.environ |= {"MASTER_PORT": str(port), "WORLD_SIZE": str(ranks)}
    log = os.open(f"{out}.{rank}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.argv = [str(ROOT / "train.py"), *TINY, *keys]
    status = 70
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as stop:
        status = stop.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def log_since(log, start):
    """What a log holds from a byte on."""
    return log.read_bytes()[start:].decode(errors="replace") if log.exists() else ""


def wait(children):
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def once(pairs, out, ranks, *keys):
    codes = wait(start(pairs, out, ranks, *keys))
    log = Path(f"{out}.0.log").read_text()
    assert not any(codes), f"exit codes {codes}\n{log}"


def kill(pairs, out, ranks, kills, seed):
    chance = random.Random(seed)
    begun = time.monotonic()
    once(pairs, out / "timed", ranks, "trainer.max_epochs=1")
    took = time.monotonic() - begun
    last, saving = out / "killed/checkpoints/last.ckpt", out / "killed/checkpoints/.last.ckpt.tmp"
    pairs_seen = 0
    for number in range(1, kills + 1):
        workers, every = chance.choice([0, 4]), chance.choice(EVERY)
        varied = [f"data.num_workers={workers}", f"checkpoint_every={every}", "resume=true"]
        log = Path(f"{out / 'killed'}.0.log")
        told = log.stat().st_size if log.exists() else 0
        begun = time.monotonic()
        children = start(pairs, out / "killed", ranks, "trainer.max_epochs=100000", *varied)
        if chance.random() < IN_TRAINING:  # however long a start takes on a busy machine
            while "iteration" not in log_since(log, told) and time.monotonic() < begun + PATIENCE:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.8) * took)
        else:
            time.sleep(chance.uniform(0.05, 1.0) * took)
        delay = time.monotonic() - begun
        for child in children:
            os.killpg(child, signal.SIGKILL)
        codes = wait(children)
        assert codes == [-signal.SIGKILL] * ranks, codes
        pairs_seen = read_checkpoint(last)["pairs_seen"] if last.exists() else 0
        print(
            f"kill {number:2d}: after {delay:4.2f} s, {workers} workers, checkpoint_every={every}, "
            f"{pairs_seen:4d} pairs in last.ckpt" + ", while saving" * saving.exists(),
            flush=True,
        )
        saving.unlink(missing_ok=True)  # so that the next one can be seen
    epochs = f"trainer.max_epochs={pairs_seen // 8 + 2}"  # of 8 pairs
    once(pairs, out / "killed", ranks, epochs, "resume=true")
    once(pairs, out / "unbroken", ranks, epochs)


if __name__ == "__main__":
    verb, pairs, out, ranks, *more = sys.argv[1:]
    if verb == "once":
        once(pairs, Path(out), int(ranks), *more)
    else:
        kill(pairs, Path(out), int(ranks), *map(int, more))

"""Going on with a run: which checkpoint, and whether the configuration is still the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

# Keys (shell patterns) whose change leaves the result alone, or only makes it longer.
HARMLESS = (
    "name", "out_dir", "resume", "init_from", "checkpoint_every", "on_nan", "callbacks*", "logger*",
    "*.out_dir", "trainer.max_epochs", "trainer.gpus", "trainer.num_nodes", "trainer.strategy",
    "trainer.accelerator", "trainer.timeout", "trainer.log_every_n_steps", "trainer.progress_bar",
    "trainer.check_val_every_n_epoch", "trainer.limit_val_batches", "data.num_workers",
    "data.cache", "data.cache_dir", "data.on_bad",
)  # fmt: skip
# Keys that make other networks: a checkpoint does not fit them.
FIXED = (
    "data.task", "data.size", "model.task", "model.size", "model.norm", "model.generator*",
    "model.discriminator*", "model.network*",
)  # fmt: skip
# Keys that came after release 0.1, with the value that means what was before.
SINCE = {
    "data.also": [],
    "data.flats": False,
    "data.rotate": 0.0,
    "data.style": False,
    "data.weight": 1.0,
    "data.zoom": 1.0,
    "model.discriminator_planes": ["sketch"],
    "model.rebalance": 0.0,
    "trainer.memory_format": "channels_last",
}
# Keys that say nothing of the run: where a class stands; what the data decide on now.
GONE = ("*._target_", "model.generator.in_channels", "model.generator.style_channels")


class Resumed(NamedTuple):
    """A checkpoint to go on from, the pairs seen by then, and the epochs finished."""

    path: Path
    pairs_seen: int
    epochs: int


def is_first_process() -> bool:
    """Whether this is the process that speaks and writes, by torchrun, SLURM or Lightning."""
    ranks = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")
    return all(os.environ.get(rank, "0") == "0" for rank in ranks)


def checkpoint_to_resume(out_dir: Path, resume: bool | str) -> Resumed | None:
    """Find the checkpoint to go on from, and refuse to write into another run's folder.

    A damaged last.ckpt is named loudly and put aside; the newest whole one is taken instead.

    Args:
        out_dir: Folder of the run.
        resume: Whether to go on with the run, or the path of a .ckpt.

    Raises:
        FileExistsError: the folder holds a run, and `resume` is False.
        FileNotFoundError: there is no such checkpoint.
        ValueError: every checkpoint is damaged, or the one named is.
    """
    if isinstance(resume, str):
        if not Path(resume).is_file():
            raise FileNotFoundError(f"{resume}: no such checkpoint. Pass resume=true or a .ckpt.")
        return _read(Path(resume))
    if resume:
        return _newest_whole(out_dir / "checkpoints")
    if is_first_process() and (out_dir / "config.yaml").exists():
        raise FileExistsError(
            f"{out_dir} holds a run already. To go on with it pass resume=true; "
            "to start another one pass another name=NAME."
        )
    return None


def _read(path: Path) -> Resumed:
    from sketch2paint.models.checkpoint import read_checkpoint  # heavy

    checkpoint = read_checkpoint(path)
    try:
        pairs_seen = checkpoint["pairs_seen"]
        epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"]
    except (KeyError, TypeError):
        pairs_seen = epochs = None
    if not isinstance(pairs_seen, int) or not isinstance(epochs, int):
        raise ValueError(f"{path}: expected a checkpoint written by train.py, got another one.")
    return Resumed(path, pairs_seen, epochs)


def _newest_whole(folder: Path) -> Resumed | None:
    last = folder / "last.ckpt"
    candidates = [last, folder / "previous.ckpt", *sorted(folder.glob("epoch_*.ckpt"))[::-1]]
    there = [path for path in candidates if path.is_file()]
    problems = []
    for path in there:
        try:
            found = _read(path)
        except (ValueError, OSError) as error:
            problems.append(str(error))
            continue
        for problem in problems:
            print(f"WARNING: {problem}")
        if problems:
            print(f"WARNING: going on from {path} ({found.pairs_seen} pairs seen) instead.")
            if last in there and is_first_process():  # or it would become the one before
                os.replace(last, folder / "damaged.ckpt")
        return found
    if problems:
        raise ValueError(
            "\n".join(problems) + "\nExpected a whole checkpoint to resume from; none is left. "
            f"Start again with another name, or remove {folder}."
        )
    print(f"{last}: no checkpoint yet; starting from the beginning.")
    return None


def own_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a run that `resume=true` goes on with, out of its config.yaml.

    Args:
        config: Configuration that was typed, `out_dir` and `resume` in it.

    Returns:
        Plain values by their dotted keys; none where there is no such run.
    """
    import yaml  # late: heavy for --help

    saved = Path(config["out_dir"], "config.yaml")
    if config["resume"] is not True or not saved.is_file():
        return {}
    try:
        values = _flat(yaml.safe_load(saved.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError):
        return {}  # `compare_configs` tells it
    if is_first_process():
        print(f"Going on with the keys of {saved}; those that were typed go over them.", flush=True)
    return {
        key: value
        for key, value in values.items()
        if key not in ("name", "out_dir", "resume") and _is_plain(value)
    }


def _is_plain(value: object) -> bool:
    """Whether there is no mapping inside, which could ask for something to be built."""
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def kept_memory_format(checkpoint: Path) -> str:
    """What trainer.memory_format=auto is for a run that goes on: what its own config.yaml says."""
    try:
        return str({**SINCE, **_saved_config(checkpoint)}["trainer.memory_format"])
    except ValueError:
        return "auto"  # `compare_configs` says why


def compare_configs(checkpoint: Path, config: dict[str, Any]) -> list[str]:
    """Compare a configuration with the one that the checkpoint's run was started with.

    Returns:
        Lines that name each changed key.

    Raises:
        ValueError: a changed key makes other networks than the checkpoint's.
    """
    try:
        then = _saved_config(checkpoint)
    except ValueError as problem:
        return [f"{problem}; the configuration is not compared."]
    now = _flat(config)
    then = {**{key: value for key, value in SINCE.items() if key in now}, **then}
    changed = {
        key: f"{key}: {then.get(key, 'absent')!r} -> {now.get(key, 'absent')!r}"
        for key in sorted(then.keys() | now.keys())
        if then.get(key, "absent") != now.get(key, "absent") and not _matches(key, GONE)
    }
    if fixed := [line for key, line in changed.items() if _matches(key, FIXED)]:
        raise ValueError(
            f"{checkpoint}: expected the same networks to resume with, got other values: "
            + ", ".join(fixed)
            + ". Pass the run's own values, or start a new run with another name."
        )
    quiet = (
        *("name", "out_dir", "*.out_dir", "resume"),
        *("callbacks.checkpoints.every", "callbacks.checkpoints.on_nan"),  # said by their own keys
    )
    decay = now.get("model.lr_decay")  # then the last epoch decides on the rate
    harmless = tuple(key for key in HARMLESS if not (decay and key == "trainer.max_epochs"))
    return [
        f"Changed since the run began, {line}"
        if _matches(key, harmless)
        else f"WARNING: changed since the run began, {line}: not what an unbroken run would do"
        for key, line in changed.items()
        if not _matches(key, quiet)
    ]


def _saved_config(checkpoint: Path) -> dict[str, Any]:
    """The flat configuration of a checkpoint's run; a ValueError says why it is not known."""
    import yaml  # late: heavy for --help

    saved = checkpoint.parent.parent / "config.yaml"
    if not saved.is_file():
        raise ValueError(f"{saved}: not there")
    try:
        return _flat(yaml.safe_load(saved.read_text()))
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError) as error:
        raise ValueError(f"{saved}: cannot be read ({error})") from error


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(key, pattern) for pattern in patterns)


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested keys to dotted ones; tuples as YAML keeps them."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return flat

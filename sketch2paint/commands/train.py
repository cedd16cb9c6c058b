"""Train a generator: python train.py [data=pairs data.root=DIR] [trainer.gpus=1] [key=value ...]"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated, Any, Literal

from sketch2paint.arguments import DataKeys, Name, Names, folder_below
from sketch2paint.shell import command, override
from sketch2paint.training.resume import (
    Resumed,
    checkpoint_to_resume,
    compare_configs,
    is_first_process,
    kept_memory_format,
    own_values,
)
from sketch2paint.verb import build, verb, working

RunName = Annotated[str, Names(below=True)]
CallbackKeys = Annotated[dict[str, Any], Names(("samples.out_dir", "checkpoints.out_dir"))]
LoggerKeys = Annotated[dict[str, Any], Names(("save_dir",))]


def train(
    data: DataKeys,
    model: dict[str, Any],
    trainer: dict[str, Any],
    callbacks: CallbackKeys,
    name: RunName | int,
    out_dir: Name,
    seed: int,
    resume: bool | Name,
    init_from: Name | None,
    checkpoint_every: str | None,
    on_nan: Literal["stop", "restore"],
    logger: LoggerKeys | None = None,
) -> int:
    """Train, or go on with, one run; every key is described in conf/train.yaml."""
    config = dict(locals())
    _check_keys(name, seed, callbacks)
    _check_folder(Path(out_dir))
    first = is_first_process()
    with open(os.devnull, "w") as nowhere, redirect_stdout(sys.stdout if first else nowhere):
        resumed = checkpoint_to_resume(Path(out_dir), resume)
        if resumed and trainer.get("memory_format") == "auto":
            trainer["memory_format"] = kept_memory_format(resumed.path)
        for line in compare_configs(resumed.path, config) if resumed else []:
            print(line, flush=True)
        return _train(config, resumed, first)


def _check_keys(name: str | int, seed: int, callbacks: dict[str, Any]) -> None:
    folder_below("name", str(name))
    if not 0 <= seed < 2**32:
        raise ValueError(f"Expected `seed` to be from 0 to {2**32 - 1}, got {seed}.")
    for key, callback in callbacks.items():
        if not isinstance(callback, dict | None):
            raise ValueError(
                f"Expected `callbacks.{key}` to be null or a mapping with a _target_, got "
                f"{callback!r}. Type callbacks.{key}=null to be without."
            )


def _check_folder(out_dir: Path) -> None:
    """See that the run folder can be made, before hours are spent on what goes into it."""
    there = next(folder for folder in (out_dir, *out_dir.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise NotADirectoryError(
            f"{out_dir}: cannot be a folder, as {there} is a file. Type out_dir=FOLDER for another."
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(
            f"{out_dir}: cannot be made, as nothing can be written into {there}. "
            "Type out_dir=FOLDER for another."
        )


def _train(config: dict[str, Any], resumed: Resumed | None, first: bool) -> int:
    out_dir, epochs = config["out_dir"], config["trainer"]["max_epochs"]
    going_on = ""
    if resumed:
        going_on = f", resuming from {resumed.path} ({resumed.pairs_seen} pairs seen)"
    if resumed and isinstance(epochs, int) and 0 <= epochs <= resumed.epochs:
        print(f"Run folder: {out_dir}{going_on}")
        print(f"Nothing was left to do. To train on, pass trainer.max_epochs above {epochs}.")
        return 0
    engine, network, pairs = _build(config, resumed)
    print(f"Run folder: {out_dir}{going_on}", flush=True)
    if first:
        _begin(config, engine, pairs)
    if signum := _fit(engine, network, pairs, resumed, config):
        run = override("name", config["name"])
        run = run if out_dir == f"runs/{config['name']}" else override("out_dir", out_dir)
        print(f"Stopped in order. To go on: the same command with {run} resume=true")
        return 128 + signum if first else 0  # Lightning kills all if one of its own fails
    shaded = "region_network=shipped " if config["data"].get("flats") else ""
    print(
        f"Done. Pictures: {out_dir}/samples. Curves: tensorboard --logdir {shlex.quote(out_dir)}\n"
        f"Colour sketches: {command('predict')} {override('checkpoint', out_dir)} {shaded}"
        "input=DIR output=OUT"
    )
    return 0


def _build(config: dict[str, Any], resumed: Resumed | None) -> tuple[Any, Any, Any]:
    """Make Lightning's trainer, the module and the data: all that can be wrong with the keys."""
    import pytorch_lightning as pl  # heavy: not before it is needed

    from sketch2paint.training.trainer import memory_format_of

    pl.seed_everything(config["seed"], workers=True, verbose=False)
    callbacks = [build(callback) for callback in config["callbacks"].values() if callback]
    pairs = build(config["data"])
    planes = [list(plane) for plane in pairs.planes]  # the generator is given what they serve
    network = build(config["model"], planes=planes, style=list(pairs.style))
    network.check_data(pairs.planes, pairs.style)
    # The data serve what it is given.
    pairs.words, pairs.palettes = network.words, network.palettes
    if config["init_from"] and not resumed:
        network.start_from(network.read_weights(config["init_from"]))
    logger = build(config["logger"])
    engine = build(config["trainer"], callbacks=callbacks, logger=logger)
    config["trainer"]["memory_format"] = memory_format_of(engine)  # not auto: a resume keeps it
    return engine, network, pairs


def _begin(config: dict[str, Any], engine: Any, pairs: Any) -> None:
    """Look at the pictures, then write the configuration: bad ones leave nothing behind."""
    import yaml

    from sketch2paint.files import written_beside

    pairs.prepare_data()
    pairs.setup("fit")
    text = yaml.safe_dump(config, sort_keys=False)
    with written_beside(Path(config["out_dir"], "config.yaml")) as beside:
        beside.write_text(text)
    if engine.logger is not None:
        engine.logger.experiment.add_text("config", f"```yaml\n{text}\n```")


@working()
def _fit(
    engine: Any, network: Any, pairs: Any, resumed: Resumed | None, config: dict[str, Any]
) -> int:
    """Train; returns the signal that stopped the run in order, or 0."""
    from sketch2paint.training.checkpoints import Interrupted
    from sketch2paint.training.trainer import is_lost_process

    try:
        checkpoint = resumed.path if resumed else None
        engine.fit(network, pairs, ckpt_path=checkpoint, weights_only=True)
    except Interrupted as stop:
        return stop.signum
    except RuntimeError as error:
        if not is_lost_process(error):
            raise
        raise ConnectionError(
            f"{config['out_dir']}: another process of this run is gone, or was silent for "
            f"trainer.timeout={config['trainer']['timeout']} seconds "
            f"({str(error).split('] ')[-1]}). The last checkpoint is whole: start all processes "
            "again with resume=true."
        ) from error
    return 0


main = verb(train, own=own_values)

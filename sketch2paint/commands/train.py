"""Train a generator: python train.py [data=pairs data.root=DIR] [trainer.gpus=1] [key=value ...]"""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from sketch2paint.shell import command, override
from sketch2paint.training.resume import (
    Resumed,
    checkpoint_to_resume,
    compare_configs,
    is_first_process,
)
from sketch2paint.verb import verb


def train(
    data: dict[str, Any],
    model: dict[str, Any],
    trainer: dict[str, Any],
    callbacks: dict[str, Any],
    name: str | int,
    out_dir: str,
    seed: int,
    resume: bool | str,
    init_from: str | None,
    checkpoint_every: str | None,
    on_nan: str,
    logger: dict[str, Any] | None = None,
) -> int:
    """Train, or go on with, one run; every key is described in conf/train.yaml."""
    config = dict(locals())
    first = is_first_process()
    with open(os.devnull, "w") as nowhere, redirect_stdout(sys.stdout if first else nowhere):
        resumed = checkpoint_to_resume(Path(out_dir), resume)
        for line in compare_configs(resumed.path, config) if resumed else []:
            print(line, flush=True)
        return _train(config, resumed, first)


def _train(config: dict[str, Any], resumed: Resumed | None, first: bool) -> int:
    out_dir, epochs = config["out_dir"], config["trainer"]["max_epochs"]
    if resumed:
        going_on = f", resuming from {resumed.path} ({resumed.pairs_seen} pairs seen)"
    else:
        going_on = ""
    print(f"Run folder: {out_dir}{going_on}")
    if resumed and isinstance(epochs, int) and 0 <= epochs <= resumed.epochs:
        print(f"Nothing was left to do. To train on, pass trainer.max_epochs above {epochs}.")
        return 0
    engine, network, pairs = _build(config, resumed, first)
    if signum := _fit(engine, network, pairs, resumed, config):
        run = override("name", config["name"])
        run = run if out_dir == f"runs/{config['name']}" else override("out_dir", out_dir)
        print(f"Stopped in order. To go on: the same command with {run} resume=true")
        return 128 + signum if first else 0  # Lightning kills all if one of its own fails
    print(
        f"Done. Pictures: {out_dir}/samples. Curves: tensorboard --logdir {shlex.quote(out_dir)}\n"
        f"Colour sketches: {command('predict')} {override('checkpoint', out_dir)} "
        "input=DIR output=OUT"
    )
    return 0


def _build(config: dict[str, Any], resumed: Resumed | None, first: bool) -> tuple[Any, Any, Any]:
    """Make Lightning's trainer, the module and the data; the configuration is written."""
    import pytorch_lightning as pl  # heavy: not before it is needed
    import yaml
    from hydra.utils import instantiate

    from sketch2paint.files import written_beside
    from sketch2paint.models.weights import load_generator

    pl.seed_everything(config["seed"], workers=True, verbose=False)
    callbacks = [instantiate(callback) for callback in config["callbacks"].values() if callback]
    pairs = instantiate(config["data"], _convert_="all")
    if first:
        pairs.prepare_data()
        pairs.setup("fit")  # bad data is told before anything is written
    planes = [list(plane) for plane in pairs.planes]  # the generator is given what they serve
    network = instantiate(config["model"], planes=planes, _convert_="all")
    network.check_data(pairs.planes, pairs.style_channels)
    if config["init_from"] and not resumed:
        network.start_from(load_generator(config["init_from"])[0])
    logger = instantiate(config["logger"])
    engine = instantiate(config["trainer"], callbacks=callbacks, logger=logger, _convert_="all")
    if first:
        text = yaml.safe_dump(config, sort_keys=False)
        with written_beside(Path(config["out_dir"], "config.yaml")) as beside:
            beside.write_text(text)
        if engine.logger is not None:
            engine.logger.experiment.add_text("config", f"```yaml\n{text}\n```")
    return engine, network, pairs


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


main = verb(train)

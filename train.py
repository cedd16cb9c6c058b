"""Train a generator: python train.py [data=pairs data.root=DIR] [trainer.gpus=1] [key=value ...]"""

from __future__ import annotations

import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from sketch2paint.resume import checkpoint_to_resume, compare_configs, is_first_process
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
        checkpoint = checkpoint_to_resume(Path(out_dir), resume)
        if checkpoint:
            print(*compare_configs(checkpoint, config), sep="\n", flush=True)
        return _train(config, checkpoint, first)


def _train(config: dict[str, Any], checkpoint: Path | None, first: bool) -> int:
    import pytorch_lightning as pl  # heavy: not before it is needed
    import yaml
    from hydra.utils import instantiate

    from sketch2paint.checkpoints import Interrupted
    from sketch2paint.files import written_beside
    from sketch2paint.trainer import is_lost_process
    from sketch2paint.weights import load_generator, read_checkpoint

    pl.seed_everything(config["seed"], workers=True, verbose=False)
    callbacks = [instantiate(callback) for callback in config["callbacks"].values() if callback]
    pairs = instantiate(config["data"], _convert_="all")
    if first:
        pairs.prepare_data()
        pairs.setup("fit")  # bad data is told before anything is written
    network = instantiate(config["model"], _convert_="all")
    if config["init_from"] and not checkpoint:
        network.start_from(load_generator(config["init_from"])[0])
    logger = instantiate(config["logger"])
    engine = instantiate(config["trainer"], callbacks=callbacks, logger=logger, _convert_="all")
    out_dir, name = config["out_dir"], config["name"]
    if first:
        text = yaml.safe_dump(config, sort_keys=False)
        with written_beside(Path(out_dir, "config.yaml")) as beside:
            beside.write_text(text)
        if engine.logger is not None:
            engine.logger.experiment.add_text("config", f"```yaml\n{text}\n```")
    seen = read_checkpoint(checkpoint).get("pairs_seen") if checkpoint else 0
    resumed = f", resuming from {checkpoint} ({seen} pairs seen)" if checkpoint else ""
    print(f"Run folder: {out_dir}{resumed}")
    decay, epochs = network.lr_decay_epochs, engine.max_epochs or 0
    if decay >= epochs:
        print(
            f"Note: model.lr_decay_epochs={decay} is not less than trainer.max_epochs={epochs}: "
            f"the learning rate begins at {epochs / (decay + 1):.2g} of model.lr."
        )
    try:
        engine.fit(network, pairs, ckpt_path=checkpoint, weights_only=True)
    except Interrupted as stop:
        run = f"name={name}" if out_dir == f"runs/{name}" else f"out_dir={out_dir}"
        print(f"Stopped in order. To go on: the same command with {run} resume=true")
        return 128 + stop.signum if first else 0  # Lightning kills all if one of its own fails
    except RuntimeError as error:
        if not is_lost_process(error):
            raise
        raise ConnectionError(
            f"{out_dir}: another process of this run is gone, or was silent for trainer.timeout="
            f"{config['trainer']['timeout']} seconds ({str(error).split('] ')[-1]}). The last "
            "checkpoint is whole: start all processes again with resume=true."
        ) from error
    if network.pairs_seen == seen:
        print(f"Nothing was left to do. To train on, pass trainer.max_epochs above {epochs}.")
    print(
        f"Done. Pictures: {out_dir}/samples. Curves: tensorboard --logdir {out_dir}\n"
        f"Colour sketches: python predict.py checkpoint={out_dir} input=DIR output=OUT"
    )
    return 0


if __name__ == "__main__":
    verb(train)()

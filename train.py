"""Train a generator: python train.py [data=pairs data.root=DIR] [trainer.gpus=1] [key=value ...]"""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    logger: dict[str, Any] | None = None,
) -> int:
    """Train, or go on with, one run; every key is described in conf/train.yaml."""
    config = dict(locals())
    checkpoint = checkpoint_to_resume(Path(out_dir), resume)

    import pytorch_lightning as pl  # heavy: not before it is needed
    import yaml
    from hydra.utils import instantiate

    from sketch2paint.checkpoints import Interrupted
    from sketch2paint.files import written_beside
    from sketch2paint.weights import load_generator, read_checkpoint

    pl.seed_everything(seed, workers=True, verbose=False)
    pairs = instantiate(data, _convert_="all")
    pairs.prepare_data()
    pairs.setup("fit")  # bad data is told before anything is written
    network = instantiate(model, _convert_="all")
    if isinstance(resume, str):
        read_checkpoint(resume)  # a foreign file is told by name
    if init_from and not checkpoint:
        network.start_from(load_generator(init_from)[0])
    engine = instantiate(
        trainer,
        callbacks=[instantiate(callback) for callback in callbacks.values() if callback],
        logger=instantiate(logger),
        _convert_="all",
    )
    text = yaml.safe_dump(config, sort_keys=False)
    with written_beside(Path(out_dir, "config.yaml")) as beside:
        beside.write_text(text)
    if engine.logger is not None:
        engine.logger.experiment.add_text("config", f"```yaml\n{text}\n```")
    print(f"Run folder: {out_dir}" + (f", resuming from {checkpoint}" if checkpoint else ""))
    try:
        engine.fit(network, pairs, ckpt_path=checkpoint, weights_only=True)
    except Interrupted as stop:
        run = f"name={name}" if out_dir == f"runs/{name}" else f"out_dir={out_dir}"
        print(f"Stopped in order. To go on: the same command with {run} resume=true")
        return 128 + stop.signum
    print(
        f"Done. Pictures: {out_dir}/samples. Curves: tensorboard --logdir {out_dir}\n"
        f"Colour sketches: python predict.py checkpoint={out_dir} input=DIR output=OUT"
    )
    return 0


def checkpoint_to_resume(out_dir: Path, resume: bool | str) -> Path | None:
    """Find the checkpoint to go on from, and refuse to write into another run's folder."""
    last = out_dir / "checkpoints" / "last.ckpt"
    if isinstance(resume, str):
        if not Path(resume).is_file():
            raise FileNotFoundError(f"{resume}: no such checkpoint. Pass resume=true or a .ckpt.")
        return Path(resume)
    if resume:
        if not last.exists():
            print(f"{last}: no checkpoint yet; starting from the beginning.")
        return last if last.exists() else None
    if (out_dir / "config.yaml").exists():
        raise FileExistsError(
            f"{out_dir} holds a run already. To go on with it pass resume=true; "
            "to start another one pass another name=NAME."
        )
    return None


if __name__ == "__main__":
    verb(train)()

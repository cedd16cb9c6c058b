"""A whole tiny training run, for the tests of what a run leaves behind."""

import csv

import torch
from pytorch_lightning.loggers import TensorBoardLogger
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.images.look import NAMES
from sketch2paint.training.callbacks import SampleGrids
from sketch2paint.training.checkpoints import Checkpoints
from sketch2paint.training.pix2pix import Pix2Pix
from sketch2paint.training.trainer import build_trainer


def run(
    pairs_dir,
    out,
    extra=(),
    epochs=2,
    checkpoint=None,
    model=None,
    every=2,
    checkpoints=None,
    batch_size=3,
    memory_format="auto",
    also=(),
    style=False,
    **model_arguments,
):
    """Train a tiny network with all callbacks; returns the trainer and the module."""
    torch.manual_seed(0)
    module = model or Pix2Pix(
        size=32,
        generator={"base_channels": 2, "dropout": 0.5},
        discriminator={"base_channels": 2},
        style=NAMES if style else (),
        **model_arguments,
    )
    keys = {"size": 32, "jitter": 4, "batch_size": batch_size, "num_workers": 0, "also": also}
    data = SketchDataModule(root=str(pairs_dir), style=style, **keys)
    data.words, data.palettes = module.words, module.palettes
    keeper = Checkpoints(str(out), every_n_epochs=2, **(checkpoints or {}))
    callbacks = [SampleGrids(str(out), rows=3), keeper, *extra]
    trainer = build_trainer(
        out_dir=str(out),
        callbacks=callbacks,
        logger=TensorBoardLogger(str(out), name="", version="tensorboard"),
        gpus=0,
        memory_format=memory_format,
        max_epochs=epochs,
        log_every_n_steps=every,
        progress_bar=False,
    )
    trainer.fit(module, data, ckpt_path=checkpoint, weights_only=True)
    return trainer, module


def rows(out):
    with open(out / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def scalars(out):
    """What TensorBoard would show of a run."""
    events = EventAccumulator(str(out / "tensorboard"), size_guidance={"scalars": 0})
    events.Reload()
    return events

"""From a few words (gpus, precision, strategy) to Lightning's Trainer."""

from __future__ import annotations

import logging
import sys
import warnings
from datetime import timedelta
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, TQDMProgressBar
from pytorch_lightning.strategies import DDPStrategy, Strategy

from sketch2paint.arguments import one_of
from sketch2paint.device import (
    MemoryFormat,
    keep_memory,
    training_memory_format,
    training_precision,
)
from sketch2paint.training.callbacks import CompiledNetworks, LaidOut
from sketch2paint.training.checkpoints import SyncedCheckpointIO
from sketch2paint.training.learner import as_learner
from sketch2paint.training.losslog import LossLog

Chosen = Literal["auto", "channels_last", "contiguous"]
LONGEST = 365 * 24 * 3600  # seconds to wait for other processes


class TwoNetworksStrategy(DDPStrategy):
    """`ddp` for two optimizers: each network is synchronised in its own backward pass.

    Lightning puts the whole module into one DistributedDataParallel, which expects a gradient of
    both networks in every backward pass: it fails, or (find_unused_parameters) sends zeros for the
    other network. With one for each, a gradient crosses once a step.
    """

    def configure_ddp(self) -> None:
        """Wrap the networks; Lightning itself runs the bare module."""
        model = as_learner(self.lightning_module)  # type: ignore[arg-type]
        model.parallel = tuple(self._setup_model(network) for network in model.networks)

    def teardown(self) -> None:
        """Leave nothing that a next run in this process would stumble over."""
        if self.lightning_module is not None:
            as_learner(self.lightning_module).parallel = None
        super().teardown()
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


def build_trainer(
    *,
    out_dir: str,
    callbacks: list[Callback],
    logger: Any,
    gpus: int | str = "auto",
    accelerator: str = "auto",
    precision: str | int = "auto",
    memory_format: Chosen = "auto",
    compile: bool = False,
    strategy: str = "auto",
    num_nodes: int = 1,
    timeout: float = 1800.0,
    max_epochs: int = 100,
    check_val_every_n_epoch: int = 1,
    limit_train_batches: int | float = 1.0,
    limit_val_batches: int | float = 1.0,
    log_every_n_steps: int = 50,
    progress_bar: bool | None = None,
    deterministic: bool = False,
) -> pl.Trainer:
    """Build the Trainer.

    Args:
        out_dir: Folder of the run.
        callbacks: Callbacks of the training.
        logger: Lightning logger, or None.
        gpus: Number of GPUs, or auto (one if there is one, else the CPU).
        accelerator: Lightning's name of one (`mps`), which then decides, or auto; with cpu,
            `gpus` is the number of processes.
        precision: Lightning's name of one, or auto, which is bf16-mixed on GPUs and CPUs that have
            it, 16-mixed on older GPUs with tensor cores, 32-true elsewhere.
        memory_format: Order of weights and pictures in memory: channels_last | contiguous, or auto,
            which is what measures best for this device in this precision.
        compile: Whether torch.compile translates the networks; where that does not work, a line
            says so.
        strategy: Lightning's name of one; auto and ddp with several processes are
            TwoNetworksStrategy.
        num_nodes: Number of machines.
        timeout: Seconds that a process waits for the others before the run ends.
        max_epochs: Number of passes over the training pairs.
        check_val_every_n_epoch: Epochs between validations.
        limit_train_batches: Number of batches in an epoch (int), or their share (float).
        limit_val_batches: The same for validation.
        log_every_n_steps: Number of steps averaged into a line of text and of metrics.csv.
        progress_bar: Whether there is one; None: where the output is a terminal.
        deterministic: Whether only deterministic algorithms are taken.

    Raises:
        ValueError: more GPUs asked for than there are, or a parameter is out of its range.
    """
    one_of("trainer.memory_format", memory_format, Chosen)
    if check_val_every_n_epoch < 1:
        raise ValueError(
            "Expected `trainer.check_val_every_n_epoch` to be at least 1, got "
            f"{check_val_every_n_epoch}."
        )
    accelerator, devices = choose_devices(gpus, accelerator)
    bar = sys.stderr.isatty() if progress_bar is None else progress_bar
    if precision == "auto":
        precision = training_precision(accelerator)
    laid_out = LaidOut(choose_memory_format(memory_format, accelerator, str(precision)))
    callbacks = [*callbacks, laid_out, LossLog(out_dir, log_every_n_steps)]
    if compile:
        callbacks.append(CompiledNetworks())
    if bar:
        # Showing losses waits for the step, which on a GPU holds up the next.
        callbacks.append(TQDMProgressBar(refresh_rate=1 if accelerator == "cpu" else 20))
    _quieten()
    if accelerator == "cpu":
        keep_memory()
    processes = devices * num_nodes
    print(f"Device: {accelerator} x {processes}, precision {precision}")
    return pl.Trainer(
        default_root_dir=out_dir,
        callbacks=callbacks,
        logger=logger or False,
        accelerator=accelerator,
        devices=devices,
        precision=precision,  # type: ignore[arg-type]
        strategy=choose_strategy(strategy, processes, timeout),
        plugins=SyncedCheckpointIO(),
        sync_batchnorm=processes > 1 and accelerator != "cpu",  # torch's needs CUDA
        num_nodes=num_nodes,
        max_epochs=max_epochs,
        check_val_every_n_epoch=check_val_every_n_epoch,
        limit_train_batches=limit_train_batches,
        limit_val_batches=limit_val_batches,
        enable_progress_bar=bar,
        enable_model_summary=False,
        enable_checkpointing=True,
        deterministic=deterministic,
        benchmark=not deterministic,  # cuDNN tries its algorithms: all batches have one size
        log_every_n_steps=0,  # the callback LossLog writes every step, without holding it up
        num_sanity_val_steps=0,
        use_distributed_sampler=False,  # data.EpochSampler shares the samples out itself
    )


def _quieten() -> None:
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)  # its tips and greetings
    # Right for other projects, wrong here: the sampler knows where it was (data.EpochSampler), and
    # the number of workers is chosen from the cores.
    warnings.filterwarnings("ignore", message="You're resuming from a checkpoint that ended before")
    warnings.filterwarnings("ignore", message=".*does not have many workers")
    warnings.filterwarnings("ignore", message="Grad strides do not match")  # one-channel weights
    warnings.filterwarnings("ignore", message=".*isinstance.treespec, LeafSpec")  # Lightning's own


def choose_devices(gpus: int | str, accelerator: str = "auto") -> tuple[str, int]:
    """Decide on Lightning's accelerator and the number of devices.

    Raises:
        ValueError: `gpus` is not auto or a number, or there are fewer.
    """
    there = torch.cuda.device_count()
    if gpus == "auto":
        wanted = min(there, 1)
    elif isinstance(gpus, int) and gpus >= 0:
        wanted = gpus
    else:
        raise ValueError(f"Expected `trainer.gpus` to be auto, 0 or a number, got {gpus!r}.")
    if accelerator != "auto":
        return accelerator, max(wanted, 1)
    if wanted > there:
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(there)) or "no CUDA device"
        raise ValueError(
            f"Expected `trainer.gpus` to be at most {there} (there is: {names}), got {wanted}. "
            "Pass trainer.gpus=auto, or trainer.gpus=0 for the CPU."
        )
    return ("gpu", wanted) if wanted else ("cpu", 1)


def choose_memory_format(memory_format: Chosen, accelerator: str, precision: str) -> MemoryFormat:
    """Decide on the order of memory where that is left to us, by the device and the precision."""
    if memory_format == "auto":
        return training_memory_format(accelerator, precision)[0]
    return memory_format


def memory_format_of(trainer: pl.Trainer) -> str:
    """The order of memory that a Trainer of `build_trainer` lays the networks out in."""
    found = [c for c in trainer.callbacks if isinstance(c, LaidOut)]  # type: ignore[attr-defined]
    return found[0].memory_format


def choose_strategy(strategy: str, processes: int, timeout: float) -> str | Strategy:
    """Give `ddp`, which cannot serve two optimizers, a strategy that can."""
    if not timeout > 0:  # nor NaN
        raise ValueError(f"Expected `trainer.timeout` above 0 seconds, got {timeout}.")
    if timeout > LONGEST:
        raise ValueError(
            f"Expected `trainer.timeout` to be at most {LONGEST} seconds, a year, got {timeout}."
        )
    if strategy == "ddp" or (strategy == "auto" and processes > 1):
        return TwoNetworksStrategy(timeout=timedelta(seconds=timeout))
    return strategy


def is_lost_process(error: RuntimeError) -> bool:
    """Whether an error says that another process of the run is gone, or silent for too long."""
    if isinstance(error, torch.distributed.DistError):
        return True
    return any(words in str(error) for words in ("gloo", "pair closure"))  # some lack the name

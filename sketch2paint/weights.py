"""The self-describing weight file: data, never code, and no config needed to read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sketch2paint.files import written_beside
from sketch2paint.networks import UNetGenerator

FORMAT = "sketch2paint generator"
VERSION = 1


def describe(generator: dict[str, Any], task: str) -> dict[str, Any]:
    """What a weight file says of itself.

    Args:
        generator: the plain keyword arguments of its UNetGenerator.
        task: what goes in and comes out; `sketch`: grey line art to RGB.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "task": task,
        "value_range": [-1, 1],
        "generator": generator,
    }


def save_generator(path: Path | str, state: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write a generator's state dict and its description as one .safetensors file."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    with written_beside(path) as beside:
        save_file(tensors, beside, metadata={"sketch2paint": json.dumps(about)})


def load_generator(path: Path | str) -> tuple[UNetGenerator, dict[str, Any]]:
    """Read a generator from a run folder, a .safetensors file or a Lightning .ckpt.

    Nothing in the file is executed: safetensors, or torch.load with weights_only=True.

    Returns:
        The generator in eval mode on the CPU, and its description (see `describe`).

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        ValueError: the file is damaged or of another kind.
    """
    path = weight_file(path)
    state, about = _read_safetensors(path) if path.suffix == ".safetensors" else _read_ckpt(path)
    if not isinstance(about, dict):
        raise ValueError(f"{path}: expected a description of the weights, got {about!r}.")
    if about.get("format") != FORMAT or about.get("version") != VERSION:
        raise ValueError(
            f"{path}: expected {FORMAT!r} version {VERSION}, got {about.get('format')!r} "
            f"version {about.get('version')!r}. Read it with the release that wrote it."
        )
    try:
        generator = UNetGenerator(**about["generator"])
        generator.load_state_dict(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: weights and description disagree: {error}") from error
    return generator.eval(), about


def weight_file(path: Path | str) -> Path:
    """Find the weight file that a run folder, or a path to a file, stands for."""
    path = Path(path)
    if path.is_dir():
        candidates = (path / "weights/generator.safetensors", path / "checkpoints/last.ckpt")
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(
            f"{path}: expected a run folder with weights/generator.safetensors or "
            "checkpoints/last.ckpt, found neither. Pass a run that has finished an epoch."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file. Pass a run folder, a .ckpt or a .safetensors."
        )
    return path


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("sketch2paint", "{}"))
            return {key: file.get_tensor(key) for key in file.keys()}, about  # noqa: SIM118
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: expected a .safetensors file, got: {error}") from error


def _read_ckpt(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    checkpoint = read_checkpoint(path)
    about = checkpoint.get("about")
    if not isinstance(about, dict) or "weights" not in about:
        raise ValueError(f"{path}: expected a checkpoint written by train.py, got another one.")
    prefix = about["weights"] + "."
    state = checkpoint["state_dict"]
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}, about


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """Read a Lightning checkpoint as plain data, with weights_only=True.

    Raises:
        ValueError: the file is damaged, or holds more than plain data.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes the unpickler raises nearly anything
        raise ValueError(
            f"{path}: expected a checkpoint that holds plain data only; this is none, or damaged, "
            f"or it holds code, which is not run ({type(error).__name__})."
        ) from error
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise ValueError(f"{path}: expected a Lightning checkpoint with a state_dict.")
    return checkpoint

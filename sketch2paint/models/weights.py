"""The weight file, data and never code: written, and read with all that it declares checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sketch2paint.files import written_beside
from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.description import (
    check_description,
    compare,
    declared,
    kind_of,
    parse_description,
    same,
)
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.region_network import RegionNetwork

CONTIGUOUS = torch.contiguous_format
EXPORTED = (".onnx", ".pt", ".pt2")
GENERATOR, REGION_NETWORK = "weights/generator.safetensors", "weights/regions.safetensors"
Network = UNetGenerator | RegionNetwork
Read = tuple[Network, dict[str, Any], dict[str, Tensor]]  # without memory; with weights


def save_generator(path: Path | str, state: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write a network's state dict, its description and a checksum as one .safetensors file."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    text = json.dumps(about)
    metadata = {"sketch2paint": text, "sha256": _checksum(tensors, text)}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, metadata))  # a full disk is Python's error then


def load_generator(
    path: Path | str, task: str | None = None
) -> tuple[UNetGenerator, dict[str, Any]]:
    """Read a generator from a run folder, a .safetensors file or a Lightning .ckpt.

    Nothing in the file is executed, and no memory is taken for sizes that it only declares.

    Args:
        path: Folder or file; it may come from a stranger.
        task: sketch | photo, if only weights for it will do.

    Returns:
        The generator in eval mode on the CPU, and its description (see `describe`).

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        ValueError: the file is damaged, of another kind or task, or its weights are not finite.
    """
    network, about = _load(path, task)
    if not isinstance(network, UNetGenerator):
        raise ValueError(
            f"{path}: expected weights of a generator, got those of a region network, which gives "
            "each region a colour. Pass a generator's run or file."
        )
    return network, about


def load_region_network(path: Path | str) -> tuple[RegionNetwork, dict[str, Any]]:
    """Read a region network, its colours included, from what `load_generator` reads one from.

    Returns:
        The network in eval mode on the CPU, and its description (see `describe_regions`).

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        ValueError: the file is damaged or of another kind, or its weights are not finite.
    """
    network, about = _load(path, "sketch")
    if not isinstance(network, RegionNetwork):
        raise ValueError(
            f"{path}: expected weights of a region network, got those of a generator. Pass a run "
            "of model=regions, or its weights."
        )
    return network, about


def _load(path: Path | str, task: str | None) -> tuple[Network, dict[str, Any]]:
    """Read a network of either kind."""
    path = weight_file(path)
    if path.suffix in EXPORTED:
        raise ValueError(
            f"{path}: expected weights, got an exported file, which can only be run. "
            "Pass the run folder, .ckpt or .safetensors it was made from."
        )
    read = _read_safetensors if path.suffix == ".safetensors" else _read_ckpt
    network, about, state = read(path, task)
    for key, tensor in state.items():
        low, high = torch.aminmax(tensor)
        if not (low > -torch.inf and high < torch.inf):  # NaN fails both
            raise ValueError(
                f"{path}: expected finite weights, got NaN or infinity in {key}. "
                "The training went wrong; pass an earlier checkpoint."
            )
    # Copies: the file may change beneath what is read from it, and a stranger's tensors may be one.
    own = {key: tensor.detach().clone(memory_format=CONTIGUOUS) for key, tensor in state.items()}
    network.load_state_dict(own, assign=True)
    return network.eval(), about


def told_format(path: Path | str) -> str | None:
    """What a weight file says that it is, unchecked; None where it says nothing readable.

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
    """
    path = weight_file(path)
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                about = json.loads((file.metadata() or {}).get("sketch2paint", "{}"))
        else:
            about = read_checkpoint(path).get("about") if path.suffix == ".ckpt" else None
    except (SafetensorError, ValueError, RecursionError):
        return None
    told = about.get("format") if isinstance(about, dict) else None
    return told if isinstance(told, str) else None


def weight_file(path: Path | str) -> Path:
    """Find the weight file that a run folder, or a path to a file, stands for."""
    path = Path(path)
    if path.is_dir():
        candidates = [path / name for name in (GENERATOR, REGION_NETWORK, "checkpoints/last.ckpt")]
        for candidate in candidates:
            if candidate.is_file():
                return candidate
        raise FileNotFoundError(
            f"{path}: expected a run folder with weights/generator.safetensors or "
            "checkpoints/last.ckpt, found neither. Pass a run that has finished an epoch."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file. Pass a run folder, .ckpt, .safetensors or .onnx."
        )
    return path


def _read_safetensors(path: Path, task: str | None) -> Read:
    names = {"F32": "float32", "I64": "int64"}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            about = parse_description(path, metadata.get("sketch2paint", "{}"), task)
            network, expected = declared(path, about)
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
            found = {
                key: f"{names.get(part.get_dtype(), part.get_dtype())} {part.get_shape()}"
                for key, part in slices.items()
            }
            compare(path, expected, found)
            state = {key: file.get_tensor(key) for key in slices}
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a .safetensors file, got: {error}") from error
    # Files of earlier releases have none.
    if metadata.get("sha256", "") not in ("", _checksum(state, metadata["sketch2paint"])):
        raise ValueError(
            f"{path}: damaged: its checksum is another than when it was written. "
            "Copy or download it again."
        )
    return network, about, state


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 of names, types, shapes, bytes and description."""
    sum_ = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        sum_.update(f"{key} {kind_of(tensors[key])}".encode())
        sum_.update(tensors[key].reshape(-1).view(torch.uint8).numpy().data)
    return sum_.hexdigest()


def _read_ckpt(path: Path, task: str | None) -> Read:
    checkpoint = read_checkpoint(path)
    about, state = checkpoint.get("about"), checkpoint["state_dict"]
    kept = about.get("weights") if isinstance(about, dict) else None
    if not any(same(kept, name) for name in ("generator", "network", "ema")) or not isinstance(
        state, dict
    ):
        raise ValueError(f"{path}: expected a checkpoint written by train.py, got another one.")
    about = check_description(path, about, task)
    network, expected = declared(path, about)
    weights = {
        key.removeprefix(f"{kept}."): tensor
        for key, tensor in state.items()
        if isinstance(key, str) and key.startswith(f"{kept}.") and isinstance(tensor, Tensor)
    }
    compare(path, expected, {key: kind_of(tensor) for key, tensor in weights.items()})
    # A tensor of stride 0 may declare any size: the file must have room for all of them.
    if sum(tensor.nbytes for tensor in weights.values()) > path.stat().st_size:
        raise ValueError(f"{path}: damaged: its tensors declare more bytes than the file has.")
    return network, about, weights

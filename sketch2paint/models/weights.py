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
    PartName,
    WeightType,
    check_description,
    compare,
    declared,
    describe_model,
    kind_of,
    networks_told,
    parse_part,
    same,
)
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.region_network import RegionNetwork
from sketch2paint.models.shipped import WAY_BACK, is_shipped, shipped_file

CONTIGUOUS = torch.contiguous_format
EXPORTED = (".onnx", ".pt", ".pt2")
GENERATOR, REGION_NETWORK = "weights/generator.safetensors", "weights/regions.safetensors"
Network = UNetGenerator | RegionNetwork
Read = tuple[Network, dict[str, Any], dict[str, Tensor]]  # without memory; with weights
Described = tuple[Network, dict[str, Any]]


def save_generator(path: Path | str, state: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write a network's state dict, its description and a checksum as one .safetensors file."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    text = json.dumps(about)
    metadata = {"sketch2paint": text, "sha256": _checksum(tensors, text)}
    with written_beside(path) as beside:
        beside.write_bytes(save(tensors, metadata))  # a full disk is Python's error then


def save_model(
    path: Path | str,
    networks: Mapping[PartName, Described],
    *,
    dtype: WeightType = "float16",
    name: str = "",
    licence: str = "",
    attribution: str = "",
) -> None:
    """Write a generator, a region network or both, as one .safetensors file.

    Args:
        path: File; an older one is replaced.
        networks: Networks and their descriptions.
        dtype: Type of the weights in the file; they are read as float32.
        name, licence, attribution: As for `describe_model`.

    Raises:
        ValueError: a weight is larger than float16 has room for.
    """
    own = getattr(torch, dtype)
    tensors = {
        f"{part}.{key}": value.to(own) if value.is_floating_point() else value
        for part, (network, _) in networks.items()
        for key, value in network.state_dict().items()
    }
    for key, value in tensors.items():
        if not value.isfinite().all():
            raise ValueError(
                f"{path}: expected weights of at most 65504 for float16, got larger ones in {key}. "
                "Pass dtype=float32."
            )
    parts = {part: about for part, (_, about) in networks.items()}
    told = {"name": name, "licence": licence, "attribution": attribution}
    save_generator(path, tensors, describe_model(parts, dtype=dtype, **told))


def load_generator(
    path: Path | str, task: str | None = None
) -> tuple[UNetGenerator, dict[str, Any]]:
    """Read a generator from a run folder, a .safetensors file, a Lightning .ckpt, or `shipped`.

    Nothing in the file is executed, and no memory is taken for sizes that it only declares.

    Args:
        path: Folder or file, which may come from a stranger, or the word `shipped` for the model
            that comes with the package.
        task: sketch | photo, if only weights for it will do.

    Returns:
        The generator in eval mode on the CPU, and its description (see `describe`).

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        ValueError: the file is damaged, of another kind or task, or its weights are not finite.
    """
    network, about = _load(path, task, "generator")
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
    network, about = _load(path, "sketch", "region_network")
    if not isinstance(network, RegionNetwork):
        raise ValueError(
            f"{path}: expected weights of a region network, got those of a generator. Pass a run "
            "of model=regions, or its weights."
        )
    return network, about


def _load(path: Path | str, task: str | None, wanted: PartName) -> Described:
    """Read the network that is wanted, or the other kind where a file holds that alone."""
    try:
        return _read(weight_file(path), task, wanted)
    except ValueError as error:
        if not is_shipped(path):
            raise
        raise ValueError(f"{error} {WAY_BACK}") from error


def _read(path: Path, task: str | None, wanted: PartName) -> Described:
    if path.suffix in EXPORTED:
        raise ValueError(
            f"{path}: expected weights, got an exported file, which can only be run. "
            "Pass the run folder, .ckpt or .safetensors it was made from."
        )
    if path.suffix == ".safetensors":
        network, about, state = _read_safetensors(path, task, wanted)
    else:
        network, about, state = _read_ckpt(path, task)
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


def networks_in(path: Path | str) -> frozenset[PartName]:
    """Which networks a weight file says that it holds, unchecked; none if it says nothing readable.

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
        return frozenset()
    return networks_told(about)


def weight_file(path: Path | str) -> Path:
    """Find the weight file that a run folder, a path to a file, or `shipped` stands for."""
    if is_shipped(path):
        return shipped_file()
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


def _read_safetensors(path: Path, task: str | None, wanted: PartName) -> Read:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            text = metadata.get("sketch2paint", "{}")
            about, prefix, dtype = parse_part(path, text, task, wanted)
            network, expected = declared(path, about)
            stored = {key: kind.replace("float32", dtype) for key, kind in expected.items()}
            compare(path, stored, _kinds(file, prefix))
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a .safetensors file, got: {error}") from error
    # Files of earlier releases have none.
    if metadata.get("sha256", "") not in ("", _checksum(state, metadata["sketch2paint"])):
        raise ValueError(
            f"{path}: damaged: its checksum is another than when it was written. "
            "Copy or download it again."
        )
    return network, about, {key: _as_float32(state[f"{prefix}{key}"]) for key in expected}


def _kinds(file: Any, prefix: str) -> dict[str, str]:
    """Type and shape of the tensors of an open .safetensors file whose names begin so."""
    names = {"F32": "float32", "F16": "float16", "I64": "int64"}
    slices = {key: file.get_slice(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    return {
        key.removeprefix(prefix): f"{names.get(part.get_dtype(), part.get_dtype())} "
        f"{part.get_shape()}"
        for key, part in slices.items()
    }


def _as_float32(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


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

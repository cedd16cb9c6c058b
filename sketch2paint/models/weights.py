"""The self-describing weight file: data, never code, and no config needed to read it."""

from __future__ import annotations

import hashlib
import inspect
import json
import pickletools
import reprlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sketch2paint.files import written_beside
from sketch2paint.models.networks import UNetGenerator

FORMAT = "sketch2paint generator"
VERSION = 1
OUT_CHANNELS = {"sketch": 3, "photo": 2}  # of each task: RGB; ab
EXPORTED = (".onnx", ".pt", ".pt2")
# All that the pickle of a checkpoint names: its tensors.
TENSOR_PARTS = {
    "collections OrderedDict",
    "torch Size",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor_v2",
}
Read = tuple[UNetGenerator, dict[str, Any], dict[str, Tensor]]  # without memory; with weights
DTYPES = {name for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
PLAIN_BYTES = 2**22  # of a pickle or a description without the tensors; ours have 0.1 MB


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
    """Write a generator's state dict, its description and a checksum as one .safetensors file."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in state.items()}
    text = json.dumps(about)
    metadata = {"sketch2paint": text, "sha256": _checksum(tensors, text)}
    with written_beside(path) as beside:
        save_file(tensors, beside, metadata=metadata)


def load_generator(
    path: Path | str, task: str | None = None
) -> tuple[UNetGenerator, dict[str, Any]]:
    """Read a generator from a run folder, a .safetensors file or a Lightning .ckpt.

    Nothing in the file is executed, and no memory is taken for sizes that it only declares.

    Args:
        path: the folder or file; it may come from a stranger.
        task: sketch | photo, if only weights for it will do.

    Returns:
        The generator in eval mode on the CPU, and its description (see `describe`).

    Raises:
        FileNotFoundError: there is no such file, or no weights in the folder.
        ValueError: the file is damaged, of another kind or task, or its weights are not finite.
    """
    path = weight_file(path)
    if path.suffix in EXPORTED:
        raise ValueError(
            f"{path}: expected weights, got an exported file, which can only be run. "
            "Pass the run folder, .ckpt or .safetensors it was made from."
        )
    read = _read_safetensors if path.suffix == ".safetensors" else _read_ckpt
    generator, about, state = read(path, task)
    for key, tensor in state.items():
        low, high = torch.aminmax(tensor)
        if not (low > -torch.inf and high < torch.inf):  # NaN fails both
            raise ValueError(
                f"{path}: expected finite weights, got NaN or infinity in {key}. "
                "The training went wrong; pass an earlier checkpoint."
            )
    generator.to_empty(device="cpu").load_state_dict(state)
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
            f"{path}: no such file. Pass a run folder, .ckpt, .safetensors or .onnx."
        )
    return path


def parse_description(path: Path, text: str, task: str | None) -> dict[str, Any]:
    """Read the JSON of a description as `check_description` does."""
    try:
        if len(text) > PLAIN_BYTES:
            raise ValueError(f"{len(text)} characters")
        about = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path}: expected a description of the weights as JSON, got {reprlib.repr(text)} "
            f"({str(error)[:100]}). Pass a file that sketch2paint wrote."
        ) from error
    return check_description(path, about, task)


def check_description(path: Path, about: Any, task: str | None) -> dict[str, Any]:
    """Check all of a description but the generator's arguments.

    Raises:
        ValueError: of another format, version or task than expected.
    """
    if not isinstance(about, dict):
        raise ValueError(
            f"{path}: expected a description of the weights, got {reprlib.repr(about)}."
        )
    kind, version, trained = (about.get(key) for key in ("format", "version", "task"))
    if not (_is(kind, FORMAT) and _is(version, VERSION)):
        raise ValueError(
            f"{path}: expected {FORMAT!r} version {VERSION}, got {reprlib.repr(kind)} "
            f"version {reprlib.repr(version)}. Read it with the release that wrote it."
        )
    wanted = list(OUT_CHANNELS) if task is None else [task]
    if not isinstance(trained, str) or trained not in wanted:
        raise ValueError(
            f"{path}: expected weights for the task {' or '.join(wanted)}, "
            f"got task {reprlib.repr(trained)}. Pass weights that were trained for it."
        )
    if not _is(about.get("value_range"), [-1, 1]):
        given = reprlib.repr(about.get("value_range"))
        raise ValueError(f"{path}: expected `value_range` to be [-1, 1], got {given}.")
    return about


def _is(value: Any, expected: Any) -> bool:
    """Equality of plain data, of nothing that brings its own idea of it."""
    if isinstance(expected, list) and type(value) is list and len(value) == len(expected):
        return all(map(_is, value, expected))
    return not isinstance(expected, list) and type(value) is type(expected) and value == expected


def _declared(path: Path, about: dict[str, Any]) -> tuple[UNetGenerator, dict[str, str]]:
    """The generator without memory, and the type and shape of each of its tensors."""
    arguments = about.get("generator")
    known = list(inspect.signature(UNetGenerator).parameters)
    where = f"{path}: weights and description disagree: `generator`"
    if not isinstance(arguments, dict):
        raise ValueError(f"{where} is {reprlib.repr(arguments)}, expected its arguments.")
    for key in arguments:
        if not isinstance(key, str) or key not in known:
            raise ValueError(f"{where} declares {reprlib.repr(key)}, expected {', '.join(known)}.")
    try:
        with torch.device("meta"):
            generator = UNetGenerator(**arguments)
    except (ValueError, RuntimeError) as error:  # torch's own for sizes beyond 2**63
        raise ValueError(f"{where} cannot be built: {error}") from error
    channels = OUT_CHANNELS[about["task"]]
    if generator.out_channels != channels:
        raise ValueError(
            f"{where} declares `out_channels` {generator.out_channels}, "
            f"expected {channels} for the task {about['task']}."
        )
    return generator, {key: _kind(tensor) for key, tensor in generator.state_dict().items()}


def _kind(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _compare(path: Path, declared: dict[str, str], found: dict[str, str]) -> None:
    differing = [k for k in declared | found if declared.get(k) != found.get(k)]
    if differing:
        key = differing[0]
        raise ValueError(
            f"{path}: weights and description disagree in {len(differing)} tensors: "
            f"{reprlib.repr(key)} is declared as {declared.get(key, 'absent')}, "
            f"in the file it is {found.get(key, 'absent')}. Pass the file as it was written."
        )


def _read_safetensors(path: Path, task: str | None) -> Read:
    names = {"F32": "float32", "I64": "int64"}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            about = parse_description(path, metadata.get("sketch2paint", "{}"), task)
            generator, declared = _declared(path, about)
            slices = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118
            found = {
                key: f"{names.get(part.get_dtype(), part.get_dtype())} {part.get_shape()}"
                for key, part in slices.items()
            }
            _compare(path, declared, found)
            state = {key: file.get_tensor(key) for key in slices}
    except SafetensorError as error:
        raise ValueError(f"{path}: expected a .safetensors file, got: {error}") from error
    # Files of earlier releases have none.
    if metadata.get("sha256", "") not in ("", _checksum(state, metadata["sketch2paint"])):
        raise ValueError(
            f"{path}: damaged: its checksum is another than when it was written. "
            "Copy or download it again."
        )
    return generator, about, state


def _checksum(tensors: Mapping[str, Tensor], text: str) -> str:
    """SHA-256 of names, types, shapes, bytes and description."""
    sum_ = hashlib.sha256(text.encode())
    for key in sorted(tensors):
        sum_.update(f"{key} {_kind(tensors[key])}".encode())
        sum_.update(tensors[key].reshape(-1).view(torch.uint8).numpy().data)
    return sum_.hexdigest()


def _read_ckpt(path: Path, task: str | None) -> Read:
    checkpoint = read_checkpoint(path)
    about, state = checkpoint.get("about"), checkpoint["state_dict"]
    kept = about.get("weights") if isinstance(about, dict) else None
    if not (_is(kept, "generator") or _is(kept, "ema")) or not isinstance(state, dict):
        raise ValueError(f"{path}: expected a checkpoint written by train.py, got another one.")
    about = check_description(path, about, task)
    generator, declared = _declared(path, about)
    weights = {
        key.removeprefix(f"{kept}."): tensor
        for key, tensor in state.items()
        if isinstance(key, str) and key.startswith(f"{kept}.") and isinstance(tensor, Tensor)
    }
    _compare(path, declared, {key: _kind(tensor) for key, tensor in weights.items()})
    # A tensor of stride 0 may declare any size: the file must have room for all of them.
    if sum(tensor.nbytes for tensor in weights.values()) > path.stat().st_size:
        raise ValueError(f"{path}: damaged: its tensors declare more bytes than the file has.")
    return generator, about, weights


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """Read a Lightning checkpoint as plain data: checked first, then loaded with weights_only=True.

    Raises:
        ValueError: the file is damaged, or holds more than plain data.
    """
    with open(path, "rb") as file:
        for content in _pickles(path, file):
            _check_names(path, content)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on foreign bytes the unpickler raises nearly anything
        raise ValueError(
            f"{path}: expected a checkpoint that holds plain data only, got one that cannot be "
            f"read as such ({type(error).__name__})."
        ) from error
    if not isinstance(checkpoint, dict) or "state_dict" not in checkpoint:
        raise ValueError(f"{path}: expected a Lightning checkpoint with a state_dict.")
    return checkpoint


def _pickles(path: Path | str, file: BinaryIO) -> list[bytes]:
    """The pickles of a checkpoint's zip archive, every byte of which agrees with its checksum."""
    try:
        if file.read(4) != b"PK\3\4":  # torch would read anything else as a pickle
            raise zipfile.BadZipFile("it is no zip archive")
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            if any(e.compress_type != zipfile.ZIP_STORED or e.flag_bits & 1 for e in entries):
                raise zipfile.BadZipFile("it is compressed or encrypted")
            if sum(entry.file_size for entry in entries) > file.seek(0, 2):
                raise zipfile.BadZipFile("it declares more bytes than it has")
            for entry in entries:
                with archive.open(entry) as content:
                    while content.read(2**20):  # at its end the CRC is compared
                        pass
            found = [entry for entry in entries if entry.filename.endswith("data.pkl")]
            if not found or sum(entry.file_size for entry in found) > PLAIN_BYTES:
                raise zipfile.BadZipFile("it has no pickle, or a huge one")
            return [archive.read(entry) for entry in found]
    except Exception as error:  # zipfile raises nearly anything on foreign bytes
        raise ValueError(
            f"{path}: damaged: expected a checkpoint as torch.save writes it, an uncompressed zip "
            f"archive, got: {error}. Nothing in it was run. Copy or download it again."
        ) from error


def _check_names(path: Path | str, content: bytes) -> None:
    """See that a pickle names nothing but the parts of tensors, before any of it is called."""
    try:
        named = [
            str(argument or operation.name)
            for operation, argument, _ in pickletools.genops(content)
            if operation.name in ("GLOBAL", "INST", "STACK_GLOBAL")
            or operation.name.startswith("EXT")
        ]
    except Exception as error:
        raise ValueError(f"{path}: damaged: its pickle cannot be read ({error}).") from error
    for name in named:
        module, _, attribute = name.partition(" ")
        storage = attribute.endswith("Storage") or isinstance(
            vars(torch).get(attribute), torch.dtype
        )
        if name not in TENSOR_PARTS and not (module == "torch" and storage):
            raise ValueError(
                f"{path}: expected a checkpoint that holds plain data only, got one that "
                f"holds code, which is not run: {name.replace(' ', '.')[:100]}."
            )

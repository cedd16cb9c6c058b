"""Plain data out of a Lightning checkpoint, which may come from a stranger."""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import torch

from sketch2paint.images.formats import HEAD, LFS_POINTER, is_web_page
from sketch2paint.models.description import PLAIN_BYTES

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # torch.save's mark before 1.6

# All that the pickle of a checkpoint names: its tensors.
TENSOR_PARTS = {
    "collections OrderedDict",
    "torch Size",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor_v2",
}


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
    head = file.read(HEAD)
    file.seek(0)
    if not_it := _other_kind(head):
        raise ValueError(f"{path}: expected a checkpoint, got {not_it}. Nothing in it was run.")
    try:
        if not head.startswith(b"PK\3\4"):  # torch would read anything else as a pickle
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


def _other_kind(head: bytes) -> str | None:
    """What a file is by its first bytes where that is no damage, and the way out."""
    if head.startswith(LFS_POINTER):
        return "a Git LFS pointer, not the checkpoint: `git lfs pull` fetches that"
    if is_web_page(head):
        return "a web page, saved in its place: download the file itself"
    if head.startswith(LEGACY):
        return (
            "one that torch older than 1.6 wrote (or a newer one, told to write as that did): "
            "where you trust it, load it with torch and save it again with torch.save"
        )
    return None


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

"""Checkpoints from strangers: read as data, or refused by what is wrong with them."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Trap, checkpoint, repack

from sketch2paint.models.checkpoint import read_checkpoint
from sketch2paint.models.networks import UNetGenerator
from sketch2paint.models.weights import load_generator


@pytest.mark.parametrize("keep", [0, 4, 1000, -1, -100])
def test_truncated_checkpoint(tmp_path: Path, tiny_generator: UNetGenerator, keep: int) -> None:
    path = tmp_path / "last.ckpt"
    torch.save(checkpoint(tiny_generator), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="damaged: expected a checkpoint as") as info:
        load_generator(path)
    assert str(info.value).startswith(f"{path}: ")
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("content", [b"text, not a checkpoint\n", b"\x89PNG\r\n\x1a\n" * 9])
def test_file_of_another_kind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.ckpt: damaged: .* it is no zip archive"):
        load_generator(tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer, not"),
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page, saved in its place: download"),
    ],
)
def test_what_stands_in_a_checkpoint_s_place_is_named(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.ckpt").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.ckpt: expected a checkpoint, got {said}"):
        load_generator(tmp_path / "a.ckpt")


@pytest.mark.parametrize("content", [[1, 2], {"weights": 3}])
def test_torch_file_that_is_no_checkpoint(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="expected a Lightning checkpoint with a state_dict"):
        read_checkpoint(tmp_path / "a.ckpt")


# ---------------------------------------------------------------- data, never code


@pytest.mark.parametrize("kind", ["bare", "zip", "legacy"])
@pytest.mark.parametrize("trap", ["system", "open", "mkdir"])
def test_code_in_a_checkpoint_is_not_run(
    tmp_path: Path, tiny_generator: UNetGenerator, kind: str, trap: str
) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "evil.ckpt"
    call: tuple[Any, ...] = {
        "system": (os.system, f"touch {sprung}"),
        "open": (open, str(sprung), "w"),
        "mkdir": (Path.mkdir, sprung),
    }[trap]
    content = checkpoint(tiny_generator, trap=Trap(*call))
    if kind == "bare":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind == "zip")

    code = "holds code, which is not run: [a-z_]+.(system|open|getattr)"
    message = {
        "zip": code,
        "bare": "damaged: .* no zip archive. Nothing in it was run",
        "legacy": "expected a checkpoint, got one that torch older than 1.6 .* Nothing in it was",
    }[kind]
    with pytest.raises(ValueError, match=rf"evil\.ckpt: .*{message}"):
        load_generator(path)
    assert not sprung.exists()

    if trap != "open":  # a live one (a file object opened by it warns when it is dropped)
        pickle.loads(path.read_bytes()) if kind == "bare" else torch.load(path, weights_only=False)
        assert sprung.exists()


# ---------------------------------------------------------------- damaged archives


def entries(path: Path) -> list[zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


@pytest.mark.parametrize("zeroed", [True, False], ids=["zeroed", "one bit"])
def test_a_changed_payload_is_seen_in_every_entry(ckpt_path: Path, zeroed: bool) -> None:
    whole = ckpt_path.read_bytes()
    seen = 0
    for entry in entries(ckpt_path):
        name = entry.filename.encode()
        start = whole.index(name, entry.header_offset) + len(name)
        content = bytearray(whole)
        with zipfile.ZipFile(ckpt_path) as archive:
            payload = archive.read(entry.filename)
        start = whole.index(payload, start)
        changed = bytes(len(payload)) if zeroed else bytes([payload[0] ^ 4]) + payload[1:]
        if changed == payload:
            continue  # was zero before
        content[start : start + len(payload)] = changed
        damaged = ckpt_path.with_name("damaged.ckpt")
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match=r"damaged\.ckpt: damaged: .*Bad CRC-32 for file"):
            load_generator(damaged)
        seen += 1
    assert seen > 20


def test_a_compressed_archive_is_not_inflated(ckpt_path: Path) -> None:
    repack(ckpt_path, lambda name, content: content, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="damaged: .* it is compressed or encrypted"):
        load_generator(ckpt_path)


def test_an_archive_whose_entries_share_their_bytes(ckpt_path: Path) -> None:
    with zipfile.ZipFile(ckpt_path, "a") as archive:
        largest = max(archive.infolist(), key=lambda entry: entry.file_size)
        for _ in range(99):
            archive.filelist.append(largest)
        archive._didModify = True  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="damaged: .* it declares more bytes than it has"):
        load_generator(ckpt_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.pkl", b"\x80\x02}q\x00.", "expected a Lightning checkpoint with a state_dict"),
        ("data.pkl", b"\x80\x02\xff", "damaged: its pickle cannot be read"),
        ("data.pkl", b"]" * 2**23, "it has no pickle, or a huge one"),
        ("data.pkl", b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "holds code, .*STACK_GLOBAL"),
        ("data.pkl", b"cbuiltins\nbytearray\n(I99999999999999\ntR.", "builtins.bytearray"),
        ("data/0", b"", r"cannot be read as such \(\w+\)"),
    ],
)
def test_archives_with_other_content(
    ckpt_path: Path, name: str, content: bytes, message: str
) -> None:
    repack(ckpt_path, lambda entry, old: content if entry.endswith("/" + name) else old)
    with pytest.raises(ValueError, match=rf"last\.ckpt: .*{message}"):
        load_generator(ckpt_path)

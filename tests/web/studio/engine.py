"""The studio's engine under node, called function by function."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sketch2paint.web.site import STUDIO

NODE = shutil.which("node")
TYPES = {
    "Uint8Array": np.uint8,
    "Uint8ClampedArray": np.uint8,
    "Uint16Array": np.uint16,
    "Int16Array": np.int16,
    "Int32Array": np.int32,
    "Float32Array": np.float32,
}
NAMES = {np.dtype(kind): name for name, kind in reversed(TYPES.items())}


class Kept:
    """What a call gave, still in node."""

    def __init__(self, number: int) -> None:
        self.number = number


class Engine:
    """Functions of the engine's modules."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def call(self, name: str, *given: Any) -> Any:
        """What "module.function" gives."""
        module, _, function = name.partition(".")
        return _decoded(self._ask(module, None, function, given, True)["value"])

    def keep(self, name: str, *given: Any) -> Kept:
        """The same, but left in node for other calls."""
        module, _, function = name.partition(".")
        return Kept(self._ask(module, None, function, given, False)["kept"])

    def of(self, kept: Kept, name: str, *given: Any) -> Any:
        """What a method of something kept gives."""
        return _decoded(self._ask("", kept.number, name, given, True)["value"])

    def keep_of(self, kept: Kept, name: str, *given: Any) -> Kept:
        """The same, but left in node for other calls."""
        return Kept(self._ask("", kept.number, name, given, False)["kept"])

    def _ask(self, module: str, on: int | None, name: str, given: Any, shown: bool) -> Any:
        sent = {"module": module, "on": on, "name": name, "given": _encoded(given), "shown": shown}
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(sent) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer


@contextmanager
def engine() -> Iterator[Engine]:
    """Node with the engine, until the end."""
    command = [str(NODE), str(Path(__file__).with_suffix(".mjs")), str(STUDIO / "engine")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        yield Engine(process)


def _encoded(value: Any) -> Any:
    if isinstance(value, Kept):
        return {"kept": value.number}
    if isinstance(value, np.ndarray):
        value = value.astype(np.uint8) if value.dtype == bool else value
        data = np.ascontiguousarray(value).tobytes()
        return {"array": NAMES[value.dtype], "data": b64encode(data).decode()}
    if isinstance(value, dict):
        return {key: _encoded(one) for key, one in value.items()}
    return [_encoded(one) for one in value] if isinstance(value, list | tuple) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict) and "array" in value:
        return np.frombuffer(b64decode(value["data"]), TYPES[value["array"]])
    if isinstance(value, dict):
        return {key: _decoded(one) for key, one in value.items()}
    return [_decoded(one) for one in value] if isinstance(value, list) else value

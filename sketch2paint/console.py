"""Standard output that costs no result: it never raises, whatever is written and whoever reads."""

from __future__ import annotations

import io
import sys
from typing import Any


class Lasting(io.RawIOBase):
    """Bytes to another stream for as long as that takes them; what it does not take is lost.

    Args:
        stream: Stream below: a terminal, a file on a disk that may be full, a pipe that may be
            closed.
    """

    def __init__(self, stream: io.RawIOBase) -> None:
        self.stream = stream

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def write(self, data: object) -> int | None:
        try:
            return self.stream.write(data)  # type: ignore[arg-type]
        except OSError:
            return len(memoryview(data))  # type: ignore[arg-type]


def outlast() -> None:
    """Let print outlast its reader, and spell out what the encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not getattr(sys, f"__{name}__") or not isinstance(stream, io.TextIOWrapper):
            continue  # somebody's own, or none at all
        stream.flush()
        below: Any = stream.buffer
        raw: Any = Lasting(getattr(below, "raw", below))  # python -u has no buffer
        lasting = io.TextIOWrapper(
            raw if stream.write_through else io.BufferedWriter(raw),
            encoding=stream.encoding,
            errors="backslashreplace",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        setattr(sys, name, lasting)


def printable(text: str) -> str:
    """Text whose characters a terminal shows; what it would obey is spelt out."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

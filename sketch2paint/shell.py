"""Commands as they are typed into a shell: for messages that say what to do next."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

PLAIN = re.compile(r"[\w./@:+-]+( [\w./@:+-]+)*", re.ASCII)  # what Hydra takes without quotes


def command(verb: str) -> str:
    """The words that start a verb, as this program was started: from a checkout, or installed."""
    program = Path(sys.argv[0])
    script = program.parent / f"{verb}.py"
    if program.suffix == ".py" and script.is_file():
        return f"python {shlex.quote(str(script))}"
    if program.parent == Path(__file__).parent:
        return f"python -m sketch2paint {verb}"
    return f"sketch2paint {verb}"


def override(key: str, value: object) -> str:
    """KEY=VALUE, quoted for Hydra and for the shell where either needs it."""
    text = str(value)
    return shlex.quote(f"{key}={text if PLAIN.fullmatch(text) else quoted(text)}")


def quoted(value: str) -> str:
    """A value as Hydra takes it, whatever is in it: a backslash counts before a quote only."""
    escaped = re.sub(r"(\\*)('|$)", lambda end: 2 * end[1] + ("\\'" if end[2] else ""), value)
    return f"'{escaped}'"

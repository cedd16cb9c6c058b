"""Commands as they are typed into a shell: for messages that say what to do next."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import Any

PLAIN = re.compile(r"[\w./@:+-]+( [\w./@:+-]+)*", re.ASCII)  # what Hydra takes without quotes


def command(verb: str) -> str:
    """The words that start a verb, as this program was started: from a checkout, or installed."""
    program = Path(sys.argv[0])
    script = program.parent / f"{verb}.py"
    if program.suffix == ".py" and script.is_file():
        return f"python {typed(str(script))}"
    if program.parent == Path(__file__).parent:
        return f"python -m sketch2paint {verb}"
    return f"sketch2paint {verb}"


def override(key: str, value: object) -> str:
    """KEY=VALUE, quoted for Hydra and for the shell where either needs it."""
    text = str(value)
    return typed(f"{key}={text if PLAIN.fullmatch(text) else quoted(text)}")


def typed(word: str) -> str:
    """A word quoted for the shell where it needs that, as people would."""
    easy = "'" in word and not re.search(r'["$`\\!]', word)
    return f'"{word}"' if easy else shlex.quote(word)


def quoted(value: str) -> str:
    """A value as Hydra takes it, whatever is in it: \\ counts before a quote and before ${ only."""
    text = re.sub(
        r"(\\*)('|\Z)", lambda end: 2 * end[1] + ("\\'" if end[2] else ""), escaped(value)
    )
    return f"'{text}'"


def escaped(value: Any) -> Any:
    """Plain data in whose texts OmegaConf looks nothing up."""
    if isinstance(value, list):
        return [escaped(item) for item in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value

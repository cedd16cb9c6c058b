"""The installed program: `sketch2paint VERB key=value ...` is `python VERB.py key=value ...`."""

from __future__ import annotations

import os
import re
import sys
from importlib import import_module

from sketch2paint import __version__
from sketch2paint.console import outlast

VERBS = {
    "prepare": "decode a data set once, or check it",
    "train": "train a generator",
    "predict": "colour sketches, with the model that comes along or a trained one",
    "studio": "colour drawings in the browser",
    "animate": "colour a drawn shot from a few frames in colour",
    "evaluate": "measure generators on pictures they have not seen",
    "explore": "find and show directions along which the style can be chosen",
    "export": "write a network for other programs (ONNX, TorchScript)",
    "benchmark": "measure speed and memory",
}
USAGE = """Line drawings to colour with a conditional GAN (pix2pix).

sketch2paint VERB key=value ...

{verbs}

sketch2paint VERB --help      its keys and their values
sketch2paint VERB --cfg job   the configuration that the keys make
sketch2paint --version"""


def main() -> None:
    """Run the verb that the first word names; the other words are its keys and Hydra's flags."""
    outlast()
    first = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if first in VERBS:
        import_module(f"sketch2paint.commands.{first}").main(first)
    elif first in ("--help", "-h"):
        verbs = "\n".join(f"  {verb:<11}{what}" for verb, what in VERBS.items())
        print(USAGE.format(verbs=verbs))
    elif first == "--version":
        print(f"sketch2paint {__version__}")
    elif first in ("--shell-completion", "-sc"):
        _complete()
    else:
        print(_unknown(first), file=sys.stderr)
        sys.exit(2)


def _unknown(word: str) -> str:
    from difflib import get_close_matches

    (nearest,) = get_close_matches(word, VERBS, n=1, cutoff=0.0)
    return (
        f"error: Expected a verb, one of {', '.join(VERBS)}, got {word!r}. "
        f"The nearest is: sketch2paint {nearest}"
    )


def _complete() -> None:
    """Answer the shell: Hydra's scripts ask the program itself; the verb stands in COMP_LINE."""
    line = os.environ.get("COMP_LINE", "sketch2paint train ")  # without: the scripts are asked for
    words = re.match(r"\s*\S+\s+(\S+)\s+(.*)", line)
    if not words:
        print("\n".join(VERBS))
    elif words[1] in VERBS:
        os.environ["COMP_LINE"] = f"sketch2paint {words[2]}"
        import_module(f"sketch2paint.commands.{words[1]}").main()


if __name__ == "__main__":
    main()

"""What is typed, as Hydra takes it: names letter by letter, and what is wrong in one line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, NoReturn, Union, get_args, get_origin, get_type_hints

from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException

from sketch2paint.advice import Defaults, example, nearest, spelt, unknown_key
from sketch2paint.arguments import Names, folder_below
from sketch2paint.shell import command, quoted, typed

QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
LIST = r"\[[^\]]*\]"
FUNCTION = r"(?:choice|range|glob|sort|shuffle|interval|tag)\(.*\)"  # of Hydra, for sweeps
KEY = re.compile(r"(\+{0,2})([^=]*)=(.*)", re.DOTALL)


class WrongCommand(ValueError):
    """What was typed is no command; the message says in one line what to type."""


class Taken(NamedTuple):
    """How the value of a name is taken.

    Attributes:
        words: Words that stay what they are for Hydra: true, false, null.
        lists: Whether [A,B] is a list of names.
        below: Whether the name must stay below a folder.
    """

    words: frozenset[str] = frozenset()
    lists: bool = False
    below: bool = False


def names_of(function: Callable[..., Any]) -> dict[str, Taken]:
    """The keys that are names, by the annotations of a function: `input`, `data.root`."""
    found: dict[str, Taken] = {}
    for key, hint in get_type_hints(function, include_extras=True).items():
        options = get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
        elements = [get_args(option)[0] for option in options if get_origin(option) is list]
        for option in (*options, *elements):
            marks = get_args(option)[1:] if get_origin(option) is Annotated else ()
            for mark in marks:
                if isinstance(mark, Names) and mark.keys:
                    nullable = Taken(frozenset({"null"}))
                    found |= {f"{key}.{inner}": nullable for inner in mark.keys}
                elif isinstance(mark, Names):
                    words = {"true", "false"} if bool in options else set()
                    words |= {"null"} if NoneType in options else set()
                    found[key] = Taken(frozenset(words), bool(elements), mark.below)
    return found


@dataclass
class CommandLine:
    """The words behind a command's own, and what they stand for.

    Attributes:
        words: Words as the shell passed them.
        verb: Name of the command.
        names: Keys that are names.
        several: Keys that take A,B as a list too, with blanks between; "": none does.
        defaults: Gives every key and group with its default; asked for messages only.
    """

    words: list[str]
    verb: str
    names: Mapping[str, Taken]
    several: str
    defaults: Callable[[], Defaults]
    keys: list[str] = field(init=False, default_factory=list)  # the words that are no flags
    own: bool = field(init=False, default=False)  # whether there are files of the user's own

    def for_hydra(self) -> list[str]:
        """The words as Hydra takes them.

        Raises:
            WrongCommand: they are no command.
        """
        flags = self._flags()
        self.own = flags.config_dir is not None or flags.config_path is not None
        if flags.shell_completion:
            return self.words
        taken, left = list(self.words), 0
        for number, word in enumerate(self.keys):
            left = taken.index(word, left)  # what stands before is a flag or its value
            taken[left] = self._word(number)
            left += 1
        return taken + self._folder_of_sweep()

    def _flags(self) -> Any:
        """Hydra's flags, parsed; `keys` are the other words."""
        parser = get_args_parser()
        parser.allow_abbrev = False
        parser.error = _flag_error  # type: ignore[method-assign]
        flags, rest = parser.parse_known_args(self.words)
        self.keys = flags.overrides
        unknown = [word for word in rest if word.startswith("-") and word != "-"]
        if unknown:
            raise WrongCommand(self._no_flag(unknown[0]))
        if rest:
            before = self.words[: self.words.index(rest[0])]
            between = [word for word in before if word.startswith("-")][-1]
            front = [word for word in self.words if word not in (*self.keys, *rest)]
            raise WrongCommand(
                f"Expected {between} before all keys, got it between them. "
                f"Type {self._typed([*front, *self.keys, *rest])}"
            )
        return flags

    def _typed(self, words: Sequence[str]) -> str:
        """The whole command with other words."""
        return f"{command(self.verb)} {' '.join(map(typed, words))}"

    @cached_property
    def multirun(self) -> bool:
        """Whether A,B is a sweep."""
        sweeps = ("sweep=", "hydra.mode=")
        return not {"-m", "--multirun"}.isdisjoint(self.words) or any(
            word.startswith(sweeps) and not word.endswith(("=null", "=RUN")) for word in self.keys
        )

    def _word(self, number: int) -> str:
        """One key with its value."""
        word = self.keys[number]
        if word.startswith("~"):
            return self._left_out(word)
        match = KEY.fullmatch(word)
        if not match or not match[2]:
            raise WrongCommand(self._no_key(number))
        plus, key, value = match.groups()
        following = self.keys[number + 1 : number + 2]
        if not value and following and "=" not in following[0]:
            raise WrongCommand(_blanks(key, following[0]))
        if key in self.several.split() and not value.startswith("[") and len(_split(value)) > 1:
            value = f"[{value}]"
        if key in self.names:
            return f"{plus}{key}={self._name(key, value)}"
        return self._plain(f"{plus}{key}={value}", key, value)

    def _name(self, key: str, value: str) -> str:
        """The value of a name, quoted for Hydra unless it is quoted, a list or a sweep."""
        listed = self.names[key].lists and bool(re.fullmatch(r"\[.*\]", value, re.DOTALL))
        if self.multirun and re.fullmatch(FUNCTION, value):
            return value
        sweep = _split(value, f"{QUOTED}|{LIST}" if self.names[key].lists else QUOTED)
        if self.multirun and len(sweep) > 1:
            return ",".join(self._name(key, item) for item in sweep)
        if listed:
            items = _split(value[1:-1]) if value[1:-1].strip() else []
            return f"[{','.join(self._item(key, item) for item in items)}]"
        return self._item(key, value)

    def _item(self, key: str, value: str) -> str:
        """One name, quoted unless it is, or is a word that this key takes."""
        how, plain = self.names[key], value
        if re.fullmatch(QUOTED, value, re.DOTALL):
            plain = str(OverridesParser.create().parse_rule(value, "primitive").text)
        if not plain:
            raise WrongCommand(f"Expected a value for `{key}`, got nothing. Type {key}=...")
        if how.below:
            _checked_below(key, plain)
        if key in ("name", "out_dir") and self.multirun and "${" in value and plain == value:
            # Hydra would look for what it stands for.
            raise WrongCommand(f"Expected `{key}` without ${{ in a sweep, got {plain!r}")
        if value.lower() in how.words or plain != value:
            return value
        return quoted(f"./{value}" if value == "???" else value)  # which Hydra reads as missing

    def _plain(self, word: str, key: str, value: str) -> str:
        """A key that is no name: Hydra's grammar counts."""
        try:
            (parsed,) = OverridesParser.create().parse_overrides([word])
        except OverrideParseException:
            if not key.startswith("hydra") and key not in self.defaults():
                raise WrongCommand(unknown_key(key, value, self.defaults())) from None
            raise WrongCommand(self._unreadable(key, value)) from None
        if parsed.is_sweep_override() and not self.multirun:
            raise WrongCommand(self._one_value(key, value))
        others = ("+", "callbacks.", "logger.", "hydra")  # more may stand there
        if self.multirun and not self.own and not word.startswith(others):
            if key not in self.defaults():  # Hydra would make the sweep's folder first
                raise WrongCommand(unknown_key(key, value, self.defaults()))
        return word

    def _left_out(self, word: str) -> str:
        """~KEY, for what can be left out: a logger, a callback."""
        key = word[1:].partition("=")[0]
        if key.startswith(("callbacks.", "logger", "experiment", "sweep", "hydra")):
            return word
        if key not in self.defaults():
            raise WrongCommand(unknown_key(key, "", self.defaults()))
        raise WrongCommand(f"Expected `{key}` to stay. Leave {word} away, or type {key}=...")

    def _folder_of_sweep(self) -> list[str]:
        """One folder for a sweep over names: it would have one for each name."""
        swept = [
            key
            for key, value in (word.split("=", 1) for word in self.keys if "=" in word)
            if key in ("name", "out_dir") and self.multirun and len(_split(value)) > 1
        ]
        if any(word.startswith("hydra.sweep.dir=") for word in self.keys):
            return []
        if "out_dir" in swept:
            raise WrongCommand(
                "Expected one `out_dir` for a sweep, whose runs stand in it as 0, 1, ... "
                "Type -m out_dir=DIR"
            )
        return ["hydra.sweep.dir='multirun/${now:%Y-%m-%d_%H-%M-%S}'"] if swept else []

    # ------------------------------------------------------------ what to type instead

    def _no_flag(self, flag: str) -> str:
        """--checkpoint R"""
        name, equals, value = flag.lstrip("-").partition("=")
        place = self.words.index(flag) + 1
        following = self.words[place : place + 1]
        if not equals and following and "=" not in following[0] and following[0][:1] != "-":
            value = following[0]
        key = nearest(name, self.defaults())
        if not name or not key:
            return (
                f"Expected keys as key=value, and flags out of --help, -m, --cfg job, got {flag}. "
                f"Type {command(self.verb)} --help for the keys"
            )
        return f"Expected keys as key=value, got {flag}. Type {example(key, value)}"

    def _no_key(self, number: int) -> str:
        """A word without =, or with nothing before it."""
        word, before = self.keys[number], self.keys[number - 1] if number else ""
        following = "".join(self.keys[number + 1 : number + 3])
        if following.startswith("="):
            return _blanks(word, following[1:])
        if word.startswith("="):
            return f"Expected key=value, got {typed(word)}. Type a key before ="
        key, equals, value = before.partition("=")
        if equals and value and key in self.names:
            other = f"; for several files {typed(f'{key}=[{value},{word}]')}"
            return (
                f"Expected key=value, got {typed(word)}. For a name with blanks type "
                f"{typed(f'{before} {word}')}{other if self.names[key].lists else ''}"
            )
        meant = nearest(word, self.defaults()) or "KEY"
        value = "..." if meant != "KEY" else word
        return f"Expected key=value, got {typed(word)}. Type {example(meant, value)}"

    def _unreadable(self, key: str, value: str) -> str:
        default = self.defaults().get(key)
        said = f"Expected a value of `{key}` that can be read, got {typed(value)}."
        if default is None and value.startswith("{"):
            return f'{said} Type names with values and all of it in quotes: "{key}={{name: 1}}"'
        if default is None or isinstance(default, str):
            return f"{said} Type it in quotes: {typed(f'{key}={quoted(value)}')}"
        return f"{said} Type for instance {example(key, spelt(default))}"

    def _one_value(self, key: str, value: str) -> str:
        defaults = self.defaults()
        if key not in defaults:
            return unknown_key(key, value, defaults)
        said, ways = f"Expected one value for `{key}`, got {value}.", []
        if re.fullmatch(r"[+-]?\d+,\d+", value) and isinstance(defaults[key], float):
            ways.append(f"{key}={value.replace(',', '.')} for a number")
        if isinstance(defaults[key], list):
            ways.append(f"{typed(f'{key}=[{value}]')} for a list")
        if "sweep" in defaults:
            ways.append(f"{self._typed(['-m', *self.words])} to try each")
        instance = f"for instance {example(key, spelt(defaults[key]))}"
        return f"{said} Type {', or '.join(ways) or instance}"


def _flag_error(message: str) -> NoReturn:
    raise WrongCommand(f"Expected flags as --help tells them, got {message}")


def _blanks(key: str, value: str) -> str:
    return f"Expected no blanks around =. Type {example(key.strip(), value.strip() or '...')}"


def _checked_below(key: str, value: str) -> None:
    try:
        folder_below(key, value)
    except ValueError as error:
        raise WrongCommand(str(error)) from None


def _split(value: str, whole: str = QUOTED) -> list[str]:
    """The items between commas, blanks around left out; no comma counts in what is `whole`."""
    item = re.compile(rf"\s*({whole}|[^,]*?)\s*(,|\Z)", re.DOTALL)
    items, match = [], item.match(value)
    while match:  # anything up to a comma is one
        items.append(match[1])
        match = item.match(value, match.end()) if match[2] else None
    return items

"""What to type instead of what was typed: the nearest key, a value for instance."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from hydra.errors import MissingConfigException
from omegaconf.errors import OmegaConfBaseException

from sketch2paint.shell import typed


class Group(str):
    """The default of a group: the name of a file in its folder, or null."""


Defaults = Mapping[str, Any]  # every dotted key of a command and every group, with its default
# What others call a key, without case, dots, - and _; of several the first that a command has.
ALIASES = {
    "amp": ("trainer.precision",),
    "batch": ("batch_size", "data.batch_size"),
    "beta": ("model.betas",),
    "beta1": ("model.betas",),
    "ckpt": ("checkpoint", "resume"),
    "ckptpath": ("checkpoint", "resume"),
    "color": ("data.colours",),
    "continue": ("resume",),
    "continuetrain": ("resume",),
    "cropsize": ("data.size", "size"),
    "datadir": ("data.root",),
    "dataroot": ("data.root",),
    "dataset": ("data.root",),
    "devices": ("trainer.gpus", "device"),
    "epochs": ("trainer.max_epochs",),
    "experimentname": ("name",),
    "finetune": ("init_from",),
    "folder": ("data.root", "input"),
    "fp16": ("trainer.precision",),
    "gpu": ("trainer.gpus", "device"),
    "gpuids": ("trainer.gpus", "device"),
    "image": ("input",),
    "images": ("input", "data.root"),
    "imagesize": ("data.size", "size"),
    "imgsize": ("data.size", "size"),
    "inputdir": ("input",),
    "l1": ("model.lambda_l1",),
    "l1lambda": ("model.lambda_l1",),
    "lambda": ("model.lambda_l1",),
    "learningrate": ("model.lr",),
    "loadsize": ("data.size", "size"),
    "model": ("checkpoint",),
    "nepochs": ("trainer.max_epochs",),
    "ndf": ("model.discriminator.base_channels",),
    "ngf": ("model.generator.base_channels",),
    "numepochs": ("trainer.max_epochs",),
    "outdir": ("out_dir", "output"),
    "outputdir": ("output", "out_dir"),
    "resumefromcheckpoint": ("resume",),
    "runname": ("name",),
    "savedir": ("out_dir", "output"),
    "sketch": ("data.sketches", "input"),
    "weights": ("checkpoint", "init_from"),
    "workers": ("data.num_workers",),
}


def nearest(key: str, defaults: Defaults) -> str | None:
    """The key that was meant, or None if no one knows."""

    def plain(text: str) -> str:
        return re.sub(r"[\W_]", "", text).lower()

    last, parent = key.rpartition(".")[2], key.rpartition(".")[0]
    meant = [other for other in ALIASES.get(plain(last), ()) if other in defaults]
    same = [other for other in defaults if plain(other.rpartition(".")[2]) == plain(last)]
    if key in defaults or meant or same:
        inside = [other for other in same if other.startswith(parent)]
        return key if key in defaults else [*inside, *same, *meant][0] if same else meant[0]
    single = [other for other, value in defaults.items() if not isinstance(value, dict)]
    beside = [other for other in single if other.rpartition(".")[0] == parent]
    for names in (beside, single):
        ends = {plain(other.rpartition(".")[2]): other for other in reversed(names)}
        if close := get_close_matches(plain(last), ends, n=1, cutoff=0.65):
            return ends[close[0]]
    return None


def unknown_key(key: str, value: str, defaults: Defaults) -> str:
    """What to type instead of a key that there is not."""
    defaults = {name: default for name, default in defaults.items() if name != key}
    if other := nearest(key, defaults):
        if value.startswith("[") and not isinstance(defaults[other], list):
            value = _instead(other, value.count(",") + 1, defaults[other])
        return f"Unknown key `{key}`. The nearest is {other}: type {example(other, value)}"
    if key.startswith("hydra."):
        return f"Unknown key `{key}`. Type --cfg hydra to see those of Hydra"
    group = key.rpartition(".")[0]
    there = [name for name in defaults if name.rpartition(".")[0] == group] or [
        name for name in defaults if "." not in name
    ]
    return f"Unknown key `{key}`. Expected one of {', '.join(sorted(there))}"


def given_values(words: Sequence[str]) -> dict[str, str]:
    """Values by their keys, as they were typed."""
    return {word.lstrip("+~").partition("=")[0]: word.partition("=")[2] for word in words}


def right_kind(key: str, value: object, defaults: Defaults) -> str:
    """What to type instead of a value of the wrong kind; nothing where no example is known."""
    default = defaults.get(key)
    if default is None or (isinstance(default, str) and ("${" in default or default == "???")):
        return ""
    if isinstance(default, dict):
        inside = next((name for name in defaults if name.startswith(f"{key}.")), None)
        return right_kind(inside, "", defaults) if inside else ""
    other = _instead(key, len(value), default) if isinstance(value, list) else spelt(default)
    return f"Type for instance {example(key, other)}"


def _instead(key: str, items: int, default: object) -> str:
    """One value for a list of items; Lightning's devices=[0,1] are two GPUs."""
    return str(max(items, 1)) if key == "trainer.gpus" else spelt(default)


def what_hydra_said(error: BaseException, words: Sequence[str], defaults: Defaults) -> str:
    """An error of Hydra's composition in one line that says what to type.

    Args:
        error: Exception of Hydra or OmegaConf.
        words: Keys with their values, as they were typed.
        defaults: Every key and group with its default.
    """
    values = given_values(words)
    text, cause = str(error), error.__cause__
    if isinstance(error, MissingConfigException) and error.options:
        group, _, choice = str(error.missing_cfg_file).rpartition("/")
        near = get_close_matches(choice, error.options, n=1) or error.options
        return (
            f"Expected `{group}` to be one of {', '.join(error.options)}, got {choice!r}. "
            f"Type {group}={near[0]}"
        )
    if match := re.search(r"Could not (?:override|delete from config\.) '([^']*)'", text):
        return unknown_key(match[1], values.get(match[1], ""), defaults)
    if match := re.search(r"An item is already at '([^']*)'|Multiple values for (\w+)", text):
        key = match[1] or match[2]
        return f"Expected `{key}` without +. Type {example(key, values.get(key, ''))}"
    if "group override must be a string" in text:
        groups = [f"{key}={values[key]}" for key in values if isinstance(defaults.get(key), Group)]
        out = ", to be without a logger ~logger" if "logger" in values else ""
        return f"Expected names of groups, got {', '.join(groups)}. Type a name{out}"
    if match := re.search(r"Error merging override \+*([^=]*)=", text):
        said = f"Expected another kind of value for `{match[1]}`, got {values.get(match[1])}."
        return f"{said} {right_kind(match[1], '', defaults)}"
    if isinstance(cause, OmegaConfBaseException) and cause.full_key not in (None, "", *defaults):
        return unknown_key(str(cause.full_key), "", defaults)
    lines = [line.strip() for line in f"{text}\n{cause or ''}".splitlines()]
    noise = ("full_key:", "object_type=", "reference_type=", "See https:", "Config search path")
    return " ".join(dict.fromkeys(line for line in lines if line and not line.startswith(noise)))


def example(key: str, value: str) -> str:
    """KEY=VALUE as it is typed."""
    return typed(f"{key}={value or '...'}") if value != "..." else f"{key}=..."


def spelt(value: Any) -> str:
    """A default as it is typed."""
    if isinstance(value, list):
        return f"[{','.join(map(spelt, value))}]"
    if isinstance(value, dict) or value == "???":
        return "..."
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)

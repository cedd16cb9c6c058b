"""How people lay out folders: splits by their names, and layouts that would be misread."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

SPLITS = ("train", "val", "test")
SPLIT_OF = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}
# Folders of unpaired or aligned data: trainA and trainB, or A and B alone.
SIDE = re.compile(r"(?:train|training|val|valid|validation|test|testing)[ _-]?[ab]", re.IGNORECASE)
SKETCHES = re.compile(r"(sketch(es)?|lines?|line[ _-]?arts?|drawings?|edges?)", re.IGNORECASE)
COLOURS = re.compile(r"(colou?rs?|colou?red|painted|paintings?)", re.IGNORECASE)


def split_folders(root: Path) -> dict[str, str]:
    """The folder of each split, by its name in any case: {"val": "Validation"}.

    Raises:
        ValueError: two folders are for one split.
    """
    found: dict[str, str] = {}
    for name in sorted(os.listdir(root)):
        split = SPLIT_OF.get(name.lower())
        if split is None or not (root / name).is_dir():
            continue
        if other := found.get(split):
            raise ValueError(
                f"{root}: expected one folder of {split} pictures, got {other}/ and {name}/. "
                "Put them together, or rename one of them."
            )
        found[split] = name
    return {split: found[split] for split in SPLITS if split in found}


def refuse_misread(root: Path, names: Iterable[PurePosixPath], key: str, kind: str) -> None:
    """See that no folder below is one of splits, or one of sketches beside one of colours.

    Args:
        root: Folder of the pictures.
        names: Names of the pictures below it.
        key: Key that it was given by: data.root, data.colours or data.sketches.
        kind: Kind of the source.

    Raises:
        ValueError: held-out pictures, or sketches, would be trained on; the message says what to
            pass.
    """
    below = _folders_below(names)
    has_train = any(SPLIT_OF.get(name.lower()) == "train" for name in below[PurePosixPath()])
    if has_train:
        del below[PurePosixPath()]  # what lies beside train/ is not trained on
    if kind != "two_folders":
        for place, folders in below.items():
            _refuse_sides(root / place, folders, kind)
    if has_train:
        return
    places = [
        root / place
        for place, folders in below.items()
        if len({SPLIT_OF[name.lower()] for name in folders if name.lower() in SPLIT_OF}) > 1
        and place != PurePosixPath()
    ]
    if places:
        there = " and in ".join(map(str, places[:3]))
        raise ValueError(
            f"{root}: expected train/ and val/ in it, or none at all, got them in {there}. "
            f"Pass {key}={places[0]}."
        )


def _folders_below(names: Iterable[PurePosixPath]) -> dict[PurePosixPath, set[str]]:
    """The folders with pictures, at whatever depth, in each folder."""
    below: dict[PurePosixPath, set[str]] = defaultdict(set)
    for parent in sorted({name.parent for name in names}):
        for folder in (parent, *parent.parents):
            if folder.name:
                below[folder.parent].add(folder.name)
    return below


def _refuse_sides(place: Path, folders: set[str], kind: str) -> None:
    """Refuse trainA/ beside trainB/, and for pairs also A/ beside B/ or lines/ beside colours/."""
    sides = sorted(name for name in folders if SIDE.fullmatch(name))
    colours, sketches = _two_sides(folders, sides)
    if kind == "pairs" and colours and sketches:
        raise ValueError(
            f"{place}: expected pairs, sketch and colours side by side in one picture, got the "
            f"folders {colours}/ and {sketches}/. Pass data=two_folders "
            f"data.colours={place / colours} data.sketches={place / sketches}, or these the other "
            "way round."
        )
    if len(sides) > 1:
        raise ValueError(
            f"{place}: expected one set of pictures, got the folders {', '.join(sides)}. Pass the "
            f"one to train on, such as data.root={place / sides[-1]}."
        )


def _two_sides(folders: set[str], sides: list[str]) -> tuple[str, str]:
    """The folders that seem to hold colours and sketches; empty words where there are none."""
    for one in reversed(sides):  # train comes before test
        for other in sides:
            if one[:-1] == other[:-1] and one[-1:].upper() == "A" and other[-1:].upper() == "B":
                return one, other
    if folders == {"A", "B"}:
        return "A", "B"
    painted = sorted(name for name in folders if COLOURS.fullmatch(name))
    drawn = sorted(name for name in folders if SKETCHES.fullmatch(name))
    return (painted[0], drawn[0]) if painted and drawn else ("", "")

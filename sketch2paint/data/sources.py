"""Where pictures come from: three kinds of source, their splits, the check at the start."""

from __future__ import annotations

import hashlib
import unicodedata
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from tqdm import tqdm

from sketch2paint.data.folders import refuse_misread, split_folders
from sketch2paint.images.convert import rgb_to_grey
from sketch2paint.images.formats import Found, got_text, left_out_text, look_through
from sketch2paint.images.io import FRAMES, picture_size, read_picture
from sketch2paint.shell import command

FILES_SHOWN = 20  # files named in one message
NOTED_SHOWN = 3  # files named in the line on what was guessed

Kind = Literal["pairs", "two_folders", "pictures"]
Side = Literal["left", "right"]
OnBad = Literal["raise", "skip"]
Item = tuple[Path, ...]  # the file of a sample; in two folders: the colours' and the sketch's
Splits = dict[str, list[Item]]  # the samples of train, val and, if there, test


@dataclass(frozen=True)
class Source:
    """Where pictures come from.

    Args:
        kind: Layout of the files: pairs (side by side), two_folders, or pictures (colours alone).
        folders: The root; for two_folders the colours' and the sketches' folder.
        colour_side: Half of a side-by-side picture that holds the colours.
    """

    kind: Kind
    folders: tuple[Path, ...]
    colour_side: Side = "left"

    @property
    def root(self) -> Path:
        """The folder that samples are named below: of the colours where there are two."""
        return self.folders[0]

    def name_of(self, item: Item) -> str:
        """A sample's file below the root, fit for printing whatever its bytes."""
        name = item[0].relative_to(self.root).as_posix()
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def read(self, item: Item) -> np.ndarray:
        """Decode one sample.

        Returns:
            (H, W, 4) uint8, RGB and the sketch; (H, W, 3) where there are colours alone.

        Raises:
            ValueError: unreadable file, odd width, or halves of different sizes.
        """
        colours, sketch = self.halves(item)
        return colours if sketch is None else np.dstack([colours, rgb_to_grey(sketch)])

    def halves(
        self, item: Item, notes: list[str] | None = None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Decode the colours and the sketch of one sample.

        Args:
            item: Sample.
            notes: List to which remarks are added on what reading guesses or leaves out.

        Returns:
            Both (H, W, 3) uint8 RGB; None where there are colours alone.

        Raises:
            ValueError: unreadable file, odd width, or halves of different sizes.
        """
        read = [read_picture(path) for path in item]
        if notes is not None:
            notes += _noted(item, [one.notes for one in read])
        pictures = [one.rgb for one in read]
        if problem := self._shape_problem([(p.shape[1], p.shape[0]) for p in pictures]):
            raise ValueError(f"{item[0]}: {problem}")
        if self.kind == "pairs":
            left, right = np.split(pictures[0], 2, axis=1)
            return (left, right) if self.colour_side == "left" else (right, left)
        return pictures[0], pictures[1] if self.kind == "two_folders" else None

    def problem(self, item: Item, notes: list[str] | None = None) -> str | None:
        """What is wrong with a sample's files, so that reading them would fail; notes as above."""
        sizes, found = [], [list[str]() for _ in item]
        for path, noted in zip(item, found, strict=True):
            try:
                sizes.append(picture_size(path, notes=noted))
            except ValueError as error:
                return str(error).removeprefix(f"{item[0]}: ")  # a bad sketch keeps its name
        if notes is not None:
            notes += _noted(item, found)
        return self._shape_problem(sizes)

    def _shape_problem(self, sizes: Sequence[tuple[int, int]]) -> str | None:
        """What is wrong with the (width, height) of a sample's files."""
        width, height = sizes[0]
        if self.kind == "pairs" and width % 2:
            return (
                f"expected an even width (colour and sketch side by side), got {width}x{height}. "
                "Is it a pair at all?"
            )
        if self.kind == "two_folders" and sizes[1] != sizes[0]:
            return (
                f"expected a sketch of the same size, {width}x{height}, "
                f"got {sizes[1][0]}x{sizes[1][1]}. Resize one of them."
            )
        return None

    def find(
        self, val_fraction: float, seed: int, on_bad: OnBad = "raise", *, to_train: bool = True
    ) -> Splits:
        """List the samples of each split.

        By the folders train/, val/ and test/ where they are there, in any case. Without val/,
        samples leave the training set by a hash of their name: the same on every machine and when
        files are added.

        Args:
            val_fraction: Share held out where there is no val/.
            seed: Seed of the hash.
            on_bad: Treatment of sketches without colours and of colours without sketch.
            to_train: Whether there must be training pictures; else val/ or test/ may stand alone.

        Raises:
            FileNotFoundError: a folder is missing.
            ValueError: no pictures, too few to split, files without a partner, or a layout that
                would be misread.
        """
        by_name = self._two_folders(on_bad) if self.kind == "two_folders" else self._one_folder()
        return _split(by_name, self.root, val_fraction, seed, to_train)

    def left_out(self) -> list[str]:
        """One line for each reason why files below the folders are in no split."""
        lines = []
        for folder in self.folders:
            found, there = _look_through(folder), split_folders(folder)
            if found.others:
                lines.append(left_out_text(found.others))
            strays = [p for p in found.pictures if _split_of(p, folder, there) is None]
            if strays and "train" in there:
                lines.append(
                    f"left out, beside {', '.join(f'{name}/' for name in there.values())}: "
                    f"{len(strays)} pictures (first: {strays[0]})"
                )
        return lines

    def _one_folder(self) -> dict[PurePosixPath, Item]:
        (root,) = self.folders
        found, there = _found(root, "data.root", self.kind), split_folders(root)
        return {_name(path, root, there): (path,) for path in found}

    def _two_folders(self, on_bad: OnBad) -> dict[PurePosixPath, Item]:
        keys = ("data.colours", "data.sketches")
        colours, sketches = map(_by_stem, self.folders, keys)
        lonely = [colours[name] for name in sorted(colours.keys() - sketches.keys())]
        lonely += [sketches[name] for name in sorted(sketches.keys() - colours.keys())]
        if lonely:
            report = _report(f"{len(lonely)} pictures have no partner of the same name", lonely)
            if on_bad == "raise" or len(lonely) == len(colours) + len(sketches):
                raise ValueError(f"{report}\nRename or remove them, or pass data.on_bad=skip.")
            warnings.warn(f"{report}\nThey are skipped (data.on_bad=skip).", stacklevel=2)
        both = sorted(colours.keys() & sketches.keys())
        # With the suffix: `name_hash` takes one off, and a.1 and a.2 are not to be one name.
        items = [(colours[name], sketches[name]) for name in both]
        there = split_folders(self.root)
        return {_name(item[0], self.root, there): item for item in items}


def checked(source: Source, splits: Splits, on_bad: OnBad) -> Splits:
    """Look at every file once, report all bad ones together, and say in a line what was guessed.

    Args:
        source: Source of the samples.
        splits: Samples of each split.
        on_bad: Treatment of bad samples.

    Returns:
        The splits without the bad samples.

    Raises:
        ValueError: bad samples with `raise`, or a split that has no good ones.
    """
    items = [item for split in splits.values() for item in split]
    notes: dict[Item, list[str]] = {item: [] for item in items}
    with ThreadPoolExecutor(8) as pool:  # Pillow decodes outside the GIL
        found = pool.map(source.problem, items, notes.values())
        shown = tqdm(found, "checked", len(items), unit="picture", disable=None, leave=False)
        problems = {item: why for item, why in zip(items, shown, strict=True) if why}
    if problems:
        splits = _without(splits, problems, on_bad)
    noted = {
        source.name_of(item): one for item, one in notes.items() if one and item not in problems
    }
    if noted:
        print(_noted_text(noted, len(items)), flush=True)
    return splits


def _without(splits: Splits, problems: dict[Item, str], on_bad: OnBad) -> Splits:
    """The splits without the samples that have a problem; or the error that tells them."""
    count = sum(map(len, splits.values()))
    report = _report(
        f"{len(problems)} of {count} pictures cannot be used",
        [f"{item[0]}: {why}" for item, why in problems.items()],
    )
    good = {name: [i for i in split if i not in problems] for name, split in splits.items()}
    if on_bad == "raise":
        raise ValueError(f"{report}\nMend or remove them, or pass data.on_bad=skip.")
    if empty := [name for name, split in good.items() if not split]:
        raise ValueError(f"{report}\nNothing is left of {' and '.join(empty)}. Mend or add pairs.")
    warnings.warn(f"{report}\nThey are skipped (data.on_bad=skip).", stacklevel=3)
    return good


def _noted(item: Item, found: Sequence[Sequence[str]]) -> list[str]:
    """Notes on the files of a sample; those on its sketch name it. Frames are told elsewhere."""
    return [
        note if path == item[0] else f"{path}: {note}"
        for path, notes in zip(item, found, strict=True)
        for note in dict.fromkeys(notes)
        if note != FRAMES
    ]


def _noted_text(noted: dict[str, list[str]], count: int) -> str:
    """One line on what was guessed, however many pictures."""
    first = [f"{name} ({'; '.join(noted[name])})" for name in list(noted)[:NOTED_SHOWN]]
    more = f" and {len(noted) - len(first)} more" if len(noted) > len(first) else ""
    return (
        f"note: {len(noted)} of {count} pictures were read with something guessed or left out: "
        f"{', '.join(first)}{more}. Look with: {command('prepare')} data=... check=true"
    )


def name_hash(name: PurePosixPath, seed: int) -> float:
    """A stable place in [0, 1) for a file's relative name without its suffix."""
    text = unicodedata.normalize("NFC", str(name.with_suffix("")))  # macOS stores NFD
    digest = hashlib.sha256(f"{seed}:{text}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _found(folder: Path, key: str, kind: Kind) -> list[Path]:
    """The pictures below a folder, the layout of which is no other one."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: no such folder. Expected the pictures there, or train/ and val/ with them."
        )
    found = _look_through(folder)
    if not found.pictures:
        got = got_text(found.others)
        raise ValueError(f"{folder}: no pictures. Expected .png, .jpg or .webp files{got}")
    names = [PurePosixPath(path.relative_to(folder).as_posix()) for path in found.pictures]
    refuse_misread(folder, names, key, kind)
    return found.pictures


def _look_through(folder: Path) -> Found:
    # Links to folders are not followed, they may form a circle; but train/ may well be one.
    links = [folder / name for name in split_folders(folder).values()]
    looked = [look_through(place) for place in (folder, *filter(Path.is_symlink, links))]
    others = {path: kind for found in looked for path, kind in found.others.items()}
    pictures = sorted(path for found in looked for path in found.pictures)
    return Found(pictures, {path: kind for path, kind in others.items() if path not in links})


def _split_of(path: Path, folder: Path, there: dict[str, str]) -> str | None:
    """The split in whose folder a file stands, None outside them."""
    first, *below = path.relative_to(folder).parts
    return next((split for split, name in there.items() if below and name == first), None)


def _name(path: Path, folder: Path, there: dict[str, str]) -> PurePosixPath:
    """A file's name below a folder; a split's folder is called by the split, whatever its case."""
    name = PurePosixPath(path.relative_to(folder).as_posix())
    split = _split_of(path, folder, there)
    return PurePosixPath(split, *name.parts[1:]) if split else name


def _by_stem(folder: Path, key: str) -> dict[PurePosixPath, Path]:
    """Pictures of a folder by relative name without suffix."""
    by_stem: dict[PurePosixPath, Path] = {}
    doubles = []
    found, there = _found(folder, key, "two_folders"), split_folders(folder)
    for path in found:
        text = _name(path, folder, there).with_suffix("").as_posix()
        name = PurePosixPath(unicodedata.normalize("NFC", text))  # macOS stores NFD
        if by_stem.setdefault(name, path) != path:
            doubles.append(
                f"{path}: expected one picture of each name, got {by_stem[name]} as well"
            )
    if doubles:
        raise ValueError(
            _report(f"{len(doubles)} names stand twice", doubles) + "\nRemove one each."
        )
    return by_stem


def _split(
    by_name: dict[PurePosixPath, Item], root: Path, fraction: float, seed: int, to_train: bool
) -> Splits:
    there = split_folders(root)
    splits = {
        split: {name: item for name, item in by_name.items() if name.parts[0] == split}
        for split in there
    }
    if "train" not in splits:  # the pictures themselves, beside val/ and test/ if there
        outside = {n: item for n, item in by_name.items() if n.parts[0] not in there}
        splits = {"train": outside, **splits} if outside or to_train else splits
    for split, found in splits.items():
        if not found:
            alone = ", or remove the folder"
            if split not in there:
                alone = f": {root} holds {' and '.join(f'{n}/' for n in there.values())} alone"
            raise ValueError(
                f"{root / there.get(split, split)}: no pictures. Put some there{alone}."
            )
    lists = {split: list(found.values()) for split, found in splits.items()}
    if "val" not in splits and "train" in splits:
        pool = root / there["train"] if "train" in there else root
        train = {
            n.relative_to("train") if pool != root else n: i for n, i in splits["train"].items()
        }
        lists["train"], lists["val"] = _split_by_hash(train, pool, fraction, seed)
    return lists


def _split_by_hash(
    by_name: dict[PurePosixPath, Item], root: Path, fraction: float, seed: int
) -> tuple[list[Item], list[Item]]:
    if len(by_name) < 2:
        raise ValueError(
            f"{root}: expected at least 2 pictures to split into training and validation, "
            f"got {len(by_name)}. Add pictures or make a val/ folder."
        )
    places = {name: name_hash(name, seed) for name in by_name}
    chosen = {name for name, place in places.items() if place < fraction}
    if len(chosen) in (0, len(by_name)):  # a tiny set: keep one on the empty side
        ordered = sorted(by_name, key=lambda name: places[name])
        chosen = set(ordered[:1] if not chosen else ordered[:-1])
    train = [item for name, item in by_name.items() if name not in chosen]
    return train, [item for name, item in by_name.items() if name in chosen]


def _report(headline: str, rows: list[Path] | list[str]) -> str:
    more = [f"... and {len(rows) - FILES_SHOWN} more"] if len(rows) > FILES_SHOWN else []
    return "\n  ".join([f"{headline}:", *map(str, rows[:FILES_SHOWN]), *more])

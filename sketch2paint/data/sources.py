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

from sketch2paint.images.convert import rgb_to_grey
from sketch2paint.images.formats import find_pictures
from sketch2paint.images.io import picture_size, read_rgb

SPLITS = ("train", "val", "test")
FILES_SHOWN = 20  # files named in one message

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

    def halves(self, item: Item) -> tuple[np.ndarray, np.ndarray | None]:
        """Decode the colours and the sketch of one sample.

        Returns:
            Both (H, W, 3) uint8 RGB; None where there are colours alone.

        Raises:
            ValueError: unreadable file, odd width, or halves of different sizes.
        """
        pictures = [read_rgb(path) for path in item]
        if problem := self._shape_problem([(p.shape[1], p.shape[0]) for p in pictures]):
            raise ValueError(f"{item[0]}: {problem}")
        if self.kind == "pairs":
            left, right = np.split(pictures[0], 2, axis=1)
            return (left, right) if self.colour_side == "left" else (right, left)
        return pictures[0], pictures[1] if self.kind == "two_folders" else None

    def problem(self, item: Item) -> str | None:
        """What is wrong with a sample's files, found without decoding where possible."""
        sizes = []
        for path in item:
            try:
                sizes.append(picture_size(path))
            except ValueError as error:
                return str(error).removeprefix(f"{item[0]}: ")  # a bad sketch keeps its name
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

    def find(self, val_fraction: float, seed: int, on_bad: OnBad = "raise") -> Splits:
        """List the samples of each split.

        By the folders train/, val/ and test/ where they are there. Without val/, samples leave the
        training set by a hash of their name: the same on every machine and when files are added.

        Args:
            val_fraction: Share held out where there is no val/.
            seed: Seed of the hash.
            on_bad: Treatment of sketches without colours and of colours without sketch.

        Raises:
            FileNotFoundError: a folder is missing.
            ValueError: no pictures, too few to split, or files without a partner.
        """
        by_name = self._two_folders(on_bad) if self.kind == "two_folders" else self._one_folder()
        return _split(by_name, self.root, val_fraction, seed)

    def _one_folder(self) -> dict[PurePosixPath, Item]:
        (root,) = self.folders
        return {PurePosixPath(p.relative_to(root).as_posix()): (p,) for p in _found(root)}

    def _two_folders(self, on_bad: OnBad) -> dict[PurePosixPath, Item]:
        colours, sketches = (_by_stem(folder) for folder in self.folders)
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
        return {PurePosixPath(item[0].relative_to(self.root).as_posix()): item for item in items}


def checked(source: Source, splits: Splits, on_bad: OnBad) -> Splits:
    """Look at every file once and report all bad ones together.

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
    with ThreadPoolExecutor(8) as pool:  # Pillow decodes outside the GIL
        found = pool.map(source.problem, items)
        problems = {item: why for item, why in zip(items, found, strict=True) if why}
    if not problems:
        return splits
    report = _report(
        f"{len(problems)} of {len(items)} pictures cannot be used",
        [f"{item[0]}: {why}" for item, why in problems.items()],
    )
    good = {name: [i for i in split if i not in problems] for name, split in splits.items()}
    if on_bad == "raise":
        raise ValueError(f"{report}\nMend or remove them, or pass data.on_bad=skip.")
    if empty := [name for name, split in good.items() if not split]:
        raise ValueError(f"{report}\nNothing is left of {' and '.join(empty)}. Mend or add pairs.")
    warnings.warn(f"{report}\nThey are skipped (data.on_bad=skip).", stacklevel=2)
    return good


def name_hash(name: PurePosixPath, seed: int) -> float:
    """A stable place in [0, 1) for a file's relative name without its suffix."""
    text = unicodedata.normalize("NFC", str(name.with_suffix("")))  # macOS stores NFD
    digest = hashlib.sha256(f"{seed}:{text}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _found(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder}: no such folder. Expected the pictures there, or train/ and val/ with them."
        )
    # Links to folders are not followed, they may form a circle; but train/ may well be one.
    links = [folder / split for split in SPLITS if (folder / split).is_symlink()]
    if paths := [path for place in (folder, *links) for path in find_pictures(place)]:
        return sorted(paths)
    raise ValueError(f"{folder}: no pictures. Expected .png, .jpg or .webp files.")


def _by_stem(folder: Path) -> dict[PurePosixPath, Path]:
    """Pictures of a folder by relative name without suffix."""
    by_stem: dict[PurePosixPath, Path] = {}
    doubles = []
    for path in _found(folder):
        text = path.relative_to(folder).with_suffix("").as_posix()
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


def _split(by_name: dict[PurePosixPath, Item], root: Path, fraction: float, seed: int) -> Splits:
    there = [name for name in SPLITS if (root / name).is_dir()]
    splits = {
        split: {name: item for name, item in by_name.items() if name.parts[0] == split}
        for split in there
    }
    if "train" not in splits:  # the pictures themselves, beside val/ and test/ if there
        outside = {n: item for n, item in by_name.items() if n.parts[0] not in there}
        splits = {"train": outside, **splits}
    for split, found in splits.items():
        if not found:
            raise ValueError(f"{root / split}: no pictures. Put some there, or remove the folder.")
    lists = {split: list(found.values()) for split, found in splits.items()}
    if "val" not in splits:
        pool = root / "train" if "train" in there else root
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

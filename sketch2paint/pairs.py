"""Where pairs come from: side-by-side pictures, their split, and the check at the start."""

from __future__ import annotations

import hashlib
import unicodedata
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from sketch2paint.images import find_pictures, picture_size, read_rgb, rgb_to_grey

SIDES = ("left", "right")
SHOWN = 20  # bad files named in one message


def read_pair(path: Path, colour_side: str) -> np.ndarray:
    """Read one side-by-side picture.

    Args:
        path: a picture of even width, colour and sketch in its halves.
        colour_side: left | right, the half that holds the colours.

    Returns:
        (H, W / 2, 4) uint8: RGB colours and, as the fourth channel, the sketch.

    Raises:
        ValueError: unreadable picture or odd width.
    """
    picture = read_rgb(path)
    if problem := _shape_problem(picture.shape[1], picture.shape[0]):
        raise ValueError(f"{path}: {problem}")
    left, right = np.split(picture, 2, axis=1)
    colour, sketch = (left, right) if colour_side == "left" else (right, left)
    return np.dstack([colour, rgb_to_grey(sketch)])


def find_splits(root: Path, val_fraction: float, seed: int) -> dict[str, list[Path]]:
    """Find the training, validation and, if there, test pairs of a folder.

    `root/train`, `root/val` and `root/test` if they exist; `root` itself is the training set
    without `train/`. Without `val/`, pairs leave the training set by a hash of their name, so
    that the split is the same on every machine and stays when files are added.

    Raises:
        FileNotFoundError: `root` is missing.
        ValueError: no pictures, or too few to split.
    """
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such folder. Expected `data.root` to hold train/ and val/ with "
            "side-by-side pictures, or the pictures themselves."
        )
    pool = root / "train" if (root / "train").is_dir() else root
    splits = {"train": _found(pool)}
    for name in ("val", "test"):
        if (root / name).is_dir():
            splits[name] = _found(root / name)
            if pool == root:  # val/ stands inside the folder that was just searched
                elsewhere = set(splits[name])
                splits["train"] = [p for p in splits["train"] if p not in elsewhere]
    if not splits["train"]:
        raise ValueError(f"{pool}: no training pictures beside val/ and test/. Add some to train/.")
    if "val" not in splits:
        splits["train"], splits["val"] = _split_by_hash(splits["train"], pool, val_fraction, seed)
    return splits


def _found(folder: Path) -> list[Path]:
    if paths := find_pictures(folder):
        return paths
    raise ValueError(
        f"{folder}: no pictures. Expected side-by-side pairs as .png, .jpg or .webp files."
    )


def _split_by_hash(
    paths: list[Path], root: Path, fraction: float, seed: int
) -> tuple[list[Path], list[Path]]:
    if len(paths) < 2:
        raise ValueError(
            f"{root}: expected at least 2 pairs to split into training and validation, "
            f"got {len(paths)}. Add pairs or make a val/ folder."
        )
    places = {path: name_hash(path.relative_to(root), seed) for path in paths}
    chosen = {path for path, place in places.items() if place < fraction}
    if len(chosen) in (0, len(paths)):  # a tiny set: keep one pair on the empty side
        ordered = sorted(paths, key=lambda path: places[path])
        chosen = set(ordered[:1] if not chosen else ordered[:-1])
    train = [path for path in paths if path not in chosen]
    return train, [path for path in paths if path in chosen]


def name_hash(name: Path, seed: int) -> float:
    """A stable place in [0, 1) for a file's relative name without its suffix."""
    text = unicodedata.normalize("NFC", name.with_suffix("").as_posix())  # macOS stores NFD
    digest = hashlib.sha256(f"{seed}:{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def checked(splits: dict[str, list[Path]], on_bad: str) -> dict[str, list[Path]]:
    """Look at every file once and report all bad ones together.

    Args:
        splits: the files of each split.
        on_bad: raise | skip.

    Returns:
        The splits without the bad files.

    Raises:
        ValueError: bad files with `raise`, or a split that has no good ones.
    """
    paths = [path for split in splits.values() for path in split]
    with ThreadPoolExecutor(8) as pool:  # Pillow decodes outside the GIL
        problems = {p: w for p, w in zip(paths, pool.map(_problem, paths), strict=True) if w}
    if not problems:
        return splits
    report = f"{len(problems)} of {len(paths)} pictures cannot be used:\n" + "\n".join(
        f"  {path}: {why}" for path, why in list(problems.items())[:SHOWN]
    )
    if len(problems) > SHOWN:
        report += f"\n  ... and {len(problems) - SHOWN} more"
    good = {name: [p for p in split if p not in problems] for name, split in splits.items()}
    if on_bad == "raise":
        raise ValueError(f"{report}\nMend or remove them, or pass data.on_bad=skip.")
    if empty := [name for name, split in good.items() if not split]:
        raise ValueError(f"{report}\nNothing is left of {' and '.join(empty)}. Mend or add pairs.")
    warnings.warn(f"{report}\nThey are skipped (data.on_bad=skip).", stacklevel=2)
    return good


def _problem(path: Path) -> str | None:
    try:
        width, height = picture_size(path)
    except ValueError as error:
        return str(error).removeprefix(f"{path}: ")
    return _shape_problem(width, height)


def _shape_problem(width: int, height: int) -> str | None:
    if width % 2 or width < 2:
        return (
            f"expected an even width (colour and sketch side by side), got {width}x{height}. "
            "Is it a pair at all?"
        )
    return None

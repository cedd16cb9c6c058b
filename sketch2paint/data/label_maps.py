"""The regions of drawings, found once and kept in files that are named after what they hold."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from sketch2paint.files import written_beside
from sketch2paint.hints import regions as finder
from sketch2paint.hints.regions import Regions, find_regions

CODE = Path(finder.__file__).read_bytes()  # regions that other code found are others


def regions_kept(folder: Path | None, sketch: np.ndarray) -> Regions:
    """Find the regions of a drawing, or read them where they were found before.

    Args:
        folder: Folder of the files, made where it is missing; None: nothing is kept.
        sketch: Drawing (H, W), uint8.
    """
    if folder is None:
        return find_regions(sketch)
    sketch = np.ascontiguousarray(sketch)
    name = hashlib.sha256(CODE + repr(sketch.shape).encode() + sketch.tobytes()).hexdigest()[:32]
    path = folder / f"{name}.npz"
    try:
        return _read(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        found = find_regions(sketch)
    try:
        _write(path, found)
    except OSError:  # no room: it is found again the next time
        pass
    return found


def _read(path: Path) -> Regions:
    with open(path, "rb") as content, np.load(content) as file:
        labels = file["labels"].astype(np.int32)
        ink = np.unpackbits(file["ink"], count=labels.size).astype(bool).reshape(labels.shape)
        return Regions(labels, ink, file["joins"], file["openings"])


def _write(path: Path, found: Regions) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(
            file,
            labels=found.labels.astype(np.uint16 if found.count < 2**16 else np.int32),
            ink=np.packbits(found.ink),
            joins=found.joins,
            openings=found.openings,
        )

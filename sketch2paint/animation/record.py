"""Where the files of a shot go, and animate.json: what became of each frame, over all runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sketch2paint.animation.films import FILMS
from sketch2paint.files import written_beside

SECONDS = 5.0  # between two writings of a record
NAME, PAGE = "animate.json", "animate.html"


class Place:
    """The folder of a shot's frames, and the film if one is wanted.

    Args:
        output: Folder, or a file as films.FILMS; its frames then lie beside it in NAME.frames.
        input: Shot, which must not be overwritten.

    Raises:
        ValueError: the output is the input, or in its place.
    """

    def __init__(self, output: Path | str, input: Path | str) -> None:
        path = Path(output)
        is_film = path.suffix.lower() in FILMS and not path.is_dir()
        self.film = path if is_film else None
        self.folder = path.with_name(f"{path.name}.frames") if is_film else path
        if os.path.realpath(input) in map(os.path.realpath, (path, self.folder)):
            raise ValueError(f"{path}: expected another `output` than the input, got the same.")
        if path.is_file() and not is_film:
            raise ValueError(
                f"{path}: expected a folder or a file as {', '.join(FILMS)} as `output`, got "
                "another file. Choose another name."
            )

    def files(self, name: str, layers: bool) -> dict[str, Path]:
        """The files of a frame by kind: picture, and with layers colours and layers."""
        found = {"picture": self.folder / f"{name}.png"}
        if layers:
            found["colours"] = self.folder / f"{name}.colours.png"
            found["layers"] = self.folder / f"{name}.ora"
        return found

    def check(self, names: Sequence[str], overwrite: bool) -> None:
        """See that no file of somebody else would be overwritten.

        Raises:
            ValueError: the files are there, but no record of them.
        """
        if overwrite or (self.folder / NAME).is_file():
            return
        there = [self.folder / f"{name}.png" for name in names]
        found = [p for p in (*there, *([self.film] if self.film else [])) if p.is_file()]
        if found:
            raise ValueError(
                f"{found[0]}: expected no picture that animate.py has not written, got one. Choose "
                "another `output`, or pass overwrite=true."
            )


class Record:
    """animate.json in the folder of frames.

    Args:
        folder: Folder of frames.

    Raises:
        ValueError: the file that is there is something else.
    """

    def __init__(self, folder: Path) -> None:
        self.path, self._written = folder / NAME, 0.0
        try:
            frames = json.loads(self.path.read_text("utf-8"))["frames"]
            self.entries: dict[str, dict[str, Any]] = {entry["frame"]: entry for entry in frames}
        except FileNotFoundError:
            self.entries = {}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.path}: expected the record of an earlier animate.py, got {error!r}. "
                "Move it away."
            ) from error

    def made_of(self, name: str) -> str:
        """What a frame was made of when it was done, or ""."""
        entry = self.entries.get(name, {})
        return str(entry.get("made_of", "")) if entry.get("status") == "done" else ""

    def add(self, name: str, entry: dict[str, Any]) -> None:
        """Note what became of a frame; the file is written now and then."""
        self.entries[name] = {"frame": name, **entry}
        if time.monotonic() - self._written > SECONDS:
            self.write()

    def write(self, **about: Any) -> None:
        """Write the file, whole or not at all, with more to say of the shot."""
        with written_beside(self.path) as beside:
            text = json.dumps({**about, "frames": list(self.entries.values())}, indent=1)
            beside.write_text(text, "utf-8")
        self._written = time.monotonic()

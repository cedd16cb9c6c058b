"""What is to be done with a shot: its scenes, its keys, and what each frame's colours come from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from sketch2paint.animation.key_files import hint_files, key_files, key_trouble
from sketch2paint.animation.scenes import Look, look_through, scenes
from sketch2paint.animation.shots import Frame, Shot
from sketch2paint.arguments import one_of
from sketch2paint.hints.format import read_hints
from sketch2paint.images.io import MAX_PIXELS
from sketch2paint.inference.pipeline import IfColoured

METHOD = 2  # raise it when frames come out otherwise: they are then coloured again


@dataclass(frozen=True)
class Source:
    """Where the colours of a key come from.

    Attributes:
        kind: Kind: a picture in colour, hints, or the checkpoint alone.
        path: File of the key or of the hints.
        digest: Digest of what it is made of.
    """

    kind: Literal["key", "hints", "painted"]
    path: Path | None
    digest: str


@dataclass(frozen=True)
class Plan:
    """What is to be done with a shot.

    Attributes:
        frames: Frames in order.
        looks: What the first look found of each.
        scenes: Places of the frames of each scene that has a key.
        skipped: Places of the frames of scenes that are in colour already and are left out.
        sources: Where the colours of keys come from, by place.
        failed: What is wrong, in words.
        notes: Remarks.
    """

    frames: tuple[Frame, ...]
    looks: tuple[Look, ...]
    scenes: tuple[tuple[int, ...], ...]
    skipped: frozenset[int]
    sources: dict[int, Source]
    failed: tuple[str, ...]
    notes: tuple[str, ...]

    def made_of(self, flats: bool) -> dict[int, str]:
        """Digest of what each frame's colours come from, by place: its drawing and keys."""
        found = {}
        for scene in self.scenes:
            placed = [place for place in scene if place in self.sources]
            for place in scene:
                keys = [self.sources[key].digest for key in _asked(place, placed)]
                whole = [str(METHOD), self.looks[place].digest, *keys, str(flats)]
                found[place] = sha256(" ".join(whole).encode()).hexdigest()[:16]
        return found


def _asked(place: int, placed: Sequence[int]) -> Sequence[int]:
    """The keys that a frame's colours come from: the nearest ones, and the one behind."""
    if place in placed:
        return [place]
    split = bisect_left(placed, place)
    return [*placed[max(split - 2, 0) : split], *placed[split : split + (1 if split else 2)]]


def plan_shot(
    shot: Shot,
    *,
    keys: Path | str | None = None,
    hints: Path | str | None = None,
    checkpoint: str | None = None,
    cuts: Sequence[int] | None = None,
    coloured: IfColoured = "paint",
    max_pixels: int = MAX_PIXELS,
) -> Plan:
    """Look through a shot and find what tells its colours; nothing is written.

    Args:
        shot: Frames of a shot.
        keys: File or folder of frames in colour.
        hints: File or folder of hints, or auto: beside the frames.
        checkpoint: Name of what paints the first frame of a scene without keys, or None.
        cuts: Numbers of the frames with which scenes begin; None: they are found.
        coloured: Treatment of scenes that are in colour already: skip | paint.
        max_pixels: Largest number of pixels of a frame.

    Raises:
        FileNotFoundError: keys or hints are missing.
        ValueError: no frame's colours can be known; a cut is no frame; `coloured` is another word.
    """
    one_of("coloured", coloured, IfColoured)
    _check_cuts(shot.frames, cuts)
    sources, failed, notes = _sources(shot, keys, hints, checkpoint or "", max_pixels)
    if not sources and not checkpoint:
        raise ValueError("\n".join([*failed, NOTHING]))
    seen = look_through(shot.frames, cuts, max_pixels)
    looks = tuple(tqdm(seen, "looking", len(shot.frames), unit="frame", disable=None, leave=False))
    failed += [look.trouble for look in looks if look.trouble]
    drawn, skipped = _parted(looks, coloured)
    found = []
    for scene in drawn:
        if not any(place in sources for place in scene):
            if not checkpoint:
                failed.append(_without_key([shot.frames[place] for place in scene]))
                continue
            sources[scene[0]] = Source("painted", None, f"painted by {checkpoint}")
        found.append(tuple(scene))
    if any(looks[place].coloured for scene in found for place in scene):
        notes.append("frames in colour already: their lightness is taken for the drawing")
    notes = [*shot.notes, *notes]
    return Plan(shot.frames, looks, tuple(found), skipped, sources, tuple(failed), tuple(notes))


def _parted(looks: Sequence[Look], coloured: IfColoured) -> tuple[list[list[int]], frozenset[int]]:
    """The scenes to colour, and the frames of those that are skipped: most of theirs are coloured.

    Scenes are skipped as a whole, or a film would have holes.
    """
    todo: list[list[int]] = []
    skipped: list[int] = []
    for scene in scenes(looks):
        if coloured == "skip" and 2 * sum(looks[place].coloured for place in scene) > len(scene):
            skipped += scene
        else:
            todo.append(scene)
    return todo, frozenset(skipped)


NOTHING = (
    "Expected a frame whose colours are known, got none. Pass keys=DIR with frames in colour, "
    "hints=DIR with strokes on frames, or checkpoint=NAME, which paints the first frame."
)


def _check_cuts(frames: Sequence[Frame], cuts: Sequence[int] | None) -> None:
    wrong = set(cuts or ()) - {frame.number for frame in frames}
    if wrong:
        raise ValueError(
            f"Expected `cuts` to be numbers of frames with which a scene begins, "
            f"{frames[0].number} to {frames[-1].number}, got {min(wrong)}. Leave it out to have "
            "them found."
        )


def _sources(
    shot: Shot, keys: Path | str | None, hints: Path | str | None, painter: str, max_pixels: int
) -> tuple[dict[int, Source], list[str], list[str]]:
    """Sources by place, what is wrong with others, and notes."""
    sources: dict[int, Source] = {}
    failed: list[str] = []
    notes: list[str] = []
    if hints:
        files, troubles = hint_files(hints, shot.frames)
        failed += troubles
        for place, path in files.items():
            try:
                read_hints(path)
            except (ValueError, OSError) as error:
                failed.append(str(error))
                continue
            sources[place] = Source("hints", path, f"{_digest(path)} {painter}")
    files, troubles = key_files(keys, shot.frames) if keys else ({}, [])
    failed += troubles
    for place, path in files.items():
        trouble, usable = key_trouble(shot.frames[place], path, max_pixels)
        if usable:
            sources[place] = Source("key", path, _digest(path))  # a key stands above hints
        if trouble:
            (notes if usable else failed).append(trouble)
    return sources, failed, notes


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _without_key(frames: Sequence[Frame]) -> str:
    return (
        f"frames {frames[0].name} to {frames[-1].name}: expected a key in this scene, got none. "
        "Put one of its frames in colour into `keys`, pass a `checkpoint`, or tell the `cuts`."
    )

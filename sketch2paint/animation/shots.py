"""Shots read frame by frame: a folder of numbered pictures, an animated picture, a video."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from sketch2paint.images.convert import to_grey
from sketch2paint.images.formats import SUFFIXES
from sketch2paint.images.io import (
    MAX_PIXELS,
    has_frames,
    opened,
    pil_to_rgb,
    read_rgb,
    write_picture,
)

ANIMATED = (".gif", ".png", ".apng", ".webp")
VIDEOS = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm")
SECONDS = 1 / 12  # a frame of a folder: animation's usual rate on twos
NO_FRAME = re.compile(r"\.(hints|colours|compare)$")  # what predict.py writes and reads beside


@dataclass(frozen=True)
class Frame:
    """One frame of a shot.

    Attributes:
        name: Name under which it is written, and its key looked for.
        path: File of its picture.
        seconds: Time that it is shown, or None where the shot does not say.
    """

    name: str
    path: Path
    seconds: float | None = None

    @property
    def number(self) -> int:
        """The last number in its name."""
        return _number(self.name)

    def picture(self, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Its picture (H, W, 3) uint8 as it lies there.

        Raises:
            ValueError: the file is no picture, a damaged or a too large one.
        """
        return read_rgb(self.path, max_pixels)

    def drawing(self, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Its drawing (H, W) uint8; raises as `picture` does."""
        return to_grey(self.picture(max_pixels))


@dataclass(frozen=True)
class Shot:
    """Frames in order, and notes on what was left out or changed."""

    frames: tuple[Frame, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def opened_shot(path: Path | str, max_pixels: int = MAX_PIXELS) -> Iterator[Shot]:
    """Open a shot; frames of an animated picture or a video lie in a temporary folder meanwhile.

    Args:
        path: Folder of pictures with numbers in their names; a GIF, APNG or WebP; or a video.
        max_pixels: Largest number of pixels of a frame.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: there are no frames; two have one number; the file cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        yield _of_folder(path)
        return
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file or folder. Pass a folder of frames, a .gif, .png or .webp, or a "
            "video as `input`."
        )
    with TemporaryDirectory(prefix="sketch2paint-") as folder:
        if path.suffix.lower() in VIDEOS:
            yield _of_video(path, Path(folder), max_pixels)
        else:
            yield _of_animation(path, Path(folder), max_pixels)


def _number(name: str) -> int:
    return int(re.findall(r"\d+", name)[-1])


def _of_folder(folder: Path) -> Shot:
    pictures = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()]
    pictures = [p for p in pictures if p.name[0] != "." and not NO_FRAME.search(p.stem)]
    numbered = [p for p in pictures if re.search(r"\d", p.stem)]
    if not numbered:
        raise ValueError(
            f"{folder}: no frames. Expected pictures with numbers in their names, as 0001.png, got "
            f"{len(pictures)} pictures without. To colour single pictures use predict.py."
        )
    frames = sorted((Frame(p.stem, p) for p in numbered), key=lambda frame: frame.number)
    for one, other in zip(frames, frames[1:], strict=False):
        if one.number == other.number:
            raise ValueError(
                f"{folder}: expected one frame of each number, got {one.path.name} and "
                f"{other.path.name}. Move one of them away."
            )
    left = len(pictures) - len(numbered)
    notes = [f"pictures without a number left out: {left}"] if left else []
    gaps = frames[-1].number - frames[0].number + 1 - len(frames)
    notes += [f"numbers without a frame: {gaps}"] if gaps else []
    return Shot(tuple(frames), tuple(notes))


def _of_animation(path: Path, folder: Path, max_pixels: int) -> Shot:
    frames: list[Frame] = []
    notes: list[str] = []
    with opened(path, max_pixels) as picture:
        if not has_frames(picture):
            notes.append("one picture, no animation")
        try:
            for number in range(getattr(picture, "n_frames", 1)):
                picture.seek(number)
                seconds = _shown(picture, folder, number, frames)
                frames[-1] = Frame(frames[-1].name, frames[-1].path, seconds)
        except (OSError, SyntaxError, EOFError, ValueError) as error:
            if not frames:
                raise
            notes.append(f"cut off after {len(frames)} frames: {error}")
    return Shot(tuple(frames), tuple(notes))


def _shown(picture: Image.Image, folder: Path, number: int, frames: list[Frame]) -> float:
    """Write a frame of an animated picture into the folder, and tell how long it is shown."""
    frames.append(_spooled(pil_to_rgb(picture.copy()), folder, number))
    return float(picture.info.get("duration") or 1000 * SECONDS) / 1000


def _of_video(path: Path, folder: Path, max_pixels: int) -> Shot:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        width, height = (int(video.get(which)) for which in (3, 4))
        if not video.isOpened() or width * height <= 0:
            raise ValueError(
                f"{path}: expected a readable video, got one that is damaged, cut off or of an "
                "unknown kind. Replace it, or pass its frames as a folder of pictures."
            )
        if width * height > max_pixels:
            raise ValueError(
                f"{path}: expected at most {max_pixels} pixels in a frame, got {width} x {height}. "
                "Scale it down, or pass a larger `max_pixels`."
            )
        return _decoded(video, path, folder)
    finally:
        video.release()


def _decoded(video: cv2.VideoCapture, path: Path, folder: Path) -> Shot:
    rate, declared = video.get(cv2.CAP_PROP_FPS), int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    spooled: list[Frame] = []
    times: list[float] = []
    while True:
        there, bgr = video.read()
        if not there:
            break
        times.append(video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        spooled.append(_spooled(bgr[..., ::-1], folder, len(spooled)))
    if not spooled:
        raise ValueError(f"{path}: expected a video with frames, got none. Replace the file.")
    usual = 1 / rate if 0 < rate < 1000 else SECONDS
    steps = np.diff(times)
    notes = ["sound, if there is any, is not copied"]
    if len(spooled) < declared:
        notes.append(f"cut off: {len(spooled)} of {declared} frames")
    if len(steps) and (steps > 0).all() and np.ptp(steps) > usual / 2:
        notes.append("variable frame rate")
        seconds = [*steps.tolist(), float(np.median(steps))]
    else:
        seconds = [usual] * len(spooled)
    pairs = zip(spooled, seconds, strict=True)
    return Shot(tuple(Frame(f.name, f.path, s) for f, s in pairs), tuple(notes))


def _spooled(rgb: np.ndarray, folder: Path, number: int) -> Frame:
    path = folder / f"{number:05d}.png"
    write_picture(path, np.ascontiguousarray(rgb))
    return Frame(path.stem, path)

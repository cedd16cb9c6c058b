"""Frames put together as an animated picture or a video, with the time that each is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from sketch2paint.files import written_beside
from sketch2paint.images.io import read_rgb

FILMS = (".gif", ".png", ".apng", ".webp", ".mp4")


def write_film(path: Path | str, frames: Sequence[Path], seconds: Sequence[float]) -> list[str]:
    """Write frames as .gif, .png or .apng, .webp (lossless) or .mp4, whole or not at all.

    Args:
        path: File to write.
        frames: Pictures of one size.
        seconds: Time that each is shown.

    Returns:
        Notes on what differs from the frames.

    Raises:
        ValueError: there is no such kind, or this OpenCV cannot write videos.
    """
    path = Path(path)
    if path.suffix.lower() not in FILMS:
        raise ValueError(
            f"{path}: expected a file as {', '.join(FILMS)}. Pass a folder for single frames."
        )
    with written_beside(path) as beside:
        if path.suffix.lower() == ".mp4":
            return _write_video(beside, frames, seconds)
        return _write_animation(beside, frames, seconds)


class _Pictures:
    """Frames as Pillow asks for them, one at a time; for some kinds it asks twice."""

    def __init__(self, frames: Sequence[Path], few: bool) -> None:
        self.frames, self.few = frames, few

    def __iter__(self) -> Iterator[Image.Image]:
        for frame in self.frames:
            picture = Image.fromarray(read_rgb(frame))
            yield picture.quantize(256, dither=Image.Dither.NONE) if self.few else picture


def _write_animation(path: Path, frames: Sequence[Path], seconds: Sequence[float]) -> list[str]:
    suffix = path.suffix.lower()
    few = suffix == ".gif"
    pictures = _Pictures(frames, few)
    step = 10 if few else 1  # GIF counts hundredths of a second
    milliseconds = [max(step, step * round(1000 * each / step)) for each in seconds]
    options: dict[str, object] = {"lossless": True} if suffix == ".webp" else {}
    next(iter(pictures)).save(
        path, {".gif": "GIF", ".webp": "WEBP"}.get(suffix, "PNG"), save_all=True,
        append_images=_Pictures(frames[1:], few), duration=milliseconds, loop=0, **options,
    )  # fmt: skip
    exact = np.abs(np.array(milliseconds) / 1000 - seconds).max() < 0.001
    notes = ["at most 256 colours a frame"] if few else []
    return notes if exact else [*notes, "times rounded to hundredths of a second"]


def _write_video(path: Path, frames: Sequence[Path], seconds: Sequence[float]) -> list[str]:
    height, width = read_rgb(frames[0]).shape[:2]
    more_down, more_right = height % 2, width % 2
    rate = len(seconds) / sum(seconds)
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    video = cv2.VideoWriter(str(path), codec, rate, (width + more_right, height + more_down))
    try:
        if not video.isOpened():
            raise ValueError("Expected an OpenCV that writes .mp4, got one that does not. Pass a "
                             "folder or a .webp as `output`.")  # fmt: skip
        for frame in frames:
            rgb = np.pad(read_rgb(frame), ((0, more_down), (0, more_right), (0, 0)), "edge")
            video.write(np.ascontiguousarray(rgb[..., ::-1]))
    finally:
        video.release()
    notes = ["a video's colours are not exact; the folder of frames has them"]
    if more_down or more_right:
        notes.append("a pixel added to make the video's sides even")
    if max(seconds) > 1.5 * min(seconds):
        notes.append("one frame rate for all frames")
    return notes

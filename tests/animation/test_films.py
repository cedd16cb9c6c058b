"""Frames written as films, and read again."""

import numpy as np
import pytest
from PIL import Image
from tiny_shot import draw_frame

from sketch2paint.animation.films import write_film
from sketch2paint.animation.shots import opened_shot
from sketch2paint.images.io import read_rgb

SECONDS = [0.1, 0.2, 0.1]


@pytest.fixture
def frames(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        Image.fromarray(draw_frame(10 + 4 * number)[1]).save(path)
    return paths


@pytest.mark.parametrize("suffix", [".png", ".apng", ".webp", ".gif"])
def test_animated_pictures_keep_colours_and_times(tmp_path, frames, suffix):
    notes = write_film(tmp_path / f"out{suffix}", frames, SECONDS)
    with opened_shot(tmp_path / f"out{suffix}") as shot:
        assert [frame.seconds for frame in shot.frames] == SECONDS
        for frame, path in zip(shot.frames, frames, strict=True):
            np.testing.assert_array_equal(read_rgb(frame.path), read_rgb(path))
    assert notes == (["at most 256 colours a frame"] if suffix == ".gif" else [])


def test_gif_s_times_are_rounded_and_that_is_said(tmp_path, frames):
    notes = write_film(tmp_path / "out.gif", frames, [1 / 12] * 3)
    assert notes[-1] == "times rounded to hundredths of a second"


def test_a_video_has_the_mean_rate_and_even_sides(tmp_path, frames):
    notes = write_film(tmp_path / "out.mp4", frames, SECONDS)
    assert notes[1:] == ["one frame rate for all frames"]
    with opened_shot(tmp_path / "out.mp4") as shot:
        assert sum(frame.seconds for frame in shot.frames) == pytest.approx(0.4, abs=0.01)
        assert (
            np.median(np.abs(read_rgb(shot.frames[1].path).astype(int) - read_rgb(frames[1]))) < 6
        )
    for path in frames:
        Image.open(path).crop((0, 0, 95, 63)).save(path)
    notes = write_film(tmp_path / "out.mp4", frames, [0.1] * 3)
    assert notes[1:] == ["a pixel added to make the video's sides even"]
    with opened_shot(tmp_path / "out.mp4") as shot:
        assert read_rgb(shot.frames[0].path).shape == (64, 96, 3)


def test_other_kinds_are_refused_and_nothing_is_left(tmp_path, frames):
    with pytest.raises(ValueError, match="out.tiff: expected a file as .gif, .png"):
        write_film(tmp_path / "out.tiff", frames, SECONDS)
    frames[2].write_bytes(b"no picture")
    with pytest.raises(ValueError, match="expected a readable picture"):
        write_film(tmp_path / "out.webp", frames, SECONDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png", "2.png"]

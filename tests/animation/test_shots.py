"""Shots read: folders with gaps, animated pictures, videos, and what is wrong with them."""

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_shot import draw_frame

from sketch2paint.animation.shots import opened_shot


def save(path, number=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(draw_frame(10 + 4 * number)[0]).save(path)


def animation(path, count=4, **options):
    pictures = [Image.fromarray(draw_frame(10 + 4 * n)[0]) for n in range(count)]
    durations = [100, 200, 100, 300][:count]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **options)
    return path


def video(path, count=5, rate=12.5):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (96, 64))
    for number in range(count):
        writer.write(np.dstack([draw_frame(10 + 4 * number)[0]] * 3))
    writer.release()
    return path


def test_a_folder_is_sorted_by_number_and_may_have_gaps(tmp_path):
    for name in ("shot2_10.png", "shot2_9.png", "shot2_0100.png", "shot2_9.hints.png", "cover.png"):
        save(tmp_path / name)
    (tmp_path / "notes9.txt").write_text("no picture")
    with opened_shot(tmp_path) as shot:
        assert [frame.name for frame in shot.frames] == ["shot2_9", "shot2_10", "shot2_0100"]
        assert [frame.number for frame in shot.frames] == [9, 10, 100]
        assert shot.frames[0].seconds is None
        np.testing.assert_array_equal(shot.frames[0].drawing(), draw_frame(10)[0])
    assert shot.notes == ("pictures without a number left out: 1", "numbers without a frame: 89")


def test_two_frames_of_one_number_are_told(tmp_path):
    save(tmp_path / "a1.png")
    save(tmp_path / "b01.png")
    with pytest.raises(ValueError, match="expected one frame of each number, got .*1.png and"):
        with opened_shot(tmp_path):
            raise AssertionError


@pytest.mark.parametrize("name", [None, "cover.png"])
def test_a_folder_without_frames_is_told(tmp_path, name):
    if name:
        save(tmp_path / name)
    message = f"no frames. Expected pictures with numbers .* got {int(bool(name))} pictures"
    with pytest.raises(ValueError, match=message):
        with opened_shot(tmp_path):
            raise AssertionError


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file or folder. Pass a folder of frames"):
        with opened_shot(tmp_path / "nowhere"):
            raise AssertionError


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_animated_pictures_keep_their_times(tmp_path, suffix):
    options = {"lossless": True} if suffix == ".webp" else {}
    with opened_shot(animation(tmp_path / f"shot{suffix}", **options)) as shot:
        assert [frame.seconds for frame in shot.frames] == [0.1, 0.2, 0.1, 0.3]
        assert [frame.number for frame in shot.frames] == [0, 1, 2, 3]
        np.testing.assert_array_equal(shot.frames[2].drawing(), draw_frame(18)[0])
        folder = shot.frames[0].path.parent
    assert not folder.exists()


def test_one_picture_is_a_shot_of_one_frame(tmp_path):
    save(tmp_path / "page.png")
    with opened_shot(tmp_path / "page.png") as shot:
        assert len(shot.frames) == 1 and shot.notes == ("one picture, no animation",)


def test_an_animation_that_is_cut_off_gives_what_is_there(tmp_path):
    data = animation(tmp_path / "shot.gif").read_bytes()
    (tmp_path / "shot.gif").write_bytes(data[: len(data) * 3 // 5])
    with opened_shot(tmp_path / "shot.gif") as shot:
        assert 1 <= len(shot.frames) < 4
        assert shot.notes[0].startswith(f"cut off after {len(shot.frames)} frames")


def test_a_video_keeps_its_rate(tmp_path):
    with opened_shot(video(tmp_path / "shot.mp4")) as shot:
        assert len(shot.frames) == 5
        assert [frame.seconds for frame in shot.frames] == pytest.approx([0.08] * 5)
        off = np.abs(shot.frames[3].drawing().astype(int) - draw_frame(22)[0])
        assert np.median(off) < 6
    assert shot.notes == ("sound, if there is any, is not copied",)


def test_a_video_that_cannot_be_read_is_told(tmp_path):
    data = video(tmp_path / "shot.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="cut.mp4: expected a readable video, got one that is dam"):
        with opened_shot(tmp_path / "cut.mp4"):
            raise AssertionError


@pytest.mark.parametrize("make", [animation, video])
def test_frames_that_are_too_large_are_refused(tmp_path, make):
    path = make(tmp_path / ("shot.mp4" if make is video else "shot.gif"))
    with pytest.raises(ValueError, match="expected at most 1000 pixels.*, got 96 x 64"):
        with opened_shot(path, max_pixels=1000):
            raise AssertionError

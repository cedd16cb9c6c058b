"""Files of keys and hints find their frames."""

import numpy as np
import pytest
from PIL import Image
from tiny_shot import draw_frame, write_shot

from sketch2paint.animation.key_files import hint_files, key_files, key_trouble
from sketch2paint.animation.shots import opened_shot


@pytest.fixture
def frames(tmp_path):
    write_shot(tmp_path)
    with opened_shot(tmp_path / "lines") as shot:
        return shot.frames


def test_keys_are_found_by_name_or_number(tmp_path, frames):
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("0002.png", "key_4.jpg", "0005.hints.png", "5.colours.png"):
        Image.fromarray(draw_frame(10)[1]).save(keys / name)
    found, troubles = key_files(keys, frames)
    assert {place: path.name for place, path in found.items()} == {
        2: "0002.png", 4: "key_4.jpg", 5: "5.colours.png",
    }  # fmt: skip
    assert not troubles
    assert key_files(keys / "0002.png", frames)[0] == {2: keys / "0002.png"}


def test_keys_of_no_frame_and_of_one_frame_are_told(tmp_path, frames):
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("0099.png", "cover.png", "0002.png", "b2.png"):
        (keys / name).write_bytes(b"")
    found, troubles = key_files(keys, frames)
    assert found == {2: keys / "0002.png"}
    assert "0099.png: expected a key under a frame's name or number, 0000 to 0005" in troubles[0]
    assert "b2.png: expected one key for frame 0002, got 0002.png as well" in troubles[1]
    assert "cover.png: expected a key under" in troubles[2]


def test_missing_or_empty_places_are_told(tmp_path, frames):
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder. Pass keys=DIR"):
        key_files(tmp_path / "nowhere", frames)
    with pytest.raises(ValueError, match="nothing for `hints` in this folder"):
        (tmp_path / "empty").mkdir()
        hint_files(tmp_path / "empty", frames)


def test_hints_are_found_beside_the_frames_or_in_a_folder(tmp_path, frames):
    assert hint_files("auto", frames) == ({}, [])
    for place in (tmp_path / "lines/0003.hints.json", tmp_path / "told/3.json"):
        place.parent.mkdir(exist_ok=True)
        place.write_text("{}")
    assert hint_files("auto", frames)[0] == {3: tmp_path / "lines/0003.hints.json"}
    assert hint_files(tmp_path / "told", frames)[0] == {3: tmp_path / "told/3.json"}


def test_what_does_not_fit_its_frame_is_told_with_the_share(tmp_path, frames):
    own, other = tmp_path / "colour/0001.png", tmp_path / "other.png"
    assert key_trouble(frames[1], own) == ("", True)
    Image.fromarray(np.roll(draw_frame(10)[1], (-9, 20), (0, 1))).save(other)
    words, usable = key_trouble(frames[1], other)
    assert "expected the edges of its colours on the lines of 0001.png, got " in words
    assert "% elsewhere. Name it after the frame it colours." in words and not usable
    Image.new("RGB", (48, 64)).save(other)
    words, usable = key_trouble(frames[1], other)
    assert "expected a key of its frame's size, 96 x 64, got 48 x 64" in words and not usable
    other.write_bytes(b"no picture")
    words, usable = key_trouble(frames[1], other)
    assert "expected a readable picture" in words and not usable


def test_a_doubtful_key_is_used_and_said(tmp_path, frames):
    picture = draw_frame(10)[1].copy()
    picture[2:8, 50:90] = (200, 0, 200)
    picture[54:60, 50:90] = (200, 0, 200)
    Image.fromarray(picture).save(tmp_path / "key.png")
    words, usable = key_trouble(frames[0], tmp_path / "key.png")
    assert usable and "Look whether it is this frame." in words

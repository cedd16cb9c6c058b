"""The page of frames to look at."""

import numpy as np
from PIL import Image
from tiny_shot import draw_frame

from sketch2paint.animation import frames_page
from sketch2paint.animation.frames_page import MARK, marked, write_unsure


def entry(name, *areas):
    unsure = [{"box": [30, 22, 20, 20], "area": area, "confidence": 0.25} for area in areas]
    return {"frame": name, "unsure": unsure}


def test_frames_with_most_to_look_at_come_first(tmp_path, monkeypatch):
    for name in ("0001", "0002", "0003"):
        Image.fromarray(draw_frame(20)[1]).save(tmp_path / f"{name}.png")
    entries = [entry("0001", 40), entry("0002", 10, 90), entry("0003", 60)]
    write_unsure(tmp_path / "animate.html", entries)
    text = (tmp_path / "animate.html").read_text("utf-8")
    assert text.index("0002: 2 regions") < text.index("0003: 1 region") < text.index("0001: 1 reg")
    assert "Pink frames stand around regions whose colour is unsure" in text
    assert text.count('class="card"') == 3 and 'data-full="0002.png"' in text
    monkeypatch.setattr(frames_page, "MOST", 1)
    write_unsure(tmp_path / "animate.html", entries)
    assert (tmp_path / "animate.html").read_text("utf-8").count('class="card"') == 1


def test_unsure_regions_are_framed_and_the_rest_is_pale():
    picture = draw_frame(20)[1]
    shown = marked(picture, entry("", 9)["unsure"])
    assert (shown[30, 35] == picture[30, 35]).all()
    assert tuple(shown[21, 40]) == MARK
    assert (shown[5, 5] > picture[5, 5]).any()
    np.testing.assert_array_equal(picture, draw_frame(20)[1])

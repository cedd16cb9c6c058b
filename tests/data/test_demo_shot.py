"""The generated shot: on twos, one cut, the same each time, its lines in its colours."""

import numpy as np
from PIL import Image

from sketch2paint.data.demo_shot import CUT, FRAMES, draw_shot, write_shot


def test_a_shot_is_drawn_on_twos_with_a_cut():
    frames = list(draw_shot(0, size=64))
    assert len(frames) == FRAMES
    change = [
        np.abs(one[1].astype(int) - other[1]).mean()
        for one, other in zip(frames, frames[1:], strict=False)
    ]
    assert not any(change[::2]) and all(change[1::2])
    assert change[CUT - 1] > 1.2 * np.median(change[1::2])


def test_eyes_close_and_an_animal_is_hidden():
    frames = list(draw_shot(0, size=128))
    (opened, _), (closed, _) = frames[6], frames[8]
    blue = [
        (picture[..., 2] > picture[..., 0].astype(int) + 60).sum() for picture in (opened, closed)
    ]
    assert blue[1] < blue[0]


def test_dark_lines_are_in_the_colours():
    colour, sketch = next(draw_shot(1, size=64))
    assert colour[sketch < 10].max() < 120 < colour[sketch == 255].mean()


def test_a_shot_is_written_in_two_folders(tmp_path):
    root = write_shot(tmp_path / "shot", seed=3, size=32)
    for kind in ("lines", "colour"):
        assert len(list((root / kind).glob("*.png"))) == FRAMES
    drawn = next(draw_shot(3, size=32))
    np.testing.assert_array_equal(np.asarray(Image.open(root / "lines/0000.png")), drawn[1])
    np.testing.assert_array_equal(np.asarray(Image.open(root / "colour/0000.png")), drawn[0])

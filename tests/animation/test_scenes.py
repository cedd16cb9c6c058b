"""A first look at a shot: held drawings, cuts, frames that cannot be coloured."""

import numpy as np
import pytest
from PIL import Image
from tiny_shot import draw_frame

from sketch2paint.animation.motion import LinePicture
from sketch2paint.animation.scenes import Look, look_through, scenes, unlike
from sketch2paint.animation.shots import opened_shot
from sketch2paint.data.demo_shot import CUT, draw_shot


@pytest.fixture
def shot(tmp_path):
    """Four drawings on twos, numbered from 10."""
    for number in range(8):
        Image.fromarray(draw_frame(10 + 4 * (number // 2))[0]).save(tmp_path / f"{number + 10}.png")
    return tmp_path


def look(folder, cuts=None):
    with opened_shot(folder) as shot:
        return list(look_through(shot.frames, cuts))


def test_held_drawings_have_one_digest(shot):
    digests = [each.digest for each in look(shot)]
    assert len(set(digests)) == 4 and digests[::2] == digests[1::2]


def test_motion_is_no_cut_and_another_drawing_is(shot):
    assert scenes(look(shot)) == [[*range(8)]]
    other = Image.fromarray(np.random.default_rng(0).permutation(draw_frame(20)[0].T).T)
    other.save(shot / "14.png")
    assert scenes(look(shot)) == [[0, 1, 2, 3], [4], [5, 6, 7]]


def test_cuts_are_taken_as_given(shot):
    assert scenes(look(shot, [13, 14])) == [[0, 1, 2], [3], [4, 5, 6, 7]]
    assert scenes(look(shot, [])) == [[*range(8)]]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_the_cut_of_a_generated_shot_is_found(seed):
    lines = [LinePicture(sketch) for _, sketch in draw_shot(seed, size=128)]
    far = [unlike(one, other) > 0.12 for one, other in zip(lines, lines[1:], strict=False)]
    assert [number + 1 for number, cut in enumerate(far) if cut] == [CUT]


def test_frames_that_cannot_be_coloured_are_told_and_the_rest_go_on(shot):
    (shot / "12.png").write_bytes(b"no picture")
    Image.new("L", (50, 64)).save(shot / "15.png")
    looks = look(shot)
    assert "12.png: expected a readable picture" in looks[2].trouble
    assert looks[5].trouble.endswith(
        "expected a frame of the first one's size, 96 x 64, got 50 x 64. Scale it, or colour it "
        "with predict.py."
    )
    assert scenes(looks) == [[0, 1, 3, 4, 6, 7]]
    for cut in (12, 15):
        assert scenes(look(shot, [cut])) == [
            [n for n in (0, 1, 3, 4, 6, 7) if n + 10 < cut],
            [n for n in (0, 1, 3, 4, 6, 7) if n + 10 > cut],
        ]


def test_a_cut_at_a_frame_that_cannot_be_read_is_a_cut_all_the_same():
    looks = [Look("a", True), Look(begins=True, trouble="damaged"), Look("b"), Look("b")]
    assert scenes(looks) == [[0], [2, 3]]


def test_drawings_without_lines_are_alike():
    blank = LinePicture(np.full((40, 40), 255, np.uint8))
    assert unlike(blank, blank) == 0

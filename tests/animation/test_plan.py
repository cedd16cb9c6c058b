"""What is planned for a shot: scenes, keys, and what each frame's colours come from."""

import pytest
from PIL import Image
from tiny_shot import draw_frame, write_shot

from sketch2paint.animation.plan import plan_shot
from sketch2paint.animation.shots import opened_shot
from sketch2paint.hints.format import Hints, write_hints
from sketch2paint.images.io import read_rgb


@pytest.fixture
def root(tmp_path):
    return write_shot(tmp_path, count=8)


def plan(root, **options):
    with opened_shot(root / "lines") as shot:
        return plan_shot(shot, **options)


def keys(root, *numbers):
    folder = root / "keys"
    folder.mkdir(exist_ok=True)
    for number in numbers:
        (folder / f"{number}.png").write_bytes((root / f"colour/{number:04d}.png").read_bytes())
    return folder


def test_keys_and_scenes_are_found(root):
    found = plan(root, keys=keys(root, 0, 5), cuts=[4])
    assert found.scenes == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert {place: source.kind for place, source in found.sources.items()} == {0: "key", 5: "key"}
    assert found.failed == ()


def test_a_scene_without_a_key_is_painted_or_told(root):
    found = plan(root, keys=keys(root, 0), cuts=[4, 6])
    assert found.scenes == ((0, 1, 2, 3),)
    assert found.failed == (
        "frames 0004 to 0005: expected a key in this scene, got none. Put one of its frames in "
        "colour into `keys`, pass a `checkpoint`, or tell the `cuts`.",
        found.failed[0].replace("0004 to 0005", "0006 to 0007"),
    )
    found = plan(root, keys=keys(root, 0), cuts=[4, 6], checkpoint="runs/a")
    assert [found.sources[place].kind for place in (0, 4, 6)] == ["key", "painted", "painted"]


def test_a_shot_whose_colours_cannot_be_known_is_refused(root):
    with pytest.raises(ValueError, match="Expected a frame whose colours are known, got none"):
        plan(root, hints="auto")
    folder = root / "keys"
    folder.mkdir()
    (folder / "77.png").write_bytes(b"")
    with pytest.raises(
        ValueError, match="77.png: expected a key under a frame's name.*\n.*got none"
    ):
        plan(root, keys=folder)


def test_cuts_are_frames(root):
    with pytest.raises(ValueError, match="Expected `cuts` to be numbers of frames .* got 9"):
        plan(root, keys=keys(root, 0), cuts=[4, 9])


def test_a_key_stands_above_hints_of_its_frame(root):
    for number in (0, 3):
        write_hints(root / f"lines/{number:04d}.hints.json", Hints((96, 64)))
    (root / "lines/0005.hints.json").write_text("no hints")
    found = plan(root, keys=keys(root, 3), hints="auto")
    assert {place: source.kind for place, source in found.sources.items()} == {0: "hints", 3: "key"}
    assert len(found.failed) == 1 and "0005.hints.json" in found.failed[0]


def test_what_is_wrong_with_keys_is_told_and_the_rest_done(root):
    folder = keys(root, 0)
    Image.new("RGB", (9, 9)).save(folder / "3.png")
    doubtful = draw_frame(14)[1].copy()
    doubtful[2:8, 60:90] = doubtful[54:60, 50:90] = (200, 0, 200)
    Image.fromarray(doubtful).save(folder / "2.png")
    (root / "lines/0006.png").write_bytes(b"")
    found = plan(root, keys=folder)
    assert sorted(found.sources) == [0, 2]
    assert "3.png: expected a key of its frame's size" in found.failed[0]
    assert "0006.png: expected a readable picture" in found.failed[1]
    assert "Look whether it is this frame." in found.notes[0]
    assert found.scenes == ((0, 1, 2, 3, 4, 5, 7),)


def test_a_shot_in_colour_is_told(root):
    assert plan(root, keys=keys(root, 0)).notes == ()
    for number in range(8):
        data = (root / f"colour/{number:04d}.png").read_bytes()
        (root / f"lines/{number:04d}.png").write_bytes(data)
    found = plan(root, keys=root / "keys")
    assert found.notes == ("frames in colour already: their lightness is taken for the drawing",)
    assert found.skipped == frozenset() and len(found.scenes[0]) == 8
    found = plan(root, keys=root / "keys", coloured="skip")
    assert found.skipped == set(range(8)) and found.scenes == found.notes == found.failed == ()
    with pytest.raises(ValueError, match="`coloured` to be one of skip, paint, got 'leave'"):
        plan(root, keys=root / "keys", coloured="leave")


def test_scenes_in_colour_are_skipped_as_a_whole(root):
    for number in (0, 4, 5, 6):
        data = (root / f"colour/{number:04d}.png").read_bytes()
        (root / f"lines/{number:04d}.png").write_bytes(data)
    found = plan(root, keys=keys(root, 0, 4), cuts=[4], coloured="skip")
    assert found.scenes == ((0, 1, 2, 3),) and found.skipped == {4, 5, 6, 7}
    assert found.notes == ("frames in colour already: their lightness is taken for the drawing",)


def test_a_frame_depends_on_its_drawing_and_the_keys_that_are_asked_alone(root):
    folder = keys(root, 1, 3, 5)
    before = plan(root, keys=folder).made_of(False)
    for number, changed in ((5, [4, 5, 6, 7]), (1, [0, 1, 2, 4]), (3, [0, 2, 3, 4, 6, 7])):
        picture = read_rgb(folder / f"{number}.png").copy()
        picture[2, 2] = number
        Image.fromarray(picture).save(folder / f"{number}.png")
        after = plan(root, keys=folder).made_of(False)
        assert [place for place in before if before[place] != after[place]] == changed
        before = after
    assert after != plan(root, keys=folder).made_of(True)

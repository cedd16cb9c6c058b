"""Hints as JSON and as overlays: each read into the other, and every error that can be met."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from odd_pictures import swapped_profile
from PIL import Image
from whole_program import ROOT

from sketch2paint.hints.format import Hints, marks, read_hints, write_hints
from sketch2paint.hints.strokes import Stroke

EXAMPLE: dict[str, Any] = {
    "version": 1,
    "size": [100, 50],
    "gap": 2.5,
    "palette": ["#ffffff", "#102030"],
    "hints": [
        {"points": [[10, 10], [60.5, 20.25]], "width": 8, "color": "#e03030"},
        {"points": [[40, 30]], "width": 12, "color": "paper"},
        {"points": [[5, 5], [5, 40]], "width": 1, "color": "cut"},
        {"points": [[70, 9], [90, 9]], "width": 2, "color": "merge"},
    ],
}
RED = (224, 48, 48)
STROKES = (Stroke(((10, 10), (60.5, 20.25)), 8, RED), Stroke(((40, 30),), 12, None))
HINTS = Hints(
    (100, 50),
    STROKES,
    gap=2.5,
    palette=((255, 255, 255), (16, 32, 48)),
    cuts=(Stroke(((5, 5), (5, 40)), 1, None),),
    merges=(Stroke(((70, 9), (90, 9)), 2, None),),
)


def generated(seed: int, overlap: bool = True) -> Hints:
    """Random dots, lines and curves, of colours well apart or, without overlap, of any colours."""
    rng = np.random.default_rng(seed)
    width, height = (int(side) for side in rng.integers(20, 160, 2))
    hints = Hints((width, height), gap=float(rng.integers(0, 9)) / 2)
    taken = np.zeros((height, width), np.uint8)
    for _ in range(rng.integers(1, 25)):
        points = rng.uniform(0, (width - 1, height - 1), (rng.integers(1, 5), 2)).round(2)
        levels = rng.integers(0, 6, 3) * 51 if overlap else rng.integers(0, 256, 3)
        color = tuple(int(level) for level in levels)
        stroke = Stroke(
            tuple(map(tuple, points.tolist())),
            float(rng.choice([1, 2.5, 4, 9, 17])),
            None if rng.random() < 0.2 else color,  # type: ignore[arg-type]
        )
        drawn = (marks(replace(hints, strokes=(stroke,))) > 0).astype(np.uint8)
        if overlap or not (cv2.dilate(taken, np.ones((3, 3))) & drawn).any():
            taken |= drawn
            hints = replace(hints, strokes=(*hints.strokes, stroke))
    return hints


def test_the_room_needs_no_torch() -> None:
    code = "import sys, sketch2paint.hints.format; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


# ---------------------------------------------------------------- JSON


def test_json_is_read_and_written_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(EXAMPLE))
    assert read_hints(tmp_path / "a.json") == HINTS
    write_hints(tmp_path / "b.json", HINTS)
    text = (tmp_path / "b.json").read_text()
    assert json.loads(text) == EXAMPLE
    assert text.count("\n") == 6  # a stroke a line
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json"}


def test_the_example_of_the_docs_is_read() -> None:
    (example,) = re.findall("```json\n(.*?)```", (ROOT / "docs/hints.md").read_text(), re.S)
    hints = Hints.from_json(example)
    assert hints.size == (640, 480) and hints.notes == ()
    assert [stroke.color for stroke in hints.strokes] == [RED, None]
    assert len(hints.cuts) == len(hints.merges) == 1


def test_gap_and_palette_may_be_missing_or_null() -> None:
    bare = {key: EXAMPLE[key] for key in ("version", "size", "hints")}
    expected = Hints((100, 50), STROKES, cuts=HINTS.cuts, merges=HINTS.merges)
    assert Hints.from_json(json.dumps(bare)) == expected
    assert Hints.from_json(json.dumps({**bare, "gap": None, "palette": None})) == expected
    assert json.loads(expected.to_json()) == {**bare, "gap": None, "palette": None}
    assert json.loads(Hints((3, 4)).to_json())["hints"] == []


def test_json_of_other_editors_is_read() -> None:
    text = json.dumps(EXAMPLE, indent=2)
    assert Hints.from_json(text.encode("utf-8-sig")) == HINTS  # Notepad
    assert Hints.from_json(text.encode("utf-16")) == HINTS


def test_white_is_paper_in_json_too() -> None:
    white = {"points": [[1, 2]], "width": 3, "color": "#FFFFFF"}
    hints = Hints.from_json(json.dumps({**EXAMPLE, "hints": [white]}))
    assert hints.strokes[0].color is None


def test_points_outside_are_moved_with_a_note() -> None:
    hint = {"points": [[-4, 10], [20, 99], [20, 20]], "width": 3, "color": "paper"}
    hints = Hints.from_json(json.dumps({**EXAMPLE, "hints": [hint]}))
    assert hints.strokes[0].points == ((0, 10), (20, 49), (20, 20))
    assert hints.notes == ("points outside of the drawing moved to its edge: 2",)


@pytest.mark.parametrize("seed", range(30))
def test_generated_hints_are_the_same_after_json(seed: int) -> None:
    hints = generated(seed)
    text = hints.to_json()
    assert Hints.from_json(text) == hints
    assert Hints.from_json(text).to_json() == text


# ---------------------------------------------------------------- overlays


def test_later_strokes_lie_over_earlier_ones() -> None:
    first, second = Stroke(((2, 1), (6, 1)), 1, RED), Stroke(((4, 0), (4, 2)), 1, None)
    hints = Hints((8, 3), (first, second))
    expected = [[0, 0, 0, 0, 2, 0, 0, 0], [0, 0, 1, 1, 2, 1, 1, 0], [0, 0, 0, 0, 2, 0, 0, 0]]
    assert marks(hints).tolist() == expected and marks(hints).dtype == np.int32
    assert hints.colours.tolist() == [[255, 255, 255], [*RED], [255, 255, 255]]
    overlay = hints.overlay()
    assert overlay.shape == (3, 8, 4) and overlay.dtype == np.uint8
    assert overlay[0, 0].tolist() == [0, 0, 0, 0]
    assert overlay[1, 2].tolist() == [*RED, 255]
    assert overlay[1, 4].tolist() == [255, 255, 255, 255]


@pytest.mark.parametrize("seed", range(30))
def test_strokes_without_overlap_are_the_same_after_an_overlay(seed: int, tmp_path: Path) -> None:
    hints = generated(seed, overlap=False)
    write_hints(tmp_path / "a.png", hints)
    read = read_hints(tmp_path / "a.png")
    assert read.size == hints.size and read.notes == ()
    np.testing.assert_array_equal(read.overlay(), hints.overlay())
    assert len(read.strokes) == len(hints.strokes)
    assert {s.color for s in read.strokes} == {s.color for s in hints.strokes}


@pytest.mark.parametrize("seed", range(30))
def test_any_strokes_are_the_same_picture_after_an_overlay_and_json(seed: int) -> None:
    overlay = generated(seed).overlay()
    read = Hints.from_json(Hints.from_overlay(overlay).to_json())
    np.testing.assert_array_equal(read.overlay(), overlay)


def test_dots_and_plain_lines_stay_small(tmp_path: Path) -> None:
    strokes = (Stroke(((20, 20), (150, 60)), 7, RED), Stroke(((60, 90),), 12, None))
    write_hints(tmp_path / "a.png", Hints((200, 120), strokes))
    read = read_hints(tmp_path / "a.png")
    assert [len(stroke.points) for stroke in read.strokes] == [2, 1]
    assert len(read.to_json()) < 250


def test_white_in_an_overlay_is_paper() -> None:
    rgba = np.zeros((20, 20, 4), np.uint8)
    rgba[5:15, 5:15] = 255
    (stroke,) = Hints.from_overlay(rgba).strokes
    assert stroke.color is None


def test_a_wholly_transparent_overlay_has_no_hints() -> None:
    hints = Hints.from_overlay(np.zeros((20, 30, 4), np.uint8))
    assert hints == Hints((30, 20))
    assert hints.notes == ("wholly transparent: no hints",)


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "tga"])
def test_overlays_of_other_formats(tmp_path: Path, suffix: str) -> None:
    overlay = generated(1).overlay()
    options = {"lossless": True} if suffix == "webp" else {}
    Image.fromarray(overlay).save(tmp_path / f"a.{suffix}", **options)
    np.testing.assert_array_equal(read_hints(tmp_path / f"a.{suffix}").overlay(), overlay)


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_overlays_of_other_modes(tmp_path: Path, mode: str) -> None:
    picture = Image.new(mode, (30, 20), 0 if mode == "P" else (0, 0))
    if mode == "P":
        picture.putpalette([0, 0, 0, *RED])
        picture.paste(1, (5, 5, 15, 15))
        picture.info["transparency"] = 0
    else:
        picture.paste((90, 255), (5, 5, 15, 15))
    picture.save(tmp_path / "a.png")
    (stroke,) = read_hints(tmp_path / "a.png").strokes
    assert stroke.color == (RED if mode == "P" else (90, 90, 90))


def test_overlays_are_turned_upright(tmp_path: Path) -> None:
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[2:6, 3:30] = (*RED, 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    Image.fromarray(rgba).save(tmp_path / "a.png", exif=exif)
    read = read_hints(tmp_path / "a.png")
    np.testing.assert_array_equal(read.overlay(), np.rot90(rgba, -1))
    for compression in ("raw", "tiff_lzw"):
        options = {"tiffinfo": {0x0112: 6}, "compression": compression}
        Image.fromarray(rgba).save(tmp_path / "a.tif", **options)
        np.testing.assert_array_equal(read_hints(tmp_path / "a.tif").overlay(), np.rot90(rgba, -1))


def test_colours_of_an_overlay_are_converted_to_srgb(tmp_path: Path) -> None:
    rgba = np.zeros((20, 40, 4), np.uint8)
    rgba[2:6, 3:30] = (255, 0, 0, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png", icc_profile=swapped_profile())
    (stroke,) = read_hints(tmp_path / "a.png").strokes
    assert stroke.color is not None
    assert np.abs(np.array(stroke.color) - (0, 255, 0)).max() <= 2
    Image.fromarray(rgba).save(tmp_path / "b.png", icc_profile=b"none")
    assert "ICC profile left out" in read_hints(tmp_path / "b.png").notes[0]


def test_of_an_animation_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [Image.fromarray(generated(seed).overlay()).resize((30, 30)) for seed in (1, 2)]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    assert read_hints(tmp_path / "a.png").notes == ("first of several frames",)


# ---------------------------------------------------------------- another size


def test_hints_are_scaled_with_a_note() -> None:
    fitted = HINTS.fitted((200, 100))
    assert fitted.strokes[0].points == ((20.5, 20.5), (121.5, 41.0))
    assert fitted.strokes[0].width == 16 and fitted.gap == 5 and fitted.size == (200, 100)
    assert fitted.palette == HINTS.palette and fitted.cuts[0].points == ((10.5, 10.5), (10.5, 80.5))
    assert fitted.merges[0].width == 4
    assert fitted.notes == ("hints scaled from 100 x 50 to 200 x 100",)
    assert HINTS.fitted((100, 50)) is HINTS


def test_scaled_overlays_leave_no_holes() -> None:
    rgba = np.zeros((40, 60, 4), np.uint8)
    rgba[5:30, 7:50], rgba[12:20, 20:33] = (*RED, 255), 0
    for factor in (0.5, 1.5, 2, 3.7):
        size = round(60 * factor), round(40 * factor)
        expected = cv2.resize(rgba[..., 3], size, interpolation=cv2.INTER_NEAREST)
        apart = Hints.from_overlay(rgba).fitted(size).overlay()[..., 3] != expected
        edge = cv2.morphologyEx(expected, cv2.MORPH_GRADIENT, np.ones((7, 7)))
        assert not (apart & (edge == 0)).any()


@pytest.mark.parametrize(("own", "other"), [((500, 333), (1000, 667)), ((80, 2000), (801, 20000))])
def test_a_side_that_was_rounded_is_no_other_shape(
    own: tuple[int, int], other: tuple[int, int]
) -> None:
    assert Hints(own).fitted(other).size == other
    assert Hints(other).fitted(own).size == own


@pytest.mark.parametrize("size", [(50, 100), (100, 53), (1000, 530)])
def test_another_shape_is_an_error(size: tuple[int, int]) -> None:
    said = (
        f"drawing of {size[0]} x {size[1]} pixels, or of that shape, got hints for 100 x 50. Pass"
    )
    with pytest.raises(ValueError, match=said):
        HINTS.fitted(size)


# ---------------------------------------------------------------- what is wrong with a file


def with_hint(**changes: Any) -> dict[str, Any]:
    return {**EXAMPLE, "hints": [EXAMPLE["hints"][1], {**EXAMPLE["hints"][1], **changes}]}


WRONG = {
    "[1, 2]": r"expected an object with the keys `version`, .*got \[1, 2\]\. Write it like",
    "{": r"expected hints as JSON, got b'{' .*\. Pass a file that sketch2paint wrote",
    "\x00": "expected hints as JSON, got",
    "[" * 100_000: "expected hints as JSON, got",
    json.dumps({**EXAMPLE, "version": 2}): "hints of version 1, got version 2. Read them with",
    json.dumps({**EXAMPLE, "version": True}): "hints of version 1, got version True",
    json.dumps({"version": 1, "size": [1, 2]}): "got no `hints`. Add it",
    json.dumps({**EXAMPLE, "pallete": []}): "got 'pallete'. Write 'palette' if that is meant",
    json.dumps({**EXAMPLE, "size": [100]}): r"expected `size` to be .*, got \(100,\)\. Pass two",
    json.dumps({**EXAMPLE, "size": [100, -5]}): r"expected `size` to be .*, got \(100, -5\)",
    json.dumps({**EXAMPLE, "size": [100, 5.5]}): r"expected `size` to be .*, got \(100, 5.5\)",
    json.dumps({**EXAMPLE, "size": [10**400, 5]}): r"Pass two whole numbers from 1 to 1,000,000\.",
    json.dumps({**EXAMPLE, "size": "big"}): "expected `size` to be a list, got 'big'. Put it in",
    json.dumps({**EXAMPLE, "gap": -1}): "expected `gap` to be a number of pixels from 0 on, got -1",
    json.dumps({**EXAMPLE, "gap": "2"}): "expected `gap` to be a finite number, got '2'",
    json.dumps({**EXAMPLE, "palette": "#102030"}): "expected `palette` to be a list, got '#10",
    json.dumps({**EXAMPLE, "palette": ["red"]}): "`palette`: expected a colour like .*got 'red'",
    json.dumps({**EXAMPLE, "hints": {}}): "expected `hints` to be a list, got {}",
    json.dumps({**EXAMPLE, "hints": [7]}): "hint 1: expected an object .*got 7",
    json.dumps(with_hint(opacity=1)): "hint 2: expected no keys but .*, got 'opacity'",
    json.dumps(with_hint(color="cuts")): '"paper", "cut" or "merge", got \'cuts\'\\. Write #',
    json.dumps(with_hint(color="#fff")): "hint 2: expected a colour like .*got '#fff'. Write #",
    json.dumps(with_hint(width=0)): "hint 2: expected `width` to be a number of pixels above 0",
    json.dumps(with_hint(width="8")): "hint 2: expected `width` to be a finite number, got '8'",
    json.dumps(with_hint(width=float("nan"))): "hint 2: expected `width` to be a finite number",
    json.dumps(with_hint(points=[[1, float("inf")]])): "hint 2: expected y of `points` to be a fin",
    json.dumps(with_hint(points=[10, 20])): r"hint 2: expected `points` to be .*\[\[10, 20\]\]",
    json.dumps(with_hint(points=[[100, 20], [-3, 4]])): (
        r"hint 2: expected points within the drawing's 100 x 50 pixels, got none, but \[100.0, 20"
    ),
    json.dumps({**EXAMPLE, "hints": [EXAMPLE["hints"][1]] * 10_001}): (
        "expected at most 10,000 strokes, got 10,001. Leave some out"
    ),
}


@pytest.mark.parametrize(("text", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_errors_name_the_file_and_what_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "page.hints.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as caught:
        read_hints(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 + len(str(path))


ODD = [None, True, 0, -1, 1e308, float("nan"), 10**400, "x", "#ffffff", [], {}, [[1, 2]], [3, 4]]


def changed(value: Any, rng: random.Random) -> Any:
    """The same value, but something odd at some place in it."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.2:
        return rng.choice(ODD)
    place = rng.choice(list(value) if isinstance(value, dict) else range(len(value)))
    copy: Any = value.copy()
    copy[place] = changed(value[place], rng)
    return copy


def test_whatever_a_file_says_is_read_or_told_in_one_line() -> None:
    rng, told = random.Random(0), 0
    for _ in range(1000):
        try:
            hints = Hints.from_json(json.dumps(changed(EXAMPLE, rng)))
        except ValueError as error:
            assert re.search("[Ee]xpected .*, got .*[.]$", str(error)) and len(str(error)) < 400
            told += 1
        else:
            assert Hints.from_json(hints.to_json()) == hints
    assert told > 700


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_an_opaque_picture_is_no_overlay(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", (20, 20), "red").save(path)
    said = "transparent where no stroke is, got an opaque picture. Paint the strokes on an empty"
    with pytest.raises(ValueError, match=f"{path}: expected an overlay that is {said}"):
        read_hints(path)


def test_a_picture_of_more_than_ten_thousand_areas_is_no_overlay(tmp_path: Path) -> None:
    rgba = np.zeros((202, 202, 4), np.uint8)
    rgba[::2, ::2] = (*RED, 255)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="a.png: expected at most 10,000 strokes, got more areas"):
        read_hints(tmp_path / "a.png")


def test_what_is_neither_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no hints")
    with pytest.raises(ValueError, match="a.txt: expected a readable picture, got"):
        read_hints(tmp_path / "a.txt")
    with pytest.raises(FileNotFoundError):
        read_hints(tmp_path / "none.json")


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    full = Hints((10, 10), (Stroke(((5, 5),), 40, RED),))
    (tmp_path / "a.png").write_text("old")
    with pytest.raises(ValueError, match=r"a.png: expected strokes that leave some .* Write .json"):
        write_hints(tmp_path / "a.png", full)
    with pytest.raises(ValueError, match=r"a.jpg: expected a name that ends in .json or .png"):
        write_hints(tmp_path / "a.jpg", HINTS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_text() == "old"

"""Every planted fault is found, and nothing else is reported."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from sketch2paint.data import checks
from sketch2paint.data.checks import HEADINGS, cheap_check, contact_sheet, inspect, report_text
from sketch2paint.data.sources import Source

SIZE = 128
REAL = Path(__file__).parents[3] / "shared" / "data"  # pictures beside the checkout, if there


def draw_halves(seed):
    """Colours and sketch, RGB pictures of SIZE: a few shapes each, at places of their own."""
    rng = np.random.default_rng(seed)
    colour = Image.new("RGB", (SIZE, SIZE), "white")
    sketch = Image.new("RGB", (SIZE, SIZE), "white")
    for _ in range(5):
        x, y, w, h = rng.integers((4, 4, 20, 20), (80, 80, 44, 44))
        kind = ("rectangle", "ellipse")[int(rng.integers(2))]
        fill = tuple(int(value) for value in rng.permutation([20, 230, rng.integers(256)]))
        for picture, inside in ((colour, fill), (sketch, "white")):
            draw = getattr(ImageDraw.Draw(picture), kind)
            draw((x, y, x + w, y + h), fill=inside, outline="black", width=2)
    return colour, sketch


def beside(left, right):
    sheet = Image.new("RGB", (left.width + right.width, left.height))
    sheet.paste(left, (0, 0))
    sheet.paste(right, (left.width, 0))
    return sheet


def save_pair(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    beside(*draw_halves(seed)).save(path)


@pytest.fixture
def root(tmp_path):
    """24 good pairs: 18 in train/, 6 in val/."""
    for number in range(24):
        name = f"{'train' if number < 18 else 'val'}/good{number:02d}.png"
        save_pair(tmp_path / name, number)
    return tmp_path


def look_at(root, **source):
    where = Source("pairs", (root,), **source)
    return inspect(where, where.find(0.1, seed=0), workers=2)


def found(report):
    return {key: set(names) for key, names in report.faults.items() if names}


def pairs_of(duplicates):
    return {(frozenset((one.first, one.second)), one.exact) for one in duplicates}


def test_good_pairs_give_a_quiet_report(root):
    report = look_at(root)
    assert found(report) == {} and report.leaks == report.duplicates == []
    assert not report.swapped_set and report.advice == ""
    assert report.counts == {"train": 18, "val": 6}
    assert report.sizes == {f"{SIZE}x{SIZE}": 24}
    assert report.modes == {"RGB": 24} and report.formats == {"PNG": 24}
    assert report_text(report).endswith("Nothing stands out.")


@pytest.fixture
def planted(root, monkeypatch):
    """The good pairs and one of each fault, by the names of HEADINGS."""
    train = root / "train"
    white = Image.new("RGB", (SIZE, SIZE), "white")
    colour, sketch = draw_halves(100)
    beside(sketch, colour).save(train / "swapped.png")
    beside(draw_halves(101)[0], draw_halves(102)[1]).save(train / "foreign.png")
    beside(draw_halves(103)[0], white).save(train / "no lines.png")
    beside(white, draw_halves(104)[1]).save(train / "ohne Färbung.png")
    frames = [beside(*draw_halves(seed)) for seed in (105, 106)]
    frames[0].save(train / "moves.gif", save_all=True, append_images=frames[1:])
    beside(*draw_halves(107)).resize((800, 400)).save(train / "large.png")
    monkeypatch.setattr(checks, "LARGE_PIXELS", 300_000)
    Image.new("RGB", (33, 20)).save(train / "odd.png")
    deep = np.asarray(beside(*draw_halves(108)).convert("L"), np.uint16) << 7  # 15 bits in 16
    Image.fromarray(deep).save(train / "deep.tif")
    (train / "empty.png").touch()
    whole = (train / "good00.png").read_bytes()
    (train / "cut.png").write_bytes(whole[: len(whole) // 2])
    shutil.copy(train / "good01.png", root / "val" / "leak.png")
    beside(*draw_halves(2)).resize((192, 96)).save(root / "val" / "leak.jpg", quality=80)
    shutil.copy(train / "good03.png", train / "twice.png")
    return root


FAULTS = {
    "swapped": {"train/swapped.png"},
    "mismatched": {"train/foreign.png"},
    "blank_sketches": {"train/no lines.png"},
    "blank_colours": {"train/ohne Färbung.png"},
    "animated": {"train/moves.gif"},
    "very_large": {"train/large.png"},
    "guessed": {"train/deep.tif"},
    "bad_files": {"train/odd.png", "train/empty.png", "train/cut.png"},
}
LEAKS = {
    (frozenset(("train/good01.png", "val/leak.png")), True),
    (frozenset(("train/good02.png", "val/leak.jpg")), False),
}


def test_each_planted_fault_is_found_and_nothing_else(planted):
    report = look_at(planted)
    assert found(report) == FAULTS and set(FAULTS) == set(HEADINGS)
    assert pairs_of(report.leaks) == LEAKS
    assert pairs_of(report.duplicates) == {
        (frozenset(("train/good03.png", "train/twice.png")), True)
    }
    assert not report.swapped_set
    assert report.counts == {"train": 29, "val": 8}
    assert report.modes == {"RGB": 34, "P": 1, "I;16": 1} and report.formats["GIF"] == 1
    assert report.faults["animated"]["train/moves.gif"] == "2 frames"
    assert report.faults["very_large"]["train/large.png"] == "800x400"
    assert "largest value is 1/2.01 of the range" in report.faults["guessed"]["train/deep.tif"]
    assert "even width" in report.faults["bad_files"]["train/odd.png"]


def test_the_text_names_leaks_first_and_every_file(planted):
    text = report_text(look_at(planted))
    for names in FAULTS.values():
        assert all(name in text for name in names)
    assert (
        "LEAK: 1 times the same file in train and val:\n  train/good01.png = val/leak.png" in text
    )
    assert "LEAK: 1 times nearly the same colours in train and val" in text
    assert "1 times the same file twice in train" in text
    assert text.index("the same file in") < text.index("nearly the same") < text.index("cannot be")
    assert "Nothing stands out" not in text


def test_the_report_goes_through_json(planted):
    report = look_at(planted)
    back = json.loads(json.dumps(asdict(report)))
    assert back["faults"] == report.faults and back["counts"] == report.counts
    assert back["leaks"][0]["splits"] == ["train", "val"] and back["leaks"][0]["exact"] is True


def test_long_lists_are_cut(root, monkeypatch):
    monkeypatch.setattr(checks, "ROWS_SHOWN", 2)
    for number in range(5):
        (root / f"train/bad{number}.png").touch()
    lines = report_text(look_at(root)).splitlines()
    start = lines.index("5 cannot be used:")
    assert "bad1.png" in lines[start + 2] and lines[start + 3] == "  ... and 3 more"


def test_a_swapped_set_is_told_once_with_the_side(root):
    report = look_at(root, colour_side="right")
    assert report.swapped_set and "data.colour_side=left" in report.advice
    assert found(report) == {}
    assert "HALVES SWAPPED" in report_text(report)
    where = Source("pairs", (root,), "right")
    (warning,) = cheap_check(where, where.find(0.1, 0))
    assert "data.colour_side=left" in warning and "check=true" in warning


def test_two_folders_are_told_to_change_places(tmp_path):
    for number in range(6):
        for folder, half in zip(("c", "s"), draw_halves(number), strict=True):
            (tmp_path / folder).mkdir(exist_ok=True)
            half.save(tmp_path / folder / f"{number}.png")
    right = Source("two_folders", (tmp_path / "c", tmp_path / "s"))
    report = inspect(right, right.find(0.2, 0), workers=1)
    assert found(report) == {} and report.modes == {"RGB": 12}
    wrong = Source("two_folders", (tmp_path / "s", tmp_path / "c"))
    advice = inspect(wrong, wrong.find(0.2, 0), workers=1).advice
    assert "data.colours and data.sketches the other way round" in advice


def test_paintings_are_not_asked_for_sketches(tmp_path):
    for number in range(6):
        draw_halves(number)[0].save(tmp_path / f"{number}.png")
    source = Source("pictures", (tmp_path,))
    splits = source.find(0.2, 0)
    report = inspect(source, splits, workers=1)
    assert found(report) == {} and not report.swapped_set
    assert cheap_check(source, splits) == []
    assert contact_sheet(source, splits).shape == (136, 6 * 132 + 4, 3)


def test_colours_tell_two_drawings_of_one_shape_apart(tmp_path):
    for name, fill in (("red", (220, 40, 40)), ("green", (40, 142, 40))):  # nearly the same grey
        picture = Image.new("RGB", (SIZE, SIZE), "white")
        ImageDraw.Draw(picture).ellipse((20, 30, 100, 90), fill=fill, outline="black", width=3)
        picture.save(tmp_path / f"{name}.png")
        picture.filter(ImageFilter.GaussianBlur(0.7)).save(tmp_path / f"{name}_blurred.png")
    source = Source("pictures", (tmp_path,))
    items = [(path,) for path in sorted(tmp_path.iterdir())]
    report = inspect(source, {"train": items}, workers=1)
    assert pairs_of(report.duplicates) == {
        (frozenset((f"{name}.png", f"{name}_blurred.png")), False) for name in ("red", "green")
    }


def test_each_of_many_copies_is_named_once(tmp_path):
    for number in range(4):
        save_pair(tmp_path / f"train/{number}.png", seed=1)
    save_pair(tmp_path / "val/other.png", seed=2)
    report = look_at(tmp_path)
    assert len(report.duplicates) == 3 and not report.leaks


def test_few_pairs_are_not_judged_by_structure(tmp_path):
    save_pair(tmp_path / "train/a.png", 1)
    beside(draw_halves(2)[0], draw_halves(3)[1]).save(tmp_path / "train/b.png")
    save_pair(tmp_path / "val/c.png", 4)
    assert found(look_at(tmp_path)) == {}


def test_one_thin_faint_line_is_a_sketch(root):
    colour, sketch = draw_halves(50)[0].resize((512, 512)), Image.new("RGB", (512, 512), "white")
    ImageDraw.Draw(sketch).line((10, 10, 500, 400), fill=(200, 200, 200))
    beside(colour, sketch).save(root / "train" / "faint.png")
    assert "blank_sketches" not in found(look_at(root))


def test_the_cheap_check_is_quiet_on_good_pairs_and_skips_bad_files(root):
    source = Source("pairs", (root,))
    (root / "train" / "empty.png").touch()
    assert cheap_check(source, source.find(0.1, 0)) == []


def test_the_cheap_check_tells_blank_sketches_and_shuffled_ones(root):
    colour = draw_halves(60)[0]
    beside(colour, Image.new("RGB", (SIZE, SIZE), "white")).save(root / "train/blank.png")
    source = Source("pairs", (root,))
    (warning,) = cheap_check(source, source.find(0.1, 0))
    assert "1 of 25 sketches are blank, among them train/blank.png" in warning
    (root / "train/blank.png").unlink()
    for number, path in enumerate(sorted(root.rglob("*.png"))):
        beside(draw_halves(number)[0], draw_halves(number + 1)[1]).save(path)
    (warning,) = cheap_check(source, source.find(0.1, 0))
    assert "does not seem to be of the colours" in warning


def test_the_contact_sheet_shows_both_halves_and_leaves_bad_files_out(root):
    (root / "train" / "empty.png").touch()
    source = Source("pairs", (root,))
    sheet = contact_sheet(source, source.find(0.1, 0))
    assert sheet.dtype == np.uint8 and sheet.shape == (6 * 132 + 4, 4 * 260 + 4, 3)
    bad = {"train": [(root / "train" / "empty.png",)]}
    assert contact_sheet(source, bad).min() == 255


@pytest.mark.skipif(not REAL.is_dir(), reason="no shared/data beside the checkout")
def test_real_good_pairs_are_hardly_reported():
    source = Source("pairs", (REAL / "mulberry",))
    report = inspect(source, {"val": source.find(0.1, 0)["val"]}, workers=2)
    assert found(report) == {} and not report.swapped_set

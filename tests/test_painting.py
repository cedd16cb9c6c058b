from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sketch2paint.images import read_rgb, write_picture
from sketch2paint.networks import UNetGenerator
from sketch2paint.painter import Painter
from sketch2paint.painting import make_gallery, paint_files, plan_outputs


@pytest.fixture
def painter(tiny_generator: UNetGenerator) -> Painter:
    return Painter(tiny_generator)


@pytest.fixture
def sketches(tmp_path: Path) -> Path:
    """A folder with three sketches, one of them deeper."""
    folder = tmp_path / "in"
    for number, name in enumerate(["a.png", "b.jpg", "deep/er/c.png"]):
        sketch = np.full((20 + number, 30), 255, np.uint8)
        sketch[number + 5] = 0
        write_picture(folder / name, sketch)
    return folder


def relative(plan: dict[Path, Path], source: Path, output: Path) -> dict[str, str]:
    return {
        path.relative_to(source).as_posix(): target.relative_to(output).as_posix()
        for path, target in plan.items()
    }


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


# ---------------------------------------------------------------- plan_outputs


def test_tree_is_mirrored_as_png(sketches: Path, tmp_path: Path) -> None:
    plan = plan_outputs(sketches, tmp_path / "out")
    assert relative(plan, sketches, tmp_path / "out") == {
        "a.png": "a.png",
        "b.jpg": "b.png",
        "deep/er/c.png": "deep/er/c.png",
    }
    assert not (tmp_path / "out").exists()  # a plan writes nothing


def test_inputs_that_would_collide_keep_their_suffix(tmp_path: Path) -> None:
    source = touch(tmp_path / "in", "a.png", "a.jpg", "b.jpg", "deep/a.webp", "a.b.png")
    plan = plan_outputs(source, tmp_path / "out")
    assert relative(plan, source, tmp_path / "out") == {
        "a.png": "a.png.png",
        "a.jpg": "a.jpg.png",
        "b.jpg": "b.png",
        "deep/a.webp": "deep/a.png",
        "a.b.png": "a.b.png",
    }


def test_no_two_inputs_share_an_output(tmp_path: Path) -> None:
    names = ["a.png", "a.jpg", "a.jpg.png", "a.jpg.webp", "a.png.png.jpg", "a.png.bmp"]
    source = touch(tmp_path / "in", *names)
    plan = plan_outputs(source, tmp_path / "out")
    assert len(plan) == len(set(plan.values())) == len(names)


@pytest.mark.parametrize("name", ["new.png", "new.PNG", "new/folder/x.png"])
def test_one_file_to_a_file_name(sketches: Path, tmp_path: Path, name: str) -> None:
    source = sketches / "b.jpg"
    assert plan_outputs(source, tmp_path / name) == {source: tmp_path / name}


def test_one_file_to_a_folder(sketches: Path, tmp_path: Path) -> None:
    source = sketches / "b.jpg"
    assert plan_outputs(source, tmp_path / "out") == {source: tmp_path / "out" / "b.png"}
    (tmp_path / "folder.png").mkdir()
    expected = {source: tmp_path / "folder.png" / "b.png"}
    assert plan_outputs(source, tmp_path / "folder.png") == expected


def test_output_inside_the_input_is_not_read_again(sketches: Path) -> None:
    output = sketches / "coloured"
    before = plan_outputs(sketches, output)
    touch(output, "a.png", "deep/er/c.png")
    assert plan_outputs(sketches, output) == before
    assert len(before) == 3


def test_output_above_the_input_is_fine(sketches: Path) -> None:
    plan = plan_outputs(sketches, sketches.parent)
    assert len(plan) == 3
    assert plan[sketches / "b.jpg"] == sketches.parent / "b.png"


def test_input_is_never_written_over(tmp_path: Path) -> None:
    # Above the input, in/in/a.png would become in/a.png, which is a sketch as well.
    source = touch(tmp_path / "in", "a.png", "in/a.png")
    with pytest.raises(ValueError, match="another place than `input`"):
        plan_outputs(source, tmp_path)


def test_output_equal_to_the_input_is_refused(
    sketches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sketches.parent)
    for output in (sketches, sketches / "deep" / "..", Path("in")):
        with pytest.raises(ValueError, match="expected `output` to be a folder other than"):
            plan_outputs(sketches, output)


def test_one_file_onto_itself_is_refused(sketches: Path) -> None:
    for output in (sketches, sketches / "a.png", sketches / "deep" / ".." / "a.png"):
        with pytest.raises(ValueError, match="expected `output` to be another place than `input`"):
            plan_outputs(sketches / "a.png", output)


def test_folder_into_a_file_is_refused(sketches: Path, tmp_path: Path) -> None:
    touch(tmp_path, "file")
    with pytest.raises(ValueError, match="file: expected `output` to be a folder"):
        plan_outputs(sketches, tmp_path / "file")


def test_folder_without_pictures(tmp_path: Path) -> None:
    touch(tmp_path / "in", "notes.txt", ".hidden.png")
    with pytest.raises(ValueError, match=r"in: no pictures\. Expected sketches"):
        plan_outputs(tmp_path / "in", tmp_path / "out")


def test_missing_input(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone: no such file or folder\. Pass input="):
        plan_outputs(tmp_path / "gone", tmp_path / "out")


# ---------------------------------------------------------------- paint_files


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_every_file_is_painted_at_its_own_size(
    painter: Painter, sketches: Path, tmp_path: Path, batch_size: int
) -> None:
    plan = plan_outputs(sketches, tmp_path / "out")
    assert list(paint_files(painter, plan, batch_size)) == [(path, None) for path in plan]
    for source, target in plan.items():
        (expected,) = painter.paint([read_rgb(source)])
        assert expected.shape == read_rgb(source).shape
        assert np.abs(read_rgb(target).astype(int) - expected).max() <= 1
    written = {path for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == set(plan.values())


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_broken_picture_is_reported_and_the_others_are_done(
    painter: Painter, sketches: Path, tmp_path: Path, batch_size: int
) -> None:
    (sketches / "aa.png").write_text("not a picture")
    (sketches / "ab.png").write_bytes((sketches / "a.png").read_bytes()[:50])
    plan = plan_outputs(sketches, tmp_path / "out")
    (sketches / "b.jpg").unlink()  # gone since
    results = dict(paint_files(painter, plan, batch_size))
    assert results.keys() == plan.keys()
    failed = {path.name: problem for path, problem in results.items() if problem}
    assert failed.keys() == {"aa.png", "ab.png", "b.jpg"}
    for name, problem in failed.items():
        assert str(sketches / name) in problem
    assert "expected a readable picture" in failed["aa.png"]
    assert all(plan[path].exists() == (problem is None) for path, problem in results.items())


def test_unwritable_output_is_reported_and_the_others_are_done(
    painter: Painter, sketches: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    touch(out, "deep")  # a file where a folder has to be
    (out / "a.png").mkdir()  # a folder where a file has to be
    results = dict(paint_files(painter, plan_outputs(sketches, out), 8))
    assert results[sketches / "b.jpg"] is None
    for name in ("a.png", "deep/er/c.png"):
        problem = results[sketches / name]
        assert problem is not None and problem.startswith(f"{out / name}: cannot be written: ")
    assert sorted(path.name for path in out.iterdir()) == ["a.png", "b.png", "deep"]


def test_transparent_sketch_is_painted_as_on_white(
    painter: Painter, tmp_path: Path, sketches: Path
) -> None:
    lines = 255 - read_rgb(sketches / "a.png")[..., 0]  # ink as alpha
    rgba = np.dstack([np.zeros_like(lines)] * 3 + [lines])
    Image.fromarray(rgba).save(tmp_path / "clear.png")
    plan = {tmp_path / "clear.png": tmp_path / "x.png", sketches / "a.png": tmp_path / "y.png"}
    assert set(dict(paint_files(painter, plan, 2)).values()) == {None}
    np.testing.assert_array_equal(read_rgb(tmp_path / "x.png"), read_rgb(tmp_path / "y.png"))


def test_photographs_of_every_mode_are_painted_at_their_own_size(tmp_path: Path) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        painter = Painter(UNetGenerator(16, base_channels=2, out_channels=2), "photo")
    ramp = np.repeat(np.arange(40, 220, 4, dtype=np.uint8)[None], 30, axis=0)
    (tmp_path / "in").mkdir()
    grey = Image.fromarray(ramp)
    for name, mode in (("a.png", "L"), ("b.png", "RGB"), ("c.png", "RGBA"), ("d.tif", "CMYK")):
        grey.convert("RGB").convert(mode).save(tmp_path / "in" / name)
    Image.fromarray(ramp.astype(np.uint16) * 256).save(tmp_path / "in" / "e.png")
    plan = plan_outputs(tmp_path / "in", tmp_path / "out")
    assert dict(paint_files(painter, plan, 3)) == {path: None for path in plan}
    painted = [read_rgb(target).astype(int) for target in plan.values()]
    assert len(painted) == 5
    for picture in painted:
        assert picture.shape == (30, 45, 3)
        assert np.abs(picture - painted[0]).max() <= 2


# ---------------------------------------------------------------- make_gallery

LEVELS = {"sketch": 10, "fake": 90, "real": 170}


@pytest.fixture
def flat(tmp_path: Path) -> tuple[dict[Path, Path], Path, Path]:
    """Plan, input folder and folder of true pictures, 5 of each, flat in LEVELS + number."""
    for folder, level in LEVELS.items():
        for n in range(5):
            write_picture(tmp_path / folder / f"{n}.png", np.full((6, 12), level + n, np.uint8))
    names = [f"{n}.png" for n in range(5)]
    plan = {tmp_path / "sketch" / name: tmp_path / "fake" / name for name in names}
    return plan, tmp_path / "sketch", tmp_path / "real"


def centres(sheet: np.ndarray, side: int) -> list[list[int]]:
    """The grey level in the middle of each cell, row by row."""
    return sheet[4 + side // 2 :: side + 4, 4 + side // 2 :: side + 4, 0].tolist()


@pytest.mark.parametrize("with_truth", [True, False])
def test_gallery_has_a_row_for_each_picture(
    flat: tuple[dict[Path, Path], Path, Path], tmp_path: Path, with_truth: bool
) -> None:
    plan, source, truth = flat
    path = tmp_path / "new" / "gallery.png"
    make_gallery(path, plan, source, truth if with_truth else None, rows=5, side=16)
    sheet = read_rgb(path)
    columns = 3 if with_truth else 2
    assert sheet.shape == (5 * 20 + 4, columns * 20 + 4, 3)
    levels = list(LEVELS.values())[:columns]
    assert centres(sheet, 16) == [[level + n for level in levels] for n in range(5)]


@pytest.mark.parametrize(("rows", "shown"), [(1, [0]), (2, [0, 2]), (3, [0, 1, 2]), (9, range(5))])
def test_rows_are_spread_over_the_plan(
    flat: tuple[dict[Path, Path], Path, Path], tmp_path: Path, rows: int, shown: list[int]
) -> None:
    plan, source, _ = flat
    make_gallery(tmp_path / "g.png", plan, source, None, rows=rows, side=16)
    assert [row[0] - LEVELS["sketch"] for row in centres(read_rgb(tmp_path / "g.png"), 16)] == list(
        shown
    )


def test_cells_keep_the_aspect_on_white(
    flat: tuple[dict[Path, Path], Path, Path], tmp_path: Path
) -> None:
    plan, source, _ = flat
    make_gallery(tmp_path / "g.png", plan, source, None, rows=1, side=24)  # 12x6, twice as large
    cell = read_rgb(tmp_path / "g.png")[4:28, 4:28, 0]
    expected = np.full((24, 24), 255)
    expected[6:18] = LEVELS["sketch"]
    np.testing.assert_array_equal(cell, expected)


def test_large_pictures_are_shrunk_and_thin_ones_stay(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", np.zeros((300, 1), np.uint8))
    plan = {tmp_path / "a.png": tmp_path / "a.png"}
    make_gallery(tmp_path / "g.png", plan, tmp_path, None, rows=1, side=20)
    sheet = read_rgb(tmp_path / "g.png")
    assert sheet.shape == (28, 52, 3)
    assert (sheet[4:24, 4:24, 0] == 0).sum() == 20  # a line of one pixel


def test_truth_of_a_single_file_goes_by_its_name(
    flat: tuple[dict[Path, Path], Path, Path], tmp_path: Path
) -> None:
    plan, source, truth = flat
    one = source / "3.png"
    make_gallery(tmp_path / "g.png", {one: plan[one]}, one, truth, rows=4, side=16)
    assert centres(read_rgb(tmp_path / "g.png"), 16) == [[13, 93, 173]]


def test_missing_truth_is_named(flat: tuple[dict[Path, Path], Path, Path], tmp_path: Path) -> None:
    plan, source, truth = flat
    (truth / "0.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"real/0\.png"):
        make_gallery(tmp_path / "g.png", plan, source, truth, rows=1)
    assert not (tmp_path / "g.png").exists()


def test_gallery_of_nothing_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="g.png: no pictures to show"):
        make_gallery(tmp_path / "g.png", {}, tmp_path, None, rows=4)

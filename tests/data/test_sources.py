from __future__ import annotations

import os
import struct
import tracemalloc
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from sketch2paint.data.sources import FILES_SHOWN, Item, Source, checked, name_hash
from sketch2paint.images.convert import rgb_to_grey

WritePairs = Callable[..., list[Path]]

LONG = "x" * 196 + ".png"  # 200 characters


def touch(root: Path, *names: str) -> None:
    """Make empty files: finding and splitting goes by name alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(items: list[Item]) -> list[str]:
    return [item[0].name for item in items]


def find_splits(root: Path, val_fraction: float, seed: int) -> dict[str, list[Path]]:
    """The files of each split of a folder of pairs."""
    found = Source("pairs", (root,)).find(val_fraction, seed)
    assert all(len(item) == 1 for items in found.values() for item in items)
    return {split: [path for (path,) in items] for split, items in found.items()}


def read_pair(path: Path, side: str) -> np.ndarray:
    return Source("pairs", (path.parent,), side).read((path,))


def save(path: Path, *size: int, colour: str | tuple[int, ...] = "red", mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size or (8, 8), colour).save(path)
    return path


# ---------------------------------------------------------------- Source.read


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A file, its left half in colours, and its right half in grey."""
    rng = np.random.default_rng(0)
    left = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    right = np.repeat(rng.integers(0, 256, (6, 5, 1), dtype=np.uint8), 3, axis=2)
    Image.fromarray(np.hstack([left, right])).save(tmp_path / "pair.png")
    return tmp_path / "pair.png", left, right


def test_colours_left(halves: tuple[Path, np.ndarray, np.ndarray]) -> None:
    path, left, right = halves
    pair = read_pair(path, "left")
    assert pair.shape == (6, 5, 4) and pair.dtype == np.uint8
    np.testing.assert_array_equal(pair[..., :3], left)
    np.testing.assert_array_equal(pair[..., 3], right[..., 0])


def test_colours_right(halves: tuple[Path, np.ndarray, np.ndarray]) -> None:
    path, left, right = halves
    pair = read_pair(path, "right")
    np.testing.assert_array_equal(pair[..., :3], right)
    luma = left.astype(float) @ [0.299, 0.587, 0.114]  # Rec. 601
    np.testing.assert_allclose(pair[..., 3], luma, atol=1)


def test_greyscale_pair_has_grey_colours(tmp_path: Path) -> None:
    grey = np.arange(8, dtype=np.uint8).reshape(2, 4)
    Image.fromarray(grey).save(tmp_path / "a.png")
    pair = read_pair(tmp_path / "a.png", "left")
    np.testing.assert_array_equal(pair, np.dstack([grey[:, :2]] * 3 + [grey[:, 2:]]))


def test_odd_width_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (7, 4)).save(tmp_path / "odd.png")
    with pytest.raises(ValueError, match=r"odd\.png: expected an even width .* got 7x4"):
        read_pair(tmp_path / "odd.png", "left")


# ---------------------------------------------------------------- Source.halves and names


def test_halves_are_rgb_and_read_makes_the_sketch_grey(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.integers(0, 256, (2, 6, 5, 3), dtype=np.uint8)
    Image.fromarray(np.hstack([left, right])).save(tmp_path / "both.png")
    for name, half in (("left.png", left), ("right.png", right)):
        Image.fromarray(half).save(tmp_path / name)
    both, one, other = ((tmp_path / f"{name}.png",) for name in ("both", "left", "right"))
    cases = [
        (Source("pairs", (tmp_path,)), both, left, right),
        (Source("pairs", (tmp_path,), "right"), both, right, left),
        (Source("two_folders", (tmp_path, tmp_path)), (*other, *one), right, left),
    ]
    for source, item, colours, sketch in cases:
        for found, wanted in zip(source.halves(item), (colours, sketch), strict=True):
            np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(source.read(item), np.dstack([colours, rgb_to_grey(sketch)]))
    colours, nothing = Source("pictures", (tmp_path,)).halves(one)
    np.testing.assert_array_equal(colours, left)
    assert nothing is None


def test_names_are_below_the_root_and_fit_for_printing(tmp_path: Path) -> None:
    source = Source("two_folders", (tmp_path / "colours", tmp_path / "sketches"))
    assert source.root == tmp_path / "colours"
    item = (source.root / "train" / "é.png", tmp_path / "sketches" / "train" / "é.jpg")
    assert source.name_of(item) == "train/é.png"
    assert source.name_of((source.root / "caf\udce9.png",)) == "caf\ufffd.png"


# ---------------------------------------------------------------- Source.find


def test_kaggle_layout(tmp_path: Path) -> None:
    touch(tmp_path, "train/b.png", "train/a.PNG", "val/c.png", "train/more/d.jpg")
    splits = find_splits(tmp_path, 0.5, seed=0)
    train = [tmp_path / "train" / name for name in ("a.PNG", "b.png", "more/d.jpg")]
    assert splits == {"train": train, "val": [tmp_path / "val/c.png"]}


def test_test_folder_is_a_split_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "val/b.png", "test/c.png", "stray.png")
    splits = find_splits(tmp_path, 0.5, seed=0)
    assert {name: [path.name for path in paths] for name, paths in splits.items()} == {
        "train": ["a.png"],
        "val": ["b.png"],
        "test": ["c.png"],
    }


def test_train_without_val_is_split(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/{n}.png" for n in range(40)), "test/t.png")
    splits = find_splits(tmp_path, 0.25, seed=0)
    assert [path.name for path in splits["test"]] == ["t.png"]
    both = splits["train"] + splits["val"]
    assert len(splits["val"]) >= 1 and len(splits["train"]) >= 1
    assert sorted(both) == sorted((tmp_path / "train").iterdir())


def test_flat_folder_is_split_and_sorted(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n}.png" for n in range(40)))
    splits = find_splits(tmp_path, 0.25, seed=0)
    assert sorted(splits["train"] + splits["val"]) == sorted(tmp_path.iterdir())
    assert not set(splits["train"]) & set(splits["val"])
    assert all(paths == sorted(paths) for paths in splits.values())


def test_flat_folder_beside_val_and_test(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "deep/b.png", "val/c.png", "test/d.png")
    splits = find_splits(tmp_path, 0.5, seed=0)
    assert {name: [path.name for path in paths] for name, paths in splits.items()} == {
        "train": ["a.png", "b.png"],
        "val": ["c.png"],
        "test": ["d.png"],
    }


def test_val_alone_is_no_training_set(tmp_path: Path) -> None:
    touch(tmp_path, "val/c.png")
    with pytest.raises(ValueError, match=r"/train: no pictures\. Put some there"):
        find_splits(tmp_path, 0.5, seed=0)


def test_missing_root(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone: no such folder\. Expected the pictures"):
        find_splits(tmp_path / "gone", 0.1, seed=0)


@pytest.mark.parametrize("empty", [".", "train", "val", "test"])
def test_empty_folder_is_named(tmp_path: Path, empty: str) -> None:
    if empty != ".":
        touch(tmp_path, *(f"{name}/a.png" for name in ("train", "val", "test") if name != empty))
    (tmp_path / empty).mkdir(exist_ok=True)
    what = r"no pictures\. (Expected \.png, \.jpg or \.webp|Put some there, or remove the folder)"
    with pytest.raises(ValueError, match=what) as info:
        find_splits(tmp_path, 0.1, seed=0)
    assert str(info.value).startswith(f"{tmp_path / empty}: ")


# ---------------------------------------------------------------- the split by hash


def test_split_stays_when_files_are_added(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n}.png" for n in range(50)))
    before = find_splits(tmp_path, 0.2, seed=0)
    touch(tmp_path, *(f"new{n}.png" for n in range(50)))
    after = find_splits(tmp_path, 0.2, seed=0)
    assert set(before["train"]) < set(after["train"])
    assert set(before["val"]) < set(after["val"])


def test_split_is_the_same_in_another_place(tmp_path: Path) -> None:
    for root in ("here", "there/deeper"):
        touch(tmp_path / root, *(f"sub/{n}.png" for n in range(40)))
    here = find_splits(tmp_path / "here", 0.2, seed=0)
    there = find_splits(tmp_path / "there/deeper", 0.2, seed=0)
    assert [path.name for path in here["val"]] == [path.name for path in there["val"]]


def test_split_does_not_depend_on_the_suffix(tmp_path: Path) -> None:
    touch(tmp_path / "png", *(f"{n}.png" for n in range(40)))
    touch(tmp_path / "jpg", *(f"{n}.jpg" for n in range(40)))
    splits = [find_splits(tmp_path / kind, 0.2, seed=0) for kind in ("png", "jpg")]
    png, jpg = ([path.stem for path in split["val"]] for split in splits)
    assert png == jpg


def test_seed_changes_the_split(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n}.png" for n in range(60)))
    first, second = (find_splits(tmp_path, 0.3, seed)["val"] for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.5])
def test_about_the_wanted_fraction_is_held_out(fraction: float) -> None:
    count = 20_000
    places = np.array(
        [name_hash(PurePosixPath(f"folder/{n:05d}.png"), seed=0) for n in range(count)]
    )
    assert places.min() >= 0 and places.max() < 1
    deviation = (fraction * (1 - fraction) / count) ** 0.5  # of the binomial's share
    assert abs((places < fraction).mean() - fraction) < 4 * deviation


def test_hash_is_the_same_on_every_machine() -> None:
    # sha256("7:train/a"), computed by coreutils: a change here moves everybody's split.
    assert name_hash(PurePosixPath("train/a.png"), seed=7) == 0xD4542AC800D7F11B / 2**64


def test_names_of_macos_and_linux_are_one_name() -> None:
    composed = unicodedata.normalize("NFC", "Ä/été.png")
    decomposed = unicodedata.normalize("NFD", "Ä/été.png")
    assert composed != decomposed
    assert name_hash(PurePosixPath(composed), seed=0) == name_hash(
        PurePosixPath(decomposed), seed=0
    )
    assert (
        name_hash(PurePosixPath("e\u0301.png"), seed=7) == 0x22584C1FC9F68305 / 2**64
    )  # sha256 of the composed one


@pytest.mark.parametrize("fraction", [1e-9, 0.5, 1 - 1e-9])
@pytest.mark.parametrize("count", [2, 3])
def test_tiny_sets_keep_a_pair_on_each_side(tmp_path: Path, count: int, fraction: float) -> None:
    touch(tmp_path, *(f"{n}.png" for n in range(count)))
    splits = find_splits(tmp_path, fraction, seed=0)
    assert min(len(paths) for paths in splits.values()) >= 1
    assert sorted(splits["train"] + splits["val"]) == sorted(tmp_path.iterdir())


def test_one_pair_cannot_be_split(tmp_path: Path) -> None:
    touch(tmp_path, "a.png")
    with pytest.raises(ValueError, match=r"expected at least 2 pictures .* got 1\. Add pictures"):
        find_splits(tmp_path, 0.1, seed=0)


# ---------------------------------------------------------------- checked


@pytest.fixture
def bad(tmp_path: Path) -> dict[str, Path]:
    """One file of each bad kind."""
    folder = tmp_path / "bad"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    for name in ("cut.png", "cut.jpg"):
        Image.fromarray(noise).save(folder / name)
        (folder / name).write_bytes((folder / name).read_bytes()[:-600])
    (folder / "text.png").write_text("not a picture")
    Image.fromarray(noise[:, :39]).save(folder / "odd.png")
    (folder / "empty.png").touch()
    return {path.name: path for path in folder.iterdir()}


def test_good_pairs_pass(pairs_dir: Path) -> None:
    source = Source("pairs", (pairs_dir,))
    splits = source.find(0.1, seed=0)
    assert {name: len(items) for name, items in splits.items()} == {"train": 8, "val": 4}
    assert checked(source, splits, "raise") == splits


def test_all_bad_files_are_reported_at_once(pairs_dir: Path, bad: dict[str, Path]) -> None:
    source = Source("pairs", (pairs_dir,))
    splits = source.find(0.1, seed=0)
    splits["train"] = sorted(splits["train"] + [(path,) for path in bad.values()])
    with pytest.raises(ValueError, match="5 of 17 pictures cannot be used") as info:
        checked(source, splits, "raise")
    message = str(info.value)
    lines = message.splitlines()
    for name, path in bad.items():
        why = "expected an even width" if name == "odd.png" else "expected a readable picture"
        assert [why in line for line in lines if f"{path}: " in line] == [True]
        assert message.count(str(path)) <= 2  # ours, and perhaps once in Pillow's words
    assert "data.on_bad=skip" in lines[-1]
    assert str(pairs_dir) not in message  # the good ones are not named


def test_skip_warns_how_many_and_which(pairs_dir: Path, bad: dict[str, Path]) -> None:
    source = Source("pairs", (pairs_dir,))
    good = source.find(0.1, seed=0)
    splits = {
        "train": good["train"] + [(bad["cut.png"],)],
        "val": [(bad["odd.png"],), *good["val"]],
    }
    with pytest.warns(UserWarning, match="2 of 14 pictures cannot be used") as warned:
        assert checked(source, splits, "skip") == good
    assert len(warned) == 1
    message = str(warned[0].message)
    assert str(bad["cut.png"]) in message and str(bad["odd.png"]) in message
    assert "skipped" in message


def test_a_split_without_good_files_is_an_error_also_with_skip(
    pairs_dir: Path, bad: dict[str, Path]
) -> None:
    source = Source("pairs", (pairs_dir,))
    splits = {
        "train": source.find(0.1, seed=0)["train"],
        "val": [(path,) for path in bad.values()],
    }
    with pytest.raises(ValueError, match=r"5 of 13 .* cannot be used(.|\n)*is left of val\."):
        checked(source, splits, "skip")


def test_long_reports_are_cut(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n:02d}.png" for n in range(FILES_SHOWN + 5)))
    items: list[Item] = [(path,) for path in sorted(tmp_path.iterdir())]
    with pytest.raises(ValueError, match=r"25 of 25 .*\n(.|\n)*and 5 more") as info:
        checked(Source("pairs", (tmp_path,)), {"train": items}, "raise")
    assert str(info.value).count("expected a readable picture") == FILES_SHOWN


def test_a_pair_that_stands_upright_by_exif_is_measured_as_it_is_read(tmp_path: Path) -> None:
    source, splits = Source("pairs", (tmp_path,)), {"train": [(tmp_path / "a.jpg",)]}
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 5)).save(tmp_path / "a.jpg", exif=exif)  # 5 wide when turned
    with pytest.raises(ValueError, match="expected an even width .* got 5x6"):
        checked(source, splits, "raise")
    Image.new("RGB", (5, 6)).save(tmp_path / "a.jpg", exif=exif)
    assert checked(source, splits, "raise") == splits
    assert read_pair(tmp_path / "a.jpg", "left").shape == (5, 3, 4)


# ---------------------------------------------------------------- two folders


@pytest.fixture
def two(tmp_path: Path) -> Source:
    return Source("two_folders", (tmp_path / "colours", tmp_path / "sketches"))


def fill(source: Source, *stems: str, colours: str = ".png", sketches: str = ".png") -> None:
    """Empty files in both folders."""
    for folder, suffix in zip(source.folders, (colours, sketches), strict=True):
        touch(folder, *(f"{stem}{suffix}" for stem in stems))


def stems(source: Source, items: list[Item]) -> list[str]:
    """Names of samples, without suffix; the same in both folders."""
    found = []
    for item in items:
        both = zip(item, source.folders, strict=True)
        colour, sketch = (path.relative_to(root).with_suffix("") for path, root in both)
        assert colour == sketch
        found.append(colour.as_posix())
    return found


def test_two_folders_give_colours_and_sketch(two: Source) -> None:
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    sketch = rng.integers(0, 256, (6, 5), dtype=np.uint8)
    item = (two.folders[0] / "a.png", two.folders[1] / "a.png")
    for path, picture in zip(item, (colours, sketch), strict=True):
        path.parent.mkdir()
        Image.fromarray(picture).save(path)
    np.testing.assert_array_equal(two.read(item), np.dstack([colours, sketch]))


def test_two_folders_are_matched_by_relative_path_without_suffix(two: Source) -> None:
    fill(two, "a", "deep/a", "deep/er/b", "c.1", "c.2", colours=".jpg", sketches=".png")
    splits = two.find(0.5, seed=0)
    items = splits["train"] + splits["val"]
    assert sorted(stems(two, items)) == ["a", "c.1", "c.2", "deep/a", "deep/er/b"]
    assert {tuple(path.suffix for path in item) for item in items} == {(".jpg", ".png")}


def test_two_folders_with_train_and_val(two: Source) -> None:
    fill(two, "train/a", "train/b", "val/c", "test/d")
    splits = two.find(0.5, seed=0)
    assert {name: stems(two, items) for name, items in splits.items()} == {
        "train": ["train/a", "train/b"],
        "val": ["val/c"],
        "test": ["test/d"],
    }


@pytest.mark.parametrize("prefix", ["", "train/"])
def test_two_folders_are_split_as_pairs_of_the_same_names(two: Source, prefix: str) -> None:
    # Names with dots: what stands behind the last one is a suffix only once.
    fill(two, *(f"{prefix}shot.{n:02d}" for n in range(40)), colours=".jpg", sketches=".webp")
    found = two.find(0.25, seed=3)
    pairs = Source("pairs", two.folders[:1]).find(0.25, seed=3)
    assert {k: names(items) for k, items in found.items()} == {
        k: names(items) for k, items in pairs.items()
    }
    assert 3 <= len(found["val"]) <= 20
    fill(two, *(f"{prefix}new.{n:02d}" for n in range(20)), colours=".jpg", sketches=".webp")
    more = two.find(0.25, seed=3)
    assert set(found["train"]) < set(more["train"]) and set(found["val"]) < set(more["val"])


def test_what_has_no_partner_is_listed_for_both_sides_at_once(two: Source) -> None:
    fill(two, "a", "b", "deep/c")
    touch(two.folders[0], "blue.png", "deep/e.jpg")
    touch(two.folders[1], "e.png", "pencil.webp")  # e in another folder is another name
    with pytest.raises(ValueError, match="4 pictures have no partner of the same name") as info:
        two.find(0.5, seed=0)
    rows = [row.strip() for row in str(info.value).splitlines()]
    lonely = [two.folders[0] / "blue.png", two.folders[0] / "deep/e.jpg"]
    lonely += [two.folders[1] / "e.png", two.folders[1] / "pencil.webp"]
    assert rows[1:-1] == [str(path) for path in lonely]
    assert rows[-1] == "Rename or remove them, or pass data.on_bad=skip."


def test_what_has_no_partner_is_skipped_on_request(two: Source) -> None:
    fill(two, "a", "b")
    before = two.find(0.5, seed=0)
    touch(two.folders[0], "blue.png")
    touch(two.folders[1], "pencil.png")
    text = r"2 pictures have no partner(.|\n)*blue\.png(.|\n)*pencil\.png(.|\n)*are skipped"
    with pytest.warns(UserWarning, match=text) as warned:
        assert two.find(0.5, seed=0, on_bad="skip") == before
    assert len(warned) == 1


@pytest.mark.parametrize("on_bad", ["raise", "skip"])
def test_two_folders_without_a_single_pair(two: Source, on_bad: str) -> None:
    touch(two.folders[0], "a.png")
    touch(two.folders[1], "b.png")
    with pytest.raises(ValueError, match="2 pictures have no partner of the same name"):
        two.find(0.5, seed=0, on_bad=on_bad)


def test_two_of_one_name_in_a_folder_are_refused(two: Source) -> None:
    fill(two, "a", "b")
    touch(two.folders[1], "a.jpg")
    text = (
        r"(?s)1 names stand twice:.*sketches/a\.png: expected one picture .*a\.jpg as well.*Remove"
    )
    with pytest.raises(ValueError, match=text):
        two.find(0.5, seed=0)


@pytest.mark.parametrize("missing", [0, 1])
def test_missing_or_empty_of_two_folders_is_named(two: Source, missing: int) -> None:
    touch(two.folders[1 - missing], "a.png")
    with pytest.raises(FileNotFoundError, match=f"{two.folders[missing]}: no such folder"):
        two.find(0.5, seed=0)
    two.folders[missing].mkdir()
    with pytest.raises(ValueError, match=f"{two.folders[missing]}: no pictures"):
        two.find(0.5, seed=0)


def test_names_of_macos_match_those_of_linux(two: Source) -> None:
    touch(two.folders[0], *(unicodedata.normalize("NFC", name) for name in ("é.png", "が.png")))
    touch(two.folders[1], *(unicodedata.normalize("NFD", name) for name in ("é.png", "が.png")))
    splits = two.find(0.5, seed=0)
    assert [len(items) for items in splits.values()] == [1, 1]
    for colour, sketch in splits["train"] + splits["val"]:
        assert colour.exists() and sketch.exists()


def test_different_sizes_are_named(two: Source) -> None:
    for name, width in (("a.png", 8), ("b.png", 9), ("c.png", 10)):
        save(two.folders[0] / name, 8, 6)
        save(two.folders[1] / name, width, 6)
    items = [tuple(folder / name for folder in two.folders) for name in ("a.png", "b.png", "c.png")]
    assert two.read(items[0]).shape == (6, 8, 4)
    with pytest.raises(ValueError, match="2 of 3 pictures cannot be used") as info:
        checked(two, {"train": items}, "raise")
    for item, got in zip(items[1:], ("9x6", "10x6"), strict=True):
        text = f"{item[0]}: expected a sketch of the same size, 8x6, got {got}. Resize one of them."
        assert text in str(info.value)
        with pytest.raises(ValueError) as read:
            two.read(item)
        assert str(read.value) == text


def test_a_bad_sketch_is_named_and_not_its_colours_alone(two: Source) -> None:
    item = (save(two.folders[0] / "a.png"), save(two.folders[1] / "a.jpg"))
    item[1].write_bytes(b"")
    with pytest.raises(ValueError) as info:
        checked(two, {"train": [item]}, "raise")
    assert f"{item[0]}: {item[1]}: expected a readable picture" in str(info.value)


# ---------------------------------------------------------------- pictures


def test_pictures_are_read_as_they_are_on_white(tmp_path: Path) -> None:
    source = Source("pictures", (tmp_path,))
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (6, 7, 3), dtype=np.uint8)  # odd, and not square
    alpha = np.zeros((6, 7, 1), np.uint8)
    alpha[2:4] = 255
    Image.fromarray(np.dstack([picture, alpha])).save(tmp_path / "a.png")
    expected = np.where(alpha == 255, picture, 255)
    item = (tmp_path / "a.png",)
    np.testing.assert_array_equal(source.read(item), expected)
    assert checked(source, {"train": [item]}, "raise") == {"train": [item]}


def test_pictures_are_split_as_pairs_are(tmp_path: Path) -> None:
    touch(tmp_path, *(f"deep/{n}/{n}.png" for n in range(30)))
    found = Source("pictures", (tmp_path,)).find(0.2, seed=1)
    assert found == Source("pairs", (tmp_path,)).find(0.2, seed=1)
    assert len(found["val"]) >= 1


# ---------------------------------------------------------------- names, links and bad files

KINDS = ["pairs", "pictures", "two_folders"]


def a_source(kind: str, root: Path) -> Source:
    folders = (root / "colours", root / "sketches") if kind == "two_folders" else (root / "files",)
    return Source(kind, folders)


def every(splits: dict[str, list[Item]]) -> list[Item]:
    return [item for items in splits.values() for item in items]


@pytest.mark.parametrize("kind", KINDS)
def test_any_name_is_found_and_read(tmp_path: Path, kind: str) -> None:
    source = a_source(kind, tmp_path)
    odd = [
        "with  space.png",
        "прóба 画 🎨.png",
        LONG,
        "-rf.png",
        "%s {0}.png",
        "'q\".png",
        "a\nb.png",
    ]
    for folder in source.folders:
        for name in odd:
            save(folder / "sub dir é" / name)
    splits = source.find(0.3, seed=0)
    assert sorted(names(every(splits))) == sorted(odd)
    assert checked(source, splits, "raise") == splits
    assert all(source.read(item).shape[0] == 8 for item in every(splits))


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there")
def test_a_name_that_is_no_unicode(tmp_path: Path) -> None:
    for n in range(4):
        try:
            save(tmp_path / os.fsdecode(b"caf\xe9 %d.png" % n))  # Latin-1
        except OSError:
            pytest.skip("the file system wants Unicode")
    source = Source("pictures", (tmp_path,))
    splits = source.find(0.5, seed=0)
    assert len(every(splits)) == 4 and checked(source, splits, "raise") == splits


@pytest.mark.parametrize("kind", KINDS)
def test_links_in_a_circle(tmp_path: Path, kind: str) -> None:
    source = a_source(kind, tmp_path)
    for folder in source.folders:
        for name in ("a.png", "deep/b.png"):
            save(folder / name)
        (folder / "deep" / "up").symlink_to(folder)
        (folder / "self").symlink_to(folder / "self")
    splits = source.find(0.5, seed=0)
    assert sorted(names(every(splits))) == ["a.png", "b.png"]
    for folder in source.folders:  # files as well: there, but never to be read
        (folder / "c.png").symlink_to(folder / "d.png")
        (folder / "d.png").symlink_to(folder / "c.png")
    splits = source.find(0.5, seed=0)
    with pytest.raises(ValueError, match="2 of 4 pictures cannot be used") as info:
        checked(source, splits, "raise")
    assert str(info.value).count("levels of symbolic links") == 2


@pytest.mark.parametrize("kind", KINDS)
def test_splits_may_be_links(tmp_path: Path, kind: str) -> None:
    source = a_source(kind, tmp_path)
    for number, folder in enumerate(source.folders):
        for name in ("train/a.png", "train/deep/b.png", "val/c.png"):
            save(tmp_path / f"disk{number}" / name)
        folder.mkdir()
        for split in ("train", "val"):
            (folder / split).symlink_to(tmp_path / f"disk{number}" / split)
    splits = source.find(0.5, seed=0)
    assert {k: names(items) for k, items in splits.items()} == {
        "train": ["a.png", "b.png"],
        "val": ["c.png"],
    }
    (tmp_path / "link").symlink_to(source.folders[0])
    assert every(Source("pictures", (tmp_path / "link",)).find(0.5, 0))


def huge_png(path: Path, side: int) -> Path:
    """A true black and white PNG of side x side pixels, of a few kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    row = bytes(1 + -(-side // 8))
    pack = zlib.compressobj(1)
    data = b"".join(pack.compress(row * 100) for _ in range(side // 100)) + pack.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path


def test_the_huge_png_is_one(tmp_path: Path) -> None:
    with Image.open(huge_png(tmp_path / "a.png", 400)) as picture:
        assert picture.size == (400, 400) and picture.mode == "1"
        picture.load()


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path, kind: str) -> None:
    source = a_source(kind, tmp_path)
    for folder in source.folders:
        for n in range(3):
            save(folder / f"{n}.png")
    huge = huge_png(source.folders[-1] / "1.png", 20_000)
    assert huge.stat().st_size < 500_000
    splits = source.find(0.5, seed=0)
    tracemalloc.start()
    before = _resident()
    try:
        with pytest.raises(ValueError, match="1 of 3 pictures cannot be used") as info:
            checked(source, splits, "raise")
        assert f"{huge}: expected at most 89478485 pixels, got 20000 x 20000" in str(info.value)
        (item,) = (item for item in every(splits) if huge in item)
        with pytest.raises(ValueError, match=r"1\.png: expected at most 89478485 pixels"):
            source.read(item)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()
    assert _resident() - before < 30e6  # its pixels would be 400 MB at least: Pillow's own memory


def _resident() -> int:
    """The most memory the process ever had, in bytes; 0 where that cannot be asked."""
    status = Path("/proc/self/status")
    rows = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
    return 1024 * int(next(row for row in rows if row.startswith("VmHWM")).split()[1])


def frames(path: Path, **options: object) -> None:
    """An animation, red and then blue."""
    first, second = (Image.new("RGB", (8, 6), colour) for colour in ("red", "blue"))
    first.save(path, save_all=True, append_images=[second], duration=100, **options)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png"])
def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path, name: str) -> None:
    frames(tmp_path / name, **({"lossless": True} if name == "a.webp" else {}))
    with Image.open(tmp_path / name) as picture:
        assert getattr(picture, "n_frames", 1) == 2
    source, item = Source("pictures", (tmp_path,)), (tmp_path / name,)
    assert source.problem(item) is None
    np.testing.assert_array_equal(source.read(item), np.full((6, 8, 3), (255, 0, 0)))


def test_cmyk_and_sixteen_bits(tmp_path: Path) -> None:
    Image.new("CMYK", (8, 6), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=100)
    deep = np.full((6, 8), 128 * 256, np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(deep).save(tmp_path / "deep.tif")
    items: list[Item] = [(tmp_path / name,) for name in ("cmyk.jpg", "deep.png", "deep.tif")]
    expected = [(255, 0, 0), (128, 128, 128), (128, 128, 128)]
    source = Source("pictures", (tmp_path,))
    assert checked(source, {"train": items}, "raise") == {"train": items}
    for item, colour in zip(items, expected, strict=True):
        np.testing.assert_allclose(source.read(item), np.full((6, 8, 3), colour), atol=2)
    for side in ("left", "right"):
        pair = Source("pairs", (tmp_path,), side)
        assert all(pair.read(item).shape == (6, 4, 4) for item in items)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_file_is_named(tmp_path: Path, kind: str) -> None:
    source = a_source(kind, tmp_path)
    for folder in source.folders:
        for n in range(3):
            save(folder / f"{n}.png")
    (source.folders[-1] / "1.png").write_bytes(b"")
    splits = source.find(0.5, seed=0)
    with pytest.raises(ValueError, match="1 of 3 pictures cannot be used") as info:
        checked(source, splits, "raise")
    assert f"{source.folders[-1] / '1.png'}: expected a readable picture" in str(info.value)
    with pytest.warns(UserWarning, match="1 of 3 pictures cannot be used"):
        assert len(every(checked(source, every_in_one(splits), "skip"))) == 2


def every_in_one(splits: dict[str, list[Item]]) -> dict[str, list[Item]]:
    return {"train": every(splits)}


def test_what_is_guessed_is_said_in_one_line(
    pairs_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source("pairs", (pairs_dir,))
    checked(source, source.find(0.1, 0), "raise")
    assert capsys.readouterr().out == ""
    for number in range(5):
        values = np.linspace(0, 1, 64 * 32, dtype=np.float32).reshape(32, 64)
        Image.fromarray(values).save(pairs_dir / f"train/f{number}.tif")
    (pairs_dir / "train/bad.png").touch()
    with pytest.warns(UserWarning, match="1 of 18 pictures cannot be used"):
        checked(source, source.find(0.1, 0), "skip")
    (line,) = capsys.readouterr().out.splitlines()
    note = "floating point values, taken as 0 for black to 1 for white"
    assert line.startswith(
        f"note: 5 of 18 pictures were read with something guessed or left out: train/f0.tif "
        f"({note}), train/f1.tif ({note}), train/f2.tif ({note}) and 2 more. Look with: "
    )
    assert line.endswith("prepare data=... check=true")


def test_what_is_guessed_of_a_sketch_names_it(
    two_folders: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = Source("two_folders", (two_folders["colours"], two_folders["sketches"]))
    drawn = np.zeros((32, 32, 4), np.uint8) + np.uint8(255)
    drawn[..., 3] = 0
    drawn[8:12, 4:28, 3] = 255  # white lines, for a dark page
    (two_folders["sketches"] / "val/000.bmp").unlink()
    sketch = two_folders["sketches"] / "val/000.png"
    Image.fromarray(drawn).save(sketch)
    notes: list[str] = []
    source.halves((two_folders["colours"] / "val/000.png", sketch), notes)
    said = f"{sketch}: nothing to see on white; lines taken from the transparency"
    assert notes == [said]
    checked(source, source.find(0.1, 0), "raise")
    assert (
        f"1 of 12 pictures were read with something guessed or left out: val/000.png ({said})"
        in (capsys.readouterr().out)
    )

from __future__ import annotations

from pathlib import Path

import pytest

from sketch2paint.data.datamodule import SketchDataModule
from sketch2paint.data.folders import split_folders
from sketch2paint.data.sources import Kind, Source


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(*folders: Path, kind: Kind = "pictures") -> dict[str, list[str]]:
    splits = Source(kind, folders).find(0.3, seed=0)
    return {
        split: sorted(item[0].relative_to(folders[0]).as_posix() for item in items)
        for split, items in splits.items()
    }


# ---------------------------------------------------------------- splits by their names


@pytest.mark.parametrize(
    ("train", "val"), [("Train", "Val"), ("TRAIN", "valid"), ("training", "Validation")]
)
def test_splits_in_any_case_are_what_they_are(tmp_path: Path, train: str, val: str) -> None:
    touch(tmp_path, f"{train}/a.png", f"{val}/b.png", "Testing/deep/c.png")
    assert split_folders(tmp_path) == {"train": train, "val": val, "test": "Testing"}
    assert found(tmp_path) == {
        "train": [f"{train}/a.png"],
        "val": [f"{val}/b.png"],
        "test": ["Testing/deep/c.png"],
    }


def test_the_split_by_hash_is_the_same_below_train_in_any_case(tmp_path: Path) -> None:
    for name in ("train", "Train"):
        touch(tmp_path / name[0], *(f"{name}/{n}.png" for n in range(20)))
    one, other = (found(tmp_path / letter) for letter in "tT")
    assert [n.lower() for n in other["val"]] == one["val"]
    assert 0 < len(one["val"]) < 20


def test_two_folders_may_spell_their_splits_each_in_its_way(tmp_path: Path) -> None:
    colours = touch(tmp_path / "c", "train/a.png", "val/b.png")
    sketches = touch(tmp_path / "s", "Train/a.jpg", "VAL/b.jpg")
    splits = found(colours, sketches, kind="two_folders")
    assert splits == {"train": ["train/a.png"], "val": ["val/b.png"]}


def test_two_folders_for_one_split_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "val/b.png", "validation/c.png")
    message = "expected one folder of val pictures, got val/ and validation/. Put them together"
    with pytest.raises(ValueError, match=message):
        found(tmp_path)


def test_files_of_such_names_are_no_splits(tmp_path: Path) -> None:
    touch(tmp_path, "train", "val.png", "a.png")
    assert split_folders(tmp_path) == {}


# ---------------------------------------------------------------- a level too high


@pytest.mark.parametrize("below", ["data", "anime/data", "Data"])
@pytest.mark.parametrize("kind", ["pairs", "pictures"])
def test_a_root_one_level_too_high_is_named_with_its_key(
    tmp_path: Path, below: str, kind: Kind
) -> None:
    touch(tmp_path, f"{below}/train/a.png", f"{below}/val/b.png")
    with pytest.raises(ValueError, match=r"expected train/ and val/ in it") as info:
        found(tmp_path, kind=kind)
    assert str(info.value).endswith(f"Pass data.root={tmp_path / below}.")
    assert found(tmp_path / below, kind=kind)["val"] == ["val/b.png"]


def test_of_two_folders_the_one_that_is_too_high_is_named(tmp_path: Path) -> None:
    colours = touch(tmp_path / "c", "train/a.png", "val/b.png")
    sketches = touch(tmp_path / "s", "lines/train/a.png", "lines/Val/b.png")
    with pytest.raises(ValueError, match=rf"Pass data\.sketches={sketches / 'lines'}\."):
        found(colours, sketches, kind="two_folders")
    with pytest.raises(ValueError, match=rf"Pass data\.colours={sketches / 'lines'}\."):
        found(sketches, colours, kind="two_folders")


def test_several_sets_below_are_named(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{one}/{split}/a.png" for one in "xy" for split in ("train", "test")))
    with pytest.raises(ValueError, match=r"/x and in .*/y\. Pass data\.root=.*/x\."):
        found(tmp_path)


def test_a_folder_of_trains_is_none_of_splits(tmp_path: Path) -> None:
    touch(tmp_path, "things/train/a.png", "things/bus/b.png", "things/car/c.png", "d.png")
    assert sum(map(len, found(tmp_path).values())) == 4
    touch(tmp_path / "in", "train/sets/train/a.png", "train/sets/val/b.png", "val/c.png")
    assert len(found(tmp_path / "in")["train"]) == 2  # train/ is there: what is below is its own


# ---------------------------------------------------------------- two sides


@pytest.mark.parametrize(
    ("folders", "colours", "sketches"),
    [
        (["trainA", "trainB"], "trainA", "trainB"),
        (["trainA", "trainB", "testA", "testB"], "trainA", "trainB"),
        (["train_a", "train_b"], "train_a", "train_b"),
        (["A/train", "A/val", "B/train", "B/val"], "A", "B"),
        (["lineart", "colour"], "colour", "lineart"),
        (["Sketches", "colors", "notes"], "colors", "Sketches"),
        (["set/trainA", "set/trainB"], "set/trainA", "set/trainB"),
    ],
)
def test_two_sides_are_no_pairs(
    tmp_path: Path, folders: list[str], colours: str, sketches: str
) -> None:
    touch(tmp_path, *(f"{folder}/1.png" for folder in folders))
    with pytest.raises(ValueError, match="expected pairs, sketch and colours side by side") as info:
        found(tmp_path, kind="pairs")
    what = f"data=two_folders data.colours={tmp_path / colours} data.sketches={tmp_path / sketches}"
    assert f"Pass {what}, or these the other way round." in str(info.value)


def test_held_out_sides_are_no_paintings(tmp_path: Path) -> None:
    touch(tmp_path, "trainA/1.png", "trainB/1.png", "testA/2.png")
    with pytest.raises(
        ValueError, match=r"expected one set of pictures, got the folders testA, tr"
    ):
        found(tmp_path)


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    touch(tmp_path / "letters", "A/1.png", "B/2.png", "C/3.png")
    touch(tmp_path / "words", "colour/1.png", "colour wheel/2.png")
    touch(tmp_path / "both", "sketches/1.png", "colours/1.png")
    for name, kind in (("letters", "pairs"), ("words", "pairs"), ("both", "pictures")):
        assert found(tmp_path / name, kind=kind)


# ---------------------------------------------------------------- what is left out


def test_what_stands_in_no_split_is_said(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "train/b.psd", "val/c.png", "d.png", "more/e.png", "f.heic")
    assert Source("pictures", (tmp_path,)).left_out() == [
        "left out, not among the formats that are read: 1 .heic, 1 .psd (first: "
        f"{tmp_path / 'f.heic'})",
        f"left out, beside train/, val/: 2 pictures (first: {tmp_path / 'd.png'})",
    ]


def test_nothing_to_say(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "val/b.png", "notes.txt", ".hidden.psd")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "test").symlink_to(tmp_path / "elsewhere")
    assert Source("pictures", (tmp_path,)).left_out() == []


def test_the_data_module_warns_of_them(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "train/b.psd", "val/c.png")
    data = SketchDataModule(source="pictures", root=str(tmp_path), line_styles=["xdog"])
    with pytest.warns(UserWarning, match=r"left out, not among .*: 1 \.psd \(first: .*b\.psd\)"):
        data.splits()


def test_a_folder_without_pictures_says_what_is_there(tmp_path: Path) -> None:
    touch(tmp_path, "a.heic", "b.heic", "c.psd")
    with pytest.raises(ValueError, match=r"webp files, got 2 \.heic, 1 \.psd\. Save them as PNG"):
        found(tmp_path)


def test_held_out_pictures_alone(tmp_path: Path) -> None:
    touch(tmp_path, "Val/a.png", "test/b.png")
    source = Source("pictures", (tmp_path,))
    with pytest.raises(ValueError, match=r"/train: no pictures\. Put .*holds Val/ and test/ alone"):
        source.find(0.1, seed=0)
    assert list(source.find(0.1, seed=0, to_train=False)) == ["val", "test"]

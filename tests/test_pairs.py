from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sketch2paint.pairs import SHOWN, checked, find_splits, name_hash, read_pair

WritePairs = Callable[..., list[Path]]


def touch(root: Path, *names: str) -> None:
    """Make empty files: finding and splitting goes by name alone."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


# ---------------------------------------------------------------- read_pair


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


# ---------------------------------------------------------------- find_splits


def test_kaggle_layout(tmp_path: Path) -> None:
    touch(tmp_path, "train/b.png", "train/a.PNG", "val/c.png", "train/more/d.jpg")
    splits = find_splits(tmp_path, 0.5, seed=0)
    train = [tmp_path / "train" / name for name in ("a.PNG", "b.png", "more/d.jpg")]
    assert splits == {"train": train, "val": [tmp_path / "val/c.png"]}


def test_test_folder_is_a_split_of_its_own(tmp_path: Path) -> None:
    touch(tmp_path, "train/a.png", "val/b.png", "test/c.png", "stray.png")
    splits = find_splits(tmp_path, 0.5, seed=0)
    assert {name: names(paths) for name, paths in splits.items()} == {
        "train": ["a.png"],
        "val": ["b.png"],
        "test": ["c.png"],
    }


def test_train_without_val_is_split(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/{n}.png" for n in range(40)), "test/t.png")
    splits = find_splits(tmp_path, 0.25, seed=0)
    assert names(splits["test"]) == ["t.png"]
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
    assert {name: names(paths) for name, paths in splits.items()} == {
        "train": ["a.png", "b.png"],
        "val": ["c.png"],
        "test": ["d.png"],
    }


def test_val_alone_is_no_training_set(tmp_path: Path) -> None:
    touch(tmp_path, "val/c.png")
    with pytest.raises(ValueError, match="no training pictures beside val/"):
        find_splits(tmp_path, 0.5, seed=0)


def test_missing_root(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone: no such folder\. Expected `data\.root`"):
        find_splits(tmp_path / "gone", 0.1, seed=0)


@pytest.mark.parametrize("empty", [".", "train", "val", "test"])
def test_empty_folder_is_named(tmp_path: Path, empty: str) -> None:
    if empty != ".":
        touch(tmp_path, *(f"{name}/a.png" for name in ("train", "val", "test") if name != empty))
    (tmp_path / empty).mkdir(exist_ok=True)
    with pytest.raises(ValueError, match="no pictures. Expected side-by-side pairs") as info:
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
    assert names(here["val"]) == names(there["val"])


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
    places = np.array([name_hash(Path(f"folder/{n:05d}.png"), seed=0) for n in range(count)])
    assert places.min() >= 0 and places.max() < 1
    deviation = (fraction * (1 - fraction) / count) ** 0.5  # of the binomial's share
    assert abs((places < fraction).mean() - fraction) < 4 * deviation


def test_hash_is_the_same_on_every_machine() -> None:
    # sha256("7:train/a"), computed by coreutils: a change here moves everybody's split.
    assert name_hash(Path("train/a.png"), seed=7) == 0xD4542AC800D7F11B / 2**64


def test_names_of_macos_and_linux_are_one_name() -> None:
    composed = unicodedata.normalize("NFC", "Ä/été.png")
    decomposed = unicodedata.normalize("NFD", "Ä/été.png")
    assert composed != decomposed
    assert name_hash(Path(composed), seed=0) == name_hash(Path(decomposed), seed=0)
    assert (
        name_hash(Path("e\u0301.png"), seed=7) == 0x22584C1FC9F68305 / 2**64
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
    with pytest.raises(ValueError, match="expected at least 2 pairs .* got 1. Add pairs"):
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
    splits = find_splits(pairs_dir, 0.1, seed=0)
    assert {name: len(paths) for name, paths in splits.items()} == {"train": 8, "val": 4}
    assert checked(splits, "raise") == splits


def test_all_bad_files_are_reported_at_once(pairs_dir: Path, bad: dict[str, Path]) -> None:
    splits = find_splits(pairs_dir, 0.1, seed=0)
    splits["train"] = sorted(splits["train"] + list(bad.values()))
    with pytest.raises(ValueError, match="5 of 17 pictures cannot be used") as info:
        checked(splits, "raise")
    message = str(info.value)
    lines = message.splitlines()
    for name, path in bad.items():
        why = "expected an even width" if name == "odd.png" else "expected a readable picture"
        assert [why in line for line in lines if f"{path}: " in line] == [True]
        assert message.count(str(path)) <= 2  # ours, and perhaps once in Pillow's words
    assert "data.on_bad=skip" in lines[-1]
    assert str(pairs_dir) not in message  # the good ones are not named


def test_skip_warns_how_many_and_which(pairs_dir: Path, bad: dict[str, Path]) -> None:
    good = find_splits(pairs_dir, 0.1, seed=0)
    splits = {"train": good["train"] + [bad["cut.png"]], "val": [bad["odd.png"]] + good["val"]}
    with pytest.warns(UserWarning, match="2 of 14 pictures cannot be used") as warned:
        assert checked(splits, "skip") == good
    assert len(warned) == 1
    message = str(warned[0].message)
    assert str(bad["cut.png"]) in message and str(bad["odd.png"]) in message
    assert "skipped" in message


def test_a_split_without_good_files_is_an_error_also_with_skip(
    pairs_dir: Path, bad: dict[str, Path]
) -> None:
    good = find_splits(pairs_dir, 0.1, seed=0)
    with pytest.raises(ValueError, match=r"5 of 13 .* cannot be used(.|\n)*is left of val\."):
        checked({"train": good["train"], "val": list(bad.values())}, "skip")


def test_long_reports_are_cut(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{n:02d}.png" for n in range(SHOWN + 5)))
    with pytest.raises(ValueError, match=r"25 of 25 .*\n(.|\n)*and 5 more") as info:
        checked({"train": sorted(tmp_path.iterdir())}, "raise")
    assert str(info.value).count("expected a readable picture") == SHOWN


def test_a_pair_that_stands_upright_by_exif_is_measured_as_it_is_read(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 5)).save(tmp_path / "a.jpg", exif=exif)  # 5 wide when turned
    with pytest.raises(ValueError, match="expected an even width .* got 5x6"):
        checked({"train": [tmp_path / "a.jpg"]}, "raise")
    Image.new("RGB", (5, 6)).save(tmp_path / "a.jpg", exif=exif)
    assert checked({"train": [tmp_path / "a.jpg"]}, "raise") == {"train": [tmp_path / "a.jpg"]}
    assert read_pair(tmp_path / "a.jpg", "left").shape == (5, 3, 4)

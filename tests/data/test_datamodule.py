from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from sketch2paint.arguments import described, fits
from sketch2paint.data.datamodule import EpochSampler, SketchDataModule, default_workers
from sketch2paint.data.lines import STYLES
from sketch2paint.images.convert import lab_to_rgb, rgb_to_grey, rgb_to_lab, to_float, to_uint8
from sketch2paint.images.io import read_rgb

ROOT = Path(__file__).parents[2]
SIZE, JITTER = 16, 4
MADE = list(STYLES)

# A machine with fewer cores than loading processes is none of these tests' business.
few_cores = pytest.mark.filterwarnings("ignore:This DataLoader will create")

# The cache of a test lies beside its pictures, never in the checkout.
CACHE = "cache"


def module(root: Path | None, **changes: Any) -> SketchDataModule:
    """A data module that is ready for use, small and without workers unless told otherwise."""
    data = unready(root, **changes)
    data.prepare_data()
    data.setup("fit")
    return data


def unready(root: Path | None, **changes: Any) -> SketchDataModule:
    small: dict[str, Any] = {"size": SIZE, "jitter": JITTER, "batch_size": 3, "num_workers": 0}
    if root is not None:
        small |= {"root": str(root), "cache_dir": str(root.parent / CACHE)}
    return SketchDataModule(**(small | changes))


def epochs(data: SketchDataModule, *numbers: int) -> list[list[Tensor]]:
    """All training batches of the given epochs, from one loader, as Lightning asks for them."""
    loader = data.train_dataloader()
    batches = []
    for epoch in numbers:
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        batches.append(list(loader))
    return batches


def same(one: Any, other: Any) -> bool:
    """Whether two nestings of lists, dicts and tensors hold the same values."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return len(one) == len(other) and all(map(same, one, other))


# ---------------------------------------------------------------- determinism


@few_cores
@pytest.mark.parametrize(
    "changes",
    [{}, {"line_styles": ["drawn", *MADE]}, {"zoom": 2.0, "rotate": 30.0}],
    ids=["drawn", "all styles", "moved"],
)
def test_stream_is_the_same_for_any_number_of_workers(
    pairs_dir: Path, changes: dict[str, Any]
) -> None:
    alone = epochs(module(pairs_dir, seed=3, **changes), 0, 1)
    shared = epochs(module(pairs_dir, seed=3, num_workers=2, **changes), 0, 1)
    assert [len(batch["pictures"]) for batch in alone[0]] == [3, 3, 2]
    assert same(alone, shared)
    assert not same(alone[0], alone[1])


def test_stream_is_the_same_in_another_module_and_leaves_global_randomness_alone(
    pairs_dir: Path,
) -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    first = epochs(module(pairs_dir, line_styles=["drawn", *MADE]), 0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]
    assert random.getstate() == before[2]
    torch.rand(5), np.random.rand(5), random.random()  # from another state it is the same stream
    assert same(first, epochs(module(pairs_dir, line_styles=["drawn", *MADE]), 0))


def test_seed_changes_the_stream(pairs_dir: Path) -> None:
    assert not same(epochs(module(pairs_dir, seed=0), 0), epochs(module(pairs_dir, seed=1), 0))


def test_an_epoch_does_not_depend_on_those_before(pairs_dir: Path) -> None:
    data = module(pairs_dir)
    assert same(epochs(data, 0, 1, 2)[2], epochs(data, 2)[0])


# ---------------------------------------------------------------- EpochSampler


def indices(sampler: EpochSampler) -> list[int]:
    return [index for _, index in sampler]


def test_order_is_a_permutation_given_by_seed_and_epoch() -> None:
    order = indices(EpochSampler(100, seed=0, shuffle=True, epoch=1))
    assert sorted(order) == list(range(100)) != order
    assert indices(EpochSampler(100, seed=0, shuffle=True, epoch=1)) == order
    assert indices(EpochSampler(100, seed=1, shuffle=True, epoch=1)) != order
    assert indices(EpochSampler(100, seed=0, shuffle=True, epoch=2)) != order


def test_set_epoch_is_the_same_as_beginning_there() -> None:
    sampler = EpochSampler(10, seed=0, shuffle=True)
    first = list(sampler)
    assert {epoch for epoch, _ in first} == {0}
    sampler.set_epoch(5)
    assert list(sampler) == list(EpochSampler(10, seed=0, shuffle=True, epoch=5))
    sampler.set_epoch(0)
    assert list(sampler) == first


def test_unshuffled_order_is_the_natural_one() -> None:
    assert list(EpochSampler(3, seed=0, shuffle=False)) == [(0, 0), (0, 1), (0, 2)]


def test_start_leaves_out_what_was_seen_in_the_first_epoch_alone() -> None:
    whole = EpochSampler(10, seed=0, shuffle=True, epoch=4)
    resumed = EpochSampler(10, seed=0, shuffle=True, epoch=4, start=6)
    resumed.set_epoch(4)  # Lightning says so before the epoch, and it changes nothing
    assert list(resumed) == list(whole)[6:]
    assert len(resumed) == 10  # or Lightning would end the epoch too early
    for sampler in (whole, resumed):
        sampler.set_epoch(5)
    assert list(resumed) == list(whole)
    assert len(list(resumed)) == 10


@pytest.mark.parametrize("length", [12, 10, 2])
@pytest.mark.parametrize("shuffle", [True, False])
def test_ranks_share_out(length: int, shuffle: bool) -> None:
    world = 4
    ranks = [
        EpochSampler(length, seed=0, shuffle=shuffle, rank=rank, world_size=world)
        for rank in range(world)
    ]
    shares = [indices(rank) for rank in ranks]
    assert [len(share) for share in shares] == [len(rank) for rank in ranks]
    seen = [index for share in shares for index in share]
    assert set(seen) == set(range(length))
    if not shuffle:
        assert len(seen) == length  # in validation nothing is counted twice
        return
    each = -(-length // world)
    assert {len(share) for share in shares} == {each}
    # Only as many twice as it takes to give everybody the same number.
    assert len(seen) - len(set(seen)) == each * world - length


def test_ranks_go_through_the_order_of_a_single_process() -> None:
    ranks = [EpochSampler(12, seed=0, shuffle=True, rank=rank, world_size=3) for rank in range(3)]
    together = [index for step in zip(*map(indices, ranks), strict=True) for index in step]
    assert together == indices(EpochSampler(12, seed=0, shuffle=True))


def test_a_rank_leaves_out_what_it_has_seen() -> None:
    whole = EpochSampler(12, seed=0, shuffle=True, rank=1, world_size=3)
    resumed = EpochSampler(12, seed=0, shuffle=True, start=2, rank=1, world_size=3)
    assert list(resumed) == list(whole)[2:]


# ---------------------------------------------------------------- SketchDataModule


def test_batches_end_to_end(pairs_dir: Path) -> None:
    data = module(pairs_dir, batch_size=4)
    for loader, sizes in ((data.train_dataloader(), [4, 4]), (data.val_dataloader(), [4])):
        batches = list(loader)
        pictures = [batch["pictures"] for batch in batches]
        assert [part.shape for part in pictures] == [(n, SIZE, SIZE, 4) for n in sizes]
        assert {part.dtype for part in pictures} == {torch.uint8}
        hints = torch.ones(1)  # a key that nobody here knows goes through
        batch = data.on_after_batch_transfer({**batches[0], "hints": hints}, 0)
        assert batch.keys() == {"sketch", "real", "hints"} and batch.pop("hints") is hints
        assert batch["sketch"].shape == (4, 1, SIZE, SIZE)
        assert batch["real"].shape == (4, 3, SIZE, SIZE)
        for picture in batch.values():
            assert picture.dtype == torch.float32
            assert -1 <= picture.min() < -0.2 and picture.max() == 1  # lines, and white paper
        both = torch.cat([to_uint8(batch["real"]), to_uint8(batch["sketch"])], dim=1)
        assert torch.equal(both.permute(0, 2, 3, 1), pictures[0])


def test_validation_is_resized_alone_and_in_order(pairs_dir: Path) -> None:
    loader = module(pairs_dir).val_dataloader()
    batches = list(loader)
    assert same(batches, list(loader))
    samples = torch.cat([batch["pictures"] for batch in batches]).numpy()
    for sample, path in zip(samples, sorted((pairs_dir / "val").iterdir()), strict=True):
        colour, sketch = np.split(read_rgb(path), 2, axis=1)
        pair = np.dstack([colour, rgb_to_grey(sketch)])
        small = cv2.resize(pair, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(sample, small)


def test_zoom_and_rotate_move_training_pairs_alone(pairs_dir: Path) -> None:
    plain = module(pairs_dir)
    assert same(stream(module(pairs_dir, zoom=1.0, rotate=0.0)), stream(plain))
    for moves in ({"zoom": 2.0}, {"rotate": 30.0}):
        moved = module(pairs_dir, **moves)
        assert same(list(moved.val_dataloader()), list(plain.val_dataloader()))
        rows = [torch.cat([b["pictures"] for b in epochs(d, 0)[0]]) for d in (moved, plain)]
        assert (rows[0] != rows[1]).flatten(1).any(dim=1).all()


def test_a_further_set_has_moves_of_its_own(pairs_dir: Path, paintings: Path) -> None:
    data = module(pairs_dir, zoom=2.0, also=further(paintings, zoom=1.0, rotate=10.0))
    samplings = [one.sampling for one in (data, *data.also)]
    assert [(one.zoom, one.rotate) for one in samplings] == [(2.0, 0.0), (1.0, 10.0)]


def test_training_is_shuffled(pairs_dir: Path) -> None:
    data = module(pairs_dir, jitter=0, flip=False)
    in_order = [torch.from_numpy(data.datasets["train"][0, index]) for index in range(8)]
    rows = torch.cat([batch["pictures"] for batch in epochs(data, 0)[0]])
    order = [next(i for i, r in enumerate(in_order) if torch.equal(r, row)) for row in rows]
    assert sorted(order) == list(range(8)) != order


def test_test_split(pairs_dir: Path, write_pairs: Callable[..., list[Path]]) -> None:
    with pytest.raises(ValueError, match=r"pairs/test: no such folder\. Expected the test pairs"):
        module(pairs_dir).test_dataloader()
    write_pairs(pairs_dir / "test", 2, seed=5)
    (batch,) = module(pairs_dir).test_dataloader()
    assert batch["pictures"].shape == (2, SIZE, SIZE, 4)


def test_flat_folder_is_split_by_fraction_and_seed(
    tmp_path: Path, write_pairs: Callable[..., list[Path]]
) -> None:
    write_pairs(tmp_path / "flat", 20, width=32, height=16)

    def held_out(**changes: Any) -> list[Any]:
        data = module(tmp_path / "flat", **changes)
        assert len(data.datasets["train"]) + len(data.datasets["val"]) == 20
        assert len(data.datasets["val"]) == len(data.splits()["val"])
        return data.splits()["val"]

    few, many = held_out(val_fraction=0.2), held_out(val_fraction=0.7)
    assert set(few) < set(many)
    assert held_out(val_fraction=0.7, seed=1) != many


def test_setup_looks_at_the_files_once(pairs_dir: Path) -> None:
    data = module(pairs_dir)
    datasets = dict(data.datasets)
    data.setup("validate")
    assert data.datasets.keys() == datasets.keys()
    assert all(data.datasets[name] is datasets[name] for name in datasets)


def test_bad_files_are_raised_or_skipped(pairs_dir: Path) -> None:
    (pairs_dir / "train" / "broken.png").write_text("not a picture")
    for cache in ("auto", "off"):
        with pytest.raises(ValueError, match=r"1 of 13 pictures(.|\n)*broken\.png"):
            module(pairs_dir, cache=cache)
        with pytest.warns(UserWarning, match=r"broken\.png(.|\n)*skipped") as warned:
            data = module(pairs_dir, on_bad="skip", cache=cache)
        assert len(data.datasets["train"]) == 8 and len(warned) == 1


def test_missing_root_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone: no such folder"):
        module(tmp_path / "gone")


def test_faults_that_stand_out_are_said_at_the_start(
    tmp_path: Path, write_pairs: Callable[..., list[Path]]
) -> None:
    write_pairs(tmp_path / "pairs" / "train", 20)
    write_pairs(tmp_path / "pairs" / "val", 4, seed=9)
    with pytest.warns(UserWarning, match="colour_side=left"):
        module(tmp_path / "pairs", colour_side="right")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "photos"}, r"`data\.source` to be one of pairs, two_folders, pictures, got"),
        ({"task": "photos"}, r"`data\.task` to be one of sketch, photo, got 'photos'"),
        ({"fit": "stretch"}, r"`data\.fit` to be one of squash, crop, pad, got 'stretch'"),
        ({"cache": "on"}, r"`data\.cache` to be one of auto, off, require, got 'on'"),
        ({"colour_side": "top"}, r"`data\.colour_side` to be one of left, right, got 'top'"),
        ({"on_bad": "ignore"}, r"`data\.on_bad` to be one of raise, skip, got 'ignore'"),
        ({"val_fraction": 0.0}, r"`data\.val_fraction` between 0 and 1, got 0\.0"),
        ({"val_fraction": 1.0}, r"`data\.val_fraction` between 0 and 1, got 1\.0"),
        ({"size": 0}, r"`data\.size` to be at least 1, got 0"),
        ({"batch_size": 0}, r"`data\.batch_size` to be at least 1, got 0"),
        ({"jitter": -1}, r"`data\.jitter` to be at least 0, got -1"),
        ({"draw": -1}, r"`data\.draw` to be at least 0, got -1"),
        ({"num_workers": -1}, r"`data\.num_workers` to be at least 0, got -1"),
        ({"zoom": 0.5}, r"`data\.zoom` to be a number from 1 to 2, got 0\.5"),
        ({"zoom": 2.1}, r"`data\.zoom` to be a number from 1 to 2, got 2\.1"),
        ({"zoom": float("nan")}, r"`data\.zoom` to be a number from 1 to 2, got nan"),
        ({"rotate": -1.0}, r"`data\.rotate` to be a number from 0 to 180, got -1\.0"),
        ({"rotate": 181.0}, r"`data\.rotate` to be a number from 0 to 180, got 181\.0"),
        ({"rotate": float("nan")}, r"`data\.rotate` to be a number from 0 to 180, got nan"),
        ({"root": None}, r"Expected `data\.root`, a folder, for data\.source=pairs"),
        ({"source": "pictures", "root": None}, r"`data\.root`, a folder, .*source=pictures"),
        ({"source": "two_folders"}, r"Expected `data\.colours`, a folder, for .*=two_folders"),
        ({"source": "two_folders", "colours": "x"}, r"Expected `data\.sketches`, a folder"),
        (
            {"line_styles": []},
            r"`data\.line_styles` to be a list of names out of drawn, redrawn, xdog, .*\[",
        ),
        ({"line_styles": ["crayon"]}, r"`data\.line_styles` .* redrawn, xdog, .*got \['crayon'\]"),
        ({"line_styles": ["xdog", "crayon"]}, r"`data\.line_styles` .*\['xdog', 'crayon'\]"),
        ({"source": "pictures"}, r"`data\.line_styles` .* out of xdog, .* bring no drawn sketch"),
        ({"source": "pictures", "line_styles": ["xdog", "drawn"]}, "bring no drawn sketch"),
        ({"line_styles": ["xdog"], "line_thickness": [2, 1]}, r"Expected `thickness` .*\[2, 1\]"),
        ({"line_styles": ["xdog"], "line_threshold": [0, 1]}, r"Expected `threshold` .*\[0, 1\]"),
        ({"line_styles": ["xdog"], "line_intensity": [1, 2]}, r"Expected `intensity` .*\[1, 2\]"),
        ({"task": "photo"}, r"Expected `data\.source` pictures for the task photo, got pairs"),
        (
            {"task": "photo", "source": "two_folders", "colours": "x", "sketches": "y"},
            r"Expected `data\.source` pictures for the task photo, got two_folders",
        ),
    ],
)
def test_wrong_parameters_are_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SketchDataModule(**({"root": "anywhere"} | changes))


def test_choices_are_said_in_the_annotations_for_the_command_line() -> None:
    hints = get_type_hints(SketchDataModule.__init__)
    for name, good, bad in (
        ("source", "pictures", "photos"),
        ("colour_side", "right", "top"),
        ("on_bad", "skip", "ignore"),
        ("fit", "pad", "stretch"),
        ("cache", "off", "on"),
        ("line_styles", ["drawn", *MADE], ["xdog", "crayon"]),
    ):
        assert fits(good, hints[name]) and not fits(bad, hints[name]), name
    words = "a list, each one of drawn, redrawn, xdog, canny, adaptive, pencil, faint"
    assert described(hints["line_styles"]) == words


def test_default_number_of_workers() -> None:
    assert 1 <= default_workers() <= 8
    assert SketchDataModule(root="anywhere").num_workers == default_workers()
    assert SketchDataModule(root="anywhere", num_workers=0).num_workers == 0


# ---------------------------------------------------------------- two folders


def in_two_folders(folders: dict[str, Path], **changes: Any) -> SketchDataModule:
    places = {name: str(folder) for name, folder in folders.items()}
    cache_dir = str(folders["colours"].parent / CACHE)
    return module(None, source="two_folders", cache_dir=cache_dir, **places, **changes)


def test_two_folders_are_the_same_as_pairs(pairs_dir: Path, two_folders: dict[str, Path]) -> None:
    pairs, two = module(pairs_dir), in_two_folders(two_folders)
    assert same(epochs(pairs, 0, 1), epochs(two, 0, 1))
    assert same(list(pairs.val_dataloader()), list(two.val_dataloader()))


def test_what_has_no_partner_is_raised_or_skipped(two_folders: dict[str, Path]) -> None:
    (two_folders["colours"] / "train" / "004.png").unlink()
    (two_folders["sketches"] / "train" / "001.bmp").unlink()
    text = r"2 pictures have no partner(.|\n)*001\.png(.|\n)*004\.bmp"
    with pytest.raises(ValueError, match=text):
        in_two_folders(two_folders)
    with pytest.warns(UserWarning, match=text):
        data = in_two_folders(two_folders, on_bad="skip")
    assert (len(data.datasets["train"]), len(data.datasets["val"])) == (6, 4)


# ---------------------------------------------------------------- pictures


def test_pictures_get_their_sketches_in_training(paintings: Path) -> None:
    data = module(paintings, source="pictures", line_styles=MADE, fit="crop")
    first, second = epochs(data, 0, 1)
    batch = data.on_after_batch_transfer(first[0], 0)
    assert batch["sketch"].shape == (3, 1, SIZE, SIZE) and batch["real"].shape == (3, 3, SIZE, SIZE)
    assert batch["sketch"].min() < 0.5 and batch["sketch"].max() > 0.5
    assert not same(first, second)
    validation = list(data.val_dataloader())
    assert same(validation, list(data.val_dataloader()))


def test_line_styles_replace_drawn_sketches(pairs_dir: Path) -> None:
    drawn = module(pairs_dir)
    for styles, alike in ((["drawn"], True), (["pencil"], False), (["drawn", "pencil"], None)):
        made = module(pairs_dir, line_styles=styles)
        sixth = [epochs(data, *range(6))[5] for data in (drawn, made)]
        rows = [torch.cat([batch["pictures"] for batch in epoch]) for epoch in sixth]
        # Crop and flip are the same; what differs is darker, by lines.
        darker = (rows[1][..., :3] <= rows[0][..., :3]) | (rows[0][..., 3:] < 255)
        assert darker.all() and (rows[0][..., :3] == rows[1][..., :3]).float().mean() > 0.6
        equal = (rows[0][..., 3] == rows[1][..., 3]).flatten(1).all(dim=1)
        assert {True: equal.all(), False: not equal.any(), None: equal.any() and not equal.all()}[
            alike
        ]


def test_the_sketch_of_a_sample_is_fixed_in_validation_and_not_in_training(
    pairs_dir: Path,
) -> None:
    data = module(pairs_dir, line_styles=MADE, jitter=0, flip=False)
    training = [np.stack([data.datasets["train"][e, i] for i in range(8)]) for e in (0, 1)]
    clear = np.minimum(training[0][..., 3], training[1][..., 3]) > 160  # where no line was laid
    np.testing.assert_array_equal(training[0][clear][:, :3], training[1][clear][:, :3])
    assert (training[0][..., 3] != training[1][..., 3]).any(axis=(1, 2)).mean() > 0.5
    validation = [np.stack([data.datasets["val"][e, i] for i in range(4)]) for e in (0, 1)]
    np.testing.assert_array_equal(*validation)


# ---------------------------------------------------------------- photographs


@pytest.mark.parametrize("split", ["train", "val"])
def test_photographs_are_lightness_and_colours(paintings: Path, split: str) -> None:
    data = module(paintings, source="pictures", task="photo", fit="crop")
    loader = data.train_dataloader() if split == "train" else data.val_dataloader()
    chroma = 0.0
    for loaded in loader:
        pictures = loaded["pictures"]
        assert pictures.shape == (3, SIZE, SIZE, 3) and pictures.dtype == torch.uint8
        batch = data.on_after_batch_transfer(loaded, 0)
        assert batch.keys() == {"sketch", "real"}
        assert batch["sketch"].shape == (3, 1, SIZE, SIZE)
        assert batch["real"].shape == (3, 2, SIZE, SIZE)
        for part in batch.values():
            assert part.dtype == torch.float32 and -1 <= part.min() and part.max() <= 1
        back = to_uint8(lab_to_rgb(torch.cat([batch["sketch"], batch["real"]], dim=1)))
        assert (back.int() - pictures.permute(0, 3, 1, 2).int()).abs().max() <= 1
        expected = rgb_to_lab(to_float(pictures.permute(0, 3, 1, 2)))
        torch.testing.assert_close(batch["sketch"], expected[:, :1])
        chroma = max(chroma, float(batch["real"].abs().max()))
    assert chroma > 0.2


@few_cores
def test_photographs_are_the_same_for_any_number_of_workers(paintings: Path) -> None:
    photos: dict[str, Any] = {"source": "pictures", "task": "photo", "fit": "crop"}
    alone = epochs(module(paintings, **photos), 0, 1)
    assert same(alone, epochs(module(paintings, num_workers=2, **photos), 0, 1))
    assert not same(alone[0], alone[1])


# ---------------------------------------------------------------- the cache

SOURCES: dict[str, dict[str, Any]] = {
    "pairs": {},
    "pairs, made lines": {"line_styles": ["drawn", *MADE], "fit": "pad"},
    "paintings": {"source": "pictures", "line_styles": MADE, "fit": "crop"},
    "photos": {"source": "pictures", "task": "photo", "fit": "crop"},
}


def stream(data: SketchDataModule) -> list[Any]:
    return [epochs(data, 0, 1), list(data.val_dataloader())]


@few_cores
@pytest.mark.parametrize("kind", SOURCES)
def test_batches_from_the_cache_are_those_decoded(
    kind: str, pairs_dir: Path, paintings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = SOURCES[kind]
    root = paintings if "source" in changes else pairs_dir
    decoded = stream(module(root, **changes))
    assert "cache" not in capsys.readouterr().out
    path = unready(root, **changes).build_cache(2)
    assert path.parent == root.parent / CACHE and path.name.startswith(f"{root.name}-")
    capsys.readouterr()
    data = module(root, cache="require", **changes)
    assert capsys.readouterr().out == f"Pictures from the cache {path}\n"
    assert same(stream(data), decoded)
    if kind == "paintings":  # nor does a worker change anything
        assert same(stream(module(root, num_workers=2, **changes)), decoded)


def test_the_cache_is_used_by_itself_and_without_the_pictures(
    pairs_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unready(pairs_dir).build_cache()
    monkeypatch.setattr(
        "sketch2paint.data.sources.read_picture", None
    )  # nothing is decoded any more
    data = module(pairs_dir)
    assert "Pictures from the cache" in capsys.readouterr().out
    assert len(epochs(data, 0)[0]) == 3


def test_lines_and_batches_are_no_business_of_the_cache(
    pairs_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unready(pairs_dir).build_cache()
    capsys.readouterr()
    module(pairs_dir, line_styles=["xdog"], flip=False, batch_size=1, cache="require")
    assert "Pictures from the cache" in capsys.readouterr().out


def test_cache_off_ignores_it(pairs_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = unready(pairs_dir)
    path = data.build_cache()
    (path / "pictures.u8").write_bytes(b"")  # whatever it is
    capsys.readouterr()
    off = module(pairs_dir, cache="off")
    assert "cache" not in capsys.readouterr().out
    with pytest.warns(UserWarning, match=r"the cache is stale: pictures\.u8 is shorter than"):
        auto = module(pairs_dir)
    assert same(stream(off), stream(auto))


def change_files(root: Path) -> str:
    Image.fromarray(read_rgb(root / "train" / "000.png")[::-1].copy()).save(
        root / "train" / "001.png"
    )
    os.utime(root / "train" / "001.png", ns=(1, 1))
    (root / "train" / "new.png").write_bytes((root / "train" / "000.png").read_bytes())
    return r"1 file added, 1 changed \(first: train/new\.png\)"


STALE: dict[str, dict[str, Any]] = {
    "made for size 16, now 32": {"size": 32},
    "made for jitter 4, now 6": {"jitter": 6},
    "made for fit squash, now pad": {"fit": "pad"},
    "made for colour_side left, now right": {"colour_side": "right"},
    "files": {},
}


@pytest.mark.filterwarnings("ignore:.*colour_side=left")  # it is right: they are not swapped
@pytest.mark.parametrize("what", STALE)
def test_a_stale_cache_warns_with_what_changed_and_is_not_used(
    what: str, pairs_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = unready(pairs_dir).build_cache()
    text = change_files(pairs_dir) if what == "files" else re.escape(what)
    place = re.escape(str(path))
    advice = (
        r"\. The files are decoded instead; run prepare\.py with the same data keys to renew it"
    )
    capsys.readouterr()
    with pytest.warns(UserWarning, match=f"^{place}: the cache is stale: {text}{advice}"):
        data = module(pairs_dir, **STALE[what])
    assert "cache" not in capsys.readouterr().out
    assert same(stream(data), stream(module(pairs_dir, cache="off", **STALE[what])))

    refusal = rf"^{place}: expected a fresh cache \(data\.cache=require\): {text}\. Run prepare\.py"
    with pytest.raises(ValueError, match=refusal):
        module(pairs_dir, cache="require", **STALE[what])

    assert unready(pairs_dir, **STALE[what]).build_cache() == path  # in the place of the old one
    renewed = module(pairs_dir, cache="require", **STALE[what])
    assert same(stream(renewed), stream(data))


def test_cache_require_refuses_where_there_is_none(pairs_dir: Path) -> None:
    text = r"cache/pairs-.*: expected a fresh cache \(data\.cache=require\): no cache\. Run prepare"
    with pytest.raises(ValueError, match=text):
        module(pairs_dir, cache="require")
    module(pairs_dir)  # with auto that is nothing to warn of


def test_bad_files_are_skipped_with_a_cache_as_well(
    pairs_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pairs_dir / "train" / "003x.png").write_text("not a picture")
    (pairs_dir / "train" / "lost.png").symlink_to("nowhere.png")
    bad = pytest.warns(UserWarning, match=r"^2 of 14 pictures (.|\n)*003x(.|\n)*lost(.|\n)*skipped")
    with bad as warned:
        unready(pairs_dir, on_bad="skip").build_cache()
    assert len(warned) == 1
    capsys.readouterr()
    with bad as warned:
        data = module(pairs_dir, on_bad="skip", cache="require")
    assert len(warned) == 1 and "Pictures from the cache" in capsys.readouterr().out
    assert len(data.datasets["train"]) == 8
    with bad:
        assert same(stream(data), stream(module(pairs_dir, on_bad="skip", cache="off")))
    for action in (lambda: module(pairs_dir), lambda: unready(pairs_dir).build_cache()):
        with pytest.raises(ValueError, match=r"2 of 14 pictures(.|\n)*003x\.png(.|\n)*lost\.png"):
            action()


def test_a_cache_is_made_of_good_files_alone(pairs_dir: Path) -> None:
    (pairs_dir / "train" / "bad.png").write_text("not a picture")
    data = unready(pairs_dir)
    with pytest.raises(ValueError, match=r"1 of 13 pictures cannot be used(.|\n)*bad\.png"):
        data.build_cache()
    assert not data.cache_folder().exists()


CHILDREN = """
import multiprocessing, os, signal, sys, time
from pathlib import Path
from sketch2paint.data.datamodule import SketchDataModule

here = Path(sys.argv[1])


class Hanging:
    def __len__(self):
        return 8

    def __getitem__(self, index):
        (here / "hangs").touch()
        time.sleep(1000)


def own():
    def end(*_):
        (here / "ended").touch()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    (here / "runs").touch()
    time.sleep(1000)


if __name__ == "__main__":
    multiprocessing.Process(target=own, daemon=True).start()
    data = SketchDataModule(root=str(here / "pairs"), size=16, cache="off", num_workers=2)
    data.setup("fit")
    data.datasets["train"].pictures = Hanging()
    batches = iter(data.train_dataloader())
    while not ((here / "hangs").exists() and (here / "runs").exists()):
        time.sleep(0.01)
    raise SystemExit(7)
"""


def test_a_hanging_worker_is_killed_and_a_child_of_the_user_is_not(
    tmp_path: Path, pairs_dir: Path
) -> None:
    (tmp_path / "program.py").write_text(CHILDREN)
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(command, timeout=60, env=environment, capture_output=True, text=True)
    assert result.returncode == 7 and "Traceback" not in result.stderr
    assert (tmp_path / "ended").exists()  # by Python, in order


def test_a_process_that_fails_is_not_held_up_by_its_workers(pairs_dir: Path) -> None:
    program = f"""
from sketch2paint.arguments import described, fits
from sketch2paint.data.datamodule import SketchDataModule
data = SketchDataModule(root={str(pairs_dir)!r}, size=16, jitter=0, cache="off", num_workers=1)
data.setup("fit")
batches = iter(data.train_dataloader())
next(batches)
raise SystemExit(7)
"""
    result = subprocess.run([sys.executable, "-c", program], timeout=60, cwd=ROOT)
    assert result.returncode == 7


def test_the_demo_folder_is_taken_as_it_is_drawn(tmp_path: Path) -> None:
    """Its sketches/ and colours/ lie beside train/ and val/: no layout to refuse or to warn of."""
    data = module(tmp_path / "demo", draw=3)
    assert (len(data.datasets["train"]), len(data.datasets["val"])) == (3, 40)


def test_what_is_guessed_is_said_once_at_the_start(
    pairs_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = np.asarray(Image.open(pairs_dir / "train/000.png").convert("L"), np.uint16) << 7
    for name in ("a", "b"):
        Image.fromarray(deep).save(pairs_dir / f"train/{name}.tif")
    module(pairs_dir)
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "guessed" in one]
    assert line.startswith("note: 2 of 14 pictures were read with something guessed or left out: ")


# ---------------------------------------------------------------- several sets


def further(paintings: Path, **keys: Any) -> list[dict[str, Any]]:
    """Six pictures whose sketches are made, as a further set."""
    return [{"root": str(paintings), "source": "pictures", "line_styles": ["xdog"], **keys}]


def mixture(pairs_dir: Path, paintings: Path) -> SketchDataModule:
    """Eight pairs and, half as often, six pictures."""
    return module(pairs_dir, also=further(paintings, weight=0.5))


@pytest.mark.parametrize("words", [0, 8])
def test_sets_are_mixed_in_batches(pairs_dir: Path, paintings: Path, words: int) -> None:
    data = unready(pairs_dir, size=32, also=further(paintings))
    data.words = words
    data.setup("fit")
    assert data.sizes == [8, 6] and len(data.datasets["train"]) == 14
    ((*batches,),) = epochs(data, 0)
    assert sum(len(batch["pictures"]) for batch in batches) == 14
    assert {batch["pictures"].shape[1:] for batch in batches} == {(32, 32, 4)}
    assert ("labels" in batches[0]) is bool(words)
    assert len(data.datasets["val"]) == 4 + 3
    own = module(pairs_dir, size=32)
    assert same(
        list(data.val_dataloader())[0]["pictures"], list(own.val_dataloader())[0]["pictures"]
    )


def test_a_sample_of_a_mixture_is_that_of_its_set(pairs_dir: Path, paintings: Path) -> None:
    data, own = mixture(pairs_dir, paintings), module(pairs_dir)
    other = module(paintings, source="pictures", line_styles=["xdog"])
    joined = data.datasets["train"]
    for index in range(14):
        expected = own.datasets["train"] if index < 8 else other.datasets["train"]
        at = index if index < 8 else index - 8
        np.testing.assert_array_equal(joined[3, index], expected[3, at])
        assert np.array_equal(joined.pictures[index], expected.pictures[at])


def test_an_epoch_of_a_mixture_goes_on_where_it_stopped(pairs_dir: Path, paintings: Path) -> None:
    data = mixture(pairs_dir, paintings)
    (whole,) = epochs(data, 2)
    assert sum(len(batch["pictures"]) for batch in whole) == 8 + 3
    assert data.state_dict() == {"pairs": 11, "step": 3}
    loader = mixture(pairs_dir, paintings)._loader("train", shuffle=True, epoch=2, start=6)
    assert same(list(loader), whole[2:])


def test_the_order_of_one_set_is_what_it_was(pairs_dir: Path) -> None:
    plain = module(pairs_dir)._sampler("train", shuffle=True, epoch=1, start=0)
    assert type(plain) is EpochSampler
    twice = module(pairs_dir, weight=2)._sampler("train", shuffle=True, epoch=1, start=0)
    assert len(twice) == 16 and {epoch for epoch, _ in twice} == {2, 3}


def test_a_mixture_has_a_cache_for_each_set(pairs_dir: Path, paintings: Path) -> None:
    decoded = mixture(pairs_dir, paintings)
    unready(pairs_dir, also=further(paintings)).build_cache(1)
    cached = module(pairs_dir, also=further(paintings, weight=0.5), cache="require")
    assert same(epochs(cached, 0, 1), epochs(decoded, 0, 1))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"size": 64}, "Expected keys of a set in `data.also`, out of cache, .*, got size. All se"),
        ({"roots": "a"}, "weight, zoom, got roots."),
        ({"root": "a", "weight": "x"}, "`weight` of a set in `data.also` to be float, got 'x'."),
        ({"root": 3}, "`root` of a set in `data.also` to be str or null, got 3."),
        ({"source": "pictures"}, "Expected `data.root`, a folder, for data.source=pictures."),
        ({"root": "a", "zoom": 9.0}, "Expected `data.zoom` to be a number from 1 to 2, got 9.0."),
        ({"root": "a", "weight": 0}, "Expected `data.weight` to be a number above 0, got 0."),
        ({"root": "a", "weight": float("inf")}, "Expected `data.weight` .* got inf"),
        ({"root": "a", "source": "pictures"}, "`data.line_styles` .* Pictures bring no drawn ske"),
    ],
)
def test_wrong_keys_of_a_further_set(pairs_dir: Path, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        unready(pairs_dir, also=[keys])

"""What is measured on which pictures, and the input that is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny_evaluation import (
    NOTHING,
    Moments,
    absolute,
    data,
    ignore,
    measure_baselines,
    other_weights,
)
from tiny_model import BOTH, ship, write_model

from sketch2paint.evaluation.bootstrap import summarise
from sketch2paint.evaluation.compare import (
    BASELINES,
    Split,
    check_split,
    choose_split,
    common_size,
    drawings,
    load_candidates,
    measure,
)
from sketch2paint.evaluation.learned import Learned
from sketch2paint.evaluation.metrics import (
    OF_FLATS,
    OF_PICTURES,
    colour_difference,
    colourfulness,
    psnr,
    ssim,
)
from sketch2paint.evaluation.region_accuracy import work_left
from sketch2paint.hints.regions import find_regions
from sketch2paint.images.convert import resize
from sketch2paint.images.io import read_rgb
from sketch2paint.inference.painter import Painter
from sketch2paint.inference.region_painter import RegionPainter
from sketch2paint.models.networks import UNetGenerator

KEYS = [metric.key for metric in OF_PICTURES]


@pytest.fixture
def chosen(pairs_dir: Path) -> Split:
    return choose_split(data(pairs_dir), "val", "refuse")


# ---------------------------------------------------------------- the pictures


def test_a_split_is_named_fitted_and_compared_with_training(chosen: Split, pairs_dir: Path) -> None:
    assert chosen.files == [f"val/{n:03d}.png" for n in range(4)] and chosen.duplicates == []
    fitted = [resize(read_rgb(p)[:, :32], 16, 16) for p in sorted((pairs_dir / "train").iterdir())]
    np.testing.assert_allclose(chosen.mean, np.mean(fitted, axis=(0, 1, 2)), atol=0.51)


def test_a_split_that_does_not_exist(pairs_dir: Path) -> None:
    with pytest.raises(ValueError, match=r"`split` to be one of train, val \(found in .*'test'"):
        choose_split(data(pairs_dir), "test", "refuse")
    with pytest.raises(ValueError, match="`overlap` to be one of refuse, allow, got 'maybe'"):
        choose_split(data(pairs_dir), "val", "maybe")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="without cache and jitter"):
        choose_split(data(pairs_dir, jitter=3), "val", "refuse")


def test_a_mixture_is_not_measured(pairs_dir: Path) -> None:
    with pytest.raises(ValueError, match="Expected one set of pictures to measure on, got 1 more"):
        choose_split(data(pairs_dir, also=[{"root": str(pairs_dir)}]), "val", "refuse")


def test_pictures_that_were_trained_on_are_refused(pairs_dir: Path) -> None:
    colours = Image.open(pairs_dir / "train/003.png")
    colours.paste("black", (40, 5, 60, 9))  # another sketch, the same colours
    colours.save(pairs_dir / "val/copy.png", compress_level=1)
    with pytest.raises(ValueError) as error:
        choose_split(data(pairs_dir), "val", "refuse")
    assert "got 1 with the same colours:\n  val/copy.png is train/003.png" in str(error.value)
    assert "Remove them, or pass overlap=allow." in str(error.value)
    assert len(choose_split(data(pairs_dir), "val", "allow").duplicates) == 1
    with pytest.raises(ValueError, match="Expected pictures in train .*got 8 .*(\n.*)*and 3 more"):
        choose_split(data(pairs_dir), "train", "refuse")


# ---------------------------------------------------------------- the candidates


def test_candidates_are_named_and_described(weight_path: Path, tmp_path: Path) -> None:
    (tmp_path / "run/weights").mkdir(parents=True)
    shutil.copy(weight_path, tmp_path / "run/weights/generator.safetensors")
    ours, theirs = load_candidates([str(weight_path), str(tmp_path / "run")], "sketch", "cpu")
    assert (ours.name, theirs.name) == ("generator.safetensors", "run")
    assert ours.about["sha256"] == theirs.about["sha256"] and len(ours.about["sha256"]) == 64
    assert theirs.about["file"].endswith("run/weights/generator.safetensors")
    generator = UNetGenerator(size=16, base_channels=4)
    assert ours.about["parameters"] == sum(p.numel() for p in generator.parameters())
    assert 0 < ours.about["gflop"] < 0.01 and ours.about["pairs_seen"] is None


def test_the_model_that_comes_along_has_its_name(
    weight_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ship(monkeypatch, write_model(tmp_path / "tiny.safetensors", *BOTH))
    theirs, ours = load_candidates(["shipped", str(weight_path)], "sketch", "cpu")
    assert (theirs.name, ours.name) == ("shipped", "generator.safetensors")
    assert theirs.about["file"] == str(tmp_path / "tiny.safetensors")
    assert isinstance(theirs.painter, RegionPainter) and theirs.painter.shading
    assert [one.name for one in load_candidates(["shipped"], "sketch", "cpu")] == ["shipped"]
    with pytest.raises(ValueError, match="different run folders or files, got .*shipped twice"):
        load_candidates(["shipped", "shipped"], "sketch", "cpu")


def test_checkpoints_that_do_not_belong_together(weight_path: Path, tmp_path: Path) -> None:
    large = other_weights(tmp_path / "large.safetensors", 32)
    photo = other_weights(tmp_path / "photo.safetensors", task="photo")
    with pytest.raises(ValueError, match="photo.safetensors: expected weights for the task sketch"):
        load_candidates([photo], "sketch", "cpu")
    for given, got in (([], "none"), ([large, str(tmp_path / "a/../large.safetensors")], "twice")):
        with pytest.raises(ValueError, match=f"`checkpoint` to be different .* {got}"):
            load_candidates(given, "sketch", "cpu")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_candidates([str(tmp_path / "nowhere")], "sketch", "cpu")
    both = load_candidates([str(weight_path), large], "sketch", "cpu")
    with pytest.raises(ValueError, match=r"large.safetensors \(32\). Pass size=16 to compare"):
        common_size(both, None)
    assert common_size(both, 32) == 32 and common_size(both[1:], None) == 32
    for size in (0, 24):
        with pytest.raises(ValueError, match=f"multiple of 16 .*got {size}. Pass size=16"):
            common_size(both, size)


# ---------------------------------------------------------------- the figures


def test_every_row_is_measured_on_every_picture(
    chosen: Split, weight_path: Path, pairs_dir: Path
) -> None:
    candidates = load_candidates([str(weight_path)], "sketch", "cpu")
    seen: list[tuple[str, list[np.ndarray]]] = []
    networks = Learned(absolute, Moments())
    found = measure(
        chosen,
        candidates=candidates,
        learned=networks,
        seed=0,
        watch=lambda n, p: seen.append((n, list(p))),
    )
    assert found.rows == ["generator.safetensors", *BASELINES] and found.candidates == 1
    assert found.values.shape == (4, 4, len(KEYS)) and [n for n, _ in seen] == chosen.files
    painter = Painter.load(weight_path, device="cpu", lines="network", normalise="off")
    for n, (name, (drawing, fake, real)) in enumerate(seen):
        pair = read_rgb(pairs_dir / name)
        np.testing.assert_array_equal(real, resize(pair[:, :32], 16, 16))
        np.testing.assert_array_equal(fake, painter.paint([drawing])[0])
        baselines = [drawing, np.full_like(real, 255), np.full_like(real, chosen.mean)]
        for row, picture in enumerate([fake, *baselines]):
            values = dict(zip(KEYS, found.values[n, row], strict=True))
            assert values["psnr"] == psnr(picture, real) and values["ssim"] == ssim(picture, real)
            assert values["ciede2000"] == colour_difference(picture, real)
            difference = np.abs(picture / 255 - real / 255).mean()
            assert values["lpips"] == pytest.approx(difference, abs=1e-6)
        weights = dict(zip(KEYS, found.weights[n], strict=True))
        assert weights.pop("colourfulness") == colourfulness(real) > 1
        assert set(weights.values()) == {1}
        assert found.values[n, 1, KEYS.index("edges")] == pytest.approx(1)
        assert found.values[n, 2, KEYS.index("colourfulness")] == 0
    assert found.missing == {"ms_ssim": "needs pictures of at least 176 pixels a side"}
    assert (found.sets[:, 0] > 0).all() and found.sets[2, 0] > found.sets[1, 0]


def test_words_for_what_is_missing(chosen: Split) -> None:
    found = measure_baselines(chosen)
    assert found.missing == {
        "ms_ssim": "needs pictures of at least 176 pixels a side",
        "lpips": "not wanted",
        "fid": "not wanted",
        "kid": "not wanted",
    }
    assert np.isnan(found.sets).all()


def test_one_picture_without_colour(pairs_dir: Path) -> None:
    for path in sorted((pairs_dir / "val").iterdir())[1:]:
        path.unlink()
    grey = np.full((32, 64, 3), 200, np.uint8)
    Image.fromarray(grey).save(pairs_dir / "val/000.png")
    with pytest.warns(UserWarning, match="are blank"):
        chosen = choose_split(data(pairs_dir), "val", "refuse")
    found = measure_baselines(chosen, Learned(absolute, Moments()))
    assert found.missing["ciede2000"] == "no picture has coloured pixels"
    assert found.missing["colourfulness"] == "no picture is colourful enough for a ratio"
    assert found.missing["edges"] == "no lines drawn"
    assert found.missing["fid"] == "a set needs at least 2 pictures"
    summary = summarise(found, 0, 10)
    assert np.isnan(summary.intervals).all() and summary.counts[0].tolist() == [1, 1, 0, 0, 0, 0, 1]


def test_photographs_are_compared_as_rgb(
    tmp_path: Path, write_pairs: Callable[..., list[Path]]
) -> None:
    write_pairs(tmp_path / "photos", 6, width=32)
    weights = other_weights(tmp_path / "photo.safetensors", task="photo")
    photos = data(tmp_path / "photos", source="pictures", task="photo", fit="crop")
    chosen = choose_split(photos, "val", "refuse")
    shown: list[list[np.ndarray]] = []
    found = measure(
        chosen,
        candidates=load_candidates([weights], "photo", "cpu"),
        learned=NOTHING,
        seed=0,
        watch=lambda n, p: shown.append(list(p)),
    )
    assert found.missing["edges"] == "photographs have no lines"
    assert found.values[0, 1, KEYS.index("colourfulness")] < 0.02  # the copied one is grey
    assert found.values[0, 1, 0] > found.values[0, 2, 0]
    assert shown[0][1].shape == (16, 16, 3)


def test_flats_are_measured_at_512_where_they_are_wanted(chosen: Split, weight_path: Path) -> None:
    (candidate,) = load_candidates([str(weight_path)], "sketch", "cpu")
    found = measure(
        chosen, candidates=[candidate], learned=NOTHING, seed=0, watch=ignore, flats=True
    )
    assert found.of_pictures == (*OF_PICTURES, *OF_FLATS)
    plain = measure(chosen, candidates=[candidate], learned=NOTHING, seed=0, watch=ignore)
    np.testing.assert_array_equal(found.values[..., : len(OF_PICTURES)], plain.values)
    for one, values in zip(drawings(chosen), found.values[:, 0], strict=True):
        assert one.sketch.shape == one.truth.shape == (512, 512)
        work = work_left(candidate.flat(one.sketch), find_regions(one.sketch).cut(), one)
        assert values[-5:-2].tolist() == [work.left, work.blank, work.paper]
        np.testing.assert_array_equal(values[-2:], [work.pieces, work.merged])
        assert work.blank > 0
    assert np.isnan(found.values[:, 1:, -5:]).all()  # baselines make no flats
    assert not {metric.key for metric in OF_FLATS} & set(found.missing)


def test_drawings_are_named_by_their_files(chosen: Split, pairs_dir: Path) -> None:
    first, *rest = drawings(chosen)
    assert [one.name for one in (first, *rest)] == ["000", "001", "002", "003"]
    sketch = read_rgb(pairs_dir / "val/000.png")[:, 32:]
    np.testing.assert_array_equal(first.sketch, resize(sketch, 512, 512)[..., 0])
    assert chosen.data.size == 16 and chosen.data.datasets["val"].pictures.fit.size == 16  # type: ignore[attr-defined]


def test_training_pictures_are_not_augmented(pairs_dir: Path) -> None:
    chosen = choose_split(data(pairs_dir), "train", "allow")
    first, again = (measure_baselines(chosen) for _ in range(2))
    np.testing.assert_array_equal(first.values, again.values)
    shown: list[np.ndarray] = []
    measure_baselines(chosen, watch=lambda n, p: shown.append(p[-1]))
    for name, picture in zip(chosen.files, shown, strict=True):
        real = resize(read_rgb(pairs_dir / name)[:, :32], 16, 16)
        np.testing.assert_array_equal(picture, real)


def test_a_run_is_measured_on_what_it_held_out(
    pairs_dir: Path, tmp_path: Path, weight_path: Path
) -> None:
    shutil.rmtree(pairs_dir / "val")  # so that the split is one by seed and fraction
    run = tmp_path / "runs/a"
    (run / "weights").mkdir(parents=True)
    shutil.copy(weight_path, run / "weights/generator.safetensors")
    keys = {"root": str(pairs_dir), "seed": 0, "val_fraction": 0.5}
    (run / "config.yaml").write_text(yaml.safe_dump({"data": keys}))
    candidates = load_candidates([str(run)], "sketch", "cpu")
    check_split(candidates, data=data(pairs_dir, seed=0, val_fraction=0.5), overlap="refuse")
    other = data(pairs_dir, seed=1, val_fraction=0.5)
    with pytest.raises(ValueError, match="a: expected the split .* seed=0 data.val_fraction=0.5"):
        check_split(candidates, data=other, overlap="refuse")
    check_split(candidates, data=other, overlap="allow")
    (run / "config.yaml").write_text("data: [no, mapping]")  # somebody else's
    check_split(candidates, data=other, overlap="refuse")
    (pairs_dir / "val").mkdir()
    (run / "config.yaml").write_text(yaml.safe_dump({"data": {**keys, "seed": 7}}))
    check_split(candidates, data=other, overlap="refuse")  # val/ is the same for every seed

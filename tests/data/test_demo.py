import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from sketch2paint.data import demo
from sketch2paint.data.canvas import Canvas
from sketch2paint.data.demo import draw_pair, write_pairs

SMALL = {"pairs": 3, "val_pairs": 2, "heldout": 2, "seed": 5, "size": 64}


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, np.ndarray]]:
    return [draw_pair(seed=0, index=index) for index in range(12)]


def read(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert image is not None, path
    return image[..., ::-1] if image.ndim == 3 else image


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_shapes_and_dtypes(drawn):
    for colour, sketch in drawn:
        assert (colour.shape, colour.dtype) == ((512, 512, 3), np.uint8)
        assert (sketch.shape, sketch.dtype) == ((512, 512), np.uint8)
    colour, sketch = draw_pair(seed=0, index=0, size=96)
    assert (colour.shape, sketch.shape) == ((96, 96, 3), (96, 96))


def test_a_pair_depends_on_seed_and_index_alone(drawn):
    np.random.seed(1)  # global state must not matter
    again = draw_pair(seed=0, index=3)
    for one, other in zip(again, drawn[3], strict=True):
        assert np.array_equal(one, other)
    assert not np.array_equal(drawn[3][1], drawn[4][1])
    assert not np.array_equal(drawn[3][1], draw_pair(seed=1, index=3)[1])


def test_sketch_is_black_lines_on_white(drawn):
    for _, sketch in drawn:
        assert sketch.min() == 0 and sketch.max() == 255
        assert 180 < sketch.mean() < 245
        assert (sketch > 250).mean() > 0.6
        # Lines, not fills: little black is left once lines of up to 13 pixels are taken away.
        assert (cv2.dilate(sketch, np.ones((13, 13), np.uint8)) < 128).mean() < 0.004


def test_lines_of_the_sketch_are_dark_in_the_colours(drawn):
    for colour, sketch in drawn:
        assert np.array_equal(np.unique(colour[sketch == 0], axis=0), [demo.INK])
        assert colour[sketch == 255].mean() > 70


def test_colours_are_vivid(drawn):
    chroma = [float(np.mean(np.ptp(colour.astype(int), axis=2))) for colour, _ in drawn]
    assert np.mean(chroma) > 70 and min(chroma) > 30


@pytest.mark.parametrize("backdrop", demo.BACKDROPS)
def test_no_part_of_a_backdrop_is_without_lines(backdrop):
    page = Canvas.blank(256)
    backdrop(page, np.random.default_rng(0))
    blocks = page.ink.reshape(4, 64, 4, 64).min(axis=(1, 3))
    assert (blocks < 64).all()


@pytest.mark.parametrize("table", [demo.HAIR, demo.GARMENTS, demo.ANIMALS])
def test_a_pattern_tells_its_colour(table):
    patterns = [entry.pattern if table is demo.HAIR else entry for entry in table.values()]
    assert len({p.main for p in patterns}) == len(patterns)
    assert len({p.mark.tobytes() for p in patterns}) == len(patterns)


def test_write_pairs_layout(tmp_path):
    root = write_pairs(tmp_path / "demo", **SMALL)
    assert set(files(root)) == {
        "demo.json",
        *(f"train/0000{n}.png" for n in range(3)),
        *(f"val/0000{n}.png" for n in range(2)),
        *(f"{folder}/0000{n}.png" for folder in ("sketches", "colours") for n in range(2)),
    }
    colour, sketch = draw_pair(seed=5, index=1, size=64)
    pair = read(root / "train" / "00001.png")
    assert pair.shape == (64, 128, 3)
    assert np.array_equal(pair[:, :64], colour)
    assert all(np.array_equal(pair[:, 64:, channel], sketch) for channel in range(3))
    colour, sketch = draw_pair(seed=5, index=2 * 10**6, size=64)
    assert np.array_equal(read(root / "colours" / "00000.png"), colour)
    assert np.array_equal(read(root / "sketches" / "00000.png")[..., 0], sketch)


def test_splits_share_no_picture(tmp_path):
    root = write_pairs(tmp_path / "demo", **SMALL)
    pictures = [read(path)[:, :64] for path in sorted(root.glob("[tv]*/*.png"))]
    pictures += [read(path) for path in sorted(root.glob("colours/*.png"))]
    assert len({picture.tobytes() for picture in pictures}) == 7


def test_validation_pairs_do_not_depend_on_the_number_of_training_pairs(tmp_path):
    few, more = (
        write_pairs(tmp_path / str(n), pairs=n, val_pairs=1, heldout=1, seed=0, size=32)
        for n in (1, 2)
    )
    for name in ("val/00000.png", "colours/00000.png"):
        assert (few / name).read_bytes() == (more / name).read_bytes()


def test_second_call_draws_nothing(tmp_path, monkeypatch):
    root = write_pairs(tmp_path / "demo", **SMALL)
    before = files(root)
    monkeypatch.setattr(demo, "draw_pair", lambda *_: pytest.fail("drew again"))
    assert write_pairs(root, **SMALL) == root
    assert files(root) == before


def test_other_parameters_draw_again(tmp_path):
    root = write_pairs(tmp_path / "demo", **SMALL)
    (root / "notes.txt").write_text("mine")
    write_pairs(root, **SMALL | {"pairs": 1, "seed": 6})
    assert [path.name for path in (root / "train").iterdir()] == ["00000.png"]
    assert np.array_equal(read(root / "train" / "00000.png")[:, :64], draw_pair(6, 0, 64)[0])
    assert json.loads((root / "demo.json").read_text())["seed"] == 6
    assert (root / "notes.txt").read_text() == "mine"


def test_an_interrupted_call_is_taken_up(tmp_path, monkeypatch):
    def fail(seed: int, index: int, size: int):
        if index == 2:
            raise KeyboardInterrupt
        return draw_pair(seed, index, size)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(demo, "draw_pair", fail)
        write_pairs(tmp_path / "demo", **SMALL)
    assert not (tmp_path / "demo" / "demo.json").exists()
    (tmp_path / "demo" / "train" / ".00002.1.tmp.png").write_bytes(b"half")
    root = write_pairs(tmp_path / "demo", **SMALL)
    whole = files(root)
    assert len(whole) == 10
    (root / "val" / "00001.png").unlink()  # a missing file is drawn again, too
    assert files(write_pairs(root, **SMALL)) == whole


def test_refuses_a_foreign_folder(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "00000.png").write_bytes(b"somebody's picture")
    with pytest.raises(
        ValueError, match=r"expected a new folder to draw .*your pairs, pass data=pairs"
    ):
        write_pairs(tmp_path, **SMALL)
    assert files(tmp_path) == {"train/00000.png": b"somebody's picture"}


def test_refuses_impossible_counts(tmp_path):
    with pytest.raises(ValueError, match="Expected 0 to 100000 pictures"):
        write_pairs(tmp_path / "demo", **SMALL | {"val_pairs": -1})


def test_two_that_draw_at_once_do_not_collide(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        arguments = {"pairs": 3, "val_pairs": 1, "heldout": 1, "size": 32}
        made = list(pool.map(lambda _: write_pairs(tmp_path / "demo", **arguments), range(4)))
    assert set(made) == {tmp_path / "demo"}
    assert len(list((tmp_path / "demo/train").glob("*.png"))) == 3
    assert not (tmp_path / "demo/demo.begun.json").exists()

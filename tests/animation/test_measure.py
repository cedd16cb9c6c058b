"""Coloured frames compared with true ones."""

import json

import pytest
from PIL import Image
from tiny_shot import write_shot

from sketch2paint.animation.measure import OURS, PAST, measure_shot
from sketch2paint.animation.shots import opened_shot
from sketch2paint.images.io import read_rgb


@pytest.fixture
def root(tmp_path):
    return write_shot(tmp_path, count=12)


def measured(root, **options):
    with opened_shot(root / "lines") as shot:
        text = measure_shot(shot, root / "colour", output=root / "out", **options)
    rows = json.loads((root / "out/measured.json").read_text())
    return text, {(row["keys each"], row["way"]): row for row in rows}


def test_ours_is_right_where_copied_colours_are_not(root):
    text, rows = measured(root, spacings=[4, 0])
    assert len(rows) == 16 and len(text.splitlines()) == 17
    for every in ("4", "one"):
        ours, copied = rows[every, OURS], rows[every, "key copied"]
        assert float(ours["pixels"]) > 0.99 > float(copied["pixels"])
        assert float(ours["large"]) == 1 and float(ours["flicker"]) < 0.01
        assert ours["wrong marked"] == "" and copied["marked"] == ""
        assert float(rows[every, "limit: the truth, voted"]["regions"]) == 1
        assert float(ours["PSNR"]) > 40 > float(copied["PSNR"]) > 10
        assert float(ours["CIEDE2000"]) < 0.1 < 1 < float(copied["CIEDE2000"])
        truth = rows[every, "the truth"]
        assert (truth["pixels"], truth["PSNR"], truth["CIEDE2000"]) == ("1.000", "60.0", "0.00")
        errors = [float(row["warping error"]) for row in (truth, ours, copied)]
        assert errors[0] == pytest.approx(errors[1], abs=1e-3) and errors[2] > 2 * errors[0]
        assert float(ours["come out"]) < 0.1 and ours["of them right"] in ("", "1.000")
    assert rows["one", OURS]["pixels"] == rows["one", PAST]["pixels"]
    assert (root / "out/measured.md").read_text().startswith("| keys each | way | pixels |")
    assert read_rgb(root / "out/sheet-4.png").shape == (64, 3 * 2 * 96, 3)


def test_it_is_measured_at_another_size(root):
    _, rows = measured(root, spacings=[4], size=32)
    assert read_rgb(root / "out/sheet-4.png").shape == (32, 3 * 2 * 48, 3)
    assert float(rows["4", OURS]["pixels"]) > 0.9


def test_a_frame_without_a_true_one_is_told(root):
    (root / "colour/0004.png").unlink()
    with pytest.raises(ValueError, match="expected a true picture for frame 0004, got none"):
        measured(root, spacings=[4])
    Image.new("RGB", (9, 9)).save(root / "colour/0004.png")
    with pytest.raises(ValueError, match=r"0004.png: expected a picture of its frame's size"):
        measured(root, spacings=[4])

import csv

import numpy as np
import pytest
import torch
from tiny_coded import make_coded

from sketch2paint.evaluation import exploration
from sketch2paint.evaluation.attributes import ATTRIBUTES, Canvas
from sketch2paint.evaluation.exploration import (
    Coded,
    directions_of,
    measured,
    table,
    walk,
    write_csv,
    write_sheet,
)
from sketch2paint.evaluation.steps import STEPS
from sketch2paint.images.convert import lab_to_array
from sketch2paint.images.io import read_rgb
from sketch2paint.images.look import NAMES, look_code
from sketch2paint.inference.painter import Painter


def coloured(lightness, warm=0.0):
    """Two squares, lighter and warmer by some units."""
    picture = np.full((32, 32, 3), 255, np.uint8)
    for place, own in ((4, 40.0), (16, 60.0)):
        lab = np.float32([[[own + lightness, 10 + 0.77 * warm, 20 + 0.64 * warm]]])
        picture[6:26, place : place + 12] = lab_to_array(lab)
    return picture


@pytest.fixture
def coded():
    sketches = [np.full((20, 30, 3), 255, np.uint8) for _ in range(2)]
    sketches[1][5:15, 10] = 0
    return Coded(Painter(make_coded(), normalise="off"), sketches)


def test_a_walk_is_measured_against_the_drawing_s_own_picture():
    canvases = [Canvas(coloured(0)), Canvas(coloured(0, 5))]
    pictures = walk(lambda step: [coloured(4 * step), coloured(4 * step, 5 + 2 * step)])
    found = measured("lightness", pictures, canvases)
    assert found.attribute == "lightness" and found.spearman == pytest.approx(1)
    assert found.effects[1] == pytest.approx(24 / 15.3, abs=0.05)
    assert found.effects[0] == pytest.approx(12 / 27 / 2, abs=0.05)  # in one drawing of two
    strongest = max(abs(found.effects[n]) for n in (0, 2, 3)) / found.effects[1]
    assert found.leakage == pytest.approx(strongest, abs=0.05) and found.to == "vividness"


def test_a_direction_without_an_attribute_is_named_by_what_it_does():
    backwards = walk(lambda step: [coloured(-4 * step)])
    found = measured("sefa_1", backwards, [Canvas(coloured(0))])
    assert (found.attribute, found.spearman) == ("lightness", pytest.approx(-1))
    nothing = measured("warmth_alone", walk(lambda step: [coloured(0)]), [Canvas(coloured(0))])
    assert (nothing.attribute, nothing.spearman, nothing.leakage) == ("warmth", 0.0, 0.0)


def test_pictures_are_those_of_the_painter_with_the_code(coded):
    code = np.zeros(len(NAMES))
    code[3] = 2.0
    made = coded.paint(np.array([1]), code[None])[0]
    batch = {"sketch": torch.from_numpy(coded.drawings[1:])[:, None] / 127.5 - 1}
    with torch.inference_mode():
        batch["style"] = torch.from_numpy(code[None]).float()
        expected = coded.painter.generate(batch)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(made, (expected + 1) * 127.5, atol=0.51)
    np.testing.assert_array_equal(made, coded.way(code / 2)(2.0)[1])
    np.testing.assert_array_equal(coded.way(code)(0.0)[1], coded.canvases[1].picture)


def test_directions_are_found_of_every_kind_and_the_same_again(coded):
    codes = coded.codes(None, samples=40, seed=1)
    assert codes.shape == (40, len(NAMES))
    found = directions_of(coded, codes=codes, samples=60, seed=0)
    again = directions_of(coded, codes=codes, samples=60, seed=0)
    assert {name.rstrip("_1234") for name in found} == {
        *ATTRIBUTES, *(f"{name}_alone" for name in ATTRIBUTES), "sefa", "pca", "random"
    }  # fmt: skip
    for name, one in found.items():
        np.testing.assert_array_equal(one, again[name])
        long = np.linalg.norm(one)
        assert 1 - 1e-9 <= long <= 2 + 1e-9 if "alone" in name else long == pytest.approx(1)
    normals = np.stack([found[name] for name in ATTRIBUTES])
    np.testing.assert_allclose(normals[1:4] @ found["warmth_alone"], 0, atol=1e-9)


def test_codes_of_pictures_are_their_looks(coded):
    picture = coloured(0)
    found = coded.codes([picture], samples=5, seed=0)
    small = exploration.resize(picture, 16, 16)
    np.testing.assert_array_equal(found[0], look_code(small))


def test_drawings_that_stay_blank_are_left_out():
    generator = make_coded()
    for parameter in generator.out.parameters():
        torch.nn.init.constant_(parameter, 0)
    torch.nn.init.constant_(generator.out[0].bias, 9.0)  # white
    with pytest.raises(ValueError, match="drawings that the network colours, got blank pict"):
        Coded(Painter(generator), [np.full((16, 16, 3), 255, np.uint8)])


def test_an_exported_generator_has_no_weights_to_read():
    painter = Painter(make_coded())
    painter.generator = object()
    with pytest.raises(ValueError, match="weights can be read, got that of an exported one. Pass"):
        Coded(painter, [])


def test_table_and_sheet(tmp_path):
    walks = {name: walk(lambda step: [coloured(4 * step)]) for name in ("lightness", "random_1")}
    rows = [measured(name, one, [Canvas(coloured(0))]) for name, one in walks.items()]
    assert table(rows).splitlines()[0].split()[:3] == ["direction", "attribute", "Spearman"]
    write_csv(tmp_path / "d.csv", rows)
    with open(tmp_path / "d.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["name"] for line in lines] == ["lightness", "random_1"]
    assert float(lines[0]["lightness"]) == rows[0].effects[1]
    write_sheet(tmp_path / "d.png", walks)
    sheet = read_rgb(tmp_path / "d.png")
    assert sheet.shape == (2 * 40, exploration.LABEL + len(STEPS) * 40, 3)
    np.testing.assert_array_equal(sheet[4:36, -36:-4], coloured(12))
    assert (sheet[:, : exploration.LABEL] < 128).any()

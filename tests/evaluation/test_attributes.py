import numpy as np
import pytest

from sketch2paint.evaluation.attributes import ATTRIBUTES, SPREADS, Canvas
from sketch2paint.images.convert import array_to_lab, lab_to_array


def squares(*labs):
    picture = np.full((60, 20 * len(labs) + 20, 3), 255, np.uint8)
    for place, lab in enumerate(labs):
        colour = lab_to_array(np.float32([[lab]]))
        picture[10:50, 10 + 20 * place : 30 + 20 * place] = colour
    return picture


def moved(before, after):
    return dict(zip(ATTRIBUTES, Canvas(before).moved(after), strict=True))


def test_a_picture_is_as_its_own():
    picture = squares((60, 20, 30), (40, 0, 10))
    assert set(moved(picture, picture).values()) == {0.0}


@pytest.mark.parametrize(
    ("changed", "attribute", "units"),
    [
        (((70, 20, 24), (50, 20, 24)), "lightness", 10.0),
        (((60, 26, 31.2), (40, 26, 31.2)), "vividness", np.hypot(6, 7.2)),
        (((70, 20, 24), (30, 20, 24)), "contrast", 10.0),
    ],
)
def test_an_attribute_is_counted_in_spreads(changed, attribute, units):
    found = moved(squares((60, 20, 24), (40, 20, 24)), squares(*changed))
    assert found[attribute] == pytest.approx(units / SPREADS[attribute], abs=0.05)


def test_warmth_goes_towards_orange_and_hues_are_counted():
    grey = squares((60, 1, 1), (60, 1, 1))
    assert moved(grey, squares((60, 20, 24), (60, 20, 24)))["warmth"] > 1
    assert moved(grey, squares((60, -20, -24), (60, -20, -24)))["warmth"] < -1
    one, two = squares((60, 40, 0), (60, 40, 0)), squares((60, 40, 0), (60, -40, 0))
    assert moved(one, two)["hues"] == pytest.approx(1 / SPREADS["hues"], abs=0.1)


def test_the_drawing_s_own_areas_are_compared():
    before = squares((60, 20, 24), (40, 20, 24))
    lab = array_to_lab(before)[30, 20]
    after = before.copy()
    after[10:50, 30:50] = 255  # white in the colour's place is lighter, not gone
    found = moved(before, after)["lightness"] * SPREADS["lightness"]
    assert found == pytest.approx((100 + lab[0]) / 2 - 50, abs=1)


def test_a_blank_picture_has_no_attributes():
    assert Canvas(np.full((20, 20, 3), 255, np.uint8)).is_blank
    assert not Canvas(squares((60, 20, 24))).is_blank

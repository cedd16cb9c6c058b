import numpy as np
import pytest

from sketch2paint.images.convert import array_to_lab
from sketch2paint.images.look import NAMES, areas_of, look, look_code, warmth

RED, BLUE = (200, 30, 30), (30, 60, 200)


def painted(*colours):
    """White paper with squares of these colours in a row, each 20 pixels wide."""
    picture = np.full((60, 20 * len(colours) + 20, 3), 255, np.uint8)
    for place, colour in enumerate(colours):
        picture[10:50, 10 + 20 * place : 30 + 20 * place] = colour
    return picture


def measured(picture):
    return dict(zip(NAMES, look(picture, areas_of(picture)), strict=True))


def test_one_colour_has_its_own_lab_no_spread_and_its_hue():
    picture, found = painted(RED, RED), measured(painted(RED, RED))
    lab = array_to_lab(picture)[30, 30]
    assert [found[f"mean_{axis}"] for axis in "Lab"] == pytest.approx(lab, abs=1e-4)
    assert [found[f"spread_{axis}"] for axis in "Lab"] == pytest.approx([0, 0, 0], abs=1e-4)
    assert found["mean_chroma"] == pytest.approx(np.hypot(*lab[1:]), abs=1e-4)
    hue = np.degrees(np.arctan2(lab[2], lab[1])) % 360  # between two of the histogram
    assert 0 < hue < 45 and found["hue_45"] == pytest.approx(hue / 45, abs=1e-4)
    assert found["hue_0"] == pytest.approx(1 - hue / 45, abs=1e-4)


def test_two_colours_are_mixed_by_their_area_and_stand_out_from_each_other():
    found = measured(painted(RED, BLUE))
    red, blue = (array_to_lab(np.full((1, 1, 3), c, np.uint8))[0, 0] for c in (RED, BLUE))
    assert [found[f"mean_{axis}"] for axis in "Lab"] == pytest.approx((red + blue) / 2, abs=1e-3)
    assert found["spread_b"] == pytest.approx(abs(red[2] - blue[2]) / 2, abs=1e-3)
    assert found["neighbour_contrast"] > measured(painted(RED, RED))["neighbour_contrast"]
    assert found["hue_count"] > measured(painted(RED, RED))["hue_count"] + 1


def test_shares_of_paper_and_black_are_counted_without_the_border():
    picture = painted((0, 0, 0), RED)
    areas = areas_of(picture)
    assert areas.dark.sum() == 40 * 20 and areas.painted.sum() == 38 * 18
    found = measured(picture)
    assert found["dark_share"] == pytest.approx(800 / 3600)
    assert found["paper_share"] == pytest.approx((3600 - 42 * 42) / 3600)


def test_warmth_is_along_orange():
    orange, azure = (
        look(p, areas_of(p)) for p in (painted((240, 140, 40)), painted((40, 140, 240)))
    )
    assert warmth(orange) > 60 and warmth(azure) < -20
    assert warmth(np.stack([orange, azure])).shape == (2,)


def test_a_code_is_in_spreads_bounded_and_says_nothing_of_blank_paper():
    code = look_code(painted((0, 255, 255), (255, 0, 255)))
    assert code.shape == (len(NAMES),) and code.dtype == np.float32 and np.abs(code).max() == 3
    blank = dict(zip(NAMES, look_code(np.full((40, 40, 3), 255, np.uint8)), strict=True))
    assert [name for name, value in blank.items() if value] == ["paper_share", "dark_share"]


def test_areas_of_another_picture_compare_two_of_one_drawing():
    first, second = painted(RED, RED), painted((255, 255, 255), BLUE)
    own, others = look(second, areas_of(second)), look(second, areas_of(first))
    lightness = NAMES.index("mean_L")
    assert others[lightness] == pytest.approx((own[lightness] + 100) / 2, abs=2)

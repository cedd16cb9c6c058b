"""The table of n told colours in closed forms, and what is written of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_evaluation import data
from tiny_rooms import BLUE, GREEN, ROOMS, WHITE, rooms

from sketch2paint.evaluation.compare import Split, choose_split
from sketch2paint.evaluation.hint_methods import filled, hint_methods, straight
from sketch2paint.evaluation.hint_table import (
    COLUMNS,
    KEYS,
    HintTable,
    Told,
    check_hints,
    leak,
    measure_hints,
    obedience,
    regions_right,
    untold_difference,
)
from sketch2paint.evaluation.metrics import BEST_PSNR, ciede2000, colour_difference
from sketch2paint.evaluation.placements import Page, place
from sketch2paint.hints.format import Hints
from sketch2paint.images.convert import array_to_lab
from sketch2paint.images.layer import multiplied

PAGE = rooms()
HINTS = place(PAGE, placement="blank", most=3, seed=0, ask=partial(filled, PAGE))


def told(count: int, colours: np.ndarray | None = None, hints: Hints = HINTS) -> Told:
    hints = replace(hints, strokes=hints.strokes[:count])
    colours = filled(PAGE, hints) if colours is None else colours
    return Told(PAGE, hints, colours, multiplied(colours, PAGE.sketch))


def values(one: Told) -> dict[str, float]:
    return {column.key: column.measure(one) for column in COLUMNS}


def areas() -> list[int]:
    """Pixels within the walls of each room."""
    return [(x1 - x0 - 1) * (y1 - y0 - 1) for (x0, y0, x1, y1), _ in ROOMS]


def apart(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    lab = array_to_lab(np.array([[one, other]], np.uint8))[0]
    return float(ciede2000(lab[0], lab[1]))


def test_all_rooms_told_are_the_real_picture() -> None:
    found = values(told(3))
    assert found["hints_set"] == 3 and found["psnr"] == BEST_PSNR
    assert found["regions_right"] == 1 and found["obedience"] == 0
    assert found["ciede2000"] == pytest.approx(0, abs=1e-6)
    assert found["colourfulness"] == 1
    assert math.isnan(found["ciede2000_untold"])  # no colour is left where nothing was said


def test_one_room_told_in_closed_forms() -> None:
    found, (red, blue, green) = values(told(1)), areas()
    error = blue * 2 * (255 - 30) ** 2 + blue * 55**2 + green * 2 * 225**2 + green * 55**2
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 * 3 * PAGE.sketch.size / error))
    assert found["regions_right"] == pytest.approx(1 - (blue + green) / PAGE.areas.sum())
    untold = (apart(WHITE, BLUE) * blue + apart(WHITE, GREEN) * green) / (blue + green)
    assert found["ciede2000_untold"] == pytest.approx(untold, rel=1e-3)
    all_ = untold * (blue + green) / (red + blue + green)
    assert found["ciede2000"] == pytest.approx(all_, rel=1e-3)
    assert found["obedience"] == 0 and math.isnan(values(told(0))["obedience"])


def test_a_region_counts_by_its_median() -> None:
    speckled = PAGE.real.copy()
    speckled[::3] = 0
    assert regions_right(told(0, speckled)) == 1
    speckled[1::3] = 0
    assert regions_right(told(0, speckled)) == 0
    off = np.clip(PAGE.real.astype(int) - 60, 0, 255).astype(np.uint8)
    assert regions_right(told(0, off)) == 0


def test_obedience_is_the_worst_region_and_each_is_near_its_nearest_hint() -> None:
    assert obedience(told(3, np.full_like(PAGE.real, 255))) == pytest.approx(
        max(apart(WHITE, colour) for _, colour in ROOMS), rel=1e-6
    )
    first = HINTS.strokes[0]
    (x, y), *_ = first.points
    other = replace(first, points=((x + 9, y),), color=BLUE)
    both = replace(HINTS, strokes=(first, other))
    red = filled(PAGE, replace(HINTS, strokes=(first,)))
    assert obedience(told(2, red, both)) == 0


def test_leak_is_what_the_last_hint_moves_away_from_the_truth() -> None:
    white = np.full_like(PAGE.real, 255)  # of which the hint mends a room
    assert math.isnan(leak(told(0))) and leak(replace(told(1), before=white)) == 0
    spilt = PAGE.real.copy()
    (x0, y0, x1, y1), _ = ROOMS[2]
    spilt[y0 : y1 + 1, x0 : x1 + 1] = (220, 40, 50)
    share = areas()[2] / PAGE.clear.sum()
    assert leak(replace(told(1, spilt), before=PAGE.real)) == pytest.approx(share)
    near = np.clip(PAGE.real.astype(int) + 4, 0, 255).astype(np.uint8)
    assert leak(replace(told(1, near), before=PAGE.real)) == 0  # no move that is seen


def test_lines_are_cut_for_the_methods_alone(chosen: Split) -> None:
    seen: list[np.ndarray] = []

    def white(page: Page, hints: Hints) -> np.ndarray:
        seen.append(page.sketch)
        return np.full_like(page.real, 255)

    keys = {"methods": {"white": white}, "counts": [0, 2], "placement": "blank", "seed": 0}
    plain, whole = measure_hints(chosen, **keys), seen.copy()
    cut, gaps = measure_hints(chosen, **keys, cut=4), seen[len(whole) :]
    np.testing.assert_array_equal(plain.values, cut.values)  # white is white
    assert all((gap >= line).all() for gap, line in zip(gaps, whole, strict=True))
    assert any((gap > line).any() for gap, line in zip(gaps, whole, strict=True))
    assert "lines cut by 4 px" in cut.text() and "cut" not in plain.text().splitlines()[0]
    assert cut.plain()["cut"] == 4


def test_untold_is_the_whole_where_nothing_was_said() -> None:
    white = told(0)
    assert untold_difference(white) == colour_difference(white.picture, PAGE.real)


def test_numbers_of_hints_are_checked_and_put_in_order() -> None:
    assert check_hints([4, 0, 4, 1], "blank", 0) == [0, 1, 4] and check_hints(3, "user", 0) == [3]
    assert check_hints(None, "uniform", 0) == []
    for wrong in (-1, [0, -2], [], [True], [20000]):
        with pytest.raises(ValueError, match="Expected `hints` to be whole numbers from 0 to 10,0"):
            check_hints(wrong, "blank", 0)
    with pytest.raises(ValueError, match="`placement` to be one of blank, regions, uniform, user"):
        check_hints(None, "greedy", 0)
    for hints, cut in ((None, 4), ([1], -1)):
        with pytest.raises(ValueError, match="Expected `cut` to be a number of pixels from 0 on"):
            check_hints(hints, "blank", cut)


@pytest.fixture
def chosen(pairs_dir: Path) -> Split:
    return choose_split(data(pairs_dir, 32), "val", "refuse")


@pytest.fixture
def table(chosen: Split) -> HintTable:
    return measure_hints(
        chosen, methods=hint_methods([]), counts=[0, 2, 9], placement="blank", seed=0
    )


def test_a_split_is_measured(table: HintTable, chosen: Split) -> None:
    assert table.rows[0] == "white paper + fill" and table.values.shape == (4, 3, 3, len(COLUMNS))
    means = dict(zip(KEYS, np.moveaxis(table.means(), -1, 0), strict=True))
    np.testing.assert_allclose(means["psnr"], table.values[..., KEYS.index("psnr")].mean(0))
    obeyed = table.values[..., KEYS.index("obedience")]
    np.testing.assert_array_equal(means["obedience"][:, 1:], obeyed[..., 1:].max(0))
    assert np.isnan(means["obedience"][:, 0]).all() and (means["hints_set"][:, 0] == 0).all()
    assert (np.diff(means["psnr"][0]) > 0).all() and (np.diff(means["regions_right"][0]) > 0).all()
    again = measure_hints(
        chosen, methods=hint_methods([]), counts=[0, 2, 9], placement="blank", seed=0
    )
    np.testing.assert_array_equal(again.values, table.values)


def test_colourfulness_is_a_ratio_of_means(table: HintTable) -> None:
    ratios, weights = table.values[:, 1, 2, -1], table.weights[:, -1]
    assert len(set(weights)) > 1 and not np.isnan(ratios).any()
    assert table.means()[1, 2, -1] == pytest.approx((ratios * weights).sum() / weights.sum())


def test_user_sets_hints_for_each_row_and_asks_no_number_twice(chosen: Split) -> None:
    asked: list[tuple[str, int]] = []

    def always_black(page: Page, hints: Hints) -> np.ndarray:
        asked.append((page.name, len(hints.strokes)))
        return np.zeros_like(page.real)

    methods = {"black": always_black, "white": straight, "fill": filled}
    found = measure_hints(chosen, methods=methods, counts=[1, 9], placement="user", seed=0)
    assert len(asked) == len(set(asked)) and {1, 2, 3} < {count for _, count in asked}
    black, _, fill = found.values[..., 1, KEYS.index("hints_set")].T
    assert (black > fill).all()  # which needs no more


def test_table_in_words(table: HintTable) -> None:
    lines = table.text().splitlines()
    assert lines[0] == "Told n colours (placement blank), the drawing's lines laid on:"
    assert lines[1].split()[:4] == ["n", "Set", "PSNR", "dB"]
    first, second = lines[2].split(), lines[3].split()
    assert " ".join(first[:4]) == "white paper + fill" and first[4:6] == ["0", "0.0"]
    assert "n/a" in first and second[0] == "2"
    assert f"{table.means()[0, 1, 1]:.2f}" == second[2]
    assert lines[2].endswith(f"{table.means()[0, 0, -1]:.2f}")
    assert "regions right (share of the area" in lines[-4]


def test_table_as_plain_data(table: HintTable) -> None:
    plain = json.loads(json.dumps(table.plain(), allow_nan=False))
    assert (plain["placement"], plain["right_within"]) == ("blank", 5.0)
    assert "lines laid on" in plain["compared"]
    assert [one["n"] for one in plain["rows"]["nearest hint, straight"]] == [0, 2, 9]
    assert plain["rows"]["white paper + fill"][0]["obedience"] is None
    told_two = plain["rows"]["white paper + fill"][1]
    assert told_two["psnr"] == pytest.approx(table.means()[0, 1, 1], abs=1e-6)
    records = list(table.records())
    assert len(records) == 4 * 3 * 3
    assert records[4] == {
        "picture": "val/000.png", "row": "nearest hint, straight", "n": 2,
        **dict(zip(KEYS, table.values[0, 1, 1].tolist(), strict=True)),
    }  # fmt: skip


def test_plot_has_a_line_for_each_row(table: HintTable, tmp_path: Path) -> None:
    named = replace(table, rows=["one", r"runs/$\no{formula$", "three"])
    named.draw(tmp_path / "new/plot.png")
    with Image.open(tmp_path / "new/plot.png") as picture:
        assert picture.size == (1100, 400)
        drawn = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    for colour in ((31, 119, 180), (255, 127, 14), (44, 160, 44)):  # of three lines
        assert (drawn == colour).all(1).sum() > 30
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["plot.png"]

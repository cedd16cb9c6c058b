"""Windows in which a long drawing is read."""

from __future__ import annotations

import numpy as np
import pytest

from sketch2paint.hints.regions import Regions
from sketch2paint.hints.strokes import Color
from sketch2paint.inference.windows import by_windows, windows


@pytest.mark.parametrize("tall", [True, False])
def test_a_long_drawing_is_read_in_squares(tall: bool) -> None:
    size = (100, 1030) if not tall else (1030, 100)
    drawing = np.full(size, 255, np.uint8)
    drawing[10, :] = drawing[:, 10] = 0  # no blank row
    found = windows(drawing)
    assert len(windows(drawing[:100, :150])) == 1 and len(found) == 20
    covered = np.zeros(size, int)
    for window in found:
        assert covered[window].shape == (100, 100)
        covered[window] += 1
    assert covered.min() >= 1


def test_panels_are_read_as_they_are_and_a_long_one_in_squares() -> None:
    drawing = np.full((500, 100), 255, np.uint8)
    drawing[10:90, 50] = drawing[120:400, 50] = drawing[430:470, 50] = 0
    found = [there for there, _ in windows(drawing)]
    ends = [(there[0], there[-1]) for there in found]
    assert ends == [(0, 99), (114, 213), (164, 263), (214, 313), (264, 363), (306, 405), (415, 499)]
    assert (found[-1][:16] == 415).all()  # blank, so that the lines are in the middle


def test_a_region_has_the_answer_of_the_window_with_most_of_it() -> None:
    labels = np.zeros((10, 40), np.int32)
    labels[:, 13:] = 1
    joins = np.empty((0, 2), np.int32), np.empty(0, np.float32)
    regions = Regions(labels, np.zeros(labels.shape, bool), *joins)
    told: list[dict[int, Color]] = []

    def answers(drawing: np.ndarray, part: Regions, known: dict[int, Color]) -> np.ndarray:
        told.append(known)
        return np.full((2, part.count, 3), len(told), np.uint8)

    drawing, red = np.full(labels.shape, 255, np.uint8), (200, 30, 40)
    tables = by_windows(answers, drawing=drawing, regions=regions, known={1: red}, variations=2)
    assert tables[..., 0].tolist() == [[1, 4], [1, 4]]  # the fourth is the first without region 0
    assert told == [{}, {1: red}, {1: red}, *[{0: red}] * 4]

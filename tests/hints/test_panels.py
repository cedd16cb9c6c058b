"""The panels of a strip and the regions in them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketch2paint.hints.panels import Panel, find_regions_by_panel, panels
from sketch2paint.hints.regions import find_regions


def figure(radius: int, at: int = 50) -> np.ndarray:
    """A ring with a bar in it, on a sheet of 100 x 100."""
    sheet = np.full((100, 100), 255, np.uint8)
    cv2.circle(sheet, (50, at), radius, 0, 2)
    cv2.line(sheet, (50 - radius, at), (50 + radius, at), 0, 2)
    return sheet


def bars(*bands: tuple[int, int], length: int) -> np.ndarray:
    """A strip 100 wide with a line along it from row to row."""
    strip = np.full((length, 100), 255, np.uint8)
    for start, stop in bands:
        strip[start:stop, 50] = 0
    return strip


@pytest.mark.parametrize("tall", [True, False])
def test_a_strip_is_parted_in_the_middle_of_its_widest_blanks(tall: bool) -> None:
    strip = bars((10, 60), (66, 90), (130, 200), (240, 320), length=330)
    found = panels(strip if tall else strip.T)
    assert found == [Panel(0, 110, 0, 100), Panel(110, 220, 115, 215), Panel(220, 330, 230, 330)]
    assert panels(strip[:150]) == [Panel(0, 150, 0, 150)]  # no strip


def test_what_is_short_stays_with_its_neighbour() -> None:
    strip = bars((10, 20), (40, 130), (200, 300), length=310)
    assert [(one.start, one.stop) for one in panels(strip)] == [(0, 165), (165, 310)]


def test_what_fits_a_sheet_is_not_parted_however_much_is_blank_around_it() -> None:
    strip = bars((500, 550), (590, 620), length=1000)
    assert panels(strip) == [Panel(0, 1000, 494, 626)]


def test_rows_with_a_line_all_along_are_no_blank() -> None:
    strip = bars((0, 80), (81, 120), (121, 300), length=300)
    strip[[80, 120]] = 0
    assert panels(strip) == [Panel(0, 300, 0, 300)]


def test_a_blank_strip_is_one_panel() -> None:
    assert panels(bars(length=400)) == [Panel(0, 400, 0, 400)]
    assert find_regions_by_panel(bars(length=400)).count == 1


@pytest.mark.parametrize("tall", [True, False])
def test_regions_of_a_panel_are_those_of_the_panel_alone(tall: bool) -> None:
    air = np.full((20, 100), 255, np.uint8)
    strip = np.vstack([figure(30), air, figure(20), air, figure(40)])
    strip = strip if tall else np.ascontiguousarray(strip.T)
    regions = find_regions_by_panel(strip)
    assert regions.labels.shape == regions.ink.shape == strip.shape
    found = panels(strip)
    assert [one.stop for one in found] == [115, 220, 340]
    for one in found:
        rows = one.places(one.top, one.bottom)
        here = np.s_[rows, :] if tall else np.s_[:, rows]
        part, alone = regions.part(here)[0], find_regions(strip[here])
        assert part.labels.shape == (100, 100)
        np.testing.assert_array_equal(part.labels, alone.labels)
        np.testing.assert_array_equal(part.ink, alone.ink)
        np.testing.assert_array_equal(part.joins, alone.joins)
        np.testing.assert_array_equal(part.openings, alone.openings)


def test_the_ground_of_panels_is_open_to_each_other_and_covers_what_is_blank() -> None:
    strip = np.vstack([figure(30), figure(20), np.full((180, 100), 255, np.uint8), figure(40)])
    regions = find_regions_by_panel(strip)
    cut = regions.cut()
    assert len({cut[0, 0], cut[150, 5], cut[250, 50], cut[-1, -1]}) == 1
    assert len({cut[40, 50], cut[140, 50], cut[420, 50], cut[0, 0]}) == 4
    assert (np.diff(regions.openings) <= 0).all()


def test_the_paper_around_a_wide_frame_is_apart_from_what_it_encloses() -> None:
    drawing = np.full((100, 170), 255, np.uint8)
    cv2.rectangle(drawing, (8, 8), (161, 91), 0, 2)
    labels = find_regions_by_panel(drawing).cut()
    assert labels[50, 2] == labels[50, 168] == labels[2, 80] != labels[50, 80]


def test_a_drawing_that_is_no_strip_has_the_regions_it_had() -> None:
    drawing = np.vstack([figure(30), figure(20)])[:140]
    found, wanted = find_regions_by_panel(drawing), find_regions(drawing)
    for name in ("labels", "ink", "joins", "openings"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        assert getattr(found, name).dtype == getattr(wanted, name).dtype

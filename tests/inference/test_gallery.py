from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pytest
from browser import Elements, needs_chromium, told

import sketch2paint.inference.gallery as gallery
from sketch2paint.images.io import read_rgb, write_picture
from sketch2paint.inference.gallery import gallery_path, make_gallery, make_page, make_sheet
from sketch2paint.inference.jobs import find_reals, plan_jobs

LEVELS = {"sketch": 10, "fake": 90, "real": 170}
Flat = dict[str, Any]


@pytest.fixture
def flat(tmp_path: Path) -> Flat:
    """Jobs and real pictures of 5 drawings, flat in LEVELS + number, as make_page takes them."""
    for folder, level in LEVELS.items():
        for n in range(5):
            write_picture(tmp_path / folder / f"{n}.png", np.full((6, 12), level + n, np.uint8))
    jobs = plan_jobs([str(tmp_path / "sketch")], output=str(tmp_path / "fake"))
    return {"jobs": jobs, "reals": find_reals(jobs, tmp_path / "real")}


def centres(sheet: np.ndarray, side: int) -> list[list[int]]:
    """The grey level in the middle of each cell, row by row."""
    return sheet[4 + side // 2 :: side + 4, 4 + side // 2 :: side + 4, 0].tolist()


# ---------------------------------------------------------------- the sheet


@pytest.mark.parametrize("with_reals", [True, False])
def test_sheet_has_a_row_for_each_picture(flat: Flat, tmp_path: Path, with_reals: bool) -> None:
    path = tmp_path / "new" / "gallery.png"
    make_sheet(path, jobs=flat["jobs"], reals=flat["reals"] if with_reals else {}, rows=5, side=16)
    sheet = read_rgb(path)
    columns = 3 if with_reals else 2
    assert sheet.shape == (5 * 20 + 4, columns * 20 + 4, 3)
    levels = list(LEVELS.values())[:columns]
    assert centres(sheet, 16) == [[level + n for level in levels] for n in range(5)]


@pytest.mark.parametrize(("rows", "shown"), [(1, [0]), (2, [0, 2]), (3, [0, 1, 2]), (9, range(5))])
def test_rows_are_spread_over_the_jobs(
    flat: Flat, tmp_path: Path, rows: int, shown: list[int]
) -> None:
    make_sheet(tmp_path / "g.png", jobs=flat["jobs"], reals={}, rows=rows, side=16)
    found = [row[0] - LEVELS["sketch"] for row in centres(read_rgb(tmp_path / "g.png"), 16)]
    assert found == list(shown)


def test_cells_keep_the_aspect_on_white(flat: Flat, tmp_path: Path) -> None:
    make_sheet(
        tmp_path / "g.png", jobs=flat["jobs"], reals={}, rows=1, side=24
    )  # 12x6, twice as large
    cell = read_rgb(tmp_path / "g.png")[4:28, 4:28, 0]
    expected = np.full((24, 24), 255)
    expected[6:18] = LEVELS["sketch"]
    np.testing.assert_array_equal(cell, expected)


def test_only_what_is_there_is_shown(flat: Flat, tmp_path: Path) -> None:
    jobs = flat["jobs"]
    jobs[1].picture.unlink()
    line = make_gallery(tmp_path / "g.png", jobs=jobs, reals={}, rows=9)
    assert line == f"Gallery: {tmp_path}/g.png"
    assert read_rgb(tmp_path / "g.png").shape[0] == 4 * 260 + 4
    assert "4 pictures, whole in itself" in make_gallery(tmp_path / "g.html", jobs=jobs, reals={})
    for job in jobs:
        job.picture.unlink(missing_ok=True)
    assert make_gallery(tmp_path / "none.html", jobs=jobs, reals={}).startswith("No gallery: ")
    assert not (tmp_path / "none.html").exists()


def test_the_gallery_never_overwrites_a_picture(flat: Flat, tmp_path: Path) -> None:
    jobs = flat["jobs"]
    assert gallery_path(True, jobs) == tmp_path / "fake" / "gallery.html"
    assert gallery_path("x.png", jobs) == Path("x.png")
    for path in (jobs[0].source, jobs[0].picture, tmp_path / "fake" / ".." / "sketch" / "0.png"):
        with pytest.raises(ValueError, match="expected another name for `gallery`"):
            gallery_path(str(path), jobs)


# ---------------------------------------------------------------- the page as text


def elements(page: Path) -> Elements:
    return Elements(page.read_text("utf-8"))


def test_the_page_needs_no_network_and_no_other_file(flat: Flat, tmp_path: Path) -> None:
    make_page(tmp_path / "g.html", **flat)
    page = elements(tmp_path / "g.html")
    images = page.all("img")
    assert [image["alt"] for image in images] == ["Sketch", "Coloured", "Truth"] * 5
    for image in images:
        assert str(image["src"]).startswith("data:image/webp;base64,")
        assert str(image["data-medium"]).startswith("data:image/webp;base64,")
        assert (tmp_path / unquote(str(image["data-full"]))).is_file()
    assert not page.all("link") and not any("src" in script for script in page.all("script"))
    assert not re.search(r"https?://", (tmp_path / "g.html").read_text())


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)> \"'& {{ cards }} #?%41 ü.png"
    write_picture(tmp_path / "in" / name, np.full((6, 12), 90, np.uint8))
    shutil.copytree(tmp_path / "in", tmp_path / "out")
    jobs = plan_jobs([f"{tmp_path}/in"], output=f"{tmp_path}/out")
    make_page(tmp_path / "g.html", jobs=jobs, reals={})
    page = elements(tmp_path / "g.html")
    (card,) = (button for button in page.all("button") if "data-name" in button)
    assert card["data-name"] == name
    assert [image["alt"] for image in page.all("img")] == ["Sketch", "Coloured"]
    links = [unquote(str(image["data-full"])) for image in page.all("img")]
    assert links == [f"in/{name}", f"out/{name}"]


def test_a_page_of_many_is_lighter(
    flat: Flat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    for job in flat["jobs"]:
        write_picture(job.picture, rng.integers(0, 255, (300, 400, 3), dtype=np.uint8))
    make_page(tmp_path / "few.html", **flat)
    monkeypatch.setattr(gallery, "WHOLE_UP_TO", 4)
    line = make_gallery(tmp_path / "some.html", **flat)
    assert "full sizes are read from the files beside it" in line
    monkeypatch.setattr(gallery, "SMALL_THUMBS_ABOVE", 4)
    make_page(tmp_path / "many.html", **flat)
    few, some, many = (
        tmp_path.joinpath(f"{n}.html").stat().st_size for n in ("few", "some", "many")
    )
    assert few > 1.5 * some and some > 1.5 * many
    assert not any("data-medium" in image for image in elements(tmp_path / "some.html").all("img"))


def test_a_sketch_that_is_gone_leaves_the_others(flat: Flat, tmp_path: Path) -> None:
    flat["jobs"][0].source.unlink()
    make_page(tmp_path / "g.html", **flat)
    assert len(elements(tmp_path / "g.html").all("img")) == 14


# ---------------------------------------------------------------- the page in a browser


@needs_chromium
def test_a_browser_shows_the_page_and_steps_through_it(flat: Flat, tmp_path: Path) -> None:
    for job in flat["jobs"]:
        write_picture(job.picture, np.full((60, 1100, 3), (200, 40, 40), np.uint8))
    make_page(tmp_path / "page" / "g.html", **flat)
    script = """
      const tell = () => said.push(name.textContent + " " + view.open + " " +
        [...panes.querySelectorAll("img")].map(i => i.naturalWidth).join());
      said.push([...document.querySelectorAll(".card img")].every(i => i.naturalWidth > 0));
      press("ArrowRight"); said.push(view.open);
      cards[3].click(); await wait(); tell();
      press("ArrowRight"); await wait(); tell();
      press("ArrowRight"); await wait(); tell();
      press("ArrowLeft"); await wait(); tell();
      panes.querySelector(".frame").click(); said.push(panes.className);
      said.push(view.querySelector(".size").textContent + ", " + place.textContent);
      close.click(); said.push(view.open);
    """
    said = told(tmp_path / "page/g.html", script, tmp_path / "profile")
    opened = [f"{n}.png true 12,1100,12" for n in (3, 4, 0, 4)]  # full sizes, from the files
    assert said == ["true", "false", *opened, "panes actual", "12 × 6, 5 / 5", "false"]
    (tmp_path / "alone").mkdir()
    shutil.move(tmp_path / "page/g.html", tmp_path / "alone/g.html")
    shutil.rmtree(tmp_path / "fake")
    said = told(tmp_path / "alone/g.html", script, tmp_path / "profile2")
    assert said[:3] == ["true", "false", "3.png true 12,1024,12"]  # what the page holds itself

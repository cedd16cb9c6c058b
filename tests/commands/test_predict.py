"""The real `predict`, with flats and hints, from files to files."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image, ImageDraw
from tiny_model import BOTH, ship, write_model
from tiny_words import TINY, make_region_network
from whole_program import call

from sketch2paint.commands import predict
from sketch2paint.hints.format import Hints, write_hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.models.description import describe_regions
from sketch2paint.models.weights import save_generator

RED, BLUE = (200, 30, 40), (30, 60, 210)
PREDICT = ["predict", "checkpoint=generator.safetensors", "input=in", "output=out"]


@pytest.fixture
def drawing(tmp_path: Path, weight_path: Path) -> Path:
    """in/page.png: a box of two rooms with a door of 6 px, and in/other.png, an empty box."""
    (tmp_path / "in").mkdir()
    page = Image.new("L", (160, 100), 255)
    draw = ImageDraw.Draw(page)
    draw.rectangle((10, 10, 150, 90), outline=0, width=3)
    draw.line((80, 10, 80, 90), fill=0, width=3)
    draw.rectangle((76, 47, 84, 52), fill=255)
    page.save(tmp_path / "in/page.png")
    other = Image.new("L", (160, 100), 255)
    ImageDraw.Draw(other).rectangle((10, 10, 150, 90), outline=0, width=3)
    other.save(tmp_path / "in/other.png")
    return tmp_path


def say(path: Path, *, gap: float | None = None) -> Hints:
    """Red in the left room, paper in the right one."""
    strokes = (
        Stroke(((30, 30), (50, 60)), 6, RED),
        Stroke(((110, 50),), 8, None),
    )
    hints = Hints((160, 100), strokes, gap=gap)
    write_hints(path, hints)
    return hints


def picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.parametrize(
    "name", ["page.hints.png", pytest.param("page.hints.json", marks=pytest.mark.slow)]
)
def test_hints_beside_a_drawing_are_obeyed_to_the_bit_in_flats(drawing: Path, name: str) -> None:
    psd_tools = pytest.importorskip("psd_tools", reason="the extra psd")
    say(drawing / "in" / name)
    result = call(*PREDICT, "flats=true", "layers=true", "psd=true", cwd=drawing)
    assert result.returncode == 0, result.stdout
    assert "2 coloured (1 with hints), 0 failed" in result.stdout
    colours = picture(drawing / "out/page.colours.png")
    assert (colours[14:87, 14:77] == RED).all()
    assert (colours[14:87, 84:147] == 255).all()
    lines = np.asarray(Image.open(drawing / "in/page.png"))
    painted = picture(drawing / "out/page.png")
    assert (painted[lines == 255] == colours[lines == 255]).all()
    with ZipFile(drawing / "out/page.ora") as archive:
        merged = np.asarray(Image.open(io.BytesIO(archive.read("mergedimage.png"))))
        assert 'name="#c81e28"' in archive.read("stack.xml").decode()
    np.testing.assert_array_equal(merged[..., :3], painted)
    document = psd_tools.PSDImage.open(drawing / "out/page.psd")
    names = [layer.name for layer in document]
    assert (names[0], names[-1]) == ("Paper", "Lines") and "#c81e28" in names
    np.testing.assert_array_equal(np.asarray(document.topil().convert("RGB")), painted)
    record = json.loads((drawing / "out/predict.json").read_text())["pictures"]
    hints = {entry["output"]: entry["hints"] for entry in record}
    assert hints == {"page.png": f"in/{name}", "other.png": None}


def test_a_region_network_colours_and_a_generator_shades(drawing: Path) -> None:
    path = drawing / "runs/words/weights/regions.safetensors"
    path.parent.mkdir(parents=True)
    save_generator(path, make_region_network().state_dict(), describe_regions(TINY))
    say(drawing / "in/page.hints.json")
    alone = ["predict", "checkpoint=runs/words", "input=in", "output=flat", "layers=true"]
    result = call(*alone, cwd=drawing)
    assert result.returncode == 0, result.stdout
    assert "2 coloured (1 with hints), 0 failed" in result.stdout
    flat = picture(drawing / "flat/page.colours.png")
    assert (flat[14:87, 14:77] == RED).all() and (flat[14:87, 84:147] == 255).all()
    with ZipFile(drawing / "flat/page.ora") as archive:
        assert 'name="#c81e28"' in archive.read("stack.xml").decode()
    result = call(*PREDICT, "region_network=runs/words", "layers=true", cwd=drawing)
    assert result.returncode == 0, result.stdout
    soft = picture(drawing / "out/page.colours.png")
    assert np.median(soft[13:88, 13:78].reshape(-1, 3), axis=0) == pytest.approx(RED, abs=4)
    assert len(np.unique(soft[20:80, 20:70].reshape(-1, 3), axis=0)) > 3
    assert (soft[20:80, 90:140] == 255).all()


@pytest.mark.slow
def test_a_palette_alone_a_reference_and_variations(drawing: Path) -> None:
    network = make_region_network(palettes=True)
    about = describe_regions({**TINY, "palettes": True})
    save_generator(drawing / "regions.safetensors", network.state_dict(), about)
    keys = ["predict", "checkpoint=regions.safetensors", "input=in", "device=cpu"]
    result = call(*keys, "output=out", "palette=[#c81e28,#1e3cd2]", cwd=drawing)
    assert result.returncode == 0, result.stdout
    assert "palette, and in how many pictures each colour is: #c81e28 " in result.stdout
    sketch, painted = (picture(drawing / f"{folder}/page.png") for folder in ("in", "out"))
    colours = {*map(tuple, painted[sketch.min(2) == 255].tolist())}
    assert colours <= {RED, BLUE, (255, 255, 255)} and colours & {RED, BLUE}
    more = [f"reference={drawing / 'out/page.png'}", "variations=3", "style={lightness: -3}"]
    result = call(*keys, "output=more", *more, cwd=drawing)
    assert result.returncode == 0, result.stdout
    names = {path.name for path in (drawing / "more").iterdir()}
    ends = ("1.png", "2.png", "3.png", "variations.png")
    assert names == {"predict.json", *(f"{n}.{end}" for n in ("page", "other") for end in ends)}
    record = json.loads((drawing / "more/predict.json").read_text())["pictures"]
    assert [entry["style"] for entry in record] == [{"lightness": -3}] * 2


@pytest.mark.slow
def test_every_format_has_flats_and_png_has_them_exactly(drawing: Path) -> None:
    say(drawing / "in/page.hints.json")
    for format in ("png", "jpg", "webp"):
        keys = ["flats=true", f"format={format}"]
        result = call(*PREDICT, *keys, cwd=drawing)
        assert result.returncode == 0, result.stdout
        inside = picture(drawing / f"out/page.{format}")[20:80, 20:70].reshape(-1, 3)
        assert np.median(inside, axis=0) == pytest.approx(RED, abs=0 if format == "png" else 4)


@pytest.mark.slow
def test_a_gap_in_a_line_holds_or_lets_through(drawing: Path) -> None:
    hints = Hints((160, 100), (Stroke(((30, 30),), 6, RED),))
    write_hints(drawing / "in/page.hints.json", hints)
    for gap, right in (("gap=10", False), ("gap=2", True)):
        keys = ["flats=true", "layers=true", gap, "overwrite=true"]
        assert call(*PREDICT, *keys, cwd=drawing).returncode == 0
        colours = picture(drawing / "out/page.colours.png")
        assert tuple(colours[30, 30]) == RED
        assert (tuple(colours[30, 120]) == RED) == right
    write_hints(drawing / "in/page.hints.json", Hints(hints.size, hints.strokes, gap=2))
    keys = ["flats=true", "layers=true", "overwrite=true"]
    assert call(*PREDICT, *keys, cwd=drawing).returncode == 0
    assert tuple(picture(drawing / "out/page.colours.png")[30, 120]) == RED  # the file's own gap


@pytest.mark.slow
def test_changed_hints_paint_again_and_nothing_else_does(drawing: Path) -> None:
    say(drawing / "in/page.hints.json")
    assert call(*PREDICT, cwd=drawing).returncode == 0
    assert "0 coloured, 0 failed, 2 there already" in call(*PREDICT, cwd=drawing).stdout
    later = (drawing / "out/page.png").stat().st_mtime + 5
    os.utime(drawing / "in/page.hints.json", (later, later))
    said = call(*PREDICT, cwd=drawing).stdout
    assert "1 coloured (1 with hints), 0 failed, 1 there already" in said


@pytest.mark.slow
def test_hints_are_scaled_to_a_drawing_of_another_size(drawing: Path) -> None:
    say(drawing / "hero.json")
    Image.open(drawing / "in/page.png").resize((320, 200)).save(drawing / "in/page.png")
    result = call(*PREDICT, "flats=true", "layers=true", "hints=hero.json", cwd=drawing)
    assert result.returncode == 0, result.stdout
    assert "note: hints scaled from 160 x 100 to 320 x 200: 1 (first: in/page.png)" in result.stdout
    assert tuple(picture(drawing / "out/page.colours.png")[60, 60]) == RED


STROKE = '{"version": 1, "size": [160, 100], "hints": [{"points": [[%s, 1]], "width": 3, %s}]}'
BAD = {
    "version": ('{"version": 9}', "version"),
    "text": ("no json", "JSON"),
    "colour": (STROKE % (1, '"color": "reddish"'), "reddish"),
    "outside": (STROKE % (900, '"color": "#ff0000"'), "expected points within the drawing's"),
    "size": ('{"version": 1, "size": [100, 100], "hints": []}', "Expected hints for a drawing of"),
    "nan": (STROKE % ("NaN", '"color": "#ff0000"'), "finite"),
}


def test_bad_hints_fail_their_drawing_and_leave_the_others(drawing: Path) -> None:
    page = (drawing / "in/page.png").read_bytes()
    for name, (text, _) in BAD.items():
        (drawing / f"in/{name}.png").write_bytes(page)
        (drawing / f"in/{name}.hints.json").write_text(text)
    say(drawing / "in/pages.hints.json")
    result = call(*PREDICT, "flats=true", cwd=drawing)
    assert result.returncode == 1
    assert "note: hints without a drawing: 1 (first: in/pages.hints.json)" in result.stdout
    assert "Traceback" not in result.stdout
    failed = [line for line in result.stdout.splitlines() if line.startswith("failed: ")]
    for name, (_, message) in BAD.items():
        (line,) = [line for line in failed if f"in/{name}." in line]
        assert message in line
        assert not (drawing / f"out/{name}.png").exists()
    assert "2 coloured, 6 failed" in result.stdout


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["hints=nowhere.json"], "error: nowhere.json: no such file or folder. Pass hints=FILE"),
        (["flats=true", "lines=network"], "error: Expected lines=keep with flats"),
        (["colours=0"], "error: Expected `colours` to be auto or a number of at least 1, got 0"),
        (["colours=3"], "error: Expected flats=true with colours=3"),
        (["gap=-1"], "error: Expected `gap` to be auto or a number of pixels from 0 on, got -1"),
        (["flats=maybe"], "flats"),
        (["palette=[]"], "error: Expected `palette` of 1 to 64 colours, got none"),
        (["palette=#e63946"], "expected a region network with a palette, got a generator"),
        (["palette=#e63946", "reference=in/page.png"], "error: Expected `palette` or `reference`"),
        (["reference=in/page.png"], "got one of the drawings. Pass a painted picture"),
        (["style={warmth: 1}"], "expected a region network with a style, got a generator"),
        (["style=warm"], "Expected `style` to be names with values as {name: 1} or null"),
        (["style={warmth=1}"], 'Type names with values and all of it in quotes: "style={name: 1}'),
        (["variations=3"], "expected a region network with variations, got a generator"),
    ],
)
def test_bad_keys_are_told_before_the_work(drawing: Path, keys: list[str], message: str) -> None:
    result = call(*PREDICT, *keys, cwd=drawing)
    assert result.returncode == 2, result.stdout
    assert message in result.stdout and "Traceback" not in result.stdout
    assert not (drawing / "out").exists()


def test_the_model_that_comes_along_is_the_default(
    drawing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ship(monkeypatch, write_model(drawing / "tiny.safetensors", *BOTH))
    monkeypatch.chdir(drawing)
    say(drawing / "in/page.hints.json")
    for keys in ([], ["checkpoint=tiny.safetensors", "output=other"]):
        monkeypatch.setattr(sys, "argv", ["predict.py", "input=in", "output=out", *keys])
        with pytest.raises(SystemExit) as stop:
            predict.main()
        assert stop.value.code == 0, capsys.readouterr()
    assert "2 coloured (1 with hints), 0 failed" in capsys.readouterr().out
    for name in ("page.png", "other.png"):
        painted = picture(drawing / "out" / name)
        assert np.ptp(painted, axis=2).any()
        np.testing.assert_array_equal(painted, picture(drawing / "other" / name))


def test_without_it_the_way_to_get_it_back_is_told(
    drawing: Path, monkeypatch: pytest.MonkeyPatch, refused_here: Any
) -> None:
    ship(monkeypatch, drawing / "gone.safetensors")
    said = refused_here("predict", ["input=in", "output=out"])
    assert "gone.safetensors: no such file. To get the model that comes with sketch2p" in said

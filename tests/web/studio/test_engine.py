"""The engine of the studio's page, held to the Python that it repeats."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from engine import NODE, Engine, engine
from tiny_words import make_region_network

from sketch2paint.hints.corrected import regions_said
from sketch2paint.hints.format import Hints, marks
from sketch2paint.hints.palette import Palette, palette_of
from sketch2paint.hints.panels import find_regions_by_panel, panels
from sketch2paint.hints.regions import find_regions
from sketch2paint.hints.strokes import Stroke
from sketch2paint.hints.words import labels_on_square, words_of
from sketch2paint.images.convert import array_to_lab, lab_to_array, resize, to_grey
from sketch2paint.images.layer import multiplied
from sketch2paint.inference.composition import compose
from sketch2paint.inference.flats import clustered, filled_by, shade
from sketch2paint.inference.palette_files import _calm
from sketch2paint.inference.region_painter import RegionPainter, known_regions, nearest_told
from sketch2paint.inference.scans import normalise
from sketch2paint.inference.shading import background, off_lines
from sketch2paint.inference.windows import windows
from sketch2paint.models.paints import by_paint, choose, paints_of
from sketch2paint.models.styles import leaning, steps_of, styled

pytestmark = pytest.mark.skipif(NODE is None, reason="no node to run the engine in")
VECTORS = Path(__file__).parents[2] / "hints/vectors"
NAMES = ["bust", "face", "gaps", "grid", "grey", "hatched", "parted"]
COLOURS = [(210, 40, 40), (40, 90, 200), None, (60, 160, 70), (240, 200, 60)]


@pytest.fixture(scope="module")
def js() -> Iterator[Engine]:
    with engine() as running:
        yield running


def vector(name: str) -> np.ndarray:
    picture = cv2.imread(str(VECTORS / name), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def strokes(rng: np.random.Generator, width: int, height: int) -> tuple[Stroke, ...]:
    """Strokes as people draw them: dots, lines, some of which leave the drawing."""
    found = []
    for number in range(12):
        count = int(rng.integers(1, 5))
        places = rng.uniform((0, 0), (width - 1, height - 1), (count, 2)).round(1)
        points = tuple((float(x), float(y)) for x, y in places)
        found.append(Stroke(points, float(rng.integers(1, 12)), COLOURS[number % 5]))
    return tuple(found)


def filled_map(labels: np.ndarray, filled: dict[str, Any]) -> np.ndarray:
    """Number of the stroke that each pixel takes (H, W), 0 for none, of what `fill.fill` gives."""
    found: np.ndarray = filled["taken"][labels]
    for box in filled["mixed"]:
        rows = slice(box["top"], box["top"] + box["height"])
        columns = slice(box["left"], box["left"] + box["width"])
        inside = labels[rows, columns] == box["region"]
        nearest = box["strokes"].reshape(inside.shape)
        found[rows, columns][inside] = nearest[inside]
    return found


def large(side: int) -> np.ndarray:
    """A drawing of rooms with doors, circles and hatching, at any size."""
    sketch = np.full((side, side * 5 // 4), 255, np.uint8)
    pen = max(side // 120, 1)
    for part in range(1, 6):
        x = side * part // 5
        cv2.line(sketch, (x, side // 20), (x, side * (17 + part % 2) // 20), 0, pen, cv2.LINE_AA)
        cv2.circle(sketch, (x, side // 2), side // 14, 60, pen, cv2.LINE_AA)
        cv2.line(sketch, (0, x), (side, x - side // 9), 0, pen, cv2.LINE_AA)
        cv2.line(sketch, (side, x), (side + x // 9, x - side // 30), 0, pen, cv2.LINE_AA)
    return sketch


# ---------------------------------------------------------------- regions and fills


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_fills_are_those_of_the_files(js: Engine, name: str) -> None:
    sketch = vector(f"{name}.png")
    height, width = sketch.shape
    text = (VECTORS / f"{name}.hints.json").read_text()
    hints = js.call("format.readHints", text)["hints"]
    corrected = js.keep("corrected.Corrected", sketch, width, height)
    regions = js.keep_of(corrected, "said", hints)
    labels = js.of(corrected, "said", hints)["labels"]
    found = js.of(regions, "groups", hints["gap"])[labels]
    wanted = vector(f"{name}.labels.png").ravel()
    pairs = np.unique(np.stack([found, wanted]), axis=1)
    assert pairs.shape[1] == len(np.unique(found)) == len(np.unique(wanted))  # one to one
    drawn = js.call("strokes.marksOf", js.keep("format.strokesOf", hints), width, height)
    filled = js.call("fill.fill", regions, drawn, hints["gap"])
    map_ = filled_map(labels.reshape(sketch.shape), filled)
    np.testing.assert_array_equal(map_, vector(f"{name}.filled.png"))


@pytest.mark.parametrize("side", [90, 400, pytest.param(1700, marks=pytest.mark.slow)])
def test_regions_and_their_tree_are_the_same_at_every_size(js: Engine, side: int) -> None:
    sketch = large(side)
    wanted = find_regions(sketch)
    found = js.call("regions.findRegions", sketch, sketch.shape[1], sketch.shape[0])
    assert wanted.count > 15
    np.testing.assert_array_equal(found["ink"], wanted.ink.ravel())
    np.testing.assert_array_equal(found["labels"], wanted.labels.ravel())
    np.testing.assert_array_equal(found["openings"], wanted.openings)
    np.testing.assert_array_equal(found["joins"].reshape(-1, 2), wanted.joins)


@pytest.mark.parametrize("value", [0, 120, 255])
def test_a_page_without_lines_is_one_region(js: Engine, value: int) -> None:
    found = js.call("regions.findRegions", np.full((20, 30), value, np.uint8), 30, 20)
    assert found["count"] == 1 and not len(found["openings"])


def strip() -> np.ndarray:
    """Drawings one below the other: apart, side by side, far off, and one that is long itself."""
    sketch = large(120)[:, :120]
    blank, grey = (np.full((90, 120), level, np.uint8) for level in (255, 240))
    parts = [blank[:40], sketch, sketch[:60], blank[:7], sketch, blank, blank, blank, sketch[60:]]
    return np.vstack([*parts, grey[:20], sketch, blank[:9], sketch[10:50], sketch[::-1], sketch])


@pytest.mark.parametrize("tall", [True, False])
def test_strips_are_parted_and_read_the_same(js: Engine, tall: bool) -> None:
    sketch = strip() if tall else np.ascontiguousarray(strip().T)
    size = sketch.shape[::-1]
    assert len(panels(sketch)) > 3
    assert [tuple(one.values()) for one in js.call("panels.panels", sketch, *size)] == panels(
        sketch
    )
    wanted, found = (
        find_regions_by_panel(sketch),
        js.call("panels.findRegionsByPanel", sketch, *size),
    )
    np.testing.assert_array_equal(found["ink"], wanted.ink.ravel())
    np.testing.assert_array_equal(found["labels"], wanted.labels.ravel())
    np.testing.assert_array_equal(found["openings"], wanted.openings)
    np.testing.assert_array_equal(found["joins"].reshape(-1, 2), wanted.joins)
    along = "rows" if tall else "columns"
    places = [one[along].tolist() for one in js.call("windows.windowsOf", sketch, *size)]
    assert places == [one[0 if tall else 1].tolist() for one in windows(sketch)]


def test_a_strip_is_cut_and_merged_across_its_panels_as_in_python(js: Engine) -> None:
    sketch = strip()
    height, width = sketch.shape
    cut = Stroke(((10.0, 15.0), (width - 5.0, height - 9.0)), 1, None)
    merge = Stroke(((20.0, 9.0), (30.0, height - 30.0)), 1, None)
    hints = Hints((width, height), cuts=(cut,), merges=(merge,))
    wanted = regions_said(sketch, hints, find_regions_by_panel)
    corrected = js.keep("corrected.Corrected", sketch, width, height)
    found = js.of(corrected, "said", json.loads(hints.to_json()))
    np.testing.assert_array_equal(found["labels"], wanted.labels.ravel())
    np.testing.assert_array_equal(found["joins"].reshape(-1, 2), wanted.joins)
    assert wanted.count != find_regions_by_panel(sketch).count


def test_what_strokes_were_meant_for_is_the_same(js: Engine) -> None:
    sketch = large(240)
    height, width = sketch.shape
    regions, kept = find_regions(sketch), js.keep("regions.findRegions", sketch, width, height)
    rng = np.random.default_rng(0)
    for gap in (None, 3.0, None, 12.0):
        hints = Hints((width, height), strokes(rng, width, height), gap=gap)
        given = json.loads(hints.to_json())
        drawn = js.call("strokes.marksOf", js.keep("format.strokesOf", given), width, height)
        np.testing.assert_array_equal(drawn, marks(hints).ravel())
        filled, said, _ = filled_by(hints, regions, None)
        found = js.call("fill.fill", kept, drawn, gap)
        np.testing.assert_array_equal(filled_map(regions.labels, found), filled)
        told = js.keep("fill.fill", kept, drawn, gap)
        known = dict(js.call("painter.knownRegions", kept, told, said.astype(np.uint8)))
        wanted = known_regions(regions, filled, said)
        assert {region: tuple(color) for region, color in known.items()} == wanted


# ---------------------------------------------------------------- scans


def scan(kind: str) -> np.ndarray:
    sketch = large(300)
    rows, columns = np.indices(sketch.shape)
    if kind == "inverted":
        return 255 - sketch
    if kind == "pencil":
        return 255 - (255 - sketch) // 3
    light = (200 + 30 * np.sin(rows / 90) + columns / 20).clip(0, 255)
    grain = np.random.default_rng(0).integers(-4, 5, sketch.shape)
    return (sketch / 255.0 * light + grain).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["clean", "inverted", "pencil", "photo"])
def test_scans_become_the_same_drawings(js: Engine, kind: str) -> None:
    sketch = large(300) if kind == "clean" else scan(kind)
    wanted, notes = normalise(sketch)
    found = js.call("scans.normalise", sketch, sketch.shape[1], sketch.shape[0])
    assert found["notes"] == list(notes) and bool(notes) == (kind != "clean")
    np.testing.assert_array_equal(found["sketch"], wanted.ravel())


def test_colours_become_the_same_grey_and_lie_on_white(js: Engine) -> None:
    rng = np.random.default_rng(0)
    rgba = rng.integers(0, 256, (40, 50, 4)).astype(np.uint8)
    rgba[20:, :, 3] = 255
    found = js.call("scans.greyOf", rgba).reshape(40, 50)
    np.testing.assert_array_equal(found[20:], to_grey(rgba[20:, :, :3]))
    alpha = rgba[:20, :, 3:] / 255
    on_white = np.round(rgba[:20, :, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    np.testing.assert_array_equal(found[:20], to_grey(on_white))


@pytest.mark.parametrize("size", [(128, 90), (61, 44), (300, 31), (512, 400)])
def test_pictures_are_resized_the_same(js: Engine, size: tuple[int, int]) -> None:
    sketch, (width, height) = cv2.GaussianBlur(large(200), (0, 0), 1.0), size
    found = js.call("resize.resized", sketch, sketch.shape[1], sketch.shape[0], width, height)
    wanted = resize(sketch, height, width).ravel().astype(int)
    enlarged = width > sketch.shape[1] or height > sketch.shape[0]
    assert np.abs(found - wanted).max() <= (1 if enlarged else 0)


# ---------------------------------------------------------------- words and colours


def test_words_are_the_same(js: Engine) -> None:
    sketch = large(200)
    height, width = sketch.shape
    wanted = words_of(find_regions(sketch))
    kept = js.keep("words.wordsOf", js.keep("regions.findRegions", sketch, width, height))
    square = js.call("words.labelsOnSquare", kept, 32)
    np.testing.assert_array_equal(square, labels_on_square(wanted, 32).ravel())
    found = js.call("words.wordsOf", js.keep("regions.findRegions", sketch, width, height))
    np.testing.assert_array_equal(found["regions"], wanted.regions)
    np.testing.assert_allclose(found["about"], wanted.about.ravel(), atol=2e-6)
    np.testing.assert_allclose(found["pairs"], wanted.pairs.ravel(), atol=2e-6)


def test_colours_are_compared_as_in_python(js: Engine) -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 60, 700):
        table = rng.integers(0, 256, (count, 3)).astype(np.uint8)
        areas = rng.integers(1, 999, count)
        lab = js.call("colours.toLab", table)
        np.testing.assert_allclose(lab, array_to_lab(table[None]).ravel(), atol=1e-4)
        found = js.call("colours.clustered", table, areas.tolist())
        np.testing.assert_array_equal(found, clustered(table, areas, None).ravel())
        told = rng.integers(0, 256, (5, 3)).astype(np.uint8)
        found = js.call("colours.nearestTold", table, told)
        np.testing.assert_array_equal(found, nearest_told(table, told))


def test_like_colours_become_equal_and_nearly_white_ones_paper_as_in_python(js: Engine) -> None:
    sketch = large(200)
    height, width = sketch.shape
    regions, kept = find_regions(sketch), js.keep("regions.findRegions", sketch, width, height)
    rng = np.random.default_rng(0)
    hints = Hints((width, height), strokes(rng, width, height))
    filled, said, _ = filled_by(hints, regions, None)
    drawn = marks(hints).astype(np.uint16)
    given = js.keep("fill.fill", kept, drawn, None), said.astype(np.uint8)
    known = js.keep("painter.knownRegions", kept, *given)
    table = rng.integers(0, 256, (regions.count, 3)).astype(np.uint8)
    table[::3] = rng.integers(252, 256, (len(table[::3]), 3))
    painter = RegionPainter(make_region_network())
    wanted = painter._joined(table.copy(), regions, known_regions(regions, filled, said))
    found = js.call("painter.madeAlike", table, known, kept).reshape(-1, 3)
    np.testing.assert_array_equal(found, wanted)
    assert ((wanted == 255).all(1) & (table != 255).any(1)).sum() > 3


def test_lines_lie_over_colours_as_in_python(js: Engine) -> None:
    sketch = cv2.GaussianBlur(large(150), (0, 0), 1.0)
    height, width = sketch.shape
    regions, kept = find_regions(sketch), js.keep("regions.findRegions", sketch, width, height)
    rng = np.random.default_rng(0)
    canvas = js.keep("canvas.Canvas", kept, sketch)
    hints = [Hints((width, height), strokes(rng, width, height)[:count]) for count in (0, 9, 5, 9)]
    for told in hints:  # each over the one before
        table = rng.integers(0, 256, (regions.count, 3)).astype(np.uint8)
        table[:2] = 255
        filled, said, _ = filled_by(told, regions, None)
        every = np.concatenate([table, said[1:].astype(np.uint8)])
        index = np.where(filled > 0, regions.count - 1 + filled, regions.labels)
        drawn = marks(told).astype(np.uint16)
        js.of(canvas, "show", js.keep("fill.fill", kept, drawn, None), every)
        found = js.of(canvas, "shown")
        js.of(canvas, "show", js.keep("fill.fill", kept, drawn, None), every[:, ::-1].copy())
        assert js.of(canvas, "shown")["index"] is None  # other colours, but in the same places
        np.testing.assert_array_equal(found["index"], index.ravel())
        pixels = found["rgba"].reshape(height, width, 4)
        np.testing.assert_array_equal(pixels[..., :3], multiplied(every[index], sketch))
        assert (pixels[..., 3] == 255).all()


# ---------------------------------------------------------------- hints


def test_a_hints_file_is_written_as_predict_writes_it(js: Engine) -> None:
    hints = Hints(
        (160, 120),
        strokes(np.random.default_rng(0), 160, 120),
        gap=6.5,
        palette=((1, 2, 3), (255, 128, 0)),
    )
    read = js.call("format.readHints", hints.to_json())
    assert read["notes"] == [] and js.call("format.writeHints", read["hints"]) == hints.to_json()
    twice = js.call("format.fitted", read["hints"], 320, 240)
    wanted = hints.fitted((320, 240))
    assert Hints.from_json(js.call("format.writeHints", twice["hints"])).strokes == wanted.strokes
    assert twice["notes"] == list(wanted.notes)


def test_points_outside_are_moved_and_told(js: Engine) -> None:
    text = '{"version": 1, "size": [9, 9], "hints": [{"points": [[1, 1], [99, 1]], "width": 3, '
    text += '"color": "#FFFFFF"}]}'
    read, wanted = js.call("format.readHints", text), Hints.from_json(text)
    assert read["notes"] == list(wanted.notes)
    assert js.call("format.writeHints", read["hints"]) == wanted.to_json()


HINT = '{"version": 1, "size": [9, 9], "hints": [{"points": %s, "width": %s, "color": %s}]}'
BAD = [
    '{"version": 9}',
    "[1, 2]",
    '{"version": 1, "size": [9, 9]}',
    '{"version": 1, "size": [9], "hints": []}',
    '{"version": 1, "size": [9, 0.5], "hints": []}',
    '{"version": 1, "size": [9, 9], "gap": -1, "hints": []}',
    '{"version": 1, "size": [9, 9], "gap": "wide", "hints": []}',
    '{"version": 1, "size": [9, 9], "palette": ["red"], "hints": []}',
    '{"version": 1, "size": [9, 9], "hints": {"a": null}}',
    '{"version": 1, "size": [9, 9], "hints": [], "palete": 3}',
    HINT % ("[]", 3, '"paper"'),
    HINT % ("[[1]]", 3, '"paper"'),
    HINT % ("[[1, true]]", 3, '"paper"'),
    HINT % ("[[99, 1], [1, 77]]", 3, '"paper"'),
    HINT % ("[[1, 1]]", 3, '"a colour that is much longer than a colour is"'),
    HINT % ("[[1, 1]]", 0, '"paper"'),
]


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_with_hints_is_said_as_in_python(js: Engine, text: str) -> None:
    with pytest.raises(ValueError) as wanted:
        Hints.from_json(text)
    with pytest.raises(ValueError) as found:
        js.call("format.readHints", text)
    whole = re.sub(r"(?<=\d)\.0(?=[],. ])", "", str(wanted.value))  # 3 for 3.0
    assert str(found.value) == whole


def test_hints_for_another_shape_and_no_json_are_refused(js: Engine) -> None:
    hints = Hints((160, 120))
    with pytest.raises(ValueError) as wanted:
        hints.fitted((100, 100))
    with pytest.raises(ValueError) as found:
        js.call("format.fitted", json.loads(hints.to_json()), 100, 100)
    assert str(found.value) == str(wanted.value)
    with pytest.raises(ValueError, match=r"^Expected hints as JSON, got '\{oops' \("):
        js.call("format.readHints", "{oops")


@pytest.mark.parametrize("kind", ["plain", "soft", "noisy"])
def test_overlays_hold_the_same_strokes(js: Engine, kind: str) -> None:
    hints = Hints((160, 120), strokes(np.random.default_rng(1), 160, 120))
    overlay = hints.overlay()
    painted = js.call("overlay.overlayOf", json.loads(hints.to_json()))
    np.testing.assert_array_equal(painted["rgba"], overlay.ravel())
    if kind == "soft":
        overlay = cv2.GaussianBlur(overlay, (0, 0), 1.2)
    elif kind == "noisy":
        noise = np.random.default_rng(0).integers(-8, 9, overlay[..., :3].shape)
        overlay[..., :3] = (overlay[..., :3] + noise).clip(0, 255)
    read = js.call("overlay.hintsOfOverlay", overlay, 160, 120)
    found = Hints.from_json(js.call("format.writeHints", read["hints"]))
    wanted = Hints.from_overlay(overlay)
    for one, other in zip(found.strokes, wanted.strokes, strict=True):
        assert one.color == other.color and one.width == pytest.approx(other.width, abs=1e-5)
        np.testing.assert_allclose(one.points, other.points, atol=1e-5)
    np.testing.assert_array_equal(found.overlay(), wanted.overlay())


def test_an_opaque_overlay_is_refused_and_an_empty_one_told(js: Engine) -> None:
    with pytest.raises(ValueError, match="^Expected an overlay that is transparent where no str"):
        js.call("overlay.hintsOfOverlay", np.full((9, 9, 4), 255, np.uint8), 9, 9)
    read = js.call("overlay.hintsOfOverlay", np.zeros((9, 9, 4), np.uint8), 9, 9)
    assert read["hints"]["hints"] == [] and read["notes"] == ["wholly transparent: no hints"]


# ---------------------------------------------------------------- styles


STYLES = [{"warmth": 2}, {"lightness": -3}, {"vividness": 3, "contrast": -1.5}, {"contrast": 3}]


@pytest.mark.parametrize("style", STYLES)
def test_colours_are_moved_along_directions_as_in_python(
    js: Engine, style: dict[str, float]
) -> None:
    rng = np.random.default_rng(0)
    colours, named = (rng.integers(0, 256, (n, 3)).astype(np.uint8) for n in (60, 40))
    colours[:4], named[0], named[30:] = [[255] * 3, [254] * 3, [0] * 3, [128] * 3], 255, 255
    shares = rng.dirichlet(np.full(40, 0.1), 60).astype(np.float32)
    areas = rng.integers(1, 5000, 60).astype(np.float32)
    steps = steps_of(style)
    assert steps is not None
    wanted = styled(colours, shares=shares, named=named, areas=areas, steps=steps)
    told = js.call("styles.stepsOf", style)
    assert told == steps.tolist()
    args = colours.ravel(), shares.ravel(), named.ravel(), areas, told
    found = js.call("styles.styled", *args).reshape(-1, 3)
    assert np.abs(found.astype(int) - wanted).max() <= 1 and (found != colours).any(1).sum() > 40
    np.testing.assert_array_equal((found == 255).all(1), (wanted == 255).all(1))
    chosen = shares.argmax(1).astype(np.int32)
    wanted = leaning(shares, chosen=chosen, colours=named, areas=areas, steps=steps)
    found = js.call("styles.leaning", shares.ravel(), chosen, named.ravel(), areas, told)
    np.testing.assert_allclose(found, wanted.ravel(), atol=1e-5)


def test_lab_becomes_colours_as_in_python(js: Engine) -> None:
    lab = np.random.default_rng(0).uniform((-5, -90, -90), (110, 90, 90), (500, 3))
    found = js.call("colours.fromLab", lab.astype(np.float32))
    wanted = lab_to_array(lab.astype(np.float32)[None])[0]
    assert np.abs(found.reshape(-1, 3).astype(int) - wanted).max() <= 1


def test_what_is_no_style_is_told(js: Engine) -> None:
    assert js.call("styles.stepsOf", {"warmth": 0}) is None
    with pytest.raises(ValueError, match=r"the model knows \(warmth, .*got 'hue'\. Pass \{warmth"):
        js.call("styles.stepsOf", {"hue": 1})
    with pytest.raises(ValueError, match=r"a number from -3 to 3, got warmth: 4\. Pass 1 for a l"):
        js.call("styles.stepsOf", {"warmth": 4})


# ---------------------------------------------------------------- palettes


@pytest.mark.parametrize("is_told", [False, True])
@pytest.mark.parametrize("entries", [1, 2, 7])
def test_objects_choose_colours_of_a_palette_as_in_python(
    js: Engine, entries: int, is_told: bool
) -> None:
    rng = np.random.default_rng(entries)
    named, given, colours = (
        rng.integers(0, 256, (count, 3)).astype(np.uint8) for count in (9, 40, entries)
    )
    named[0], given[5:], given[0] = 255, 255, colours[0]
    portions = rng.uniform(0.1, 1, entries).astype(np.float32) * is_told
    palette = Palette(colours, portions)
    wanted = paints_of(named, given, palette)
    columns = 9 + 40 + entries
    shares = rng.dirichlet(np.full(columns, 0.1), 40).astype(np.float32)
    areas = rng.integers(1, 5000, 40)
    args = named.ravel(), given.ravel(), colours.ravel()
    found = js.call("paints.paintsOf", *args)
    table = found["colours"].reshape(-1, 3)
    np.testing.assert_array_equal(table[found["column"]], wanted.colours[wanted.column])
    pooled = js.call("paints.byPaint", shares.ravel(), js.keep("paints.paintsOf", *args))
    given_portions = js.call("paints.wantedOf", portions)
    chosen = js.call("paints.choose", pooled, areas.astype(np.float32), given_portions)
    numbers = choose(by_paint(shares, wanted), areas=areas, wanted=wanted.wanted)
    np.testing.assert_array_equal(table[chosen], wanted.colours[numbers])


@pytest.mark.parametrize("size", [(600, 410), (90, 120)])
def test_the_colours_of_a_picture_are_those_of_python(js: Engine, size: tuple[int, int]) -> None:
    width, height = size
    picture = cv2.resize(blots(large(90), 90, 112), size, interpolation=cv2.INTER_NEAREST)
    for number, colour in enumerate([(30, 90, 180), (220, 40, 60), (250, 250, 248)]):
        cv2.circle(picture, (60 + 10 * number, 60), 50 - 15 * number, colour, -1)
    wanted = palette_of(_calm(picture))
    rgba = np.dstack([picture, np.full((height, width), 255, np.uint8)])
    found = js.call("reference.referenceOf", rgba, width, height)
    np.testing.assert_array_equal(found["colours"].reshape(-1, 3), wanted.colours)
    np.testing.assert_allclose(found["portions"], wanted.portions, atol=1e-6)
    assert len(wanted.colours) > 1


def test_a_grey_picture_has_no_colours_to_take(js: Engine) -> None:
    rgba = np.full((30, 40, 4), (90, 92, 95, 255), np.uint8)
    with pytest.raises(ValueError, match=r"^Expected a picture in colour .* grey one\. Open a"):
        js.call("reference.referenceOf", rgba, 40, 30)


# ---------------------------------------------------------------- shading


def blots(sketch: np.ndarray, height: int, width: int) -> np.ndarray:
    """Strong colours in soft blots (height, width, 3) under a drawing's lines."""
    rng = np.random.default_rng(0)
    noise = cv2.GaussianBlur(rng.uniform(-128, 128, (height, width, 3)), (0, 0), 3)
    colours = (128 + 6 * noise).clip(0, 255).astype(np.uint8)
    return multiplied(colours, resize(sketch, height, width))


@pytest.mark.parametrize("shorter", [33, 97, 256])
@pytest.mark.parametrize("name", ["grey", "hatched"])
def test_a_small_picture_gets_the_drawings_size(js: Engine, name: str, shorter: int) -> None:
    sketch = vector(f"{name}.png")
    height, width = (round(side * shorter / min(sketch.shape)) for side in sketch.shape)
    fake, paper = blots(sketch, height, width), resize(sketch, height, width)
    picture = {"width": width, "height": height, "rgb": fake.ravel()}
    size = {"width": sketch.shape[1], "height": sketch.shape[0]}
    found = js.call("composition.composed", picture, paper.ravel(), size, sketch.ravel())
    wanted = compose(fake, sketch)[0]
    assert np.abs(found.reshape(wanted.shape).astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(("size", "detail", "wanted"), [
    ((2000, 1600), 1, (320, 256)),
    ((2000, 1600), 3, (960, 768)),
    ((4000, 1000), 3, (1024, 256)),  # no larger than a tile
    ((600, 400), 3, (600, 400)),  # all pixels that it has
    ((300, 200), 3, (384, 256)),  # but always those of training
])  # fmt: skip
def test_a_generator_sees_more_of_a_drawing_as_far_as_there_is_more(
    js: Engine, size: tuple[int, int], detail: int, wanted: tuple[int, int]
) -> None:
    assert js.call("shading.seenSize", *size, 256, detail) == list(wanted)


@pytest.mark.parametrize("name", ["bust", "grid"])
def test_light_and_dark_are_laid_over_flats(js: Engine, name: str) -> None:
    sketch = vector(f"{name}.png")
    regions, base = find_regions(sketch), blots(sketch, *sketch.shape)
    table = np.random.default_rng(1).integers(0, 256, (regions.count, 3)).astype(np.uint8)
    table[1] = 255  # paper stays white
    which = regions.labels + 1
    said, free = np.vstack([table[:1], table]), ~regions.ink
    shaded = shade(base, filled=which, said=said, free=free)
    wanted = off_lines(said[which], shaded, free=free & ~background(which))
    kept = js.keep("regions.findRegions", sketch.ravel(), *sketch.shape[::-1])
    found = js.call("shade.laidOver", kept, regions.labels.ravel(), table.ravel(), base.ravel())
    assert np.abs(found.reshape(wanted.shape).astype(int) - wanted).max() <= 1
    assert (wanted != said[which]).any(2).mean() > 0.1


def test_the_background_is_what_touches_two_sides(js: Engine) -> None:
    which = np.zeros((6, 8), np.int32)
    which[3:, 2:5], which[2, 3] = 1, 2
    found = js.call("shade.background", which.ravel(), 8, 6, 3)
    np.testing.assert_array_equal(found[which], background(which))

"""The studio's page as a person uses it: mouse, pen, fingers, keys; what it keeps and saves."""

from __future__ import annotations

import json
import random
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

import numpy as np
import pytest
from browser import needs_chromium
from chromium import Page, Pipe, Point
from PIL import Image

from sketch2paint.hints.corrected import regions_said
from sketch2paint.hints.format import Hints, read_hints, write_hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.images.layer import multiplied
from sketch2paint.inference.flats import filled_by

pytestmark = needs_chromium
QUIET = "document.querySelector('#stage').ariaBusy === 'false'"
RED, GREEN = "#d23c3c", "#4f8f46"
LEFT, INNER, RIGHT, CIRCLE = (35, 40), (75, 100), (215, 55), (210, 145)
SEEN = """(() => {
  const {width, height} = picture, copy = new OffscreenCanvas(width, height);
  const context = copy.getContext("2d", {willReadFrequently: true});
  for (const canvas of [picture, cover]) if (canvas.width) context.drawImage(canvas, 0, 0);
  return context;
})()"""
SUM = f"""(() => {{
  let sum = 0;
  for (const level of {SEEN}.getImageData(0, 0, picture.width, picture.height).data)
    sum = (Math.imul(sum, 31) + level) | 0;
  return sum;
}})()"""


def opened(page: Page, *files: Path) -> Page:
    """The page once it has opened files by its button."""
    page.files("#files", *files)
    page.wait("/region|read/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    return page


def place(page: Page, point: Point) -> Point:
    """Where a point of the drawing is in the window."""
    x, y = page.run(
        "(() => {const {left, top, width} = picture.getBoundingClientRect(), "
        f"scale = width / picture.width; return [left + ({point[0]} + .5) * scale, "
        f"top + ({point[1]} + .5) * scale]}})()"
    )
    return x, y


def colour(page: Page, point: Point) -> str:
    """The colour that is seen at a point of the drawing."""
    x, y = point
    levels = page.run(f"[...{SEEN}.getImageData({x}, {y}, 1, 1).data]")
    return f"#{bytes(levels[:3]).hex()}"


def dot(page: Page, *points: Point) -> None:
    """Click on points of the drawing, and wait for their colours."""
    page.drag([place(page, point) for point in points])
    page.wait(QUIET)


def strokes(page: Page) -> int:
    return int(page.run("document.querySelector('#stage').dataset.strokes"))


def status(page: Page) -> str:
    return str(page.run("document.querySelector('#status').textContent"))


def saved(page: Page, kind: str, folder: Path) -> Path:
    """The file that the page saves."""
    folder.mkdir(exist_ok=True)
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.press("Ctrl+s")
    page.click(f"[data-save={kind}]")
    page.wait("/saved/.test(document.querySelector('#status').textContent)")
    name = status(page).removesuffix(" saved.")
    page.wait("1")
    wanted = folder / name
    for _ in range(200):
        if wanted.exists():
            return wanted
        page.run("new Promise(done => setTimeout(done, 20))")
    raise AssertionError(f"no {name} in {list(folder.iterdir())}")


# ---------------------------------------------------------------- open


def test_the_empty_page_says_what_to_do_and_has_an_example(page: Page) -> None:
    seen = page.run("document.body.innerText")
    assert "Open a drawing" in seen and "drop it here" in seen and "Palette" not in seen
    page.click(".example")
    page.wait("/region/.test(document.querySelector('#status').textContent)")
    assert page.run("[picture.width, picture.height]") == [800, 600]
    assert not page.run("document.body.classList.contains('empty')")


def test_a_drawing_comes_by_button_drop_and_paste(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    assert "boxes: " in status(page) and page.run("[picture.width, picture.height]") == [300, 200]
    for kind, given in (("drop", "dataTransfer"), ("paste", "clipboardData")):
        page.run(f"""(async () => {{
          const blob = await new Promise(done => picture.toBlob(done)), data = new DataTransfer();
          data.items.add(new File([blob], "by {kind}.png"));
          const event = new Event("{kind}", {{cancelable: true}});
          dispatchEvent(Object.assign(event, {{{given}: data}}));
        }})()""")
        page.wait(f"/by {kind}: /.test(document.querySelector('#status').textContent)")
    assert page.run("document.querySelectorAll('#strip .item').length") == 3


def test_what_cannot_be_opened_is_told(page: Page, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "b.hints.json").write_text("{}")
    (tmp_path / "c.gpl").write_text("GIMP Palette\n#")
    for name, said in {
        "a.png": "Expected a picture that this browser can read, got a.png.",
        "b.hints.json": "Expected a drawing for the strokes in b.hints.json. Open the drawing",
        "c.gpl": "Expected a GIMP palette with at least one colour.",
    }.items():
        page.files("#files", tmp_path / name)
        page.wait("document.querySelector('#status.error')")
        page.wait(f"document.querySelector('#status').textContent.includes({json.dumps(said)})")
    assert page.run("document.body.classList.contains('empty')")


# ---------------------------------------------------------------- tools


def test_a_stroke_colours_its_region_and_leave_white_leaves_it(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    dot(page, LEFT, (40, 160))
    assert colour(page, (30, 100)) == RED and colour(page, INNER) == "#ffffff"
    page.press("2")
    page.click("[data-place='20']")
    page.press("d")
    dot(page, INNER, RIGHT)  # a dot stays where it was set
    assert colour(page, INNER) == GREEN and colour(page, RIGHT) == "#ffffff"
    page.press("w")
    dot(page, LEFT)
    assert strokes(page) == 2 and colour(page, LEFT) == "#ffffff"
    page.press("b")
    page.drag([place(page, (-20, -20)), place(page, LEFT)])  # a stroke begins on the drawing
    assert strokes(page) == 2


def test_a_stroke_replaces_those_in_its_region_unless_both_are_wanted(
    page: Page, drawing: Path
) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    dot(page, INNER)
    page.click("[data-place='20']")
    far = (120, 160)  # of the same region
    dot(page, far)
    assert strokes(page) == 2 and colour(page, LEFT) == colour(page, far) == GREEN
    assert colour(page, INNER) == RED
    page.press("Ctrl+z")
    page.wait(QUIET)
    assert strokes(page) == 2 and colour(page, LEFT) == colour(page, far) == RED
    page.click("#replaces")
    dot(page, far)
    assert strokes(page) == 3 and (colour(page, LEFT), colour(page, far)) == (RED, GREEN)


def test_a_stroke_that_colours_nothing_is_told_once(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    page.click("#replaces")
    page.click("[data-place='20']")
    dot(page, LEFT)  # over the other, of which nothing is left
    assert status(page) == "Some strokes colour nothing."
    page.press("s")
    page.press("i")
    dot(page, LEFT)
    page.press("b")
    dot(page, RIGHT)
    assert status(page) == f"{GREEN} picked."


def test_the_region_under_the_pen_is_outlined(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    rim = "getComputedStyle(outline).display !== 'none'"
    blue = """(() => {
      const copy = new OffscreenCanvas(outline.width, outline.height).getContext("2d");
      copy.drawImage(outline, 0, 0);
      const {data} = copy.getImageData(0, 0, outline.width, outline.height), seen = [];
      for (let at = 3; at < data.length; at += 4) if (data[at]) seen.push((at - 3) / 4);
      return [Math.min(...seen.map(at => at % 300)), Math.max(...seen.map(at => at % 300))];
    })()"""
    page.mouse("mouseMoved", place(page, INNER))
    page.wait(rim)
    left, right = page.run(blue)
    assert 49 <= left <= 55 and 95 <= right <= 101  # on the lines of the inner box
    page.mouse("mouseMoved", place(page, (-20, 100)))
    assert not page.run(rim)
    page.mouse("mouseMoved", place(page, RIGHT))
    page.wait(rim)
    page.mouse("mouseMoved", page.middle("#hex"))
    assert not page.run(rim)
    page.press("e")
    page.mouse("mouseMoved", place(page, RIGHT))
    page.run("new Promise(done => setTimeout(done, 100))")
    assert not page.run(rim)


def test_eraser_move_and_pick(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    dot(page, CIRCLE)
    page.press("v")
    dot(page, CIRCLE, RIGHT)
    assert colour(page, RIGHT) == RED and colour(page, CIRCLE) == "#ffffff"
    page.click("[data-place='20']")
    page.press("i")
    dot(page, RIGHT)
    assert page.run("document.querySelector('#hex').value") == RED
    page.press("e")
    dot(page, (5, 5), LEFT)
    assert strokes(page) == 1 and colour(page, LEFT) == "#ffffff"
    page.press("Ctrl+z")
    page.wait(QUIET)
    assert strokes(page) == 2 and colour(page, LEFT) == RED


def test_a_pen_s_pressure_is_width_and_its_other_end_erases(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    width = page.run("+document.querySelector('#width').value")
    for force, point in ((0.25, LEFT), (1.0, RIGHT)):
        page.drag([place(page, point)], pointerType="pen", force=force)
        page.wait(QUIET)
    hints = page.run("[...document.querySelectorAll('#hints .stroke')].map(s => s.style.cssText)")
    assert [float(text.split(":")[1].strip(" px;")) for text in hints] == [
        max(1, round(width / 2, 1)),
        2 * width,
    ]
    at = place(page, RIGHT)
    page.mouse("mouseMoved", at, pointerType="pen")
    page.run(f"""(() => {{
      const about = {{pointerId: 7, pointerType: "pen", button: 5, buttons: 32, bubbles: true,
        clientX: {at[0]}, clientY: {at[1]}}};
      document.querySelector("#stage").setPointerCapture = () => {{}};
      for (const kind of ["pointerdown", "pointerup"])
        document.querySelector("#stage").dispatchEvent(new PointerEvent(kind, about));
    }})()""")
    page.wait(QUIET)
    assert strokes(page) == 1


def test_fingers_draw_pinch_and_pan(page: Page, drawing: Path) -> None:
    page.size(390, 844, is_phone=True)
    opened(page, drawing)
    page.touch([place(page, LEFT)], [place(page, (35, 60))])
    page.wait(QUIET)
    assert strokes(page) == 1 and colour(page, LEFT) == RED
    before = page.run("picture.getBoundingClientRect().width")
    x, y = place(page, (150, 100))
    page.touch([(x - 30, y)], [(x - 30, y), (x + 30, y)], [(x - 60, y), (x + 60, y)])
    after = page.run("picture.getBoundingClientRect().width")
    assert after == pytest.approx(2 * before, rel=0.02)
    assert strokes(page) == 1  # the first finger drew nothing
    assert place(page, (150, 100)) == pytest.approx((x, y), abs=2)
    page.touch([(x - 30, y), (x + 30, y)], [(x - 30, y + 40), (x + 30, y + 40)])
    assert place(page, (150, 100)) == pytest.approx((x, y + 40), abs=2)


def test_wheel_space_and_keys_move_the_view(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    fitted = page.run("picture.getBoundingClientRect().width")
    at = place(page, RIGHT)
    x, y = at
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-240)
    page.wait(f"picture.getBoundingClientRect().width > {fitted * 1.3}")
    assert place(page, RIGHT) == pytest.approx(at, abs=1)
    page.key("down", " ")
    page.drag([at, (x + 50, y + 20)])
    page.key("up", " ")
    assert place(page, RIGHT) == pytest.approx((x + 50, y + 20), abs=1)
    assert strokes(page) == 0
    page.press("0")
    assert page.run("picture.getBoundingClientRect().width") == pytest.approx(fitted)
    page.press("+")
    page.press("-")
    assert page.run("picture.getBoundingClientRect().width") == pytest.approx(fitted)
    page.press("9")
    assert page.run("picture.getBoundingClientRect().width") == pytest.approx(300)


def test_before_and_after_while_a_key_is_held(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    page.key("down", "c")
    assert colour(page, LEFT) == "#ffffff"
    page.key("up", "c")
    assert colour(page, LEFT) == RED
    button = page.middle("#compare")
    page.mouse("mouseMoved", button)
    page.mouse("mousePressed", button, buttons=1)
    assert colour(page, LEFT) == "#ffffff"
    page.mouse("mouseReleased", button)
    assert colour(page, LEFT) == RED


# ---------------------------------------------------------------- regions


def test_merged_regions_take_one_colour_and_are_two_again_when_undone(
    page: Page, drawing: Path
) -> None:
    opened(page, drawing)
    dot(page, RIGHT)
    page.click("[data-place='20']")
    dot(page, CIRCLE)
    page.press("m")
    dot(page, RIGHT, CIRCLE)  # over the paper between them, too
    assert strokes(page) == 2 and colour(page, CIRCLE) == colour(page, RIGHT) == RED
    assert colour(page, (140, 100)) == RED
    page.press("b")
    dot(page, CIRCLE)
    assert strokes(page) == 2 and colour(page, RIGHT) == GREEN
    for _ in range(2):
        page.press("Ctrl+z")
        page.wait(QUIET)
    assert strokes(page) == 2 and (colour(page, RIGHT), colour(page, CIRCLE)) == (RED, GREEN)
    page.press("m")
    dot(page, LEFT, (35, 160))
    assert status(page) == "Run the line over two regions or more: they become one."
    assert strokes(page) == 2


def test_a_region_is_cut_and_the_eraser_takes_the_cut_away(
    page: Page, drawing: Path, studio_url: str
) -> None:
    opened(page, drawing)
    above, below = (75, 75), (75, 130)
    page.press("k")
    dot(page, (55, 100), (96, 100))
    assert strokes(page) == 1 and page.run("document.querySelectorAll('.stroke.cut').length") == 1
    page.press("b")
    dot(page, above)
    assert colour(page, above) == RED and colour(page, below) == "#ffffff"
    assert colour(page, (75, 99)) == RED  # a cut is not painted
    page.run("new Promise(done => setTimeout(done, 600))")
    page.open(studio_url)
    page.wait("/back as you left it/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    assert colour(page, above) == RED and colour(page, below) == "#ffffff"
    page.press("e")
    dot(page, (90, 100))
    assert strokes(page) == 1 and colour(page, above) == colour(page, below) == RED
    page.press("k")
    dot(page, above)
    assert status(page) == "Draw the line across a region: it becomes two."
    dot(page, (205, 55), (225, 55))  # far from any line
    assert status(page).endswith("Some cuts part nothing.")


def test_cuts_and_merges_are_saved_and_filled_as_python_fills_them(
    page: Page, drawing: Path, tmp_path: Path
) -> None:
    opened(page, drawing)
    dot(page, INNER)
    page.press("k")
    dot(page, (55, 90), (97, 120))
    page.press("m")
    dot(page, LEFT, (75, 70))
    colours = np.array(Image.open(saved(page, "colours", tmp_path / "out")))
    hints = read_hints(saved(page, "hints", tmp_path / "out"))
    assert (len(hints.strokes), len(hints.cuts), len(hints.merges)) == (1, 1, 1)
    sketch = np.array(Image.open(drawing))
    filled, said, _ = filled_by(hints, regions_said(sketch, hints), None)
    np.testing.assert_array_equal(colours, said[filled])
    assert len(np.unique(filled)) == 2


# ---------------------------------------------------------------- undo


def test_the_gap_and_its_undo(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    gap = "document.querySelector('#gapSaid').textContent"
    assert page.run(gap) == ""
    for value in (7, 9):
        page.run(f"""(() => {{
          const slider = document.querySelector("#gap");
          slider.value = {value};
          for (const kind of ["input", "change"]) slider.dispatchEvent(new Event(kind));
        }})()""")
        page.wait(QUIET)
    assert page.run(gap) == "9 px"
    page.press("Ctrl+z")
    assert page.run(gap) == "7 px"
    page.press("Ctrl+z")
    assert page.run(gap) == "" and page.run("document.querySelector('#gapAuto').checked")
    page.press("Ctrl+Shift+z")
    assert page.run(gap) == "7 px"


@pytest.mark.slow
def test_200_random_steps_back_and_forth_give_the_same_pixels(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    draw = random.Random(20)
    sums = [page.run(SUM)]
    while len(sums) <= 200:
        page.press(draw.choice("bbbbdwevmk"))
        page.press(str(draw.randrange(1, 9)))
        points = [(draw.uniform(0, 299), draw.uniform(0, 199)) for _ in range(2)]
        dot(page, *points)
        if page.run("+document.querySelector('#stage').dataset.edits") == len(sums):
            sums.append(page.run(SUM))
    assert len(set(sums)) > 50
    for expected in sums[-2::-1]:
        page.press("Ctrl+z")
        page.wait(QUIET)
        assert page.run(SUM) == expected
    assert page.run("document.querySelector('[data-action=undo]').disabled") and strokes(page) == 0
    for expected in sums[1:]:
        page.press("Ctrl+Shift+z")
        page.wait(QUIET)
        assert page.run(SUM) == expected


# ---------------------------------------------------------------- save


def worked(page: Page, drawing: Path) -> Page:
    """The page with three regions coloured."""
    opened(page, drawing)
    dot(page, LEFT, (40, 160))
    page.click("[data-place='20']")
    dot(page, RIGHT)
    page.press("w")
    dot(page, CIRCLE)
    return page


def test_pictures_are_saved_at_full_size(page: Page, drawing: Path, tmp_path: Path) -> None:
    worked(page, drawing)
    picture = np.array(Image.open(saved(page, "png", tmp_path / "out")))
    colours = np.array(Image.open(saved(page, "colours", tmp_path / "out")))
    assert picture.shape == colours.shape == (200, 300, 3)
    np.testing.assert_array_equal(picture, multiplied(colours, np.array(Image.open(drawing))))
    assert picture[LEFT[1], LEFT[0]].tolist() == [0xD2, 0x3C, 0x3C]


def test_openraster_has_a_layer_for_each_colour(page: Page, drawing: Path, tmp_path: Path) -> None:
    worked(page, drawing)
    picture = np.array(Image.open(saved(page, "png", tmp_path / "out")))
    path = saved(page, "ora", tmp_path / "out")
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "mimetype"
        assert archive.read("mimetype") == b"image/openraster"
        stack = ElementTree.fromstring(archive.read("stack.xml"))
        layers = stack.findall("./stack/layer")
        assert [layer.get("name") for layer in layers] == ["Lines", GREEN, RED, "Paper"]
        with archive.open("mergedimage.png") as file:
            merged = np.array(Image.open(file))
        with archive.open("Thumbnails/thumbnail.png") as file:
            assert Image.open(file).size == (256, 171)
        laid = Image.new("RGBA", (300, 200))
        for layer in layers[:0:-1]:
            with archive.open(str(layer.get("src"))) as file:
                corner = int(str(layer.get("x"))), int(str(layer.get("y")))
                laid.alpha_composite(Image.open(file), corner)
        lines = np.full((200, 300), 255, np.uint8)
        x, y = int(str(layers[0].get("x"))), int(str(layers[0].get("y")))
        with archive.open(str(layers[0].get("src"))) as file:
            grey = np.array(Image.open(file))[..., 0]
    lines[y : y + grey.shape[0], x : x + grey.shape[1]] = grey
    np.testing.assert_array_equal(merged[..., :3], picture)
    np.testing.assert_array_equal(multiplied(np.array(laid)[..., :3], lines), picture)


def test_psd_has_a_layer_for_each_colour(page: Page, drawing: Path, tmp_path: Path) -> None:
    psd_tools = pytest.importorskip("psd_tools", reason="psd-tools reads the file")
    worked(page, drawing)
    picture = np.array(Image.open(saved(page, "png", tmp_path / "out")))
    document = psd_tools.PSDImage.open(saved(page, "psd", tmp_path / "out"))
    assert [layer.name for layer in document] == ["Paper", RED, GREEN, "Lines"]
    assert [layer.blend_mode.name for layer in document] == ["NORMAL"] * 3 + ["MULTIPLY"]
    np.testing.assert_array_equal(np.array(document.topil()), picture)
    laid = np.full((200, 300, 3), 255, np.uint8)
    for layer in document:
        pixels = np.array(layer.topil().convert("RGBA"))
        part = laid[layer.top : layer.bottom, layer.left : layer.right]
        if layer.name == "Lines":
            part[:] = multiplied(part.copy(), pixels[..., 0])
        else:
            part[pixels[..., 3] == 255] = pixels[pixels[..., 3] == 255, :3]
    np.testing.assert_array_equal(laid, picture)


def test_hints_are_written_and_read(page: Page, drawing: Path, tmp_path: Path) -> None:
    worked(page, drawing)
    before = page.run(SUM)
    path = saved(page, "hints", tmp_path / "out")
    assert path.name == "boxes.hints.json"
    hints = read_hints(path)
    assert hints.size == (300, 200) and [stroke.color for stroke in hints.strokes] == [
        (0xD2, 0x3C, 0x3C),
        (0x4F, 0x8F, 0x46),
        None,
    ]
    overlay = np.array(Image.open(saved(page, "overlay", tmp_path / "out")))
    np.testing.assert_array_equal(overlay, hints.overlay())
    page.press("e")
    dot(page, LEFT, RIGHT, CIRCLE)
    assert page.run(SUM) != before
    opened(page, path)
    page.wait(QUIET)
    assert page.run(SUM) == before and strokes(page) == 3


def test_hints_of_python_open_with_their_drawing(page: Page, drawing: Path, tmp_path: Path) -> None:
    strokes_of = (Stroke(((75.0, 100.0),), 6, (1, 2, 3)),)
    write_hints(tmp_path / "boxes.hints.json", Hints((300, 200), strokes_of, gap=5.5))
    page.files("#files", tmp_path / "boxes.hints.json", drawing)
    page.wait("/1 strokes read/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    assert colour(page, INNER) == "#010203"
    assert page.run("document.querySelector('#gapSaid').textContent") == "5.5 px"
    write_hints(tmp_path / "other.hints.json", Hints((99, 10), strokes_of[:0]))
    page.files("#files", tmp_path / "other.hints.json")
    page.wait("/got hints for 99 x 10/.test(document.querySelector('#status.error')?.textContent)")
    assert strokes(page) == 1


def test_palettes_are_loaded_and_saved(page: Page, drawing: Path, tmp_path: Path) -> None:
    opened(page, drawing)
    (tmp_path / "two.gpl").write_text("GIMP Palette\n#\n  1   2   3\tink\n255 0 9 rose\n")
    page.files("#files", tmp_path / "two.gpl")
    page.wait("/2 colours/.test(document.querySelector('#status').textContent)")
    page.press("2")
    assert page.run("document.querySelector('#hex').value") == "#ff0009"
    page.run("document.querySelector('#hex').select()")
    page.run("document.querySelector('#hex').focus()")
    page.call("Input.insertText", text="0AF")
    page.press("Enter")
    assert page.run("document.querySelector('#hex').value") == "#00aaff"
    page.click("[data-action=keep]")
    folder = tmp_path / "out"
    folder.mkdir()
    page.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.click("[data-action=paletteSave]")
    while not (folder / "sketch2paint.gpl").exists():
        page.run("new Promise(done => setTimeout(done, 20))")
    lines = (folder / "sketch2paint.gpl").read_text().splitlines()
    assert lines[0] == "GIMP Palette" and lines[4:6] == ["1 2 3\t#010203", "0 170 255\t#00aaff"]
    assert len(lines) == 4 + 32


def test_a_picture_s_colours_become_the_palette_and_can_be_picked(
    page: Page, drawing: Path, tmp_path: Path, studio_url: str
) -> None:
    painting = Image.new("RGB", (300, 150), (32, 96, 192))
    painting.paste((240, 192, 64), (200, 0, 300, 150))
    painting.save(tmp_path / "painting.png")
    opened(page, drawing)
    page.files("#referenceFile", tmp_path / "painting.png")
    page.wait("/2 main colours/.test(document.querySelector('#status').textContent)")
    page.press("1")
    assert page.run("document.querySelector('#hex').value") == "#2060c0"
    x, y = page.middle("#reference")
    width = page.run("reference.getBoundingClientRect().width")
    page.drag([(x + 0.4 * width, y)])
    assert page.run("document.querySelector('#hex').value") == "#f0c040"
    page.run("new Promise(done => setTimeout(done, 600))")
    page.open(studio_url)
    page.wait("/back as you left it/.test(document.querySelector('#status').textContent)")
    page.drag([page.middle("#reference")])
    assert page.run("document.querySelector('#hex').value") == "#2060c0"
    page.click("[data-action=referenceClose]")
    assert page.run("referenceRow.hidden")
    Image.new("L", (50, 50), 90).save(tmp_path / "grey.png")
    page.files("#referenceFile", tmp_path / "grey.png")
    page.wait("document.querySelector('#status.error')")
    assert status(page).startswith("Expected a picture in colour to take colours from, got a grey")
    assert page.run("referenceRow.hidden")


def test_a_colour_that_is_none_is_told_and_the_one_in_hand_stays(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    page.run("document.querySelector('#hex').select()")
    page.call("Input.insertText", text="#ff80")
    page.press("Enter")
    page.wait("document.querySelector('#status.error')")
    assert status(page) == "Expected a colour like #ff8000, got #ff80."
    assert page.run("document.querySelector('#hex').value") == RED


# ---------------------------------------------------------------- keep


def test_work_is_there_again_after_a_reload(page: Page, drawing: Path, studio_url: str) -> None:
    worked(page, drawing)
    before = page.run(SUM)
    page.run("dispatchEvent(new Event('blur'))")
    page.run("new Promise(done => setTimeout(done, 600))")  # what is kept is kept soon
    page.open(studio_url)
    page.wait("/back as you left it/.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    assert page.run(SUM) == before and strokes(page) == 3
    assert page.run("document.querySelector('#hex').value") == GREEN
    for left in (2, 1, 0):
        page.press("Ctrl+z")
        assert strokes(page) == left
    page.click("#strip .close")  # nothing is said of it any more
    page.wait("document.body.classList.contains('empty')")


def test_a_drawing_that_was_worked_on_is_closed_after_a_question(
    page: Page, drawing: Path, studio_url: str
) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    page.click("#strip .close")
    assert "Close boxes?" in page.run("document.querySelector('#closeDialog').innerText")
    page.press("Enter")  # of the two answers the one that loses nothing
    assert page.run("document.querySelectorAll('#strip .item').length") == 1
    page.click("#strip .close")
    page.click("#closeYes")
    page.wait("document.body.classList.contains('empty')")
    page.run("new Promise(done => setTimeout(done, 600))")
    page.open(studio_url)
    page.wait("document.body.classList.contains('ready')")
    assert page.run("document.body.classList.contains('empty')")


def test_drawings_keep_their_own_strokes(page: Page, drawing: Path, tmp_path: Path) -> None:
    other = tmp_path / "tall.png"
    Image.open(drawing).transpose(Image.Transpose.ROTATE_90).save(other)
    opened(page, drawing)
    dot(page, LEFT)
    page.files("#files", other)
    page.wait("/tall: /.test(document.querySelector('#status').textContent)")
    assert strokes(page) == 0 and page.run("[picture.width, picture.height]") == [200, 300]
    page.click("#strip .item button")
    page.wait("/boxes: /.test(document.querySelector('#status').textContent)")
    page.wait(QUIET)
    assert strokes(page) == 1 and colour(page, LEFT) == RED


def test_a_second_window_leaves_what_the_first_one_keeps(
    page: Page, browser: Pipe, drawing: Path, studio_url: str
) -> None:
    opened(page, drawing)
    other = Page(browser, beside=page)
    other.open(studio_url)
    other.wait("document.body.classList.contains('ready')")
    assert other.run("document.body.classList.contains('empty')")
    other.click(".example")
    other.wait("/Save before you close it/.test(document.querySelector('#status').textContent)")
    assert other.errors == []
    page.open(studio_url)
    page.wait("/back as you left it/.test(document.querySelector('#status').textContent)")
    assert page.run("[picture.width, picture.height]") == [300, 200]


def test_a_picture_that_is_too_large_leaves_the_one_before(
    page: Page, drawing: Path, tmp_path: Path
) -> None:
    opened(page, drawing)
    dot(page, LEFT)
    Image.new("1", (4096, 4097), 1).save(tmp_path / "large.png")
    page.files("#files", tmp_path / "large.png")
    said = "Expected at most 4096 x 4096 pixels in all, got 4096 x 4097. Scale it down."
    page.wait(f"document.querySelector('#status').textContent === '{said}'")
    dot(page, RIGHT)
    assert strokes(page) == 2 and colour(page, RIGHT) == RED
    assert page.run("document.querySelectorAll('#strip .item').length") == 1


# ---------------------------------------------------------------- everybody


def test_the_keyboard_alone_is_enough(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    for _ in range(60):
        page.press("Tab")
        if page.run("document.activeElement.id") == "stage":
            break
    assert page.run("document.activeElement.id") == "stage"
    for _ in range(40):
        page.press("ArrowLeft")
    page.press("Enter")
    page.wait(QUIET)
    assert strokes(page) == 1
    assert page.run("[...document.querySelectorAll('#cursor path')].length") == 2
    assert status(page).startswith(f"Dot of {RED} at ")
    page.press("e")
    page.press("Enter")
    page.wait(QUIET)
    assert strokes(page) == 0
    page.press("k")
    page.press("Enter")
    assert status(page) == "Line begun. Arrow keys lead it on, Enter ends it."
    page.press("ArrowDown")
    page.press("Enter")
    page.wait(QUIET)
    assert page.run("document.querySelectorAll('#hints .stroke.cut').length") == 1
    page.press("e")
    page.press("?")
    assert page.run("document.querySelector('#helpDialog').open")
    page.press("b")  # keys of the page rest while a dialog is open
    assert page.run("document.querySelector('#stage').dataset.tool") == "eraser"
    page.press("Escape")
    assert not page.run("document.querySelector('#helpDialog').open")
    page.press("Ctrl+s")
    assert page.run("document.querySelector('#saveDialog').open")


def test_everything_that_can_be_pressed_has_a_name(page: Page, drawing: Path) -> None:
    opened(page, drawing)
    nameless = page.run("""[...document.querySelectorAll("button, input, [role]")].filter(each =>
      !(each.getAttribute("aria-label") || each.getAttribute("aria-labelledby") ||
        each.textContent.trim() || each.labels?.[0]?.textContent.trim() || each.hidden ||
        each.id === "status" )).map(each => each.outerHTML.slice(0, 80))""")
    assert nameless == []
    assert page.run("document.documentElement.outerHTML.includes('undefined')") is False


def test_dark_follows_the_system_and_the_button(page: Page, studio_url: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.run(paper)
    page.click("[data-action=theme]")
    dark = page.run(paper)
    assert light == "rgb(244, 244, 243)" and dark == "rgb(28, 28, 28)"
    page.open(studio_url)
    page.wait("document.body.classList.contains('ready')")
    assert page.run(paper) == dark  # it was asked for
    page.click("[data-action=theme]")
    wish = {"name": "prefers-color-scheme", "value": "dark"}
    page.call("Emulation.setEmulatedMedia", features=[wish])
    assert page.run(paper) == dark
    page.click("[data-action=theme]")
    assert page.run(paper) == light

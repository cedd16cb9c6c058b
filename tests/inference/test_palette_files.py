import json

import numpy as np
import pytest
from PIL import Image

from sketch2paint.inference.jobs import plan_jobs
from sketch2paint.inference.palette_files import hexadecimal, palette_from, palette_of_reference

GPL = "GIMP Palette\nName: sea\nColumns: 2\n# a comment\n230  57  70 red\n29 53 87\n"


def test_colours_one_or_several():
    found = palette_from(["#e63946", "#1D3557", "#e63946", "#ffffff"])
    assert hexadecimal(found) == ["#e63946", "#1d3557"] and not found.portions.any()
    assert hexadecimal(palette_from("#e63946")) == ["#e63946"]


def test_palettes_of_gimp(tmp_path):
    (tmp_path / "sea.gpl").write_text(GPL)
    assert hexadecimal(palette_from(str(tmp_path / "sea.gpl"))) == ["#e63946", "#1d3557"]


def test_json_with_shares_and_without(tmp_path):
    path = tmp_path / "sea.json"
    path.write_text(json.dumps(["#e63946", "#1d3557"]))
    assert hexadecimal(palette_from(str(path))) == ["#e63946", "#1d3557"]
    path.write_text(json.dumps({"#e63946": 3, "#1d3557": 1}))
    np.testing.assert_allclose(palette_from(str(path)).portions, [0.75, 0.25])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "Expected `palette` of 1 to 64 colours, got none. Pass those that"),
        ([f"#0000{n:02x}" for n in range(65)], "Expected `palette` of 1 to 64 colours, got 65."),
        (["#ffffff"], "Expected `palette` with a colour besides white, which paper has.*Add one"),
        (["red"], "Expected a colour like #e63946 in `palette`, got 'red'. Write # and two"),
        ("#12345", "Expected a colour like #e63946 in `palette`, got '#12345'"),
        (["sea.gpl"], "got 'sea.gpl'.*a file stands alone, without"),
        ("red", "Expected `palette` to be colours like #e63946, a .gpl or a .json file, got red."),
        ("gone.gpl", "gone.gpl: no such file. Pass palette=FILE.gpl"),
    ],
)
def test_what_is_no_palette(given, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        palette_from(given)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.gpl", "", "a.gpl: expected the first line 'GIMP Palette', got ''"),
        ("a.gpl", "GIMP Palette\nName: x\n", "a.gpl: expected a palette of 1 to 64 .*, got none"),
        ("a.gpl", GPL[:-6], "from 0 to 255 on line 6, got '29 '. The file may be cut off"),
        ("a.gpl", GPL + "300 0 0\n", "from 0 to 255 on line 7, got '300 0 0'"),
        ("a.json", "[", "a.json: expected a palette as JSON, got '.'"),
        ("a.json", "3", "a.json: expected a list of colours, or an object with a share for each"),
        ("a.json", '["#12"]', "a.json: expected a colour like \"#ff8000\", .*got '#12'"),
        ("a.json", '{"#e63946": 0}', "a.json: expected the share of '#e63946' to be a number abov"),
        ("a.json", '{"#e63946": true}', "to be a number above 0, got True"),
        ("a.json", "[" * 100000, "a.json: expected a palette"),
    ],
)
def test_damaged_files(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        palette_from(str(tmp_path / name))


def picture(path, *colours):
    rows = np.array(colours, np.uint8)[:, None].repeat(30, 1).repeat(10, 0)
    Image.fromarray(rows).save(path)
    return str(path)


def test_lines_of_a_reference_are_no_colours(tmp_path):
    rows = np.full((60, 200, 3), (230, 57, 70), np.uint8)
    rows[:, 100:] = (29, 53, 87)
    rows[::20], rows[1::20], rows[:, 99:101] = 0, 0, 0
    for name, side in (("small", 200), ("large", 2000)):
        Image.fromarray(rows).resize((side, side * 3 // 10)).save(tmp_path / f"{name}.png")
        found = palette_of_reference(str(tmp_path / f"{name}.png"), [], 10**7)
        assert sorted(hexadecimal(found)) == ["#1d3557", "#e63946"]
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert len(palette_of_reference(str(tmp_path / "noise.png"), [], 10**6).colours)


def test_the_colours_of_a_reference_by_their_area(tmp_path):
    red, blue = (230, 57, 70), (29, 53, 87)
    path = picture(tmp_path / "reference.png", red, (255, 255, 255), red, blue)
    drawing = picture(tmp_path / "drawing.png", (255, 255, 255), (0, 0, 0))
    jobs = plan_jobs([drawing], output=str(tmp_path / "out"))
    found = palette_of_reference(path, jobs, 10**6)
    assert hexadecimal(found) == ["#e63946", "#1d3557"]
    np.testing.assert_allclose(found.portions, [2 / 3, 1 / 3], atol=0.1)
    for bad, message in (
        (drawing, "drawing.png: expected a picture in colour as `reference`, got one of the draw"),
        (
            picture(tmp_path / "grey.png", (90, 90, 93)),
            "got a grey one. Pass a painted picture, or",
        ),
        (picture(tmp_path / "white.png", (255, 255, 255)), "got a grey one"),
    ):
        with pytest.raises(ValueError, match=message):
            palette_of_reference(bad, jobs, 10**6)
    with pytest.raises(FileNotFoundError, match="no such file. Pass reference=PICTURE"):
        palette_of_reference(str(tmp_path / "gone.png"), jobs, 10**6)
    with pytest.raises(IsADirectoryError, match="got a folder. Pass one of its files"):
        palette_of_reference(str(tmp_path), jobs, 10**6)

"""Ways to find regions: the simple one, G'MIC behind a stand-in, and the table of all."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sketch2paint.evaluation.methods import GAPS, compare_methods, components, gmic_smart
from sketch2paint.evaluation.region_accuracy import Drawing, region_accuracy

GAP_HEADINGS = [f"gap {gap}" for gap in GAPS]


def house(red: tuple[int, int, int] = (200, 30, 30)) -> Drawing:
    """Two closed rooms, one red and one blue, on paper."""
    sketch = np.full((360, 480), 255, np.uint8)
    for left in (60, 240):
        cv2.rectangle(sketch, (left, 60), (left + 180, 300), 0, 5)
    real = np.full((360, 480, 3), 255, np.uint8)
    real[60:301, 60:240], real[60:301, 240:421] = red, (30, 30, 200)
    return Drawing.of("house", sketch, real)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    """Put a program `gmic` into a folder that is the only one where programs are looked for."""
    program = folder / "gmic"
    program.write_text(f"#!{sys.executable}\nimport shutil, sys\n{lines}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_components_are_what_lines_part() -> None:
    labels = components(house().sketch)
    assert len({labels[5, 5], labels[180, 150], labels[180, 330]}) == 3
    assert labels[5, 5] == labels[330, 450] and labels[180, 150] == labels[270, 90]
    assert region_accuracy(labels, house()) == 1


def test_gmic_gives_connected_parts_of_its_colours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = np.full((20, 30, 3), 255, np.uint8)
    painted[:, 5:10] = painted[:, 15:20] = 9, 9, 200  # one colour, two places
    Image.fromarray(painted).save(tmp_path / "painted.png")
    install(tmp_path, monkeypatch, f"shutil.copy({str(tmp_path / 'painted.png')!r}, sys.argv[-1])")
    labels = gmic_smart(np.full((20, 30), 255, np.uint8))
    assert labels.shape == (20, 30) and labels.min() == 1
    assert len(set(labels[0, [0, 7, 12, 17, 25]].tolist())) == 5 == labels.max()


def test_gmic_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "sys.exit('no such filter')")
    words = "Expected the program gmic to colour a drawing, got: no such filter. Pass regions=false"
    with pytest.raises(ValueError, match=words):
        gmic_smart(np.full((20, 30), 255, np.uint8))


def test_the_table_says_what_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    table = compare_methods([house(), house((255, 255, 255))])
    head, simple, ours, gmic = table.lines()
    assert head == ["regions", *GAP_HEADINGS, "segments", "s"]
    assert simple[:2] == ["connected components", "1.000"] and float(simple[4]) < 0.6
    assert ours[0] == "sketch2paint" and ours[5] == "3.0"
    assert all(float(cell) > 0.98 for cell in ours[1:5])
    assert gmic == ["G'MIC (not installed)", *["n/a"] * 6]
    plain = json.loads(json.dumps(table.plain(), allow_nan=False))
    assert plain["rows"]["sketch2paint"]["gap 8"] == 1 and plain["size"] == 512
    assert plain["rows"]["G'MIC"]["s"] is None
    assert plain["not_applicable"] == {"G'MIC": "not installed"}


def test_drawings_without_colour_have_no_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    blank = np.full((40, 40), 255, np.uint8)
    table = compare_methods([Drawing.of("blank", blank, np.dstack([blank] * 3))])
    assert all(math.isnan(value) for value in table.values["sketch2paint"][:4])
    assert table.values["sketch2paint"][4] == 1


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("gmic") is None, reason="no program gmic")
def test_gmic_itself_finds_closed_rooms() -> None:
    labels = gmic_smart(house().sketch)
    assert region_accuracy(labels, house()) == 1

"""Pictures and hints in, pictures out, whatever paints them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sketch2paint.hints.format import Hints, write_hints
from sketch2paint.hints.strokes import Stroke
from sketch2paint.inference.picture_painter import LONGEST, Painted, PicturePainter, check_sketch
from sketch2paint.models.tasks import PHOTO, SKETCH

RED = (200, 30, 40)


class Negative(PicturePainter):
    """Turns drawings round, and keeps the hints it was given."""

    size, multiple, on_cpu = 16, 1, True

    def __init__(self, task: Any = SKETCH, **keys: Any) -> None:
        defaults = {"normalise": "off", "flats": False, "colours": "auto", "gap": "auto"}
        super().__init__(task, **{**defaults, **keys})

    def process(
        self, sketches: Sequence[np.ndarray], hints: Sequence[Hints | None] | None = None
    ) -> list[Painted]:
        self.given = self.fitted(hints or [None] * len(sketches), sketches)
        drawings, notes = self.drawings(sketches)
        return [
            Painted(np.dstack([255 - one] * 3), colours=np.dstack([one] * 3), lines=one, notes=note)
            for one, note in zip(drawings, notes, strict=True)
        ]


def sketch(height: int = 20, width: int = 30) -> np.ndarray:
    drawing = np.full((height, width), 255, np.uint8)
    drawing[height // 2] = 0
    return drawing


def red(width: int = 30, height: int = 20) -> Hints:
    return Hints((width, height), (Stroke(((width // 2, height // 4),), 3, RED),))


def test_one_and_many_arrays_and_pictures() -> None:
    painter, drawing = Negative(), sketch()
    np.testing.assert_array_equal(painter.paint(drawing), np.dstack([255 - drawing] * 3))
    picture = painter.paint(Image.fromarray(drawing))
    assert isinstance(picture, Image.Image) and picture.size == (30, 20)
    both = painter.paint([drawing, Image.fromarray(drawing).convert("RGBA")])
    assert isinstance(both[0], np.ndarray) and isinstance(both[1], Image.Image)
    np.testing.assert_array_equal(both[0], np.asarray(both[1]))


def test_hints_come_in_every_form_and_fit_the_drawing(tmp_path: Path) -> None:
    painter, drawing = Negative(), sketch()
    write_hints(tmp_path / "a.json", red())
    for given in (red(), tmp_path / "a.json", str(tmp_path / "a.json")):
        painter.paint(drawing, given)
        assert painter.given == [red()]
    painter.paint(drawing, red().overlay())
    assert painter.given[0] is not None and painter.given[0].strokes[0].color == RED
    painter.paint([drawing, drawing], [red(), None])
    assert painter.given == [red(), None]
    painter.paint([drawing, drawing], red())
    assert painter.given == [red(), red()]
    painter.paint(sketch(40, 60), red())
    assert painter.given[0] is not None and painter.given[0].size == (60, 40)


def test_scans_are_made_black_on_white() -> None:
    grey = np.where(sketch(60, 60) == 0, 60, 200).astype(np.uint8)
    as_it_is, clean = (Negative(normalise=how).process([grey])[0] for how in ("off", "auto"))
    assert as_it_is.lines.max() == 200 and as_it_is.notes == ()
    assert clean.lines.max() == 255 and clean.notes == ("paper lightened", "lines darkened")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"normalise": "on"}, "`normalise` to be one of auto, off, got 'on'"),
        ({"colours": 3}, "Expected flats=true with colours=3, got none. Add it."),
        ({"flats": True, "colours": 0}, "`colours` to be auto or a number of at least 1, got 0"),
        ({"gap": -1}, "`gap` to be auto or a number of pixels from 0 on, got -1"),
        ({"gap": True}, "`gap` to be auto or a number of pixels from 0 on, got True"),
        ({"task": PHOTO, "flats": True}, "Expected no flats for photographs"),
    ],
)
def test_arguments(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Negative(**keys)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((20, 30, 3), np.uint8), r"an overlay \(H, W, 4\) of uint8 or None, got uint8"),
        ([None, None], "Expected hints for each of 1 sketches, got 2"),
    ],
)
def test_wrong_hints(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Negative().paint([sketch()], given)
    with pytest.raises(ValueError, match="Expected no hints for photographs"):
        Negative(PHOTO).paint(sketch(), red())


def test_a_picture_has_its_limits() -> None:
    check_sketch(np.broadcast_to(np.uint8(255), (4, LONGEST)))
    with pytest.raises(ValueError, match=f"at most 16384x16384 .* got 4x{LONGEST + 1}"):
        check_sketch(np.broadcast_to(np.uint8(255), (4, LONGEST + 1)))
    with pytest.raises(
        ValueError, match="Expected a sketch as PIL picture or uint8 array, got lis"
    ):
        check_sketch([[255]])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"uint8 array \(H, W\) or \(H, W, 3\), got float64 \(2, "):
        check_sketch(np.zeros((2, 2)))

"""Planes, tasks, and the one function that orders channels."""

import math

import pytest
import torch

from sketch2paint.images.convert import rgb_to_lab, to_rgb
from sketch2paint.models.tasks import (
    PHOTO,
    SKETCH,
    Plane,
    as_planes,
    channels_of,
    stack,
    task_of,
    with_empty,
)

HINTS = Plane("hints", 4, 0.0)
PLANES = (*SKETCH.planes, HINTS)


def test_two_tasks():
    assert (task_of("sketch"), task_of("photo")) == (SKETCH, PHOTO)
    assert (SKETCH.out_channels, PHOTO.out_channels) == (3, 2)
    assert (SKETCH.lightness, PHOTO.lightness) == (False, True)
    assert SKETCH.planes == (("sketch", 1, 1.0),) and PHOTO.planes == (("sketch", 1, None),)


def test_channels_stand_in_the_order_of_the_planes():
    batch = {"hints": torch.full((2, 4, 3, 5), 7.0), "sketch": torch.ones(2, 1, 3, 5), "x": None}
    stacked = stack(batch, PLANES)
    assert stacked.shape == (2, 5, 3, 5) and channels_of(PLANES) == 5
    assert stacked[:, 0].unique() == 1 and stacked[:, 1:].unique() == 7
    assert stack(batch, SKETCH.planes) is batch["sketch"]
    assert stack(batch, ()).shape == (2, 0, 3, 5)


def test_what_is_missing_or_another_size_is_told():
    with pytest.raises(ValueError, match=r"the plane `hints` in a batch, got real, sketch\. Use"):
        stack({"sketch": torch.ones(1, 1, 2, 2), "real": torch.ones(1, 3, 2, 2)}, PLANES)
    with pytest.raises(ValueError, match=r"`hints` to be \(B, 4, H, W\), got \(1, 3, 2, 2\)"):
        stack({"sketch": torch.ones(1, 1, 2, 2), "hints": torch.ones(1, 3, 2, 2)}, PLANES)


def test_empty_planes_say_nothing():
    sketch = torch.rand(2, 1, 3, 5)
    filled = with_empty({"sketch": sketch, "style": sketch}, PLANES)
    assert filled["hints"].shape == (2, 4, 3, 5) and filled["hints"].unique() == 0
    assert filled["sketch"] is sketch and filled["style"] is sketch
    given = {"sketch": sketch, "hints": torch.ones(2, 4, 3, 5)}
    assert with_empty(given, PLANES) == given
    with pytest.raises(ValueError, match="Expected the plane `depth` in a batch"):
        planes = (*SKETCH.planes, Plane("depth", 1, None))  # which nothing can stand for
        stack(with_empty({"sketch": sketch}, planes), planes)


def test_pairs_of_pictures():
    pictures = torch.rand(2, 4, 3, 5) * 2 - 1
    pair = SKETCH.pair_of(pictures)
    torch.testing.assert_close(pair, {"sketch": pictures[:, 3:], "real": pictures[:, :3]})
    lab = rgb_to_lab(pictures[:, :3])
    pair = PHOTO.pair_of(pictures[:, :3])
    torch.testing.assert_close(pair, {"sketch": lab[:, :1], "real": lab[:, 1:]})
    torch.testing.assert_close(
        to_rgb(pair["sketch"], pair["real"]), pictures[:, :3], rtol=0, atol=1e-4
    )
    for task, channels in ((SKETCH, 8), (SKETCH, 3), (PHOTO, 4)):
        with pytest.raises(ValueError, match=f"for the task {task.name}, got {channels}"):
            task.pair_of(torch.ones(1, channels, 2, 2))


def test_hints_are_not_read_as_colours():
    with pytest.raises(ValueError, match=r"Expected L as \(B, 1, H, W\) and ab as \(B, 2, H, W\)"):
        to_rgb(torch.ones(1, 5, 2, 2), torch.ones(1, 2, 2, 2))


def test_sketch_of_a_picture():
    rgb, grey = torch.rand(2, 3, 4, 4) * 2 - 1, torch.rand(2, 1, 4, 4) * 2 - 1
    torch.testing.assert_close(PHOTO.sketch_of(rgb), rgb_to_lab(rgb)[:, :1])
    torch.testing.assert_close(PHOTO.sketch_of(grey), rgb_to_lab(grey.expand(-1, 3, -1, -1))[:, :1])
    assert SKETCH.sketch_of(grey) is grey


@pytest.mark.parametrize(
    "given",
    [
        [["sketch", 1, 1.0], ["hints", 4, 0]],
        (("sketch", 1, 1), HINTS),
        [{"name": "sketch", "channels": 1, "empty": 1.0}, HINTS._asdict()],
    ],
)
def test_planes_as_plain_data(given):
    assert as_planes(given) == PLANES
    assert as_planes([["sketch", 1, None]]) == PHOTO.planes


@pytest.mark.parametrize(
    "given",
    [
        None, "sketch", [], [["sketch", 1]], [["sketch", 1, 1.0], ["sketch", 1, 1.0]],
        [["sketch", True, 1.0]], [["sketch", 0, 1.0]], [["sketch", 2**17, 1.0]], [[1, 1, 1.0]],
        [["sketch", 1, math.nan]], [["sketch", 1, "white"]], [["Sketch!", 1, 1.0]],
        [["sketch", 1, 1.0]] * 99, [{"name": "sketch"}], [["hints", 4, 0.0], ["sketch", 1]],
    ],
)  # fmt: skip
def test_what_are_no_planes(given):
    with pytest.raises(ValueError, match=r"^planes: expected planes as \[\[name, channels, empty"):
        as_planes(given)


def test_the_sketch_comes_first():
    for given in ([HINTS, *SKETCH.planes], [["sketch", 3, 1.0]]):
        with pytest.raises(ValueError, match="a.ckpt: expected `sketch` of 1 channel as the first"):
            as_planes(given, "a.ckpt")

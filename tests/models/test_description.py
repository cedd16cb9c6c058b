"""What a weight file says of itself."""

from pathlib import Path

import pytest
from conftest import TINY

from sketch2paint.models.description import (
    check_description,
    declared,
    describe,
    describe_regions,
    in_full,
    planes_of,
    style_of,
)
from sketch2paint.models.tasks import SKETCH, Plane

PATH, HINTS = Path("a.safetensors"), Plane("hints", 4, 0.0)


def test_planes_go_into_the_description_and_come_back():
    planes = (*SKETCH.planes, HINTS)
    about = describe({**TINY, "in_channels": 5}, "sketch", planes)
    assert about["version"] == 2 and about["planes"][1] == {
        "name": "hints", "channels": 4, "empty": 0.0,
    }  # fmt: skip
    assert planes_of(check_description(PATH, about, None)) == planes
    assert declared(PATH, about)[0].in_channels == 5


def test_release_0_1_did_not_name_the_planes():
    about = describe(TINY, "sketch")
    old = {key: value for key, value in about.items() if key != "planes"} | {"version": 1}
    assert planes_of(check_description(PATH, old, "sketch")) == SKETCH.planes
    with pytest.raises(ValueError, match="`planes`: expected planes as .*, got None"):
        check_description(PATH, old | {"version": 2}, "sketch")


def test_planes_and_arguments_that_disagree():
    about = describe(TINY, "sketch", (*SKETCH.planes, HINTS))
    with pytest.raises(
        ValueError, match="declares `in_channels` 1, expected 5 for the planes sketch, hints"
    ):
        declared(PATH, about)
    with pytest.raises(ValueError, match="declares `out_channels` 3, expected 2 for the task pho"):
        declared(PATH, describe(TINY, "photo"))


def test_a_style_has_a_name_for_each_number():
    arguments = {**TINY, "style_channels": 2}
    about = describe(arguments, "sketch", style=("warm", "light"))
    assert declared(PATH, about)[0].style_channels == 2 and style_of(about) == ("warm", "light")
    nameless = describe(arguments, "sketch")
    declared(PATH, nameless)
    assert "style" not in nameless and style_of(nameless) == ()
    for names in (["warm"], ["warm", "warm"], ["warm", 2], "warm", ["a", "b", "c"]):
        with pytest.raises(
            ValueError,
            match="`style` to be the names of the generator's 2 numbers, got .* Pass a fi",
        ):
            declared(PATH, about | {"style": names})


def test_arguments_in_full():
    assert in_full(describe({"size": 16}, "sketch"))["style_channels"] == 0
    assert in_full(describe_regions({"size": 16}))["heads"] == 5
    once = in_full(describe(TINY, "sketch"))
    assert in_full(describe(once, "sketch")) == once and once["base_channels"] == 4

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from sketch2paint.models.direction_file import (
    code_along,
    known_directions,
    read_directions,
    save_directions,
)

STYLE = ("a", "b", "c")
FOUND = {"warmth": np.array([0.6, 0.8, 0.0]), "sefa_1": np.array([0.0, 0.0, 1.0])}


@pytest.fixture
def path(tmp_path):
    save_directions(tmp_path / "d.safetensors", FOUND, STYLE)
    return tmp_path / "d.safetensors"


def test_directions_come_back(path):
    found = read_directions(path, STYLE)
    assert found.keys() == FOUND.keys()
    for name, one in found.items():
        np.testing.assert_array_equal(one, FOUND[name].astype(np.float32))


def test_a_code_s_own_numbers_are_directions_too(path):
    assert [*known_directions(STYLE, path)] == ["sefa_1", "warmth", "a", "b", "c"]
    np.testing.assert_array_equal(known_directions(STYLE, None)["b"], [0, 1, 0])


def test_a_code_is_the_sum_of_steps_along_directions(path):
    known = known_directions(STYLE, path)
    np.testing.assert_allclose(code_along({"warmth": 2, "c": -1}, known), [1.2, 1.6, -1], atol=1e-6)
    assert code_along({"warmth": 0}, known) is None and code_along(None, known) is None
    with pytest.raises(ValueError, match=r"the model knows \(sefa_1, warmth, a, b, c\), got 'hot'"):
        code_along({"hot": 1}, known)
    with pytest.raises(ValueError, match="a number from -3 to 3, got warmth: 4"):
        code_along({"warmth": 4}, known)


def write(path, tensors, **changes):
    about = {"format": "sketch2paint directions", "version": 1, "style": [*STYLE], **changes}
    save_file(tensors, path, {"sketch2paint": json.dumps(about)})


GOOD = {"warmth": np.zeros(3, np.float32)}


@pytest.mark.parametrize(
    ("tensors", "changes", "message"),
    [
        (GOOD, {"style": ["a", "b"]}, "of this generator's code of 3 numbers, got those of anoth"),
        ({"warmth": np.zeros(4, np.float32)}, {}, "directions of this generator's code of 3"),
        ({"warmth": np.zeros(3, np.int64)}, {}, "directions of this generator's code of 3"),
        ({"warmth": np.full(3, np.nan, np.float32)}, {}, "directions of this generator's code"),
        ({}, {}, "directions of this generator's code"),
        (GOOD, {"format": "other"}, "expected 'sketch2paint directions' version 1, got 'other'"),
        (GOOD, {"version": 2}, "version 1, got .* Pass the directions.safetensors that explore"),
    ],
)
def test_files_of_others(tmp_path, tensors, changes, message):
    path = tmp_path / "d.safetensors"
    write(path, tensors, **changes)
    with pytest.raises(ValueError, match=message):
        read_directions(path, STYLE)


def test_numbers_that_numpy_does_not_know_are_no_directions(tmp_path):
    path = tmp_path / "d.safetensors"
    about = {"format": "sketch2paint directions", "version": 1, "style": [*STYLE]}
    save_tensors(
        {"a": torch.zeros(3, dtype=torch.bfloat16)}, path, {"sketch2paint": json.dumps(about)}
    )
    with pytest.raises(ValueError, match="directions of this generator's code of 3"):
        read_directions(path, STYLE)


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file. Pass the directions that explore"):
        read_directions(tmp_path / "none", STYLE)
    (tmp_path / "d").write_bytes(b"0123456789")
    with pytest.raises(
        ValueError, match="as explore.py writes them, got: .* Pass the directions.safe"
    ):
        read_directions(tmp_path / "d", STYLE)
    save_file(GOOD, tmp_path / "e", {"sketch2paint": "[1]"})
    with pytest.raises(ValueError, match="expected 'sketch2paint directions' version 1, got None"):
        read_directions(tmp_path / "e", STYLE)

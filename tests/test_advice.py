"""What to type instead: the nearest key, values for instance, Hydra's errors in one line."""

from __future__ import annotations

import pytest
from hydra.errors import ConfigCompositionException, MissingConfigException

from sketch2paint.__main__ import VERBS
from sketch2paint.advice import (
    ALIASES,
    example,
    nearest,
    right_kind,
    spelt,
    unknown_key,
    what_hydra_said,
)
from sketch2paint.commands import (  # noqa: F401
    animate,
    benchmark,
    evaluate,
    explore,
    export,
    predict,
    prepare,
    studio,
    train,
)
from sketch2paint.verb import _defaults


@pytest.mark.parametrize(
    ("verb", "key", "meant"),
    [
        ("train", "lr", "model.lr"),
        ("train", "learning_rate", "model.lr"),
        ("train", "LEARNING-RATE", "model.lr"),
        ("train", "lamda_l1", "model.lambda_l1"),
        ("train", "L1_LAMBDA", "model.lambda_l1"),
        ("train", "model.max_epochs", "trainer.max_epochs"),
        ("train", "max_epoch", "trainer.max_epochs"),
        ("train", "size", "data.size"),
        ("train", "model.img_size", "data.size"),
        ("train", "root", "data.root"),
        ("train", "dataroot", "data.root"),
        ("train", "ckpt_path", "resume"),
        ("train", "weights", "init_from"),
        ("train", "generator", "model.generator"),
        ("train", "ngf", "model.generator.base_channels"),
        ("train", "devices", "trainer.gpus"),
        ("predict", "devices", "device"),
        ("predict", "weights", "checkpoint"),
        ("predict", "images", "input"),
        ("predict", "out_dir", "output"),
        ("predict", "batch", "batch_size"),
        ("evaluate", "data_root", "data.root"),
        ("export", "opet", "opset"),
        ("prepare", "num_workers", "data.num_workers"),
        ("benchmark", "checkpoints", "checkpoint"),
        ("train", "quux", None),
        ("train", "", None),
    ],
)
def test_nearest(verb: str, key: str, meant: str | None) -> None:
    assert nearest(key, _defaults(verb)) == meant


def test_a_key_is_its_own_nearest() -> None:
    for verb in VERBS:
        defaults = _defaults(verb)
        assert len(defaults) > 5 and all(nearest(key, defaults) == key for key in defaults)


def test_every_alias_means_a_key_that_there_is() -> None:
    known = {key for verb in VERBS for key in _defaults(verb)}
    assert {key for keys in ALIASES.values() for key in keys} <= known


def test_keys_beside_are_listed_where_none_is_near() -> None:
    defaults = {"data": {}, "data.size": 256, "data.flip": True, "seed": 0}
    assert unknown_key("data.quux", "1", defaults) == (
        "Unknown key `data.quux`. Expected one of data.flip, data.size"
    )
    assert unknown_key("nowhere.quux", "1", defaults) == (
        "Unknown key `nowhere.quux`. Expected one of data, seed"
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"), (True, "true"), (0.5, "0.5"), (3, "3"), ("auto", "auto"), ("???", "..."),
        ([0.5, 1], "[0.5,1]"), (["a"], "[a]"), ({"a": 1}, "..."),
    ],
)  # fmt: skip
def test_defaults_are_spelt_as_they_are_typed(value: object, words: str) -> None:
    assert spelt(value) == words


def test_examples() -> None:
    assert example("a", "3") == "a=3"
    assert example("a", "b c") == "'a=b c'"
    assert example("a", "") == example("a", "...") == "a=..."
    assert right_kind("seed", "x", {"seed": 0}) == "Type for instance seed=0"
    for unknown in ({"seed": None}, {"seed": "${other}"}, {"seed": "???"}, {"seed": {}}, {}):
        assert right_kind("seed", "x", unknown) == ""


def test_other_errors_of_hydra_are_one_line() -> None:
    text = "In 'x': ValueError raised\n  Key 'a' is odd\n    full_key: a\n    object_type=dict\n"
    said = what_hydra_said(ConfigCompositionException(text), [], {})
    assert said == "In 'x': ValueError raised Key 'a' is odd"
    missing = MissingConfigException("m", missing_cfg_file="data/pears", options=["demo", "pairs"])
    assert what_hydra_said(missing, [], {}).endswith("got 'pears'. Type data=pairs")

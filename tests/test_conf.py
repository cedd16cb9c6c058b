"""The constructor's signature is the schema: YAML spells every parameter, no more, no less."""

import importlib
import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

import sketch2paint.verb  # noqa: F401  # registers the resolver the configs use
from sketch2paint.__main__ import VERBS
from sketch2paint.inference.jobs import Format
from sketch2paint.inference.painter import Lines, Precision
from sketch2paint.inference.picture_painter import Normalise
from sketch2paint.inference.pipeline import IfColoured
from sketch2paint.models.networks import PatchDiscriminator, UNetGenerator

ROOT = Path(__file__).parent.parent
CONF = ROOT / "conf"
# What train.py passes itself.
GIVEN = {
    "sketch2paint.training.trainer.build_trainer": {"callbacks", "logger"},
    "sketch2paint.training.pix2pix.Pix2Pix": {"planes", "style"},
    "sketch2paint.training.region_colours.RegionColours": {"planes", "style"},
}


def composed(verb, *overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(verb, list(overrides))


def options(group):
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def target(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def parameters(function):
    found = inspect.signature(function).parameters
    assert not [p for p in found.values() if p.kind == p.VAR_KEYWORD], "no **kwargs"
    return set(found) - {"self"}


def nodes(cfg):
    """Every mapping of a config that names a target of ours."""
    for value in cfg.values() if isinstance(cfg, dict) else ():
        if isinstance(value, dict):
            if str(value.get("_target_", "")).startswith("sketch2paint."):
                yield value
            yield from nodes(value)


CASES = (
    [
        (verb, f"data={name}")
        for verb in ("train", "prepare", "evaluate", "benchmark")
        for name in options("data")
    ]
    + [("train", f"experiment={name}") for name in options("experiment")]
    + [("train", f"model={name}") for name in options("model")]
)


@pytest.mark.parametrize(("verb", "override"), CASES)
def test_yaml_spells_every_parameter(verb, override):
    cfg = OmegaConf.to_container(composed(verb, override), resolve=False)
    found = list(nodes(cfg))
    assert len(found) >= (4 if verb == "train" else 1)
    for node in found:
        name = node["_target_"]
        expected = parameters(target(name)) - GIVEN.get(name, set())
        assert set(node) - {"_target_"} == expected, name


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("mix", ["root"]),
        ("paintings", ["root"]),
        ("photos", ["root"]),
        ("pairs", ["root"]),
        ("two_folders", ["sketches", "colours"]),
        ("demo", []),
    ],
)
def test_every_source_can_be_built_from_its_folders(name, folders):
    for verb in ("train", "prepare"):
        cfg = composed(verb, f"data={name}", *(f"data.{folder}=some/where" for folder in folders))
        data = OmegaConf.to_container(cfg.data, resolve=True, throw_on_missing=True)
        build = target(data.pop("_target_"))
        made = build(**data)
        assert len(made.source.folders) == max(1, len(folders))
        assert made.task.name == ("photo" if name == "photos" else "sketch")
        for folder in folders:
            with pytest.raises(ValueError, match=f"Expected `data.{folder}`, a folder, for"):
                build(**{**data, folder: None})


def test_every_source_has_its_case():
    assert options("data") == ["demo", "mix", "paintings", "pairs", "photos", "two_folders"]


def test_the_card_names_every_set_of_the_mixture():
    cfg = composed("train", "experiment=shipped", "data.root=free/openmoji")
    data = OmegaConf.to_container(cfg.data, resolve=True)
    made = target(data.pop("_target_"))(**data)
    card = (ROOT / "docs/model_card_shipped.md").read_text()
    roots = [one.source.root for one in (made, *made.also)]
    beside = {root.resolve().parent for root in roots if root != Path("data/demo")}
    assert beside == {Path("free").resolve()}
    named = re.findall(r"^\| (\w+) \| .* \|$", card, re.MULTILINE)
    assert [root.resolve().name for root in roots] == named[named.index("openmoji") :]


def test_networks_parameters_are_spelt():
    model = composed("train").model
    # By the model, its planes, its task, its style.
    fixed = {"size", "norm", "in_channels", "out_channels", "style_channels"}
    assert set(model.generator) | fixed == parameters(UNetGenerator)
    assert set(model.discriminator) | {"norm", "in_channels"} == parameters(PatchDiscriminator)
    assert not set(model.generator) & fixed and not set(model.discriminator) & {"in_channels"}


@pytest.mark.parametrize("verb", VERBS)
def test_run_level_keys_are_the_function_s(verb):
    function = getattr(importlib.import_module(f"sketch2paint.commands.{verb}"), verb)
    assert set(composed(verb)) == parameters(function)


def test_choices_of_predict_are_those_of_its_room():
    hints = get_type_hints(importlib.import_module("sketch2paint.commands.predict").predict)
    room = {"format": Format, "coloured": IfColoured, "precision": Precision}
    room |= {"lines": Lines, "normalise": Normalise}
    assert {name: hints[name] for name in room} == room


def test_defaults_of_yaml_and_code_agree():
    cfg = OmegaConf.to_container(composed("train", "data=pairs", "data.root=x"), resolve=True)
    compared = 0
    for node in nodes(cfg):
        for name, parameter in inspect.signature(target(node["_target_"])).parameters.items():
            default = parameter.default
            if name in ("generator", "discriminator", "root") or default is parameter.empty:
                continue
            expected = list(default) if isinstance(default, tuple) else default
            if name in node:
                assert node[name] == expected, f"{node['_target_']}: {name}"
                compared += 1
    assert compared > 25


def test_network_defaults_of_yaml_and_code_agree():
    model = OmegaConf.to_container(composed("train").model)
    for node, network in (("generator", UNetGenerator), ("discriminator", PatchDiscriminator)):
        for name, value in model[node].items():
            assert inspect.signature(network).parameters[name].default == value, name


def test_paper_s_defaults():
    cfg = composed("train")
    assert (cfg.data.size, cfg.data.jitter, cfg.data.batch_size, cfg.data.flip) == (
        256,
        30,
        4,
        True,
    )
    assert (cfg.model.lambda_l1, cfg.model.lr, list(cfg.model.betas)) == (100, 2e-4, [0.5, 0.999])
    assert cfg.callbacks.checkpoints.every_n_epochs == 5


@pytest.mark.parametrize("name", options("experiment"))
def test_experiments_are_short_and_say_why(name):
    text = (CONF / "experiment" / f"{name}.yaml").read_text()
    assert text.startswith("# @package _global_\n# ")
    assert "_target_" not in text


def test_sweep_preset_is_a_multirun():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", ["sweep=lambda_lr"], return_hydra_config=True)
    assert cfg.hydra.mode.name == "MULTIRUN"
    assert set(cfg.hydra.sweeper.params) == {"model.lambda_l1", "model.lr"}


def requirements():
    text = (ROOT / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.S | re.M).group(1)
    return sorted(re.findall(r'"([^"]+)"', block))


def test_conda_and_pip_agree():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    by_pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert sorted(by_pip) == requirements()
    python = re.search(r'requires-python = "(.*)"', (ROOT / "pyproject.toml").read_text()).group(1)
    assert f"python{python}" in environment["dependencies"]
    assert all(re.search(r"[><=]", line) for line in by_pip), "every package has a bound"

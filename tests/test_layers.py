"""Imports between rooms go one way; Hydra and Lightning stay in theirs (CONTRIBUTING.md)."""

import ast
import sys
from pathlib import Path

import pytest

from sketch2paint.__main__ import VERBS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sketch2paint"
# What the files of a room may import besides each other, and besides what every room may use.
EVERY_ROOM = {"arguments", "console", "device", "files", "shell", "tables", "verb"}
ROOMS = {
    "images": set(),
    "hints": {"images"},
    "web": {"images"},
    "models": {"hints", "images"},
    "data": {"models.tasks", "hints", "images"},
    "training": {"models", "images"},
    "inference": {"models", "hints", "images", "web"},
    "animation": {"evaluation.metrics", "inference", "models", "hints", "images", "web"},
    "evaluation": {"data", "inference", "models", "hints", "images", "web"},
    "benchmark": {"data", "training", "inference", "evaluation", "models", "hints", "images"},
}
ROOMS["commands"] = set(ROOMS)  # the verbs: they use all rooms, and no room uses them
LIGHTNING = {"training", "data.datamodule", "commands.train"}
HYDRA = {"advice", "overrides", "verb", "training.sweep", "commands"}
# The verbs that are tested as a whole elsewhere than in tests/commands.
TESTED = {
    "commands.prepare": "test_verb.py",
    "commands.predict": "test_verb.py",
    "commands.export": "models/test_export.py",
    "commands.benchmark": "benchmark/test_rates.py",
    "__main__": "test_main.py",
}


def imports(path, top_level_only=False):
    tree = ast.parse(path.read_text())
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules():
    """Dotted names below the package: files, images.convert, ..."""
    paths = [p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py") if p.stem != "__init__"]
    return sorted(".".join(path.with_suffix("").parts) for path in paths)


def file_of(module):
    return PACKAGE.joinpath(*module.split(".")).with_suffix(".py")


def test_rooms_are_those_of_the_list_and_their_inits_are_empty():
    assert {module.split(".")[0] for module in modules() if "." in module} == set(ROOMS)
    for room in ROOMS:
        assert (PACKAGE / room / "__init__.py").read_text() == ""


def test_tests_mirror_the_rooms():
    tests = {str(p.relative_to(ROOT / "tests")) for p in (ROOT / "tests").rglob("test_*.py")}
    for module in set(modules()) - {"painter"}:
        *room, name = module.split(".")
        assert TESTED.get(module, "/".join([*room, f"test_{name}.py"])) in tests


@pytest.mark.parametrize("module", modules())
def test_imports_between_rooms_go_one_way(module):
    room = module.split(".")[0]
    if room not in ROOMS:
        assert not [name for name in imports(file_of(module)) if "sketch2paint.commands" in name]
        return  # beside the rooms: what else it may import says its own test
    allowed = {room, *EVERY_ROOM, *ROOMS[room]}
    for name in imports(file_of(module)):
        _, _, inside = name.partition("sketch2paint.")
        if inside and inside != "__version__":
            assert any(f"{inside}.".startswith(f"{place}.") for place in allowed) or (
                inside
                in {place.split(".")[0] for place in allowed}  # from sketch2paint.data import
            ), f"{module} imports {name}"


def test_training_and_use_meet_in_the_weight_file_only():
    assert "inference" not in ROOMS["training"] and "training" not in ROOMS["inference"]


@pytest.mark.parametrize("module", modules())
def test_frameworks_stay_in_their_rooms(module):
    packages = {name.split(".")[0] for name in imports(file_of(module))}
    places = {module, module.split(".")[0]}
    assert "pytorch_lightning" not in packages or places & LIGHTNING
    assert not packages & {"hydra", "omegaconf"} or places & HYDRA
    if module in ("models.networks", "training.losses"):
        known = {"torch", "sketch2paint", "__future__"} | set(sys.stdlib_module_names)
        assert packages <= known


@pytest.mark.parametrize("name", VERBS)
def test_verbs_import_nothing_heavy_at_the_top(name):
    found = set(imports(PACKAGE / f"commands/{name}.py", top_level_only=True))
    assert {m.split(".")[0] for m in found} <= {"sketch2paint", *sys.stdlib_module_names}
    ours = {module.split(".")[1] for module in found if "sketch2paint." in module}
    assert ours <= {"arguments", "shell", "training", "verb"}


@pytest.mark.parametrize("name", VERBS)
def test_scripts_are_the_verbs_and_nothing_more(name):
    docstring, found, start = ast.parse((ROOT / f"{name}.py").read_text()).body
    verb = ast.parse((PACKAGE / f"commands/{name}.py").read_text())
    assert docstring.value.value == ast.get_docstring(verb)
    assert ast.unparse(found) == f"from sketch2paint.commands.{name} import main"
    assert ast.unparse(start) == "if __name__ == '__main__':\n    main()"


def test_every_verb_has_its_script_its_configuration_and_its_line():
    verbs = {path.stem for path in (PACKAGE / "commands").glob("*.py")} - {"__init__"}
    assert verbs == set(VERBS)
    assert verbs == {path.stem for path in (ROOT / "conf").glob("*.yaml")}
    assert verbs == {path.stem for path in ROOT.glob("*.py")} - {"setup"}


def test_no_utils():
    assert not [p for p in ROOT.glob("sketch2paint/**/*util*") if "__pycache__" not in p.parts]

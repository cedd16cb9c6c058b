"""Imports between rooms go one way; Hydra and Lightning stay in theirs (CONTRIBUTING.md)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "sketch2paint"
# What the files of a room may import besides each other, and besides what every room may use.
EVERY_ROOM = {"arguments", "device", "files", "tables", "verb"}
ROOMS = {
    "images": set(),
    "web": {"images"},
    "models": {"images"},
    "data": {"models.tasks", "images"},
    "training": {"models", "images"},
    "inference": {"models", "images", "web"},
    "evaluation": {"data", "inference", "models", "images", "web"},
    "benchmark": {"data", "training", "inference", "evaluation", "models", "images"},
}
LIGHTNING = {"training", "data.datamodule"}
HYDRA = {"verb", "training.sweep"}
VERBS = ["train.py", "prepare.py", "predict.py", "export.py", "evaluate.py", "benchmark.py"]


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
        assert "/".join([*room, f"test_{name}.py"]) in tests


@pytest.mark.parametrize("module", modules())
def test_imports_between_rooms_go_one_way(module):
    room = module.split(".")[0]
    if room not in ROOMS:
        return  # beside the rooms: what it may import says its own test
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
    packages = {m.split(".")[0] for m in imports(ROOT / name, top_level_only=True)}
    assert packages <= {"sketch2paint", *sys.stdlib_module_names}
    ours = {
        module for module in imports(ROOT / name, top_level_only=True) if "sketch2paint." in module
    }
    rooms = {module.split(".", 1)[1].split(".")[0] for module in ours}
    assert rooms <= {"arguments", "verb", "training"}


def test_no_utils():
    assert not [p for p in ROOT.glob("sketch2paint/**/*util*") if "__pycache__" not in p.parts]

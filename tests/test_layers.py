"""Imports go one way, up the list; Hydra and Lightning stay in their rooms (CONTRIBUTING.md)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A file imports only from files above it.
ORDER = [
    "files",
    "cpu",
    "images",
    "lines",
    "canvas",
    "demo",
    "networks",
    "losses",
    "weights",
    "resume",
    "exported",
    "export",
    "pairs",
    "cache",
    "twins",
    "checks",
    "samples",
    "data",
    "module",
    "losslog",
    "checkpoints",
    "callbacks",
    "trainer",
    "composition",
    "tiles",
    "scans",
    "painter",
    "plan",
    "openraster",
    "painting",
    "gallery",
    "metrics",
    "evaluation",
    "report",
    "report_page",
    "measure",
    "ladder",
    "benchmark",
    "runs",
    "sweep",
    "verb",
]
LIGHTNING = {"data", "module", "losslog", "checkpoints", "callbacks", "trainer"}
HYDRA = {"sweep", "verb"}
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
    return sorted(p.stem for p in (ROOT / "sketch2paint").glob("*.py") if p.stem != "__init__")


def test_every_module_has_its_place_and_its_tests():
    assert modules() == sorted(ORDER)
    tests = {p.stem for p in (ROOT / "tests").glob("test_*.py")}
    assert {f"test_{name}" for name in ORDER} <= tests


@pytest.mark.parametrize("name", ORDER)
def test_imports_go_up(name):
    found = {
        module.split(".")[1]
        for module in imports(ROOT / "sketch2paint" / f"{name}.py")
        if module.startswith("sketch2paint.")
    }
    found &= set(ORDER)
    assert found <= set(ORDER[: ORDER.index(name)])
    if name == "painter":
        assert "module" not in found  # training and use meet in the weight file only


@pytest.mark.parametrize("name", ORDER)
def test_frameworks_stay_in_their_rooms(name):
    packages = {m.split(".")[0] for m in imports(ROOT / "sketch2paint" / f"{name}.py")}
    assert "pytorch_lightning" not in packages or name in LIGHTNING
    assert not packages & {"hydra", "omegaconf"} or name in HYDRA
    if name in ("networks", "losses"):
        known = {"torch", "sketch2paint", "__future__"} | set(sys.stdlib_module_names)
        assert packages <= known


@pytest.mark.parametrize("name", VERBS)
def test_verbs_import_nothing_heavy_at_the_top(name):
    packages = {m.split(".")[0] for m in imports(ROOT / name, top_level_only=True)}
    assert packages <= {"sketch2paint", *sys.stdlib_module_names}
    ours = {
        module for module in imports(ROOT / name, top_level_only=True) if "sketch2paint." in module
    }
    assert {module.split(".")[1] for module in ours} <= {"verb", "resume"}


def test_no_utils():
    assert not [p for p in ROOT.glob("sketch2paint/**/*util*") if "__pycache__" not in p.parts]

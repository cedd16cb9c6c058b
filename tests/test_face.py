"""What `import sketch2paint` gives, and what it costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import sketch2paint
from sketch2paint.inference import painter
from sketch2paint.models import weights


def test_the_face_is_what_stands_in_the_rooms() -> None:
    from sketch2paint import Painter, load_generator

    assert Painter is painter.Painter and load_generator is weights.load_generator
    from sketch2paint.painter import Painter as PainterOfOld

    assert PainterOfOld is Painter
    assert set(sketch2paint.__all__) <= set(dir(sketch2paint))
    for name in sketch2paint.__all__:
        assert getattr(sketch2paint, name)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'sketch2paint' has no attribute 'Paintre'"):
        sketch2paint.Paintre  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Paintre'"):
        from sketch2paint import Paintre  # type: ignore[attr-defined]  # noqa: F401


def test_the_import_brings_nothing_heavy() -> None:
    code = (
        "import sys, sketch2paint; dir(sketch2paint);"
        "import sketch2paint.__main__;"
        "print({'torch', 'numpy', 'hydra', 'PIL', 'sketch2paint.inference'} & set(sys.modules));"
        "sketch2paint.load_generator; print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "set()\nTrue\n", result.stderr


NOT_FOR_A_PICTURE = {
    *("pytorch_lightning", "lightning", "lightning_fabric", "torchvision", "torchmetrics"),
    *("albumentations", "tensorboard", "matplotlib", "scipy", "skimage", "imagehash", "jinja2"),
    *("torch._dynamo", "torch._inductor", "sympy", "filelock"),
}


@pytest.mark.parametrize(
    ("weights", "needed", "absent"),
    [
        ("sketch.onnx", "onnxruntime", {"torch", "safetensors"}),
        ("whole.safetensors", "torch", {"onnx", "onnxruntime"}),
    ],
)
def test_the_first_picture_brings_nothing_that_it_does_not_need(
    tmp_path: Path, weights: str, needed: str, absent: set[str]
) -> None:
    here = Path(__file__).parent
    code = (
        "import atexit, json, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n"
        "from sketch2paint.__main__ import main\nmain()"
    )
    keys = [
        f"checkpoint={here / 'release_0_1' / weights}",
        f"input={here / 'release_0_1/sketch.png'}",
        f"output={tmp_path / 'a.png'}",
        "device=cpu",
    ]
    command = [sys.executable, "-c", code, "predict", *keys]
    result = subprocess.run(command, capture_output=True, text=True, cwd=here.parent)
    said, modules = result.stdout.rsplit("\n", 2)[:2]
    assert (tmp_path / "a.png").is_file() and "1 coloured, 0 failed" in said, result.stderr
    assert needed in json.loads(modules)
    assert not (NOT_FOR_A_PICTURE | absent) & set(json.loads(modules))

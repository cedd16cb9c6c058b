"""What `import sketch2paint` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

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

"""Templates filled in and written: pages that need no network and no other file, and Markdown."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from sketch2paint.files import written_beside
from sketch2paint.images.convert import fit_within, resize
from sketch2paint.images.io import encoded

PACKAGE = Path(__file__).resolve().parents[1]


def write_page(path: Path | str, template: str, given: Mapping[str, Any]) -> None:
    """Fill a template in and write the file piece by piece, whole or not at all.

    Args:
        path: File to write; surrogates, of names with bytes that are no UTF-8, become `?`.
        template: Name below the package, as web/gallery.html; what is put into .html is escaped.
        given: Value of each name in the template. An iterator is asked for its next item when
            the one before is in the file.

    Raises:
        jinja2.UndefinedError: a name in the template was not given.
    """
    pieces = TEMPLATES.get_template(template).generate(given)
    with (
        written_beside(path) as beside,
        open(beside, "w", encoding="utf-8", errors="replace") as file,
    ):
        file.writelines(pieces)


def data_uri(rgb: np.ndarray, side: int, quality: int) -> str:
    """Encode (H, W, 3) uint8 as WebP within a square of `side` pixels, never enlarged."""
    data = encoded(resize(rgb, *fit_within(rgb.shape, side)), ".webp", quality=quality)
    return "data:image/webp;base64," + b64encode(data).decode()


def _inlined(name: str) -> Markup:
    """The text of a style or script as it stands: it is no template."""
    return Markup((PACKAGE / name).read_text(encoding="utf-8"))


def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(PACKAGE),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.globals["inlined"] = _inlined
    # Of `tojson`, which also writes < > & ' as escapes, so that no text can end its script.
    templates.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return templates


TEMPLATES = _templates()

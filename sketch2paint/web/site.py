"""The studio as a folder that any static host serves, or as one file that needs no server."""

from __future__ import annotations

import gzip
import json
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from sketch2paint import __version__
from sketch2paint.files import written_beside

STUDIO = Path(__file__).resolve().parent / "studio"
MARK = "studio.json"  # in a folder that was built here, and may be built anew
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
SINGLE = "engine/single.js"  # starts the page that is one file; no module
BITS, FIRST = 15, 0x1000  # of a letter that stands for bytes in it; the first of 2**15 such letters
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
START = '<script type="module" src="main.js"></script>'
POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=)"[^"]*"')
IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "(\.{1,2}/[^"]+)";', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
CHARSET = '<meta charset="utf-8">\n'
# Of one file: its own scripts, and what they make out of what it holds; nothing from elsewhere.
ALONE = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; worker-src blob:; "
    "script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:"
)


class Model(NamedTuple):
    """A region network as the page reads it, and a generator that shades.

    Attributes:
        about: Plain data: size, colours, temperature, one_object, as export.py notes them, and
            whether it takes `palettes`; with a generator also `shading`, its size and multiple.
        read: Bytes of the graph that reads a drawing (.onnx).
        reply: Bytes of the graph that answers for it (.onnx).
        shade: Bytes of the generator (.onnx), whose inputs are `sketch` and `flats`; None: there
            is none.
    """

    about: Mapping[str, Any]
    read: bytes
    reply: bytes
    shade: bytes | None = None

    @property
    def graphs(self) -> dict[str, bytes]:
        """The graphs that there are, by their names."""
        named = {"read": self.read, "reply": self.reply}
        return named if self.shade is None else {**named, "shade": self.shade}


def write_site(folder: Path | str, model: Model | None) -> int:
    """Write the studio's page into a folder, whole or not at all; an older one is replaced.

    Args:
        folder: Folder to write.
        model: Network for the page; None: it fills regions without one.

    Returns:
        Bytes of all files.

    Raises:
        ValueError: the folder holds something else.
    """
    folder = Path(folder)
    check_ours(folder)
    with _folder_beside(folder) as beside:
        for name, content in _files(model).items():
            path = beside / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return sum(path.stat().st_size for path in beside.rglob("*") if path.is_file())


def write_single(path: Path | str, model: Model | None) -> int:
    """Write the studio's page as one file, runtime and network inside; returns its bytes.

    It is UTF-16, in which bytes take the least room; its first letter says so to every browser.

    Args:
        path: File .html to write.
        model: Network for the page; None: it fills regions without one.
    """
    page = _alone(model)
    with written_beside(path) as beside:
        beside.write_text(page, encoding="utf-16")
        return beside.stat().st_size


def check_ours(folder: Path | str) -> None:
    """See that a folder is new, empty, or a studio that was built before.

    Raises:
        ValueError: it is something else.
    """
    folder = Path(folder)
    if not folder.exists() or (folder / MARK).is_file():
        return
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected `output` to be a folder, got a file. Pass another.")
    if any(folder.iterdir()):
        raise ValueError(
            f"{folder}: expected `output` to be a new folder, an empty one or a studio that was "
            "built before, got one with other files. Pass another."
        )


@contextmanager
def _folder_beside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that takes the place of another one at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside, old = (folder.with_name(f".{secrets.token_hex(8)}.tmp") for _ in range(2))
    beside.mkdir()
    try:
        yield beside
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _files(model: Model | None) -> dict[str, bytes]:
    """Content of each file of the site by its name."""
    found = {MARK: json.dumps({"sketch2paint": __version__}).encode()}
    for path in sorted(STUDIO.rglob("*")):
        name = path.relative_to(STUDIO).as_posix()
        if path.is_file() and path.suffix not in (".md", ".gz") and name != SINGLE:
            found[name] = path.read_bytes()
    for name in RUNTIME if model else ():
        found[f"vendor/{name}"] = _runtime(name)
    if model:
        found["model/about.json"] = json.dumps(dict(model.about)).encode()
        found |= {f"model/{name}.onnx": graph for name, graph in model.graphs.items()}
        found["options.js"] = b'export const options = { models: "./model/" };\n'
    return found


def _runtime(name: str) -> bytes:
    return gzip.decompress((STUDIO / "vendor" / f"{name}.gz").read_bytes())


def _alone(model: Model | None) -> str:
    """The page with everything inside."""
    page = (STUDIO / "index.html").read_text(encoding="utf-8").replace(CHARSET, "")
    page = STYLE.sub(lambda link: f"<style>\n{_text(link[1])}</style>", page)
    page, policies = POLICY.subn(rf'\1"{ALONE}"', page)
    before, start, after = page.partition(START)
    assert policies and start, "index.html has another head or start than is known here"
    own = {"options.js": "export const options = globalThis.sketch2paint.options;"}
    worker = bundled("engine/worker.js")
    scripts = f"globalThis.sketch2paint = {{ start: async () => {{\n{bundled('main.js', own)}}} }};"
    held = []
    if model:
        module, wasm = map(_runtime, RUNTIME)
        worker = f"self.ort = (() => {{\n{_plain_script(module.decode())}}})();\n{worker}"
        held = [_held("application/json", "about", _as_json(dict(model.about)))]
        packed = {"wasm": wasm, **model.graphs}
        held += [_packed(name, data) for name, data in packed.items()]
    held.append(_packed("worker", worker.encode()))
    scripts = f"{scripts}\n{_text(SINGLE)}".replace("</script", "<\\/script")
    return "\n".join([before, *held, f"<script>\n{scripts}</script>", after])


def _held(kind: str, name: str, content: str, more: str = "") -> str:
    return f'<script type="{kind}" id="held-{name}"{more}>{content}</script>'


def _text(name: str) -> str:
    return (STUDIO / name).read_text(encoding="utf-8")


def _as_json(value: Any) -> str:
    """JSON in which no text can end its script."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _packed(name: str, data: bytes) -> str:
    """Compressed bytes as an element, 15 bits a letter; none of them is one that a page minds."""
    packed = np.frombuffer(gzip.compress(data, mtime=0), np.uint8)
    bits = np.unpackbits(packed)
    rows = np.pad(bits, (0, -len(bits) % BITS)).reshape(-1, BITS)
    letters = FIRST + rows @ (1 << np.arange(BITS)[::-1])
    text = letters.astype("<u2").tobytes().decode("utf-16-le")
    return _held("application/gzip", name, text, f' data-bytes="{len(packed)}"')


# ---------------------------------------------------------------- modules as one script


def bundled(start: str, given: Mapping[str, str] | None = None) -> str:
    """A module and all that it imports as one plain script, each module a function that is called.

    A page from the disk may start no module as a worker, nor import one there.

    Args:
        start: Name of the module below the studio's folder.
        given: Texts that take the place of files, by their names.
    """
    modules = _modules(start, given or {})
    functions = [
        f"modules[{json.dumps(name)}] = (() => {{\n{_as_function(name, text)}}})();"
        for name, text in modules.items()
    ]
    return "\n".join(['"use strict";', "const modules = {};", *functions, ""])


def _modules(start: str, given: Mapping[str, str]) -> dict[str, str]:
    """Names and texts of a module and of all that it imports, these first."""
    found: dict[str, str] = {}
    open_: list[str] = []

    def add(name: str) -> None:
        if name in found:
            return
        assert name not in open_, f"modules import each other: {' -> '.join([*open_, name])}"
        open_.append(name)
        text = given[name] if name in given else _text(name)
        for _, specifier in IMPORT.findall(text):
            add(_resolved(name, specifier))
        found[open_.pop()] = text

    add(start)
    return found


def _resolved(name: str, specifier: str) -> str:
    """Name of the module that another one imports as ./x.js or ../x.js."""
    parts = list(PurePosixPath(name).parent.parts)
    for part in PurePosixPath(specifier).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _as_function(name: str, text: str) -> str:
    """The body of a function that returns what a module exports."""

    def imported(found: re.Match[str]) -> str:
        names = re.sub(r"^\* as ", "", found[1]).replace(" as ", ": ")
        return f"const {names} = modules[{json.dumps(_resolved(name, found[2]))}];"

    body = IMPORT.sub(imported, text)
    exported = EXPORT.findall(body)
    body = EXPORT.sub(r"\1 \2", body).replace("import.meta.url", "location.href")
    left = re.search(r"^(?:import|export)\b.*|\bimport\.meta\b", body, re.MULTILINE)
    assert not left, f"{name}: an import or export that is not known here: {left and left[0]}"
    return f"{body}return {{ {', '.join(name for _, name in exported)} }};\n"


def _plain_script(text: str) -> str:
    """The body of a function that returns what the runtime's own bundle exports."""

    def returned(found: re.Match[str]) -> str:
        pairs = (pair.split(" as ") for pair in found[1].split(","))
        return f"return {{{','.join(f'{name}:{own}' for own, name in pairs)}}};"

    text, count = re.subn(r"\bexport\{([^}]*)\};", returned, text)
    assert count == 1, "the runtime exports in another way than is known here"
    return text.replace("import.meta.url", "self.location.href")

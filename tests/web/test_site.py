"""The studio as a folder and as one file."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from sketch2paint.web import site
from sketch2paint.web.site import MARK, RUNTIME, STUDIO, Model, bundled, write_single, write_site

MODEL = Model({"size": 32, "colours": [[1, 1, 1]]}, b"reads", b"replies")
SHADING = MODEL._replace(about={**MODEL.about, "shading": {"size": 32}}, shade=b"shades")


def names(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def test_a_folder_holds_the_page_the_runtime_and_the_model(tmp_path: Path) -> None:
    folder = tmp_path / "new/studio"
    count = write_site(folder, MODEL)
    assert count == sum((folder / name).stat().st_size for name in names(folder))
    assert {"index.html", "main.js", "engine/worker.js", "vendor/LICENSE"} <= names(folder)
    assert (
        (folder / "vendor" / RUNTIME[0]).read_bytes().startswith(b"/*!\n * ONNX Runtime Web v1.30")
    )
    assert (folder / "vendor" / RUNTIME[1]).read_bytes().startswith(b"\0asm")
    assert json.loads((folder / "model/about.json").read_text()) == MODEL.about
    assert (folder / "model/read.onnx").read_bytes() == b"reads"
    assert '"./model/"' in (folder / "options.js").read_text()
    assert not [name for name in names(folder) if name.endswith((".md", ".gz"))]


def test_the_generator_that_shades_goes_with_the_model(tmp_path: Path) -> None:
    write_site(tmp_path / "studio", SHADING)
    assert (tmp_path / "studio/model/shade.onnx").read_bytes() == b"shades"
    write_site(tmp_path / "studio", MODEL)
    assert "model/shade.onnx" not in names(tmp_path / "studio")
    write_single(tmp_path / "studio.html", SHADING)
    assert 'id="held-shade"' in (tmp_path / "studio.html").read_text("utf-16")


def test_a_folder_without_a_model_has_no_runtime_either(tmp_path: Path) -> None:
    write_site(tmp_path / "studio", None)
    assert "models: null" in (tmp_path / "studio/options.js").read_text()
    assert not {f"vendor/{name}" for name in RUNTIME} & names(tmp_path / "studio")


def test_an_older_studio_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "studio").mkdir()
    write_site(tmp_path / "studio", MODEL)
    (tmp_path / "studio/old.js").write_text("")
    write_site(tmp_path / "studio", None)
    assert not {"old.js", "model/about.json"} & names(tmp_path / "studio")
    assert [path.name for path in tmp_path.iterdir()] == ["studio"]


def test_what_fails_leaves_the_older_studio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_site(tmp_path / "studio", None)
    before = names(tmp_path / "studio")
    monkeypatch.setattr(site, "_files", lambda model: {"index.html": None})
    with pytest.raises(TypeError):
        write_site(tmp_path / "studio", None)
    assert names(tmp_path / "studio") == before
    assert [path.name for path in tmp_path.iterdir()] == ["studio"]


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/letter.txt").write_text("dear")
    with pytest.raises(ValueError, match=r"own: expected `output` to be a new folder, an empty "):
        write_site(tmp_path / "own", None)
    assert names(tmp_path / "own") == {"letter.txt"}
    with pytest.raises(ValueError, match=r"letter.txt: expected `output` to be a folder, got a f"):
        write_site(tmp_path / "own/letter.txt", None)


def unpacked(page: str, name: str) -> bytes:
    """Bytes that a page holds, 15 bits a letter."""
    found = re.search(rf'id="held-{name}" data-bytes="(\d+)">([^<]*)<', page)
    assert found
    bits = "".join(f"{ord(letter) - 0x1000:015b}" for letter in found[2])
    data = bytes(int(bits[8 * n : 8 * n + 8], 2) for n in range(int(found[1])))
    return gzip.decompress(data)


def test_one_file_asks_for_no_other(tmp_path: Path) -> None:
    count = write_single(tmp_path / "studio.html", MODEL)
    page = (tmp_path / "studio.html").read_text("utf-16")
    assert (tmp_path / "studio.html").stat().st_size == count > 3_900_000  # the runtime is inside
    markup = re.sub(r"(<script[^>]*>).*?</script>", r"\1", page, flags=re.DOTALL)
    assert not re.search(r'\bsrc="', markup)
    assert set(re.findall(r'href="([^"#]+)', markup)) <= {"data:,"}
    assert "content=\"default-src 'none'" in markup and "connect-src" not in markup
    assert markup.count("<script") == 6  # about, wasm, two graphs, worker, and what starts them
    about = re.search(r'id="held-about">(.*?)</script>', page)
    assert about and json.loads(about[1]) == MODEL.about
    assert b"self.ort = " in unpacked(page, "worker")
    assert unpacked(page, "read") == MODEL.read


def test_one_file_without_a_model_is_small(tmp_path: Path) -> None:
    assert write_single(tmp_path / "studio.html", None) < 500_000
    assert 'held-about">' not in (tmp_path / "studio.html").read_text("utf-16")


def test_modules_become_functions_in_the_order_of_their_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "STUDIO", tmp_path)
    (tmp_path / "parts").mkdir()
    (tmp_path / "main.js").write_text(
        'import { one, two as second } from "./parts/a.js";\n'
        'import * as b from "./parts/b.js";\nexport const found = one + second + b.three();\n'
    )
    (tmp_path / "parts/a.js").write_text(
        'import { three } from "./b.js";\nexport const one = 1;\nexport class two {}\n'
    )
    (tmp_path / "parts/b.js").write_text("export function three() {\n  return 3;\n}\n")
    text = bundled("main.js")
    places = [
        text.index(f'modules["{name}"] = ') for name in ("parts/b.js", "parts/a.js", "main.js")
    ]
    assert places == sorted(places)
    assert 'const { one, two: second } = modules["parts/a.js"];' in text
    assert 'const b = modules["parts/b.js"];' in text
    assert "return { one, two };" in text and "return { found };" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('import "./b.js";\n', "an import or export that is not known here: import"),
        ("export default 3;\n", "an import or export that is not known here: export default"),
        ('import { a } from "./main.js";\n', "modules import each other: main.js"),
    ],
)
def test_modules_that_cannot_become_functions_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    monkeypatch.setattr(site, "STUDIO", tmp_path)
    (tmp_path / "main.js").write_text(text)
    with pytest.raises(AssertionError, match=message):
        bundled("main.js")


def test_the_mark_is_no_file_of_the_page() -> None:
    assert not (STUDIO / MARK).exists()

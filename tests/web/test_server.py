"""The server of the studio: what it sends, and to whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path

import pytest

from sketch2paint.web.server import HOST, PORT, Server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    for name in ("index.html", "main.js", "x.mjs", "x.wasm", "x.onnx"):
        (tmp_path / name).write_text("content")
    (tmp_path / "engine").mkdir()
    with Server(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def got(server: Server, path: str) -> tuple[int, HTTPMessage]:
    connection = HTTPConnection(HOST, server.server_address[1], timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers


def test_files_come_with_the_headers_for_threads(server: Server) -> None:
    status, headers = got(server, "/")
    assert status == 200
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cache-Control"] == "no-cache" and "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("main.js", "text/javascript"),
        ("x.mjs", "text/javascript"),
        ("x.wasm", "application/wasm"),
        ("x.onnx", "application/octet-stream"),
    ],
)
def test_files_have_the_types_that_browsers_insist_on(server: Server, name: str, kind: str) -> None:
    assert got(server, f"/{name}")[1]["Content-Type"] == kind


@pytest.mark.parametrize("path", ["/engine/", "/none.js", "/../../etc/passwd"])
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert got(server, path)[0] == 404


def test_it_answers_this_machine_alone(server: Server) -> None:
    assert server.server_address[0] == HOST == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.server_address[1]}/"


def test_a_port_that_is_taken_is_refused_or_another_one_taken(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = server.server_address[1]
    with pytest.raises(ValueError, match=f"Expected a port that is free, got port={taken}, which"):
        Server(tmp_path, taken)
    monkeypatch.setattr("sketch2paint.web.server.PORT", taken)
    with Server(tmp_path) as other:
        assert other.server_address[1] not in (taken, PORT)

"""A folder of pages served to this machine alone, with the headers that let it use threads."""

from __future__ import annotations

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
PORT = 8765  # where nothing else is there
HEADERS = {
    # Alone among pages, which is the condition for memory that threads share.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Server(ThreadingHTTPServer):
    """A server of a folder on loopback; `serve_forever` runs it.

    Args:
        folder: Folder whose files are served.
        port: Port | auto: 8765, or a free one where that is taken.

    Raises:
        ValueError: the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = False  # or two servers would share a port on some systems

    def __init__(self, folder: Path | str, port: int | str = "auto") -> None:
        handler = partial(_Handler, directory=str(folder))
        try:
            super().__init__((HOST, PORT if port == "auto" else int(port)), handler)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            if port != "auto":
                raise ValueError(
                    f"Expected a port that is free, got port={port}, which is taken or not "
                    "allowed. Pass port=auto."
                ) from error
            super().__init__((HOST, 0), handler)

    @property
    def url(self) -> str:
        """Address of the folder's page."""
        return f"http://{HOST}:{self.server_address[1]}/"


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # a system's own tables may lack these, and a browser insists on them
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
    }

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        """Refuse to list a folder's files."""
        self.send_error(404, "File not found")

    def log_message(self, format: str, *args: Any) -> None:
        """Leave the terminal to its user."""

"""Servers that run while a test does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and writes nothing to the screen."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}

    def log_message(self, *args: object) -> None:
        pass


def served(folder: Path) -> AbstractContextManager[str]:
    """Serve a folder to this machine as any static host would; the URL."""
    return running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))))


@contextmanager
def running(server: ThreadingHTTPServer) -> Iterator[str]:
    """Let a server answer until the end; the URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()

"""Serves a folder of static files to this machine alone."""

from __future__ import annotations

import contextlib
import functools
import http.server
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Static files; the browser asks each time whether they have changed."""

    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".wasm": "application/wasm",
        ".tflite": "application/octet-stream",
    }
    protocol_version = "HTTP/1.1"  # one connection for many files

    def end_headers(self) -> None:
        """Add the headers of every answer."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file; a browser that leaves meanwhile is no error."""
        with contextlib.suppress(ConnectionError):
            super().copyfile(source, outputfile)

    def list_directory(self, path: str | bytes) -> None:
        """Folders have no listing."""
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        """Requests are not printed."""


def create(folder: Path, port: int = 0) -> http.server.ThreadingHTTPServer:
    """A server of a folder on the loopback address; `serve_forever` runs it.

    Args:
        folder: What it serves.
        port: Where it listens; 0 takes any that is free.

    Raises:
        ValueError: The port is in use.
    """
    handler = functools.partial(Handler, directory=str(folder))
    try:
        return http.server.ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError as error:
        raise ValueError(f"port must be free, got {port}: {error.strerror}") from error


def address(server: http.server.ThreadingHTTPServer) -> str:
    """Where a browser finds the page."""
    return f"http://{LOOPBACK}:{server.server_port}/"

"""A web server on loopback that serves a folder, with faults: for drills of updates.

It answers requests for the rest of a file (HTTP Range), and can cut connections, fall
silent, be slow, change bytes, send too many, and lie about how many come.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 4096


@dataclasses.dataclass
class Faults:
    """What goes wrong.

    Attributes:
        only: Part of the paths that are concerned.
        cut_at: Position in the file at which the connection ends.
        silent_at: Position at which nothing more comes, though the connection stays.
        flip_at: Position of a byte that is changed.
        extra: How many bytes follow the file's.
        length: What is said as Content-Length; "" for nothing.
        redirect: Where the file is said to be.
        status: An error's number, with which the server answers.
        pause: Seconds between blocks of 4 kB, or of `block` bytes.
        block: Bytes that are sent at once.
        ranges: Whether the server knows ranges.
    """

    only: str = ""
    cut_at: int | None = None
    silent_at: int | None = None
    flip_at: int | None = None
    extra: int = 0
    length: str | None = None
    redirect: str | None = None
    status: int | None = None
    pause: float = 0.0
    block: int = _BLOCK
    ranges: bool = True


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder.

    Args:
        folder: What is served; it may be changed to another at any time.

    Attributes:
        faults: What goes wrong; nothing at first.
        requests: Path and first byte of each request.
        sent: Bytes of files that were sent.
    """

    daemon_threads = True

    def __init__(self, folder: Path):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder, self.faults = folder, Faults()
        self.requests: list[tuple[str, int]] = []
        self.sent = 0
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        """Address of the folder."""
        return f"http://127.0.0.1:{self.server_port}"

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        """Serve in a thread."""
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        faults = self.server.faults
        path = self.server.folder / self.path.lstrip("/")
        if faults.only not in self.path:
            faults = Faults()
        if faults.status is not None or not path.is_file():
            self.send_error(faults.status or 404)
            return
        content = bytearray(path.read_bytes())
        if faults.flip_at is not None:
            content[faults.flip_at % len(content)] ^= 1
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and faults.ranges else 0
        self.server.requests.append((self.path, start))
        if start >= max(1, len(content)):
            self.send_error(416)  # of this range, the file has nothing
            return
        if faults.redirect is not None:
            self.send_response(302)
            self.send_header("Location", faults.redirect)
        elif start:
            self.send_response(206)
            total = len(content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        else:
            self.send_response(200)
        length = faults.length
        if length is None:
            length = str(len(content) + faults.extra - start)
        if length:
            self.send_header("Content-Length", length)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self._send(bytes(content), start, faults)

    def _send(self, content: bytes, start: int, faults: Faults) -> None:
        stops = [p for p in (faults.cut_at, faults.silent_at) if p is not None]
        stop = min([len(content) + faults.extra, *stops])
        while start < stop:
            end = min(start + faults.block, stop)
            block = content[start:end]
            self.wfile.write(block + bytes(end - start - len(block)))
            self.server.sent += end - start
            start = end
            if faults.pause and self.server.closing.wait(faults.pause):
                return
        if faults.silent_at is not None and stop == faults.silent_at:
            self.server.closing.wait(60)

    def log_message(self, *_: object) -> None:
        pass

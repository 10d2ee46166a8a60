"""Downloads from a server on loopback, which fails in many ways."""

import hashlib
import http.server
import threading

import pytest

from mobilenet_tf.models import download


class Server(http.server.BaseHTTPRequestHandler):
    """/file whole, /cut short of its length, /slow silent, all else missing.

    /chunks ends before its last chunk, /unknown says nothing of its length.
    """

    body = b"weights" * 100_000
    requests = 0

    def do_GET(self):
        Server.requests += 1
        if self.path not in ("/file", "/cut", "/slow", "/chunks", "/unknown"):
            self.send_error(404)
            return
        self.protocol_version = "HTTP/1.1"
        self.close_connection = True
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"100\r\n" + self.body[:100])
            return
        if self.path == "/unknown":
            self.end_headers()
            self.wfile.write(self.body)
            return
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.path == "/slow":
            self.wfile.write(self.body[:1000])
            self.server.closing.wait(10)
        else:
            length = len(self.body) // (2 if self.path == "/cut" else 1)
            self.wfile.write(self.body[:length])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    found.closing = threading.Event()
    thread = threading.Thread(target=found.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}"
    found.closing.set()
    found.shutdown()
    thread.join()
    found.server_close()


def test_download_once_and_record_the_hash(server, tmp_path):
    path = tmp_path / "new" / "file"
    before = Server.requests
    assert download.cached(f"{server}/file", path) == path
    assert path.read_bytes() == Server.body
    sha256 = hashlib.sha256(Server.body).hexdigest()
    assert (tmp_path / "new" / "file.sha256").read_text().strip() == sha256
    download.cached(f"{server}/file", path, sha256)
    assert Server.requests == before + 1
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match="has been changed"):
        download.cached(f"{server}/file", path)


@pytest.mark.parametrize(
    ("name", "sha256", "message"),
    [
        ("cut", None, "truncated after 350,000 of 700,000 bytes"),
        ("slow", None, "cannot be downloaded: .*timed out"),
        ("missing", None, "cannot be downloaded: HTTP Error 404"),
        ("chunks", None, "cannot be downloaded: .*IncompleteRead"),
        ("unknown", None, "is sent without its length"),
        ("file", "0" * 64, "expected 0000"),
    ],
)
def test_nothing_half_written_stays(server, tmp_path, name, sha256, message):
    with pytest.raises(ValueError, match=message):
        download.cached(f"{server}/{name}", tmp_path / name, sha256, 0.5)
    assert not list(tmp_path.iterdir())


def test_no_server(tmp_path):
    with pytest.raises(ValueError, match="cannot be downloaded"):
        download.cached("http://127.0.0.1:9/file", tmp_path / "file")

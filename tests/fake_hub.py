"""The part of the Hugging Face Hub's protocol that uploads and downloads files."""

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


class FakeHub:
    """Repositories in memory, served on loopback.

    Attributes:
        repositories: `{USER/NAME: [(commit, {path: content}), ...]}`.
        url: Of the server.
    """

    def __init__(self):
        self.repositories = {}
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        serve = self.server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def commit(self, repo_id, files):
        """Add a commit with these files changed; returns its name."""
        history = self.repositories.setdefault(repo_id, [])
        before = history[-1][1] if history else {}
        name = hashlib.sha1(f"{repo_id} {len(history)}".encode()).hexdigest()
        history.append((name, before | files))
        return name

    def find(self, repo_id, revision):
        """Commit and files of a revision; None where there is none."""
        history = self.repositories[repo_id]
        if revision == "main":
            return history[-1]
        return next((commit for commit in history if commit[0] == revision), None)


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, status, content=b"", **headers):
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def answer_json(self, value):
            self.answer(
                200, json.dumps(value).encode(), Content_Type="application/json"
            )

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            _, _, kind, *rest = self.path.partition("?")[0].split("/")
            if kind == "validate-yaml":
                return self.answer_json({})
            if kind == "repos":
                wanted = json.loads(body)
                repo_id = f"{wanted['organization']}/{wanted['name']}"
                hub.repositories.setdefault(repo_id, [])
                return self.answer_json({"url": f"{hub.url}/{repo_id}"})
            repo_id, action = "/".join(rest[:2]), rest[2]
            if action == "preupload":
                files = [
                    {
                        "path": file["path"],
                        "uploadMode": "regular",
                        "shouldIgnore": False,
                    }
                    for file in json.loads(body)["files"]
                ]
                return self.answer_json({"files": files})
            operations = map(json.loads, body.splitlines())
            name = hub.commit(
                repo_id,
                {
                    operation["value"]["path"]: base64.b64decode(
                        operation["value"]["content"]
                    )
                    for operation in operations
                    if operation["key"] == "file"
                },
            )
            url = f"{hub.url}/{repo_id}/commit/{name}"
            return self.answer_json({"commitUrl": url, "commitOid": name})

        def do_GET(self):
            parts = [unquote(part) for part in self.path.partition("?")[0].split("/")]
            if len(parts) < 6 or parts[3] != "resolve":
                return self.answer(404)
            repo_id, revision, path = "/".join(parts[1:3]), parts[4], parts[5]
            if repo_id not in hub.repositories:
                return self.answer(404, X_Error_Code="RepoNotFound")
            found = hub.find(repo_id, revision)
            if found is None:
                return self.answer(404, X_Error_Code="RevisionNotFound")
            commit, files = found
            if path not in files:
                return self.answer(
                    404, X_Error_Code="EntryNotFound", X_Repo_Commit=commit
                )
            etag = f'"{hashlib.sha1(files[path]).hexdigest()}"'
            return self.answer(200, files[path], ETag=etag, X_Repo_Commit=commit)

        def do_HEAD(self):
            self.do_GET()

    return Handler

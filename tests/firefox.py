"""A stock Firefox without a window, driven by WebDriver BiDi, the standard of W3C.

Playwright 1.65 drives only its own build of Firefox, or a Firefox newer than Debian's.
"""

import contextlib
import json
import re
import shutil
import subprocess
import threading
import time

import pytest

SECONDS = 120  # until the browser answers, on a busy machine


class Firefox:
    """One tab of a browser; its errors and the addresses it asked for are kept."""

    def __init__(self, connection):
        self._connection = connection
        self._commands = 0
        self.problems = []
        self.requests = []
        self.version = self.send("session.new", capabilities={})["capabilities"][
            "browserVersion"
        ]
        self.send(
            "session.subscribe",
            events=["log.entryAdded", "network.beforeRequestSent"],
        )
        (tab,) = self.send("browsingContext.getTree")["contexts"]
        self._tab = tab["context"]

    def send(self, method, **parameters):
        """Send a command, and return its result; events that come first are kept."""
        self._commands += 1
        command = {"id": self._commands, "method": method, "params": parameters}
        self._connection.send(json.dumps(command))
        while True:
            message = json.loads(self._connection.recv(timeout=SECONDS))
            if message["type"] == "event":
                self._keep(message)
            elif message["id"] == self._commands:
                if message["type"] == "error":
                    raise RuntimeError(f"{method}: {message['message']}")
                return message["result"]

    def _keep(self, event):
        parameters = event["params"]
        if event["method"] == "network.beforeRequestSent":
            self.requests.append(parameters["request"]["url"])
        elif parameters["level"] == "error":
            self.problems.append(parameters["text"])

    def goto(self, url):
        """Load a page."""
        self.send(
            "browsingContext.navigate", context=self._tab, url=url, wait="complete"
        )

    def evaluate(self, expression):
        """The value of a JavaScript expression, awaited: text, number or boolean."""
        result = self.send(
            "script.evaluate",
            expression=expression,
            target={"context": self._tab},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def wait_for(self, expression):
        """Wait until a JavaScript expression is true; returns its value."""
        end = time.monotonic() + SECONDS
        while not (value := self.evaluate(expression)):
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.1)
        return value

    def press(self, key):
        """Press and release a key."""
        actions = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.send("input.performActions", context=self._tab, actions=[source])

    def choose_file(self, selector, path):
        """Choose a file in an input for files."""
        (element,) = self.send(
            "browsingContext.locateNodes",
            context=self._tab,
            locator={"type": "css", "value": selector},
        )["nodes"]
        self.send(
            "input.setFiles",
            context=self._tab,
            element={"sharedId": element["sharedId"]},
            files=[str(path)],
        )


@contextlib.contextmanager
def running(profile):
    """A Firefox with a new profile, which is a folder; skips where there is none."""
    path = shutil.which("firefox") or shutil.which("firefox-esr")
    if path is None:
        pytest.skip("needs a Firefox: apt-get install firefox-esr")
    client = pytest.importorskip("websockets.sync.client", reason="needs websockets")
    (profile / "user.js").write_text(
        'user_pref("app.update.enabled", false);\n'
        'user_pref("browser.shell.checkDefaultBrowser", false);\n'
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
    )
    process = subprocess.Popen(
        [path, "--headless", "--remote-debugging-port=0", "--profile", str(profile)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        connection = client.connect(_address(process), max_size=None)
        with connection:
            yield Firefox(connection)
    finally:
        process.terminate()
        process.wait()


def _address(process):
    """Where the browser listens, as it prints; what it prints later is discarded."""
    for line in process.stderr:
        if match := re.search(r"BiDi listening on (ws://\S+)", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return f"{match[1]}/session"
    raise RuntimeError("Firefox ended before it listened")

"""A headless Chromium, driven over the pipe of its DevTools protocol. Only the standard library is needed."""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

# Many times what anything here takes on a busy machine.
TIMEOUT_SECONDS = 120

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
]


class Browser:
    """A browser with one page. Ends with the `with` block, and with this process: it stops when its pipe is closed."""

    def __init__(self, program):
        self.events = []
        self._unread = b""
        self._calls = 0
        self._session = None
        self._folder = tempfile.mkdtemp(prefix="berth-browser-")
        self._start(program)

    def _start(self, program):
        inward, self._to = os.pipe()
        self._from, outward = os.pipe()
        # The protocol is spoken on the descriptors 3 and 4.
        command = f'exec "$@" 3<&{inward} 4>&{outward}'
        arguments = [program, *FLAGS, f"--user-data-dir={self._folder}", "about:blank"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(inward, outward),
            start_new_session=True,
        )
        os.close(inward)
        os.close(outward)

    def __enter__(self):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        os.close(self._to)
        os.close(self._from)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def call(self, method, **parameters):
        """Calls a method, and returns its result; what the page tells meanwhile is kept in `events`."""
        self._calls += 1
        message = {"id": self._calls, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(method)
            if answer.get("id") == self._calls:
                break
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def evaluate(self, expression):
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, event):
        """Waits until the page has told an event of that name since the last one that was waited for."""
        while not any(told["method"] == event for told in self.events):
            self._next(event)

    def _next(self, waited_for):
        """The next message. Events are kept; a dialog is closed, since it would stop the page."""
        message = json.loads(self._read(waited_for))
        if "method" in message:
            self.events.append(message)
            if message["method"] == "Page.javascriptDialogOpening":
                close = {"method": "Page.handleJavaScriptDialog", "params": {"accept": False}}
                close |= {"id": 0, "sessionId": self._session}
                os.write(self._to, json.dumps(close).encode() + b"\0")
        return message

    def _read(self, waited_for):
        end = time.monotonic() + TIMEOUT_SECONDS
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._from], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise TimeoutError(f"the browser does not answer: {waited_for}")
            some = os.read(self._from, 1 << 20)
            if not some:
                raise RuntimeError(f"the browser ended: {waited_for}")
            self._unread += some
        message, _, self._unread = self._unread.partition(b"\0")
        return message

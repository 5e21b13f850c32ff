"""A running ec2-sim: started on a port of its own, spoken to through its control API, and ended by its process id."""

import json
import os
import re
import selectors
import signal
import subprocess
import time
import urllib.error
import urllib.request

import world

BINARY = "BERTH_EC2_SIM"

# Starting takes well under a second; a machine may be busy.
PATIENCE_SECONDS = 60


class Server:
    ACCOUNT = world.ACCOUNT

    def __init__(self, folder, described):
        binary = os.environ.get(BINARY)
        if not binary:
            raise RuntimeError(f"{BINARY} must name the program: cargo build --bin ec2-sim makes target/debug/ec2-sim")
        file = folder / "world.yaml"
        file.write_text(json.dumps(described, indent=1))
        self.errors = (folder / "stderr").open("w+")
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--world", file],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, text=True,
        )
        try:
            self.url = self.listening()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def listening(self):
        """Where it listens, from its first line that says so."""
        waiting = selectors.DefaultSelector()
        waiting.register(self.process.stdout, selectors.EVENT_READ)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline and waiting.select(deadline - time.monotonic()):
            line = self.process.stdout.readline()
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                return found[0]
            if not line:
                break
        raise RuntimeError(f"ec2-sim does not listen: {self.said()}")

    def said(self):
        self.errors.seek(0)
        return self.errors.read()

    def stop(self):
        """Ends it as ctrl-c does. Returns its exit status and what it wrote on stderr."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        said = self.said()
        self.errors.close()
        return self.process.returncode, said

    def control(self, method, path, value=None):
        """Asks the control API. Returns what it answers, which is JSON if anything."""
        body = None if value is None else json.dumps(value).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sim/{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from None
        return json.loads(text) if text else None

    def metadata(self, instance):
        """The metadata service of an instance."""
        return f"{self.url}/_imds/{instance}"

    def calls(self):
        """How many calls there were."""
        return sum(counts["calls"] for counts in self.control("GET", "counters").values())

    def throttles(self, action):
        """How many calls of an action found an empty bucket."""
        return self.control("GET", "counters").get(action, {"throttled": 0})["throttled"]

    def fault(self, effect, times=1, **which):
        """Something goes wrong, once, at the next call that matches."""
        self.control("POST", "faults", {"effect": effect, "times": times, **which})

    def principal(self, access_key, allowed=None):
        """Says what an access key may do."""
        may = {} if allowed is None else {"allowed": allowed}
        self.control("POST", "principals", {"access_key": access_key, "account": self.ACCOUNT, **may})

    def change_instance(self, instance, change):
        """Starts, stops or terminates an instance."""
        self.control("POST", f"instances/{instance}/{change}")

    def crowd(self, ids):
        """1,200 interfaces of 120 instances, and ten security groups."""
        launch = {
            "instance_type": "c5.18xlarge", "subnet": ids["wide-a"], "count": 120, "interfaces": [{}] * 9,
            "tags": {"crowd": "yes"},
        }
        assert len(self.control("POST", "instances", launch)["ids"]) == 1200
        for number in range(10):
            self.control("POST", "security-groups", {"vpc": ids["main"], "name": f"crowd-{number}"})

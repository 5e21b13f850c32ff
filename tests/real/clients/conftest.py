"""What every test gets: a server of its own, clients, and checks that hold for each of them."""

import logging
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import boto3
import botocore.config
import botocore.exceptions
import pytest
import sent
import sim
import strict
import world

# botocore reads the service model once a session, which takes longer than most tests.
SESSION = boto3.session.Session(region_name=world.REGION)

COVERAGE = sent.Coverage()


def pytest_configure():
    """Who ends the suite from outside ends its servers, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def pytest_sessionfinish(session):
    """A suite that ran as a whole has sent everything."""
    whole = session.config.args == session.config.getini("testpaths") and not session.config.option.keyword
    missing = COVERAGE.missing() if whole and not session.testsfailed else []
    if missing:
        print("\nnever sent with success: " + ", ".join(missing), file=sys.stderr)
        session.exitstatus = 1


def offline():
    """What a client needs so that it asks nobody but whom it is given."""
    return {"region_name": world.REGION, "aws_access_key_id": "AKIATEST", "aws_secret_access_key": "secret"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    """No settings, credentials or proxies of whoever runs the suite."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def ids():
    """Identifiers by their names in the world."""
    return world.names()


@pytest.fixture
def server(request, tmp_path, ids):
    """A server of its own. The truth holds after the test, and ctrl-c ends it cleanly and in silence."""
    mark = request.node.get_closest_marker("world")
    running = sim.Server(tmp_path, world.world(ids, **(mark.kwargs if mark else {})))
    try:
        yield running
        assert running.control("GET", "audit") == []
    finally:
        ended = running.stop()
    assert ended == (0, "")


@pytest.fixture
def client(server, caplog):
    """Makes clients. Whatever they are answered must fit the service model to the letter, and be read without a warning."""
    found = []

    def check(operation_model, response_dict, **_):
        if response_dict["status_code"] == 200:
            found.extend(strict.findings(operation_model, response_dict["body"]))

    def make(access_key="AKIATEST", checked=True, **config):
        config = {"retries": {"total_max_attempts": 1, "mode": "standard"}, "read_timeout": 30} | config
        made = SESSION.client(
            "ec2", endpoint_url=server.url, aws_access_key_id=access_key, aws_secret_access_key="secret",
            config=botocore.config.Config(**config),
        )
        COVERAGE.watch(made)
        if checked:
            made.meta.events.register("before-parse.ec2", check)
        return made

    yield make
    assert found == []
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings == []


@pytest.fixture
def ec2(client):
    """A client that asks once and takes what it gets."""
    return client()


@pytest.fixture
def unchecked(client):
    """A client that sends what breaks the service model, too, so that the service has to refuse it."""
    return client(parameter_validation=False)


@pytest.fixture
def state(server):
    """What there is, as the control API tells it."""
    return lambda: server.control("GET", "world")


@pytest.fixture
def error_of(server):
    """Sends a form as no client would, and expects that refusal, in the form that EC2 gives it."""

    def send(form, code, status, text, headers=None):
        scope = f"AKIATEST/20260101/{world.REGION}/ec2/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"}
        headers = signed if headers is None else headers
        request = urllib.request.Request(server.url, urllib.parse.urlencode(form).encode(), headers)
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(request, timeout=30)
        with raised.value as answer:
            root = ElementTree.fromstring(answer.read())
        assert [child.tag for child in root] == ["Errors", "RequestID"]
        (error,) = root.find("Errors")
        assert [child.tag for child in error] == ["Code", "Message"]
        assert (error.findtext("Code"), answer.status) == (code, status), error.findtext("Message")
        assert re.search(text, error.findtext("Message"))

    return send


@pytest.fixture
def refused():
    """Calls, and expects a refusal: its code and a part of its message, both as regular expressions."""

    def call_refused(code, text, call, *arguments, **parameters):
        with pytest.raises(botocore.exceptions.ClientError) as raised:
            call(*arguments, **parameters)
        error = raised.value.response["Error"]
        assert code is None or re.fullmatch(code, error["Code"]), error
        assert re.search(text, error["Message"]), error
        return raised.value

    return call_refused


@pytest.fixture
def until():
    """Asks again and again until something is so."""

    def wait(holds):
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, "it never was"
            time.sleep(0.05)

    return wait


@pytest.fixture
def aws(server, tmp_path):
    """Runs `aws ec2 ...`. Returns what it prints: on stdout when it succeeds, on stderr when it is to fail."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL_EC2": server.url,
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": world.REGION,
        "AWS_DEFAULT_REGION": world.REGION,
        "AWS_PAGER": "",
    }
    program = Path(sys.executable).with_name("aws")

    def run(*arguments, status=0):
        done = subprocess.run(
            [sys.executable, program, "ec2", *arguments],
            env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL,
        )
        assert done.returncode == status, done
        return done.stderr if status else done.stdout

    return run

"""mode=play, from the address that it prints to Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from omegaconf import OmegaConf

from symbotunes.errors import UserError
from symbotunes.modes.play import play
from tests import composing, warm
from tests.conftest import ROOT

SECONDS = 60


@pytest.fixture
def started(tmp_path):
    """A running studio, and the address that it printed."""
    environment = {
        **os.environ, "SYMBOTUNES_OUTPUTS": str(tmp_path), "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        [warm.python(), "main.py", "mode=play"], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    killer = threading.Timer(SECONDS, process.kill)
    killer.start()
    lines = iter(process.stdout.readline, "")
    address = next(match[0] for line in lines if (match := re.search(r"http://\S+", line)))
    yield process, address
    killer.cancel()
    process.kill()
    process.wait()


def ask(address, path, body=None):
    base, token = address.split("/?token=")
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{base}/api/{path}", data, {"X-Token": token})  # noqa: S310
    return urlopen(request, timeout=SECONDS)  # noqa: S310


@pytest.mark.slow("starts the program, which loads a model")
def test_the_studio_answers_at_its_address_until_ctrl_c_and_keeps_what_was_written(
    started, tmp_path
):
    process, address = started
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", address)
    with pytest.raises(HTTPError, match="403"):
        urlopen(address.partition("?")[0], timeout=SECONDS)
    models = json.load(ask(address, "models"))
    assert models[0]["id"] == "pretrained/folk_rnn"
    body = {"model": models[0]["id"], "plan": "sample", "seed": 1, "num": 32, "options": {}}
    task = json.load(ask(address, "tasks", body))["task"]
    events = ask(address, f"tasks/{task}/events")
    for line in events:
        if line.startswith(b"event: piece"):
            break
    process.send_signal(signal.SIGINT)
    rest = events.read()
    _, error = process.communicate(timeout=SECONDS)
    assert b"event: cancelled" in rest
    assert process.returncode == 130
    assert error.strip() == "Interrupted"
    (session,) = (tmp_path / "play").iterdir()
    pieces = {path.stem for path in (session / "pieces").glob("*.mid")}
    written = 1 + rest.count(b"event: piece")
    assert {str(number) for number in range(1, written + 1)} <= pieces
    assert not list(session.rglob("*.tmp"))


def test_without_its_packages_a_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "symbotunes.studio.serving", raising=False)
    cfg = composing.composed("mode=play", "paths.run_dir=nowhere", f"paths.root={tmp_path}")
    with pytest.raises(UserError, match=r"needs the package uvicorn: run .* 'symbotunes\[play\]'"):
        play(cfg)


def test_a_missing_session_is_told(tmp_path):
    cfg = composing.composed("mode=play", "paths.run_dir=nowhere", f"paths.root={tmp_path}")
    OmegaConf.update(cfg, "play.session", str(tmp_path / "nothing"))
    with pytest.raises(UserError, match="there is no such folder"):
        play(cfg)

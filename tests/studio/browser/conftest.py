"""The studio's page in a real browser, with a trained Folk-RNN and untrained small models.

The tests need Debian's Chromium and the packages playwright and axe-playwright-python. Without
them they fail in continuous integration, and are skipped elsewhere.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from symbotunes.checkpoints.checkpoint import pack
from symbotunes.config.assembly import build_chain
from symbotunes.config.build import build
from tests import warm
from tests.composing import composed
from tests.conftest import ROOT
from tests.studio.browser.person import Person

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 60  # seconds, for the studio to start on a busy machine
UNTRAINED = {
    "fill": ["transforms=[abc_tokens_137,infill]", "model.net.width=16"],
    "vae": [
        "model=music_vae", "model.net.latent=8", "model.net.encoder.widths=[16]",
        "model.net.decoder.widths=[16]",
    ],
    "gone": ["transforms=[abc_tokens_137]", "model.net.width=8"],  # a test deletes it
}  # fmt: skip


def missing():
    """What a browser test needs and this machine lacks."""
    packages = {"playwright": "playwright", "axe_playwright_python": "axe-playwright-python"}
    absent = [name for module, name in packages.items() if not importlib.util.find_spec(module)]
    return [*absent, *([] if shutil.which("chromium") else ["chromium"])]


@pytest.fixture(scope="package")
def browser():
    """Chromium, for all tests."""
    absent = ", ".join(missing())
    if absent and "CI" not in os.environ:
        pytest.skip(f"the studio's page is tried in a browser, which needs {absent}")
    assert not absent, "apt-get install chromium; pip install -e '.[test]'"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        yield chromium
        chromium.close()


def write_untrained(path: Path, *overrides: str) -> Path:
    """A checkpoint of a small network that has learned nothing."""
    cfg = composed("name=untrained", "paths.run_dir=nowhere", *overrides)
    chain = build_chain(cfg)
    torch.manual_seed(1)
    net = build(cfg.model.net, vocabulary=chain.tokenizer.model_vocabulary)
    content = {
        "state_dict": {f"net.{key}": tensor for key, tensor in net.state_dict().items()},
        "global_step": 1,
        "real_tokens": 1,
        "recipe": pack(cfg, chain.state(), data=""),
    }
    path.parent.mkdir(parents=True)
    torch.save(content, path)
    return path


@pytest.fixture(scope="package")
def models(tmp_path_factory):
    """Paths of the untrained models by their names."""
    folder = tmp_path_factory.mktemp("models")
    return {
        name: write_untrained(folder / name / "checkpoints" / "best.ckpt", *overrides)
        for name, overrides in UNTRAINED.items()
    }


def address_of(process: subprocess.Popen[bytes], log: Path) -> str:
    """What the studio prints once it listens."""
    end = time.monotonic() + PATIENCE
    while not (match := re.search(r"^Open +(\S+)$", log.read_text(), re.MULTILINE)):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)
    return match[1]


@contextlib.contextmanager
def running(folder: Path, *arguments: str):
    """A studio that runs: its address, its outputs and its process; Ctrl-C must end it in order."""
    environment = {
        **os.environ,
        "SYMBOTUNES_OUTPUTS": str(folder),
        "SYMBOTUNES_DATA": str(folder / "data"),
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    log = folder / "studio.log"
    folder.mkdir(parents=True, exist_ok=True)
    with log.open("w") as writing:
        process = subprocess.Popen(
            [warm.python(), "main.py", "mode=play", *arguments],
            cwd=ROOT, env=environment, stdout=writing, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        address = address_of(process, log)
        yield SimpleNamespace(address=address, outputs=folder, process=process, log=log)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) in (0, 130), log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="package")
def studio(browser, models, tmp_path_factory):
    """A studio with all models, for all tests; its session grows from one to the next."""
    paths = ",".join(map(str, models.values()))
    with running(tmp_path_factory.mktemp("studio") / "outputs", f"play.models=[{paths}]") as studio:
        yield studio


@pytest.fixture
def open_page(browser, studio):
    """Open the studio in a window of its own; nothing may fail in its console."""
    contexts, complaints = [], []

    def open_it(address: str = studio.address, **options) -> Person:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE * 1000)
        page.on(
            "console", lambda message: message.type == "error" and complaints.append(message.text)
        )
        page.on("pageerror", lambda error: complaints.append(error))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.goto(address)
        return Person(page)

    yield open_it
    for context in contexts:
        context.close()
    # What the server refuses, the page says to the user.
    refused = "Failed to load resource"
    unexpected = map(str, complaints)
    assert [line for line in unexpected if not line.startswith(refused)] == []


@pytest.fixture
def person(open_page):
    """Somebody at the page."""
    person = open_page()
    person.wait_until_ready()
    return person

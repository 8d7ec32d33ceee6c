"""Checkpoints of networks too small to be worth training."""

import io
import os
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import pack
from symbotunes.config.assembly import build_chain
from symbotunes.config.build import build
from tests import composing

PAYLOAD = b"import os\n"  # what Python would run, were it in a start-up path
CONF = Path(__file__).parents[2] / "conf"
FIXED = ["name=tiny", "paths.run_dir=nowhere"]  # what a command line would let Hydra say
TINY_GPT2 = ["model=gpt2", "model.net.width=8", "model.net.depth=1", "model.net.heads=2"]


def composed(*overrides):
    return composing.composed("transforms=[abc_tokens_137]", *FIXED, *overrides)


def write_checkpoint(path, *overrides):
    """Write a checkpoint of an untrained network with the 137 published tokens; gives its path."""
    folders = [os.environ.get(name) for name in ("SYMBOTUNES_OUTPUTS", "SYMBOTUNES_DATA")]
    path.write_bytes(untrained(overrides, *folders))
    return path


@cache
def untrained(overrides, *_folders):
    """The bytes of such a checkpoint, which names the folders of its run."""
    cfg = composed(*(overrides or ["model.net.width=8"]))
    chain = build_chain(cfg)
    torch.manual_seed(1)
    net = build(cfg.model.net, vocabulary=chain.tokenizer.model_vocabulary)
    content = {
        "state_dict": {f"net.{key}": tensor for key, tensor in net.state_dict().items()},
        "global_step": 120,
        "real_tokens": 34567,
        # What a training saves besides; without it, a checkpoint cannot be resumed.
        "rng": [{"torch": torch.get_rng_state()}],
        "optimizer_states": [],
        "loops": {},
        "callbacks": {"BestAndLast": {"best_model_score": 1.875, "best_step": 100}},
        "recipe": pack(cfg, chain.state(), data="f1n6e2"),
    }
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.fixture
def save(tmp_path):
    """Write a checkpoint of an untrained network with the 137 published tokens."""

    def write(*overrides, name="best.ckpt"):
        return write_checkpoint(tmp_path / name, *overrides)

    return write


@pytest.fixture
def plan():
    """An export's plan with changes."""

    def make(**changes):
        node = OmegaConf.load(CONF / "export" / "default.yaml")
        return build(OmegaConf.merge(node, {"samples": 0, **changes}))

    return make


@pytest.fixture
def server():
    """An address that serves one file for any path, and the list of what was asked of it."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(PAYLOAD)))
            self.end_headers()
            self.wfile.write(PAYLOAD)

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}/startup.pth", asked
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def site(tmp_path):
    """A folder whose files Python would run at its next start."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    return folder

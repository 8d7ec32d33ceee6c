"""A studio with untrained models of every kind, and a page that asks it."""

import json

import pytest
from starlette.testclient import TestClient

from symbotunes.studio.app import Studio, build_app
from symbotunes.studio.forms import Renderings
from symbotunes.studio.menu import Menu
from symbotunes.studio.security import Door
from symbotunes.studio.session import Session
from symbotunes.studio.tasks import Tasks
from symbotunes.studio.warm import WarmModels
from symbotunes.studio.writing import Writing
from tests.checkpoints.conftest import TINY_GPT2, write_checkpoint

TOKEN = "a-token"
HOST = "127.0.0.1:8123"
MODELS = {
    "tunes": ["model.net.width=8"],
    "fills": [*TINY_GPT2, "transforms=[abc_tokens_137,infill]"],
    "windows": [
        "model=music_vae", "transforms=[melody]", "model.net.latent=8",
        "model.net.encoder.widths=[16]", "model.net.decoder.widths=[16]",
    ],
    "events": [
        "model=amt_mini", "transforms=[arrival_times,anticipate]", "model.net.width=8",
        "model.net.depth=1", "model.net.heads=1",
    ],
}  # fmt: skip
KESH = "X:1\nT:Kesh\nM:6/8\nL:1/8\nK:Gmaj\n|: G3 GAB | A3 ABd | edd gdd | edB dBA :|\n"


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Untrained models by what they write."""
    folder = tmp_path_factory.mktemp("models")
    return {
        name: str(write_checkpoint(folder / f"{name}.ckpt", *overrides))
        for name, overrides in MODELS.items()
    }


@pytest.fixture(scope="session")
def menu(checkpoints, tmp_path_factory):
    """These models and those included, and no runs."""
    menu = Menu(tmp_path_factory.mktemp("runs"), list(checkpoints.values()))
    menu.entries()
    return menu


@pytest.fixture(scope="session")
def models():
    """All stay warm."""
    return WarmModels(most=len(MODELS) + 2)


@pytest.fixture
def studio(menu, models, tmp_path):
    """The parts of a studio, with a session of its own."""
    session, renderings, tasks = Session.create(tmp_path / "session"), Renderings(), Tasks()

    def no_data(model):
        raise AssertionError("the training data are not asked for")

    writing = Writing(menu, models, session, renderings, no_data)
    yield Studio(menu, models, session, renderings, tasks, writing)
    tasks.close()


class Page:
    """What a page asks, with its token.

    Args:
        client: of Starlette.
    """

    def __init__(self, client):
        self.client = client

    def get(self, path, status=200):
        response = self.client.get(f"/api/{path}")
        assert response.status_code == status, response.text
        return response

    def post(self, path, body, status=200):
        response = self.client.post(f"/api/{path}", json=body)
        assert response.status_code == status, response.text
        return response.json()

    def follow(self, task):
        """The names and data of all events of a task."""
        text = self.get(f"tasks/{task}/events").text
        parts = [part.split("\ndata: ") for part in text.strip().split("\n\n")]
        return [(name.removeprefix("event: "), json.loads(data)) for name, data in parts]

    def write(self, model, plan, **task):
        """The pieces that a model writes, and the events."""
        body = {"model": model, "plan": plan, "seed": 3, "options": {}, **task}
        events = self.follow(self.post("tasks", body)["task"])
        return [data["piece"] for name, data in events if name == "piece"], events

    def type(self, abc=KESH):
        return self.post("pieces", {"abc": abc})


@pytest.fixture
def client(studio):
    """Asks like the browser of the page."""
    app = build_app(studio, Door(TOKEN, ("127.0.0.1", "localhost")))
    headers = {"X-Token": TOKEN, "Host": HOST}
    return TestClient(app, headers=headers, raise_server_exceptions=False)


@pytest.fixture
def page(client):
    return Page(client)

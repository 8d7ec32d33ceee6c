"""Nobody but the studio's own page is answered."""

import pytest
from starlette.testclient import TestClient

from symbotunes.studio.app import build_app
from symbotunes.studio.security import Door, Guard
from tests.studio.conftest import HOST, TOKEN

PATHS = ("/", "/api/models", "/api/session", "/api/session.zip", "/api/pieces/1/files/wav")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_of_the_user_is_told_without_the_token(client, path):
    for headers in ({"X-Token": ""}, {"X-Token": "another"}, {"X-Token": "a-tokeñ".encode()}):
        response = client.get(path, headers=headers)
        assert response.status_code == 403
        assert "token is missing or wrong" in response.text


def test_the_token_may_stand_in_the_address(client):
    assert client.get(f"/?token={TOKEN}", headers={"X-Token": ""}).status_code == 200
    assert client.get("/?token=another", headers={"X-Token": ""}).status_code == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8123", "127.0.0.1.evil.example", ""]
)
def test_a_name_that_was_pointed_at_this_machine_is_refused(client, host):
    for path in (*PATHS, "/page/main.js"):
        response = client.get(path, headers={"Host": host})
        assert response.status_code == 403
        assert "not called by this name" in response.text


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:9", "LOCALHOST"])
def test_its_own_names_are_known(client, host):
    assert client.get("/api/session", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:8124"},
        {"Origin": f"https://{HOST}"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_pages_are_refused_even_with_the_token(client, headers):
    response = client.post("/api/pieces", json={"abc": "X:1"}, headers=headers)
    assert response.status_code == 403
    assert "Another page asks" in response.json()["error"]


def test_its_own_page_is_answered(client):
    headers = {"Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
    assert client.get("/api/session", headers=headers).status_code == 200


def test_numbers_of_interfaces_are_names_only_where_others_may_ask(studio):
    headers = {"X-Token": TOKEN, "Host": "192.168.1.7:8000"}
    for remote, status in ((False, 403), (True, 200)):
        app = build_app(studio, Door(TOKEN, ("localhost",), remote))
        assert TestClient(app).get("/api/session", headers=headers).status_code == status
        foreign = TestClient(app).get("/api/session", headers={**headers, "Host": "evil.example"})
        assert foreign.status_code == 403


def test_every_answer_forbids_scripts_of_others_and_being_framed(client):
    for path in ("/", "/page/main.js", "/api/session", "/nowhere"):
        headers = client.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_more_than_is_read_is_refused_whether_or_not_its_length_is_told(client):
    text = "a" * (21 * 2**20)
    said = client.post("/api/check", content=text)
    unsaid = client.post("/api/check", content=iter([text.encode()]))
    for response in (said, unsaid):
        assert response.status_code == 413
        assert response.json()["error"] == (
            "This is more than the 20 MB that the studio reads at once."
        )


def test_a_length_that_is_no_number_is_refused(client):
    response = client.post("/api/check", content=b"{}", headers={"Content-Length": "-1"})
    assert response.status_code == 413


@pytest.mark.anyio
async def test_web_sockets_are_not_answered():
    sent = []

    async def send(message):
        sent.append(message)

    guard = Guard(None, Door(TOKEN, ("localhost",)), "/page/")
    await guard({"type": "websocket"}, None, send)
    assert sent == []


@pytest.fixture
def anyio_backend():
    return "asyncio"

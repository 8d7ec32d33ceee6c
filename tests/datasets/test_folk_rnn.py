"""The published data_v2: from a file, over HTTP, and when neither is to be had."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from symbotunes.datasets.base import DatasetError, Dropped
from symbotunes.datasets.folk_rnn import FolkRnnData

FIRST = "M:6/8\nK:Cdor\n|: =G 2 c c 3 :| [ C 2 E 2 ] 4 |"
SECOND = "M:4/4\nK:Cmaj\nC 8 |1 D 8 :| |2 E 8 |"
DATA = f"{FIRST}\n\n{SECOND}\n"


@pytest.fixture
def server():
    """A server of the text; ``/missing`` is not there. Returns its address, hits."""
    hits = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            hits.append(self.path)
            if self.path == "/missing":
                self.send_error(404)
                return
            body = DATA.encode()
            self.send_response(200)
            if self.path != "/unmeasured":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *values):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{http.server_port}", hits
        http.shutdown()


def files_in(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_that_the_user_placed_is_read_token_by_token(tmp_path, ends):
    path = tmp_path / "data_v2"
    path.write_bytes(DATA.replace("\n", ends).encode())
    one, two = FolkRnnData(path, None).pieces()
    assert one.tokens == tuple(FIRST.split())
    assert two.tokens == tuple(SECOND.split())
    assert (two.id, two.title, two.collection) == ("data_v2#2", "Tune 2", "folk-rnn data_v2")


def test_tunes_that_are_not_in_the_language_are_dropped(tmp_path):
    path = tmp_path / "data_v2"
    path.write_text(f"M:4/4\nK:Cmaj\nC 8 |\n\nK:Cmaj\nC |\n\nM:4/4\nK:Cmaj\nC what |\n\n{FIRST}")
    assert [
        piece.reason for piece in FolkRnnData(path, None).pieces() if isinstance(piece, Dropped)
    ] == [
        "no meter, key and notes",
        "not in the folk-rnn language",
    ]


def test_it_is_downloaded_once(tmp_path, server):
    address, hits = server
    path = tmp_path / "downloads" / "data_v2"
    corpus = FolkRnnData(path, f"{address}/data_v2")
    assert len(list(corpus.pieces())) == 2
    assert len(list(corpus.pieces())) == 2
    assert hits == ["/data_v2"]
    assert path.read_text() == DATA
    assert files_in(path.parent) == ["data_v2", "data_v2.sha256"]


def test_a_server_that_does_not_say_the_length_will_do(tmp_path, server):
    corpus = FolkRnnData(tmp_path / "data_v2", f"{server[0]}/unmeasured")
    assert len(list(corpus.pieces())) == 2


def test_what_cannot_be_fetched_leaves_nothing_and_says_where_to_put_the_file(tmp_path, server):
    path, url = tmp_path / "data_v2", f"{server[0]}/missing"
    with pytest.raises(DatasetError) as caught:
        FolkRnnData(path, url).files()
    message = str(caught.value)
    assert message.startswith(f"could not download data_v2 ({url}: HTTP 404")
    assert message.endswith(f"; fetch {url} by other means and put it at {path}")
    assert "\n" not in message
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(("url", "download"), [(None, True), ("http://127.0.0.1:9/x", False)])
def test_without_address_or_leave_nothing_is_downloaded(tmp_path, url, download):
    with pytest.raises(DatasetError) as caught:
        FolkRnnData(tmp_path / "data_v2", url, download).files()
    assert str(caught.value).startswith("data_v2 does not exist and may not be downloaded; fetch ")
    assert str(caught.value).endswith(f"put it at {tmp_path}/data_v2")


def test_a_web_page_that_was_saved_as_data_is_refused(tmp_path):
    path = tmp_path / "data_v2"
    path.write_text("<!DOCTYPE html><p>Sign in to go on</p>")
    with pytest.raises(DatasetError) as caught:
        list(FolkRnnData(path, None).pieces())
    assert str(caught.value) == (
        f"{path} is not folk-rnn's data_v2, which begins with M:; delete it and retry"
    )

"""Downloads against a server that cuts, lies and stalls."""

import hashlib
import os
import subprocess
import sys

import pytest

from symbotunes.datasets.base import DatasetError
from symbotunes.datasets.fetch.download import Published, fetch_once
from symbotunes.datasets.fetch.http import Patience

DATA = bytes(range(256)) * 400  # 102,400 bytes, no two places alike within a block
SHA256 = hashlib.sha256(DATA).hexdigest()
HASTY = Patience(timeout=2.0, attempts=2, pause=0.01)


def fetch(target, *urls, size=None, sha256=None, patience=HASTY, **how):
    return fetch_once(Published(urls, size, sha256), target, patience=patience, **how)


@pytest.fixture
def target(tmp_path):
    return tmp_path / "downloads" / "music.bin"


def leftovers(target):
    return sorted(path.name for path in target.parent.iterdir() if not path.name.endswith(".lock"))


def test_a_file_arrives_whole_with_its_checksum_recorded_beside_it(server, target):
    server.site("a", DATA)
    assert fetch(target, server.url("a")).read_bytes() == DATA
    assert (target.parent / "music.bin.sha256").read_text() == f"{SHA256}  music.bin\n"
    assert leftovers(target) == ["music.bin", "music.bin.sha256"]


def test_what_is_there_is_not_fetched_again(server, target):
    site = server.site("a", DATA)
    fetch(target, server.url("a"))
    fetch(target, server.url("a"))
    assert len(site.asked) == 1


def test_a_cut_connection_is_continued_where_it_broke(server, target):
    site = server.site("a", DATA, cuts=[30_000, 50_000])
    assert fetch(target, server.url("a")).read_bytes() == DATA
    assert [asked.get("Range") for asked in site.asked] == [None, "bytes=30000-", "bytes=80000-"]
    assert site.asked[1]["If-Range"] == '"v1"'
    assert site.sent == len(DATA)  # not one byte came twice


def test_the_next_run_continues_what_an_earlier_one_left(server, target):
    site = server.site("a", DATA, cuts=[30_000, 0, 0])
    with pytest.raises(DatasetError, match="30,000 of 102,400 bytes arrived"):
        fetch(target, server.url("a"))
    assert not target.exists()
    assert fetch(target, server.url("a")).read_bytes() == DATA
    assert site.sent == len(DATA)


def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(server, target):
    site = server.site("a", DATA, cuts=[30_000, 0, 0])
    with pytest.raises(DatasetError):
        fetch(target, server.url("a"))
    site.data, site.etag = DATA[::-1], '"v2"'
    assert fetch(target, server.url("a")).read_bytes() == DATA[::-1]


def test_a_server_without_ranges_starts_anew(server, target):
    site = server.site("a", DATA, cuts=[30_000], ranges=False)
    assert fetch(target, server.url("a")).read_bytes() == DATA
    assert site.sent == len(DATA) + 30_000


def test_without_a_version_or_checksum_a_part_is_not_trusted(server, target):
    site = server.site("a", DATA, cuts=[30_000], etag="")
    assert fetch(target, server.url("a")).read_bytes() == DATA
    assert [asked.get("Range") for asked in site.asked] == [None, None]


def test_with_a_checksum_another_mirror_continues_the_part(server, target):
    server.site("a", DATA, cuts=[30_000], statuses=[200, 404])
    second = server.site("b", DATA, etag='"other"')
    fetch(target, server.url("a"), server.url("b"), sha256=SHA256)
    assert target.read_bytes() == DATA
    assert [asked.get("Range") for asked in second.asked] == ["bytes=30000-"]


def test_a_part_longer_than_the_file_is_thrown_away(server, target):
    site = server.site("a", DATA * 2, cuts=[150_000, 0, 0])
    with pytest.raises(DatasetError):
        fetch(target, server.url("a"), sha256=SHA256)
    site.data = DATA
    assert fetch(target, server.url("a"), sha256=SHA256).read_bytes() == DATA


def test_two_halves_of_different_files_are_noticed_and_fetched_anew(server, target):
    site = server.site("a", DATA[::-1], cuts=[30_000, 0, 0], etag="")
    with pytest.raises(DatasetError):
        fetch(target, server.url("a"), sha256=SHA256)
    site.data = DATA
    assert fetch(target, server.url("a"), sha256=SHA256).read_bytes() == DATA


def test_a_length_that_promises_too_much_is_noticed(server, target):
    server.site("a", DATA, length=200_000, cuts=[102_400] * 9)
    with pytest.raises(DatasetError, match="102,400 of 200,000 bytes arrived"):
        fetch(target, server.url("a"))
    assert not target.exists()


def test_a_length_other_than_the_published_one_is_refused_unread(server, target):
    site = server.site("a", DATA, length=50_000)
    with pytest.raises(DatasetError, match="offers 50,000 bytes, but 102,400 were published"):
        fetch(target, server.url("a"), size=len(DATA))
    assert len(site.asked) == 1


def test_a_file_of_unknown_length_arrives(server, target):
    server.site("a", DATA, chunked=True)
    assert fetch(target, server.url("a")).read_bytes() == DATA


def test_a_file_of_unknown_length_that_breaks_off_is_not_taken_for_whole(server, target):
    server.site("a", DATA, chunked=True, cuts=[50_000] * 9, etag="")
    with pytest.raises(DatasetError, match="the connection broke"):
        fetch(target, server.url("a"))
    assert not target.exists()


def test_a_compressing_server_is_asked_for_the_bytes_of_the_file(server, target):
    """Offsets of a compressed body are not offsets of the file."""
    site = server.site("a", DATA)
    fetch(target, server.url("a"))
    assert site.asked[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "music.bin"])
def test_only_web_addresses_are_asked(target, url):
    with pytest.raises(DatasetError, match="not an http address"):
        fetch(target, url)


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:99999/a", "http://a b.invalid/"])
def test_an_address_that_cannot_be_is_given_up_at_once(target, url):
    with pytest.raises(DatasetError, match="could not download music.bin") as caught:
        fetch(target, url, patience=Patience(pause=60.0))  # a second attempt would take a minute
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("page", "kind"),
    [(b"\n<!DOCTYPE html><p>Log in", "text/plain"), (b"<head>Sorry", "text/html; charset=utf-8")],
)
def test_a_web_page_instead_of_the_file_is_recognised(server, target, page, kind):
    site = server.site("a", page, kind=kind)
    with pytest.raises(DatasetError, match="the server sent a web page instead of the file"):
        fetch(target, server.url("a"))
    assert len(site.asked) == 1
    assert not target.exists()


def test_a_web_page_does_not_spoil_the_part_at_hand(server, target):
    site = server.site("a", DATA, cuts=[30_000, 0, 0])
    with pytest.raises(DatasetError):
        fetch(target, server.url("a"))
    site.data, site.etag = b"<html>Maintenance", '"page"'
    with pytest.raises(DatasetError, match="web page"):
        fetch(target, server.url("a"))
    site.data, site.etag = DATA, '"v1"'
    fetch(target, server.url("a"))
    assert site.asked[-1]["Range"] == "bytes=30000-"


def test_what_is_missing_at_one_address_is_looked_for_at_the_next(server, target):
    gone = server.site("gone", statuses=[404, 404])
    server.site("mirror", DATA)
    assert fetch(target, server.url("gone"), server.url("mirror")).read_bytes() == DATA
    assert len(gone.asked) == 1  # it will not come back by asking again


def test_a_server_in_trouble_is_asked_again(server, target):
    site = server.site("a", DATA, statuses=[500, 503])
    assert fetch(target, server.url("a"), patience=Patience(pause=0.01)).read_bytes() == DATA
    assert len(site.asked) == 3


def test_a_server_that_stays_in_trouble_is_given_up(server, target):
    site = server.site("a", DATA, statuses=[500] * 9)
    with pytest.raises(DatasetError, match="HTTP 500"):
        fetch(target, server.url("a"))
    assert len(site.asked) == HASTY.attempts


def test_a_mirror_that_drips_is_left_for_a_faster_one(server, target):
    server.site("slow", DATA, byte_pause=0.02)
    server.site("fast", DATA)
    patience = Patience(window=1.0, min_speed=1_000, pause=0.01)
    fetch(target, server.url("slow"), server.url("fast"), patience=patience)
    assert target.read_bytes() == DATA


def test_a_mirror_that_falls_silent_is_left(server, target):
    server.site("silent", DATA, byte_pause=5.0)
    server.site("good", DATA)
    patience = Patience(timeout=1.0, attempts=1)
    fetch(target, server.url("silent"), server.url("good"), patience=patience)
    assert target.read_bytes() == DATA


def test_wrong_bytes_are_thrown_away_and_a_mirror_asked(server, target):
    server.site("wrong", DATA[::-1])
    server.site("right", DATA)
    fetch(target, server.url("wrong"), server.url("right"), sha256=SHA256)
    assert target.read_bytes() == DATA


def test_wrong_bytes_everywhere_are_an_error_that_names_both_checksums(server, target):
    server.site("wrong", DATA[::-1])
    with pytest.raises(
        DatasetError, match=f"SHA-256 is [0-9a-f]{{64}}, but {SHA256} was published"
    ):
        fetch(target, server.url("wrong"), sha256=SHA256)
    assert leftovers(target) == [".music.bin.part.json"]


def test_a_download_that_changes_on_disk_is_noticed(server, target):
    server.site("a", DATA)
    fetch(target, server.url("a"))
    target.write_bytes(b"something else")
    with pytest.raises(DatasetError, match="it has changed since; delete it to fetch it again"):
        fetch(target, server.url("a"))
    target.unlink()
    assert fetch(target, server.url("a")).read_bytes() == DATA


def test_a_file_that_somebody_put_there_is_as_good(target):
    target.parent.mkdir()
    target.write_bytes(DATA)
    assert fetch(target, "http://127.0.0.1:9/unreachable", sha256=SHA256) == target
    assert fetch(target, "http://127.0.0.1:9/unreachable") == target


def test_a_file_that_somebody_put_there_must_be_the_published_one(target):
    target.parent.mkdir()
    target.write_bytes(b"truncated")
    with pytest.raises(DatasetError, match="set sha256=null in the dataset's config to use it"):
        fetch(target, "http://127.0.0.1:9/unreachable", sha256=SHA256)


def test_without_a_network_one_line_says_what_to_fetch_and_where_to_put_it(target):
    url = "http://127.0.0.1:9/music.bin"  # nobody listens at the discard port
    with pytest.raises(DatasetError) as caught:
        fetch(target, url, advice="or set dataset.archive=PATH")
    message = str(caught.value)
    assert "Connection refused" in message
    assert "HTTPConnectionPool" not in message  # nor what else libraries wrap around it
    assert f"fetch {url} by other means and put it at {target}" in message
    assert message.endswith("or set dataset.archive=PATH")
    assert "\n" not in message


def test_download_false_asks_nobody(server, target):
    site = server.site("a", DATA)
    with pytest.raises(DatasetError, match=f"may not be downloaded; fetch .* put it at {target}"):
        fetch(target, server.url("a"), download=False)
    assert site.asked == []


def test_a_folder_that_cannot_be_written_is_one_line(server, tmp_path):
    server.site("a", DATA)
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="could not write"):
        fetch(tmp_path / "file" / "music.bin", server.url("a"))


def test_the_network_library_is_imported_by_the_first_download():
    """Preparing a corpus that lies on the disk does not pay for it."""
    program = (
        "import sys, symbotunes.datasets.maestro, symbotunes.datasets.folk_rnn\n"
        "sys.exit('requests' in sys.modules or 'urllib3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_four_jobs_that_start_together_download_once(server, target):
    site = server.site("a", DATA, delay=0.3)  # long enough for all of them to come
    program = (
        "import sys; from pathlib import Path\n"
        "from symbotunes.datasets.fetch.download import Published, fetch_once\n"
        "print(len(fetch_once(Published(sys.argv[1]), Path(sys.argv[2])).read_bytes()))"
    )
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", program, server.url("a"), str(target)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in range(4)
    ]
    outputs = [job.communicate(timeout=300)[0] for job in jobs]
    assert [output.splitlines()[-1] for output in outputs] == ["102400"] * 4
    assert len(site.asked) == 1

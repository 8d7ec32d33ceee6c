"""Ranges of bytes as RFC 9110 has them."""

import pytest
from starlette.requests import Request

from symbotunes.studio.byte_ranges import ranged

CONTENT = bytes(range(100))


def answer(header):
    headers = [] if header is None else [(b"range", header.encode())]
    request = Request({"type": "http", "headers": headers})
    return ranged(request, CONTENT, "audio/wav", {"X-Other": "1"})


@pytest.mark.parametrize(
    ("header", "first", "end"),
    [
        ("bytes=0-", 0, 100),
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
    ],
)
def test_a_range_is_what_it_says(header, first, end):
    response = answer(header)
    assert response.status_code == 206
    assert response.body == CONTENT[first:end]
    assert response.headers["content-range"] == f"bytes {first}-{end - 1}/100"
    assert response.headers["content-length"] == str(end - first)
    assert response.headers["x-other"] == "1"


@pytest.mark.parametrize("header", [None, "bytes=-", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"])
def test_what_is_no_single_range_gives_everything(header):
    response = answer(header)
    assert response.status_code == 200
    assert response.body == CONTENT
    assert response.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=20-10", "bytes=-0"])
def test_a_range_outside_is_told(header):
    response = answer(header)
    assert response.status_code == 416
    assert response.headers["content-range"] == "bytes */100"

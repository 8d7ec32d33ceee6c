"""Prints do not end the program, whatever becomes of those who read them."""

import io
import os
import sys

import pytest

from symbotunes.system.streams import make_unfailing, rewrapped

pytestmark = pytest.mark.skipif(os.name == "nt", reason="about descriptors as Unix has them")


def text(descriptor):
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8")


def test_what_is_read_is_printed_as_before():
    reading, writing = os.pipe()
    stream = rewrapped(text(writing))
    print("Größe", file=stream, flush=True)
    assert os.read(reading, 100) == "Größe\n".encode()
    os.close(reading)


def test_output_whose_reader_has_ended_is_discarded_for_good():
    reading, writing = os.pipe()
    stream = rewrapped(text(writing))
    os.close(reading)
    for _ in range(2):
        print("unread", file=stream, flush=True)
    assert os.write(writing, b"of a library") == 12  # goes nowhere, and raises no error


def test_output_to_a_terminal_that_is_closed_is_discarded():
    ours, terminal = os.openpty()
    stream = rewrapped(text(terminal))
    os.close(ours)
    print("unread", file=stream, flush=True)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux alone has it")  # noqa: PTH110
def test_output_to_a_full_disk_is_lost_and_the_program_goes_on():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        stream = rewrapped(full)
        print("lost", file=stream, flush=True)


def test_a_program_without_output_gets_one_that_is_discarded(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    make_unfailing()
    print("nothing")
    assert sys.stdout.name == os.devnull
    sys.stdout.close()


def test_streams_that_someone_else_put_there_stay(monkeypatch):
    captured = io.StringIO()
    monkeypatch.setattr(sys, "stdout", captured)
    make_unfailing()
    assert sys.stdout is captured

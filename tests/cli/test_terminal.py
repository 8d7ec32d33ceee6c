"""Terminals that cannot show every character."""

import io
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from symbotunes.cli.terminal import print_in_any_encoding, warn_in_one_line

ROOT = Path(__file__).parents[2]


def terminal(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    print_in_any_encoding(stream)
    return stream


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", b"M?ller ? ?"),
        ("latin-1", b"M\xfcller ? ?"),
        ("utf-8", b"M\xc3\xbcller \xe2\x80\xa6 ?"),
    ],
)
def test_what_a_terminal_cannot_show_is_a_question_mark(encoding, shown):
    stream = terminal(encoding)
    print(
        "Müller … \udcff", end="", file=stream
    )  # the last: a byte of a file name that is not UTF-8
    assert stream.buffer.getvalue() == shown


def test_tables_that_are_cut_short_are_printed_in_ascii():
    stream = terminal("ascii")
    table = Table("piece")
    table.add_row("a title that is too long")
    table.columns[0].no_wrap = True
    Console(file=stream, width=20).print(table)
    assert b"| a title that is? |" in stream.buffer.getvalue()


def test_streams_that_are_not_files_are_left_alone():
    stream = io.StringIO()
    print_in_any_encoding(stream, None)
    print("…", file=stream)
    assert stream.getvalue() == "…\n"


@pytest.mark.slow("starts Python anew, since a stream's encoding is chosen at its start")
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
@pytest.mark.parametrize("arguments", [["--help"], ["mode=prepare", "--help"], ["mod=é…"]])
def test_the_program_prints_to_such_a_terminal(encoding, arguments):
    result = subprocess.run(
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "40"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == (2 if arguments == ["mod=é…"] else 0), result.stderr
    assert result.stdout + result.stderr == (result.stdout + result.stderr).decode(encoding).encode(
        encoding
    )
    assert b"Traceback" not in result.stderr


def test_a_warning_is_one_line_without_the_code_that_gave_it(monkeypatch, capsys):
    monkeypatch.setattr(warnings, "showwarning", before := warnings.showwarning)
    monkeypatch.setenv("SYMBOTUNES_DEBUG", "1")
    warn_in_one_line()
    assert warnings.showwarning is before
    monkeypatch.delenv("SYMBOTUNES_DEBUG")
    warn_in_one_line()
    warnings.showwarning(UserWarning("the disk\nis full"), UserWarning, "code.py", 7)
    assert capsys.readouterr().err == "warning: the disk is full\n"

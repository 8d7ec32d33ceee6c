"""Runs commands one after another in one process, since starting Python costs more than they do.

    python tests/docs/runner.py COMMANDS.json OUTCOMES.json

The first file holds a list of lists of words. The second gets, for each command in turn, its exit
status and the end of what it printed. ``python`` is this interpreter, in this folder.
"""

import contextlib
import io
import json
import os
import runpy
import sys
import traceback
from pathlib import Path


def run(words: list[str]) -> int:
    """Do what ``python ...`` or ``export NAME=VALUE`` does; the exit status."""
    if words[0] == "export":
        os.environ.update(word.split("=", 1) for word in words[1:])
        return 0
    sys.argv = words[1:]
    try:
        if words[1] == "-m":
            sys.argv = words[2:]
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(words[1], run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def outcome(words: list[str]) -> dict[str, object]:
    """Exit status and output of a command."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = run(words)
    return {"status": status, "said": said.getvalue()[-4000:]}


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    given, wanted = map(Path, sys.argv[1:])
    wanted.write_text(json.dumps([outcome(words) for words in json.loads(given.read_text())]))

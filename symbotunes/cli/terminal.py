"""Output for terminals and files of any encoding."""

import io
import os
import sys
import warnings
from typing import Any, TextIO


def print_in_any_encoding(*streams: TextIO | None) -> None:
    """Let characters that a stream cannot encode be printed as ``?`` instead of raising an error.

    Terminals in latin-1 or ASCII have no ``…``, and file names that are not valid UTF-8 have no
    encoding at all.

    Args:
        streams: by default, standard output and standard error.
    """
    for stream in streams or (sys.stdout, sys.stderr):
        # Notebooks and tests put other objects there, and a program without a console None.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def warn_in_one_line() -> None:
    """Print warnings without the place in the code that gave them.

    ``SYMBOTUNES_DEBUG=1`` prints that too.
    """
    if os.environ.get("SYMBOTUNES_DEBUG") != "1":
        warnings.showwarning = _print_warning


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"warning: {' '.join(str(message).split())}", file=sys.stderr)

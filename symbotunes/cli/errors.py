"""Mistakes of the user as one line, everything else as a traceback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from omegaconf.errors import OmegaConfBaseException

from symbotunes.cli.suggestions import explain
from symbotunes.errors import print_error, user_error


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print mistakes of the user as one line and exit with status 2.

    ``SYMBOTUNES_DEBUG=1`` shows their tracebacks too; other errors always show theirs.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises, rather than printing and exiting
    try:
        yield
    except Exception as error:
        if one_line(error) is None:
            raise
        raise SystemExit(report(error)) from None


def report(error: BaseException) -> int:
    """Print the error's line, and the traceback if ``SYMBOTUNES_DEBUG=1``; the exit status."""
    return print_error(error, str(one_line(error)))


def one_line(error: BaseException) -> str | None:
    """The error in words for its user, or ``None`` if it is a bug of ours."""
    ours = user_error(error)
    if ours is not None:
        return str(ours)
    module = type(error).__module__
    if module.startswith("hydra.") or isinstance(error, OmegaConfBaseException):
        return explain(error)
    if module.startswith("submitit."):
        last = str(error).strip().splitlines()[-1]
        return f"the cluster takes no jobs: {last}; launch=local runs them here"
    if "No trials are completed yet" in str(error):  # of Optuna, when it is asked for the best
        return "no trial of the search finished; the folders of its jobs say why"
    return None

"""Print user errors as one line, and everything else as a traceback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from omegaconf.errors import OmegaConfBaseException

from symbotunes.cli.suggestions import explain
from symbotunes.errors import print_error, user_error


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Print user errors as one line and exit with status 2.

    ``SYMBOTUNES_DEBUG=1`` also shows their tracebacks; other errors always show theirs.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # makes Hydra raise instead of printing and exiting
    try:
        yield
    except Exception as error:
        line = one_line(error)  # composes the config again to see which keys there are
        if line is None:
            raise
        raise SystemExit(print_error(error, line)) from None


def report(error: BaseException) -> int:
    """Print the error's line, with the traceback if ``SYMBOTUNES_DEBUG=1``; return the status."""
    return print_error(error, str(one_line(error)))


def one_line(error: BaseException) -> str | None:
    """The error as a message for the user, or ``None`` if it is a bug in Symbotunes."""
    ours = user_error(error)
    if ours is not None:
        return str(ours)
    module = type(error).__module__
    if module.startswith("hydra.") or isinstance(error, OmegaConfBaseException):
        return explain(error)
    if module.startswith("submitit."):
        last = str(error).strip().splitlines()[-1]
        return f"the cluster rejected the job: {last}; launch=local runs jobs here"
    if "No trials are completed yet" in str(
        error
    ):  # raised by Optuna when asked for the best trial
        return "no trial of the search has a value to compare; the reasons are printed above"
    return None

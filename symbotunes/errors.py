"""The exception that is shown to users as one line instead of a traceback."""

import os
import sys
import traceback


class UserError(ValueError):
    """An error that the user can fix; the message is one line that says what to do."""


def user_error(error: BaseException | None) -> UserError | None:
    """The `UserError` among an exception and its causes; Hydra wraps constructors' exceptions."""
    while error is not None:
        if isinstance(error, UserError):
            return error
        error = error.__cause__
    return None


def print_error(error: BaseException, line: str) -> int:
    """Print an error's line, and its traceback if ``SYMBOTUNES_DEBUG=1``; returns exit status 2."""
    if os.environ.get("SYMBOTUNES_DEBUG") == "1":
        traceback.print_exception(error)
    print(f"error: {line}", file=sys.stderr)
    return 2

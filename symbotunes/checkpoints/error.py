"""The error of a file that is not a usable checkpoint."""

from symbotunes.errors import UserError


class CheckpointError(UserError):
    """A file that is not a usable checkpoint; the message is one line that says what to do."""

"""Standard output and error that outlive their reader and their disk."""

import errno
import io
import os
import sys
from typing import Any, TextIO

# A reader that has ended, as behind `| head`, and a terminal that is closed.
UNREAD = (errno.EPIPE, errno.EIO)


class Unfailing(io.FileIO):
    """A descriptor whose output is discarded where it can be neither read nor stored.

    What the program prints is commentary: its results are files, and are finished all the same.
    """

    _noted = False

    def write(self, data: Any, /) -> int:
        """Write, or discard; a full disk may have space again at the next time."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno in UNREAD:
                discard_from_now_on(self.fileno())
            elif not self._noted and self.fileno() == 1:
                self._noted = True
                print(f"note: standard output is lost: {error.strerror}", file=sys.stderr)
            return len(data)


def make_unfailing() -> None:
    """Let prints to the process's own standard output and error never end the program."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:  # started with it closed, as by `>&-`: files must not get its number
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
        elif type(stream) is io.TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            stream.flush()
            setattr(sys, name, rewrapped(stream))


def rewrapped(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """A stream to the same descriptor that prints in the same way and does not fail."""
    raw = Unfailing(stream.fileno(), "w", closefd=False)
    buffered = isinstance(stream.buffer, io.BufferedWriter)  # not with `python -u`
    return io.TextIOWrapper(
        io.BufferedWriter(raw) if buffered else raw,  # type: ignore[arg-type]  # as Python does
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def discard_from_now_on(descriptor: int) -> None:
    """Let what is written to a descriptor vanish, also by libraries and processes that have it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)

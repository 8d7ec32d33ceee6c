"""How the program ends when it is told to: one line, a status, and nothing left behind.

Nothing is imported here but the standard library's lightest parts: imports of all else are among
what Ctrl-C may interrupt.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SAME_REQUEST_SECONDS = 0.5
WORDS = {"SIGINT": "Interrupted", "SIGTERM": "Terminated", "SIGHUP": "Hung up"}


class Ended(SystemExit):
    """A signal ends the program; the exit status is 128 plus its number, as shells report it.

    It is raised wherever the program happens to be, so that temporary files and processes are
    cleaned up on the way out.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(128 + signum)
        self.signum = signum


class Requests:
    """The signals that ask the program to end: the first raises `Ended`, a later one is final.

    Terminals and launchers may send a signal twice, so what follows within half a second is taken
    for the same request.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._received_at = 0.0
        self._process = os.getpid()

    def take(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """The handler."""
        if os.getpid() != self._process:  # a forked worker ends as it would without us
            die_of(signum)
            return
        if self.received is None:
            self.received, self._received_at = signum, time.monotonic()
            raise KeyboardInterrupt if signum == signal.SIGINT else Ended(signum)
        if time.monotonic() - self._received_at > SAME_REQUEST_SECONDS:
            die_of(signum)


@contextmanager
def foreseen_ends(*, quiet: bool = False) -> Iterator[None]:
    """Answer Ctrl-C, SIGTERM and SIGHUP with one line and an exit status.

    SIGHUP is left alone where it is ignored, as under ``nohup``.

    Args:
        quiet: whether another process says the line, which gets the signal too.

    Raises:
        SystemExit: with status 130, 143 or 129, once the block has been left.
    """
    requests = Requests()
    for name in WORDS:
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        ignored = number is None or signal.getsignal(number) is signal.SIG_IGN
        # Shells let scripts' background jobs ignore SIGINT; whoever sends it to one means it.
        if number is not None and (name == "SIGINT" or not ignored):
            signal.signal(number, requests.take)
    try:
        yield
    except (KeyboardInterrupt, Exception, Ended) as error:
        # What was interrupted may fail in its own way: extension modules that cannot finish their
        # import raise ImportError.
        if requests.received is None and not isinstance(error, KeyboardInterrupt | Ended):
            raise
        if not quiet:
            after_echo = "\n" if sys.stderr is not None and sys.stderr.isatty() else ""  # of ^C
            print(f"{after_echo}{word_of(error)}", file=sys.stderr)
        raise SystemExit(128 + signal_of(error)) from None


def ends(signum: int) -> bool:
    """Whether a signal is one that ends the program, and no announcement of a time limit."""
    return signal.Signals(signum).name in WORDS


def signal_of(error: BaseException) -> int:
    """The number of the signal that an exception stands for: Ctrl-C's, unless it says another."""
    return error.signum if isinstance(error, Ended) else int(signal.SIGINT)


def word_of(error: BaseException) -> str:
    """How the program ends, in a word."""
    return WORDS.get(signal.Signals(signal_of(error)).name, "Stopped")


def die_of(signum: int) -> None:
    """End this process as the signal does to programs that do not handle it."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)

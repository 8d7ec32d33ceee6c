"""An engraver that stays, since importing music21 takes longer than engraving.

It is a process of its own, as the other is, since some music crashes Verovio; then the next request
starts another one.
"""

import json
import subprocess
import threading
from typing import IO

from symbotunes.render.notation.notation import (
    ENGRAVER,
    PATIENCE_SECONDS,
    EngravingError,
    Kind,
    crashed,
    log_lines,
    unreadable,
)

MOST_REQUESTS = 200  # of one process, so that it does not grow


class WarmEngraver:
    """Runs the engraver, one request at a time; threads may share it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._requests = 0
        self._lock = threading.Lock()

    def run(self, kind: Kind, source: bytes, *arguments: str) -> tuple[bytes, list[str]]:
        """See `run_engraver`."""
        with self._lock:
            if self._process is None or self._requests == MOST_REQUESTS:
                self._start()
            self._requests += 1
            process = self._process
            assert process is not None
            killed = threading.Event()

            def kill() -> None:
                killed.set()
                process.kill()

            timer = threading.Timer(PATIENCE_SECONDS, kill)
            timer.start()
            try:
                content, log = _asked(process, kind, source, arguments)
            except (OSError, ValueError) as error:  # of a process that has ended
                self._end()
                if killed.is_set():
                    raise EngravingError(f"verovio took more than {PATIENCE_SECONDS} s") from error
                raise crashed(kind, []) from error
            finally:
                timer.cancel()
        if not content:
            raise unreadable(kind, log)
        return content, log

    def close(self) -> None:
        """End the process, if there is one; a later request starts another."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._end()
        self._requests = 0
        self._process = subprocess.Popen(
            [*ENGRAVER, "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _asked(
    process: subprocess.Popen[bytes], kind: Kind, source: bytes, arguments: tuple[str, ...]
) -> tuple[bytes, list[str]]:
    """What a process answers, see `engraver.serve`.

    Raises:
        OSError: if it has ended.
        ValueError: if it ends within the answer.
    """
    requests, answers = _pipe(process.stdin), _pipe(process.stdout)
    requests.write(json.dumps([kind, arguments, len(source)]).encode() + b"\n" + source)
    requests.flush()
    size, log = json.loads(answers.readline())
    content = answers.read(size or 0)
    if len(content) < (size or 0):
        raise ValueError("the answer is cut off")
    return content, log_lines(log)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # asked for in `Popen`
    return pipe

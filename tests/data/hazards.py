"""Tokenizers that do what broken files make real ones do; in a module that workers can import."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from tests.data.conftest import Letters


class Hazards(Letters):
    """Does what the piece's text says: ``hang``, ``kill``, ``eat`` or ``bug``.

    Args:
        log: a file that gets one line for every call, or ``None``.
    """

    def __init__(self, log: Path | None = None) -> None:
        super().__init__()
        self.log = log

    def tokenize(self, piece):
        if self.log is not None:
            with self.log.open("a") as file:
                file.write(f"{piece.text}\n")
        match piece.text:
            case "hang":
                time.sleep(600)
            case "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            case "eat":
                np.ones(2**30)  # 8 GiB
            case "bug":
                raise IndexError("list index out of range")
            case "slow":
                time.sleep(0.5)
        return super().tokenize(piece)

"""Kills short trainings at random moments, lets each come back, and compares the ends bit for bit.

Not part of the suite, since it takes minutes: ``python -m tests.cluster.kill_resume 50``. Each
training is killed five times with SIGKILL, between half a second after its start and its end, and
goes on with ``resume=auto`` in the same folder. At its end its weights, optimizer and random state
must be those of an undisturbed one.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.conftest import ROOT
from tests.training.test_resume import LONG, assert_same_end

KILLS_EACH = 5
ARGUMENTS = [*LONG, "resume=auto", "callbacks.every_n_minutes.minutes=0.001", "loader.batch_size=4"]


def main(kills: int) -> int:
    """Run the experiment; the number of trainings that ended differently."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        assert start(folder / "first", folder).wait() == 0  # prepares the data
        started = time.monotonic()
        assert start(folder / "undisturbed", folder).wait() == 0
        seconds = time.monotonic() - started
        expected = end(folder / "undisturbed")
        done, differing, midway = 0, 0, 0
        while done < kills:
            run = folder / f"killed_{done:03d}"
            for _ in range(min(KILLS_EACH, kills - done)):
                process = start(run, folder)
                time.sleep(0.5 + chance.random() * seconds)
                process.kill()
                midway += process.wait() != 0
                done += 1
            assert start(run, folder).wait() == 0
            same = equal(end(run), expected)
            differing += not same
            print(f"{done} kills ({midway} before the end): {'same' if same else 'DIFFERS'}")
            sys.stdout.flush()
    return differing


def start(run: Path, scratch: Path) -> subprocess.Popen[bytes]:
    """The tiny training in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, "main.py", *ARGUMENTS, f"hydra.run.dir={run}"],
        cwd=ROOT,
        env={**os.environ, "SYMBOTUNES_DATA": str(scratch / "data"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def end(run: Path) -> dict:
    """The last checkpoint."""
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def equal(one: dict, other: dict) -> bool:
    """Whether two runs ended in the same state, to the last bit."""
    try:
        assert_same_end(one, other)
    except AssertionError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50))

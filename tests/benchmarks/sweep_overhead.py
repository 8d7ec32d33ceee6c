"""What does a job of a sweep cost beyond its training?

    python -m tests.benchmarks.sweep_overhead [--jobs 4]

Runs a sweep of tiny jobs, one after another, and splits its time: what each job says it trained
(`train_seconds` of ``run.json``), what its own process took beside that (start, imports, data,
samples), and what is left for the sweep (its start, composing and freezing configs, its report).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from tests.conftest import ROOT, TINY

ARGUMENTS = [*TINY, "trainer.max_steps=24", "trainer.val_check_interval=12", "baselines=[]"]


def main(jobs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        environment = {**os.environ, "SYMBOTUNES_DATA": f"{scratch}/data", "OMP_NUM_THREADS": "1"}
        timed(environment, f"hydra.run.dir={scratch}/first")  # prepares the data
        single = timed(environment, f"hydra.run.dir={scratch}/single")
        alone = trained(Path(scratch) / "single")
        sweep = Path(scratch) / "sweep"
        seeds = ",".join(str(seed) for seed in range(1, jobs + 1))
        whole = timed(environment, "--multirun", f"hydra.sweep.dir={sweep}", f"seed={seeds}")
        training = [trained(sweep / str(number)) for number in range(jobs)]
        lasting = [lasted(sweep / str(number)) for number in range(jobs)]
    beside = statistics.median(a - b for a, b in zip(lasting, training, strict=True))
    per_job = (whole - sum(training)) / jobs
    print(f"a single run: {single:.1f} s, of which training {alone:.1f} s")
    print(f"a sweep of {jobs}: {whole:.1f} s, of which training {sum(training):.1f} s")
    print(f"beyond training, per job: {per_job:.1f} s ({per_job * jobs / sum(training):.2f} of it)")
    print(f"  of which after `running` was noted: {beside:.1f} s (whole seconds only)")
    print(f"a single run beyond its training: {single - alone:.1f} s")
    print(f"a job costs {whole / jobs - single - sum(training) / jobs + alone:+.1f} s beside a run")


def timed(environment: dict[str, str], *arguments: str) -> float:
    """Seconds of one call of the program."""
    began = time.monotonic()
    command = [sys.executable, "main.py", *arguments, *ARGUMENTS]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.monotonic() - began


def trained(run: Path) -> float:
    """Seconds of training."""
    return float(json.loads((run / "run.json").read_text())["train_seconds"])


def lasted(run: Path) -> float:
    """Seconds between the start and the end that a run notes of itself."""
    noted = json.loads((run / "run.json").read_text())
    ends = [datetime.fromisoformat(noted[key]) for key in ("started_utc", "finished_utc")]
    return (ends[1] - ends[0]).total_seconds()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=4)
    main(parser.parse_args().jobs)

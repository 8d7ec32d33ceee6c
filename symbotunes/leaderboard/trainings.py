"""The trained rows of a leaderboard: mode=train, then mode=evaluate, in processes of their own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.errors import UserError
from symbotunes.evaluation.metrics.bootstrap import Bootstrap
from symbotunes.files import read_json
from symbotunes.leaderboard.plan import Benchmark, Row
from symbotunes.training.metrics_file import FILE, number, read_rows
from symbotunes.training.run_folder import RECORD

SPEED = "speed/tokens_per_second"
TUNES = ("well_formed", "right_bars", "seen_ngrams")  # figures of tunes that the model wrote
REPORT = "report.json"


def measure_training(
    benchmark: Benchmark,
    row: Row,
    seed: int,
    *,
    folder: Path,
    content: str,
    bootstrap: Bootstrap,
) -> dict[str, Any]:
    """Train a row with one seed, evaluate it, and read the figures.

    Args:
        benchmark: of the row.
        row: that is trained.
        seed: of the training.
        folder: for the run and its report; a run that is there already goes on, or is taken as it
            is if it has ended.
        content: hash of the data of the benchmark.
        bootstrap: how the interval of the speed is drawn; measurements are resampled.

    Raises:
        UserError: if one of the two commands fails, or the row was trained on other data.
    """
    run, report = folder / "run", folder / "evaluation"
    words = {word.partition("=")[0]: word for word in (*benchmark.words, *row.words)}
    own = [f"seed={seed}", f"hydra.run.dir={run}", "resume=auto", "callbacks.panel=null"]
    start([*words.values(), *own])
    if not (report / REPORT).is_file():
        ckpt = f"ckpt={run / 'checkpoints' / 'best.ckpt'}"
        given = ["mode=evaluate", ckpt, "baselines=[]", f"hydra.run.dir={report}"]
        start([*given, *benchmark.evaluation])
    identity = unpack(run).identity
    if identity is None or identity.content != content:
        raise UserError(f"{run} was not trained on the data of benchmark={benchmark.name}")
    record = read_json(run / RECORD)
    seconds = [number(line["seconds"]) for line in read_rows(run / FILE) if line["seconds"]]
    found = json.loads((report / REPORT).read_text(encoding="utf-8"))
    return {
        "seed": seed,
        "steps": record.get("step"),
        "seconds": max(seconds, default=None),
        "parameters": record.get("parameters"),
        "pieces": found["held_out"]["pieces"],
        "tokens": found["held_out"]["tokens"],
        "notes": found["held_out"]["notes"],
        "figures": figures_of(found) | {"tokens_per_second": speed(run, bootstrap)},
    }


def figures_of(report: dict[str, Any]) -> dict[str, Any]:
    """The figures of a leaderboard in a report of mode=evaluate.

    Raises:
        UserError: if the model has no likelihood of notes.
    """
    if "held_out" not in report:
        raise UserError("the leaderboard has sequence models alone: this model has a bound")
    ours = next(iter(report["held_out"]["models"].values()))
    generated, people = (part["figures"] for part in report["sets"][:2])
    return {
        "nats_per_token": ours["nats_per_token"],
        "bits_per_note": ours["bits_per_note"],
        **{name: generated[name] for name in TUNES if name in generated},
        **{f"human_{name}": people[name] for name in TUNES if name in people},
    }


def speed(run: Path, bootstrap: Bootstrap) -> dict[str, float | None]:
    """Training tokens per second, the mean of what was logged."""
    logged = [number(line[SPEED]) for line in read_rows(run / FILE) if line.get(SPEED)]
    return bootstrap.mean(logged).as_dict() if logged else dict.fromkeys(("value", "low", "high"))


def start(words: Sequence[str]) -> None:
    """Run a command of Symbotunes to its end.

    Raises:
        UserError: if it fails.
    """
    done = subprocess.run([sys.executable, "-m", "symbotunes", *words], check=False)
    if done.returncode:
        raise UserError(f"symbotunes {' '.join(words)}: status {done.returncode}")

"""Results of rows: a JSON file each, with the command and the environment that it came from."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from symbotunes.errors import UserError
from symbotunes.files import atomic_write, finite
from symbotunes.leaderboard.plan import Benchmark, Row
from symbotunes.system.owner import utc_now
from symbotunes.training.callbacks.provenance import device_name, git_state, versions

Figures = Mapping[str, Mapping[str, float | None]]  # value, low and high by figure
CPUINFO = Path("/proc/cpuinfo")


def result_file(benchmark: Benchmark, row: Row) -> Path:
    """Where the result of a row is, once it has been measured."""
    return benchmark.place / f"{row.name}.json"


def write_result(
    benchmark: Benchmark,
    row: Row,
    *,
    content: str,
    measured_by: Mapping[str, Any],
    runs: Sequence[Mapping[str, Any]],
) -> Path:
    """Write the result of a row.

    Args:
        benchmark: of the row.
        row: what was measured.
        content: hash of the prepared data.
        measured_by: see `environment`; asked for before any result is written, since a new file
            would count as a change of the checkout.
        runs: figures of each seed, from `measure_ngram` or `measure_training`.
    """
    result = {
        "benchmark": benchmark.name,
        "row": asdict(row),
        "data": content,
        "command": (
            f"python main.py mode=benchmark benchmark={benchmark.name} "
            f"'benchmark.rows=[{row.name}]'"
        ),
        "environment": measured_by,
        "measured_utc": utc_now(),
        "runs": list(runs),
    }
    file = result_file(benchmark, row)
    text = json.dumps(finite(result), indent=1, ensure_ascii=False, allow_nan=False)
    atomic_write(file, text + "\n")
    return file


def read_result(file: Path) -> dict[str, Any] | None:
    """The result of a row; ``None`` if it has not been measured.

    Raises:
        UserError: if the file is damaged.
    """
    if not file.is_file():
        return None
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        _ = result["runs"][0]["figures"], result["data"], result["environment"]["processor"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{file} is not a result of mode=benchmark: delete it") from error
    return dict(result)


def environment() -> dict[str, Any]:
    """What a result depends on besides its row."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return {
        "versions": versions(),
        "git": git_state(),
        "platform": platform.platform(),
        "processor": processor(),
        "device": device_name(device),
    }


def processor() -> str:
    """The name of the processor, as far as the system tells."""
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

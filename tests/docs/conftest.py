"""Running documented commands."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import warm

RUNNER = Path(__file__).with_name("runner.py")


@pytest.fixture
def run_all(tmp_path):
    """Run commands in a folder, one after another; each must succeed."""

    def run(folder: Path, commands: list[list[str]]) -> list[str]:
        (tmp_path / "commands.json").write_text(json.dumps(commands))
        outputs = folder / "outputs"
        process = subprocess.run(
            [
                warm.python(),
                str(RUNNER),
                str(tmp_path / "commands.json"),
                str(tmp_path / "out.json"),
            ],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(folder if (folder / "main.py").is_file() else RUNNER.parents[2]),
                "SYMBOTUNES_OUTPUTS": str(outputs),
                "SYMBOTUNES_DATA": str(outputs),
                "OMP_NUM_THREADS": "1",
                "WANDB_MODE": "offline",
            },
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        outcomes = json.loads((tmp_path / "out.json").read_text())
        for words, outcome in zip(commands, outcomes, strict=True):
            assert outcome["status"] == 0, f"{' '.join(words)}\n{outcome['said']}"
        return [outcome["said"] for outcome in outcomes]

    return run

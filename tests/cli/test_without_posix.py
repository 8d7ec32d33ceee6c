import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import without_posix
from tests.conftest import ROOT, TINY

SCRIPT = Path(without_posix.__file__)


def run(outputs, *arguments):
    environment = {
        **os.environ,
        "SYMBOTUNES_OUTPUTS": str(outputs),
        "SYMBOTUNES_DATA": str(outputs.parent / "data"),
        "WANDB_MODE": "offline",
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", str(SCRIPT), *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow("trains and samples in processes of their own, which import torch")
def test_a_system_without_what_posix_alone_has_trains_sweeps_and_samples(tmp_path):
    outputs = tmp_path / "outputs"
    tiny = [
        *TINY,
        "trainer.max_steps=3",
        "trainer.val_check_interval=2",
        "loader.prepare_workers=0",
    ]
    for arguments in (
        tiny,
        ["mode=sample", "sample.num=1", "sample.max_tokens=20"],
        ["--multirun", *tiny, "seed=1,2"],
    ):
        result = run(outputs, *arguments)
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
    (record,) = outputs.glob("train/*/run.json")
    assert json.loads(record.read_text())["status"] == "finished"
    assert list(outputs.glob("sample/*/*.abc"))
    assert len(list(outputs.glob("multirun/*/*/checkpoints/last.ckpt"))) == 2

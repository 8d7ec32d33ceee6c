import json
import os
import subprocess
from pathlib import Path

import pytest

from tests import warm
from tests.cli import without_posix
from tests.conftest import ROOT, TINY

SCRIPT = Path(without_posix.__file__)


def run(outputs, *arguments):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SYMBOTUNES_OUTPUTS": str(outputs),
        "SYMBOTUNES_DATA": str(outputs.parent / "data"),
        "WANDB_MODE": "offline",
    }
    return subprocess.run(
        [warm.python(), str(SCRIPT), *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow("trains, samples and sweeps with the program")
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

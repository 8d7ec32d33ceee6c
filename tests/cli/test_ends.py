"""The program as a process that is stopped, or whose reader ends."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import TINY

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow("starts the program as processes of its own"),
    pytest.mark.skipif(os.name == "nt", reason="signals to other processes, pipes"),
]


def start(tmp_path, *words):
    environment = {
        **os.environ,
        "SYMBOTUNES_OUTPUTS": str(tmp_path / "outputs"),
        "SYMBOTUNES_DATA": str(tmp_path / "data"),
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(tmp_path),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "main.py", *words], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # ignored under nohup
    )  # fmt: skip


def wait_until(process, word, stream):
    for line in stream:
        if word in line:
            return
    pytest.fail(f"the program ended before it printed {word!r}")


def test_ctrl_c_while_data_are_prepared_leaves_no_worker_and_no_traceback(tmp_path):
    process = start(tmp_path, "mode=prepare", "dataset=folk", "loader.prepare_workers=2")
    waiting = psutil.Process(process.pid)
    while process.poll() is None and len(waiting.children()) < 3:  # two workers and a tracker
        pass
    children = waiting.children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "Interrupted"
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_sampling_ends_on_a_signal_in_one_line_and_leaves_nothing(tmp_path, name, status):
    process = start(
        tmp_path, "mode=sample", "ckpt=pretrained/folk_rnn", "sample.num=200",
        f"sample.out={tmp_path / 'music'}",
    )  # fmt: skip
    wait_until(process, "Model", process.stdout)
    process.send_signal(signal.Signals[name])
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status
    assert errors.count("\n") == 1
    assert not (tmp_path / "music").exists()


def test_a_training_whose_reader_has_ended_goes_on_to_its_end(tmp_path):
    process = start(
        tmp_path, *TINY, "trainer.max_steps=4", "trainer.val_check_interval=2", "baselines=[]"
    )
    process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    assert (process.wait(), "Traceback" in errors) == (0, False)
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"
    assert (folder / "samples" / "best" / "index.html").is_file()

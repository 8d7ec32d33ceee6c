"""The folder of a run, from the command line: it belongs to that run."""

import hashlib
import json
import shutil

import pytest

from symbotunes.system.owner import Owner
from tests.conftest import TINY

pytestmark = pytest.mark.slow("starts the program once per mode")


@pytest.fixture(scope="module")
def run_folder(trained, tmp_path_factory):
    return shutil.copytree(trained, tmp_path_factory.mktemp("outputs") / "run")


def content(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("mode", ["train", "evaluate", "compare", "sample", "export", "convert"])
def test_no_mode_writes_to_the_folder_of_another_run(run_main, run_folder, mode):
    before = content(run_folder)
    result = run_main(
        run_folder.parent, *TINY, f"mode={mode}", f"hydra.run.dir={run_folder}",
        "hydra.output_subdir=.hydra", "trainer.max_steps=2", check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert result.stderr.startswith(
        f"error: {run_folder} already holds a run (folk_rnn_small, finished at step 12); to go on"
    )
    assert result.stderr.count("\n") == 1
    assert content(run_folder) == before


def test_a_mode_that_writes_elsewhere_does_not_care(run_main, run_folder):
    before = content(run_folder)
    run_main(run_folder.parent, "mode=prepare", "prepare.list=true", f"hydra.run.dir={run_folder}")
    assert content(run_folder) == before


def test_files_of_others_in_sample_out_are_left_alone(run_main, run_folder, tmp_path):
    (tmp_path / "index.html").write_text("mine")
    result = run_main(
        tmp_path, "mode=sample", f"ckpt={run_folder}/checkpoints/best.ckpt",
        f"sample.out={tmp_path}", check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert "index.html is in the way" in result.stderr
    assert (tmp_path / "index.html").read_text() == "mine"


def test_what_a_training_left_that_never_began_blocks_no_other(run_main, tmp_path):
    folder = tmp_path / "outputs" / "run"
    given = [*TINY, "trainer.max_steps=2", "trainer.val_check_interval=1", "baselines=[]"]
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").touch()
    dead = Owner.this_process().as_dict() | {"pid_started": 1.0}
    (folder / "run.json").write_text(json.dumps({"status": "running", "step": 0, **dead}))
    run_main(folder.parent, *given, f"hydra.run.dir={folder}")
    record = json.loads((folder / "run.json").read_text())
    assert (record["status"], record["step"]) == ("finished", 2)
    assert [run["status"] for run in record["earlier"]] == ["killed"]

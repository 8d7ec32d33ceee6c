"""What a W&B run holds: one that was killed and resumed, read from what was written."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from symbotunes.training.loggers.records import files_of, history, reached, records
from tests.conftest import ROOT, TINY
from tests.wandb_files import closed

pytestmark = [
    pytest.mark.xdist_group("dashboards"),  # one process makes its runs once
    pytest.mark.slow("kills a training, and waits for what W&B's own processes write"),
]

SHOWN = [  # what a resumed run is asked for again
    "logger=wandb",
    f"logger.wandb.tags=[folk,{'x' * 80}]",
    "logger.wandb.best_checkpoint=true",
    "callbacks.panel.num=1",
    "callbacks.panel.max_tokens=24",
    "callbacks.panel.every_n_steps=1000",
    'callbacks.panel.prompt="M:4/4 K:Cmaj C D E F G A B c |"',
    "callbacks.memory.every_n_steps=2",
    "callbacks.every_n_steps.every_n_steps=4",
    "callbacks.every_n_steps.keep=0",
]
TRAINED = [
    *(argument for argument in TINY if argument != "~callbacks.panel"),
    "trainer.val_check_interval=4",
    "baselines=[]",
]
SCALARS = {
    "train/loss", "optim/learning_rate", "optim/gradient_norm", "speed/tokens_per_second",
    "speed/mfu", "val/loss", "val/best_loss", "memory/peak_gib",
}  # fmt: skip
MEDIA = {
    "samples/sample_01/audio": "audio-file",
    "samples/sample_01/roll": "image-file",
    "samples/sample_01/notation": "html-file",
    "samples/table": "table-file",
    "data/receipt": "table-file",
}


def killed(outputs: Path) -> Path:
    """The folder of a run that was killed once W&B had written something after its eighth step."""
    environment = {
        **os.environ,
        "SYMBOTUNES_OUTPUTS": str(outputs),
        "SYMBOTUNES_DATA": str(outputs.parent / "data"),
        "OMP_NUM_THREADS": "1",
        "WANDB_MODE": "offline",
    }
    process = subprocess.Popen(
        [sys.executable, "main.py", *TRAINED, *SHOWN, "trainer.max_steps=100000"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 900
    try:
        while not (
            found := [path for path in outputs.glob("train/*/wandb_id") if written(path) >= 8]
        ):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        writers = psutil.Process(process.pid).children(recursive=True)
    finally:
        process.kill()
        process.wait()
    _, left = psutil.wait_procs(writers, timeout=300)  # W&B's own, which writes on for a moment
    assert left == []
    return found[0].parent


def written(id_file: Path) -> int:
    """The last step that a run has on disk."""
    return reached(id_file.parent, id_file.read_text().strip()).step


@pytest.fixture(scope="module")
def run(run_main, tmp_path_factory):
    """A run that was killed and resumed four steps before, and the last step that W&B had of it."""
    outputs = tmp_path_factory.mktemp("dashboards") / "outputs"
    folder = killed(outputs)
    run_id = (folder / "wandb_id").read_text().strip()
    step = reached(folder, run_id).step  # the last one that W&B's own process wrote
    checkpoint = folder / "checkpoints" / "step_00000004.ckpt"
    result = run_main(
        outputs, *SHOWN, "trainer=cpu", f"ckpt={checkpoint}", f"trainer.max_steps={step + 5}"
    )
    first, second = files_of(folder, run_id)
    return SimpleNamespace(
        id=run_id,
        folder=folder,
        step=step,
        output=result.stdout,
        rows=[history(first), history(closed(second))],
        records=[*records(first), *records(second)],
    )


def test_the_same_run_goes_on(run):
    ids = {record.run.run_id for record in run.records if record.HasField("run")}
    assert ids == {run.id} == {(run.folder / "wandb_id").read_text().strip()}
    assert json.loads((run.folder / "run.json").read_text())["wandb_id"] == run.id


def test_steps_never_fall(run):
    rows = [row for part in run.rows for row in part]
    steps = [row["trainer/global_step"] for row in rows]
    assert steps == sorted(steps)
    assert [row["_step"] for row in rows] == list(range(len(rows)))


def test_every_step_has_one_loss_also_those_that_were_taken_twice(run):
    """The run went on from its fourth step; W&B keeps what it had, and the last may be double."""
    steps = [row["trainer/global_step"] for part in run.rows for row in part if "train/loss" in row]
    assert sorted(set(steps)) == list(range(1, run.step + 6))
    assert [step for step in set(steps) if steps.count(step) > 1] in ([], [run.step])


def test_a_dashboard_has_what_it_needs(run):
    for part in run.rows:
        logged = {name for row in part for name in row}
        assert logged >= SCALARS
    row = next(row for row in run.rows[1] if "train/loss" in row)
    assert row["train/loss"] < 5  # nats per token of a vocabulary of 70: its logarithm is 4.2
    assert 0 < row["speed/mfu"] < 1
    assert row["optim/gradient_norm"] > 0


def test_the_best_loss_is_that_of_the_whole_run(run):
    losses = [row["val/loss"] for part in run.rows for row in part if "val/loss" in row]
    best = [row["val/best_loss"] for part in run.rows for row in part if "val/best_loss" in row]
    assert best == sorted(best, reverse=True)
    assert best[-1] == min(losses)


def test_the_first_panel_and_the_receipt_are_there_as_media(run):
    found = {
        name.removesuffix("._type"): kind
        for row in run.rows[0]
        for name, kind in row.items()
        if name.endswith("._type")
    }
    assert found == MEDIA
    assert not any("data/receipt._type" in row for row in run.rows[1])  # it is there already
    for row in run.rows[0]:
        for name, path in row.items():
            if name.endswith(".path"):
                assert list(run.folder.glob(f"wandb/offline-run-*/files/{path}")), path


def test_the_config_is_resolved_and_holds_what_the_run_depends_on(run):
    config = {}
    for record in run.records:
        changed = record.run.config if record.HasField("run") else record.config
        config |= {item.key: json.loads(item.value_json) for item in changed.update}
    assert config["model"]["net"]["width"] == 16
    assert config["paths"]["run_dir"] == str(run.folder)
    assert config["trainer"]["max_steps"] == run.step + 5
    assert config["run"]["git"] is None or len(config["run"]["git"]["revision"]) == 40
    assert config["run"]["parameters"] > 0
    assert "torch" in config["run"]["versions"]


def test_tags_are_within_the_limits(run):
    tags = {tuple(record.run.tags) for record in run.records if record.HasField("run")}
    assert tags == {("folk", "x" * 64)}


def test_the_best_checkpoint_is_an_artifact(run):
    (model,) = [each.artifact for each in run.records if each.artifact.type == "model"]
    assert [entry.path for entry in model.manifest.contents] == ["best.ckpt"]
    assert model.manifest.contents[0].size == (run.folder / "checkpoints/best.ckpt").stat().st_size


def test_one_line_uploads_both_parts_in_order(run):
    line = next(line for line in run.output.splitlines() if line.startswith("wandb sync "))
    folders = [Path(word).name for word in line.split()[2:]]
    assert len(folders) == 2
    assert folders == sorted(folders)


def test_an_evaluation_is_logged_as_tables_and_numbers(run_main, run):
    outputs = run.folder.parents[1]
    run_main(
        outputs, "mode=evaluate", "logger=wandb", f"ckpt={run.folder / 'checkpoints/best.ckpt'}",
        "evaluate.num_samples=2", "evaluate.resamples=10", "sample.max_tokens=20", "baselines=[1]",
    )  # fmt: skip
    (folder,) = (outputs / "evaluate").iterdir()
    (path,) = files_of(folder, (folder / "wandb_id").read_text().strip())
    (row,) = history(closed(path))
    report = json.loads((folder / "report.json").read_text())["held_out"]["models"]
    nats = report["folk_rnn_small"]["nats_per_token"]["value"]
    assert row["evaluation/nats_per_token"] == pytest.approx(nats)
    assert row["evaluation/losses._type"] == row["evaluation/tunes._type"] == "table-file"
    started = next(record.run for record in records(path) if record.HasField("run"))
    assert started.job_type == "evaluate"

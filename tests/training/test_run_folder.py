"""A run folder belongs to one run."""

import json

import pytest
from omegaconf import OmegaConf

from symbotunes.errors import UserError
from symbotunes.system.locks import exclusive
from symbotunes.training.run_folder import refuse_other_run, writes_run_folder

DONE = {"status": "finished", "name": "small", "step": 20}
NEVER_BEGAN = {"status": "failed", "name": "small", "step": 0}


def fill(folder, *names, record=None):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if record is not None:
        (folder / "run.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    ("names", "record", "expected"),
    [
        (["checkpoints/best.ckpt", "checkpoints/last.ckpt"], DONE,
         "already holds a run (small, finished at step 20); to go on with it, add resume=auto"),
        (["checkpoints/best.ckpt"], None, "already holds a run with best.ckpt; for a new one, set"),
        ([], DONE, "already holds a run (small, finished at step 20); for a new one, set"),
        ([], {"status": "failed", "step": 3}, "already holds a run (failed at step 3)"),
        (["sweep.yaml"], None, "holds a sweep"),
        (["metrics.csv"], None, "holds metrics.csv, which no run has written"),
    ],
)  # fmt: skip
def test_a_folder_of_another_run_is_refused_in_one_line(tmp_path, names, record, expected):
    fill(tmp_path, *names, record=record)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UserError) as refused:
        refuse_other_run(tmp_path, resumes=False)
    assert str(refused.value).startswith(f"{tmp_path} {expected}")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("names", "record"),
    [
        ([], None),
        (["notes.txt", "log"], None),
        (["config.yaml", "metrics.csv", "checkpoints/", "samples/"], NEVER_BEGAN),
        (["config.yaml"], {"status": "running", "step": 0, "host": "gone"}),
    ],
)
def test_an_empty_folder_and_what_a_training_left_that_never_began_are_free(
    tmp_path, names, record
):
    fill(tmp_path, *(name for name in names if name[-1] != "/"), record=record)
    refuse_other_run(tmp_path, resumes=False)
    refuse_other_run(tmp_path / "missing", resumes=False)


def test_a_run_that_resumes_needs_the_checkpoint_that_it_goes_on_from(tmp_path):
    refuse_other_run(tmp_path, resumes=True)
    fill(tmp_path, record=DONE)
    refuse_other_run(tmp_path, resumes=True)
    fill(tmp_path, "checkpoints/best.ckpt")
    with pytest.raises(UserError, match="already holds a run"):
        refuse_other_run(tmp_path, resumes=True)  # it would begin anew and replace the file
    fill(tmp_path, "checkpoints/last.ckpt")
    refuse_other_run(tmp_path, resumes=True)


def test_this_process_may_write_to_a_folder_that_it_holds(tmp_path):
    with exclusive(tmp_path):
        refuse_other_run(tmp_path, resumes=False)


@pytest.mark.parametrize(
    ("mode", "out", "writes"),
    [
        ("train", None, True), ("convert", None, True), ("evaluate", None, True),
        ("compare", None, True), ("sample", None, True), ("sample", "music", False),
        ("export", None, True), ("export", "model", False), ("prepare", None, False),
        ("report", None, False), ("check", None, False),
    ],
)  # fmt: skip
def test_modes_that_write_elsewhere_need_no_run_folder(mode, out, writes):
    cfg = OmegaConf.create({"mode": mode, "sample": {"out": out}, "export": {"out": out}})
    assert writes_run_folder(cfg) is writes

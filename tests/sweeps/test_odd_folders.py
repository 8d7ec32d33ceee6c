"""Sweeps run, are reported and are resumed in folders of any name."""

import shlex

import pytest

from tests.conftest import TINY

NAMES = ["eq=dir", "co,ma", "quo'te", 'double"quote', "Tunes (1) #2 & ü♫", "back\\slash $HOME"]
SWEEP = ["--multirun", *TINY, "mode=prepare", "seed=1"]


@pytest.mark.slow("every job of a sweep is a process that imports torch")
def test_a_sweep_runs_in_folders_of_any_name(run_main, tmp_path):
    outputs = tmp_path.joinpath(*NAMES, "outputs")
    run_main(outputs, *SWEEP)
    (sweep,) = (outputs / "multirun").iterdir()
    assert '"status": "finished"' in (sweep / "0" / "job.json").read_text()
    again = run_main(outputs, *SWEEP, f"hydra.sweep.dir={sweep}", check=False)
    start = f"error: {sweep} already holds a sweep; to resume it: "
    assert again.stderr.startswith(start)
    (word,) = shlex.split(again.stderr.removeprefix(start))  # as a shell reads what is pasted
    run_main(outputs, *SWEEP, word)
    run_main(outputs, "mode=report", f"sweep.dir={sweep}")

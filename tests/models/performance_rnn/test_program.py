"""Performance RNN through the program: trained, sampled, evaluated, converted."""

import json
from pathlib import Path

import pytest
import symusic

from tests.models.performance_rnn.magenta import MAG

FILES = Path(__file__).parents[2] / "files" / "performance"
WIDTHS = "model.net.widths=[8]"
CONTROLS = "model.net.controls=[density,pitches]"
pytestmark = pytest.mark.slow("trains, and then samples, evaluates and converts with the program")


@pytest.fixture(scope="module")
def outputs(run_main, tmp_path_factory):
    """A folder with a finished training of a model with controls."""
    folder = tmp_path_factory.mktemp("performances") / "outputs"
    run_main(
        folder, "model=performance_rnn_small", WIDTHS, CONTROLS, "dataset=midi_folder",
        f"dataset.path={FILES}", "loader.batch_size=2", "trainer=cpu", "trainer.max_steps=2",
        "trainer.val_check_interval=1", "sample.num=1", "sample.max_tokens=40", "baselines=[1]",
        "~callbacks.panel",
    )  # fmt: skip
    return folder


def test_a_sample_is_as_long_as_it_may_be(run_main, outputs, tmp_path):
    run_main(
        outputs, "mode=sample", f"sample.out={tmp_path}", "sample.num=2", "sample.max_tokens=50",
        "sample.density=4", "sample.pitches=[2,0,1,0,1,1,0,1,0,1,0,1]",
    )  # fmt: skip
    about = json.loads((tmp_path / "samples.json").read_text())
    assert [sample["tokens"] for sample in about["samples"]] == [50, 50]
    assert not any("unfinished" in str(sample) for sample in about["samples"])
    assert symusic.Score(tmp_path / "sample_01.mid").tpq == 500


def test_a_condition_that_cannot_be_read_is_one_line(run_main, outputs):
    result = run_main(outputs, "mode=sample", "sample.pitches=[1,2]", check=False)
    assert result.returncode == 2
    assert "error: sample.pitches=[1, 2]: must be 12 weights" in result.stdout + result.stderr


def test_an_evaluation_measures_events(run_main, outputs):
    run_main(
        outputs, "mode=evaluate", "evaluate.split=val", "evaluate.num_samples=2",
        "evaluate.resamples=20", "sample.max_tokens=40", "baselines=[1]",
    )  # fmt: skip
    (report,) = (outputs / "evaluate").glob("*/report.json")
    held_out = json.loads(report.read_text())["held_out"]
    # All 45 events of the held-out piece but the first.
    assert (held_out["pieces"], held_out["tokens"], held_out["notes"]) == (1, 44, 12)
    names = {entry["name"] for entry in held_out["classes"]}
    assert names == {"pitch", "note off", "time shift", "velocity"}


def test_a_bundle_becomes_a_checkpoint_that_can_be_sampled(run_main, tmp_path):
    outputs = tmp_path / "outputs"
    result = run_main(
        outputs, "mode=convert", "model=performance_rnn", f"model.init_from={MAG}",
        "model.net.widths=[6,8,6]", CONTROLS,
    )  # fmt: skip
    command = result.stdout.split("python main.py ")[-1].split()
    run_main(outputs, *command, "sample.num=1", "sample.max_tokens=20", f"sample.out={tmp_path}")
    assert (tmp_path / "sample_01.mid").is_file()

"""The program itself: models are exported, played, started from, converted and checked."""

import pytest

from symbotunes.sweeps.jobs import note
from tests.checkpoints.formats.test_pickle import write
from tests.conftest import TINY
from tests.models.folk_rnn.authors import published

FEW = ["sample.num=1", "sample.max_tokens=20"]


together = pytest.mark.xdist_group("exported")  # one process exports once


@pytest.fixture(scope="module")
def exported(run_main, trained, tmp_path_factory):
    """The folder of an exported model with one sample."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    given = [f"ckpt={trained / 'checkpoints' / 'best.ckpt'}", f"export.out={folder}"]
    run_main(folder.with_name("outputs"), "mode=export", *given, "export.samples=1", *FEW)
    return folder


@together
def test_a_trained_model_is_exported_with_samples(exported):
    assert (exported / "model.safetensors").is_file()
    assert (exported / "samples" / "sample_01.mid").is_file()


@together
@pytest.mark.slow("samples from an export and trains with the program")
def test_an_exported_model_is_played_and_started_from(exported, run_main, tmp_path):
    music = tmp_path / "music"
    said = run_main(tmp_path, "mode=sample", f"ckpt={exported}", f"sample.out={music}", *FEW)
    assert "Listen" in said.stdout
    assert (music / "sample_01.abc").is_file()
    run_main(tmp_path, *TINY, f"model.init_from={exported}", "trainer.max_steps=1")


def test_a_check_that_finds_something_shows_its_table_and_ends_with_status_1(run_main, tmp_path):
    arguments = ["mode=check", "check.only=[folk_rnn_small]", "sample.top_p=2"]
    result = run_main(tmp_path / "outputs", *arguments, check=False)
    assert "errors: 1" in result.stdout
    assert "error: model=folk_rnn_small: sample: " in result.stdout
    assert result.returncode == 1


def test_published_weights_are_converted_to_a_checkpoint(run_main, tmp_path):
    weights = write(tmp_path / "folkrnn_v2.pkl", published())
    arguments = ["model=folk_rnn", f"model.init_from={weights}", "model.net.width=5"]
    result = run_main(tmp_path / "outputs", "mode=convert", *arguments)
    (checkpoint,) = (tmp_path / "outputs").rglob("best.ckpt")
    assert result.stdout.endswith(f"mode=sample ckpt={checkpoint}\n")


def test_the_folder_of_a_sweep_is_reported(run_main, tmp_path):
    sweep = tmp_path / "sweep"
    (sweep / "0").mkdir(parents=True)
    (sweep / "sweep.yaml").touch()
    note(sweep / "0", status="finished", overrides=["seed=1"])
    run_main(tmp_path / "outputs", "mode=report", f"sweep.dir={sweep}")
    assert "1 of 1 jobs finished" in (sweep / "sweep.html").read_text()

"""The program itself: models are exported, played, started from, converted and checked."""

from symbotunes.sweeps.jobs import note
from tests.checkpoints.formats.test_pickle import write
from tests.conftest import TINY
from tests.models.folk_rnn.authors import published

FEW = ["sample.num=1", "sample.max_tokens=20"]


def test_a_trained_model_is_exported_played_and_started_from(run_main, trained, tmp_path):
    folder, outputs = tmp_path / "model", tmp_path / "outputs"
    best = trained / "checkpoints" / "best.ckpt"
    run_main(
        outputs, "mode=export", f"ckpt={best}", f"export.out={folder}", "export.samples=1", *FEW
    )
    assert (folder / "samples" / "sample_01.mid").is_file()
    said = run_main(
        outputs, "mode=sample", f"ckpt={folder}", f"sample.out={tmp_path / 'music'}", *FEW
    )
    assert "Listen" in said.stdout
    assert (tmp_path / "music" / "sample_01.abc").is_file()
    run_main(outputs, *TINY, f"model.init_from={folder}", "trainer.max_steps=1")


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

"""The program itself: a trained model is exported, played and started from; models are checked."""

from tests.conftest import TINY

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

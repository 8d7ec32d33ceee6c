"""A run goes on with what it may change, finds its data where they are now, and knows its end."""

import csv
import json
import shutil

import pytest
import torch

from tests.conftest import TINY

together = pytest.mark.xdist_group("resume_room")
pytestmark = [together, pytest.mark.slow("resumes runs in processes of their own")]


def last_of(run):
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def one_line(text):
    return " ".join(text.split())


@pytest.fixture
def run(trained, tmp_path):
    """A copy of a finished run of 12 steps, below the folder of all runs."""
    return shutil.copytree(trained, tmp_path / "outputs" / "train" / "mine")


def test_a_finished_run_trains_nothing_and_says_how_to_go_on(run_main, run):
    before = (run / "run.json").read_bytes(), (run / "checkpoints" / "last.ckpt").read_bytes()
    said = run_main(run.parents[1], f"ckpt={run}", *TINY, "trainer.max_steps=12").stdout
    last = run / "checkpoints" / "last.ckpt"
    assert one_line(said) == (
        "Nothing to do all 12 steps of trainer.max_steps=12 are done; to go on longer: "
        f"python main.py ckpt={last} trainer.max_steps=24"
    )
    again = run_main(
        run.parents[1], *TINY, "trainer.max_steps=12", "resume=auto", f"hydra.run.dir={run}"
    )
    assert one_line(again.stdout) == one_line(said)
    assert before == ((run / "run.json").read_bytes(), last.read_bytes())


def test_a_run_whose_end_was_not_written_down_is_brought_to_it(run_main, run):
    record = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps(record | {"status": "interrupted"}))
    said = run_main(run.parents[1], f"ckpt={run}").stdout
    assert said.startswith("Nothing to do")
    assert json.loads((run / "run.json").read_text())["status"] == "finished"
    assert last_of(run)["global_step"] == 12


def test_rates_and_batches_change_if_they_are_asked_for(run_main, run):
    wanted = ["model.optimizer.lr=0.5", "loader.batch_size=8", "trainer.max_steps=16"]
    refused = run_main(run.parents[1], f"ckpt={run}", *wanted, check=False)
    assert refused.returncode == 2
    allowed = "ckpt_changes=[model.optimizer.lr,loader.batch_size]"
    assert refused.stderr.rstrip().endswith(f"add '{allowed}'")
    before = last_of(run)
    said = run_main(run.parents[1], f"ckpt={run}", *wanted, allowed).stdout
    assert "Changed model.optimizer.lr was 0.003 and is now 0.5" in one_line(said)
    assert "keeps its 12 steps" in one_line(said)
    after = last_of(run)
    # The schedule ends at step 12, at 5 % of the rate.
    assert after["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(0.05 * 0.5)
    assert [s["step"] for s in steps_of(after)] == [s["step"] + 4 for s in steps_of(before)]
    (place,) = after["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    (start,) = before["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    assert start["done"] > 0
    assert place == {"epoch": start["epoch"] + 1, "done": 4}
    assert json.loads((run / "run.json").read_text())["changes"] == {
        "model.optimizer.lr": [0.003, 0.5],
        "loader.batch_size": [16, 8],
    }
    with (run / "metrics.csv").open() as file:
        rows = [int(row["step"]) for row in csv.DictReader(file)]
    assert rows == sorted(set(rows))
    assert rows[-1] == 16


def steps_of(content):
    states = content["optimizer_states"][0]["state"].values()
    return [state for state in states if "step" in state]


def test_changed_batches_train_over_the_edges_of_passes(run_main, run):
    wanted = ["loader.batch_size=8", "trainer.accumulate_grad_batches=3", "trainer.max_steps=32"]
    allowed = "ckpt_changes=[loader.batch_size,trainer.accumulate_grad_batches]"
    run_main(run.parents[1], f"ckpt={run}", *wanted, allowed, "baselines=[]")
    after = last_of(run)
    assert after["global_step"] == 32
    (place,) = after["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    progress = after["loops"]["fit_loop"]["epoch_loop.batch_progress"]["current"]
    assert progress["ready"] % 3 == 0 or place["done"] == 0
    assert place["done"] in (0, progress["ready"])


BARS = ["G2B2 d2B2", "A2c2 e2c2", "B2d2 g2d2", "c2B2 A2G2", "d2e2 d2B2", "e2d2 c2A2"]


@pytest.fixture
def tunes(tmp_path):
    folder = tmp_path / "my tunes"
    folder.mkdir()
    for number in range(12):
        chosen = "|".join(BARS[(number * step) % 6] for step in range(1, 7))
        head = f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:G\n"
        (folder / f"{number:02}.abc").write_text(f"{head}{chosen}|G8|]\n")
    return folder


def test_a_run_finds_its_tunes_where_they_have_been_moved(run_main, tunes, tmp_path):
    outputs, run = tmp_path / "outputs", tmp_path / "outputs" / "train" / "mine"
    settings = [
        "dataset=abc_folder", *(word for word in TINY if not word.startswith("dataset")),
        "loader.batch_size=4", "trainer.val_check_interval=2", "resume=auto",
        f"hydra.run.dir={run}",
    ]  # fmt: skip
    run_main(outputs, *settings, f"dataset.path={tunes}", "trainer.max_steps=3")
    moved = tunes.rename(tmp_path / "moved")
    missing = run_main(outputs, f"ckpt={run}", "trainer.max_steps=4", check=False)
    assert missing.stderr.endswith(f"{tunes} does not exist; set dataset.path to ABC files\n")
    said = run_main(outputs, f"ckpt={run}", "trainer.max_steps=4", f"dataset.path={moved}").stdout
    assert "the data differ" not in one_line(said)
    back = moved.rename(tunes)
    said = run_main(outputs, *settings, f"dataset.path={back}", "trainer.max_steps=5").stdout
    assert "the data differ" not in one_line(said)
    assert last_of(run)["global_step"] == 5

    fewer = shutil.copytree(tunes, tmp_path / "fewer")
    for name in ("03.abc", "09.abc"):  # the same notes
        (fewer / name).unlink()
    for words in ([f"ckpt={run}"], settings):
        other = f"dataset.path={fewer}"
        refused = run_main(outputs, *words, other, "trainer.max_steps=6", check=False)
        assert refused.returncode == 2
        error = refused.stderr.splitlines()[-1]
        assert error.startswith(f"error: {other}: these are not the data of the run (")
        assert "pieces were kept of my tunes" in error
    assert last_of(run)["global_step"] == 5

    shutil.move(tunes, moved)
    measured = ["evaluate.num_samples=4", "evaluate.resamples=20", "evaluate.split=val"]
    folder = tmp_path / "report"
    run_main(
        outputs, "mode=evaluate", f"ckpt={run}", f"dataset.path={moved}", *measured,
        f"hydra.run.dir={folder}",
    )  # fmt: skip
    report = json.loads((folder / "report.json").read_text())
    assert report["facts"]["data"] == "moved"
    assert report["remarks"] == []

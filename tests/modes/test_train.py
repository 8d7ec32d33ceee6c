"""The main job from the command line: what a run leaves behind, and sampling from it."""

import csv
import json
import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.checkpoints.published import locate
from symbotunes.checkpoints.reopen import newest_checkpoint, other_data
from symbotunes.errors import UserError
from symbotunes.modes.sample import sample
from symbotunes.training.resume import limits_before, resumed
from tests.composing import composed
from tests.conftest import TINY


def test_a_run_folder_holds_what_a_reader_looks_for(trained):
    names = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    assert {
        "config.yaml",
        "run.json",
        "metrics.csv",
        "training.html",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "samples/best/index.html",
        "samples/best/samples.json",
    } <= names
    record = json.loads((trained / "run.json").read_text())
    assert record["status"] == "finished"


def test_a_checkpoint_opens_with_weights_only_and_carries_its_recipe(trained):
    content = torch.load(trained / "checkpoints" / "best.ckpt", weights_only=True)
    assert content["recipe"]["format"] == 1
    assert "symbotunes.models.folk_rnn.FolkRNN" in content["recipe"]["config"]
    assert "M:6/8" in content["recipe"]["tokenizer"]


def test_sampling_without_arguments_takes_the_newest_runs_best_checkpoint(trained, run_main):
    outputs = trained.parents[1]
    result = run_main(outputs, "mode=sample", "sample.num=1", "sample.max_tokens=30")
    (folder,) = (outputs / "sample").iterdir()
    table = json.loads((folder / "samples.json").read_text())
    assert table["facts"]["checkpoint"] == f"best.ckpt of {trained.name}"
    (row,) = table["samples"]
    shared = r"longest run shared with a training tune: (\d+) of (\d+) tokens, \S"
    longest, tokens = re.match(shared, row["likeness"]).groups()
    assert 1 <= int(longest) <= int(tokens) == row["tokens"]
    assert str(folder / "index.html") in result.stdout.replace("\n", "")


def test_without_a_run_the_model_that_comes_along_is_sampled(tmp_path, run_main):
    (tmp_path / "train" / "empty" / "checkpoints").mkdir(parents=True)
    words = ["mode=sample", "sample.num=1", "sample.max_tokens=30"]
    result = run_main(tmp_path, *words)
    (folder,) = (tmp_path / "sample").iterdir()
    facts = json.loads((folder / "samples.json").read_text())["facts"]
    assert (facts["checkpoint"], facts["constraint"]) == ("pretrained/folk_rnn", "abc")
    assert f"no trained model below {tmp_path}: this one comes with Symbotunes" in result.stdout


def test_the_newest_run_is_the_one_that_began_last_whatever_its_files_say(tmp_path):
    for name, started, files, written in (
        ("first", "2026-01-01T10:00:00+00:00", ("best.ckpt", "last.ckpt"), 2e9),  # copied later
        ("never_validated", "2026-01-02T10:00:00+00:00", ("last.ckpt",), 1e9),
        ("empty", "2026-01-03T10:00:00+00:00", (), 1e9),
    ):
        checkpoints = tmp_path / "train" / name / "checkpoints"
        checkpoints.mkdir(parents=True)
        (checkpoints.parent / "run.json").write_text(json.dumps({"started_utc": started}))
        for file in files:
            (checkpoints / file).touch()
            os.utime(checkpoints / file, (written, written))
    newest = tmp_path / "train" / "never_validated" / "checkpoints" / "last.ckpt"
    assert newest_checkpoint(tmp_path) == newest
    (tmp_path / "train" / "first" / "run.json").write_text("{")  # by its file, then
    assert newest_checkpoint(tmp_path).parents[1].name == "first"


def test_a_runs_folder_stands_for_its_checkpoint(trained, tmp_path):
    assert locate(trained) == trained / "checkpoints" / "best.ckpt"
    run = tmp_path / "train" / "only_begun"
    (run / "checkpoints").mkdir(parents=True)
    last = run / "checkpoints" / "last.ckpt"
    last.write_bytes((trained / "checkpoints" / "last.ckpt").read_bytes())
    assert locate(run) == newest_checkpoint(tmp_path) == last
    newer = tmp_path / "slurm" / "17" / "checkpoints"  # of a recipe in launch
    newer.mkdir(parents=True)
    (newer / "last.ckpt").touch()
    os.utime(newer / "last.ckpt", (2e9, 2e9))
    assert newest_checkpoint(tmp_path) == newer / "last.ckpt"
    going_on, checkpoint = resumed(composed(f"ckpt={run}"))
    assert going_on.ckpt == str(last)
    assert checkpoint.steps == 12


def resume(checkpoint, *arguments):
    """The config of a run that a command with these arguments goes on with."""
    cfg = composed(f"ckpt={checkpoint}", *arguments)
    OmegaConf.update(cfg, "sweep.overrides", list(arguments), force_add=True)
    return resumed(cfg)[0]


def test_a_resumed_run_keeps_its_seed_and_takes_what_may_change(trained):
    last = trained / "checkpoints" / "last.ckpt"
    for argument in ("seed=7", "name=other", "model.init_from=x.ckpt"):
        with pytest.raises(UserError, match="ckpt="):
            resume(last, argument)
    assert not resume(last).compile
    assert resume(last, "compile=true").compile
    assert resume(last, "baselines=[]").baselines == []


@pytest.mark.parametrize(
    ("data", "arguments", "begins"),
    [
        ("a", [], []),
        ("a", ["dataset.path=x"], []),
        ("b", [], ["the same dataset, but"]),
        ("b", ["dataset=folk"], ["these are not the data"]),
        ("published", [], ["these are not the data"]),
    ],
)
def test_reports_say_whether_the_data_are_those_of_the_training(data, arguments, begins):
    prepared = SimpleNamespace(encoded=SimpleNamespace(fingerprint="a"))
    cfg = OmegaConf.create({"sweep": {"overrides": arguments}})
    remarks = other_data(cfg, SimpleNamespace(data=data, identity=None), prepared)
    assert [remark.startswith(begin) for remark, begin in zip(remarks, begins, strict=True)] == [
        True for _ in begins
    ]


def test_a_resumed_run_keeps_trainer_settings_that_are_not_given_anew():
    now = OmegaConf.create({"trainer": {"max_steps": 9, "devices": 1}})
    before = {"max_steps": 5, "devices": [0, 1], "gradient_clip_val": 0.5, "_target_": "x"}
    saved = OmegaConf.create({"trainer": {**before, "default_root_dir": "/elsewhere"}})
    del before["_target_"]
    assert limits_before(saved, now) == before
    OmegaConf.update(now, "sweep.overrides", ["trainer.max_steps=9"], force_add=True)
    assert "max_steps" not in limits_before(saved, now)


def sampled(trained, tmp_path, *arguments):
    """The rows of what ``mode=sample`` with these arguments writes."""
    fixed = ["mode=sample", "name=tiny", "paths.run_dir=nowhere"]
    checkpoint = trained / "checkpoints" / "best.ckpt"
    sample(composed(*fixed, f"ckpt={checkpoint}", f"sample.out={tmp_path / 'out'}", *arguments))
    return json.loads((tmp_path / "out" / "samples.json").read_text())["samples"]


def test_a_sample_depends_on_its_seed_and_not_on_how_many_are_drawn(trained, tmp_path):
    three = sampled(trained, tmp_path / "a", "sample.num=3", "sample.max_tokens=40")
    again = f"sample.seeds=[{three[2]['seed']}]"
    one = sampled(trained, tmp_path / "b", again, "sample.max_tokens=40", "seed=44")
    assert [row["seed"] for row in one] == [three[2]["seed"]]
    body = [re.sub(r"^[XT]:.*$", "", row["abc"], flags=re.MULTILINE) for row in (one[0], three[2])]
    assert body[0] == body[1]


def test_a_sample_goes_on_from_its_prompt_in_its_key(trained, tmp_path):
    rows = sampled(
        trained,
        tmp_path,
        "sample.num=2",
        "sample.max_tokens=20",
        'sample.prompt="M:6/8 K:G D2 g"',
    )
    for row in rows:
        assert "\nM:6/8\nL:1/8\nK:Gmaj\nD2 g" in row["abc"]
        assert row["generated"] == row["tokens"] - 5 + row["finished"]


def test_a_sample_that_reaches_its_limit_is_kept_and_marked_unfinished(trained, tmp_path):
    (row,) = sampled(trained, tmp_path, "sample.num=1", "sample.max_tokens=5")
    assert row["generated"] == 5
    assert not row["finished"]
    assert row["notes"][0] == "unfinished: sample.max_tokens was reached"
    assert (tmp_path / "out" / "sample_01.mid").read_bytes()[:4] == b"MThd"


def test_temperature_zero_gives_one_sample_whatever_the_seed(trained, tmp_path):
    rows = sampled(
        trained, tmp_path, "sample.num=2", "sample.temperature=0", "sample.max_tokens=20"
    )
    assert rows[0]["nll_nats"] == pytest.approx(rows[1]["nll_nats"])


@pytest.mark.slow("runs the program once more")
def test_an_unknown_prompt_token_is_named_with_the_nearest_known(run_main, trained, tmp_path):
    result = run_main(
        tmp_path,
        "mode=sample",
        f"ckpt={trained / 'checkpoints' / 'best.ckpt'}",
        'sample.prompt="M:11/8 K:Cmaj"',
        check=False,
    )
    assert result.returncode == 2
    assert re.fullmatch(
        r"error: sample\.prompt: the model does not know M:11/8; the nearest is M:\d+/\d\n",
        result.stderr,
    )


def test_training_prints_the_baseline_and_what_to_type_next(run_main, tmp_path):
    result = run_main(
        tmp_path / "outputs", *TINY, "trainer.max_steps=4", "trainer.val_check_interval=2"
    )
    for expected in ("unigram", "nats per token", "mode=sample ckpt=", "index.html"):
        assert expected in result.stdout


MUSIC_VAE = [
    "model=music_vae",
    "dataset.collections=[nottingham-dataset,miscFolk]",
    "loader.prepare_workers=0",
    "model.net.latent=32",
    "model.net.encoder.widths=[32]",
    "model.net.decoder.widths=[32]",
    "trainer=cpu",
    "sample.num=1",
    "~callbacks.panel",
]


def overfit(run_main, outputs, model, column):
    """What the rows of a training on one batch say in a column."""
    run_main(outputs, *model, "model.optimizer.lr=0.02", "debug=overfit")
    (table,) = (outputs / "train").glob("*/metrics.csv")
    with table.open() as file:
        return [float(row[column]) for row in csv.DictReader(file) if row[column]]


@pytest.mark.slow("trains until a batch is known by heart")
def test_debug_overfit_drives_the_loss_of_one_batch_down(run_main, tmp_path):
    losses = overfit(run_main, tmp_path / "outputs", TINY, "train/loss")
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.slow("trains until a batch is known by heart")
def test_a_music_vae_overfits_a_batch_and_learns_an_attribute_of_other_tunes(run_main, tmp_path):
    # The loss is the bound: what latent vectors say of one batch costs more than it saves.
    nats = overfit(run_main, tmp_path / "outputs", MUSIC_VAE, "train/reconstruction_nats")
    assert nats[-1] < 0.5 * nats[0]
    given = ["sample=attribute", "dataset=folk", "dataset.collections=[miscFolk]"]
    run_main(tmp_path / "outputs", "mode=sample", *given)
    (page,) = (tmp_path / "outputs" / "sample").glob("*/index.html")
    assert "note density" in page.read_text()


@pytest.mark.slow("trains and resumes with the program")
def test_an_init_from_takes_weights_and_vocabulary_but_no_step(run_main, trained, tmp_path):
    source = shutil.copy(trained / "checkpoints" / "last.ckpt", tmp_path)
    run_main(
        tmp_path / "outputs",
        *TINY,
        "dataset.collections=[miscFolk]",
        f"model.init_from={source}",
        "trainer.max_steps=1",
        "trainer.val_check_interval=1",
        "model.optimizer.lr=0.0",
    )
    (path,) = (tmp_path / "outputs").glob("train/*/checkpoints/last.ckpt")
    before, after = (torch.load(p, weights_only=True) for p in (source, path))
    assert after["global_step"] == 1
    assert before["recipe"]["tokenizer"] == after["recipe"]["tokenizer"]
    for name, tensor in before["state_dict"].items():
        assert torch.equal(tensor, after["state_dict"][name]), name
    Path(source).unlink()  # its run is needed no more
    given = ["trainer.max_steps=2", "baselines=[]", "sample=prior"]
    result = run_main(tmp_path / "outputs", f"ckpt={path}", *given)
    assert "samples failed: sample=prior needs a latent model" in result.stdout  # yet it succeeded
    resumed_to = torch.load(path, weights_only=True)
    assert resumed_to["global_step"] == 2
    assert resumed_to["recipe"]["tokenizer"] == before["recipe"]["tokenizer"]


@pytest.mark.slow("runs the program, which prepares a training")
def test_weights_of_another_size_are_refused_in_one_line(run_main, trained, tmp_path):
    result = run_main(
        tmp_path / "outputs",
        *TINY,
        f"model.init_from={trained / 'checkpoints' / 'last.ckpt'}",
        "model.net.width=8",
        check=False,
    )
    assert "holds the weights of another model" in result.stderr
    assert result.returncode == 2


@pytest.mark.slow("compiles a network")
def test_a_compiled_run_trains_or_falls_back(run_main, tmp_path):
    result = run_main(
        tmp_path / "outputs",
        *TINY,
        "compile=true",
        "trainer.max_steps=1",
        "trainer.val_check_interval=1",
    )
    assert "mode=sample ckpt=" in result.stdout


@pytest.mark.slow("trains twice")
def test_a_run_is_resumed_with_its_own_vocabulary(run_main, tmp_path):
    """Files change, and later versions read more of them; the network's tokens stay."""
    tunes = tmp_path / "tunes"
    tunes.mkdir()
    bars = ["G2B2 d2B2", "A2c2 e2c2", "B2d2 g2d2", "c2B2 A2G2", "d2e2 d2B2", "e2d2 c2A2"]
    for number in range(12):
        chosen = "|".join(bars[(number * step) % 6] for step in range(1, 7))
        head = f"X:{number}\nT:Tune {number}\nM:4/4\nL:1/8\nK:G\n"
        (tunes / f"{number}.abc").write_text(f"{head}{chosen}|G8|]\n")
    settings = [
        "dataset=abc_folder", f"dataset.path={tunes}",
        *(word for word in TINY if not word.startswith("dataset")),
        "loader.batch_size=4", "trainer.val_check_interval=2",
    ]  # fmt: skip
    outputs = tmp_path / "outputs"
    run_main(outputs, *settings, "trainer.max_steps=4")
    (last,) = outputs.glob("train/*/checkpoints/last.ckpt")
    before = torch.load(last)["recipe"]["tokenizer"]
    new = ["^G2B2 d2z|=c2d2 e2z", "d2^G2 B2z|e2^G2 d2z", "B3^G2 A2|^G3B2 d2", "^G4 e3|d4 ^G3"]
    for number, bars_of_new in enumerate(new):  # some are trained on
        head = f"X:{number}\nT:New {number}\nM:7/8\nL:1/8\nK:G\n"
        (tunes / f"new{number}.abc").write_text(f"{head}{bars_of_new}|G7|]\n")
    said = run_main(outputs, f"ckpt={last}", "trainer.max_steps=8").stdout
    assert "pieces with tokens that the model does not know are left out" in " ".join(said.split())
    content = torch.load(last)
    assert content["recipe"]["tokenizer"] == before
    assert content["global_step"] == 8


@pytest.mark.slow("trains with the program")
def test_a_training_that_diverges_ends_with_a_warning_and_no_best_checkpoint(run_main, tmp_path):
    result = run_main(
        tmp_path / "outputs", *TINY, "trainer.max_steps=4", "trainer.val_check_interval=2",
        "model/optimizer=adam", "model/scheduler=constant", "model.optimizer.lr=1e37",
    )  # fmt: skip
    assert "Warning  the training has diverged: val/loss is " in result.stdout
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["last.ckpt"]
    assert json.loads((folder / "run.json").read_text())["best"]["value"] is None

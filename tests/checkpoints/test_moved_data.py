"""A checkpoint finds its data where the command line says they are now."""

import shutil

import pytest
import torch
from huggingface_hub import ModelCard
from omegaconf import OmegaConf

from symbotunes.checkpoints.card import Card, Metric, model_card
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import data_of, other_data
from symbotunes.cli.command_line import added_to_checkpoint
from symbotunes.errors import UserError
from tests.checkpoints.conftest import composed

ABC = "symbotunes.datasets.abc_folder.AbcFiles"
NOTES = ("CDEF", "GABc", "cBAG", "FEDC", "CEGc", "cGEC")


def write_tunes(folder, count=30):
    folder.mkdir(parents=True)
    bodies = [f"{a} {b}|" for a in NOTES for b in NOTES][:count]
    for number, body in enumerate(bodies):
        tune = f"X:1\nM:4/4\nL:1/8\nK:C\nCDEF GABc|{body}cBAG FEDC|\n"
        (folder / f"{number:02}.abc").write_text(tune)
    return folder


def command(tmp_path, *arguments):
    """The config of a command with these arguments, as the program composes it."""
    words = added_to_checkpoint(["mode=evaluate", *arguments])
    cfg = composed(*words, "loader.prepare_workers=0", f"loader.cache={tmp_path / 'cache'}")
    OmegaConf.update(cfg, "sweep.overrides", [*arguments], force_add=True)
    return cfg


@pytest.fixture
def trained_on(save, tmp_path):
    """A checkpoint of a training on a dataset, with what that prepares."""

    def write(dataset):
        content = torch.load(save(), weights_only=True)
        config = OmegaConf.create(content["recipe"]["config"])
        config.dataset = dataset
        content["recipe"]["config"] = OmegaConf.to_yaml(config)
        path = tmp_path / "outputs" / "train" / "mine" / "checkpoints" / "last.ckpt"
        path.parent.mkdir(parents=True)
        (path.parents[1] / "run.json").write_text("{}")
        torch.save(content, path)
        encoded = data_of(unpack(path), command(tmp_path)).encoded
        content["recipe"] |= {"data": encoded.fingerprint, "identity": encoded.identity.as_dict()}
        torch.save(content, path)
        return path

    return write


@pytest.fixture(autouse=True)
def outputs(monkeypatch, tmp_path):
    monkeypatch.setenv("SYMBOTUNES_OUTPUTS", str(tmp_path / "outputs"))


def test_moved_tunes_are_the_data_of_the_training(trained_on, tmp_path):
    tunes = write_tunes(tmp_path / "tunes")
    path = trained_on({"_target_": ABC, "path": str(tunes)})
    moved = tunes.rename(tmp_path / "other name")
    checkpoint = unpack(path)
    for words in ([f"dataset.path={moved}"], ["dataset=abc_folder", f"dataset.path={moved}"]):
        cfg = command(tmp_path, *words)
        data = data_of(checkpoint, cfg)
        assert data.corpus.name == "other name"
        assert other_data(cfg, checkpoint, data) == []


@pytest.mark.slow("prepares a corpus twice")
def test_a_moved_folder_of_the_same_name_is_not_prepared_again(trained_on, tmp_path):
    path = trained_on({"_target_": ABC, "path": str(write_tunes(tmp_path / "tunes"))})
    (tmp_path / "there").mkdir()
    moved = (tmp_path / "tunes").rename(tmp_path / "there" / "tunes")
    checkpoint = unpack(path)
    data = data_of(checkpoint, command(tmp_path, f"dataset.path={moved}"))
    assert data.encoded.fingerprint == checkpoint.data


@pytest.mark.slow("prepares a corpus of two folders")
def test_a_folder_inside_a_concatenation_is_moved_by_its_own_key(trained_on, tmp_path):
    corpora = {
        name: {"_target_": ABC, "path": str(write_tunes(tmp_path / name, count))}
        for name, count in (("airs", 20), ("jigs", 30))
    }
    target = "symbotunes.datasets.concat.Concat"
    path = trained_on({"_target_": target, "corpora": corpora, "steps": {}})
    moved = (tmp_path / "jigs").rename(tmp_path / "moved")
    checkpoint = unpack(path)
    cfg = command(tmp_path, f"dataset.corpora.jigs.path={moved}")
    data = data_of(checkpoint, cfg)
    assert other_data(cfg, checkpoint, data) == []
    assert checkpoint.identity.name == "airs + jigs"
    card = Card("t", None, None, 1, "float32", metrics=[Metric("loss", "val split", 1.5)])
    (result,) = ModelCard(model_card(checkpoint, card)).data.eval_results
    assert (result.dataset_name, result.dataset_type) == ("airs + jigs (val split)", "airs-jigs")


@pytest.mark.slow("prepares two corpora")
def test_other_tunes_are_told_from_those_of_the_training_by_their_count(trained_on, tmp_path):
    path = trained_on({"_target_": ABC, "path": str(write_tunes(tmp_path / "tunes"))})
    others = write_tunes(tmp_path / "others", 29)
    cfg = command(tmp_path, f"dataset.path={others}")
    (remark,) = other_data(cfg, unpack(path), data_of(unpack(path), cfg))
    assert remark.startswith(
        "these are not the data that the checkpoint was trained on (30 pieces were kept of tunes, "
        "29 are now)"
    )


def test_a_foreign_checkpoint_reads_the_folder_that_the_user_gives_and_no_other(
    trained_on, tmp_path
):
    tunes = write_tunes(tmp_path / "tunes")
    path = trained_on({"_target_": ABC, "path": str(tunes)})
    foreign = shutil.copy(path, tmp_path / "copied.ckpt")
    with pytest.raises(CheckpointError, match="must be set by you"):
        data_of(unpack(foreign), command(tmp_path))
    cfg = command(tmp_path, f"dataset.path={tunes}")
    assert other_data(cfg, unpack(foreign), data_of(unpack(foreign), cfg)) == []


def test_a_key_that_the_dataset_lacks_is_named_with_the_nearest(trained_on, tmp_path):
    path = trained_on({"_target_": ABC, "path": str(write_tunes(tmp_path / "tunes"))})
    for word in ("dataset.pth=x", "dataset.path.folder=x"):
        with pytest.raises(UserError, match=r"the checkpoint's dataset has no pa?th.*path"):
            data_of(unpack(path), command(tmp_path, word))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["ckpt=a", "dataset.path=b"], ["ckpt=a", "++dataset.path=b"]),
        (["mode=evaluate", "dataset.path=b"], ["mode=evaluate", "++dataset.path=b"]),
        (["ckpt=a", "dataset=x", "dataset.path=b"], ["ckpt=a", "dataset=x", "dataset.path=b"]),
        (["dataset.path=b"], ["dataset.path=b"]),
        (["ckpt=a", "seed=2", "~dataset.x"], ["ckpt=a", "seed=2", "~dataset.x"]),
    ],
)
def test_keys_of_a_checkpoint_are_added_where_no_option_was_chosen(arguments, expected):
    assert added_to_checkpoint(arguments) == expected

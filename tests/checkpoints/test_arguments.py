"""A checkpoint writes nowhere and fetches nothing at its own word, whoever made it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.checkpoints.arguments import dataset_of, dataset_options, is_own
from symbotunes.checkpoints.checkpoint import pack, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.reopen import data_of, rebuild
from symbotunes.config.build import build
from symbotunes.errors import UserError
from symbotunes.modes.compare import compare
from symbotunes.modes.evaluate import evaluate
from symbotunes.modes.sample import sample
from symbotunes.modes.train import train
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.training.resume import resumed
from tests.checkpoints.conftest import composed
from tests.checkpoints.strangers import exported, hostile, offline, with_dataset

SMALL = ["evaluate.num_samples=2", "sample.max_tokens=20", "evaluate.resamples=10"]
VAE = [
    "model=music_vae", "transforms=[melody]", "model.net.latent=8",
    "model.net.encoder.widths=[16]", "model.net.decoder.widths=[16]",
]  # fmt: skip
FOLK = "symbotunes.datasets.folk.Folk"


HOSTS = {
    "file": "raw.githubusercontent.com/IraKorshunova",
    "dump": "raw.githubusercontent.com/adactio",
    "archive": "github.com/jukedeck",
    "variant": "hog.ee.columbia.edu",
    "concat": "raw.githubusercontent.com/IraKorshunova",
}


@pytest.mark.parametrize("kind", HOSTS)
@pytest.mark.parametrize("form", ["file", "folder"])
def test_data_are_fetched_from_our_addresses_to_our_folders(
    save, kind, form, server, site, tmp_path, monkeypatch
):
    url, asked = server
    wanted = offline(monkeypatch, tmp_path / "ours")
    path = with_dataset(save(*VAE), tmp_path / "evil.ckpt", hostile(kind, url, site))
    path = exported(path, tmp_path / "model") if form == "folder" else path
    with pytest.raises(UserError, match="no network here"):
        data_of(unpack(path), composed())
    ((addresses, target),) = wanted
    assert HOSTS[kind] in addresses[0]
    assert target.is_relative_to(tmp_path / "ours" / "downloads")
    assert asked == []
    assert list(site.iterdir()) == []


def test_a_cache_is_filled_where_the_command_line_says(save, site, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMBOTUNES_DATA", str(tmp_path / "ours"))
    few = {"_target_": FOLK, "collections": ["miscFolk"]}
    places = {"loader__cache": str(site), "paths__data": str(site), "paths__root": str(site)}
    path = with_dataset(save(), tmp_path / "evil.ckpt", few, **places)
    given = ["loader.prepare_workers=0", "dataset=folk", "dataset.collections=[miscFolk]"]
    for arguments in ([], given):
        cfg = composed(*arguments)
        OmegaConf.update(cfg, "sweep.overrides", arguments, force_add=True)
        assert data_of(unpack(path), cfg).encoded.receipt.kept["train"] > 50
    assert list(site.iterdir()) == []
    assert any((tmp_path / "ours" / "cache").iterdir())


def test_a_dataset_of_the_command_line_replaces_one_that_is_not_known_here(save, tmp_path):
    path = with_dataset(save(), tmp_path / "other.ckpt", {"_target_": "their_plugin.data.Tunes"})
    with pytest.raises(CheckpointError, match="would run their_plugin.data.Tunes"):
        data_of(unpack(path), composed())
    arguments = ["dataset=folk", "dataset.collections=[miscFolk]", "loader.prepare_workers=0"]
    cfg = composed(*arguments, f"loader.cache={tmp_path / 'cache'}")
    OmegaConf.update(cfg, "sweep.overrides", arguments, force_add=True)
    assert data_of(unpack(path), cfg).encoded.receipt.read > 0


def test_a_dataset_of_the_command_line_is_fetched_to_our_folder(save, site, tmp_path, monkeypatch):
    """``${paths.data}`` in it is not looked up in the checkpoint's config."""
    wanted = offline(monkeypatch, tmp_path / "ours")
    few = {"_target_": FOLK, "collections": ["miscFolk"]}
    path = with_dataset(save(), tmp_path / "evil.ckpt", few, paths__data=str(site))
    cfg = composed("dataset=folk_rnn")
    OmegaConf.update(cfg, "sweep.overrides", ["dataset=folk_rnn"], force_add=True)
    with pytest.raises(UserError, match="no network here"):
        data_of(unpack(path), cfg)
    ((_, target),) = wanted
    assert target == tmp_path / "ours" / "downloads" / "folk_rnn" / "data_v2"


FILES = {
    "abc_folder": ("symbotunes.datasets.abc_folder.AbcFiles", "path"),
    "midi_folder": ("symbotunes.datasets.midi_folder.MidiFolder", "path"),
    "folk": (FOLK, "folder"),
    "jsb_chorales": ("symbotunes.datasets.jsb_chorales.JsbChorales", "folder"),
    "maestro": ("symbotunes.datasets.maestro.Maestro", "archive"),
}


@pytest.mark.parametrize("option", FILES)
@pytest.mark.parametrize(
    "opened",
    [
        lambda path: data_of(unpack(path), composed()),
        lambda path: resumed(composed(f"ckpt={path}")),
    ],
    ids=["evaluate", "resume"],
)
def test_files_that_a_foreign_checkpoint_names_are_asked_for(save, option, opened, tmp_path):
    target, argument = FILES[option]
    dataset = {"_target_": target, argument: "/elsewhere/tunes"}
    path = with_dataset(save(), tmp_path / "foreign.ckpt", dataset)
    with pytest.raises(CheckpointError) as caught:
        opened(path)
    assert str(caught.value) == (
        f"{path}: dataset.{argument}='/elsewhere/tunes' must be set by you, since the checkpoint "
        f"is not of a run below paths.root; give dataset={option} dataset.{argument}=PATH"
    )


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        ({"_target_": FOLK, "collections": {"a": "b"}}, "dataset=folk dataset.collections=VALUE"),
        ({"_target_": FOLK, "_args_": ["x"]}, "dataset=folk dataset._args_=VALUE"),
        ({"_target_": "symbotunes.datasets.midi_archive.ArchivedMidi"}, "would run"),
        ({"_target_": "symbotunes.data.module.MusicData"}, "names no dataset; give dataset=NAME"),
        ({}, "names no dataset; give dataset=NAME"),
    ],
)
def test_arguments_that_no_option_has_are_not_taken(save, dataset, message, tmp_path):
    path = with_dataset(save(), tmp_path / "foreign.ckpt", dataset)
    with pytest.raises(CheckpointError, match=message):
        data_of(unpack(path), composed())


def resume(path, *arguments):
    """The config that ``ckpt=PATH`` with these arguments goes on with."""
    cfg = composed(f"ckpt={path}", *arguments)
    OmegaConf.update(cfg, "sweep.overrides", list(arguments), force_add=True)
    return resumed(cfg)[0]


def test_a_resumed_run_may_be_told_where_its_data_lie_and_takes_no_others(save, tmp_path):
    tunes = {"_target_": FILES["abc_folder"][0], "path": "/elsewhere/tunes"}
    path = with_dataset(save(), tmp_path / "foreign.ckpt", tunes)
    cfg = resume(path, "dataset=abc_folder", f"dataset.path={tmp_path}")
    assert cfg.dataset.path == str(tmp_path)
    with pytest.raises(UserError, match="dataset=folk: a resumed run keeps the settings"):
        resume(path, "dataset=folk")


def test_a_resumed_run_takes_no_data_of_another_choice(save):
    with pytest.raises(UserError, match="a resumed run keeps the settings"):
        resume(save(), "dataset=folk", "dataset.collections=[miscFolk]")


def test_a_foreign_run_goes_on_in_a_new_folder_with_numbers_only(save, site, tmp_path):
    (site / "run.json").write_text("{}")
    trainer = {"trainer__model_registry": "theirs", "trainer__gradient_clip_val": 0.5}
    path = with_dataset(save(), site / "checkpoints" / "last.ckpt", {"_target_": FOLK}, **trainer)
    cfg = resume(path)
    assert cfg.paths.run_dir == "nowhere"
    assert "model_registry" not in cfg.trainer
    assert cfg.trainer.gradient_clip_val == 0.5


@pytest.mark.parametrize("key", ["name", "seed", "baselines", "compile"])
def test_values_are_nothing_to_be_built(save, key, tmp_path):
    more = {key: {"_target_": FOLK, "collections": "miscFolk"}}
    path = with_dataset(save(), tmp_path / "evil.ckpt", {"_target_": FOLK}, **more)
    with pytest.raises(CheckpointError, match=f"its {key} is not a value; it is not opened"):
        resumed(composed(f"ckpt={path}"))


def test_a_loader_cannot_open_files_of_a_cache_under_construction(save, tmp_path):
    writer = {"_target_": "symbotunes.data.cache.arrays.ShardWriter", "folder": str(tmp_path)}
    path = with_dataset(save(), tmp_path / "evil.ckpt", {"_target_": FOLK}, loader__split=writer)
    with pytest.raises(CheckpointError, match="would run symbotunes.data.cache.arrays.ShardWriter"):
        data_of(unpack(path), composed())


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder in which a run of ours could lie."""
    monkeypatch.setenv("SYMBOTUNES_OUTPUTS", str(tmp_path / "outputs"))
    monkeypatch.setenv("SYMBOTUNES_DATA", str(tmp_path / "ours"))
    folder = tmp_path / "outputs" / "multirun" / "day" / "0"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    return folder


def owned(path):
    return is_own(unpack(path), composed())


def test_a_checkpoint_is_own_where_its_run_put_it_and_nowhere_else(save, run, tmp_path):
    path = save()
    best = Path(shutil.copy(path, run / "checkpoints" / "best.ckpt"))
    assert owned(best)
    assert owned(run)
    assert not owned(path)
    assert not owned(Path(shutil.copy(path, run / "best.ckpt")))
    assert not owned(exported(best, run / "model"))
    link = run / "checkpoints" / "linked.ckpt"
    link.symlink_to(path)
    assert not owned(link)
    outside = tmp_path / "outside" / "run"
    shutil.copytree(run, outside)
    (tmp_path / "outputs" / "linked").symlink_to(outside)
    assert not owned(tmp_path / "outputs" / "linked" / "checkpoints" / "best.ckpt")
    (run / "run.json").unlink()
    assert not owned(best)


def test_outputs_may_be_a_link_to_another_disk(save, run, tmp_path, monkeypatch):
    shutil.copy(save(), run / "checkpoints" / "best.ckpt")
    (tmp_path / "outputs").rename(tmp_path / "disk")
    (tmp_path / "outputs").symlink_to(tmp_path / "disk")
    assert owned(run / "checkpoints" / "best.ckpt")


TUNE = "X:1\nT:A\nM:4/4\nL:1/8\nK:C\nCDEF GABc|{}cBAG FEDC|\n\n"


def test_an_own_checkpoint_reads_the_files_that_it_names(save, run, tmp_path):
    tunes = tmp_path / "tunes.abc"
    notes = ("CDEF", "GABc", "cBAG", "FEDC", "CEGc", "cGEC")
    bodies = (f"{a} {b}|" for a in notes for b in notes)
    tunes.write_text("".join(TUNE.format(body) for body in bodies))
    dataset = {"_target_": FILES["abc_folder"][0], "path": str(tunes)}
    path = with_dataset(save(), run / "checkpoints" / "best.ckpt", dataset)
    cfg = composed("loader.prepare_workers=0")
    kept = data_of(unpack(path), cfg).encoded.receipt.kept
    assert sum(kept.values()) == 36
    assert resume(path).dataset.path == str(tunes)
    assert resume(path).paths.run_dir == str(run)


def test_an_own_checkpoint_reads_data_elsewhere_but_unpacks_none_there(
    save, run, server, tmp_path, monkeypatch
):
    url, asked = server
    offline(monkeypatch, tmp_path / "ours")
    monkeypatch.setenv("SYMBOTUNES_OUTPUTS", str(tmp_path / "outputs"))
    disk = tmp_path / "disk"
    disk.mkdir()
    dataset = hostile("archive", url, disk)
    path = with_dataset(save(), run / "checkpoints" / "best.ckpt", dataset)
    with pytest.raises(CheckpointError) as caught:
        resume(path)
    assert str(caught.value) == (
        f"{path}: dataset.path={disk} holds no data to read, and a checkpoint does not choose "
        "where to download or unpack; give dataset=nottingham dataset.path=PATH"
    )
    (disk / "nottingham-dataset").mkdir()
    assert resume(path).dataset == dataset
    moved = resume(path, "dataset=nottingham", f"dataset.path={tmp_path / 'moved'}")
    assert moved.dataset.path == str(tmp_path / "moved")
    (disk / "nottingham-dataset").rmdir()
    (tmp_path / "ours" / "downloads" / "nottingham" / "nottingham-dataset").mkdir(parents=True)
    assert resume(path).dataset.path == str(tmp_path / "ours" / "downloads" / "nottingham")
    assert asked == []
    assert list(disk.iterdir()) == []


def test_a_vocabulary_from_files_comes_with_the_checkpoint(save, tmp_path):
    """So the files need not be there, and a stranger's checkpoint has none read."""
    path = with_dataset(save(), tmp_path / "foreign.ckpt", {"_target_": FOLK})
    content = torch.load(path, weights_only=True)
    config = OmegaConf.create(content["recipe"]["config"])
    bpe = AbcBpe(vocabulary_size=260)
    bpe.fit_ids([])
    step = {"_target_": "symbotunes.tokenizers.abc_bpe.AbcBpe", "files": str(tmp_path / "nowhere")}
    config.transforms = {"abc_bpe": step}
    net = build(config.model.net, vocabulary=bpe.vocabulary)
    content["state_dict"] = {f"net.{key}": tensor for key, tensor in net.state_dict().items()}
    content["recipe"] = pack(config, bpe.state(), data="")
    torch.save(content, path)
    assert rebuild(unpack(path))[1].vocabulary.size == bpe.vocabulary.size


def measured(path, tmp_path):
    evaluate(composed(f"ckpt={path}", *SMALL))


def compared(path, tmp_path):
    compare(composed(f"compare.ckpts=[{path},{tmp_path / 'missing.ckpt'}]", *SMALL))


def played(path, tmp_path):
    sample(composed(f"ckpt={path}", "sample=attribute", f"sample.out={tmp_path / 'music'}"))


def gone_on_with(path, tmp_path):
    train(composed(f"ckpt={path}", f"paths.run_dir={tmp_path / 'run'}", "trainer=cpu"))


@pytest.mark.parametrize("mode", [measured, compared, played, gone_on_with])
@pytest.mark.parametrize("kind", ["archive", "tunes"])
def test_no_mode_writes_or_fetches_at_a_checkpoints_word(
    save, mode, kind, server, site, tmp_path, monkeypatch, capsys
):
    url, asked = server
    wanted = offline(monkeypatch, tmp_path / "ours")
    tunes = {"_target_": FILES["midi_folder"][0], "path": str(site)}
    dataset = tunes if kind == "tunes" else hostile("archive", url, site)
    path = with_dataset(save(*VAE), tmp_path / "evil.ckpt", dataset, loader__cache=str(site))
    with pytest.raises(UserError) as caught:
        mode(path, tmp_path)
    answer = " ".join(f"{caught.value} {capsys.readouterr().out}".split())
    assert ("give dataset=midi_folder dataset.path=PATH" in answer) == (kind == "tunes")
    assert ("no network here" in answer) == (kind == "archive") == bool(wanted)
    assert asked == []
    assert list(site.iterdir()) == []


@pytest.mark.slow("exports, evaluates and trains by the program")
def test_an_exported_model_is_evaluated_as_it_stands(run_main, trained, tmp_path):
    best, folder = trained / "checkpoints" / "best.ckpt", tmp_path / "model"
    few = ["trainer=cpu", "sample.num=1", "sample.max_tokens=20"]
    run_main(trained.parents[1], "mode=export", f"ckpt={best}", f"export.out={folder}", *few)
    outputs = tmp_path / "elsewhere" / "outputs"
    run_main(outputs, "mode=evaluate", f"ckpt={folder}", *SMALL)
    (report,) = outputs.glob("evaluate/*/report.json")
    facts = json.loads(report.read_text())
    assert facts["facts"]["data"] == "Folk"
    assert facts["remarks"] == []  # the data of the training, although all folders are others
    result = run_main(outputs, f"ckpt={trained / 'checkpoints/last.ckpt'}", "trainer.max_steps=13")
    assert "the run goes on in a folder of its own" in " ".join(result.stdout.split())
    (run,) = outputs.glob("train/*/checkpoints/last.ckpt")
    assert torch.load(run, weights_only=True)["global_step"] == 13


def test_the_shipped_model_reads_our_folk_tunes():
    checkpoint = unpack(Path("pretrained/folk_rnn"))
    cfg = composed()
    assert not is_own(checkpoint, cfg)
    dataset = dataset_of(checkpoint, cfg, build)
    assert dataset == dataset_options(cfg)["folk"]

"""Files of strangers and strange input: nothing of them runs, nothing is written elsewhere.

Archives that lead out of their folder are in tests/datasets/fetch/test_unpack.py, pages whose
titles carry scripts in tests/render/test_gallery.py.
"""

import json
import os
import time

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.checkpoints.card import Card, model_card
from symbotunes.checkpoints.checkpoint import pack, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.export import describe
from symbotunes.checkpoints.published import write_folder
from symbotunes.checkpoints.reopen import data_of
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.build import build
from symbotunes.errors import UserError
from symbotunes.generation.sequences.prompts import read_prompt, read_prompt_file
from symbotunes.modes.export import export
from symbotunes.modes.sample import sample
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.training.resume import resumed
from tests.checkpoints.conftest import composed

MODES = {
    "mode=sample": lambda path: sample(composed(f"ckpt={path}")),
    "mode=export": lambda path: export(composed(f"ckpt={path}", f"export.out={path}.out")),
    "mode=train": lambda path: resumed(composed(f"ckpt={path}")),
    "model.init_from": read_weights,
}


@pytest.fixture(params=MODES.values(), ids=MODES.keys())
def opened_by(request):
    """Everything that opens a checkpoint."""
    return request.param


@pytest.fixture(params=["file", "folder"])
def poisoned(request, save, tmp_path):
    """A checkpoint, or an exported folder, with changes of its config."""

    def make(change):
        path = save()
        content = torch.load(path, weights_only=True)
        config = OmegaConf.to_container(OmegaConf.create(content["recipe"]["config"]))
        change(config)
        if request.param == "file":
            content["recipe"]["config"] = json.dumps(config)
            torch.save(content, path)
            return path
        checkpoint = unpack(path)
        folder = tmp_path / "model"
        description = describe(checkpoint) | {"config": config}
        write_folder(folder, checkpoint.weights, description, "float32")
        return folder

    return make


def calling(tmp_path):
    """A target that would leave a trace, and the trace."""
    trace = tmp_path / "it_ran"
    return {"_target_": "os.mkdir", "_args_": [str(trace)]}, trace


@pytest.mark.parametrize(
    "place",
    [
        lambda config, node: config["model"].update(net=node),
        lambda config, node: config["model"]["net"].update(deep=[{"deeper": node}]),
        lambda config, node: config["transforms"].update(more=node),
        lambda config, node: config["transforms"].update(more={"_target_": "${dataset._target_}"}),
    ],
    ids=["network", "deep in the network", "transform", "interpolation"],
)
def test_a_config_that_names_foreign_code_is_not_built(poisoned, opened_by, place, tmp_path):
    node, trace = calling(tmp_path)
    path = poisoned(lambda config: place(config, node))
    with pytest.raises(CheckpointError, match="it is not opened"):
        opened_by(path)
    assert not trace.exists()


@pytest.mark.parametrize("key", ["dataset", "loader"])
def test_data_of_foreign_code_are_not_read(poisoned, key, tmp_path):
    node, trace = calling(tmp_path)
    path = poisoned(lambda config: config.update({key: node}))
    with pytest.raises(UserError, match="would run os.mkdir"):
        data_of(unpack(path), composed())
    assert not trace.exists()


@pytest.mark.parametrize("key", ["optimizer", "scheduler"])
def test_an_optimizer_of_foreign_code_is_not_gone_on_with(save, key, tmp_path):
    path, (node, trace) = save(), calling(tmp_path)
    content = torch.load(path, weights_only=True)
    config = OmegaConf.create(content["recipe"]["config"])
    config.model[key] = node
    content["recipe"] = pack(config, {}, data="")
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="would run os.mkdir"):
        resumed(composed(f"ckpt={path}"))
    assert not trace.exists()


@pytest.mark.parametrize("wrapped", [lambda node: node, lambda node: [node], lambda node: [[node]]])
def test_trainer_settings_that_name_code_are_not_taken_over(save, wrapped, tmp_path):
    path, (node, _) = save(), calling(tmp_path)
    content = torch.load(path, weights_only=True)
    config = OmegaConf.create(content["recipe"]["config"])
    OmegaConf.update(config, "trainer.more", wrapped(node), force_add=True)
    OmegaConf.update(config, "trainer.plain", [1, 2], force_add=True)
    content["recipe"] = pack(config, {}, data="")
    torch.save(content, path)
    trainer = resumed(composed(f"ckpt={path}"))[0].trainer
    assert "more" not in trainer
    assert trainer.plain == [1, 2]


def test_a_pickle_that_runs_code_is_not_opened(opened_by, tmp_path):
    trace = tmp_path / "it_ran"

    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(trace),))

    torch.save({"state_dict": {}, "recipe": Bomb()}, tmp_path / "bomb.ckpt")
    with pytest.raises(UserError, match="more than weights and plain values"):
        opened_by(tmp_path / "bomb.ckpt")
    assert not trace.exists()


def test_where_files_go_is_not_the_checkpoints_to_say(save, tmp_path, monkeypatch):
    for name in ("SYMBOTUNES_DATA", "SYMBOTUNES_OUTPUTS"):
        monkeypatch.delenv(name, raising=False)
    path = save(f"trainer.default_root_dir={tmp_path}/out", f"loader.cache={tmp_path}/cache")
    cfg, _ = resumed(composed(f"ckpt={path}"))
    assert cfg.trainer.default_root_dir == "nowhere"
    assert cfg.loader.cache == "outputs/cache"


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"_target_": "nowhere.Net"}, "net: .*nowhere.Net"),
        ({"_target_": "symbotunes.models.folk_rnn.FolkRn"}, "net: .*FolkRn"),
        ({"_target_": "symbotunes.training.schedules.LinearDecay", "stepz": 3}, "net: .*stepz"),
    ],
)
def test_a_target_that_does_not_exist_is_one_line_that_names_its_key(node, message):
    with pytest.raises(UserError, match=message) as caught:
        build(OmegaConf.create({"net": node}).net)
    assert "\n" not in str(caught.value)
    assert "HYDRA_FULL_ERROR" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["M:4/4 K:C " + "A" * 10**6, "[" * 10**6, "K:" * 500_000],
    ids=["notes", "brackets", "keys"],  # as ids, the texts would go to and from every worker
)
def test_a_prompt_of_a_megabyte_is_refused_at_once(text):
    begin = time.process_time()
    with pytest.raises(
        UserError, match=r"sample.prompt has 1,000,0\d\d characters, at most 20,000"
    ):
        read_prompt(AbcTokens("folk_rnn"), text)
    assert time.process_time() - begin < 0.5


def test_a_long_wrong_prompt_is_answered_in_short():
    with pytest.raises(UserError) as caught:
        read_prompt(AbcTokens("folk_rnn"), "K:" + "K" * 15_000)
    assert len(str(caught.value)) < 300


def test_a_prompt_file_of_megabytes_takes_no_longer_than_its_reading(tmp_path):
    path = tmp_path / "long.abc"
    path.write_text("X:1\nT:Long\nM:4/4\nL:1/8\nK:C\n" + "CDEF GABc|\n" * 5_000)
    begin = time.process_time()
    assert len(read_prompt_file(AbcTokens("folk_rnn"), path, 2).ids) < 60
    assert time.process_time() - begin < 10


def test_a_title_cannot_write_the_front_matter_of_a_card(save):
    title = "x\n---\nlicense: mit\n---\n# y"
    card = Card(title=title, license=None, data=None, parameters=1, dtype="float32")
    text = model_card(unpack(save()), card)
    assert text.split("---\n")[1].count("license:") == 1
    assert "license: other" in text.split("---\n")[1]


def test_a_card_does_not_import_what_a_config_names(save, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    checkpoint = unpack(save())
    checkpoint.config.dataset._target_ = "evil_module.Corpus"
    card = Card(title="x", license=None, data=None, parameters=1, dtype="float32")
    with pytest.raises(UserError, match="would run evil_module.Corpus"):
        model_card(checkpoint, card)

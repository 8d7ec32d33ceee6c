import errno
import os
import shutil

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from symbotunes.checkpoints.checkpoint import pack, unpack
from symbotunes.checkpoints.error import CheckpointError
from symbotunes.checkpoints.trust import (
    READING,
    SAMPLING,
    TRAINING,
    defined_in,
    trusted_modules,
)
from symbotunes.errors import UserError
from symbotunes.training.checkpoint_io import AtomicCheckpointIO
from symbotunes.training.resume import continued, resumed
from tests.conftest import ROOT

NET = {"_target_": "symbotunes.models.folk_rnn.FolkRNN", "width": "${width}"}


def save(path, net=NET, noted=None, **changes):
    cfg = OmegaConf.create({"width": 8, "model": {"net": net}, "transforms": {}})
    recipe = {**pack(cfg, {"tokens": ["A", "é"]}, data="abc"), **changes}
    torch.save(
        {
            "state_dict": {"net.w": torch.ones(2), "other": torch.ones(1)},
            "recipe": recipe,
            **(noted or {}),
        },
        path,
    )
    return path


def test_the_config_survives_with_interpolations_resolved(tmp_path):
    checkpoint = unpack(save(tmp_path / "last.ckpt"))
    assert checkpoint.config.model.net.width == 8
    assert checkpoint.tokenizer == {"tokens": ["A", "é"]}
    assert checkpoint.data == "abc"


def test_how_far_the_training_was_is_known(tmp_path):
    noted = {
        "global_step": 120,
        "real_tokens": 34567,
        "callbacks": {"Timer": {}, "BestAndLast": {"best_model_score": torch.tensor(1.875)}},
        "rng": [],
        "optimizer_states": [],
        "loops": {},
    }
    checkpoint = unpack(save(tmp_path / "last.ckpt", noted=noted))
    assert (checkpoint.steps, checkpoint.tokens) == (120, 34567)
    assert (checkpoint.best, checkpoint.resumable) == (1.875, True)
    bare = unpack(save(tmp_path / "bare.ckpt"))
    assert (bare.steps, bare.tokens, bare.best, bare.resumable) == (0, 0, None, False)


def test_weights_without_the_state_of_a_training_cannot_be_resumed(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    path = save(tmp_path / "checkpoints" / "best.ckpt", noted={"rng": []})  # as mode=convert wrote
    assert not unpack(path).resumable
    shutil.copy(path, path.with_name("last.ckpt"))
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        cfg = compose("config", [f"ckpt={path}"])
        again = compose("config", ["resume=auto", f"paths.run_dir={tmp_path}"])
    for resume, command in ((resumed, cfg), (continued, again)):
        with pytest.raises(UserError, match="no training state to resume from; start a new run"):
            resume(command)


@pytest.mark.parametrize(
    ("noted", "changes", "message"),
    [
        ({"global_step": "many"}, {}, "global_step is not a whole number"),
        ({"real_tokens": None}, {}, "real_tokens is not a whole number"),
        ({}, {"tokenizer": "{"}, "carries no vocabulary"),
        ({}, {"tokenizer": "[]"}, "carries no vocabulary"),
        ({"state_dict": [1]}, {}, "checkpoint of another program"),
    ],
)
def test_a_damaged_part_is_named(tmp_path, noted, changes, message):
    with pytest.raises(CheckpointError, match=message):
        unpack(save(tmp_path / "last.ckpt", noted=noted, **changes))


def test_weights_are_those_of_the_network_under_its_own_names(tmp_path):
    assert list(unpack(save(tmp_path / "last.ckpt")).weights) == ["w"]


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "torch.hub.load",
        "symbotunes.models.base.nn.Module",
        "symbotunes.files.atomic_write",
        "symbotunes.models.nothing.Here",
        "symbotunes.modelsfake.X",
    ],
)
@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: {**NET, "deep": [t]}], ids=["top", "deep"])
def test_a_checkpoint_cannot_name_foreign_code(tmp_path, target, wrap):
    with pytest.raises(CheckpointError, match="would run"):
        unpack(save(tmp_path / "evil.ckpt", wrap({"_target_": target})))


def test_a_resumed_run_may_name_optimizers_but_no_functions():
    modules = trusted_modules(TRAINING)
    assert defined_in(modules, "torch.optim.AdamW")
    assert defined_in(modules, "torch.optim.SGD")  # which no config of ours names
    assert not defined_in(modules, "torch.optim.os.system")
    assert not defined_in(modules, "torch.load")


@pytest.mark.parametrize(
    ("groups", "offered", "beyond"),
    [
        (SAMPLING, "symbotunes.models.gpt2.GPT2", "symbotunes.datasets.lakh.Lakh"),
        (READING, "symbotunes.datasets.lakh.Lakh", "torch.optim.AdamW"),
        (TRAINING, "torch.optim.AdamW", "symbotunes.training.callbacks.run_setup.RunSetup"),
    ],
)
def test_only_modules_that_a_config_of_the_groups_names_are_trusted(groups, offered, beyond):
    modules = trusted_modules(groups)
    assert defined_in(modules, offered)
    assert not defined_in(modules, beyond)
    packages = {"models", "tokenizers", "transforms", "datasets", "data", "training"}
    assert not modules & {"symbotunes", *(f"symbotunes.{package}" for package in packages)}
    # A class of the package, but not an option of the user; it fetches files.
    assert not defined_in(modules, "symbotunes.datasets.fetch.download.Published")


def test_a_checkpoint_that_pickles_code_is_not_opened(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "exploded"),))

    torch.save({"state_dict": {}, "recipe": Bomb()}, tmp_path / "bomb.ckpt")
    with pytest.raises(CheckpointError, match="more than weights and plain values"):
        unpack(tmp_path / "bomb.ckpt")
    assert not (tmp_path / "exploded").exists()


def test_a_missing_file_says_what_to_set(tmp_path):
    with pytest.raises(CheckpointError, match=r"no checkpoint at .*set ckpt=PATH"):
        unpack(tmp_path / "none.ckpt")


def test_a_git_lfs_pointer_is_told_from_a_checkpoint(tmp_path):
    pointer = tmp_path / "model.ckpt"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(CheckpointError, match="git lfs pull"):
        unpack(pointer)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_checkpoint_says_so(tmp_path, share):
    path = save(tmp_path / "last.ckpt")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match="truncated"):
        unpack(path)


@pytest.mark.parametrize("content", [b"bad\n", b"\0" * 99, b"X:1\nK:C\n", b"(lp0\n."])
def test_any_other_file_is_no_checkpoint(tmp_path, content):
    (tmp_path / "tune.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a checkpoint|another program"):
        unpack(tmp_path / "tune.ckpt")


def test_a_file_of_another_program_is_refused(tmp_path):
    torch.save({"state_dict": {}}, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="another program"):
        unpack(tmp_path / "other.ckpt")
    torch.save([1, 2], tmp_path / "list.ckpt")
    with pytest.raises(CheckpointError, match="another program"):
        unpack(tmp_path / "list.ckpt")


def test_a_future_format_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="recipe format 2, this version reads 1"):
        unpack(save(tmp_path / "new.ckpt", format=2))


def test_the_old_checkpoint_survives_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "last.ckpt"
    AtomicCheckpointIO().save_checkpoint({"step": 1}, path)

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        AtomicCheckpointIO().save_checkpoint({"step": 2}, path)
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]

"""What a command may say beside ``ckpt=``, and with ``resume=auto`` in the folder of a run."""

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.cli.command_line import added_to_checkpoint
from symbotunes.errors import UserError
from symbotunes.training.changes import changes_between
from symbotunes.training.prospects import schedule_notes
from symbotunes.training.resume import continued, resumed
from tests.checkpoints.conftest import composed, write_checkpoint

FIRST = [
    "model.net.width=8", "loader.batch_size=8", "trainer.max_steps=120", "model.optimizer.lr=0.01",
    "dataset=abc_folder", "dataset.path=/elsewhere/tunes",
]  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The last checkpoint of a run of our own that began with these arguments."""
    outputs = tmp_path_factory.mktemp("runs") / "outputs"
    path = outputs / "train" / "mine" / "checkpoints" / "last.ckpt"
    path.parent.mkdir(parents=True)
    (path.parents[1] / "run.json").write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYMBOTUNES_OUTPUTS", str(outputs))
        yield write_checkpoint(path, *FIRST)


def resume(path, *arguments):
    """What a command goes on with; keys that Hydra does not know are added, as the program does."""
    known = composed()
    added = added_to_checkpoint([f"ckpt={path}", *arguments])
    words = [
        word.removeprefix("++")
        if OmegaConf.select(known, word.removeprefix("++").partition("=")[0]) is not None
        else word
        for word in added
    ]
    cfg = composed(*words)
    OmegaConf.update(cfg, "sweep.overrides", [*arguments], force_add=True)
    return resumed(cfg)


def changed(path, *arguments):
    cfg, checkpoint = resume(path, *arguments)
    return {
        change.key: (change.before, change.now)
        for change in changes_between(checkpoint.config, cfg)
    }


def test_arguments_that_equal_the_saved_ones_are_accepted(path):
    cfg, checkpoint = resume(path, *FIRST, "trainer.max_steps=200", "name=tiny", "seed=42")
    assert cfg.model == checkpoint.config.model
    assert cfg.trainer.max_steps == 200
    assert changed(path, *FIRST, "transforms=[abc_tokens_137]", "model=folk_rnn_small") == {}


def test_a_choice_that_would_set_other_values_is_refused(path):
    with pytest.raises(UserError, match="^model=gpt2_mini: a resumed run keeps the settings"):
        resume(path, "model=gpt2_mini")


@pytest.mark.parametrize("key", ["workers", "prepare_workers", "file_seconds"])
def test_what_changes_no_result_may_differ(path, key):
    cfg, _ = resume(path, f"loader.{key}=3")
    assert cfg.loader[key] == 3
    assert cfg.loader.batch_size == 8


def test_what_changes_results_is_refused_with_the_line_that_allows_it(path):
    arguments = [
        "model.optimizer.lr=0.5",
        "loader.batch_size=4",
        "trainer.accumulate_grad_batches=2",
    ]
    keys = "model.optimizer.lr,loader.batch_size,trainer.accumulate_grad_batches"
    with pytest.raises(UserError) as caught:
        resume(path, *arguments)
    assert str(caught.value) == (
        f"{' '.join(arguments)}: a resumed run keeps the settings of its checkpoint "
        "(model.optimizer.lr was 0.01, loader.batch_size was 8, trainer.accumulate_grad_batches "
        f"was 1); to go on with other values, add 'ckpt_changes=[{keys}]'"
    )
    assert changed(path, *arguments, f"ckpt_changes=[{keys}]") == {
        "model.optimizer.lr": (0.01, 0.5),
        "loader.batch_size": (8, 4),
        "trainer.accumulate_grad_batches": (1, 2),
    }


def test_what_is_asked_for_already_stays_in_the_line(path):
    with pytest.raises(UserError, match=r"'ckpt_changes=\[loader.batch_size,model.optimizer.lr\]'"):
        resume(
            path, "loader.batch_size=4", "model.optimizer.lr=1", "ckpt_changes=[loader.batch_size]"
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ckpt_changes=[model.net.width]"], "model.net.width cannot change in a resumed run"),
        (["ckpt_changes=[model.optimizer._target_]"], "_target_ cannot change"),
        (["ckpt_changes=[dataset.path]"], "dataset.path cannot change"),
        (["ckpt_changes=[loader.batchsize]"], r"did you mean loader.batch_size\?"),
        (["ckpt_changes=[model.optimizer.rate]"], "config has no model.optimizer.rate"),
        (["ckpt_changes=[loader.batch_size]"], "nothing sets it: add loader.batch_size=VALUE"),
        (["ckpt_changes={a:1}"], "give a list of keys, such as 'ckpt_changes=.loader.batch_size.'"),
        (["model.optimizer.lrr=1"], r"no model.optimizer.lrr; did you mean model.optimizer.lr\?"),
        (["model.net.width=16", "ckpt_changes=[model.optimizer.lr]"], "model.init_from=PATH"),
        (["model.init_from=x"], "remove model.init_from"),
    ],
)  # fmt: skip
def test_other_wishes_are_refused_in_one_line(path, arguments, message):
    with pytest.raises(UserError, match=message) as caught:
        resume(path, *arguments)
    assert "\n" not in str(caught.value)


def test_a_key_that_is_asked_for_and_given_its_value_again_changes_nothing(path):
    asked = "ckpt_changes=[model.optimizer.lr]"
    assert changed(path, "model.optimizer.lr=0.01", asked) == {}
    assert changed(path, "model.optimizer.lr=0.02", "ckpt_changes=model.optimizer.lr") == {
        "model.optimizer.lr": (0.01, 0.02)
    }


def test_a_prolonged_run_keeps_its_schedule_unless_it_is_stretched(path):
    cfg, _ = resume(path, "trainer.max_steps=300")
    assert cfg.model.scheduler.steps == 120
    (note,) = schedule_notes(cfg)
    assert note.startswith("the schedule of the learning rate keeps its 120 steps: from there to")
    assert "'ckpt_changes=[model.scheduler.steps]' stretches the schedule" in note
    cfg, _ = resume(path, "trainer.max_steps=300", "ckpt_changes=[model.scheduler.steps]")
    assert cfg.model.scheduler.steps == 300
    assert list(schedule_notes(cfg)) == []


def test_a_folder_that_has_moved_is_named_by_its_key_alone(path):
    assert resume(path, "dataset.path=/new/tunes")[0].dataset.path == "/new/tunes"
    assert resume(path, *FIRST[:-1], "dataset.path=/new/tunes")[0].dataset.path == "/new/tunes"


def automatic(path, *arguments):
    cfg = composed("resume=auto", f"paths.run_dir={path.parents[1]}", *FIRST, *arguments)
    OmegaConf.update(cfg, "sweep.overrides", [*FIRST, *arguments], force_add=True)
    return continued(cfg)


def test_with_resume_auto_more_steps_keep_the_schedule(path):
    cfg, _ = automatic(path, "trainer.max_steps=300")
    assert (cfg.trainer.max_steps, cfg.model.scheduler.steps) == (300, 120)
    asked = "ckpt_changes=[model.scheduler.steps]"
    assert automatic(path, "trainer.max_steps=300", asked)[0].model.scheduler.steps == 300


def test_with_resume_auto_data_and_caches_may_be_elsewhere(path, tmp_path):
    moved = ["dataset.path=/new/tunes", f"loader.cache={tmp_path}", "loader.workers=2"]
    cfg, _ = automatic(path, *moved)
    assert (cfg.dataset.path, cfg.loader.cache) == ("/new/tunes", str(tmp_path))


def test_with_resume_auto_other_settings_need_to_be_asked_for(path):
    for argument, hint in (
        ("model.optimizer.lr=0.5", "to go on with it, add 'ckpt_changes=[model.optimizer.lr]'"),
        ("model.net.width=16", "is a different run: model.net.width was 8 and is now 16"),
        ("trainer.accumulate_grad_batches=2", "ckpt_changes=[trainer.accumulate_grad_batches]"),
    ):
        with pytest.raises(UserError) as caught:
            automatic(path, argument)
        assert str(caught.value).endswith(hint) or hint in str(caught.value)
    cfg, _ = automatic(path, "model.optimizer.lr=0.5", "ckpt_changes=[model.optimizer.lr]")
    assert cfg.model.optimizer.lr == 0.5


def test_a_checkpoint_of_before_is_resumed_by_what_ran_then(path, tmp_path):
    content = torch.load(path, weights_only=True)
    path = tmp_path / "before.ckpt"
    config = OmegaConf.create(content["recipe"]["config"])
    del config.loader.split["by"], config["ckpt_changes"]
    content["recipe"]["config"] = OmegaConf.to_yaml(config)
    torch.save(content, path)
    told = ["loader.split.by=content", "dataset.path=/new/tunes"]
    assert resume(path, *told)[0].loader.split == {"val": 0.05, "test": 0.05}
    with pytest.raises(UserError, match="loader.split.by=family: a resumed run keeps"):
        resume(path, "loader.split.by=family")

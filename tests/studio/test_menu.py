"""The menu lists what is included, named, and finished."""

import json
import os
import shutil
from pathlib import Path

import pytest

from symbotunes.errors import UserError
from symbotunes.studio.menu import Menu
from symbotunes.studio.warm import WarmModels


def run(root, name, checkpoint, **record):
    folder = root / "train" / name
    (folder / "checkpoints").mkdir(parents=True)
    shutil.copy(checkpoint, folder / "checkpoints" / "best.ckpt")
    (folder / "run.json").write_text(json.dumps(record))
    return str(folder / "checkpoints" / "best.ckpt")


def started(hour):
    return f"2026-01-01T{hour:02d}:00:00+00:00"


def test_runs_that_have_ended_follow_the_models_included_the_newest_first(checkpoints, tmp_path):
    early = run(tmp_path, "early", checkpoints["tunes"], status="finished", started_utc=started(1))
    late = run(tmp_path, "late", checkpoints["tunes"], status="stopped", started_utc=started(2))
    alive = {"status": "running", "started_utc": started(3), "pid": os.getpid()}
    run(tmp_path, "alive", checkpoints["tunes"], **alive)
    menu = Menu(tmp_path)
    ids = [entry.id for entry in menu.entries()]
    assert ids[0] == "pretrained/folk_rnn"
    assert ids[-2:] == [late, early]
    assert menu.left_out == {}


def test_a_run_says_what_it_was_trained_on_and_how_well(checkpoints, tmp_path):
    source = run(tmp_path, "mine", checkpoints["tunes"], status="finished")
    menu = Menu(tmp_path)
    menu.entries()
    entry = menu.entry(source)
    assert entry.name == "tiny, mine"
    assert entry.kind == "FolkRNN"
    assert entry.trained_on == "Folk"
    assert entry.likelihood == "1.875 nats per token on the val split, best of the training"
    assert entry.abc
    assert json.loads(json.dumps(entry.as_json()))["id"] == source


def test_named_models_come_first_and_damaged_ones_are_left_out(checkpoints, tmp_path):
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes(b"PK\x03\x04 no checkpoint")
    names = [checkpoints["windows"], str(damaged), str(tmp_path / "missing.ckpt")]
    menu = Menu(tmp_path, names)
    assert menu.entries()[0].id == checkpoints["windows"]
    assert list(menu.left_out) == names[1:]
    assert all("\n" not in reason for reason in menu.left_out.values())


def test_a_run_that_was_removed_leaves_the_menu(checkpoints, tmp_path):
    source = run(tmp_path, "gone", checkpoints["tunes"], status="finished")
    menu = Menu(tmp_path)
    menu.entries()
    shutil.rmtree(tmp_path / "train" / "gone")
    assert source not in [entry.id for entry in menu.entries()]
    with pytest.raises(UserError, match="not on the menu"):
        menu.entry(source)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tunes", {"sample", "continue"}),
        ("fills", {"sample", "continue", "infill"}),
        ("events", {"sample", "continue", "infill", "accompany"}),
        ("windows", {"sample", "prior", "interpolate", "attribute", "reconstruct"}),
    ],
)
def test_a_model_says_what_it_can_do(menu, checkpoints, name, expected):
    assert set(menu.entry(checkpoints[name]).abilities) == expected


def test_the_model_that_stands_in_writes_the_same_notation(menu, checkpoints):
    assert menu.able("infill", abc=True).id == "pretrained/gpt2"
    assert menu.able("infill", abc=False).id == checkpoints["events"]
    assert menu.able("harmonize", abc=False).id == "pretrained/chorales"
    assert menu.able("harmonize", abc=True) is None


def copied(checkpoints, tmp_path, name="tunes"):
    file = tmp_path / f"{name}.ckpt"
    shutil.copy(checkpoints[name], file)
    menu = Menu(tmp_path, [str(file)])
    return file, menu.entries()[0]


def test_a_model_is_loaded_once_and_again_when_it_is_written_anew(checkpoints, tmp_path):
    file, entry = copied(checkpoints, tmp_path)
    models, loaded = WarmModels(), []
    first = models.get(entry, lambda: loaded.append(1))
    assert models.get(entry, lambda: loaded.append(2)) is first
    os.utime(file, ns=(0, 0))
    assert models.get(entry, lambda: loaded.append(3)) is not first
    assert loaded == [1, 3]


def test_a_model_that_is_deleted_while_it_is_warm_goes_on(checkpoints, tmp_path):
    file, entry = copied(checkpoints, tmp_path)
    models = WarmModels(most=1)
    first = models.get(entry)
    file.unlink()
    assert models.get(entry) is first
    (other,) = Menu(tmp_path, [checkpoints["fills"]]).entries()[:1]
    models.get(other)
    with pytest.raises(UserError, match="tiny, tunes cannot be loaded"):
        models.get(entry)


def test_the_weights_are_kept_once(menu, checkpoints):
    model = WarmModels().get(menu.entry(checkpoints["tunes"]))
    assert not model.checkpoint.weights
    assert Path(model.checkpoint.path) == Path(checkpoints["tunes"])

"""Models are called by what tells them apart."""

from pathlib import Path
from types import SimpleNamespace

from omegaconf import OmegaConf

from symbotunes.checkpoints.names import model_names, run_of


def model(path="out/2026-01-01/checkpoints/best.ckpt", name="gpt", steps=1000, seed=1, lr=0.1):
    config = {"name": name, "seed": seed, "model": {"optimizer": {"lr": lr}}, "logger": path}
    return SimpleNamespace(path=Path(path), steps=steps, config=OmegaConf.create(config))


def test_a_name_has_the_config_and_the_steps():
    assert model_names([model(), model(name="folk_rnn", steps=200)]) == [
        "gpt, 1,000 steps",
        "folk_rnn, 200 steps",
    ]


def test_models_of_one_name_are_told_apart_by_their_settings():
    assert model_names([model(lr=0.1), model(lr=0.2), model(steps=2000)]) == [
        "gpt, 1,000 steps, model.optimizer.lr=0.1",
        "gpt, 1,000 steps, model.optimizer.lr=0.2",
        "gpt, 2,000 steps",
    ]
    assert model_names([model(seed=1, lr=0.1), model(seed=2, lr=0.3)]) == [
        "gpt, 1,000 steps, seed=1, model.optimizer.lr=0.1",
        "gpt, 1,000 steps, seed=2, model.optimizer.lr=0.3",
    ]


def test_models_of_one_config_are_told_apart_by_file_then_run_then_number():
    last = model("out/2026-01-01/checkpoints/last.ckpt")
    assert [name.rpartition(", ")[2] for name in model_names([model(), last])] == [
        "best.ckpt",
        "last.ckpt",
    ]
    other = model("out/2026-02-02/checkpoints/best.ckpt")
    assert [name.rpartition(", ")[2] for name in model_names([model(), other])] == [
        "2026-01-01",
        "2026-02-02",
    ]
    assert [name.rpartition(", ")[2] for name in model_names([model(), model()])] == ["1", "2"]


def test_names_are_unique_where_only_some_are_alike():
    other = model("out/b/checkpoints/best.ckpt")
    names = model_names([model(), other, model(seed=2), model(seed=2, lr=0.3)])
    assert len(set(names)) == 4


def test_a_checkpoint_that_cannot_be_read_is_called_by_its_place():
    assert run_of(Path("/out/mine/checkpoints/best.ckpt")) == "mine"
    assert run_of(Path("/models/broken.ckpt")) == "broken"

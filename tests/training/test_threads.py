"""The number of threads of a training: who decides it, and that measuring it changes nothing."""

from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from symbotunes.errors import UserError
from symbotunes.training import threads
from symbotunes.training.threads import fastest, step_times, use_threads
from symbotunes.training.trainer import make_trainer
from tests.composing import composed
from tests.conftest import TINY


@pytest.fixture
def two_threads(monkeypatch):
    """A process that may compute in two threads, which nobody has decided on."""
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def measured(monkeypatch):
    """Measurements that find one thread to be fastest; returns how often they were made."""
    calls = []
    monkeypatch.setattr(threads, "step_times", lambda *_: calls.append(1) or {1: 0.01, 2: 0.04})
    return calls


def run_of(tmp_path, *arguments, checkpoint=None, **trainer):
    """What a run says of its threads, and what it notes."""
    cfg = composed("paths.run_dir=run", "name=x", *arguments)
    cfg.paths.run_dir = str(tmp_path)
    cfg.sweep.overrides = list(arguments)
    model = SimpleNamespace(recipe={}, parts=())
    plain = {"strategy": SimpleNamespace(root_device=torch.device("cpu")), "world_size": 1}
    line = use_threads(cfg, checkpoint, model, SimpleNamespace(**plain | trainer), None)
    assert model.recipe.get("threads") in (None, torch.get_num_threads())
    return line, model.recipe.get("threads")


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({1: 1.0, 2: 0.6, 4: 0.4}, 4),
        ({1: 1.0, 2: 0.97}, 1),  # not clearly faster
        ({1: 1.0, 2: 0.9, 4: 0.89}, 2),
        ({1: 0.01, 2: 0.1}, 1),
        ({1: 1.0}, 1),
    ],
)
def test_more_threads_are_taken_where_they_are_clearly_faster(times, expected):
    assert fastest(times) == expected


def test_auto_takes_what_is_measured_and_says_so(two_threads, measured, tmp_path):
    line, number = run_of(tmp_path, "trainer.threads=auto")
    assert number == 1
    assert line == (
        "1 (measured for a step in threads: 1: 10 ms, 2: 40 ms); trainer.threads=N sets it"
    )


@pytest.mark.parametrize(
    ("arguments", "trainer"),
    [
        (["trainer.threads=null"], {}),
        (["trainer=cpu"], {}),
        (["compile=true"], {}),
        ([], {"world_size": 2}),
    ],
)
def test_pytorchs_number_is_kept_where_nothing_is_measured(
    two_threads, measured, tmp_path, arguments, trainer
):
    assert run_of(tmp_path, *arguments, **trainer) == (None, 2)
    assert not measured


def test_the_users_variable_wins_over_a_measurement(two_threads, measured, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run_of(tmp_path) == (None, 2)
    assert run_of(tmp_path, "trainer.threads=1")[1] == 1
    assert not measured


def test_other_devices_have_no_threads(two_threads, measured, tmp_path):
    device = SimpleNamespace(root_device=torch.device("cuda"))
    assert run_of(tmp_path, strategy=device) == (None, None)


@pytest.mark.parametrize(
    ("kept", "arguments", "expected"),
    [
        (1, [], 1),
        (None, [], 2),  # of an earlier version, which took PyTorch's
        (1, ["trainer.threads=2"], 2),
        (10**6, [], 2),  # more than there are cores
    ],
)
def test_a_resumed_run_takes_the_number_of_its_checkpoint(
    two_threads, measured, tmp_path, kept, arguments, expected
):
    checkpoint = SimpleNamespace(threads=kept)
    assert run_of(tmp_path, *arguments, checkpoint=checkpoint)[1] == expected
    assert not measured


def test_all_jobs_of_a_sweep_take_the_number_of_the_first(two_threads, measured, tmp_path):
    for number in (0, 1):
        torch.set_num_threads(2)
        line, taken = run_of(tmp_path / str(number), f"sweep.num={number}")
        assert taken == 1
    assert line == "1 (as in the first job of this sweep); trainer.threads=N sets it"
    assert len(measured) == 1
    assert [path.name for path in tmp_path.iterdir()] == [".threads"]


@pytest.mark.parametrize("value", [0, -1, 1.5, "many", True])
def test_other_values_are_refused(value):
    with pytest.raises(UserError, match=r"^trainer.threads=.*: must be a whole number of at least"):
        make_trainer(accelerator="cpu", precision="32-true", max_steps=1, threads=value)


def test_measuring_changes_neither_weights_nor_random_states_and_leaves_no_gradients(two_threads):
    from symbotunes.models.base import Batch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(3))
            self.parts = ()

        def training_losses(self, batch):
            noise = torch.rand(3)
            return {"loss": SimpleNamespace(objective=(self.weight * noise).sum())}

    model = Net().eval()
    trainer = make_trainer(
        accelerator="cpu", precision="32-true", max_steps=1, logger=False,
        enable_checkpointing=False,
    )  # fmt: skip
    batch = Batch(torch.ones(4, 7, dtype=torch.long), torch.tensor([7, 6, 5, 2]))
    data = SimpleNamespace(train_dataloader=lambda: [batch])
    before = torch.get_rng_state()
    times = step_times(model, trainer, data)
    assert set(times) == {1, 2}
    assert min(times.values()) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(model.weight, torch.ones(3))
    assert model.weight.grad is None
    assert not model.training
    assert torch.get_num_threads() == 2


@pytest.mark.slow("trains twice and resumes, to see what is recorded")
def test_the_number_is_in_the_record_and_in_checkpoints(run_main, tmp_path):
    short = [*TINY, "trainer.max_steps=2", "trainer.val_check_interval=2", "trainer.threads=2"]
    result = run_main(tmp_path / "outputs", *short)
    assert "Threads  2 (trainer.threads); trainer.threads=N sets it\n" in result.stdout
    (folder,) = (tmp_path / "outputs" / "train").iterdir()
    record = OmegaConf.load(folder / "run.json")
    assert record.threads == 2
    last = folder / "checkpoints" / "last.ckpt"
    assert torch.load(last, weights_only=True)["recipe"]["threads"] == 2
    result = run_main(tmp_path / "outputs", f"ckpt={last}", "trainer.max_steps=3")
    assert "Threads  2 (as in the checkpoint); trainer.threads=N sets it\n" in result.stdout

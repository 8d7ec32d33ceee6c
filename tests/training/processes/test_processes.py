"""Two processes on the CPU (gloo) train as one does."""

import json
import multiprocessing
import os
import socket
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.processes import several

LIMIT = 120  # seconds: a process that waits for another in vain would do so for half an hour

pytestmark = [
    pytest.mark.slow("trains in pairs of processes"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks, so as not to import torch anew"),
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def train(folder: Path, **settings: Any) -> list[dict[str, Any]]:
    """What each of the processes noted."""
    folder.mkdir()
    settings = {"devices": 2, "steps": 6} | settings
    fork, port = multiprocessing.get_context("fork"), free_port()
    processes = [
        fork.Process(target=be, args=(rank, port, folder, settings))
        for rank in range(settings["devices"])
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
    stuck = [process for process in processes if process.is_alive()]
    for process in stuck:
        process.kill()
    logs = "".join(path.read_text()[-3000:] for path in sorted(folder.glob("*.log")))
    assert not stuck, f"the processes wait for each other: {logs}"
    assert [process.exitcode for process in processes] == [0] * len(processes), logs
    return [json.loads(path.read_text()) for path in sorted(folder.glob("rank_*.json"))]


def be(rank: int, port: int, folder: Path, settings: dict[str, Any]) -> None:
    """A process of a training, as a launcher starts it."""
    os.environ.pop("PL_GLOBAL_SEED", None)  # of another test, from which DDP would seed again
    log = os.open(folder / f"{rank}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if settings["devices"] > 1:
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
        os.environ |= {"LOCAL_RANK": str(rank), "NODE_RANK": "0"}
    torch.set_num_threads(1)
    several.main(folder, settings)


def train_alone(folder: Path, **settings: Any) -> dict[str, Any]:
    (alone,) = train(folder, strategy="auto", **{"devices": 1} | settings)
    return alone


def weights(folder: Path) -> dict[str, torch.Tensor]:
    path = folder / "checkpoints" / "last.ckpt"
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)["state_dict"]
    return state


def assert_same_weights(folder: Path, other: Path) -> None:
    # But for the windows that a MusicVAE has seen last: each process keeps its own.
    first, second = (
        {name: weight for name, weight in weights(place).items() if "prior." not in name}
        for place in (folder, other)
    )
    assert first.keys() == second.keys()
    for name, weight in first.items():
        torch.testing.assert_close(weight, second[name], rtol=1e-4, atol=1e-5, msg=name)


def means(ranks: list[dict[str, Any]]) -> list[float]:
    """The loss of each step over all processes, which have equally many rows."""
    pairs = zip(*(rank["losses"] for rank in ranks), strict=True)
    return [sum(pair) / len(pair) for pair in pairs]


@pytest.mark.parametrize(
    ("network", "optimizer", "groups"),
    [
        # Decayed: embedding, positions, and four matrices of each of two blocks.
        ("gpt2", "grouped", [[10, 0.5], [18, 0.0]]),
        # Two layers with two matrices and one trained bias each, the head, h0 and c0.
        ("folk_rnn", "muon", [[10, 0.1]]),
        ("folk_rnn", "rmsprop", [[10, 0.0]]),
        ("music_vae", "muon", None),
    ],
)
def test_sharded_training_with_clipping_is_that_of_one_process(
    tmp_path, network, optimizer, groups
):
    settings = {"network": network, "optimizer": optimizer, "clip": 0.2, "still_latent": True}
    if network != "music_vae":
        del settings["still_latent"]
    alone = train_alone(tmp_path / "alone", **settings)
    ranks = train(tmp_path / "sharded", strategy="fsdp", **settings)
    assert min(alone["norms"]) > 0.2  # every step is clipped
    assert means(ranks) == pytest.approx(alone["losses"], abs=1e-5)
    for rank in ranks:
        assert rank["norms"] == pytest.approx(alone["norms"], abs=1e-5)
        assert rank["groups"] == alone["groups"]
        assert groups is None or rank["groups"] == groups
    assert_same_weights(tmp_path / "sharded", tmp_path / "alone")


@pytest.mark.parametrize("first", ["fsdp", "auto"])
def test_a_sharded_run_resumes_as_another_and_another_as_a_sharded_one(tmp_path, first):
    settings = {"network": "gpt2", "optimizer": "grouped", "clip": 0.2}
    second = {"fsdp": "auto", "auto": "fsdp"}[first]
    devices = {"fsdp": 2, "auto": 1}
    whole = train_alone(tmp_path / "whole", steps=12, **settings)
    train(tmp_path / "first", strategy=first, devices=devices[first], **settings)
    last = str(tmp_path / "first" / "checkpoints" / "last.ckpt")
    ranks = train(
        tmp_path / "second", strategy=second, devices=devices[second], steps=12, resume=last,
        **settings,
    )  # fmt: skip
    assert means(ranks) == pytest.approx(whole["losses"][6:], abs=1e-5)
    assert_same_weights(tmp_path / "second", tmp_path / "whole")


@pytest.mark.parametrize("strategy", ["ddp", "fsdp"])
@pytest.mark.parametrize("held_out", [[3, 0], [1, 2]])
def test_processes_with_uneven_shares_validate_as_one_does(tmp_path, strategy, held_out):
    settings = {"network": "music_vae", "optimizer": "muon", "still_latent": True}
    alone = train_alone(tmp_path / "alone", held_out=[3], **settings)
    ranks = train(tmp_path / "shared", strategy=strategy, held_out=held_out, **settings)
    metrics = {name for name in alone["metrics"] if name.startswith("val/")}
    assert metrics >= {"val/loss", "val/kl_nats", "val/active_units", "val/aggregate_std"}
    for rank in ranks:
        for name in metrics:
            assert rank["metrics"][name] == pytest.approx(alone["metrics"][name], abs=1e-5), name


def test_processes_draw_different_numbers(tmp_path):
    settings = {"network": "gpt2", "optimizer": "grouped", "dropout": 0.5, "steps": 2}
    alone = train_alone(tmp_path / "alone", **settings)
    first, second = train(tmp_path / "shared", strategy="ddp", **settings)
    assert first["draws"] == alone["draws"]
    assert second["draws"] != first["draws"]

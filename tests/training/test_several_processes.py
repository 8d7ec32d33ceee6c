"""What processes after the first do not repeat."""

import pytest
from lightning.pytorch.utilities.rank_zero import rank_zero_only

from symbotunes.errors import UserError
from symbotunes.training.processes import first_console
from symbotunes.training.sharding import FullyShard
from symbotunes.training.trainer import make_trainer


@pytest.mark.parametrize(("rank", "printed"), [(0, "a table\n"), (1, "")])
def test_the_first_process_alone_prints(rank, printed, monkeypatch, capsys):
    monkeypatch.setattr(rank_zero_only, "rank", rank, raising=False)
    first_console().print("a table")
    assert capsys.readouterr().out == printed


def test_fsdp_is_fully_shard_also_on_a_cpu():
    settings = {"accelerator": "cpu", "precision": "32-true", "max_steps": 1, "logger": False}
    trainer = make_trainer(**settings, strategy="fsdp", devices=2, enable_checkpointing=False)
    assert isinstance(trainer.strategy, FullyShard)
    with pytest.raises(
        UserError, match="trainer.strategy=fsdp_cpu_offload: choose fsdp, ddp or auto"
    ):
        make_trainer(**settings, strategy="fsdp_cpu_offload")

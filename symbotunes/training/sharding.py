"""Training in which every process holds a part of the weights: PyTorch's ``fully_shard``.

Not Lightning's FSDPStrategy: it flattens parameters, whose shapes then no longer tell which of them
have weight decay or are matrices for Muon; it cannot clip by norm; and it has no CPU processes.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from lightning.pytorch.core.optimizer import LightningOptimizer
from lightning.pytorch.strategies import ModelParallelStrategy
from lightning.pytorch.strategies.strategy import Strategy
from torch import Tensor
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, Replicate
from torch.optim import Optimizer

from symbotunes.models.base import Loss, Model


class FullyShard(ModelParallelStrategy):
    """Shards weights, gradients and optimizer states over all processes.

    Checkpoints are single files with the same content as those of other strategies, so that a run
    may resume with any of them and on any number of devices.
    """

    def __init__(self) -> None:
        super().__init__(tensor_parallel_size=1, save_distributed_checkpoint=False)

    def setup_environment(self) -> None:
        self._data_parallel_size = self.num_nodes * self.num_processes
        super().setup_environment()

    @property
    def lightning_restore_optimizer(self) -> bool:
        return True

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state, on the CPU; every process has to call it."""
        if isinstance(optimizer, LightningOptimizer):
            optimizer = optimizer.optimizer
        state = optimizer.state_dict()
        return {**state, "state": _mapped(state["state"], lambda _, value: whole(value).cpu())}

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> Any:
        return Strategy.load_checkpoint(self, checkpoint_path, weights_only)

    def load_model_state_dict(self, checkpoint: Mapping[str, Any], strict: bool = True) -> None:
        assert self.model is not None
        options = StateDictOptions(full_state_dict=True, strict=strict)
        set_model_state_dict(self.model, dict(checkpoint["state_dict"]), options=options)

    def load_optimizer_state_dict(self, checkpoint: Mapping[str, Any]) -> None:
        for optimizer, saved in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            # States are numbered in the order of parameters in all groups.
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]

            def shared(number: int, value: Tensor, weights: list[Tensor] = weights) -> Tensor:
                return part_like(value, weights[number])

            optimizer.load_state_dict({**saved, "state": _mapped(saved["state"], shared)})


def shard(net: Model, mesh: DeviceMesh) -> None:
    """Leave to this process its part of a network's weights.

    The weights of `Model.sharded_parts` are gathered for each part while it runs, all others while
    the network computes its loss.
    """
    _make_loss_transparent()
    for part in net.sharded_parts:
        fully_shard(part, mesh=mesh)
    fully_shard(net, mesh=mesh)
    register_fsdp_forward_method(net, "loss")


def whole_state(net: Model) -> dict[str, Tensor] | None:
    """All weights of a sharded network, on the CPU; ``None`` if it is not sharded.

    Every process has to call it; those after the first get an empty dict.
    """
    if not isinstance(net, FSDPModule):
        return None
    options = StateDictOptions(full_state_dict=True, cpu_offload=True)
    weights: Any = get_model_state_dict(net, options=options)
    return dict(weights)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be sharded; every process has to call it."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def part_like(tensor: Tensor, sharded: Tensor) -> Tensor:
    """The part of a whole tensor that this process holds of `sharded`, if that has its shape."""
    if not isinstance(sharded, DTensor) or tensor.shape != sharded.shape:
        return tensor
    if sharded.device != tensor.device:
        tensor = tensor.to(sharded.device)
    mesh = sharded.device_mesh
    copies = DTensor.from_local(tensor, mesh, [Replicate()] * mesh.ndim, run_check=False)
    return copies.redistribute(mesh, sharded.placements)


def _mapped(
    state: Mapping[int, Mapping[str, Any]], change: Callable[[int, Tensor], Tensor]
) -> dict[int, dict[str, Any]]:
    """An optimizer's state with other tensors."""
    return {
        number: {
            name: change(number, value) if isinstance(value, Tensor) else value
            for name, value in values.items()
        }
        for number, values in state.items()
    }


@cache
def _make_loss_transparent() -> None:
    """Let ``fully_shard`` find the objective in what a network returns, whose gradient it awaits.

    PyTorch finds it in dataclasses by itself only in newer releases.
    """
    torch.export.register_dataclass(Loss)

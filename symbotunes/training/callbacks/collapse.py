"""Watches whether a latent model uses its latent space, and warns once if it does not."""

import warnings
from functools import singledispatch
from typing import Any

import lightning
import torch
from torch import Tensor

from symbotunes.evaluation.latent.active_units import active_units
from symbotunes.models.base import Batch, LatentModel, Posterior
from symbotunes.training.processes import of_all_processes


class CollapseWatch(lightning.Callback):
    """Logs ``val/active_units`` and ``val/aggregate_std``, and warns of posterior collapse.

    The latter is the standard deviation of the aggregate posterior of all windows, averaged over
    axes: 1 if it matches the prior from which music is sampled. Models without a latent space are
    ignored.

    Attributes:
        LOGS: names of the metrics.

    Args:
        after_steps: optimizer steps before the first warning.
        least_kl_nats: KL divergence in nats per window below which a posterior counts as
            collapsed.
        least_active: fraction of axes that must be active.
        windows: held-out windows to examine, per process.
    """

    LOGS = ("val/active_units", "val/aggregate_std")

    def __init__(
        self,
        after_steps: int = 1000,
        least_kl_nats: float = 0.5,
        least_active: float = 0.01,
        windows: int = 2048,
    ) -> None:
        self.after_steps = after_steps
        self.least_kl_nats = least_kl_nats
        self.least_active = least_active
        self.windows = windows
        self._means: list[Tensor] = []
        self._variances: list[Tensor] = []
        self._warned = False

    def logged_names(self, pl_module: Any) -> set[str]:
        """Names of the metrics, which only networks that encode have."""
        encode = posterior_of.dispatch(type(pl_module.net))
        return set() if encode is posterior_of.dispatch(object) else set(self.LOGS)

    def on_validation_epoch_start(self, *_: Any) -> None:
        self._means, self._variances = [], []

    @torch.no_grad()
    def on_validation_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: Any,
        outputs: Any,  # noqa: ARG002
        batch: Batch,
        *_: Any,
    ) -> None:
        if self._is_enough(trainer):
            return
        with trainer.precision_plugin.val_step_context():
            posterior = posterior_of(pl_module.net, batch)
        if posterior is None or batch.repeated:
            return
        self._means.append(posterior.mean.float())
        self._variances.append(posterior.std.float().square())

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:  # noqa: ARG002
        # Every process takes part in this exchange, however few windows it has.
        shares = of_all_processes((_on_cpu(self._means), _on_cpu(self._variances)))
        means, variances = ([part for share in shares for part in share[i]] for i in (0, 1))
        if sum(map(len, means)) < 2:  # a variance needs two windows
            return
        together = torch.cat(means)
        variance = together.var(0) + torch.cat(variances).mean(0)
        found = float(active_units(together)), float(variance.sqrt().mean())
        metrics = dict(zip(self.LOGS, found, strict=True))
        pl_module.log_dict(metrics, batch_size=len(together), rank_zero_only=True)

    def _is_enough(self, trainer: lightning.Trainer) -> bool:
        """Whether all processes have seen their windows; they agree, since they encode together."""
        enough = sum(map(len, self._means)) >= self.windows
        if trainer.world_size > 1:
            enough = trainer.strategy.reduce_boolean_decision(enough, all=True)
        return enough

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: Any) -> None:
        logged = trainer.callback_metrics
        early = self._warned or trainer.global_step < self.after_steps
        if early or not trainer.is_global_zero or "val/kl_nats" not in logged:
            return
        net = pl_module.net
        kl_nats = float(logged["val/kl_nats"])
        active = float(logged.get("val/active_units", net.latent))
        if kl_nats < self.least_kl_nats or active < self.least_active * net.latent:
            self._warned = True
            warnings.warn(
                f"the posterior has collapsed: {kl_nats:.2f} nats of divergence, {active:.0f} of "
                f"{net.latent} axes active at step {trainer.global_step}; the decoder ignores the "
                f"latent vector. Lower model.net.max_beta{_now(net, 'max_beta')} or raise "
                f"model.net.free_bits{_now(net, 'free_bits')}",
                stacklevel=2,
            )


@singledispatch
def posterior_of(net: object, batch: Batch) -> Posterior | None:  # noqa: ARG001
    """What a network makes of a batch of windows; ``None`` where it encodes nothing."""
    return None


@posterior_of.register
def _encoded(net: LatentModel, batch: Batch) -> Posterior:
    return net.encode(batch.tokens, batch.lengths)


def _on_cpu(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.cpu() for tensor in tensors]


def _now(net: Any, name: str) -> str:
    return f" (now {getattr(net, name):g})" if hasattr(net, name) else ""

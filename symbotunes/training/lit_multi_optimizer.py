"""The LightningModule for networks whose parts have an optimizer each, such as a GAN.

Lightning calls this manual optimization, and counts every call of an optimizer as a step. Here a
step is a batch, as ``trainer.max_steps``, schedules and checkpoints understand it: all optimizers
but the last are called past Lightning's counter, through the strategy, which is what the counted
call does, too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol, cast

import lightning
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn
from torch.optim import Optimizer

from symbotunes.errors import UserError
from symbotunes.models.base import Batch, Loss
from symbotunes.training.lit_base import (
    LitBase,
    MakeOptimizer,
    MakeScheduler,
    Trial,
    compile_or_warn,
    make_optimizer,
)

Limit = float | None


class InParts(Protocol):
    """A network whose parts are trained against or beside each other."""

    def part_loss(self, part: str, batch: Batch, step: int = 0) -> Loss:
        """What a part is to minimize.

        Args:
            part: name of a submodule; only its weights will change.
            batch: as for `symbotunes.models.base.Model.loss`.
            step: batches trained on so far.
        """


class LitMultiOptimizer(LitBase):
    """Trains the parts of a network in turn on every batch, each with an optimizer of its own.

    Validation is that of `symbotunes.models.base.Model.loss`.

    Args:
        optimizers: by the name of a part, a submodule of the network, what makes its optimizer,
            given parameters. Parts are updated in this order.
        schedulers: by the name of a part, what makes its learning-rate schedule, given the
            optimizer; one step of a schedule is a batch. Parts that are not named keep their rate.
        clip_norm: gradients of a part are scaled down to this L2 norm, one for all parts or by
            name; ``None`` leaves them.
        compiled: run the losses through ``torch.compile``; falls back with one warning.
        base: what `LitBase` takes.

    Raises:
        UserError: if the network has no ``part_loss`` or no part of a name, or if a weight is
            neither frozen nor in one of the parts.
    """

    def __init__(
        self,
        *,
        optimizers: Mapping[str, MakeOptimizer],
        schedulers: Mapping[str, MakeScheduler | None] | None = None,
        clip_norm: Limit | Mapping[str, Limit] = None,
        compiled: bool = False,
        **base: Any,
    ) -> None:
        super().__init__(**base)
        self.automatic_optimization = False
        self.make_optimizers = dict(optimizers)
        self.make_schedulers = {
            part: make for part, make in (schedulers or {}).items() if make is not None
        }
        each = clip_norm if isinstance(clip_norm, Mapping) else dict.fromkeys(optimizers, clip_norm)
        self.clip_norms = {part: value for part, value in each.items() if value is not None}
        self._check_parts()
        part_loss = cast(InParts, self.net).part_loss
        self._part_loss = compile_or_warn(part_loss, self.net) if compiled else part_loss

    def _check_parts(self) -> None:
        name = type(self.net).__name__
        if not hasattr(self.net, "part_loss"):
            raise UserError(
                f"{name} has no part_loss, which model.optimizers needs: leave it to "
                "model.optimizer and symbotunes.training.lit_model.LitModel"
            )
        if not self.make_optimizers:
            raise UserError("model.optimizers needs an optimizer for every part of the network")
        known = dict(self.net.named_children())
        for key, given in (
            ("optimizers", self.make_optimizers),
            ("schedulers", self.make_schedulers),
            ("clip_norm", self.clip_norms),
        ):
            parts = known if key == "optimizers" else self.make_optimizers
            for part in given:
                if part not in parts:
                    raise UserError(f"model.{key}: no part {part}; choose of {', '.join(parts)}")
        for weight, parameter in self.net.named_parameters():
            if parameter.requires_grad and weight.split(".")[0] not in self.make_optimizers:
                raise UserError(f"model.optimizers: no optimizer trains {weight}")

    def _weights(self, part: str) -> Iterator[nn.Parameter]:
        return self.net.get_submodule(part).parameters()

    @classmethod
    def check_trainer(cls, trainer: lightning.Trainer) -> None:
        if trainer.accumulate_grad_batches != 1:
            raise UserError(
                f"trainer.accumulate_grad_batches={trainer.accumulate_grad_batches}: a model with "
                "several optimizers takes a step with every batch; raise loader.batch_size instead"
            )
        if trainer.strategy.__class__.__name__ == "FullyShard":
            raise UserError(
                "trainer.strategy=fsdp shards all weights together, and a model with several "
                "optimizers trains them part by part: choose trainer=ddp"
            )
        if trainer.gradient_clip_val is not None:
            raise UserError(
                "trainer.gradient_clip_val: a model with several optimizers clips by "
                "model.clip_norm, for each of its parts"
            )

    def training_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        self.check_batch(batch)
        step = self.global_step
        last = len(self.make_optimizers) - 1
        for place, (part, optimizer) in enumerate(self._by_part()):
            with self._only(part):
                loss = self._part_loss(part, batch, step)
                self.log_training(loss, part)
                optimizer.zero_grad()
                self.manual_backward(loss.objective)
                self._update(optimizer, counted=place == last)
                optimizer.zero_grad()
            if place == last:
                self.count(batch, loss)
        for schedule in self._schedules():
            self.lr_scheduler_step(schedule)

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.make_optimizers)

    def training_losses(self, batch: Batch) -> Mapping[str, Loss]:
        return {part: self._part_loss(part, batch, 0) for part in self.parts}

    def _by_part(self) -> Iterator[tuple[str, LightningOptimizer]]:
        found: Any = self.optimizers()
        optimizers = found if isinstance(found, list) else [found]
        yield from zip(self.make_optimizers, optimizers, strict=True)

    def _schedules(self) -> list[Any]:
        found: Any = self.lr_schedulers()
        return found if isinstance(found, list) else [] if found is None else [found]

    @contextmanager
    def _only(self, part: str) -> Iterator[None]:
        """Let gradients flow to the weights of one part only."""
        own = set(map(id, self._weights(part)))
        others = [
            weight
            for weight in self.net.parameters()
            if weight.requires_grad and id(weight) not in own
        ]
        for weight in others:
            weight.requires_grad_(False)
        self.part = part
        try:
            yield
        finally:
            self.part = ""
            for weight in others:
                weight.requires_grad_(True)

    def _update(self, optimizer: LightningOptimizer, *, counted: bool) -> None:
        """One step of an optimizer; Lightning's ``global_step`` rises if it is counted."""
        if counted:
            optimizer.step()
        else:
            self.trainer.strategy.optimizer_step(optimizer.optimizer, lambda: None, model=self)

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        """Clip what is left in the hands of this part, once it was logged."""
        if (value := self.clip_norms.get(self.part)) is not None:
            self.trainer.precision_plugin.clip_grad_by_norm(optimizer, value)

    def trials(self, batch: Batch) -> Iterator[Trial]:
        for part, make in self.make_optimizers.items():
            optimizer = make_optimizer(make, self._weights(part), f"model.optimizers.{part}")
            with self._only(part):
                yield lambda part=part: self._part_loss(part, batch, 0).objective, optimizer  # type: ignore[misc]

    def configure_optimizers(self) -> Any:
        found = []
        for part, make in self.make_optimizers.items():
            optimizer = make_optimizer(make, self._weights(part), f"model.optimizers.{part}")
            entry: dict[str, Any] = {"optimizer": optimizer}
            if part in self.make_schedulers:
                entry["lr_scheduler"] = {"scheduler": self.make_schedulers[part](optimizer)}
            found.append(entry)
        return found

"""What every LightningModule here does: losses, validation, and checkpoints that need no more."""

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from symbotunes.errors import UserError, first_line
from symbotunes.models.base import Batch, Loss, Model
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.held_out import WeightedMeans, means_of
from symbotunes.training.processes import draw_other_numbers, of_all_processes
from symbotunes.training.schedules import RunSchedule
from symbotunes.training.steps import completes_step, share_of_time

MakeNet = Callable[..., Model]
MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeScheduler = Callable[[Optimizer], LRScheduler]
Trial = tuple[Callable[[], Tensor], Optimizer]

NO_LENGTH = (
    "{} lowers the learning rate until the run ends, and nothing says when: set trainer.max_steps "
    "or trainer.max_time, or choose model/scheduler=constant"
)


class LitBase(lightning.LightningModule):
    """Holds a network, logs what it costs, and writes checkpoints that need nothing else.

    Args:
        net: makes the network, given ``vocabulary``.
        vocabulary: of the data.
        init_from: where the first weights come from; read by `symbotunes.modes.train`, kept for the
            record.
        frozen: names of parts of the network, such as ``encoder``, whose weights stay as they are.
        recipe: plain strings that a checkpoint carries, see `symbotunes.checkpoints.checkpoint`.

    Attributes:
        part: of the network that is being updated, where each has an optimizer of its own.
        make_net: makes another network like this one, with new weights.

    Raises:
        UserError: if the network cannot read what the tokenizer gives, or has no part of a name.
    """

    def __init__(
        self,
        *,
        net: MakeNet,
        vocabulary: Vocabulary,
        init_from: str | None = None,
        frozen: Sequence[str] | str = (),
        recipe: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.make_net = partial(net, vocabulary=vocabulary)
        self.net = self.make_net()
        self.net.check_vocabulary(vocabulary)
        for name in [frozen] if isinstance(frozen, str) else frozen:
            freeze(self.net, name)
        self.init_from = init_from
        self.recipe = dict(recipe or {})
        self.real_tokens = 0
        self.part = ""
        self.is_sharded = False
        self._rng: list[dict[str, Any]] = []  # of every process, to be set when training begins
        self._held_out = WeightedMeans()
        self._stops_after_step = False

    @abstractmethod
    def trials(self, batch: Batch) -> Iterator[Trial]:
        """What one training step consists of: how an objective is made, and what minimizes it."""

    @classmethod
    def check_trainer(cls, trainer: lightning.Trainer) -> None:
        """See that a trainer can train a network in this way, before any data are prepared.

        Raises:
            UserError: if it cannot, naming the key to change.
        """

    def configure_model(self) -> None:
        """Shard the network where the strategy asks for it; Lightning may call it repeatedly."""
        if self.device_mesh is not None and not self.is_sharded:
            from symbotunes.training.sharding import (
                shard,
            )  # which imports torch.distributed's parts

            shard(self.net, self.device_mesh["data_parallel"])
            self.is_sharded = True

    def check_batch(self, batch: Batch) -> None:
        """See that the network can read a batch.

        Raises:
            UserError: if it cannot keep the pieces of a row apart.
        """
        if batch.segments is not None and not self.net.READS_PACKED:
            name = type(self.net).__name__
            raise UserError(f"loader.pack=true: {name} cannot keep the pieces of a row apart")

    def count(self, batch: Batch, loss: Loss) -> None:
        """Note what has been trained on: targets, or all tokens where there is no likelihood."""
        tokens = int(batch.lengths.sum()) if loss.targets is None else loss.targets
        self.real_tokens += tokens * self.trainer.world_size

    def log_training(self, loss: Loss, objective: str = "objective") -> None:
        """Log what a batch costs: nats per target, or else what is minimized.

        Args:
            loss: of the batch.
            objective: what to call the objective of a model without a likelihood.
        """
        if loss.nats_per_target is not None:
            found = {"loss": loss.nats_per_target}
        else:
            found = {objective: loss.objective.detach()}
        for name, value in (found | dict(loss.terms)).items():
            self.log(f"train/{name}", value, on_step=True, on_epoch=False, batch_size=1)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts that have an optimizer each; empty if there is one for all."""
        return ()

    def training_losses(self, batch: Batch) -> Mapping[str, Loss]:
        """What a training step computes, by what its objective is called."""
        return {"objective": self.net.loss(batch, 0)}

    def logged_names(self, batch: Batch) -> set[str]:
        """Names of all metrics that training and validation will log, found by computing them."""
        kinds = {"train": self.training_losses(batch), "val": {"objective": self.net.loss(batch)}}
        return {
            f"{kind}/{name}"
            for kind, losses in kinds.items()
            for objective, loss in losses.items()
            for name in (objective if loss.nats_per_target is None else "loss", *loss.terms)
        }

    def on_validation_epoch_start(self) -> None:
        self._held_out.clear()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        # Also for a repeated batch: where weights are sharded, all processes compute together.
        loss = self.net.loss(batch, self.global_step)
        if batch.repeated:
            return
        terms = dict(loss.terms)
        if loss.nll_nats is None or loss.targets is None:
            terms = {"objective": loss.objective, **terms}
        else:
            self._held_out.add("loss", float(loss.nll_nats), loss.targets)
        rows = len(batch.lengths)
        for name, value in terms.items():
            self._held_out.add(name, float(value) * rows, rows)

    def on_validation_epoch_end(self) -> None:
        # One exchange in every process, whatever each has seen.
        means = means_of(of_all_processes(self._held_out.sums))
        for name in sorted(means, key="loss".__eq__):  # the loss last
            self.log(f"val/{name}", means[name], prog_bar=name == "loss", rank_zero_only=True)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["recipe"] = self.recipe
        checkpoint["real_tokens"] = self.real_tokens
        # After a failure the other processes may be anywhere, and would not answer.
        own = random_state()
        checkpoint["rng"] = [own] if self.trainer.interrupted else of_all_processes(own)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.real_tokens = checkpoint["real_tokens"]
        saved: Any = checkpoint["rng"]
        self._rng = saved if isinstance(saved, list) else [saved]  # one, in earlier checkpoints

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        # After all callbacks, of which Lightning's for `max_time` may have asked to stop.
        # Checkpoints do not hold accumulated gradients: continue until the optimizer has stepped.
        asked = self.trainer.should_stop or self._stops_after_step
        is_whole = completes_step(self.trainer, batch_idx)
        self._stops_after_step = asked and not is_whole
        self.trainer.should_stop = asked and is_whole

    def lr_scheduler_step(self, scheduler: Any, metric: Any = None) -> None:
        """Step a schedule; one that ends with a run limited by time learns how far that is.

        Raises:
            UserError: if the run has no limit that the schedule could follow.
        """
        if isinstance(scheduler, RunSchedule) and scheduler.follows_time:
            share = share_of_time(self.trainer)
            if share is None:
                raise UserError(NO_LENGTH.format("model.scheduler"))
            scheduler.follow(share)
        super().lr_scheduler_step(scheduler, metric)

    def on_train_start(self) -> None:
        # Only now: whatever ran between loading and this line may have drawn random numbers.
        rank, saved = self.global_rank, self._rng
        if rank < len(saved):
            restore_random_state(saved[rank])
        elif rank > 0:  # a new process; the first one keeps the stream that drew the weights
            draw_other_numbers(rank, self.global_step)
        self._rng = []


def make_optimizer(make: MakeOptimizer, parameters: Iterable[nn.Parameter], key: str) -> Optimizer:
    """The optimizer of those parameters that are trained.

    Args:
        make: makes it.
        parameters: what it shall change.
        key: of the config that describes it.

    Raises:
        UserError: if a constant is out of range, or nothing is left to train.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    try:
        return make(trained)
    except ValueError as error:  # torch checks the ranges of its constants
        raise UserError(f"{key}: {error}") from error


def freeze(net: nn.Module, name: str) -> None:
    """Take a part of the network, or one of its weights, out of training.

    Raises:
        UserError: if there is no such part.
    """
    own = [
        parameter
        for key, parameter in net.named_parameters()
        if key == name or key.startswith(f"{name}.")
    ]
    if not own:
        parts = ", ".join(dict.fromkeys(key.split(".")[0] for key, _ in net.named_parameters()))
        raise UserError(f"model.frozen: the network has no part {name}; it has {parts}")
    for parameter in own:
        parameter.requires_grad_(False)


def random_state() -> dict[str, Any]:
    """States of torch's global generators, as tensors; everything else here is seeded by name."""
    state: dict[str, Any] = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def restore_random_state(state: Mapping[str, Any]) -> None:
    """Set what `random_state` returned; CUDA states only where the devices match."""
    torch.set_rng_state(state["torch"].cpu())
    cuda = state.get("cuda", [])
    if cuda and torch.cuda.is_available() and len(cuda) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([entry.cpu() for entry in cuda])


def compile_or_warn(loss: Callable[..., Loss], net: Model) -> Callable[..., Loss]:
    """``torch.compile`` that gives up once, with one warning, and runs uncompiled from then on.

    Args:
        loss: method of `net`.
        net: may name methods that the compiler leaves alone, see `Model.UNCOMPILED`.
    """
    for module in net.modules():
        for name in getattr(module, "UNCOMPILED", ()):
            eager = torch.compiler.disable(getattr(module, name))  # type: ignore[no-untyped-call]
            setattr(module, name, eager)
    run = torch.compile(loss)

    def guarded(*arguments: Any) -> Loss:
        nonlocal run
        try:
            return run(*arguments)
        except Exception as error:  # the compiler raises of many kinds, none of them ours
            if run is loss:
                raise
            warnings.warn(f"compile=true was disabled: {first_line(error)}", stacklevel=2)
            run = loss
            return run(*arguments)

    return guarded

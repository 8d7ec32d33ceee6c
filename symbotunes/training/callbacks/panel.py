"""Samples during training, always with the same seeds, so that changes can be heard."""

import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.seed import isolate_rng

from symbotunes.errors import first_line, require_whole_number
from symbotunes.generation.compose import compose
from symbotunes.generation.sample import Sample
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.base import Model
from symbotunes.render.gallery import write_gallery
from symbotunes.tokenizers.base import Tokenizer
from symbotunes.training.callbacks.checkpoints import saving_makes_sense
from symbotunes.training.callbacks.dashboard import wandb_loggers
from symbotunes.training.sharding import whole_state


class SamplePanel(lightning.Callback):
    """Draws samples before training, every n steps and at the end.

    They are written to ``samples/step_<step>/`` as a page with players and scores, and logged to
    W&B if it is used. Any failure is only a warning. Training itself is not affected: random states
    and train or eval modes are restored. Only rank 0 draws; of a sharded network, it gathers the
    weights into a network of its own.

    Args:
        every_n_steps: optimizer steps between panels.
        num: samples per panel.
        temperature: above 1 is more surprising, below 1 is safer.
        top_k: sample from this many most likely tokens; 0: from all.
        top_p: sample from the most likely tokens that hold this fraction of the probability.
        max_tokens: longer samples are cut and marked unfinished.
        seed: from which that of every sample is made.
        prompt: the beginning that every sample continues, or ``None``.

    Attributes:
        seconds: total time spent on panels so far.
    """

    def __init__(
        self,
        every_n_steps: int,
        num: int = 4,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        max_tokens: int = 512,
        seed: int = 0,
        prompt: str | None = None,
    ) -> None:
        require_whole_number("every_n_steps", every_n_steps)
        self.every_n_steps = every_n_steps
        self.seed = seed
        # Without a constraint, so that panels show what the model has learned.
        self.plan = SamplePlan(num, temperature, top_k, top_p, max_tokens, prompt, constraint=None)
        self.seconds = 0.0
        self._drawn_step = -1

    def on_train_start(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        if trainer.global_step == 0:
            self._draw(trainer, pl_module)
        self._drawn_step = trainer.global_step  # a resumed run already has its panel

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, *_: Any
    ) -> None:
        if trainer.global_step % self.every_n_steps == 0:
            self._draw(trainer, pl_module)

    def on_train_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        self._draw(trainer, pl_module)

    def _draw(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        step = trainer.global_step
        if step == self._drawn_step or not saving_makes_sense(trainer):
            return
        self._drawn_step = step
        began = time.monotonic()
        weights = whole_state(pl_module.net)  # type: ignore[arg-type]  # every process takes part
        if not trainer.is_global_zero:
            return
        # Catch errors inside, because isolate_rng does not restore states if one passes through.
        with isolate_rng():
            try:
                with torch.no_grad(), Evaluating(pl_module):
                    self._publish(trainer, network_with(weights, pl_module), step)
            except Exception as error:  # a failed panel must not stop the training
                reason = first_line(error)
                warnings.warn(f"no sample panel at step {step}: {reason}", stacklevel=2)
        self.seconds += time.monotonic() - began

    def _publish(self, trainer: lightning.Trainer, net: Model, step: int) -> None:
        began = time.monotonic()
        tokenizer = self._tokenizer(trainer)
        composition = compose(net, self.plan, tokenizer=tokenizer, seed=self.seed)
        samples = composition.samples
        facts = {**self._facts(samples, time.monotonic() - began), **composition.inputs}
        folder = Path(trainer.default_root_dir) / "samples" / f"step_{step:06d}"
        write_gallery(folder, samples, heading=f"Samples at step {step}", facts=facts)
        for logger in wandb_loggers(trainer):
            from symbotunes.training.loggers.media import log_samples  # which imports wandb

            log_samples(logger, samples, folder, step=step)

    @staticmethod
    def _tokenizer(trainer: Any) -> Tokenizer[Any]:
        tokenizer: Tokenizer[Any] = trainer.datamodule.data.chain.tokenizer
        return tokenizer

    def _facts(self, samples: Sequence[Sample], seconds: float) -> dict[str, str]:
        finished = sum(sample.finished for sample in samples)
        return {
            "temperature": f"{self.plan.temperature:g}",
            "top k": str(self.plan.top_k),
            "top p": f"{self.plan.top_p:g}",
            "seed": str(self.seed),
            "finished": f"{finished} of {len(samples)}",
            "time to draw": f"{seconds:.1f} s",
        }


def network_with(weights: dict[str, torch.Tensor] | None, pl_module: Any) -> Model:
    """The module's network; if it is sharded, another one with its gathered weights."""
    net: Model = pl_module.net if weights is None else pl_module.make_net()
    if weights is not None:
        net.load_state_dict(weights)
        net.eval()
    return net


class Evaluating:
    """Context manager that sets eval mode, then restores the mode of every submodule."""

    def __init__(self, module: torch.nn.Module) -> None:
        self._module = module

    def __enter__(self) -> None:
        self._modes = [(part, part.training) for part in self._module.modules()]
        self._module.eval()

    def __exit__(self, *_: object) -> None:
        for part, training in self._modes:
            part.training = training

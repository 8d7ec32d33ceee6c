"""Steps, and the chain that orders them.

A chain leads a piece of music to the ids that a model reads; exactly one of its steps is a
tokenizer. What lies before it is deterministic and cached; what follows it runs for every example.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Protocol

import torch

from symbotunes.errors import UserError
from symbotunes.tokenizers.base import Tokenizer


class Stage(Enum):
    """Where a step sits in the chain; the values are the order in which stages must appear."""

    SCORE = 1  # piece -> pieces: deterministic, cached
    ENCODE = 2  # piece -> ids: the tokenizer; cached
    TOKENS = 3  # ids -> ids: may be random; runs for every example


class ScoreStep(Protocol):
    """Maps one piece to any number of pieces, always the same ones."""

    SCHEMA: int
    FORMAT: str

    def __call__(self, piece: Any) -> Sequence[Any]: ...


class TokenStep(Protocol):
    """Maps the ids of one example to ids; all its randomness comes from the generator."""

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Learn the ids; called once, as soon as the vocabulary exists."""

    def __call__(self, ids: Sequence[int], generator: torch.Generator) -> Sequence[int]: ...


def stage_of(step: object) -> Stage:
    """Tell the stage of a step from its kind."""
    if isinstance(step, Tokenizer):
        return Stage.ENCODE
    return Stage.TOKENS if hasattr(step, "bind") else Stage.SCORE


class Chain:
    """Steps in the order of the ``transforms`` config list.

    Raises:
        UserError: if a step precedes one of an earlier stage, or if the chain does not hold
            exactly one tokenizer. Hydra merges the list by key, so a wrong order would
            otherwise be silent.
    """

    def __init__(self, steps: Mapping[str, Any]) -> None:
        self.steps = dict(steps)
        stages = [stage_of(step) for step in self.steps.values()]
        if stages.count(Stage.ENCODE) != 1:
            raise UserError(
                f"transforms need exactly one tokenizer (such as abc_tokens), got [{self}]"
            )
        if stages != sorted(stages, key=lambda stage: stage.value):
            raise UserError(f"transforms must go from score to tokenizer to tokens, got [{self}]")
        self.score_steps: list[ScoreStep] = self._of(Stage.SCORE)
        self.tokenizer: Tokenizer[Any] = self._of(Stage.ENCODE)[0]
        self.token_steps: list[TokenStep] = self._of(Stage.TOKENS)

    def _of(self, stage: Stage) -> list[Any]:
        return [step for step in self.steps.values() if stage_of(step) is stage]

    def require_format(self, name: str) -> None:
        """Refuse a corpus whose pieces the first step cannot read.

        Raises:
            UserError: naming both formats.
        """
        first = next(iter(self.steps.values()))
        if name != first.FORMAT:
            raise UserError(
                f"the dataset holds {name} pieces, but transforms=[{self}] begins with a step that "
                f"reads {first.FORMAT}; choose transforms for {name}"
            )

    def bind(self) -> None:
        """Tell the token steps the vocabulary, once it exists."""
        for step in self.token_steps:
            step.bind(self.tokenizer)

    def augment(self, ids: Sequence[int], generator: torch.Generator) -> Sequence[int]:
        """One example after the token steps; ``ids`` hold neither ``bos`` nor ``eos``."""
        for step in self.token_steps:
            ids = step(ids, generator)
        return ids

    def __repr__(self) -> str:
        return ", ".join(self.steps)

"""Steps, and the chain that orders them.

A chain leads a piece of music to the ids that a model reads; exactly one of its steps is a
tokenizer. What lies before it is deterministic and cached; what follows it runs for every example.
From the last step to tensors nothing is to be configured: batches are tensors by themselves.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.tokenizers.base import Ids, Tokenizer
from symbotunes.transforms.conversion import AbcToMidi

EXAMPLES = {
    "abc": "transforms=[abc_tokens]",
    "midi": "transforms=[remi,sample_subsequence]",
}  # by format


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

    def __call__(self, ids: Ids, generator: torch.Generator) -> Sequence[int] | Ids: ...


class Cut(ABC):
    """A token step that keeps a stretch of a training example, for models with a limit of length.

    It gets the example with ``bos`` and ``eos``, where the tokenizer's examples have them, so that
    these stand at true beginnings and ends alone. Held-out pieces are read whole, through the
    sliding window of the network where it has one: a loss is that of pieces, and the same in a
    validation during training and in an evaluation. Windows of one length are cut wherever they
    are read, since their network reads no other length.

    Attributes:
        keeps_endings: whether the end of a long example is ever kept.
    """

    keeps_endings: ClassVar[bool] = True

    def bind(self, tokenizer: Tokenizer[Any]) -> None:  # noqa: B027  (most cuts need no ids)
        """Learn the ids."""

    def fit_context(self, context: int | None) -> None:  # noqa: B027  (few depend on it)
        """Learn how many tokens the network reads at once, ``None``: any number."""

    @abstractmethod
    def __call__(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """The stretch that is kept, and where it begins: the number of tokens before it."""

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """What examples of these lengths can have left at most."""
        return lengths


def stage_of(step: object) -> Stage:
    """Tell the stage of a step from its kind."""
    if hasattr(step, "tokenize"):
        return Stage.ENCODE
    return Stage.TOKENS if hasattr(step, "bind") else Stage.SCORE


class Chain:
    """Steps in the order of the ``transforms`` config list.

    Args:
        steps: by their names in the config.
        context: tokens that the network reads at once, which some cuts follow;
            ``None``: any number.

    Raises:
        UserError: if a step precedes one of an earlier stage, if a cut precedes a step that needs
            whole examples, or if the chain does not hold exactly one tokenizer. Hydra merges the
            list by key, so a wrong order would otherwise be silent.
    """

    def __init__(self, steps: Mapping[str, Any], context: int | None = None) -> None:
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
        last = self._of(Stage.TOKENS)
        self.token_steps: list[TokenStep] = [step for step in last if not isinstance(step, Cut)]
        self.cuts: list[Cut] = [step for step in last if isinstance(step, Cut)]
        if last != [*self.token_steps, *self.cuts]:
            raise UserError(f"transforms that cut examples must come last, got [{self}]")
        for cut in self.cuts:
            cut.fit_context(context)

    def _of(self, stage: Stage) -> list[Any]:
        return [step for step in self.steps.values() if stage_of(step) is stage]

    @property
    def cached(self) -> list[str]:
        """Names of the steps before the cache boundary, the tokenizer included."""
        return [name for name, step in self.steps.items() if stage_of(step) is not Stage.TOKENS]

    def adapt_to(self, name: str) -> None:
        """Make ready for pieces of a format; ABC is converted where the first step reads MIDI.

        Raises:
            UserError: if the first step cannot read the pieces, naming both formats.
        """
        first = next(iter(self.steps.values()))
        if name == first.FORMAT:
            return
        if (name, first.FORMAT) != ("abc", "midi"):
            raise UserError(
                f"the dataset holds {name} pieces, but transforms=[{self}] begins with a step that "
                f"reads {first.FORMAT}; choose transforms for {name}, such as {EXAMPLES[name]}"
            )
        self.score_steps = [AbcToMidi(), *self._of(Stage.SCORE)]

    @property
    def cuts_pieces(self) -> bool:
        """Whether training reads stretches of pieces, while held-out pieces stay whole."""
        return bool(self.cuts) and self.tokenizer.FRAMED

    def bind(self) -> None:
        """Tell the token steps the vocabulary, once it exists."""
        for step in self.token_steps:
            step.bind(self.tokenizer)
        for cut in self.cuts:
            cut.bind(self.tokenizer)

    def augment(self, ids: Ids, generator: torch.Generator) -> Ids:
        """One example after the token steps that read it whole, without ``bos`` and ``eos``."""
        changed: Sequence[int] | Ids = ids
        for step in self.token_steps:
            changed = step(np.asarray(changed), generator)
        return np.asarray(changed)

    def cut(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """One example after the cuts, and how many of its tokens lie before what is kept.

        Args:
            ids: ``[T]`` or ``[T, F]``, with ``bos`` and ``eos`` where the tokenizer says.
            generator: of all randomness.
        """
        before = 0
        for step in self.cuts:
            ids, start = step(ids, generator)
            before += start
        return ids, before

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """What the cuts can leave at most of examples of these lengths."""
        for step in self.cuts:
            lengths = step.longest(lengths)
        return lengths

    def __repr__(self) -> str:
        return ", ".join(self.steps)

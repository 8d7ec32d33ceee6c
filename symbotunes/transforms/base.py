"""Steps, and the chain that runs them in order.

A chain turns a piece of music into the ids that a model reads; exactly one of its steps is a
tokenizer. The steps before it are deterministic and cached; those after it run for every example.
There is no step to convert ids to tensors, since batches are tensors already.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.tokenizers.base import NO_ID, Ids, Tokenizer
from symbotunes.transforms.conversion import AbcToMidi

ADDED = "added"  # key of the tokens that steps add, in the state of a chain
EXAMPLES = {
    "abc": "transforms=[abc_tokens]",
    "midi": "transforms=[remi,sample_subsequence]",
}  # by format


class Stage(Enum):
    """Where a step belongs in the chain; stages must appear in the order of their values."""

    SCORE = 1  # piece -> pieces: deterministic, cached
    ENCODE = 2  # piece -> ids: the tokenizer; cached
    TOKENS = 3  # ids -> ids: may be random; runs for every example


class ScoreStep(Protocol):
    """Maps one piece to any number of pieces, always the same ones."""

    SCHEMA: int
    FORMAT: str

    def __call__(self, piece: Any) -> Sequence[Any]: ...


class TokenStep(Protocol):
    """Maps the ids of one example to ids; all its randomness comes from the generator.

    A step may have an attribute ``TOKENS``, a tuple of names of tokens that it adds to examples.
    Their ids follow those of the tokenizer. No other step can read such an example, so that it must
    come last.
    """

    def bind(self, tokenizer: Tokenizer[Any]) -> None:
        """Look up the ids that the step needs; called once, as soon as the vocabulary exists."""

    def __call__(self, ids: Ids, generator: torch.Generator) -> Sequence[int] | Ids: ...


class Cut(ABC):
    """A token step that keeps a span of a training example, for models of limited length.

    It receives the example with ``bos`` and ``eos``, if the tokenizer's examples have them, so that
    these mark only true beginnings and ends. Held-out pieces are read whole, through the network's
    sliding window if it has one, so that a loss is that of whole pieces, in a validation during
    training as in an evaluation. Windows of one length are cut for every split, since their network
    reads no other length.

    Attributes:
        keeps_endings: whether the end of a long example is ever kept.
    """

    keeps_endings: ClassVar[bool] = True

    def bind(self, tokenizer: Tokenizer[Any]) -> None:  # noqa: B027  (most cuts need no ids)
        """Look up the ids that the cut needs."""

    def fit_context(self, context: int | None) -> None:  # noqa: B027  (few depend on it)
        """Set how many tokens the network reads at once; ``None``: any number."""

    @abstractmethod
    def __call__(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """The span that is kept, and where it begins: the number of tokens before it."""

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The greatest lengths that examples of these lengths can have after the cut."""
        return lengths


def stage_of(step: object) -> Stage:
    """The stage of a step, derived from the methods that it has."""
    if hasattr(step, "tokenize"):
        return Stage.ENCODE
    return Stage.TOKENS if hasattr(step, "bind") else Stage.SCORE


class Chain:
    """Steps in the order of the ``transforms`` config list.

    Args:
        steps: by name, as in the config.
        context: tokens that the network reads at once, which sets the length of some cuts;
            ``None``: any number.

    Raises:
        UserError: if a step precedes one of an earlier stage, if a cut precedes a step that needs
            whole examples, or if the chain does not contain exactly one tokenizer. Hydra merges
            the list by key, so a wrong order would otherwise go unnoticed.
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
        self._add_tokens(last)
        for cut in self.cuts:
            cut.fit_context(context)

    def _add_tokens(self, steps: Sequence[Any]) -> None:
        """Tell the tokenizer which tokens a step adds.

        Raises:
            UserError: if another step would have to read them.
        """
        adding = [step for step in steps if getattr(step, "TOKENS", ())]
        if not adding:
            return
        if adding != steps[-1:]:
            names = {id(step): name for name, step in self.steps.items()}
            raise UserError(
                f"{names[id(adding[0])]} needs whole examples and adds tokens that other steps do "
                f"not know: it must come last, and alone of its kind, got [{self}]"
            )
        self.tokenizer.added = tuple(adding[0].TOKENS)

    def state(self) -> dict[str, Any]:
        """Plain values (JSON) from which `load_state` restores the vocabulary of a model."""
        added = {ADDED: list(self.tokenizer.added)} if self.tokenizer.added else {}
        return {**self.tokenizer.state(), **added}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned.

        Raises:
            ValueError: if the steps add other tokens.
        """
        added = tuple(state.get(ADDED, ()))
        if added != self.tokenizer.added:
            raise ValueError(f"added tokens {added} are not those of transforms=[{self}]")
        self.tokenizer.load_state({key: state[key] for key in state if key != ADDED})

    def _of(self, stage: Stage) -> list[Any]:
        return [step for step in self.steps.values() if stage_of(step) is stage]

    @property
    def cached(self) -> list[str]:
        """Names of the steps whose results are cached, including the tokenizer."""
        return [name for name, step in self.steps.items() if stage_of(step) is not Stage.TOKENS]

    def adapt_to(self, name: str) -> None:
        """Prepare for pieces of a format; ABC is converted if the first step reads MIDI.

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
    def needs_blocks(self) -> str | None:
        """The step whose examples begin with a flag, which blocks alone keep; ``None``: no step."""
        steps = self.steps.items()
        return next((name for name, step in steps if getattr(step, "NEEDS_BLOCKS", False)), None)

    @property
    def cuts_pieces(self) -> bool:
        """Whether training reads spans of pieces, while held-out pieces stay whole."""
        if not self.cuts:
            return False
        return self.tokenizer.FRAMED or self.tokenizer.vocabulary.opening != NO_ID

    def bind(self) -> None:
        """Give the tokenizer to the token steps, once it has a vocabulary."""
        for step in self.token_steps:
            step.bind(self.tokenizer)
        for cut in self.cuts:
            cut.bind(self.tokenizer)

    def augment(self, ids: Ids, generator: torch.Generator) -> Ids:
        """Run the token steps that need whole examples, without ``bos`` and ``eos``."""
        changed: Sequence[int] | Ids = ids
        for step in self.token_steps:
            changed = step(np.asarray(changed), generator)
        return np.asarray(changed)

    def cut(self, ids: Ids, generator: torch.Generator) -> tuple[Ids, int]:
        """Run the cuts; returns the span that is kept and how many tokens come before it.

        Args:
            ids: ``[T]`` or ``[T, F]``, with ``bos`` and ``eos`` if the tokenizer is `FRAMED`.
            generator: source of all randomness.
        """
        before = 0
        for step in self.cuts:
            ids, start = step(ids, generator)
            before += start
        return ids, before

    def longest(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The greatest lengths that examples of these lengths can have after the cuts."""
        for step in self.cuts:
            lengths = step.longest(lengths)
        return lengths

    def __repr__(self) -> str:
        return ", ".join(self.steps)

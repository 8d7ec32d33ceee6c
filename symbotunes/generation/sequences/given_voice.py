"""Samples in which the soprano is given, and the other voices are written."""

from collections.abc import Sequence

import torch
from torch import Tensor

from symbotunes.music.chorale.grid import VOICES
from symbotunes.music.chorale.layout import BOS, EOS, VoiceLayout


class GivenSoprano:
    """Forces the first voice of every step, and the end after the last step.

    The network reads the given notes as if it had written them. It is causal: the other voices of
    a step know the soprano up to this step, and not how it continues.

    Args:
        layout: ids of the network.
        soprano: ``[T]`` ids that are forced.
    """

    def __init__(self, layout: VoiceLayout, soprano: Sequence[int]) -> None:
        self.soprano = list(soprano)
        self._free = torch.ones(layout.size, dtype=torch.bool)
        self._free[[BOS, EOS]] = False

    @property
    def tokens(self) -> int:
        """Number of tokens that are written, the end included."""
        return len(self.soprano) * len(VOICES) + 1

    def begin(self, prompt: Sequence[int], max_tokens: int) -> int:
        """The state before the first token: how many there are.

        Raises:
            ValueError: if there is a prompt, or too little room.
        """
        if len(prompt):
            raise ValueError("a given soprano begins with the piece, without a prompt")
        if max_tokens < self.tokens:
            raise ValueError(f"max_tokens={max_tokens} is too small: {self.tokens} are needed")
        return 0

    def advance(self, state: int, token: int) -> int:  # noqa: ARG002
        """The state after one more token."""
        return state + 1

    def allowed(self, states: Sequence[int], left: Sequence[int]) -> Tensor:  # noqa: ARG002
        """Which tokens may follow, ``[B, V]`` bool."""
        return torch.stack([self._allowed(state) for state in states])

    def _allowed(self, state: int) -> Tensor:
        step, voice = divmod(state, len(VOICES))
        if voice:
            return self._free
        only = torch.zeros_like(self._free)
        only[self.soprano[step] if step < len(self.soprano) else EOS] = True
        return only

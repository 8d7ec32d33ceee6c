"""What tokenizers of MIDI share whose vocabulary is known without any data."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from symbotunes.music.midi.piece import MidiPiece
from symbotunes.tokenizers.base import TextTokenizer, Unencodable


class ClosedTokenizer(TextTokenizer[MidiPiece]):
    """A tokenizer of MIDI that learns nothing from data."""

    STATE: ClassVar[tuple[str, ...] | None] = ()

    @property
    @abstractmethod
    def names(self) -> Sequence[str]:
        """The token of every id."""

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.names)}

    def encode(self, tokens: Sequence[str]) -> list[int]:
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            raise Unencodable("unknown token", str(error.args[0])) from error

    def state(self) -> Mapping[str, Any]:
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing is learned from data."""

"""What happened to every piece of a corpus."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BlockCount:
    """What became of a split that was cut into blocks.

    Attributes:
        kept: blocks that are read.
        dropped: blocks that span 100 s or more, which their ids cannot say.
    """

    kept: int
    dropped: int


@dataclass
class Receipt:
    """Counts of pieces, from what was read to what is trained on.

    ``read == sum of kept + sum of dropped``. A file that could not be read to its end counts as one
    piece.

    Attributes:
        files: files of the corpus.
        read: pieces found in the corpus, readable or not.
        kept: pieces per split.
        dropped: pieces per reason; duplicates are one reason.
        specimens: up to `SPECIMENS` ids per reason, as examples of what was dropped.
        examples: examples per split; a piece may have many.
        tokens: time steps per split, without the ids that open and close an example.
        left_out: examples per reason that were left out of pieces that were kept.
        remarks: pieces that were kept, per doubt that the tokenizer has about them.
        quarantined: reason by file, for files that took too long, killed their worker or exhausted
            its memory.
        vocabulary: number of distinct ids.
    """

    files: int = 0
    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    specimens: dict[str, list[str]] = field(default_factory=dict)
    examples: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    remarks: Counter[str] = field(default_factory=Counter)
    quarantined: dict[str, str] = field(default_factory=dict)
    vocabulary: int = 0

    SPECIMENS = 5

    def drop(self, reason: str, piece_id: str) -> None:
        """Count one piece that is left out."""
        self.dropped[reason] += 1
        specimens = self.specimens.setdefault(reason, [])
        if len(specimens) < self.SPECIMENS:
            specimens.append(piece_id)

    def keep(self, split: str, *, pieces: int, examples: int, tokens: int) -> None:
        """Count pieces that are used, with their examples and time steps."""
        if examples:
            self.kept[split] += pieces
            self.examples[split] += examples
            self.tokens[split] += tokens

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` is the inverse."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            name: dict(value.most_common()) if isinstance(value, Counter) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Receipt":
        """Restore what `as_dict` returned."""
        receipt = cls(**values)
        for name in ("kept", "dropped", "examples", "tokens", "left_out", "remarks"):
            setattr(receipt, name, Counter(values.get(name, {})))  # caches of before lack remarks
        return receipt

"""What became of every piece of a corpus."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Receipt:
    """Counts of pieces, from what was read to what is trained on.

    Attributes:
        read: pieces found in the corpus, readable or not.
        kept: pieces per split.
        dropped: pieces per reason; duplicates are one reason.
        examples: up to `EXAMPLES` ids per reason, for a look at what was dropped.
        tokens: ids per split, without the ones that open and close a piece.
        vocabulary: number of distinct ids.
    """

    read: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    tokens: Counter[str] = field(default_factory=Counter)
    vocabulary: int = 0

    EXAMPLES = 5

    def drop(self, reason: str, piece_id: str) -> None:
        """Count one piece that is left out."""
        self.dropped[reason] += 1
        seen = self.examples.setdefault(reason, [])
        if len(seen) < self.EXAMPLES:
            seen.append(piece_id)

    def keep(self, split: str, tokens: int) -> None:
        """Count one piece of `tokens` ids that is used."""
        self.kept[split] += 1
        self.tokens[split] += tokens

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` is the way back."""
        return {
            "read": self.read,
            "kept": dict(self.kept),
            "dropped": dict(self.dropped.most_common()),
            "examples": self.examples,
            "tokens": dict(self.tokens),
            "vocabulary": self.vocabulary,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Receipt":
        """Restore what `as_dict` returned."""
        return cls(
            read=values["read"],
            kept=Counter(values["kept"]),
            dropped=Counter(values["dropped"]),
            examples=dict(values["examples"]),
            tokens=Counter(values["tokens"]),
            vocabulary=values["vocabulary"],
        )

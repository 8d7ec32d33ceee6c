"""What prepared data are, wherever their files lie: a name, a count and a hash of the examples."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK = 2**22  # time steps that are hashed at a time


@dataclass(frozen=True)
class Identity:
    """What a run was trained on.

    Attributes:
        name: what people call the corpus, such as its folder.
        content: `content_hash` of its examples; the same data have the same, whatever their path.
        pieces: number of pieces kept.
    """

    name: str
    content: str
    pieces: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for checkpoints; `from_dict` is the inverse."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: object) -> "Identity | None":
        """Restore what `as_dict` returned; ``None`` if it is anything else."""
        if not isinstance(values, Mapping) or set(values) != set(cls.__annotations__):
            return None
        name, content, pieces = (values[key] for key in cls.__annotations__)
        plain = isinstance(name, str) and isinstance(content, str) and isinstance(pieces, int)
        return cls(name, content, pieces) if plain else None

    def differs_from(self, before: "Identity") -> str | None:
        """How these data differ from others, in words; ``None`` if they are the same data."""
        if self.content == before.content:
            return None
        if self.pieces != before.pieces:
            return f"{before.pieces:,} pieces were kept of {before.name}, {self.pieces:,} are now"
        hashes = f"SHA-256 was {before.content[:12]} and is now {self.content[:12]}"
        return f"as many pieces ({self.pieces:,}), but of other content: {hashes}"


def content_hash(
    shards: Sequence[NDArray[Any]], lengths: NDArray[np.int64], splits: NDArray[np.uint8]
) -> str:
    """SHA-256 over all examples in their order, hexadecimal: ids, lengths and splits, no names.

    Args:
        shards: ``[n]`` or ``[n, F]`` ids of the examples end to end, of any integer type.
        lengths: ``[E]`` time steps of each example.
        splits: ``[E]`` index of the split of each.
    """
    digest = hashlib.sha256()
    for shard in shards:
        for begin in range(0, len(shard), BLOCK):
            digest.update(np.ascontiguousarray(shard[begin : begin + BLOCK], "<u4").data)
    # Of fixed width, so that the ids cannot be read as lengths or the other way around.
    for column, kind in ((lengths, "<i8"), (splits, "u1")):
        digest.update(hashlib.sha256(np.ascontiguousarray(column, kind).data).digest())
    return digest.hexdigest()

"""The pieces that a comparison is on: held out by every model, and readable by every one.

Models may have been trained with other splits of the same music, and their tokens may leave out
pieces that those of others hold. Figures of different pieces do not compare.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.errors import UserError

LEAST_PIECES = 10
Key = tuple[str, str]  # what a piece is called, wherever its file lies, and its title


@dataclass(frozen=True)
class Shared:
    """Pieces that several corpora hold out.

    Attributes:
        split: whose pieces they are: ``test``, ``val``, or ``held-out`` for both.
        keys: of the pieces, in the order of the first corpus.
    """

    split: str
    keys: tuple[Key, ...]


def shared_pieces(corpora: Mapping[str, Encoded], split: str) -> Shared:
    """Pieces of which every corpus has examples in a held-out split, and none trains on.

    They are those that all of them have in `split`. Splits of different shares may have no piece in
    common there: then they are those that every corpus has in either held-out split.

    Args:
        corpora: prepared data, by the name of their model.
        split: ``test`` or ``val``.

    Raises:
        UserError: if there are fewer than `LEAST_PIECES`.
    """
    counts = {}
    for name, parts in ((split, (split,)), ("held-out", ("val", "test"))):
        held_out = [keys_of(encoded, parts) for encoded in corpora.values()]
        common = tuple(key for key in held_out[0] if all(key in keys for keys in held_out[1:]))
        if len(common) >= LEAST_PIECES:
            return Shared(name, common)
        counts = dict(zip(corpora, map(len, held_out), strict=True))
    have = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    raise UserError(
        f"{len(common)} pieces are held out by every model and readable by every one, of at least "
        f"{LEAST_PIECES} that a comparison needs (held out: {have}); compare fewer models, or name "
        "a collection that none was trained on with dataset="
    )


def keys_of(encoded: Encoded, splits: Sequence[str]) -> dict[Key, int]:
    """The pieces with examples in some splits and in no other, with their numbers."""
    inside = np.isin(encoded.splits, [SPLITS.index(name) for name in splits])
    pieces = np.setdiff1d(encoded.owners[inside], encoded.owners[~inside])
    keys = _keys(encoded)
    return {keys[piece]: int(piece) for piece in pieces.tolist()}


def restricted(encoded: Encoded, split: str, shared: Shared) -> Encoded:
    """The same data, with the shared pieces and no others in a held-out split.

    What is trained on stays as it is; all other held-out pieces go to the other held-out split.
    """
    keys = _keys(encoded)
    wanted = set(shared.keys)
    chosen = np.array([key in wanted for key in keys], np.bool_)[encoded.owners]
    trained = encoded.splits == SPLITS.index("train")
    other = "val" if split == "test" else "test"
    splits = np.where(chosen, SPLITS.index(split), SPLITS.index(other))
    return replace(encoded, splits=np.where(trained, encoded.splits, splits).astype(np.uint8))


def example_keys(encoded: Encoded, examples: NDArray[np.int64]) -> list[Key]:
    """The key of the piece of each example."""
    keys = _keys(encoded)
    return [keys[piece] for piece in encoded.owners[examples].tolist()]


def _keys(encoded: Encoded) -> list[Key]:
    """A key for every piece: its file's name and number, and its title, without the folder.

    Folders may have been moved. Where name and title do not tell pieces of one corpus apart, or
    there is no title to tell them from pieces of others, the whole id does.
    """
    short = [(PurePosixPath(name).name, title) for name, title in encoded.names]
    counts = Counter(short)
    return [
        key if counts[key] == 1 and key[1] else (name, key[1])
        for key, (name, _) in zip(short, encoded.names, strict=True)
    ]

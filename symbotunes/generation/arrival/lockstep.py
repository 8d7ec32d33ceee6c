"""Several pieces read at once, as long as they have equally many tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symbotunes.generation.arrival.window import Reader

Ids = list[int]


@dataclass
class _Group:
    """Pieces whose keys and values are rows of one cache, since they have read equally many ids."""

    members: list[int]  # numbers of the pieces, in the order of the rows
    read: dict[int, Ids]  # what each has read
    state: Any


class LockstepReader:
    """Gives the logits after the ids of many pieces; the counterpart of `CachedReader`.

    A cache has one length for all of its rows, so a piece whose window moves while those of others
    do not leaves its group, and is read by itself from then on.

    Args:
        model: a transformer, in eval mode.
        count: of the pieces, which are numbered from 0.
    """

    def __init__(self, model: Reader, count: int) -> None:
        self.model = model
        self.device = next(iter(model.parameters())).device
        members = list(range(count))
        empty: dict[int, Ids] = {number: [] for number in members}
        self.groups = [_Group(members, empty, model.start(count))]

    def logits_after(self, wanted: Mapping[int, Ids]) -> dict[int, Tensor]:
        """Logits ``[V]`` in float64 on the CPU of the id after those of each piece.

        Args:
            wanted: ids by piece; those of pieces that are missing are not needed any more.
        """
        self.groups = [part for group in self.groups for part in self._parts(group, wanted)]
        result: dict[int, Tensor] = {}
        for group in self.groups:
            known = len(group.read[group.members[0]])
            ids = [wanted[number] for number in group.members]
            tokens = torch.tensor([row[known:] for row in ids], device=self.device)
            logits, group.state = self.model.read(tokens, group.state)
            group.read = dict(zip(group.members, ids, strict=True))
            result |= dict(zip(group.members, logits.cpu().double(), strict=True))
        return result

    def _parts(self, group: _Group, wanted: Mapping[int, Ids]) -> list[_Group]:
        """A group without finished pieces, split by what its pieces have to read."""
        parts: dict[tuple[int, int], list[int]] = {}
        for row, number in enumerate(group.members):
            if number in wanted:
                ids = wanted[number]
                known = _known(group.read[number], ids)
                parts.setdefault((known, len(ids)), []).append(row)
        return [
            self._part(group, rows, is_whole=len(rows) == len(group.members), is_new=not known)
            for (known, _), rows in parts.items()
        ]

    def _part(self, group: _Group, rows: Sequence[int], *, is_whole: bool, is_new: bool) -> _Group:
        state = group.state if is_whole else self.model.chosen(group.state, list(rows))
        members = [group.members[row] for row in rows]
        if is_new:
            return _Group(members, {number: [] for number in members}, self.model.rewound(state))
        return _Group(members, {number: group.read[number] for number in members}, state)


def _known(read: Ids, ids: Ids) -> int:
    """How many ids need not be read again: all that were, or none."""
    return len(read) if len(read) < len(ids) and ids[: len(read)] == read else 0

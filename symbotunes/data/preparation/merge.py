"""From parts to a cache: duplicates, splits, vocabulary and final ids, with flat memory.

The parts are read twice. The first pass decides what is kept and counts tokens; the second writes.
Only flags, hashes and counts are kept in memory between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.data.cache.arrays import GrowingArray, ShardWriter, smallest_dtype
from symbotunes.data.limits import Limits
from symbotunes.data.preparation.families import EXCLUDED, Assignment, assign
from symbotunes.data.preparation.losses import Losses
from symbotunes.data.preparation.parts import SIDES, Part
from symbotunes.data.preparation.strings import UNKNOWN, Strings, Table
from symbotunes.data.receipt import Receipt
from symbotunes.data.split import SPLITS, Shares
from symbotunes.datasets.base import HELD_OUT, TRAINING, DatasetError
from symbotunes.tokenizers.base import Ids, Tokenizer

TRAIN = SPLITS.index("train")
VERSION = "version for the other side alone"  # why a piece is left out


@dataclass(frozen=True)
class Selection:
    """What is kept of one part.

    Attributes:
        path: of the part.
        examples: ``[E]`` whether each example is kept so far.
        splits: ``[P]`` of its pieces.
        families: ``[P]`` of its pieces.
    """

    path: Path
    examples: NDArray[np.bool_]
    splits: NDArray[np.uint8]
    families: NDArray[np.int32]

    def of(self, part: Part, mask: NDArray[np.bool_] | None = None) -> "Chosen":
        """The examples that are kept, or only those of them in `mask`."""
        kept = self.examples if mask is None else self.examples & mask
        ids = part.ids[np.repeat(kept, part.lengths)]
        return Chosen(ids, part.lengths[kept], part.owners[kept])


@dataclass(frozen=True)
class Chosen:
    """Some examples of a part, in the same layout."""

    ids: NDArray[Any]
    lengths: NDArray[np.int64]
    owners: NDArray[np.int64]

    def only(self, keep: NDArray[np.bool_]) -> "Chosen":
        """The examples for which `keep` is true."""
        ids = self.ids[np.repeat(keep, self.lengths)]
        return Chosen(ids, self.lengths[keep], self.owners[keep])

    def each(self) -> list[Ids]:
        """One array per example."""
        return np.split(self.ids, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else []


@dataclass
class Merge:
    """Turns parts into the files of a cache.

    Attributes:
        tokenizer: has its vocabulary afterward.
        limits: lengths kept.
        shares: of the splits.
        receipt: filled in by `run`.
        lengths: shortest and longest example written.
    """

    tokenizer: Tokenizer[Any]
    limits: Limits
    shares: Shares
    receipt: Receipt = field(default_factory=Receipt)
    lengths: tuple[int, int] | None = None
    _trains: bool = False  # whether anything is left for the training split
    _strings: Strings = field(default_factory=Strings)
    _losses: Losses = field(init=False)
    _renumbered: dict[Path, NDArray[np.int64]] = field(default_factory=dict)

    def run(self, parts: Sequence[Path], folder: Path) -> list[int]:
        """Write the arrays and names of a cache to `folder`.

        Returns:
            Time steps of each shard.

        Raises:
            DatasetError: if nothing is left to train on, with the reasons.
        """
        with Losses(folder, self.receipt) as self._losses:
            selections = self._survey(parts, assign(parts, self.shares))
            self._require(self._trains)
            if not self.tokenizer.fitted:
                self._fit(selections)
            sizes = self._write(selections, folder)
        self.receipt.vocabulary = self.tokenizer.vocabulary.size
        self._require(self.receipt.examples["train"] > 0)
        return sizes

    # First pass.

    def _survey(self, parts: Sequence[Path], assigned: Assignment) -> list[Selection]:
        seen: dict[bytes, str] = {}
        selections = []
        first = 0
        for path in parts:
            part = Part.load(path)
            last = first + len(part.names)
            splits = assigned.splits[first:last]
            useful = _useful(part, splits)
            fits = useful & self._within(part.lengths)
            useless = np.bincount(part.owners[useful], minlength=len(part.names)) == 0
            excluded = {VERSION: useless, EXCLUDED: assigned.excluded[first:last]}
            kept = self._judge(part, fits, excluded, seen)[part.owners]
            self._leave_out(part, kept & useful & ~fits)
            selections.append(Selection(path, kept & fits, splits, assigned.families[first:last]))
            self._trains |= bool(selections[-1].examples[splits[part.owners] == TRAIN].any())
            self._count(part, selections[-1])
            first = last
        return selections

    def _within(self, lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which examples fit; all, if recoding will still change their lengths."""
        if self.tokenizer.RECODES:
            return np.ones(len(lengths), np.bool_)
        return self.limits.fit(lengths)

    def _judge(
        self,
        part: Part,
        fits: NDArray[np.bool_],
        excluded: Mapping[str, NDArray[np.bool_]],
        seen: dict[bytes, str],
    ) -> NDArray[np.bool_]:
        """Which pieces are kept; the receipt gets the reasons for the others."""
        count = len(part.names)
        kept = np.bincount(part.owners[fits], minlength=count) > 0
        firsts = np.searchsorted(part.owners, np.arange(count))  # example of each piece
        self.receipt.read += count
        self.receipt.quarantined |= part.quarantined
        for index, (name, _) in enumerate(part.names):
            reason, value = part.reasons.get(index), part.values.get(index, "")
            if reason is None and excluded[VERSION][index]:
                reason = VERSION
            if reason is None and not kept[index]:
                length = part.lengths[firsts[index]]
                reason, value = self.limits.reason(length), str(length)
            if reason is None:
                digest = part.digests[index].tobytes()
                if digest in seen:
                    reason, value = "duplicate", seen[digest]
                else:
                    seen[digest] = name
            if reason is None and excluded[EXCLUDED][index]:
                reason = EXCLUDED
            if reason is not None:
                kept[index] = False
                self._losses.drop(reason, name, value)
            else:
                self.receipt.remarks.update(part.remarks.get(index, ()))
        return kept

    def _leave_out(self, part: Part, examples: NDArray[np.bool_]) -> None:
        for length in part.lengths[examples]:
            self.receipt.left_out[self.limits.reason(length)] += 1

    def _count(self, part: Part, selection: Selection) -> None:
        """Number the part's strings, and count those of its training examples."""
        if not part.strings:
            return
        numbers = self._strings.renumber(part.strings)
        self._renumbered[selection.path] = numbers
        chosen = selection.of(part, selection.splits[part.owners] == TRAIN)
        self._strings.count(numbers[chosen.ids])

    # Between the passes.

    def _fit(self, selections: Sequence[Selection]) -> None:
        if self.tokenizer.RECODES:
            self.tokenizer.fit_ids(self._training(selections))
        else:
            self.tokenizer.fit(self._strings.counts)

    def _training(self, selections: Sequence[Selection]) -> Iterator[Ids]:
        for selection in selections:
            part = Part.load(selection.path)
            yield from selection.of(part, selection.splits[part.owners] == TRAIN).each()

    # Second pass.

    def _write(self, selections: Sequence[Selection], folder: Path) -> list[int]:
        table = Table.of(self._strings, self.tokenizer)
        dtype = smallest_dtype(self.tokenizer.vocabulary.size - 1)
        shards = ShardWriter(folder, dtype, self.tokenizer.FIELDS)
        with (
            GrowingArray(folder / "starts.npy", np.int64) as starts,
            GrowingArray(folder / "splits.npy", np.uint8) as splits,
            GrowingArray(folder / "pieces.npy", np.int32) as pieces,
            GrowingArray(folder / "families.npy", np.int32) as families,
            (folder / "names.txt").open("w", encoding="utf-8", errors="backslashreplace") as names,
        ):
            end = written = 0
            starts.append(np.zeros(1, np.int64))
            for selection in selections:
                part = Part.load(selection.path)
                chosen = self._final(part, selection, table)
                shards.append(chosen.ids, chosen.lengths)
                starts.append(end + np.cumsum(chosen.lengths))
                splits.append(selection.splits[chosen.owners])
                owners, numbers = np.unique(chosen.owners, return_inverse=True)
                pieces.append(written + numbers)
                families.append(selection.families[owners])
                names.writelines(_line(*part.names[owner]) for owner in owners)
                self._note(chosen, selection.splits)
                end += int(chosen.lengths.sum())
                written += len(owners)
            shards.close()
        return shards.sizes

    def _final(self, part: Part, selection: Selection, table: Table) -> Chosen:
        """The examples as they are written; pieces that turn out to be unusable are dropped."""
        chosen = selection.of(part)
        if part.strings:
            return self._known(part, chosen, self._renumbered[selection.path], table)
        return self._recoded(part, chosen) if self.tokenizer.RECODES else chosen

    def _known(
        self, part: Part, chosen: Chosen, numbers: NDArray[np.int64], table: Table
    ) -> Chosen:
        raw = numbers[chosen.ids]
        ids = table.ids[raw]
        owners = np.repeat(chosen.owners, chosen.lengths)
        unknown = np.flatnonzero(ids == UNKNOWN)
        lost, firsts = np.unique(owners[unknown], return_index=True)
        for owner, first in zip(lost, unknown[firsts], strict=True):
            reason, value = table.reasons[int(raw[first])]
            self._losses.drop(reason, part.names[owner][0], value)
        keep = ~np.isin(chosen.owners, lost)
        return Chosen(ids, chosen.lengths, chosen.owners).only(keep)

    def _recoded(self, part: Part, chosen: Chosen) -> Chosen:
        examples = [self.tokenizer.recode(example) for example in chosen.each()]
        lengths = np.array([len(example) for example in examples], np.int64)
        ids = np.concatenate(examples) if examples else chosen.ids
        fits = self.limits.fit(lengths)
        kept = np.isin(chosen.owners, chosen.owners[fits])
        lost, firsts = np.unique(chosen.owners[~kept], return_index=True)
        for owner, length in zip(lost, lengths[~kept][firsts], strict=True):
            self._losses.drop(self.limits.reason(length), part.names[owner][0], str(length))
        for length in lengths[kept & ~fits]:
            self.receipt.left_out[self.limits.reason(length)] += 1
        return Chosen(ids, lengths, chosen.owners).only(fits)

    def _note(self, chosen: Chosen, splits: NDArray[np.uint8]) -> None:
        if not len(chosen.lengths):
            return
        ends = (int(chosen.lengths.min()), int(chosen.lengths.max()), *(self.lengths or ()))
        self.lengths = (min(ends), max(ends))
        for index, split in enumerate(SPLITS):
            own = splits[chosen.owners] == index
            self.receipt.keep(
                split,
                pieces=len(np.unique(chosen.owners[own])),
                examples=int(own.sum()),
                tokens=int(chosen.lengths[own].sum()),
            )

    def _require(self, something: bool) -> None:
        receipt = self.receipt
        if receipt.read == 0:
            raise DatasetError("the corpus is empty: its files contain no pieces")
        if something:
            return
        kept = receipt.read - receipt.dropped.total()
        reasons = ", ".join(f"{count} {reason}" for reason, count in receipt.dropped.most_common(5))
        raise DatasetError(
            f"nothing to train on: {receipt.read} pieces read, {kept} kept, none in the "
            f"training split; dropped: {reasons or 'none'}"
        )


def _useful(part: Part, splits: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which examples may be used in the split of their piece; held-out ones are not augmented."""
    unfit = np.where(splits == TRAIN, SIDES.index(HELD_OUT), SIDES.index(TRAINING))
    return np.asarray(part.sides != unfit[part.owners], np.bool_)


def _line(name: str, title: str) -> str:
    """One line of ``names.txt``: id and title, without tabs and line breaks."""
    return f"{' '.join(name.split())}\t{' '.join(title.split())}\n"

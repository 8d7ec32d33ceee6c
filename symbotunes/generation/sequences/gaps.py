"""Tunes some bars of which are to be written anew."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbotunes.errors import UserError
from symbotunes.generation.sequences.generate import Constraint
from symbotunes.generation.sequences.infill_constraint import FillCount, InfillConstraint
from symbotunes.generation.sequences.prompts import first_usable, key_to_return_to
from symbotunes.music.abc.beginnings import stretches_by_bar
from symbotunes.music.abc.grammar.gap import Surroundings
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.stretches import PLAIN, right_eighths, stretches_of
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.excerpt import Excerpt
from symbotunes.music.tempo import tempo_in
from symbotunes.tokenizers.base import Ids, TextTokenizer, examples_in
from symbotunes.transforms.infill import FILL, MASK, fills, masked


@dataclass(frozen=True)
class Gaps:
    """A tune with gaps where bars are to be written.

    Attributes:
        tokenizer: of the model, which knows the sentinels.
        tokens: ABC tokens of the tune, in the key that the model reads.
        parts: its ids, as `Tokenizer.split_bars` returns them.
        chosen: numbers of the stretches between signs that are written anew, ascending.
        key: to which the tune is moved back; ``None`` if it has not been moved.
        title: of the tune.
        remarks: on tunes of the file that were passed over.
        tempo: that its ``Q:`` asks for, in quarters per minute; ``None`` if it has none.
    """

    tokenizer: TextTokenizer[Any]
    tokens: Sequence[str]
    parts: Sequence[Ids]
    chosen: Sequence[int]
    key: Key | None = None
    title: str = ""
    remarks: tuple[str, ...] = ()
    tempo: float | None = None

    @property
    def prompt(self) -> list[int]:
        """Ids that a model reads before the first fill, without ``bos``."""
        given = masked(self.tokenizer, self.parts, self.chosen)
        return [*given.tolist(), self.tokenizer.added_id(FILL)]

    @property
    def original(self) -> list[int]:
        """Ids of the fills that restore the tune, as a model would write them after `prompt`."""
        return [int(index) for index in fills(self.tokenizer, self.parts, self.chosen)][1:]

    @property
    def replaced(self) -> list[list[int]]:
        """Ids of the music that stood in each gap."""
        return [self.parts[2 * stretch + 1].tolist() for stretch in self.chosen]

    def filled(self, written: Sequence[int]) -> list[int]:
        """Ids of the tune with fills in its gaps.

        Args:
            written: ids after `prompt`, one fill for each gap, without ``eos``.
        """
        fill = self.tokenizer.added_id(FILL)
        ids = np.array(written, np.int64)
        bars = [bar[bar != fill] for bar in np.split(ids, np.flatnonzero(ids == fill))]
        parts = list(self.parts)
        for stretch, bar in zip(self.chosen, bars, strict=True):
            parts[2 * stretch + 1] = bar
        return [int(index) for index in np.concatenate(parts)]

    @property
    def surroundings(self) -> list[Surroundings]:
        """What each gap lies between."""
        stretches = stretches_of(self.tokens)
        lengths = right_eighths(stretches)
        bars = {number: bar for bar, numbers in stretches_by_bar(self.tokens).items()
                for number in numbers}  # fmt: skip
        gaps = []
        for number in self.chosen:
            stretch, before = stretches[number], stretches[:number]
            has_next = not stretch.is_last and stretch.after == PLAIN
            is_after_gap = number - 1 in self.chosen
            gaps.append(
                Surroundings(
                    bars[number],
                    stretch.meter,
                    lengths[number],
                    sounded=is_after_gap or any(earlier.has_notes for earlier in before),
                    held=before[-1].tied_pitch if before and not is_after_gap else None,
                    following=stretches[number + 1].first_pitch if has_next else None,
                    joins_next=has_next and number + 1 in self.chosen,
                )
            )
        return gaps

    def constraint(self, name: str | None) -> Constraint:
        """What keeps the fills in their gaps.

        Args:
            name: ``abc``: they have the right lengths and join what surrounds them; ``None``: there
                is one for each gap, and none holds a bar sign.

        Raises:
            ValueError: naming the bar that no music of the vocabulary fits.
        """
        tokenizer = self.tokenizer
        eos, fill = tokenizer.vocabulary.eos, tokenizer.added_id(FILL)
        if name is None:
            size, music = tokenizer.model_vocabulary.size, music_ids(tokenizer)
            return FillCount(size, eos=eos, fill=fill, music=music, gaps=len(self.chosen))
        if tokenizer.abc_tokens is None:
            raise ValueError("the model does not write ABC tokens: set sample.constraint=null")
        tokens = [*tokenizer.abc_tokens, *tokenizer.added]
        return InfillConstraint(tokens, eos=eos, fill=fill, gaps=self.surroundings)


def music_ids(tokenizer: TextTokenizer[Any]) -> list[int]:
    """Ids of tokens that hold music and no sign."""
    vocabulary = tokenizer.vocabulary
    music = []
    for index in range(vocabulary.size):
        sizes = [len(part) for part in tokenizer.split_bars(np.array([index], np.int64))]
        if index not in (vocabulary.bos, vocabulary.eos) and sizes[1:] and not sizes[0] + sizes[2]:
            music.append(index)
    return music


def require_infill(name: str, tokenizer: TextTokenizer[Any]) -> None:
    """Check that a model was trained to fill in bars.

    Args:
        name: of the model.
        tokenizer: of the model.

    Raises:
        UserError: if it was not, naming the transform to train with.
    """
    if MASK in tokenizer.added and FILL not in tokenizer.added:
        raise UserError(
            f"sample=infill: this {name} learned to fill in bars in an earlier order of their "
            "surroundings; train one anew"
        )
    if MASK not in tokenizer.added:
        raise UserError(
            f"sample=infill: this {name} was not trained to fill in bars; train one with infill "
            "after its tokenizer, such as transforms=[abc_tokens,infill]"
        )


def read_gaps(
    tokenizer: TextTokenizer[Any], path: Path, bars: Excerpt, wanted: int | str | None = None
) -> Gaps:
    """A tune of a file, with gaps in place of some bars.

    Args:
        tokenizer: of the model.
        path: of an ABC file.
        bars: which bars become gaps, as engraved.
        wanted: which tune, by its place, from 1, or title; ``None``: the first that can be used.

    Raises:
        UserError: if the file cannot be read, a bar does not exist, or the model has no token for
            something in the tune.
    """
    try:
        if path.suffix.lower() != ".abc":
            raise ValueError("the model fills in bars of .abc files")
        gaps, remarks = first_usable(path, wanted, lambda tune: gaps_of(tokenizer, tune, bars))
    except (ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(f"sample.input={path}: {reason}") from error
    return replace(gaps, remarks=remarks)


def gaps_of(tokenizer: TextTokenizer[Any], tune: AbcTune, bars: Excerpt) -> Gaps:
    """A tune with gaps in place of some bars.

    Raises:
        ValueError: see `read_gaps`.
    """
    changes = tokenizer.KEEPS_CHANGES
    # First, because its errors name their line.
    phrase = tune.phrase_in("keep", changes=changes)
    key = None if tune.tokens else phrase.key
    (example,) = examples_in(tokenizer.tokenize(tune))
    is_bytes = isinstance(example, np.ndarray)
    ids = tokenizer.recode(example) if is_bytes else np.array(tokenizer.encode(example), np.int64)
    tokens = example
    if is_bytes:
        tokens = tune.tokens_in("C" if tokenizer.MOVES_TO_C else "keep", changes=changes)
    return Gaps(
        tokenizer,
        tokens,
        tokenizer.split_bars(ids),
        chosen_stretches(tokens, bars),
        key_to_return_to(tokenizer, key),
        tune.title,
        tempo=tempo_in(tune.text) or None,
    )


def chosen_stretches(tokens: Sequence[str], bars: Excerpt) -> list[int]:
    """The stretches of music that some bars consist of, ascending.

    Raises:
        ValueError: naming a bar that the tune does not have.
    """
    known = stretches_by_bar(tokens)
    chosen: set[int] = set()
    for number in (number for numbers in bars for number in numbers):
        if number not in known:
            raise ValueError(f"the tune has bars {min(known)} to {max(known)}, no bar {number}")
        chosen.update(known[number])
    return sorted(chosen)

"""ABC tunes as the tokens of Folk-RNN."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key
from symbotunes.music.abc.normalize import Root
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.playback import score_of
from symbotunes.music.abc.prompt.beginning import read_typed
from symbotunes.music.abc.repeats import REPEAT_FAULTS
from symbotunes.music.abc.text import to_abc
from symbotunes.music.abc.tokens import NOT_MUSIC, Phrase, kind
from symbotunes.music.abc.transposition import from_c, to_c
from symbotunes.music.abc.tune import CHANGES, AbcTune
from symbotunes.tokenizers.base import (
    GrammarCheck,
    Ids,
    Rendition,
    TextTokenizer,
    Unencodable,
    Vocabulary,
)

BOS, EOS = "<s>", "</s>"
# The 135 music tokens of the published data_v2 (Sturm et al. 2016, and the authors' code).
_PUBLISHED = """
M:12/8 M:2/4 M:3/2 M:3/4 M:4/4 M:6/8 M:9/8 K:Cmaj K:Cmin K:Cdor K:Cmix
| |: :| |1 |2 [ ] z (2 (3 (4 (5 (6 (7 (9
/2 /2< /2> /3 /4 /8 2 2< 2> 3 3/2 3/4 4 4> 5 5/2 6 7 7/2 8 9 12 16 < >
=A =A, =B =B, =C =C, =D =E =E, =F =F, =G =G, =a =b =c =c' =d =e =e' =f =f' =g
A A, B B, C C, D D, E E, F F, G G, a a' b b' c c' d d' e e' f f' g g'
^A ^A, ^C ^C, ^D ^F ^F, ^G ^G, ^a ^c ^c' ^d ^f ^f' ^g
_A _A, _B _B, _C _D _E _E, _G _a _b _c _d _d' _e _e' _g
"""
FOLK_RNN = _PUBLISHED.split()
TOKENS_PER_OCCURRENCE, MOST_REQUIRED = 20_000, 10  # see `least_count`
_CLASSES = {"open": "chord", "close": "chord", "unknown": "other"}


class AbcTokens(TextTokenizer[AbcTune]):
    """Folk-RNN's tokens: meter, key, pitches, durations in eighths, bar signs.

    Lost are lyrics, ornaments, grace notes, chord names, slurs, line breaks, all voices but the
    first, and with ``root="C"`` the tonic. Nothing is lost of tunes that are published as tokens.

    Args:
        vocabulary: ``fitted`` consists of the tokens of the training tunes, with all modes and
            meters; ``folk_rnn`` is the published list, in which 2/2 is written 4/4.
        root: ``C`` moves every tune to the tonic C; ``keep`` keeps its key.
        min_count: a fitted vocabulary excludes tokens that occur less often in training; ``auto``
            follows the size of the corpus, see `least_count`.
        changes: ``keep`` keeps tunes that change meter or key, all keys moved as the first is;
            ``drop`` leaves them out. The published vocabulary has none.
    """

    SCHEMA: ClassVar[int] = 3
    FORMAT: ClassVar[str] = "abc"
    STATE: ClassVar[tuple[str, ...] | None] = ("tokens",)

    def __init__(
        self,
        vocabulary: Literal["fitted", "folk_rnn"] = "fitted",
        root: Root = "C",
        min_count: int | Literal["auto"] = 1,
        changes: Literal["drop", "keep"] = "drop",
    ) -> None:
        if vocabulary not in ("fitted", "folk_rnn") or root not in ("C", "keep"):
            raise ValueError(
                f"abc_tokens: vocabulary={vocabulary} must be fitted or folk_rnn, "
                f"root={root} must be C or keep"
            )
        if changes not in ("drop", "keep") or (changes == "keep" and vocabulary == "folk_rnn"):
            raise ValueError(
                f"abc_tokens: changes={changes} must be drop or keep, and drop with "
                "vocabulary=folk_rnn"
            )
        if min_count != "auto" and not isinstance(min_count, int):
            raise ValueError(f"abc_tokens: min_count={min_count} must be auto or a whole number")
        self.KEEPS_CHANGES = changes == "keep"
        self.published = vocabulary == "folk_rnn"
        self.root = root
        self.MOVES_TO_C = root == "C"
        self.min_count = min_count
        self.tokens: list[str] = []
        self._ids: dict[str, int] = {}
        if self.published:
            self._set([BOS, EOS, *FOLK_RNN])

    @property
    def abc_tokens(self) -> Sequence[str]:
        return self.tokens

    def tokenize(self, piece: AbcTune) -> list[str]:
        if piece.tokens:
            return list(piece.tokens)
        try:
            tokens = piece.tokens_in(self.root, changes=self.KEEPS_CHANGES)
            return self._as_published(tokens)
        except AbcError as error:
            kept = not self.published and error.reason in CHANGES and self._could_be_kept(piece)
            hint = " (kept with transforms.abc_tokens.changes=keep)" if kept else ""
            raise Unencodable(f"{error.reason}{hint}", error.detail) from error

    def _could_be_kept(self, piece: AbcTune) -> bool:
        """Whether a tune that changes meter or key could be read with its changes."""
        try:
            return bool(piece.tokens_in(self.root, changes=True))
        except AbcError:
            return False

    def _as_published(self, tokens: Sequence[str]) -> list[str]:
        """Write 2/2 as 4/4 for the published vocabulary, which has no 2/2."""
        return ["M:4/4" if self.published and token == "M:2/2" else token for token in tokens]

    def fit(self, counts: Mapping[str, int]) -> None:
        if self.published:
            return
        least = least_count(counts) if self.min_count == "auto" else self.min_count
        common = sorted(token for token, count in counts.items() if count >= least)
        self._set([BOS, EOS, *common])

    def _set(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)
        self._ids = {token: index for index, token in enumerate(self.tokens)}

    def encode(self, tokens: Sequence[str]) -> list[int]:
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            reason = (
                "outside the published vocabulary"
                if self.published
                else "a token too rare in training, see transforms.abc_tokens.min_count"
            )
            raise Unencodable(reason, str(error.args[0])) from error

    def decode(self, ids: Sequence[int]) -> list[str]:
        return [self.tokens[index] for index in ids if self.tokens[index] not in (BOS, EOS)]

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:
        """Bars begin after meter and key, and after every bar sign that follows music."""
        kinds = [kind(self.tokens[index]) for index in ids]
        starts: list[int] = []
        sounded = True  # whether music has followed the last start
        for index, name in enumerate(kinds):
            if name in ("meter", "key"):
                continue
            if not starts:
                starts, sounded = [index], False
            if name != "bar":
                sounded = True
            elif sounded and index + 1 < len(kinds):
                starts.append(index + 1)
                sounded = False
        return np.array(starts, np.int64)

    def split_bars(self, ids: Ids) -> list[Ids]:
        """Everything but meter, key and bar signs is music."""
        signs = [kind(self.tokens[index]) in NOT_MUSIC for index in ids]
        return alternating(np.asarray(ids), np.array(signs, np.bool_))

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:
        phrase = parse_tokens(tokens, changes=self.KEEPS_CHANGES)
        return render_phrase(phrase, title, number=number, tokens=len(tokens))

    def prompt(self, text: str) -> list[int]:
        typed = read_typed(text, changes=self.KEEPS_CHANGES).tokens
        tokens = self._as_published(to_c(typed) if self.root == "C" else typed)
        for token, own in zip(tokens, typed, strict=True):
            if token not in self._ids:
                moved = f" ({own} on C)" if token != own else ""
                nearest = self.suggest(token)
                hint = f"; the nearest is {nearest}" if nearest else ""
                raise ValueError(f"the model does not know {token}{moved}{hint}")
        return self.encode(tokens)

    def token_class(self, token: str) -> str:
        """``meter``, ``key``, ``pitch``, ``duration``, ``bar``, ``chord`` and the like."""
        return _CLASSES.get(name := kind(token), name)

    def suggest(self, token: str) -> str | None:
        """The token of the vocabulary with the most similar spelling, or ``None``."""
        known = [other for other in self.tokens if other not in (BOS, EOS)]
        close = get_close_matches(token, known, n=1, cutoff=0.3)
        return close[0] if close else None

    @property
    def vocabulary(self) -> Vocabulary:
        if not self.tokens:
            raise RuntimeError("abc_tokens has no vocabulary yet")
        return Vocabulary(len(self.tokens), self._ids[BOS], self._ids[EOS])

    def state(self) -> Mapping[str, Any]:
        return {"tokens": self.tokens}

    def load_state(self, state: Mapping[str, Any]) -> None:
        tokens = [str(token) for token in state["tokens"]]
        if len(set(tokens)) < len(tokens) or not {BOS, EOS} <= set(tokens):
            raise ValueError(f"a vocabulary must contain {BOS} and {EOS}, and no token twice")
        self._set(tokens)


def least_count(counts: Mapping[str, int]) -> int:
    """How often a token must occur to be learned: once per 20,000 training tokens, at most 10.

    A dozen tunes keep every token, 1,600 tunes (200,000 tokens) and more those that occur ten
    times.

    Args:
        counts: of every token in the training tunes.
    """
    return min(MOST_REQUIRED, max(1, sum(counts.values()) // TOKENS_PER_OCCURRENCE))


def alternating(ids: Ids, is_sign: NDArray[np.bool_]) -> list[Ids]:
    """Parts of an example as `Tokenizer.split_bars` returns them.

    Args:
        ids: ``[T]`` of the example.
        is_sign: ``[T]`` whether each id belongs to an even part.
    """
    parts = np.split(ids, np.flatnonzero(np.diff(is_sign)) + 1)
    before = [ids[:0]] if len(ids) and not is_sign[0] else []
    after = [ids[:0]] if len(ids) and not is_sign[-1] else []
    return [*before, *parts, *after]


def render_phrase(
    phrase: Phrase,
    title: str,
    *,
    number: int = 1,
    tokens: int,
    unread: Sequence[str] = (),
) -> Rendition:
    """The rendition of a parsed tune.

    Its errors are what `parse_tokens` repaired (each dropped token and each sign without a
    counterpart), what was missing (meter, key, notes, a last bar sign), and what could not be read.

    Args:
        phrase: parsed from its tokens.
        title: shown to people.
        number: of the piece in its set, counted from 1.
        tokens: number of tokens.
        unread: parts of a text that are not tokens.
    """
    remarks = [f"not ABC, left out: {', '.join(unread[:3])}"] if unread else []
    check = check_bars(phrase)
    return Rendition(
        score=score_of(phrase, upbeat=True),
        abc=to_abc(phrase, number=number, title=title),
        problems=(*remarks, *map(shown_problem, phrase.problems)),
        bars=check.bars,
        right_bars=check.right,
        phrase=phrase,
        grammar=GrammarCheck(phrase.errors + len(unread), tokens + len(unread)),
    )


def shown_problem(problem: str) -> str:
    """A repaired fault in words for readers, who see a bar line in place of the sign."""
    return f"{problem}, shown as a bar line" if problem in REPEAT_FAULTS else problem


def rendition_in(key: Key, rendition: Rendition, title: str, *, number: int = 1) -> Rendition:
    """Move the rendition of a tune on C to another key; problems and bar counts do not change.

    Args:
        key: gives the tonic.
        rendition: returned unchanged if it has no phrase, because it is not ABC.
        title: shown to people.
        number: of the piece in its set, counted from 1.
    """
    if rendition.phrase is None:
        return rendition
    try:
        phrase = from_c(rendition.phrase, key)
    except AbcError as error:
        return replace(rendition, problems=(*rendition.problems, f"stays on C: {error.reason}"))
    score, abc = score_of(phrase, upbeat=True), to_abc(phrase, number=number, title=title)
    return replace(rendition, score=score, abc=abc, phrase=phrase)

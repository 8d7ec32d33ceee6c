"""MIDI pieces as the tokens of MidiTok (Fradet et al. 2021): REMI, TSD, MIDI-Like, Structured."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import symusic
from numpy.typing import NDArray

from symbotunes.errors import UserError
from symbotunes.music.excerpt import Excerpt, in_words
from symbotunes.music.midi.bars import (
    bar_lines,
    chosen_bars,
    on_grid,
    spoken_sections,
    without_silence,
)
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.timing import onsets_of, require_grid
from symbotunes.music.midi.tracks import score_of_track
from symbotunes.tokenizers.base import (
    GrammarCheck,
    Ids,
    Rendition,
    TextTokenizer,
    Unencodable,
    Vocabulary,
)
from symbotunes.tokenizers.id_merges import MAX_BASE, BytePairs
from symbotunes.tokenizers.miditok_options import (
    BOS,
    EOS,
    EVEN_GAPS,
    MIXED_GAPS,
    PAD,
    build_miditok,
    gaps_of,
    with_gaps,
)

JOINT = "+"  # between merged tokens
METERS = (None, "drop", "count")
NOTES = ("Pitch", "PitchDrum", "NoteOn", "DrumOn")  # kinds of tokens that begin a note
MAX_QUARTERS = 20_000  # five thousand bars; REMI also writes empty ones
MAX_NOTES = 200_000  # MidiTok needs a few hundred bytes for each
MAX_CHANGES = 10_000  # of tempo, meter and key; MidiTok's time grows with their square
_CLASSES = {  # names of MidiTok's token types in reports, if its own are unclear
    "NoteOn": "pitch",
    "PitchDrum": "drum",
    "DrumOn": "drum",
    "NoteOff": "note off",
    "DrumOff": "note off",
    "TimeShift": "time shift",
    "TimeSig": "time signature",  # not "meter", since most schemes repeat it in every bar
    "KeySig": "key signature",
}


class MidiTokens(TextTokenizer[MidiPiece]):
    """Any scheme of MidiTok that writes one number per step.

    With programs in the config, the default here, a piece is one example; without them, every track
    is one. Lost is what MidiTok's preprocessing drops: it rounds times to the grid of ``beat_res``
    and values to bins, and omits pitches outside ``pitch_range``.

    Args:
        scheme: ``REMI``, ``TSD``, ``MIDILike`` or ``Structured``.
        config: options of MidiTok's ``TokenizerConfig``.
        bpe_vocab: vocabulary size to which byte pairs are merged; ``None`` merges none. They are
            learned from the training pieces, within bars or, if the scheme has none, between
            time shifts.
        meters: what becomes of a piece with a meter or an upbeat that has no token: ``drop`` drops
            it; ``count`` keeps it, reads its meters as MidiTok does, and remarks on it. ``None``
            does the same in silence and keeps silent bars around the notes too, as versions
            before these options did.
        max_off_grid: pieces whose onsets lie further from any grid on average, in steps, are
            dropped, see `distance_from_grid`; ``None`` keeps all.

    Raises:
        UserError: naming what is wrong with the config, and the nearest valid name.
    """

    SCHEMA: ClassVar[int] = 1
    FORMAT: ClassVar[str] = "midi"
    STATE: ClassVar[tuple[str, ...] | None] = ("tokens", "merges")

    def __init__(
        self,
        scheme: str = "REMI",
        config: Mapping[str, Any] | None = None,
        bpe_vocab: int | None = None,
        meters: str | None = None,
        max_off_grid: float | None = None,
    ) -> None:
        if meters not in METERS:
            raise UserError(f"meters={meters}: choose drop or count")
        self.scheme = scheme
        self.meters = meters
        self.max_off_grid = max_off_grid
        self.config = {"use_programs": True, **with_gaps(scheme, config or {})}
        self.bpe_vocab = bpe_vocab
        self.RECODES = bpe_vocab is not None
        self.merges: BytePairs | None = None
        self._build()
        if bpe_vocab is not None and not len(self.base) < bpe_vocab <= MAX_BASE:
            raise UserError(
                f"bpe_vocab={bpe_vocab} must be null or {len(self.base) + 1} to {MAX_BASE}: "
                f"{scheme} has {len(self.base)} tokens before any are merged"
            )

    def _build(self) -> None:
        """Make MidiTok's tokenizer and name its tokens."""
        self.miditok = build_miditok(self.scheme, self.config)
        ids: dict[str, int] = self.miditok.vocab
        self.base = sorted(ids, key=lambda token: ids[token])
        self._name([[index] for index in range(len(self.base))])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle plain values; a worker rebuilds MidiTok's tokenizer."""
        state = dict(self.state()) if self.fitted else None
        options = (self.scheme, self.config, self.bpe_vocab, self.meters, self.max_off_grid)
        return _rebuilt, (options, state)

    # From pieces to ids.

    def tokenize(self, piece: MidiPiece) -> Sequence[Ids]:
        score = self._preprocessed(piece)
        if self.scheme == "Structured":
            self._require_gaps(score)
        try:
            encoded = self.miditok.encode(score, no_preprocess_score=True, encode_ids=False)
        except Exception as error:  # MidiTok fails in many ways on files from the web
            raise Unencodable("MidiTok fails", type(error).__name__) from error
        sequences = encoded if isinstance(encoded, list) else [encoded]
        return [np.array(sequence.ids, np.int32) for sequence in sequences]

    def _preprocessed(self, piece: MidiPiece, *, prompt: bool = False) -> Any:
        """The notes on MidiTok's grid; those of a prompt may be a performance's."""
        try:
            score: Any = piece.score
            if not any(len(track.notes) for track in score.tracks):
                raise Unencodable("no notes")
            if not prompt:
                require_grid(onsets_of(score), score.ticks_per_quarter, self.max_off_grid)
            if self.meters is not None:
                score = without_silence(score)
            _check_size(score)
            if self.meters is not None:
                score = self._barred(score)
        except MidiError as error:
            raise Unencodable(error.reason, error.detail) from error
        try:
            score = self.miditok.preprocess_score(score)
        except Exception as error:
            raise Unencodable("MidiTok fails", type(error).__name__) from error
        if not any(len(track.notes) for track in score.tracks):
            raise Unencodable("no notes within pitch_range")
        return score

    def _barred(self, score: Any) -> Any:
        """The score with a meter for every bar, if the tokens tell bars or meters."""
        if not (self.miditok.config.use_time_signatures or self._of_kind("Bar")):
            return score
        try:
            bars = spoken_sections(score, self.miditok.time_signatures)
        except MidiError:
            if self.meters == "drop":
                raise
            return score
        return on_grid(score, bars, self.miditok.config.max_num_pos_per_beat)

    def remarks(self, piece: MidiPiece) -> Sequence[str]:
        if self.meters != "count":
            return ()
        try:
            spoken_sections(without_silence(piece.parsed), self.miditok.time_signatures)
        except MidiError as error:
            return (f"{error.reason}: its bar lines are wrong",)
        return ()

    def _require_gaps(self, score: Any) -> None:
        """Reject a piece with a gap that would be rounded, and move all that follows.

        Gaps longer than the longest are shortened to it, as the config says.
        """
        if len(self.miditok.config.beat_res) == 1:
            return
        told = gaps_of(self.miditok)
        streams = [[track] for track in score.tracks]
        if self.miditok.one_token_stream:
            streams = [list(score.tracks)]
        for tracks in streams:
            onsets = [track.notes.numpy()["time"] for track in tracks]
            gaps = np.diff(np.unique(np.concatenate(onsets)), prepend=0)
            rounded = gaps[(gaps > 0) & (gaps <= told[-1]) & ~np.isin(gaps, told)]
            if len(rounded):
                quarters = f"{rounded[0] / self.miditok.time_division:g} quarters"
                raise Unencodable("a gap that beat_res rounds, and Structured adds up", quarters)

    def fit_ids(self, examples: Iterable[Ids]) -> None:
        if self.bpe_vocab is not None:
            openers = self._of_kind("Bar") or self._of_kind("TimeShift")
            self._adopt(BytePairs.learn(len(self.base), self.bpe_vocab, examples, openers))

    def recode(self, ids: Ids) -> Ids:
        return ids if self.merges is None else self.merges.merge(ids)

    def _adopt(self, merges: BytePairs) -> None:
        self.merges = merges
        self._name([merges.parts(index) for index in range(merges.size)])

    def _name(self, parts: Sequence[Sequence[int]]) -> None:
        """Name every id, given the MidiTok ids that it stands for."""
        self.tokens = [JOINT.join(self.base[index] for index in ids) for ids in parts]
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        bars = set(self._of_kind("Bar")) - {self._ids.get("Bar_End")}
        self._opens_bar = np.array([ids[0] in bars for ids in parts])
        notes = {index for kind in NOTES for index in self._of_kind(kind)}
        self._begins_note = np.array([not notes.isdisjoint(ids) for ids in parts])

    def _of_kind(self, kind: str) -> list[int]:
        return [i for i, token in enumerate(self.base) if token.partition("_")[0] == kind]

    def bar_starts(self, ids: Ids) -> NDArray[np.int64]:
        if not self._opens_bar.any():
            raise NotImplementedError(f"{self.scheme} has no bar tokens")
        return np.flatnonzero(self._opens_bar[np.asarray(ids, np.int64)])

    def begins_note(self, ids: Ids) -> NDArray[np.bool_]:
        return np.asarray(self._begins_note[np.asarray(ids, np.int64)], np.bool_)

    # Tokens and ids.

    def encode(self, tokens: Sequence[str]) -> list[int]:
        try:
            return [self._ids[token] for token in tokens]
        except KeyError as error:
            raise Unencodable("unknown token", str(error.args[0])) from error

    def decode(self, ids: Sequence[int]) -> list[str]:
        names = [self.tokens[index] for index in ids]
        return [name for name in names if name not in (PAD, BOS, EOS)]

    def token_class(self, token: str) -> str:
        if JOINT in token:
            return "merged"
        kind = token.partition("_")[0]
        return _CLASSES.get(kind, kind.lower())

    # From ids to pieces.

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:  # noqa: ARG002
        known = set(self.base) - {PAD, BOS, EOS}
        flat = [part for token in tokens for part in token.split(JOINT)]
        music = [part for part in flat if part in known]
        unknown = len(flat) - len(music)
        problems = [f"{unknown} unknown tokens left out"] if unknown else []
        errors = self._errors(music)
        if errors:
            problems.append(f"{errors} of {len(music)} tokens break the grammar of {self.scheme}")
        score = symusic.Score(self.miditok.time_division)
        try:
            score = self._played(music)
        except Exception as error:  # a model may write tokens that no score has
            problems.append(f"MidiTok cannot play the tokens ({type(error).__name__})")
            errors = max(errors, 1)
        grammar = GrammarCheck(unknown + errors, len(flat))
        return Rendition(score, problems=tuple(problems), grammar=grammar)

    def _errors(self, music: list[str]) -> int:
        """What MidiTok counts in its own tokens.

        A kind of token that cannot follow the one before it, a position that does not lie after
        the last one of its bar, a note that its place has already; in MIDI-Like also a note-off
        without its note and a note without its note-off.
        """
        from miditok import TokSequence

        if not music:
            return 0
        try:
            share: float = self.miditok.tokens_errors(TokSequence(tokens=list(music)))
            return round(share * len(music))
        except Exception:  # of programs or pitches that its check does not foresee
            return len(music)

    def _played(self, music: list[str]) -> Any:
        from miditok import TokSequence

        sequence = TokSequence(tokens=music)
        if self.miditok.one_token_stream:
            return self.miditok.decode(sequence)
        drums = any(token.startswith(("PitchDrum", "DrumOn")) for token in music)
        return self.miditok.decode([sequence], programs=[(0, drums)])

    # Prompts.

    def prompt(self, text: str) -> list[int]:  # noqa: ARG002
        """Reject any text, since these tokens cannot be typed.

        Raises:
            ValueError: always.
        """
        raise ValueError("MIDI tokens cannot be typed; give the beginning as a MIDI file")

    def prompt_from(
        self, path: Path, bars: int | Excerpt, track: str | int | None = None
    ) -> list[int]:
        """Ids of some bars of a MIDI file, without ``bos``.

        Args:
            path: of the file.
            bars: how many from the beginning, not counting an upbeat, or which; notes that begin
                in others are left out.
            track: name or number of the only track that is read; ``None``: all.

        Raises:
            ValueError: one line that says why the file cannot be a prompt.
        """
        piece = MidiPiece(path.name, read_midi_bytes(path))
        if track is not None:
            piece = MidiPiece(path.name, score_of_track(piece.score, track))
        score = self._preprocessed(piece, prompt=True)
        lines = bar_lines(score)
        if isinstance(bars, int):
            named, bars = f"the first {bars} bars", (range(lines.first, min(bars, lines.last) + 1),)
        else:
            named = f"{', '.join(in_words(numbers) for numbers in bars)}"
        score = chosen_bars(score, bars)
        if not any(len(track.notes) for track in score.tracks):
            raise ValueError(f"{named} are empty")
        encoded = self.miditok.encode(score, no_preprocess_score=True, encode_ids=False)
        first = encoded[0] if isinstance(encoded, list) else encoded
        return [int(index) for index in self.recode(np.array(first.ids))]

    # The vocabulary.

    @property
    def vocabulary(self) -> Vocabulary:
        if self.RECODES and self.merges is None:
            raise RuntimeError(
                "byte pairs have not been learned: train first, or load a checkpoint"
            )
        return Vocabulary(len(self.tokens), self._ids[BOS], self._ids[EOS])

    def state(self) -> Mapping[str, Any]:
        pairs = self.merges.pairs if self.merges else []
        return {"tokens": list(self.base), "merges": [list(pair) for pair in pairs]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned.

        Raises:
            ValueError: if this config or this version of MidiTok has other tokens.
        """
        if list(state["tokens"]) != self.base and self.config.get("beat_res") == EVEN_GAPS:
            self.config["beat_res"] = MIXED_GAPS  # what Structured had before
            self._build()
        if list(state["tokens"]) != self.base:
            raise ValueError(f"this version of MidiTok has other tokens for {self.scheme}")
        if self.RECODES:
            openers = self._of_kind("Bar") or self._of_kind("TimeShift")
            self._adopt(BytePairs(len(self.base), state["merges"], openers))


def _rebuilt(options: tuple[Any, ...], state: Mapping[str, Any] | None) -> MidiTokens:
    tokenizer = MidiTokens(*options)
    if state is not None:
        tokenizer.load_state(state)
    return tokenizer


def _check_size(score: Any) -> None:
    """Reject scores that would take minutes or gigabytes.

    Raises:
        Unencodable: naming the limit.
    """
    if score.start() < 0 or score.end() > MAX_QUARTERS * score.ticks_per_quarter:
        quarters = score.end() // score.ticks_per_quarter
        raise Unencodable(f"longer than {MAX_QUARTERS:,} quarters", str(quarters))
    notes = sum(len(track.notes) for track in score.tracks)
    if notes > MAX_NOTES:
        raise Unencodable(f"more than {MAX_NOTES:,} notes", str(notes))
    changes = len(score.tempos) + len(score.time_signatures) + len(score.key_signatures)
    if changes > MAX_CHANGES:
        reason = f"more than {MAX_CHANGES:,} changes of tempo, meter or key"
        raise Unencodable(reason, str(changes))

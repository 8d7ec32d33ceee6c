"""Windows of a file that a user names, and of the track and bars that they choose in it."""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from symbotunes.errors import UserError
from symbotunes.files import why_no_file
from symbotunes.generation.latent.places import Window, every_window, excerpt_windows
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.tokens import Bar
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of, silence_before_upbeat
from symbotunes.music.excerpt import Excerpt, read_excerpt
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.tracks import TrackName
from symbotunes.tokenizers.base import Ids, Unencodable
from symbotunes.tokenizers.windows import Windows

ABC_SUFFIXES = (".abc", ".txt")


@dataclass(frozen=True)
class Source:
    """A file, and what is taken from it.

    Attributes:
        path: of a MIDI or ABC file.
        key: the setting that names it, such as ``sample.a``.
        track: name or number of a track; ``None``: those that the model reads.
        bars: which bars, as engraved; ``None``: all.
    """

    path: Path
    key: str
    track: TrackName | None = None
    bars: Excerpt | None = None

    @classmethod
    def of(cls, key: str, path: str, track: TrackName | None, bars: object) -> "Source":
        """What settings say: ``sample.input`` has ``sample.bars``, ``sample.a`` ``sample.a_bars``.

        Raises:
            UserError: if the bars cannot be read.
        """
        source = cls(Path(path), key, track)
        return replace(source, bars=read_excerpt(source.setting("bars"), bars))

    def setting(self, name: str) -> str:
        """The setting for the track or the bars."""
        group, _, file = self.key.rpartition(".")
        return f"{group}.{name}" if file == "input" else f"{group}.{file}_{name}"


@dataclass(frozen=True)
class FileWindows:
    """The windows of a file.

    Attributes:
        path: of the file.
        found: all windows in the order of the music, of all tunes of an ABC file.
        bars: length of each window.
        remark: how reading differed from training, if it did.
    """

    path: Path
    found: Sequence[Window]
    bars: int
    remark: str = ""

    def select(self, number: int, count: int = 1) -> Sequence[Ids]:
        """Some windows, beginning with a given one.

        Args:
            number: of the first window, counted from 1.
            count: maximum number of windows.

        Raises:
            UserError: if there is no such window.
        """
        return [window.ids for window in self._some(number, count)]

    def _some(self, number: int, count: int) -> Sequence[Window]:
        if not 1 <= number <= len(self.found):
            raise UserError(
                f"{self.path} has windows 1 to {len(self.found)}; there is no window {number}"
            )
        return self.found[number - 1 : number - 1 + count]

    def describe(self, name: str, number: int, count: int = 1) -> dict[str, str]:
        """How many windows there are, which are used and what they hold, in words.

        Args:
            name: of the file among the inputs.
            number: of the first window that is used.
            count: maximum number of windows.
        """
        total = len(self.found)
        last = min(total, number + count - 1)
        which = f"window {number} is" if last == number else f"windows {number} to {last} are"
        plural = "" if total == 1 else "s"
        text = f"{self.path.name}: {total:,} window{plural} of {self.bars} bars, {which} used"
        text = f"{text} ({self.remark})" if self.remark else text
        chosen = self._some(number, count)
        places = "; ".join(dict.fromkeys(window.place for window in chosen))
        others = [track for track in chosen[0].tracks if track not in chosen[0].played]
        if others:
            places += f"; other tracks: {', '.join(others)}"
        return {name: text, f"{name}: taken from": places}


@dataclass
class _Reader:
    """Reads the pieces of one file.

    Attributes:
        source: the file.
        reasons: why pieces gave no window, counted.
    """

    source: Source
    reasons: Counter[str] = field(default_factory=Counter)

    def windows(
        self, pieces: Sequence[tuple[MidiPiece, AbcTune | None]], tokenizer: Windows
    ) -> list[Window]:
        """The windows of all pieces.

        Raises:
            UserError: if a chosen bar cannot be read.
        """
        windows: list[Window] = []
        for piece, tune in pieces:
            upbeat = tune is not None and bool(silence_before_upbeat(tune.phrase_in("keep")))
            try:
                if self.source.bars is None:
                    more = every_window(piece, tokenizer, upbeat=upbeat)
                else:
                    key = self.source.setting("bars")
                    more = excerpt_windows(piece, tokenizer, self.source.bars, key, upbeat=upbeat)
            except (MidiError, Unencodable) as error:
                self.reasons[str(error) if len(pieces) == 1 else error.reason] += 1
                continue
            if tune is not None:
                played = self.source.bars is None and _repeats(tune)
                title = tune.title if len(pieces) > 1 else ""
                more = [_of_tune(window, title, played=played) for window in more]
            windows += more
        return windows

    def pieces(self) -> list[tuple[MidiPiece, AbcTune | None]]:
        """The pieces of the file, with the tunes that they were converted from."""
        path = self.source.path
        if path.suffix.lower() not in ABC_SUFFIXES:
            return [(MidiPiece(path.name, read_midi_bytes(path)), None)]
        pieces: list[tuple[MidiPiece, AbcTune | None]] = []
        for tune in read_tunes(path, path.parent.name):
            try:
                pieces.append((midi_of(tune, as_written=self.source.bars is not None), tune))
            except AbcError as error:
                reason = tune.place.describe(error) if tune.place else error.reason
                self.reasons[reason] += 1
        return pieces


def read_windows(source: Source, tokenizer: Windows) -> FileWindows:
    """The windows of a MIDI or ABC file.

    If no instrument is one that the model was trained on, melodies of any instrument are read. A
    phrase too short for a window is filled up with silence.

    Args:
        source: the file, and the track and bars that are taken.
        tokenizer: the model's; its limit of windows per piece is not applied, nor is a performance
            refused.

    Raises:
        UserError: if the file is missing, unreadable, or has no windows, saying why.
    """
    named = f"{source.key}={source.path}"
    if reason := why_no_file(source.path):
        raise UserError(f"{named}: {reason}")
    whole = _for_inputs(tokenizer, source)
    reader = _Reader(source)
    try:
        pieces = reader.pieces()
    except (AbcError, MidiError) as error:
        raise UserError(f"{named}: {error.reason}") from error
    windows = reader.windows(pieces, whole)
    if not windows and (widened := whole.widened()) is not None:
        any_instrument, remark = widened
        windows = _Reader(source).windows(pieces, any_instrument)
        if windows:
            return FileWindows(source.path, windows, tokenizer.bars, remark)
    if not windows:
        reasons = reader.reasons.most_common(3)
        why = ", ".join(f"{reason} ({count}x)" for reason, count in reasons)
        raise UserError(f"{named} has no music for the model: {why.replace(' (1x)', '')}")
    return FileWindows(source.path, windows, tokenizer.bars)


def _for_inputs(tokenizer: Windows, source: Source) -> Windows:
    """The tokenizer as it reads a file that a user chose."""
    whole = copy.copy(tokenizer)
    whole.max_examples = None
    whole.reading = replace(whole.reading, max_off_grid=None)
    if source.track is None:
        return whole
    try:
        return whole.on_track(source.track)
    except ValueError as error:
        raise UserError(f"{source.setting('track')}: {error}") from error


def _repeats(tune: AbcTune) -> bool:
    """Whether anything in a tune is played again."""
    items = tune.phrase_in("keep").items
    return any(isinstance(item, Bar) and item.sign == ":|" for item in items)


def _of_tune(window: Window, title: str, *, played: bool) -> Window:
    """A window of an ABC tune, which has but one track."""
    place = f"{window.bars} as played" if played else window.bars
    return replace(window, place=f"{title}, {place}" if title else place, tracks=(), played=())

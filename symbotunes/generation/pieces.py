"""Reading one piece of music from a user's file."""

from collections.abc import Sequence
from pathlib import Path

from symbotunes.errors import UserError
from symbotunes.files import why_no_file
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.convert import midi_of
from symbotunes.music.midi.error import MidiError
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes

ABC_SUFFIXES = (".abc", ".txt")


def read_piece(path: Path, kind: str) -> AbcTune | MidiPiece:
    """The first piece of a file that can be read; ABC becomes MIDI where MIDI is needed.

    Args:
        path: of an ABC or MIDI file.
        kind: the format that is needed, ``abc`` or ``midi``.

    Raises:
        UserError: if the file is missing, unreadable, or MIDI where ABC is needed.
    """
    if reason := why_no_file(path):
        raise UserError(f"{path}: {reason}")
    is_abc = path.suffix.lower() in ABC_SUFFIXES
    if kind == "abc" and not is_abc:
        raise UserError(f"{path.name}: the model reads ABC; give an .abc file")
    try:
        if not is_abc:
            return MidiPiece(path.name, read_midi_bytes(path))
        tune = _first_readable(read_tunes(path, path.parent.name))
        return tune if kind == "abc" else midi_of(tune)
    except (AbcError, MidiError) as error:
        raise UserError(f"{path.name}: {error.reason}") from error


def _first_readable(tunes: Sequence[AbcTune]) -> AbcTune:
    """The first tune that can be read.

    Raises:
        UserError: if there is none, saying what is wrong with the first.
    """
    reasons: list[str] = []
    for tune in tunes:
        try:
            tune.phrase_in("keep")
        except AbcError as error:
            reasons.append(tune.place.describe(error) if tune.place else str(error))
        else:
            return tune
    raise UserError(reasons[0])

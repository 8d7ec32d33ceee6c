"""A piece of a session, on disk and in memory."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import symusic

from symbotunes.files import atomic_file, finite
from symbotunes.generation.sample import Sample
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.midi.writing import write_midi
from symbotunes.studio.origins import Origin, as_json, from_json

FORMAT = 1  # of the records
IN_FILES = ("score", "abc")  # fields of a sample that have files of their own
NOT_KEPT = ("ids", "mirex")  # fields that no page of the studio shows
TUPLES = ("notes", "marked_bars")


@dataclass(frozen=True)
class StudioPiece:
    """A piece of a session; it never changes, since a change makes another piece.

    Attributes:
        id: in the session, a number.
        sample: the music, and facts about it.
        origin: how it came to be.
        parent: id of the piece that it was made from; ``None`` if there is none.
        source: the MIDI file that it was read from; ``None`` if there is none.
    """

    id: str
    sample: Sample
    origin: Origin
    parent: str | None = None
    source: bytes | None = None

    @property
    def suffix(self) -> str:
        """Of the file that holds all of it."""
        return "mid" if self.sample.abc is None else "abc"

    def midi(self) -> bytes:
        """It as a MIDI file, which plans read: the one that was opened, with all its events."""
        return write_midi(self.sample.score).content if self.source is None else self.source


def record_of(piece: StudioPiece) -> dict[str, Any]:
    """What is known of a piece besides its notes, as JSON."""
    left_out = (*IN_FILES, *NOT_KEPT)
    names = [field.name for field in fields(Sample) if field.name not in left_out]
    facts = {name: getattr(piece.sample, name) for name in names}
    return {
        "format": FORMAT,
        "parent": piece.parent,
        "origin": as_json(piece.origin),
        "opened": piece.source is not None,
        "sample": facts,
    }


def save(piece: StudioPiece, folder: Path) -> None:
    """Write a piece; its record comes last, so that whatever has one is complete.

    Args:
        piece: the piece.
        folder: for its files.

    Raises:
        OSError: if they cannot be written; what was in the folder stays as it was.
    """
    record = json.dumps(finite(record_of(piece)), indent=1, ensure_ascii=False) + "\n"
    files = {"mid": piece.midi(), "json": record.encode()}
    if piece.sample.abc is not None:
        files = {"abc": piece.sample.abc.encode(), **files}
    for suffix, content in files.items():
        # Not durable: a kill loses nothing so, and a flush of the disk would delay the first note.
        with atomic_file(folder / f"{piece.id}.{suffix}", durable=False) as file:
            file.write(content)


def load(folder: Path, number: str) -> StudioPiece:
    """A piece that `save` wrote.

    Raises:
        ValueError: if its files are damaged.
        OSError: if they cannot be read.
    """
    record = json.loads((folder / f"{number}.json").read_text(encoding="utf-8"))
    try:
        content = read_midi_bytes(folder / f"{number}.mid")
        score = MidiPiece(number, content).score
        origin, facts, parent = from_json(record["origin"]), record["sample"], record["parent"]
        text = folder / f"{number}.abc"
        abc = text.read_text(encoding="utf-8") if text.is_file() else None
        sample = Sample(score=score, abc=abc, **_facts(facts, score))
        source = content if record["opened"] else None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not the record of a piece: {error}") from error
    return StudioPiece(number, sample, origin, parent, source)


def _facts(facts: Mapping[str, Any], score: symusic.Score) -> dict[str, Any]:
    """Fields of a sample, with tuples for the lists of JSON."""
    values = {name: tuple(facts[name]) if name in TUPLES else facts[name] for name in facts}
    values["marked_ticks"] = tuple((begin, end) for begin, end in facts["marked_ticks"])
    given = tuple(map(tuple, facts["given"]))
    fits = [len(track.notes) for track in score.tracks] == [len(flags) for flags in given]
    return {**values, "given": given if fits else ()}

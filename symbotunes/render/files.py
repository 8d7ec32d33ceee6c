"""Music files of a user, ready to be engraved and played on a page as samples are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import symusic

from symbotunes.datasets.files import files_below
from symbotunes.errors import UserError, first_line, require_whole_number
from symbotunes.generation.output import Output, arranged_sample
from symbotunes.generation.sample import Sample
from symbotunes.music.abc.check import check_bars
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.playback import FIDDLE, score_of
from symbotunes.music.abc.text import to_abc
from symbotunes.music.abc.tune import AbcTune
from symbotunes.music.midi.instruments import program_in
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.musicxml import read_musicxml, score_of_parts
from symbotunes.music.tempo import tempo_in

ABC = (".abc",)
MIDI = (".mid", ".midi", ".kar", ".rmi")
MUSICXML = (".musicxml", ".mxl", ".xml")
PIANO = 0  # General MIDI program of MusicXML, whose instruments are not read
LONGEST_NAME = 60  # characters


@dataclass(frozen=True, kw_only=True)
class RenderPlan(Output):
    """Which files are rendered, and how.

    Attributes:
        input: an ABC, MIDI or MusicXML file, or a folder of such files.
        most: pieces on a page; the first ones of the input.
        out: folder for the files; ``None``: that of the run.

    For the other attributes, see `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    GROUP: ClassVar[str] = "render"

    input: str | None = None
    most: int = 100
    out: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole_number("render.most", self.most)
        if not self.input:
            raise UserError("mode=render needs render.input=FILE_OR_FOLDER")

    @property
    def path(self) -> Path:
        """The file or folder."""
        return Path(str(self.input)).expanduser()


@dataclass
class Rendered:
    """What became of files.

    Attributes:
        pieces: those that could be read, arranged.
        broken: why files and tunes could not be read, by name.
        left_out: number of pieces beyond the limit.
    """

    pieces: list[Sample] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    left_out: int = 0


def read_files(plan: RenderPlan) -> Rendered:
    """The pieces of a plan, in the order of the files.

    Raises:
        UserError: if there is no such file, or none of them can be read.
    """
    result = Rendered()
    paths = _paths(plan.path)
    for path in paths:
        for number, piece in enumerate(pieces_of(path, result.broken), start=1):
            if len(result.pieces) == plan.most:
                result.left_out += 1
                continue
            name = _file_name(len(result.pieces) + 1, path, number)
            piece = arranged_sample(replace(piece, name=name), plan.arrangement)
            result.pieces.append(piece)
    if not result.pieces:
        reasons = [f"{name}: {reason}" for name, reason in result.broken.items()]
        raise UserError(f"render.input={plan.input}: no piece can be read; {reasons[0]}")
    return result


def _paths(path: Path) -> Sequence[Path]:
    suffixes = (*ABC, *MIDI, *MUSICXML)
    if path.is_dir():
        paths = files_below(path, suffixes)
        if not paths:
            raise UserError(f"render.input={path}: no file below it ends in {', '.join(suffixes)}")
        return paths
    if not path.is_file():
        raise UserError(f"render.input={path}: there is no such file or folder")
    if path.suffix.lower() not in suffixes:
        raise UserError(f"render.input={path}: the name must end in one of {', '.join(suffixes)}")
    return [path]


def pieces_of(path: Path, broken: dict[str, str]) -> Iterator[Sample]:
    """The pieces of one file; what cannot be read is noted.

    Args:
        path: its name must end in one of `ABC`, `MIDI` and `MUSICXML`.
        broken: gets the reasons, by name.
    """
    try:
        if path.suffix.lower() in ABC:
            yield from _tunes(read_tunes(path, path.parent.name), broken)
            return
        is_midi = path.suffix.lower() in MIDI
        score = _midi(path) if is_midi else score_of_parts(read_musicxml(path), program=PIANO)
    except (ValueError, OSError) as error:  # the errors of all three formats are ValueErrors
        reason = error.strerror if isinstance(error, OSError) and error.strerror else None
        broken[path.name] = reason or first_line(error)
        return
    if any(len(track.notes) for track in score.tracks):
        yield Sample.of_people(path.stem, score)
    else:
        broken[path.name] = "no notes"


def _midi(path: Path) -> symusic.Score:
    return MidiPiece(path.name, read_midi_bytes(path)).score


def _tunes(tunes: Sequence[AbcTune], broken: dict[str, str]) -> Iterator[Sample]:
    for number, tune in enumerate(tunes, start=1):
        try:
            yield piece_of_tune(tune, number)
        except AbcError as error:
            where = tune.id if len(tunes) > 1 else tune.id.partition("#")[0]
            broken[where] = tune.place.describe(error) if tune.place else first_line(error)


def piece_of_tune(tune: AbcTune, number: int = 1) -> Sample:
    """A tune of the user, with the tempo and the instrument that its ABC asks for.

    Args:
        tune: the tune.
        number: its reference number, ``X:``.

    Raises:
        AbcError: if it cannot be read.
    """
    title = tune.title or f"Tune {number}"
    phrase = tune.phrase_in("keep", changes=True)
    check = check_bars(phrase)
    abc = to_abc(phrase, number=number, title=title)
    quarters, program = tempo_in(tune.text), program_in(tune.text)
    lines = [f"Q:1/4={quarters:.0f}"] if quarters else []
    lines += [] if program is None else [f"%%MIDI program {program}"]
    for line in lines:
        abc = abc.replace("\nM:", f"\n{line}\nM:", 1)
    score = score_of(
        phrase, tempo_bpm=quarters, program=FIDDLE if program is None else program, upbeat=True
    )
    piece = Sample.of_people(title, score, abc)
    return replace(piece, notes=tuple(phrase.problems), bars=check.bars, right_bars=check.right)


def _file_name(index: int, path: Path, number: int) -> str:
    """A name for the files of a piece: its place, and the file that it comes from."""
    stem = re.sub(r"[^\w.-]+", "_", path.stem)[:LONGEST_NAME].strip("._-") or "piece"
    return f"{index:02d}_{stem}" if number == 1 else f"{index:02d}_{stem}_{number}"


def facts_of(result: Rendered, plan: RenderPlan) -> Mapping[str, str]:
    """What was rendered, shown to people."""
    facts = {"input": plan.path.name, **plan.sound_facts}
    if result.broken:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in result.broken.items())
        facts["could not be read"] = f"{len(result.broken)}: {reasons}"
    if result.left_out:
        facts["left out"] = f"{result.left_out:,} pieces beyond render.most={plan.most}"
    return facts

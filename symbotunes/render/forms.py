"""The forms of a sample: name, suffix, how a form is written, and how a page shows it.

Galleries, pages, exports and dashboards iterate over `FORMS`; a new form is one entry there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from symbotunes.errors import UserError, first_line
from symbotunes.generation.sample import Sample
from symbotunes.music.midi.writing import write_midi
from symbotunes.render.audio import LONGEST_SECONDS, mp3_bytes, synthesize, wav_bytes
from symbotunes.render.notation.colored import with_colored_bars
from symbotunes.render.notation.notation import (
    engrave,
    engrave_score,
    musicxml_of,
    musicxml_of_score,
)
from symbotunes.render.notation.pdf import pdf_bytes
from symbotunes.render.palette import NEW
from symbotunes.render.piano_roll.clock import Clock
from symbotunes.render.piano_roll.roll import Line, draw_roll

Show = Literal["player", "drawing", "roll", "text"]  # macros of forms.html


@dataclass(frozen=True)
class Written:
    """A sample in one form.

    Attributes:
        content: of the file.
        notes: remarks for the reader.
        lines: of a piano roll: its time axes.
    """

    content: bytes
    notes: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Conversion:
    """How a form is made from another one of the same sample.

    Attributes:
        source: suffix of the other form.
        convert: from the content of its file, and the sample, to the content of the new one.
    """

    source: str
    convert: Callable[[bytes, Sample], bytes]


@dataclass(frozen=True)
class Form:
    """One way to write a sample.

    Attributes:
        name: on dashboards.
        suffix: of its files, without the dot.
        media_type: of its files.
        link: name of its download.
        noun: what to call it in messages.
        write: returns a sample in this form, or ``None`` if the sample does not have it; or how the
            form is made from another one. What it raises is reported on the page.
        show: how a page shows it, by a macro of the templates; ``None``: only as a download.
        logged: whether dashboards also show it.
        replaces: suffix of a form without which pages contain this one; it is only a file beside
            the page otherwise.
        usual: whether samples are written in it unless other forms are chosen.
    """

    name: str
    suffix: str
    media_type: str
    link: str
    noun: str
    write: Callable[[Sample], Written | None] | Conversion
    show: Show | None = None
    logged: bool = False
    replaces: str | None = None
    usual: bool = True


@dataclass(frozen=True)
class Card:
    """One sample in all forms that could be written.

    Attributes:
        sample: the sample.
        written: its forms by suffix.
        failures: by suffix, why a form could not be written.
    """

    sample: Sample
    written: Mapping[str, Written]
    failures: Mapping[str, str]

    @property
    def forms(self) -> list[tuple[Form, Written]]:
        """The forms that pages contain, of those that could be written."""
        forms = [(FORMS[suffix], written) for suffix, written in self.written.items()]
        return [(form, file) for form, file in forms if form.replaces not in self.written]

    def shown(self, *shows: Show) -> list[tuple[Form, Written]]:
        """The forms that a page shows in one of these ways, in their order."""
        return [(form, file) for show in shows for form, file in self.forms if form.show == show]

    @property
    def notes(self) -> list[str]:
        """Remarks on the sample and its forms."""
        return [
            *self.sample.notes,
            *(note for file in self.written.values() for note in file.notes),
        ]

    @property
    def remarks(self) -> list[str]:
        """The notes, and which forms could not be written, and why."""
        missing = (f"no {self._missing(suffix)}: {why}" for suffix, why in self.failures.items())
        return [*self.notes, *missing]

    def _missing(self, suffix: str) -> str:
        """A form that could not be written, and which one pages contain in its place."""
        instead = (form.link for form, _ in self.forms if form.replaces == suffix)
        return ", so this page has ".join([FORMS[suffix].noun, *instead])


def write_as(
    form: Form, sample: Sample, written: Mapping[str, Written] | None = None
) -> Written | None:
    """A sample in one form; ``None`` if it does not have it.

    Args:
        form: the form.
        sample: the sample.
        written: its forms so far, by suffix; ``None`` if others have not been tried.
    """
    if not isinstance(form.write, Conversion):
        return form.write(sample)
    name = form.write.source
    source = write_as(FORMS[name], sample) if written is None else written.get(name)
    return None if source is None else Written(form.write.convert(source.content, sample))


def chosen_forms(setting: str, suffixes: Sequence[str] | None) -> list[Form]:
    """Forms by their suffixes, in the order of `FORMS`; the usual ones if there are none.

    Args:
        setting: name of the setting, for the error.
        suffixes: of the forms.

    Raises:
        UserError: if a form does not exist.
    """
    if suffixes is None:
        return [form for form in FORMS.values() if form.usual]
    if isinstance(suffixes, str) or set(suffixes) - set(FORMS):
        raise UserError(f"{setting}={suffixes}: must be a list of some of {', '.join(FORMS)}")
    return [form for suffix, form in FORMS.items() if suffix in suffixes]


def card_of(sample: Sample, forms: Sequence[Form] | None = None) -> Card:
    """A sample in all forms that can be written.

    Args:
        sample: the sample.
        forms: which; ``None``: the usual ones.
    """
    written: dict[str, Written] = {}
    failures: dict[str, str] = {}
    wanted = chosen_forms("forms", None) if forms is None else forms
    suffixes = {form.suffix for form in wanted}
    for form in wanted:
        suffix = form.suffix
        made = isinstance(form.write, Conversion) and form.write.source in suffixes
        try:
            file = write_as(form, sample, written if made else None)
        except Exception as error:  # whatever one renderer raises, keep the other forms
            failures[suffix] = first_line(error)
            continue
        if file is not None:
            written[suffix] = file
    return Card(sample, written, failures)


def _abc(sample: Sample) -> Written | None:
    return None if sample.abc is None else Written(sample.abc.encode())


def _mirex(sample: Sample) -> Written | None:
    return None if sample.mirex is None else Written(sample.mirex.encode())


def _midi(sample: Sample) -> Written:
    """A Standard MIDI File; times in other units become ticks first."""
    written = write_midi(sample.score)
    if written.ports == 1:
        return Written(written.content)
    programs = {track.program for track in sample.score.tracks if not track.is_drum}
    note = (
        f"{len(programs)} instruments need {written.ports} MIDI ports; "
        "a player with a single port mixes them up"
    )
    return Written(written.content, (note,))


def _sound(sample: Sample) -> Written:
    score = sample.score.to("tick")
    seconds = Clock(score).seconds(int(score.end()))
    cut = f"the sound stops after {LONGEST_SECONDS:.0f} of {seconds:.0f} s"
    notes = (cut,) if seconds > LONGEST_SECONDS else ()
    return Written(wav_bytes(synthesize(sample.score)), notes)


def _roll(sample: Sample) -> Written:
    roll = draw_roll(sample.score, sample.marked_ticks, sample.given)
    return Written(roll.png, lines=roll.lines)


def _notation(sample: Sample) -> Written:
    engraving = engrave_score(sample.score) if sample.abc is None else engrave(sample.abc)
    notes = tuple(f"notation: {warning}" for warning in engraving.warnings)
    svg = with_colored_bars(engraving.svg, sample.marked_bars, NEW)
    return Written(svg.encode(), notes)


def _musicxml(sample: Sample) -> Written:
    abc, score = sample.abc, sample.score
    return Written(musicxml_of_score(score) if abc is None else musicxml_of(abc))


FORMS = {  # by suffix, in the order of the downloads
    form.suffix: form
    for form in (
        Form("abc", "abc", "text/vnd.abc", "ABC", "ABC", _abc, "text"),
        Form("midi", "mid", "audio/midi", "MIDI", "MIDI", _midi),
        Form("audio", "wav", "audio/wav", "Audio (WAV)", "sound", _sound, "player", logged=True,
             replaces="mp3"),
        Form("mp3", "mp3", "audio/mpeg", "Audio (MP3)", "MP3",
             Conversion("wav", lambda wav, _: mp3_bytes(wav)), "player"),
        Form("roll", "png", "image/png", "Piano roll (PNG)", "piano roll", _roll, "roll",
             logged=True),
        Form("notation", "svg", "image/svg+xml", "Notation (SVG)", "notation", _notation,
             "drawing", logged=True),
        Form("musicxml", "musicxml", "application/vnd.recordare.musicxml+xml", "MusicXML",
             "MusicXML", _musicxml, usual=False),
        Form("print", "pdf", "application/pdf", "Notation (PDF)", "PDF",
             Conversion("svg", lambda svg, sample: pdf_bytes(svg, sample.title)), usual=False),
        Form("mirex", "json", "application/json", "MIREX (JSON)", "JSON of MIREX", _mirex),
    )
}  # fmt: skip

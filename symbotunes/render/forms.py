"""The forms of a sample: name, suffix, how a form is written, and how a page shows it.

Galleries, pages, exports and dashboards iterate over `FORMS`; a new form is one entry there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from symbotunes.errors import first_line
from symbotunes.generation.sample import Sample
from symbotunes.music.midi.writing import write_midi
from symbotunes.render.audio import LONGEST_SECONDS, synthesize, wav_bytes
from symbotunes.render.notation.colored import with_colored_bars
from symbotunes.render.notation.notation import engrave, engrave_score
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
class Form:
    """One way to write a sample.

    Attributes:
        name: on dashboards.
        suffix: of its files, without the dot.
        media_type: of its files.
        link: name of its download.
        noun: what to call it in messages.
        write: returns a sample in this form, or ``None`` if the sample does not have it; what it
            raises is reported on the page.
        show: how a page shows it, by a macro of the templates; ``None``: only as a download.
        logged: whether dashboards also show it.
    """

    name: str
    suffix: str
    media_type: str
    link: str
    noun: str
    write: Callable[[Sample], Written | None]
    show: Show | None = None
    logged: bool = False


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
        """The forms that could be written."""
        return [(FORMS[suffix], written) for suffix, written in self.written.items()]

    def shown(self, *shows: Show) -> list[tuple[Form, Written]]:
        """The forms that a page shows in one of these ways, in their order."""
        return [(form, file) for show in shows for form, file in self.forms if form.show == show]

    @property
    def notes(self) -> list[str]:
        """Remarks on the sample and its forms."""
        return [*self.sample.notes, *(note for _, file in self.forms for note in file.notes)]

    @property
    def remarks(self) -> list[str]:
        """The notes, and which forms could not be written, and why."""
        missing = (f"no {FORMS[suffix].noun}: {why}" for suffix, why in self.failures.items())
        return [*self.notes, *missing]


def card_of(sample: Sample) -> Card:
    """A sample in all forms that can be written."""
    written, failures = {}, {}
    for suffix, form in FORMS.items():
        try:
            file = form.write(sample)
        except Exception as error:  # whatever one renderer raises, keep the other forms
            failures[suffix] = first_line(error)
            continue
        if file is not None:
            written[suffix] = file
    return Card(sample, written, failures)


def _abc(sample: Sample) -> Written | None:
    return None if sample.abc is None else Written(sample.abc.encode())


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
    roll = draw_roll(sample.score, sample.marked_ticks)
    return Written(roll.png, lines=roll.lines)


def _notation(sample: Sample) -> Written:
    engraving = engrave_score(sample.score) if sample.abc is None else engrave(sample.abc)
    notes = tuple(f"notation: {warning}" for warning in engraving.warnings)
    svg = with_colored_bars(engraving.svg, sample.marked_bars, NEW)
    return Written(svg.encode(), notes)


FORMS = {  # by suffix, in the order of the downloads
    form.suffix: form
    for form in (
        Form("abc", "abc", "text/vnd.abc", "ABC", "ABC", _abc, "text"),
        Form("midi", "mid", "audio/midi", "MIDI", "MIDI", _midi),
        Form("audio", "wav", "audio/wav", "Audio (WAV)", "sound", _sound, "player", logged=True),
        Form("roll", "png", "image/png", "Piano roll (PNG)", "piano roll", _roll, "roll",
             logged=True),
        Form("notation", "svg", "image/svg+xml", "Notation (SVG)", "notation", _notation,
             "drawing", logged=True),
    )
}  # fmt: skip

"""A set of samples on disk: every form of each, a table of all, and a page to listen to."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import symusic

from symbotunes.errors import first_line
from symbotunes.files import atomic_write
from symbotunes.generation.sample import Sample
from symbotunes.render.audio import LONGEST_SECONDS, synthesize, wav_bytes
from symbotunes.render.midi import midi_bytes
from symbotunes.render.notation.notation import engrave
from symbotunes.render.pages.listening import Card, listening_page
from symbotunes.render.piano_roll.clock import Clock
from symbotunes.render.piano_roll.roll import Line, draw_roll
from symbotunes.render.piano_roll.strip import draw_strip

FORMS = ("abc", "mid", "wav", "png", "svg")


@dataclass
class _Forms:
    """The forms of one sample, as far as they could be made."""

    sample: Sample
    content: dict[str, bytes] = field(default_factory=dict)  # by suffix
    failures: dict[str, str] = field(default_factory=dict)  # reason by suffix
    notes: list[str] = field(default_factory=list)
    lines: tuple[Line, ...] = ()

    def attempt(self, suffix: str, make: Callable[[], bytes]) -> None:
        try:
            self.content[suffix] = make()
        except Exception as error:  # whatever a renderer raises, the other forms are kept
            self.failures[suffix] = first_line(error)

    def audio(self) -> bytes:
        seconds = _seconds(self.sample)
        if seconds > LONGEST_SECONDS:
            self.notes.append(f"the sound stops after {LONGEST_SECONDS:.0f} of {seconds:.0f} s")
        return wav_bytes(synthesize(self.sample.score))

    def roll(self) -> bytes:
        roll = draw_roll(self.sample.score)
        self.lines = roll.lines
        return roll.png

    def notation(self) -> bytes:
        engraving = engrave(self.sample.abc or "")
        self.notes.extend(f"notation: {warning}" for warning in engraving.warnings)
        return engraving.svg.encode()


def write_gallery(
    folder: Path,
    samples: Sequence[Sample],
    *,
    heading: str,
    facts: Mapping[str, str],
    strip: Sequence[tuple[str, symusic.Score]] = (),
) -> Path:
    """Write all samples, ``samples.json`` and ``index.html``.

    A form that cannot be made is missing, and table and page say why.

    Args:
        folder: made if it does not exist; the files of an earlier set in it go.
        samples: in the order of the page.
        heading: of the page.
        facts: what is common to all, such as checkpoint and temperature.
        strip: labels and scores that the page opens with, side by side; ``strip.png`` holds them.

    Returns:
        The page, which holds everything and can be sent by itself.

    Raises:
        ValueError: if a name cannot be that of a file, or two samples share one.
        OSError: if the folder cannot be written.
    """
    _check_names([sample.name for sample in samples])
    rendered = [_render(sample) for sample in samples]
    _remove_earlier(folder)
    for forms in rendered:
        for suffix in FORMS:
            path = folder / f"{forms.sample.name}.{suffix}"
            if suffix in forms.content:
                atomic_write(path, forms.content[suffix])
            else:
                path.unlink(missing_ok=True)  # of a set whose table was never written
    table = {"heading": heading, "facts": dict(facts), "samples": [_row(one) for one in rendered]}
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "samples.json", text + "\n")
    picture = draw_strip(strip) if strip else None
    if picture is not None:
        atomic_write(folder / "strip.png", picture)
    page = folder / "index.html"
    atomic_write(page, listening_page(heading, facts, [_card(one) for one in rendered], picture))
    return page


def _remove_earlier(folder: Path) -> None:
    """Remove the files that an earlier set's table names, which would pass for this one's."""
    try:
        table = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
        names = [row["name"] for row in table["samples"]]
        _check_names(names)
    except (OSError, ValueError, LookupError, TypeError):
        return  # there was none, or it is not ours
    for name in names:
        for suffix in FORMS:
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    (folder / "strip.png").unlink(missing_ok=True)


def _check_names(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{count} samples are called {name!r}; their files would be the same")
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ValueError(f"sample name {name!r}: use letters, digits, '_', '-' and '.'")


def _render(sample: Sample) -> _Forms:
    forms = _Forms(sample, notes=list(sample.notes))
    if sample.abc is not None:
        forms.attempt("abc", sample.abc.encode)
        forms.attempt("svg", forms.notation)
    forms.attempt("mid", lambda: midi_bytes(sample.score))
    forms.attempt("wav", forms.audio)
    forms.attempt("png", forms.roll)
    return forms


def card_of(sample: Sample) -> Card:
    """A sample in all forms that can be made, for a page."""
    return _card(_render(sample))


def _seconds(sample: Sample) -> float:
    score = sample.score.to("tick")
    return Clock(score).seconds(int(score.end()))


def _row(forms: _Forms) -> dict[str, Any]:
    sample = forms.sample
    return {
        "name": sample.name,
        "title": sample.title,
        "seed": sample.seed,
        "finished": sample.finished,
        "tokens": sample.tokens,
        "generated": sample.generated,
        **_likelihood(sample),
        "bars": sample.bars,
        "right_bars": sample.right_bars,
        "notes": forms.notes,
        "failures": forms.failures,
        "files": {suffix: f"{sample.name}.{suffix}" for suffix in FORMS if suffix in forms.content},
        "abc": sample.abc,
    }


def _likelihood(sample: Sample) -> dict[str, float | None]:
    """Left out where the model has none."""
    if sample.nll_nats is None or sample.nats_per_token is None:
        return {}
    return {
        "nll_nats": _finite(sample.nll_nats),
        "nats_per_token": _finite(sample.nats_per_token),
    }


def _finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return value if math.isfinite(value) else None


def _card(forms: _Forms) -> Card:
    content = {suffix: forms.content[suffix] for suffix in FORMS if suffix in forms.content}
    return Card(forms.sample, content, forms.failures, tuple(forms.notes), forms.lines)

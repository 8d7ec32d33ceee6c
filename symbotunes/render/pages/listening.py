"""The listening page: one HTML file that holds a whole set of samples."""

import base64
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from importlib.resources import files
from string import Template

from symbotunes.generation.sample import Sample
from symbotunes.render.piano_roll.roll import Line

KINDS = {
    "abc": "text/vnd.abc",
    "mid": "audio/midi",
    "wav": "audio/wav",
    "png": "image/png",
    "svg": "image/svg+xml",
}
LINKS = {
    "abc": "ABC",
    "mid": "MIDI",
    "wav": "Audio (WAV)",
    "png": "Piano roll (PNG)",
    "svg": "Notation (SVG)",
}
MISSING = {"abc": "ABC", "mid": "MIDI", "wav": "sound", "png": "piano roll", "svg": "notation"}


@dataclass(frozen=True)
class Card:
    """One sample as the page shows it.

    Attributes:
        sample: the sample.
        content: its files by suffix.
        failures: by suffix, why a file could not be made.
        notes: remarks for the reader.
        lines: where time runs in its piano roll.
    """

    sample: Sample
    content: Mapping[str, bytes]
    failures: Mapping[str, str]
    notes: tuple[str, ...]
    lines: tuple[Line, ...]


def listening_page(
    heading: str, facts: Mapping[str, str], cards: Sequence[Card], strip: bytes | None = None
) -> str:
    """The page as text; sound and pictures are inside it, and nothing is loaded.

    Args:
        heading: title of the page.
        facts: what is common to all samples.
        cards: in the order of the page.
        strip: a picture of all of them side by side, or ``None``.
    """
    source = own_file("page.html")
    script = source.partition("<script>")[2].partition("</script>")[0]
    known = (card.sample.nats_per_token for card in cards)
    surprises = [nats for nats in known if nats is not None]
    shown = "\n".join(_card(card, surprises) for card in cards)
    return Template(source).substitute(
        look=own_file("look.css"),
        heading=escape(heading),
        facts="".join(fact(name, value) for name, value in facts.items()),
        cards=_strip(strip) + shown or '<p class="none">There are no samples in this set.</p>',
        count=f"{len(cards)} sample{'' if len(cards) == 1 else 's'}",
        size=f"{max(0.1, len(shown) / 1e6):.1f} MB",
        # Only this very script may run, so that nothing slips in with a title.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _strip(picture: bytes | None) -> str:
    if picture is None:
        return ""
    label = "Piano rolls side by side"
    return (
        f'<div class="card"><h2>Side by side</h2><div class="paper" tabindex="0" role="group" '
        f'aria-label="{label}"><img alt="{label}" src="{data_uri("png", picture)}"></div></div>\n'
    )


def own_file(name: str) -> str:
    """Text of a file that lies beside this package."""
    return files("symbotunes.render").joinpath(name).read_text(encoding="utf-8")


def data_uri(suffix: str, data: bytes) -> str:
    """The content as an address that needs no file."""
    return f"data:{KINDS[suffix]};base64,{base64.b64encode(data).decode()}"


def fact(name: str, value: str) -> str:
    """One entry of the list of facts below a heading."""
    return f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"


def _card(card: Card, surprises: Sequence[float]) -> str:
    sample = card.sample
    name, title = escape(sample.name), escape(sample.title)
    mark = "" if sample.finished else '<span class="mark">unfinished</span>'
    parts = [
        f'<article class="card" id="{name}" aria-labelledby="{name}-title">',
        f'<header class="top"><h2 id="{name}-title">{title}</h2>{mark}</header>',
        _numbers(sample),
        _likelihood(sample, surprises),
        _remarks(card),
        _media(card, title),
        _abc(card),
        _downloads(card),
        "</article>",
    ]
    return "\n".join(part for part in parts if part)


def _numbers(sample: Sample) -> str:
    facts = [
        "finished by the model" if sample.finished else "cut before its end",
        f"{sample.tokens} tokens",
        f"seed {sample.seed}",
    ]
    if sample.bars and sample.right_bars is not None:
        facts.insert(1, f"{sample.right_bars} of {sample.bars} bars have the right length")
    return '<ul class="numbers">' + "".join(f"<li>{escape(fact)}</li>" for fact in facts) + "</ul>"


def _likelihood(sample: Sample, surprises: Sequence[float]) -> str:
    """How surprised the model is, where it knows."""
    nats, total = sample.nats_per_token, sample.nll_nats
    if nats is None or total is None:
        return ""
    finite = [each for each in surprises if math.isfinite(each)]
    share = nats / max(finite) if math.isfinite(nats) and max(finite, default=0) > 0 else 0.0
    place = ""
    if len(finite) > 1 and min(finite) < max(finite):
        extremes = {min(finite): ", likeliest here", max(finite): ", most surprising here"}
        place = extremes.get(nats, "")
    return (
        '<p class="likelihood">'
        f'<span class="bar" aria-hidden="true"><i style="width:{100 * share:.1f}%"></i></span>'
        f"<span><b>{nats:.2f}</b> nats per token{place} "
        f'<span class="total">({total:.1f} nats in all)</span></span></p>'
    )


def _remarks(card: Card) -> str:
    remarks = [*card.notes]
    remarks += [f"no {MISSING[suffix]}: {reason}" for suffix, reason in card.failures.items()]
    items = "".join(f"<li>{escape(remark)}</li>" for remark in remarks)
    return f'<ul class="remarks">{items}</ul>' if items else ""


def _media(card: Card, title: str) -> str:
    name = escape(card.sample.name)
    parts = []
    if "wav" in card.content:
        source = data_uri("wav", card.content["wav"])
        parts.append(
            f'<audio id="{name}-audio" controls preload="metadata" aria-label="{title}" '
            f'src="{source}"></audio>'
        )
    if "svg" in card.content:
        source = data_uri("svg", card.content["svg"])
        parts.append(
            f'<div class="paper" tabindex="0" role="group" aria-label="Notation of {title}">'
            f'<img alt="Notation of {title}; the ABC below says the same in letters" '
            f'src="{source}"></div>'
        )
    if "png" in card.content:
        source = data_uri("png", card.content["png"])
        lines = escape(json.dumps([asdict(line) for line in card.lines]))
        parts.append(
            f'<div class="paper" tabindex="0" role="group" aria-label="Piano roll of {title}">'
            f'<div class="roll" data-lines="{lines}"><img alt="Piano roll of {title}" '
            f'src="{source}"><i class="playhead" hidden></i></div></div>'
        )
    return "\n".join(parts)


def _abc(card: Card) -> str:
    if card.sample.abc is None:
        return ""
    return (
        '<details><summary>ABC</summary><button type="button" class="copy">Copy</button>'
        f"<pre>{escape(card.sample.abc)}</pre></details>"
    )


def _downloads(card: Card) -> str:
    links = []
    for suffix, data in card.content.items():
        file = f"{card.sample.name}.{suffix}"
        # Sound is by far the largest part and is in the player already: the script takes it there.
        player = f"#{card.sample.name}-audio"
        address = player if suffix == "wav" else data_uri(suffix, data)
        links.append(f'<a download="{escape(file)}" href="{escape(address)}">{LINKS[suffix]}</a>')
    return f'<p class="downloads"><span>Download</span> {" ".join(links)}</p>' if links else ""

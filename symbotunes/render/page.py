"""The listening page: one HTML file that holds a whole set of samples."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

KINDS = {
    "abc": "text/vnd.abc",
    "mid": "audio/midi",
    "wav": "audio/wav",
    "png": "image/png",
    "svg": "image/svg+xml",
}
NAMES = {"abc": "ABC", "mid": "MIDI", "wav": "WAV", "png": "piano roll", "svg": "notation"}


def listening_page(heading: str, facts: Mapping[str, str], cards: Sequence[Mapping[str, Any]]) -> str:
    """The page as text; sounds and pictures are inside it, and nothing is loaded.

    Args:
        heading: title of the page.
        facts: what is common to all samples.
        cards: rows of ``samples.json`` with ``content``: bytes by file name.
    """
    template = Template(files(__package__).joinpath("page.html").read_text(encoding="utf-8"))
    worst = max((card["nats_per_token"] for card in cards), default=0) or 1
    return template.substitute(
        heading=escape(heading),
        facts="".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
            for name, value in facts.items()
        ),
        cards="\n".join(_card(card, worst) for card in cards),
    )


def _card(card: Mapping[str, Any], worst: float) -> str:
    content: Mapping[str, bytes] = card["content"]
    uris = {name.rpartition(".")[2]: data_uri(name, data) for name, data in content.items()}
    title = escape(card["title"])
    parts = [f'<article class="card" id="{escape(card["name"])}">', f"<h2>{title}</h2>"]
    parts.append(_facts(card, worst))
    if "wav" in uris:
        parts.append(f'<audio controls preload="metadata" src="{uris["wav"]}"></audio>')
    if "png" in uris:
        parts.append(
            f'<div class="roll"><img alt="Piano roll of {title}" src="{uris["png"]}">'
            '<span class="playhead"></span></div>'
        )
    if "svg" in uris:
        parts.append(
            f'<div class="notation"><img alt="Notation of {title}" src="{uris["svg"]}"></div>'
        )
    if card["abc"] is not None:
        parts.append(
            '<details><summary>ABC</summary><button type="button" class="copy">Copy</button>'
            f"<pre>{escape(card['abc'])}</pre></details>"
        )
    parts.append(_downloads(content, uris))
    return "\n".join([*parts, "</article>"])


def _facts(card: Mapping[str, Any], worst: float) -> str:
    share = round(100 * card["nats_per_token"] / worst)
    facts = [
        f'<span class="likelihood" title="Negative log-likelihood under the model">'
        f'<meter min="0" max="100" value="{share}"></meter> '
        f"{card['nats_per_token']:.2f} nats per token, {card['nll_nats']:.0f} in all</span>",
        f"<span>{card['tokens']} tokens</span>",
    ]
    if card["bars"]:
        facts.append(f"<span>{card['right_bars']} of {card['bars']} bars right</span>")
    facts.append(f"<span>{'finished' if card['finished'] else 'unfinished'}</span>")
    facts.append(f"<span>seed {card['seed']}</span>")
    notes = "".join(f"<li>{escape(note)}</li>" for note in card["notes"])
    return f'<p class="facts">{"".join(facts)}</p>' + (f'<ul class="notes">{notes}</ul>' if notes else "")


def _downloads(content: Mapping[str, bytes], uris: Mapping[str, str]) -> str:
    links = []
    for name in content:
        suffix = name.rpartition(".")[2]
        links.append(
            f'<a download="{escape(name)}" href="{uris[suffix]}">{NAMES.get(suffix, suffix)}</a>'
        )
    return f'<p class="downloads">Download {" ".join(links)}</p>'


def data_uri(name: str, data: bytes) -> str:
    """The content as a link that needs no file."""
    kind = KINDS[name.rpartition(".")[2]]
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"

"""A set of samples on disk: all forms of each, a table, and a listening page."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import symusic

from symbotunes.files import atomic_write
from symbotunes.generation.sample import Sample
from symbotunes.render.forms import FORMS, Card, card_of
from symbotunes.render.pages.listening import listening_page
from symbotunes.render.piano_roll.strip import draw_strip


def write_gallery(
    folder: Path,
    samples: Sequence[Sample],
    *,
    heading: str,
    facts: Mapping[str, str],
    strip: Sequence[tuple[str, symusic.Score]] = (),
) -> Path:
    """Write all samples, ``samples.json`` and ``index.html``.

    A form that cannot be written is missing; the table and the page say why.

    Args:
        folder: created if it does not exist; the files of an earlier set in it are removed.
        samples: in the order of the page.
        heading: of the page.
        facts: common to all samples, such as checkpoint and temperature.
        strip: labels and scores to show side by side at the top of the page, and in
            ``strip.png``.

    Returns:
        The page, which contains everything and can be sent as a single file.

    Raises:
        ValueError: if a name is not a valid file name, or two samples have the same.
        OSError: if the folder cannot be written.
    """
    _check_names([sample.name for sample in samples])
    cards = [card_of(sample) for sample in samples]
    _remove_earlier(folder)
    for card in cards:
        for suffix in FORMS:
            path = folder / f"{card.sample.name}.{suffix}"
            if suffix in card.written:
                atomic_write(path, card.written[suffix].content)
            else:
                path.unlink(missing_ok=True)  # from a set whose table was never written
    table = {"heading": heading, "facts": dict(facts), "samples": [_row(card) for card in cards]}
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / "samples.json", text + "\n")
    picture = draw_strip(strip) if strip else None
    if picture is not None:
        atomic_write(folder / "strip.png", picture)
    page = folder / "index.html"
    atomic_write(page, listening_page(heading, facts, cards, picture))
    return page


def _remove_earlier(folder: Path) -> None:
    """Remove the files named by an earlier set's table, so that sets do not mix."""
    try:
        table = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
        names = [row["name"] for row in table["samples"]]
        _check_names(names)
    except (OSError, ValueError, LookupError, TypeError):
        return  # there was no earlier set, or it is not ours
    for name in names:
        for suffix in FORMS:
            (folder / f"{name}.{suffix}").unlink(missing_ok=True)
    (folder / "strip.png").unlink(missing_ok=True)


def _check_names(names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{count} samples are named {name!r}; their names must differ")
        if not re.fullmatch(r"\w[\w.-]*", name):
            raise ValueError(f"sample name {name!r}: use letters, digits, '_', '-' and '.'")


def _row(card: Card) -> dict[str, Any]:
    sample = card.sample
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
        "notes": card.notes,
        "failures": dict(card.failures),
        "files": {suffix: f"{sample.name}.{suffix}" for suffix in card.written},
        "abc": sample.abc,
    }


def _likelihood(sample: Sample) -> dict[str, float | None]:
    """Empty if the model has no likelihood."""
    if sample.nll_nats is None or sample.nats_per_token is None:
        return {}
    return {
        "nll_nats": _finite(sample.nll_nats),
        "nats_per_token": _finite(sample.nats_per_token),
    }


def _finite(value: float) -> float | None:
    """``None`` for infinity, which JSON does not have."""
    return value if math.isfinite(value) else None

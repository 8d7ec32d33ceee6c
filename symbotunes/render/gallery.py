"""A set of samples on disk: all forms of each, a table, and a listening page."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import symusic

from symbotunes.files import atomic_write, read_json
from symbotunes.generation.sample import Sample
from symbotunes.render.earlier_set import refuse_foreign
from symbotunes.render.forms import FORMS, Card, Form, card_of
from symbotunes.render.pages.listening import listening_page
from symbotunes.render.piano_roll.strip import draw_strip

TABLE = "samples.json"
COMMON = (TABLE, "strip.png", "index.html")  # files of a set that belong to no single sample


def write_gallery(
    folder: Path,
    samples: Sequence[Sample],
    *,
    heading: str,
    facts: Mapping[str, str],
    strip: Sequence[tuple[str, symusic.Score]] = (),
    forms: Sequence[Form] | None = None,
) -> Path:
    """Write all samples, ``samples.json`` and ``index.html``.

    The table comes first: by it, the files of a set that is interrupted are known as ours. A form
    that cannot be written is missing; the table and the page say why.

    Args:
        folder: created if it does not exist; the files of an earlier set in it are removed.
        samples: in the order of the page.
        heading: of the page.
        facts: common to all samples, such as checkpoint and temperature.
        strip: labels and scores to show side by side at the top of the page, and in
            ``strip.png``.
        forms: of each sample; ``None``: the usual ones.

    Returns:
        The page, which contains everything and can be sent as a single file.

    Raises:
        UserError: if a file is in the way that no earlier set has written.
        ValueError: if a name is not a valid file name, or two samples have the same.
        OSError: if the folder cannot be written.
    """
    _check_names([sample.name for sample in samples])
    refuse_other_files(folder, [sample.name for sample in samples])
    cards = [card_of(sample, forms) for sample in samples]
    _remove_earlier(folder)
    table = {"heading": heading, "facts": dict(facts), "samples": [_row(card) for card in cards]}
    text = json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False)
    atomic_write(folder / TABLE, text + "\n")
    for card in cards:
        for suffix, form in card.written.items():
            atomic_write(folder / f"{card.sample.name}.{suffix}", form.content)
    picture = draw_strip(strip) if strip else None
    if picture is not None:
        atomic_write(folder / "strip.png", picture)
    page = folder / "index.html"
    atomic_write(page, listening_page(heading, facts, cards, picture))
    return page


def refuse_other_files(folder: Path, names: Sequence[str] = ()) -> None:
    """See that samples replace only those of an earlier set.

    Args:
        folder: for the samples.
        names: of the samples, as far as they are known.

    Raises:
        UserError: naming a file that is in the way.
    """
    refuse_foreign(folder, _files_of(names), table=TABLE, lists=_listed)


def _files_of(names: Sequence[str]) -> list[str]:
    """The names of all files that a set of samples may consist of."""
    return [*(f"{name}.{suffix}" for name in names for suffix in FORMS), *COMMON]


def _listed(table: Mapping[str, Any]) -> list[str] | None:
    """The files of the set that a table is about; ``None`` if it is not ours."""
    try:
        names = [row["name"] for row in table["samples"]]
        _check_names(names)
    except (ValueError, LookupError, TypeError):
        return None
    return _files_of(names)


def _remove_earlier(folder: Path) -> None:
    """Remove the files named by an earlier set's table, so that sets do not mix."""
    for name in _listed(read_json(folder / TABLE)) or ():
        (folder / name).unlink(missing_ok=True)


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
        **_generation(sample),
        "bars": sample.bars,
        "right_bars": sample.right_bars,
        **({} if sample.masked is None else {"masked": sample.masked}),
        **({} if sample.in_key is None else {"in_key": sample.in_key}),
        **({"likeness": sample.likeness} if sample.likeness else {}),
        "notes": card.notes,
        "failures": dict(card.failures),
        "files": {suffix: f"{sample.name}.{suffix}" for suffix in card.written},
        "abc": sample.abc,
    }


def _generation(sample: Sample) -> dict[str, Any]:
    """What is known of how a model wrote it; empty for music of the user."""
    if sample.from_user:
        return {}
    return {
        "seed": sample.seed,
        "finished": sample.finished,
        "tokens": sample.tokens,
        "generated": sample.generated,
        **_likelihood(sample),
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

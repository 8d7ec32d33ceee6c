"""A set of samples on disk: every form of each, a table of all, and a page to listen to."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbotunes.atomic import atomic_write
from symbotunes.render.audio import synthesize, wav_bytes
from symbotunes.render.notation import engrave
from symbotunes.render.page import listening_page
from symbotunes.render.roll import piano_roll_png
from symbotunes.render.sample import Sample


@dataclass(frozen=True)
class Rendered:
    """One sample in all the forms that could be made.

    Attributes:
        sample: what was rendered.
        files: content by file name.
        failures: what could not be made, in words.
    """

    sample: Sample
    files: dict[str, bytes]
    failures: tuple[str, ...]


def render(sample: Sample) -> Rendered:
    """Make every form of a sample; one that fails leaves the others."""
    makers: dict[str, Callable[[], bytes]] = {
        "mid": lambda: bytes(sample.score.dumps_midi()),
        "wav": lambda: wav_bytes(synthesize(sample.score)),
        "png": lambda: piano_roll_png(sample.score),
    }
    abc = sample.abc
    if abc is not None:
        makers = {"abc": abc.encode, **makers, "svg": lambda: engrave(abc).svg.encode()}
    files: dict[str, bytes] = {}
    failures = []
    for suffix, make in makers.items():
        try:
            files[f"{sample.name}.{suffix}"] = make()
        except Exception as error:  # whatever a renderer raises, the music drawn so far is kept
            first_line = (str(error) or type(error).__name__).splitlines()[0]
            failures.append(f".{suffix} could not be made: {first_line}")
    return Rendered(sample, files, tuple(failures))


def write_gallery(
    folder: Path, samples: Sequence[Sample], *, heading: str, facts: Mapping[str, str]
) -> Path:
    """Write all samples, ``samples.json`` and ``index.html``.

    Args:
        folder: made if it does not exist.
        samples: in the order of the page.
        heading: of the page.
        facts: what is common to all, such as checkpoint and temperature.

    Returns:
        The page, which holds everything and can be sent by itself.
    """
    rendered = [render(sample) for sample in samples]
    for one in rendered:
        for name, content in one.files.items():
            atomic_write(folder / name, content)
    table = {"heading": heading, "facts": dict(facts), "samples": [_row(one) for one in rendered]}
    atomic_write(folder / "samples.json", json.dumps(table, indent=2, ensure_ascii=False))
    page = folder / "index.html"
    atomic_write(page, listening_page(heading, facts, [_card(one) for one in rendered]))
    return page


def _row(rendered: Rendered) -> dict[str, Any]:
    sample = rendered.sample
    return {
        "name": sample.name,
        "title": sample.title,
        "seed": sample.seed,
        "tokens": sample.tokens,
        "generated": sample.generated,
        "nll_nats": sample.nll_nats,
        "nats_per_token": sample.nats_per_token,
        "finished": sample.finished,
        "bars": sample.bars,
        "right_bars": sample.right_bars,
        "notes": [*sample.notes, *rendered.failures],
        "abc": sample.abc,
        "files": sorted(rendered.files),
    }


def _card(rendered: Rendered) -> dict[str, Any]:
    return {**_row(rendered), "content": rendered.files}

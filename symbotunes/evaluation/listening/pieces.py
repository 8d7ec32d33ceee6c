"""The music of a listening test: what models write, and held-out pieces."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.comparison.pieces import Shared, keys_of, shared_pieces
from symbotunes.evaluation.listening.design import HELD_OUT, HeardPiece
from symbotunes.evaluation.listening.levels import levelled
from symbotunes.evaluation.listening.plan import ListenPlan
from symbotunes.generation.compose import compose
from symbotunes.generation.sample import Sample
from symbotunes.generation.seeds import sample_seeds
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.base import Model
from symbotunes.music.midi.writing import write_midi
from symbotunes.tokenizers.base import Tokenizer

LEAST_NOTES = 2  # with fewer there is nothing to judge


@dataclass(frozen=True)
class Source:
    """A model that is heard.

    Attributes:
        name: unique in the test.
        net: the network, on the device that it runs on.
        tokenizer: its tokenizer.
    """

    name: str
    net: Model
    tokenizer: Tokenizer[Any]


@dataclass(frozen=True)
class HeldOutPiece:
    """A piece that no model was trained on.

    Attributes:
        title: of the piece.
        sample: the music, as the tokens of the first model hold it.
    """

    title: str
    sample: Sample


def held_out_pieces(
    corpora: Mapping[str, Encoded], tokenizer: Tokenizer[Any], split: str, seed: int
) -> list[HeldOutPiece]:
    """All pieces that every model holds out, in random order.

    Args:
        corpora: prepared data, by the name of their model.
        tokenizer: of the first model.
        split: ``test`` or ``val``.
        seed: of the order.

    Raises:
        UserError: if there are too few.
    """
    shared = shared_pieces(corpora, split)
    encoded = next(iter(corpora.values()))
    random = np.random.default_rng(seed)
    return list(_rendered(encoded, tokenizer, shared, random))


def _rendered(
    encoded: Encoded, tokenizer: Tokenizer[Any], shared: Shared, random: np.random.Generator
) -> Iterator[HeldOutPiece]:
    """The pieces of a corpus; of several examples of a piece, one."""
    parts = ("val", "test") if shared.split == "held-out" else (shared.split,)
    numbers = keys_of(encoded, parts)
    for place in random.permutation(len(shared.keys)).tolist():
        key = shared.keys[place]
        example = int(random.choice(np.flatnonzero(encoded.owners == numbers[key])))
        rendition = tokenizer.render_ids(encoded.example(example), key[1])
        yield HeldOutPiece(
            key[1] or key[0], Sample.of_people(key[1], rendition.score, rendition.abc)
        )


def free_pieces(
    sources: Sequence[Source],
    held_out: Sequence[HeldOutPiece] | None,
    plan: ListenPlan,
    sampling: SamplePlan,
    seed: int,
) -> list[HeardPiece]:
    """Free tunes of every model, and as many held-out pieces if there are any.

    Raises:
        UserError: if a model cannot write, or there are too few held-out pieces with notes.
    """
    pieces = []
    for source in sources:
        free = replace(sampling.without_beginning, num=plan.pieces)
        written = _written(source, free, seed)
        pieces += [_heard(source.name, number, one, plan) for number, one in enumerate(written)]
    if held_out is not None:
        chosen = [piece for piece in held_out if _notes(piece.sample) >= LEAST_NOTES]
        _require(len(chosen), plan)
        for number, piece in enumerate(chosen[: plan.pieces]):
            pieces.append(_heard(HELD_OUT, number, piece.sample, plan))
    return pieces


def continuations(
    sources: Sequence[Source],
    held_out: Sequence[HeldOutPiece],
    plan: ListenPlan,
    sampling: SamplePlan,
    seed: int,
    *,
    prompt_bars: int,
) -> list[HeardPiece]:
    """Continuations of the beginnings of held-out pieces by every model, and their own.

    Pieces that one of the models cannot read, such as too short ones, are passed over.

    Raises:
        UserError: if there are too few pieces that every model can continue.
    """
    pieces: list[HeardPiece] = []
    rounds, reason = 0, ""
    seeds = sample_seeds(seed, len(held_out))
    with tempfile.TemporaryDirectory() as folder:
        for number, piece in zip(seeds, held_out, strict=True):
            if rounds == plan.pieces:
                break
            continuing = replace(
                sampling.without_beginning,
                seeds=[number],
                input=str(_as_file(piece.sample, Path(folder))),
                prompt_bars=prompt_bars,
            )
            try:
                written = [_written(source, continuing, seed)[0] for source in sources]
            except UserError as error:
                reason = reason or f"; {piece.title}: {error}"
                continue
            for source, sample in zip(sources, written, strict=True):
                pieces.append(_heard(source.name, rounds, sample, plan, continues=piece.title))
            if plan.held_out:
                pieces.append(_heard(HELD_OUT, rounds, piece.sample, plan))
            rounds += 1
    _require(rounds, plan, reason)
    return pieces


def _require(count: int, plan: ListenPlan, reason: str = "") -> None:
    if count < plan.pieces:
        raise UserError(
            f"listen.pieces={plan.pieces}: only {count} held-out pieces can be used{reason}"
        )


def _written(source: Source, plan: SamplePlan, seed: int) -> Sequence[Sample]:
    composition = compose(source.net, plan, tokenizer=source.tokenizer, seed=seed)
    return composition.samples


def _heard(source: str, number: int, sample: Sample, plan: ListenPlan, **about: str) -> HeardPiece:
    facts = {"title": sample.title} if source == HELD_OUT else {"seed": sample.seed, **about}
    score = levelled(sample, plan.arrangement).score
    return HeardPiece(source, number, score, {**facts, "notes": _notes(sample)})


def _notes(sample: Sample) -> int:
    return sum(len(track.notes) for track in sample.score.tracks)


def _as_file(sample: Sample, folder: Path) -> Path:
    """The music as a file that models read: ABC if there is any, else MIDI."""
    if sample.abc is not None:
        path = folder / "piece.abc"
        path.write_text(sample.abc, encoding="utf-8")
        return path
    path = folder / "piece.mid"
    path.write_bytes(write_midi(sample.score).content)
    return path

"""Samples decoded from what a network wrote."""

from typing import Any

from symbotunes.generation.given import keys_of, marked
from symbotunes.generation.sample import Sample
from symbotunes.generation.sequences import Generated
from symbotunes.music.abc.check import share_in_key
from symbotunes.music.abc.keys import Key
from symbotunes.tokenizers.abc import rendition_in
from symbotunes.tokenizers.base import NO_ID, TextTokenizer

STUCK = "unfinished: the constraint left no token to go on with"


def to_sample(
    tokenizer: TextTokenizer[Any],
    generated: Generated,
    index: int,
    seed: int,
    key: Key | None = None,
    *,
    is_masked: bool = False,
) -> Sample:
    """Decode the output of a network, with remarks on what is wrong with it.

    Args:
        tokenizer: of the network.
        generated: its output.
        index: of the sample, from 0.
        seed: of the sample.
        key: to which an ABC tune on C is moved; ``None`` does not move it.
        is_masked: whether it was drawn under a constraint.
    """
    tokens = tokenizer.decode(generated.ids)
    title, number = f"Sample {index + 1}", index + 1
    rendition = tokenizer.render(tokens, title, number=number)
    if key is not None:
        rendition = rendition_in(key, rendition, title, number=number)
    remarks = list(rendition.problems)
    if generated.stuck:
        remarks.insert(0, STUCK)
    elif not generated.finished and tokenizer.vocabulary.eos != NO_ID:
        remarks.insert(0, "unfinished: sample.max_tokens was reached")
    given = generated.given
    if given is None and generated.prompt_length and rendition.abc is None:
        prompt = tokenizer.decode(generated.ids[: generated.prompt_length])
        given = frozenset(
            key for keys in keys_of(tokenizer.render(prompt, "").score) for key in keys
        )
    return Sample(
        name=f"sample_{index + 1:02d}",
        title=title,
        score=rendition.score,
        abc=rendition.abc,
        tokens=len(tokens),
        nll_nats=generated.nll_nats,
        generated=generated.count,
        finished=generated.finished,
        seed=seed,
        notes=tuple(remarks),
        bars=rendition.bars,
        right_bars=rendition.right_bars,
        given=marked(rendition.score, given or frozenset()),
        ids=tuple(generated.ids),
        masked=generated.masked / generated.count if is_masked and generated.count else None,
        in_key=None if rendition.phrase is None else share_in_key(rendition.phrase),
    )

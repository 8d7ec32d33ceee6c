"""Keys for tunes on C that a model writes after it has learned a collection in other keys."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from symbotunes.generation.sequences.prompts import Beginning
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key
from symbotunes.music.abc.transposition import key_in
from symbotunes.tokenizers.base import TextTokenizer


def key_among(counts: Mapping[str, int], mode: str | None, seed: int) -> Key | None:
    """A key of a collection, as likely as it is frequent there.

    Args:
        counts: how many tunes of the collection have each key, such as ``{"Dmaj": 7}``.
        mode: of the tune; keys of the same mode are preferred.
        seed: of the sample.

    Returns:
        ``None`` if the collection has no key that can be read.
    """
    keys: list[tuple[Key, int]] = []
    for name, count in counts.items():
        try:
            keys.append((parse_key(name), count))
        except AbcError:
            continue
    alike = [entry for entry in keys if entry[0].mode == mode] or keys
    if not alike:
        return None
    weights = [count for _, count in alike]
    return random.Random(seed).choices([key for key, _ in alike], weights)[0]


def key_of_sample(
    tokenizer: TextTokenizer[Any], beginning: Beginning, ids: Sequence[int], seed: int
) -> Key | None:
    """The key to which a sample is moved, or what has been written of it; ``None``: it stays.

    Args:
        tokenizer: of the model.
        beginning: what the sample continues.
        ids: of the sample, beginning included.
        seed: of the sample.
    """
    if not tokenizer.keys or beginning.ids:
        return beginning.key
    own = key_in(tokenizer.decode(ids))
    return key_among(tokenizer.keys, None if own is None else own.mode, seed)

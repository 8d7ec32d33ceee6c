"""Keys for tunes on C that a model writes after it has learned a collection in other keys."""

import random
from collections.abc import Mapping

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.keys import Key, parse_key


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

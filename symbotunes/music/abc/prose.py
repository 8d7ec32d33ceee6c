"""Telling music from words: free text has bar signs and letters of notes, too."""

import re
from collections.abc import Collection

_NOTE = r"(?:\^\^?|__?|=)?[A-Ga-gxzXZ][,']*"
_LENGTH = r"[0-9]*(?:/[0-9]*)*"
_TEXTS = r'"[^"\n]*"|![^!|\n]+!|\{[^}\n]*\}|\+[^+|\s]+\+|\[[A-Za-z]:[^\]\n]*\]'
_NUMBERS = r"[1-9](?:[,-][1-9])*"
_ELEMENT = re.compile(
    rf"\s+|{_TEXTS}|{_NOTE}{_LENGTH}|y[0-9]*|\[(?:{_NOTE}{_LENGTH}-?\s*)+\]{_LENGTH}"
    rf"|\([0-9:]+|[()]|[<>]+|-|(?::*\[?\|[|\]:]*|::+)(?:[ \t]*\[?{_NUMBERS})?|\[{_NUMBERS}"
    r"|[~.HLMOPSTuvJRk]|[$!*`;&+\\]",
)
_QUOTED = re.compile(_TEXTS)
_WORD = re.compile(r"[A-Za-z]{2,}")
# Neither notes nor rests, nor decorations that ABC 2.1 or abcm2ps define.
_UNDEFINED = frozenset("hijklmnopqrstw" + "IKNQUVW") - frozenset("k")


def reads_as_music(text: str) -> bool:
    """Whether every sign of a line has a meaning in music."""
    at = 0
    while at < len(text):
        match = _ELEMENT.match(text, at)
        if match is None:
            return False
        at = match.end()
    return True


def reads_as_words(text: str, defined: Collection[str] = ()) -> bool:
    """Whether a line contains a word: two letters together that no music has.

    Without a bar sign, two words with one such letter each are enough.

    Args:
        text: a line that is not a field.
        defined: letters to which the tune gives a meaning (``U:``).
    """
    unknown = _UNDEFINED.difference(defined)
    words = _WORD.findall(_QUOTED.sub(" ", text))
    counts = [len(unknown.intersection(word)) for word in words]
    return max(counts, default=0) >= 2 or ("|" not in text and sum(map(bool, counts)) >= 2)

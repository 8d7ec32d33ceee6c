"""Pieces made alike in all that tells who wrote them but the notes: instrument, tempo and key."""

from dataclasses import replace

from symbotunes.generation.output import arranged_sample
from symbotunes.generation.sample import Sample
from symbotunes.music.abc.keys import parse_key
from symbotunes.music.arrangement import Arrangement


def levelled(sample: Sample, arrangement: Arrangement) -> Sample:
    """A sample or held-out piece as it is heard in a test.

    Args:
        sample: the music.
        arrangement: of all pieces. If it names no key, ABC is moved to C, where most models write
            it, and MIDI stays where it is.
    """
    if sample.abc is not None and arrangement.tonic is None and arrangement.semitones is None:
        arrangement = replace(arrangement, tonic=parse_key("C"))
    return arranged_sample(sample, arrangement)

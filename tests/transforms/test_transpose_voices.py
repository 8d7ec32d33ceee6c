"""Chorales in other keys, within the ranges of their voices."""

import numpy as np
import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.music.chorale.grid import SILENT, VoiceGrid
from symbotunes.music.chorale.layout import VoiceLayout
from symbotunes.tokenizers.chorale_grid import ChoraleGrid
from symbotunes.tokenizers.performance import Performance
from symbotunes.transforms.transpose_voices import TransposeVoices

LAYOUT = VoiceLayout()
RANGES = [[60, 81], [52, 74], [46, 69], [36, 66]]


def ids(*steps):
    return LAYOUT.encode(VoiceGrid.joined(np.array(steps)))


def transpose(semitones, ranges=RANGES):
    step = TransposeVoices(semitones, ranges)
    step.bind(ChoraleGrid())
    return step


def drawn(step, example, count=60):
    """Every set of pitches of the first step that is drawn."""
    versions = [step(example, torch.Generator().manual_seed(seed)) for seed in range(count)]
    return {tuple(LAYOUT.decode(version)[0].pitches[0].tolist()) for version in versions}


def test_every_interval_that_keeps_all_voices_in_range_is_drawn():
    """The alto may fall by 2, to 52, and the bass may rise by 1, to 66."""
    example = ids([70, 54, 60, 65], [70, 60, 60, 50])
    assert drawn(transpose(range(-6, 7)), example) == {
        (68, 52, 58, 63), (69, 53, 59, 64), (70, 54, 60, 65), (71, 55, 61, 66),
    }  # fmt: skip


def test_silence_stays_and_does_not_count():
    example = ids([SILENT, 60, 55, 40])
    assert drawn(transpose([-4, 2]), example) == {(SILENT, 56, 51, 36), (SILENT, 62, 57, 42)}


def test_an_example_that_fits_nowhere_stays_as_it_is():
    example = ids([59, 60, 55, 40])
    assert drawn(transpose([-1, 0]), example) == {(59, 60, 55, 40)}


@pytest.mark.parametrize(
    ("semitones", "ranges", "reason"),
    [
        ([], RANGES, "at least one interval"),
        ([0], RANGES[:3], "each of 4 voices"),
        ([0], [[81, 60], *RANGES[1:]], "each of 4 voices"),
    ],
)
def test_unusable_settings_are_refused(semitones, ranges, reason):
    with pytest.raises(UserError, match=reason):
        TransposeVoices(semitones, ranges)


def test_ranges_must_have_tokens_and_tokens_must_be_voices():
    with pytest.raises(UserError, match="36 to 81"):
        transpose([0], [[60, 82], *RANGES[1:]])
    with pytest.raises(UserError, match="chorale_grid"):
        TransposeVoices([0], RANGES).bind(Performance())

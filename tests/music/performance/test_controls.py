"""Density and pitch classes of what is to come, compared with the authors'."""

from pathlib import Path

import numpy as np
import pytest

from symbotunes.music.performance.controls import density_bin, note_density, pitch_histograms

FILES = Path(__file__).parents[2] / "files" / "performance"
NAMES = sorted(path.stem for path in FILES.glob("*.mid"))
NONE = np.zeros(0, np.int64)


@pytest.fixture(params=NAMES)
def stored(request):
    """Events of the first piece of 30 s, and what was measured of it."""
    with np.load(FILES / f"{request.param}.npz") as file:
        values = dict(file)
    return values["pieces"][: values["piece_lengths"][0]].astype(np.int64), values


def test_densities_are_those_of_the_authors(stored):
    events, expected = stored
    found = note_density(events)[:400]
    np.testing.assert_allclose(found, expected["density"], rtol=1e-6)
    assert density_bin(expected["density"]).tolist() == expected["density_bin"].tolist()


def test_histograms_are_those_of_the_authors(stored):
    events, expected = stored
    found = pitch_histograms(events)[:400:10]
    np.testing.assert_allclose(found, expected["histogram"], atol=1e-7)


def test_density_counts_the_notes_of_three_seconds():
    # A note every half second, released a quarter later: six in 3 s, from a release on six, too.
    events = np.array([60, 280, 188, 280] * 12)
    assert note_density(events)[:8].tolist() == [2.0] * 8


def test_the_last_moment_has_no_density():
    assert note_density(np.array([60, 305, 188])).tolist() == [2.0, 2.0, 0.0]


def test_nothing_has_no_controls():
    assert note_density(NONE).shape == (0,)
    assert pitch_histograms(NONE).shape == (0, 12)

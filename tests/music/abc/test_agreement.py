"""Our tokens sound like the tunes they were made from; abc2midi is the judge."""

import os
import shutil
from collections import Counter

import pytest

from tests.benchmarks.abc_agreement import judge


@pytest.mark.slow("hears hundreds of tunes with abc2midi")
def test_abc2midi_hears_the_same_notes_in_the_original_and_in_ours(corpus_tunes):
    if shutil.which("abc2midi") is None:
        if os.environ.get("CI"):
            pytest.fail("abc2midi is not installed: apt-get install abcmidi")
        pytest.skip("abc2midi is not installed")
    verdicts = [judge(tune) for tune in corpus_tunes[11::64]]
    kept = [verdict for verdict in verdicts if verdict is not None]
    outcomes = Counter(verdict.outcome for verdict in kept)
    differing = [f"{v.id}: {v.outcome}" for v in kept if v.outcome != "agrees"]
    assert len(kept) >= 199
    assert outcomes["agrees"] >= 0.99 * len(kept), differing
    assert [v.id for v in kept if not v.own_playback_agrees] == []
    assert [(v.id, v.complaints) for v in kept if v.complaints] == []

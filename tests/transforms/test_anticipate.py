"""Which notes are given ahead, and how often."""

import numpy as np
import pytest
import torch
import yaml

from symbotunes.errors import UserError
from symbotunes.music.arrival.anticipation import padded, separated
from symbotunes.music.arrival.clock import unwrapped, wrapped
from symbotunes.music.arrival.vocabulary import (
    ANTICIPATE,
    AUTOREGRESS,
    as_events,
    events_of,
    instruments,
    times,
)
from symbotunes.paths import CONF
from symbotunes.tokenizers.arrival import ArrivalTimes
from symbotunes.tokenizers.performance import Performance
from symbotunes.transforms.anticipate import Anticipate

CONFIG = yaml.safe_load((CONF / "transforms" / "anticipate.yaml").read_text())["anticipate"]
CONFIG.pop("_target_")
NONE = {"spans": 0, "instruments": 0, "random": 0}


def anticipate(**options):
    return Anticipate(**(CONFIG | options))


def music(programs=(0, 24, 128), seconds=300):
    """Four notes a second, each of the next instrument in turn."""
    count = 4 * seconds
    notes = np.array([128 * programs[at % len(programs)] + 60 for at in range(count)])
    return events_of(25 * np.arange(count), np.full(count, 20), notes)


def applied(step, events, seed=0):
    """Flag, the notes left to write, and those given."""
    ids = wrapped(padded(events)).flatten()
    result = step(ids, torch.Generator().manual_seed(seed))
    return int(result[0]), *separated(unwrapped(result[1:].reshape(-1, 3)))


@pytest.mark.parametrize("kind", ["spans", "instruments", "random"])
def test_no_note_is_lost_and_none_is_given_twice(kind):
    events = music()
    for seed in range(2):
        flag, written, given = applied(anticipate(**(NONE | {kind: 1.0})), events, seed)
        assert flag == ANTICIPATE
        assert len(given)
        together = np.concatenate([written, as_events(given)])
        assert together[np.lexsort(together.T[::-1])].tolist() == events.tolist()


def test_without_a_choice_the_piece_stays_as_it_is():
    ids = wrapped(padded(music())).flatten()
    result = anticipate(**NONE)(ids, torch.Generator())
    assert result.tolist() == [AUTOREGRESS, *ids.tolist()]


def test_spans_last_5_s_and_begin_20_s_after_each_other_on_average():
    events = music(seconds=20_000)
    step = anticipate(**(NONE | {"spans": 1.0}))
    chosen = step._spans(times(events), torch.Generator().manual_seed(1))
    begins = np.flatnonzero(chosen & ~np.append(False, chosen[:-1]))
    ends = np.flatnonzero(chosen & ~np.append(chosen[1:], False))
    assert set((ends - begins + 1).tolist()) <= {20, 40, 60, 80}  # neighbors touch rarely
    assert np.median(ends - begins + 1) == 20  # notes in 5 s
    assert len(begins) == pytest.approx(20_000 / 25, rel=0.1)


def test_some_instruments_are_given_but_never_all():
    step = anticipate(**(NONE | {"instruments": 1.0}))
    seen = set()
    for seed in range(60):
        _, written, given = applied(step, music(seconds=4), seed)
        kept, chosen = (frozenset(instruments(part).tolist()) for part in (written, given))
        assert kept | chosen == {0, 24, 128}
        assert not kept & chosen
        seen.add(chosen)
    assert len(seen) == 6  # three of one instrument, three of two


def test_nothing_of_one_instrument_is_given_but_the_flag_says_that_it_might():
    flag, written, given = applied(anticipate(**(NONE | {"instruments": 1.0})), music([40]))
    assert (flag, len(given)) == (ANTICIPATE, 0)
    assert written.tolist() == music([40]).tolist()


def test_any_notes_are_given_at_one_of_nine_rates():
    step, events = anticipate(**(NONE | {"random": 1.0})), music(seconds=100)
    shares = [len(applied(step, events, seed)[2]) / len(events) for seed in range(60)]
    rates = np.round(np.array(shares) * 10).astype(int)
    assert set(rates.tolist()) == set(range(1, 10))


def test_the_shares_of_the_draws_are_those_of_the_config():
    step = anticipate()
    generator = torch.Generator().manual_seed(0)
    kinds = [step._kind(generator) for _ in range(4000)]
    shares = {kind: kinds.count(kind) / 4000 for kind in ("spans", "instruments", "random", None)}
    assert shares == pytest.approx(
        {"spans": 0.1, "instruments": 0.4, "random": 0.4, None: 0.1}, abs=0.025
    )


def test_the_same_seed_gives_the_same_controls():
    ids = wrapped(padded(music())).flatten()
    first, second, other = (
        anticipate()(ids, torch.Generator().manual_seed(seed)).tolist() for seed in (3, 3, 4)
    )
    assert first == second != other


def test_other_tokens_and_shares_above_1_are_refused():
    anticipate().bind(ArrivalTimes())
    with pytest.raises(UserError, match=r"transforms=\[arrival_times,anticipate\]"):
        anticipate().bind(Performance())
    with pytest.raises(UserError, match="add up to 1.3"):
        anticipate(spans=0.5)
    with pytest.raises(UserError, match="gap_seconds=0: must be above 0"):
        anticipate(gap_seconds=0)

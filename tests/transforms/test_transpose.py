"""Augmentation by transposition."""

from collections import Counter

import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.music.abc.transposition import transpose
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.transforms.transpose import Transpose
from tests.data.letters import Letters

TUNE = ["M:4/4", "K:Gmaj", "G", "2", "^c", "2", "B", "4", "|"]


def moved_by(*shifts):
    return [transpose(TUNE, shift) for shift in shifts]


def bound(semitones, tunes):
    tokenizer = AbcTokens(root="keep")
    tokenizer.fit(Counter(token for tune in tunes for token in tune))
    step = Transpose(semitones)
    step.bind(tokenizer)
    return step, tokenizer


def draws(step, tokenizer, count=200, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = tokenizer.encode(TUNE)
    return Counter(" ".join(tokenizer.decode(step(ids, generator))) for _ in range(count))


def test_a_tune_is_heard_in_every_key_alike():
    step, tokenizer = bound([-2, 0, 2], moved_by(-2, 0, 2))
    found = draws(step, tokenizer, 300)
    assert set(found) == {
        "M:4/4 K:Fmaj F 2 =B 2 A 4 |",
        "M:4/4 K:Gmaj G 2 ^c 2 B 4 |",
        "M:4/4 K:Amaj A 2 ^d 2 c 4 |",
    }
    assert min(found.values()) > 70  # 100 each on average, deviation 8


def test_the_generator_alone_decides():
    step, tokenizer = bound([-2, 0, 2], moved_by(-2, 0, 2))
    assert draws(step, tokenizer, 5, seed=3) == draws(step, tokenizer, 5, seed=3)


def test_only_what_the_vocabulary_can_spell_is_drawn():
    step, tokenizer = bound([-2, 1, 2], moved_by(0, 2))  # neither F nor Ab major was ever seen
    assert set(draws(step, tokenizer)) == {"M:4/4 K:Amaj A 2 ^d 2 c 4 |"}


def test_a_key_may_be_known_though_not_all_its_notes_are():
    step, tokenizer = bound([2], [TUNE, ["K:Amaj", "A", "c"]])
    assert set(draws(step, tokenizer)) == {" ".join(TUNE)}


def test_a_tune_that_no_interval_fits_stays_as_it_is():
    step, tokenizer = bound([1, 3], [TUNE])
    assert set(draws(step, tokenizer)) == {" ".join(TUNE)}


def test_an_example_without_key_stays_as_it_is():
    step, tokenizer = bound([2], moved_by(0, 2))
    ids = tokenizer.encode(["M:4/4", "G", "|"])
    assert step(ids, torch.Generator()) == ids


def test_tunes_on_c_are_refused_with_one_line():
    with pytest.raises(UserError) as caught:
        Transpose([2]).bind(AbcTokens())
    assert str(caught.value) == (
        "transpose needs transforms.abc_tokens.root=keep: a tune on C cannot leave C"
    )


def test_other_tokenizers_are_refused_with_one_line():
    with pytest.raises(UserError, match="^transpose moves ABC tunes; it needs .* abc_tokens"):
        Transpose([2]).bind(Letters())


def test_without_intervals_there_is_nothing_to_do():
    with pytest.raises(UserError, match="transforms.transpose.semitones"):
        Transpose([])


def test_unbound_it_is_an_error():
    with pytest.raises(RuntimeError, match="call bind before transpose is used"):
        Transpose([2])([3], torch.Generator())

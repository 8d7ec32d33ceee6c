"""ABC of any kind: read, or refused with a reason; never anything else."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.files import read_tunes
from symbotunes.music.abc.normalize import normalize
from symbotunes.music.abc.playback import notes
from symbotunes.music.abc.reader import parse
from symbotunes.music.abc.text import from_abc, prompt_tokens, to_abc
from tests.benchmarks.abc_fuzz import SCRAPS, SIGNS, fuzz

BODIES = st.lists(st.sampled_from([*SIGNS, *SCRAPS, "C2 ", "|", ":|", "|1", "(3ABc"]), max_size=60)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.text(max_size=200))
@example("X:1\nK:C\n\ud800")
@example("K:\nM:\nL:\n")
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(AbcError):
        normalize(parse(text))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(BODIES, st.sampled_from(["4/4", "6/8", "none", "C|", "0/4", "4/0", "9" * 40 + "/8"]))
def test_any_body_that_is_read_says_the_same_when_written_and_read_again(signs, meter):
    try:
        tokens = normalize(parse(f"X:1\nM:{meter}\nL:1/8\nK:C\n{''.join(signs)}\n"))
    except AbcError:
        return
    assert from_abc(to_abc(tokens)) == tokens
    notes(tokens)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.one_of(st.text(max_size=80), BODIES.map("".join)))
def test_any_prompt_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        assert all(isinstance(token, str) for token in prompt_tokens(text))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(content=st.one_of(st.binary(max_size=300), BODIES.map(lambda body: "".join(body).encode())))
def test_any_file_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.abc"
    path.write_bytes(content)
    with contextlib.suppress(ValueError):
        read_tunes(path, collection="any")


@pytest.mark.slow("reads a thousand tunes")
def test_a_thousand_mutated_tunes_raise_nothing_unforeseen():
    outcomes, bugs = fuzz(1000, seed=4)
    assert bugs == []
    assert outcomes["read"] > 300

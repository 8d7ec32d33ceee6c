"""Training examples with bars moved to their end, and the tokens that this takes."""

from collections import Counter

import numpy as np
import pytest
import torch

from symbotunes.errors import UserError
from symbotunes.generation.sequences import Settings, generate
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.abc import AbcTokens
from symbotunes.tokenizers.abc_bpe import AbcBpe
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.tokenizers.performance import Performance
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import SampleBars
from symbotunes.transforms.infill import Infill
from symbotunes.transforms.transpose import Transpose

TUNE = "M:6/8 K:Cdor |: G 3 G 3 | A 6 :| |: B 3 |1 c 3 :| |2 d 3 | e 6 |"
CHANGING = "M:6/8 K:Cmaj c 6 | K:Gmaj d 6 | M:2/4 K:Cmaj e 4 |"
TEXT = "M:6/8\nL:1/8\nK:Cdor\n|:G3G3|A6:||:B3|1c3:||2d3|e6|]\n"


def chain_of(tokenizer=None, **options):
    tokenizer = tokenizer or AbcTokens(vocabulary="folk_rnn")
    chain = Chain({"tokenizer": tokenizer, "infill": Infill(**{"share": 1.0, **options})})
    chain.bind()
    return chain


def drawn(chain, count=200, tune=TUNE):
    """Versions of a tune as text."""
    names = [*chain.tokenizer.tokens, *chain.tokenizer.added]
    ids = np.array(chain.tokenizer.encode(tune.split()))
    versions = (
        chain.augment(ids, torch.Generator().manual_seed(seed)).tolist() for seed in range(count)
    )
    return [" ".join(names[index] for index in version) for version in versions]


def restored(text):
    """A tune whose bars are back in their places, as a list of tokens."""
    rest, *fills = text.split(" <bar> ")
    if fills:
        end, begin = rest.split("M:", 1)
        rest = f"M:{begin} {end}"
    for fill in fills:
        rest = rest.replace("<mask>", fill, 1)
    assert "<mask>" not in rest
    return rest.split()


def test_bars_are_moved_behind_what_precedes_them_and_signs_stay():
    assert set(drawn(chain_of(bars=[3]))) == {
        "<mask> | <mask> :| |: <mask> |1 c 3 :| |2 d 3 | e 6 | "
        "M:6/8 K:Cdor |: <bar> G 3 G 3 <bar> A 6 <bar> B 3",
        "<mask> :| |: <mask> |1 <mask> :| |2 d 3 | e 6 | "
        "M:6/8 K:Cdor |: G 3 G 3 | <bar> A 6 <bar> B 3 <bar> c 3",
        "<mask> |1 <mask> :| |2 <mask> | e 6 | "
        "M:6/8 K:Cdor |: G 3 G 3 | A 6 :| |: <bar> B 3 <bar> c 3 <bar> d 3",
        "<mask> :| |2 <mask> | <mask> | "
        "M:6/8 K:Cdor |: G 3 G 3 | A 6 :| |: B 3 |1 <bar> c 3 <bar> d 3 <bar> e 6",
    }


def test_bars_in_several_places_follow_what_precedes_the_first():
    versions = set(drawn(chain_of(bars=[1], spans=[2])))
    assert (
        "<mask> :| |: B 3 |1 c 3 :| |2 <mask> | e 6 | M:6/8 K:Cdor |: G 3 G 3 | <bar> A 6 <bar> d 3"
    ) in versions


def test_every_version_holds_the_whole_tune():
    versions = drawn(chain_of(bars=[1, 2, 4], spans=[1, 2, 3]))
    assert len(set(versions)) > 30
    assert all(restored(version) == TUNE.split() for version in versions)


def test_share_bars_and_spans_are_drawn_as_asked():
    moved = Counter(text.count("<mask>") for text in drawn(chain_of(share=0.25, bars=[1, 1, 1, 2])))
    assert moved.keys() == {0, 1, 2}
    # Binomial with n = 200: 150, 37.5 and 12.5 expected, four standard deviations allowed.
    assert abs(moved[0] - 150) < 25
    assert abs(moved[1] - 37.5) < 22
    assert abs(moved[2] - 12.5) < 14
    places = {text.partition(" <bar>")[0] for text in drawn(chain_of(bars=[1], spans=[2]))}
    assert {text.count("<mask>") for text in places} == {1, 2}  # 1: the same bar twice


def test_one_bar_always_stays():
    assert {text.count("<mask>") for text in drawn(chain_of(bars=[9, 5], spans=[3]))} == {5}
    assert drawn(chain_of(bars=[6]), count=5) == [TUNE] * 5
    single = "M:6/8 K:Cdor |: G 3 G 3 |"
    assert drawn(chain_of(bars=[1]), count=5, tune=single) == [single] * 5


def test_changes_of_meter_and_key_stay_in_place():
    tokenizer = AbcTokens(changes="keep")
    tokenizer.fit(Counter(CHANGING.split()))
    assert set(drawn(chain_of(tokenizer, bars=[2]), tune=CHANGING)) == {
        "<mask> | K:Gmaj <mask> | M:2/4 K:Cmaj e 4 | M:6/8 K:Cmaj <bar> c 6 <bar> d 6",
        "<mask> | M:2/4 K:Cmaj <mask> | M:6/8 K:Cmaj c 6 | K:Gmaj <bar> d 6 <bar> e 4",
    }


def test_bars_of_byte_pairs_are_cut_out_of_their_text():
    tokenizer = AbcBpe(300)
    tokenizer.fit_ids([np.frombuffer(TEXT.encode(), np.uint8)] * 2)
    ids = np.array(tokenizer.encode([TEXT]))
    parts = ["".join(tokenizer.decode(part.tolist())) for part in tokenizer.split_bars(ids)]
    assert parts == [
        "M:6/8\nL:1/8\nK:Cdor\n|:", "G3G3", "|", "A6", ":||:", "B3", "|1", "c3", ":||2", "d3", "|",
        "e6", "|]\n",
    ]  # fmt: skip
    chain = chain_of(tokenizer, bars=[2])
    mask, bar = tokenizer.vocabulary.size, tokenizer.vocabulary.size + 1
    version = chain.augment(ids, torch.Generator().manual_seed(0)).tolist()
    text = "".join(
        {mask: " <mask> ", bar: " <bar> "}.get(index) or "".join(tokenizer.decode([index]))
        for index in version
    )
    assert text.count("<mask>") == 2
    assert "".join(restored(text)) == "".join(TEXT.split())


def test_ids_of_the_tokenizer_keep_their_numbers():
    chain = chain_of()
    assert chain.tokenizer.vocabulary == Vocabulary(137, 0, 1)
    assert chain.tokenizer.model_vocabulary == Vocabulary(139, 0, 1)
    alone = Chain({"abc_tokens_137": AbcTokens(vocabulary="folk_rnn")})
    assert alone.tokenizer.model_vocabulary == Vocabulary(137, 0, 1)
    assert "added" not in alone.state()
    assert alone.state()["tokens"] == chain.state()["tokens"]


def test_the_added_tokens_are_saved_with_the_vocabulary():
    state = chain_of().state()
    assert state["added"] == ["<mask>", "<bar>"]
    again = chain_of(AbcTokens())
    again.load_state(state)
    assert again.state() == state
    with pytest.raises(ValueError, match="are not those of transforms"):
        Chain({"abc_tokens": AbcTokens()}).load_state(state)


def test_a_model_that_knows_them_never_writes_them_by_itself():
    chain = chain_of()
    torch.manual_seed(0)
    net = FolkRNN(chain.tokenizer.model_vocabulary, width=8, depth=1)
    with torch.no_grad():
        net.head.bias[137:] = 100.0  # what it would rather write than anything else
    settings, seeds = Settings(max_tokens=50), range(4)
    written = generate(net, chain.tokenizer.vocabulary, [[]] * 4, settings, seeds)
    assert all(piece.ids for piece in written)
    assert all(index < 137 for piece in written for index in piece.ids)


@pytest.mark.parametrize(
    "last", [SampleBars(bars=2), Transpose([0]), Infill()], ids=["cut", "transpose", "infill"]
)
def test_no_step_may_follow_that_does_not_know_the_tokens(last):
    steps = {"abc_tokens": AbcTokens(root="keep"), "infill": Infill(), "last": last}
    with pytest.raises(UserError, match=r"infill needs whole examples.*must come last"):
        Chain(steps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": 1.5}, "infill.share=1.5: must be from 0 to 1"),
        ({"bars": []}, "infill.bars needs at least one number"),
        ({"bars": [0]}, "infill.bars"),
        ({"spans": [1.5]}, "infill.spans"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        Infill(**options)


def test_tokens_without_bars_are_refused():
    with pytest.raises(UserError, match="Performance has none"):
        chain_of(Performance())

"""The figures of a network whose likelihoods are known, on tunes that are seen at a glance."""

import math
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch import nn

from symbotunes.data.cache.encoded import Encoded
from symbotunes.data.split import SPLITS
from symbotunes.errors import UserError
from symbotunes.evaluation.metrics import bootstrap
from symbotunes.evaluation.plan import EvaluationPlan
from symbotunes.evaluation.sequences.distances import measure_distances
from symbotunes.evaluation.sequences.measuring import Subject, measure_held_out, measure_tunes
from symbotunes.generation.sequences import Generated
from symbotunes.models.base import SequenceModel
from symbotunes.tokenizers.abc import AbcTokens

PLAN = EvaluationPlan(
    num_samples=4, split="test", references=3, ngram=3, resamples=50, confidence=0.9, device="cpu"
)
TUNES = {  # four quarter notes or more; the last test tune has a chord, a tie and a repeat
    "train": ["M:4/4 K:Cmaj C 2 D 2 E 2 F 2 | G 8 |", "M:6/8 K:Cdor C 6 | D 6 |"],
    "test": [
        "M:4/4 K:Cmaj C 2 D 2 E 2 F 2 |",
        "M:4/4 K:Cmaj |: [ C E ] 8 | G 8 - | G 8 :|",
        "M:4/4 K:Cmaj G 8 | C 2 D 2 E 2 F 2 |",
    ],
}


class Uniform(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(size))

    def forward(self, tokens):
        return self.logits.expand(*tokens.shape, len(self.logits))

    score = SequenceModel.score


@pytest.fixture
def subject(tmp_path):
    tokenizer = AbcTokens()
    texts = [(split, tune.split()) for split, tunes in TUNES.items() for tune in tunes]
    tokenizer.fit(Counter(token for _, tokens in texts for token in tokens))
    ids = [tokenizer.encode(tokens) for _, tokens in texts]
    titles = "".join(f"{index}\ttune {index}\n" for index in range(len(texts)))
    (tmp_path / "names.txt").write_text(titles)
    encoded = Encoded(
        folder=tmp_path,
        about={"fingerprint": "x"},
        shards=(np.concatenate(ids),),
        starts=np.cumsum([0, *map(len, ids)]),
        splits=np.array([SPLITS.index(split) for split, _ in texts], np.uint8),
        owners=np.arange(len(texts), dtype=np.int32),
        relatives=np.arange(len(texts), dtype=np.int32),
    )
    return Subject("flat", Uniform(tokenizer.vocabulary.size), tokenizer, encoded)


def generated(subject, *tunes, finished=True):
    ids = [subject.tokenizer.encode(tune.split()) for tune in tunes]
    return [Generated(each, 0, 1.0, len(each), finished) for each in ids]


def test_a_uniform_network_pays_ln_v_for_tokens_of_every_class(subject):
    found = measure_held_out(subject, PLAN, [1, 3], seed=0)
    expected = pytest.approx(math.log(subject.tokenizer.vocabulary.size))
    assert list(found.models) == ["flat", "unigram", "trigram"]
    assert found.models["flat"]["nats_per_token"].value == expected
    assert all(each.nats["flat"].value == expected for each in found.classes)
    assert found.gains["trigram"].value < 0  # it knows the training tunes, the flat one nothing


def test_notes_are_counted_as_they_are_heard(subject):
    # 4 notes; (a chord of 2 and a tied G) played twice; 5 notes.
    assert measure_held_out(subject, PLAN, [], seed=0).notes == 4 + 2 * 3 + 5


def test_tokens_have_the_class_that_their_tokenizer_tells(subject):
    found = measure_held_out(subject, PLAN, [], seed=0)
    assert {each.name: each.tokens for each in found.classes} == {
        "pitch": 13, "duration": 12, "bar": 7, "meter": 3, "key": 3, "end": 3, "chord": 2, "tie": 1,
    }  # fmt: skip
    assert sum(each.share for each in found.classes) == pytest.approx(1)


def test_what_a_tune_takes_from_training_is_found_with_its_title(subject):
    tunes, held_out = measure_tunes(subject, generated(subject, TUNES["train"][1]), PLAN, seed=0)
    assert tunes.runs == (8,)
    assert tunes.copied_from == "tune 1"
    assert tunes.figures["copied_share"].value == 1.0
    assert tunes.figures["seen_ngrams"].value == 1.0
    assert held_out.tunes == 1


def test_shares_of_tunes_and_bars_by_hand(subject):
    tunes = generated(subject, "M:4/4 K:Cmaj C 8 | D 2 | E 8 |", "M:4/4 K:Cmaj C 8 | D 8 |")
    tunes += generated(subject, "M:4/4 K:Cmaj [ C 8 | G 8 |", finished=False)
    figures = measure_tunes(subject, tunes, PLAN, seed=0)[0].figures
    assert figures["well_formed"].value == pytest.approx(2 / 3)
    assert figures["grammar_errors"].value == pytest.approx(1 / (11 + 8 + 9))  # [ without ]
    assert figures["finished"].value == pytest.approx(2 / 3)
    assert figures["right_bars"].value == pytest.approx(6 / 7)
    assert figures["all_bars_right"].value == pytest.approx(2 / 3)


def test_a_special_token_inside_a_tune_is_an_error(subject):
    (tune,) = generated(subject, "M:4/4 K:Cmaj C 8 |")
    tune.ids.insert(3, subject.tokenizer.vocabulary.bos)
    figures = measure_tunes(subject, [tune], PLAN, seed=0)[0].figures
    assert figures["grammar_errors"].value == pytest.approx(1 / 6)


def test_a_copy_of_a_test_tune_has_bleu_100_and_held_out_tunes_are_not_their_own_references(
    subject,
):
    tunes, held_out = measure_tunes(subject, generated(subject, *TUNES["test"]), PLAN, seed=0)
    assert tunes.figures["bleu_4"].value == pytest.approx(100)
    assert held_out.figures["bleu_4"].value < 90


def test_tunes_are_not_measured_on_what_was_trained_on():
    with pytest.raises(UserError, match="evaluate.split=train: only a latent model can"):
        replace(PLAN, split="train").require_held_out()
    PLAN.require_held_out()


def test_the_same_seed_finds_the_same(subject):
    tunes = generated(subject, *TUNES["test"][:2])
    assert measure_tunes(subject, tunes, PLAN, 1) == measure_tunes(subject, tunes, PLAN, 1)


def test_a_tune_without_a_token_can_be_measured(subject):
    found, _ = measure_tunes(subject, generated(subject, ""), PLAN, seed=0)
    assert found.figures["longest_copy"].value == 0
    assert found.figures["bleu_1"].value == 0
    assert "seen_ngrams" not in found.figures


def test_an_empty_split_and_a_diverged_network_are_said_in_words(subject):
    with pytest.raises(UserError, match="the val split is empty"):
        measure_held_out(subject, replace(PLAN, split="val"), [], seed=0)
    nn.init.constant_(subject.net.logits, float("nan"))
    with pytest.raises(UserError, match="did it diverge"):
        measure_held_out(subject, PLAN, [], seed=0)


def test_n_grams_may_be_of_any_order_from_one_on(subject):
    found = measure_held_out(subject, PLAN, [20], seed=0)  # 20 tokens of 17 fill 82 bits
    assert found.models["20-gram"]["nats_per_token"].is_defined
    with pytest.raises(UserError, match=r"baselines=\[0\]: order=0: must be .* at least 1"):
        measure_held_out(subject, PLAN, [0], seed=0)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"references": 0}, "evaluate.references=0: must be a whole number of at least 1"),
        ({"split": "dev"}, "evaluate.split=dev: choose one of train, val, test"),
        ({"confidence": 95}, "evaluate: confidence=95 must lie between 0 and 1"),
        ({"resamples": 0}, "evaluate: resamples=0: must be a whole number of at least 1"),
        ({"device": "abacus"}, "evaluate.device=abacus: there is no such device"),
    ],
    ids=str,
)
def test_a_plan_out_of_range_is_refused_in_one_line(wrong, line):
    with pytest.raises(UserError) as error:
        replace(PLAN, **wrong)
    assert str(error.value) == line


def test_tunes_of_which_a_version_is_trained_on_are_told_apart(subject):
    encoded = subject.encoded
    test = encoded.owners[encoded.examples("test")]
    relatives = encoded.relatives.copy()
    relatives[test[0]] = relatives[encoded.owners[encoded.examples("train")[0]]]
    related = replace(subject, encoded=replace(encoded, relatives=relatives))
    found, plain = (measure_held_out(each, PLAN, [1], seed=0) for each in (related, subject))
    assert (found.related, plain.related) == (1, 0)
    assert plain.apart == {}
    expected = pytest.approx(math.log(subject.tokenizer.vocabulary.size))
    assert found.apart["flat"]["nats_per_token"].value == expected
    assert list(found.apart) == ["flat", "unigram"]


def test_intervals_draw_families_of_tunes(subject, monkeypatch):
    monkeypatch.setattr(bootstrap, "LEAST_UNITS", 1)  # there are few tunes here
    encoded = subject.encoded
    one = replace(encoded, relatives=np.zeros_like(encoded.relatives))
    found = measure_held_out(replace(subject, encoded=one), PLAN, [1], seed=0)
    assert (found.pieces, found.families) == (len(encoded.examples("test")), 1)
    unigram = found.models["unigram"]["nats_per_token"]
    assert unigram.low == unigram.value == unigram.high  # one family alone does not vary


def test_tunes_that_are_the_held_out_ones_lie_to_each_other_as_these_do(subject):
    generated = [Generated(ids.tolist(), 0, 0.0, len(ids), True) for ids in subject.ids("test")]
    found = measure_distances(subject, generated, "test", 0)
    count = found["note_count"]  # of 4 notes, 6 (a chord and a tied note, played twice) and 5
    assert asdict(count.generated) == pytest.approx(asdict(count.held_out))
    assert count.generated.mean == pytest.approx((2 + 1 + 1) / 3)
    assert count.between == pytest.approx(2 * (2 + 1 + 1) / 9)
    assert measure_distances(subject, generated[:2], "test", 0) == {}

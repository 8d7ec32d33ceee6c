import pytest
from rich.console import Console

from symbotunes.data.split import Shares
from symbotunes.evaluation.sequences import baselines
from symbotunes.evaluation.sequences.baselines import ngram_losses, ngram_models, sequences
from symbotunes.evaluation.training_sample import sample_training
from symbotunes.render.console import closing_table
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop
from tests.data.letters import Letters, binary_words


def test_n_grams_are_measured_on_whole_pieces_as_a_validation_reads_them(corpus_of, encoded_of):
    chain = Chain({"letters": Letters(), "crop": Crop(4)})
    encoded, _ = encoded_of(corpus_of(binary_words(1, 200)), chain=chain, shares=Shares(0.3, 0.0))
    vocabulary = chain.tokenizer.vocabulary
    model = ngram_models(encoded, vocabulary, [2]).models[2]
    whole = sequences(encoded, vocabulary, "val")
    assert max(map(len, whole)) > 4
    expected = model.nats_per_token(whole)
    found = ngram_losses(encoded, chain, [2])
    assert found.losses == {2: pytest.approx(expected)}
    assert not found.fitted_on
    assert expected != pytest.approx(model.nats_per_token([piece[:4] for piece in whole]))


def test_a_large_corpus_is_sampled_by_whole_pieces_and_the_table_says_so(
    corpus_of, encoded_of, monkeypatch
):
    chain = Chain({"letters": Letters()})
    encoded, _ = encoded_of(corpus_of(binary_words(1, 200)), chain=chain, shares=Shares(0.3, 0.0))
    train = encoded.examples("train")
    total = int(encoded.lengths(train).sum())
    monkeypatch.setattr(baselines, "NGRAM_TOKENS", total // 2)
    sample = sample_training(encoded, total // 2, seed=3)
    assert 0.4 * total < sample.tokens <= total // 2
    assert sample.tokens == sum(map(len, sample.ids))
    assert set(sample.examples) < set(train)
    assert sample_training(encoded, total // 2, seed=4).examples.tolist() != [*sample.examples]
    found = baselines.ngram_losses(encoded, chain, [2], seed=3)
    console = Console(width=200, record=True)
    console.print(closing_table("val/loss", 1.0, found, "mine"))
    text = console.export_text()
    assert f"fitted on {sample.tokens:,} of {total:,} training tokens" in text
    whole = sample_training(encoded, total, seed=3)
    assert whole.is_all
    assert whole.examples.tolist() == train.tolist()


def test_one_piece_is_enough_however_long_it_is(corpus_of, encoded_of):
    encoded, _ = encoded_of(corpus_of(binary_words(1, 20)), shares=Shares(0.3, 0.0))
    assert len(sample_training(encoded, 1, seed=0).examples) == 1


def test_n_grams_are_measured_on_the_pieces_of_a_limited_validation(corpus_of, encoded_of):
    chain = Chain({"letters": Letters()})
    encoded, _ = encoded_of(corpus_of(binary_words(1, 200)), chain=chain, shares=Shares(0.3, 0.0))
    every = encoded.examples("val")
    some = every[::3]
    found = ngram_losses(encoded, chain, [2], chosen=some)
    vocabulary = chain.tokenizer.vocabulary
    pieces = dict(zip(every.tolist(), sequences(encoded, vocabulary, "val"), strict=True))
    model = ngram_models(encoded, vocabulary, [2]).models[2]
    expected = model.nats_per_token([pieces[example] for example in some.tolist()])
    assert found.losses == {2: pytest.approx(expected)}
    console = Console(width=200, record=True)
    console.print(closing_table("val/loss", 1.0, found, "mine"))
    said = f"all on {len(some)} of {len(every)} val pieces (trainer.limit_val_batches)"
    assert said in console.export_text()
    assert not ngram_losses(encoded, chain, [2]).measured_on

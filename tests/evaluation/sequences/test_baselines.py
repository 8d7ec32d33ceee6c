import pytest

from symbotunes.data.split import Shares
from symbotunes.evaluation.sequences.baselines import ngram_losses, ngram_models, sequences
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop
from tests.data.letters import Letters, binary_words


def test_n_grams_are_measured_on_whole_pieces_as_a_validation_reads_them(corpus_of, encoded_of):
    chain = Chain({"letters": Letters(), "crop": Crop(4)})
    encoded, _ = encoded_of(corpus_of(binary_words(1, 200)), chain=chain, shares=Shares(0.3, 0.0))
    vocabulary = chain.tokenizer.vocabulary
    model = ngram_models(encoded, vocabulary, [2])[2]
    whole = sequences(encoded, vocabulary, "val")
    assert max(map(len, whole)) > 4
    expected = model.nats_per_token(whole)
    assert ngram_losses(encoded, chain, [2]) == {2: pytest.approx(expected)}
    assert expected != pytest.approx(model.nats_per_token([piece[:4] for piece in whole]))

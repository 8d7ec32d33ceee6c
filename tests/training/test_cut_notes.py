"""What is said before a training that reads stretches of pieces, and that both losses agree."""

import lightning
import pytest
import torch

from symbotunes.evaluation.sequences.baselines import sequences
from symbotunes.evaluation.sequences.likelihood import token_nats
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.training.cut_notes import notes_on_cuts
from symbotunes.training.lit_data import LitData
from symbotunes.training.lit_model import LitModel
from symbotunes.transforms.base import Chain
from symbotunes.transforms.cuts import Crop, SampleSubsequence
from tests.data.batches.test_loading import module_of
from tests.data.letters import Letters, binary_words

NETS = {
    "folk_rnn": lambda vocabulary: FolkRNN(vocabulary, width=8, depth=1, dropout=0.0),
    "gpt2": lambda vocabulary: GPT2(vocabulary, width=16, depth=1, heads=2, context=6, dropout=0.0),
}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("cut", [Crop, SampleSubsequence])
def test_a_validation_gives_the_loss_that_an_evaluation_gives(name, cut, corpus_of, tmp_path):
    chain = Chain({"letters": Letters(), "cut": cut(5)})
    words = [*binary_words(64, 164), "abcd" * 10]
    data = module_of(corpus_of(words), tmp_path, chain, split={"val": 0.5, "test": 0.0})
    data.prepare_data()
    vocabulary = chain.tokenizer.vocabulary
    torch.manual_seed(0)
    net = NETS[name](vocabulary)
    model = LitModel(net=lambda vocabulary: net, optimizer=torch.optim.SGD, vocabulary=vocabulary)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
    )
    (logged,) = trainer.validate(model, LitData(data), verbose=False)
    nats = token_nats(net, sequences(data.encoded, vocabulary, "val"), vocabulary.size)
    expected = sum(map(sum, nats)) / sum(map(len, nats))
    assert max(map(len, nats)) > 5
    assert logged["val/loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("cut", "context", "parts"),
    [
        (SampleSubsequence(), 6, []),
        (SampleSubsequence(7), 6, []),
        (SampleSubsequence(5), None, []),
        (SampleSubsequence(5), 6, ["at most 4 tokens at once, and the network up to 6"]),
        (Crop(), 6, ["1 of 3 training pieces lose their endings"]),
    ],
)
def test_what_a_cut_leaves_untrained_is_said(cut, context, parts, corpus_of, encoded_of):
    chain = Chain({"letters": Letters(), "cut": cut}, context)
    encoded, chain = encoded_of(corpus_of(["abcdabcd", "ab", "bcd"]), chain=chain)
    notes = notes_on_cuts(chain, encoded, context)
    assert len(notes) == len(parts)
    assert all(part in note for part, note in zip(parts, notes, strict=True))

import lightning
import torch

from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.tokenizers.base import Vocabulary
from symbotunes.training.callbacks.no_dropout import NoDropout


def test_a_network_computes_the_same_twice_in_training():
    tokens = torch.randint(2, 9, (2, 12))
    vocabulary = Vocabulary(9, 0, 1)
    for net in (
        FolkRNN(vocabulary, width=16, depth=2, dropout=0.5),
        GPT2(vocabulary, width=16, depth=2, heads=2, dropout=0.5, attention_dropout=0.5),
    ):
        net.train()
        assert not torch.equal(net(tokens), net(tokens))
        module = lightning.LightningModule()
        module.net = net
        NoDropout().on_fit_start(None, module)
        assert torch.equal(net(tokens), net(tokens))

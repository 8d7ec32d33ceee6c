"""What every sequence model must satisfy; a new model joins by its YAML in conf/model."""

import math
from pathlib import Path

import pytest
import torch

from symbotunes.config.build import build
from symbotunes.models.base import Batch
from symbotunes.tokenizers.base import Vocabulary
from tests.composing import composed
from tests.models.relative_decoder import RelativeDecoder

CONF = Path(__file__).parents[2] / "conf"
VOCABULARY = Vocabulary(size=11, bos=0, eos=1)
GPT2 = ["width=16", "depth=2", "heads=2", "context=8"]
MUSIC_TRANSFORMER = [*GPT2, "key_width=12", "feedforward=32", "max_distance=3"]
SMALL = {
    "amt_large": GPT2,
    "amt_medium": GPT2,
    "amt_mini": GPT2,
    "amt_small": GPT2,
    "folk_rnn": ["width=16"],
    "folk_rnn_small": ["width=16"],
    "gpt2": GPT2,
    "gpt2_mini": GPT2,
    "gpt2_small": GPT2,
    "performance_rnn": ["widths=[16]"],
    "performance_rnn_small": ["widths=[16,16]"],
    "voice_rnn": ["width=16", "heads=2", "embedding=4", "hidden=16"],
    "music_transformer": [*MUSIC_TRANSFORMER, "attention_dropout=0.0"],
    "music_transformer_small": [*MUSIC_TRANSFORMER, "clip_distance=true", "cycle=4"],
}
MODELS = sorted(
    path.stem
    for path in (CONF / "model").glob("*.yaml")
    if not path.stem.startswith(("_", "music_vae"))  # a MusicVAE is not a sequence model
)
OTHER_SIZES = (
    "amt_large", "amt_medium", "amt_mini", "amt_small", "folk_rnn", "gpt2", "gpt2_mini",
    "music_transformer", "performance_rnn",
)  # fmt: skip
RELATIVE = "relative_decoder"  # has no YAML: it shows what a network built on DecoderOnly must do


def make(name, *overrides):
    if name == RELATIVE:
        torch.manual_seed(0)
        return RelativeDecoder(VOCABULARY)
    settings = [f"model.net.{value}" for value in (*SMALL[name], *overrides)]
    cfg = composed(f"model={name}", *settings)
    torch.manual_seed(0)
    return build(cfg.model.net, vocabulary=VOCABULARY)


@pytest.fixture(params=[*MODELS, RELATIVE])
def model(request):
    return make(request.param).eval()


@pytest.fixture
def batch():
    return Batch(torch.tensor([[0, 5, 6, 7, 1], [0, 8, 1, 3, 3]]), torch.tensor([5, 3]))


def test_future_tokens_do_not_change_past_logits(model, batch):
    changed = batch.tokens.clone()
    changed[:, 3:] = 9
    before, after = model(batch.tokens), model(changed)
    torch.testing.assert_close(before[:, :3], after[:, :3])
    assert not torch.equal(before[:, 3:], after[:, 3:])


def test_past_tokens_change_later_logits(model, batch):
    changed = batch.tokens.clone()
    changed[:, 1] = 9
    assert not torch.allclose(model(batch.tokens)[:, 4], model(changed)[:, 4])


def test_neither_width_nor_content_of_padding_changes_loss_or_gradients(model, batch):
    def loss_and_gradients(given):
        model.zero_grad()
        loss = model.loss(given)
        loss.objective.backward()
        return loss, [p.grad.clone() for p in model.parameters() if p.grad is not None]

    tokens = torch.nn.functional.pad(batch.tokens, (0, 4), value=7)
    tokens[1, 3:] = 5
    narrow, narrow_gradients = loss_and_gradients(batch)
    wide, wide_gradients = loss_and_gradients(Batch(tokens, batch.lengths))
    torch.testing.assert_close(wide.objective, narrow.objective)
    torch.testing.assert_close(wide.nll_nats, narrow.nll_nats)
    torch.testing.assert_close(wide_gradients, narrow_gradients)


def test_a_batch_costs_what_its_pieces_cost_one_by_one(model, batch):
    alone = [
        model.loss(Batch(batch.tokens[row : row + 1, :length], torch.tensor([length])))
        for row, length in enumerate(batch.lengths.tolist())
    ]
    together = model.loss(batch)
    torch.testing.assert_close(together.nll_nats, sum(loss.nll_nats for loss in alone))
    assert together.targets == sum(loss.targets for loss in alone) == 6


def test_the_loss_is_that_of_the_logits(model, batch):
    logits = model(batch.tokens)
    expected = 0.0
    for row, length in enumerate(batch.lengths.tolist()):
        for step in range(length - 1):
            expected -= logits[row, step].log_softmax(-1)[batch.tokens[row, step + 1]].item()
    assert model.loss(batch).nll_nats.item() == pytest.approx(expected, rel=1e-5)


def test_an_untrained_model_is_near_uniform(model, batch):
    loss = model.loss(batch)
    assert loss.nll_nats.item() / loss.targets == pytest.approx(math.log(11), rel=0.15)


def test_reading_token_by_token_gives_the_same_logits(model, batch):
    expected = model(batch.tokens)
    state = model.start(len(batch.tokens))
    for step in range(batch.tokens.shape[1]):
        logits, state = model.step(batch.tokens[:, step], state)
        torch.testing.assert_close(logits, expected[:, step], rtol=1e-5, atol=1e-5)


again = pytest.mark.slow("trains another size of a network that is trained without")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=again) if name in OTHER_SIZES else name
        for name in (*MODELS, RELATIVE)
    ],
)
def test_one_batch_is_memorized_to_its_entropy(name, batch):
    model = make(name, "dropout=0.0").train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        loss = model.loss(batch)
        loss.objective.backward()
        optimizer.step()
    # Of six targets the two opening notes are a coin toss between the pieces: 2 ln 2 / 6.
    assert loss.nll_nats.item() / loss.targets == pytest.approx(math.log(2) / 3, abs=0.01)

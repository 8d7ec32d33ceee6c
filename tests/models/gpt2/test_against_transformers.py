"""The same weights give transformers' logits, whichever way they are asked for."""

import pytest
import torch

from symbotunes.checkpoints.formats.hugging_face import read_model, write_model
from symbotunes.models.base import Batch
from symbotunes.models.gpt2 import GPT2, from_transformers
from symbotunes.models.published import to_transformers
from symbotunes.tokenizers.base import Vocabulary

transformers = pytest.importorskip("transformers")
VOCABULARY = Vocabulary(23, bos=0, eos=1)
LENGTHS = (9, 4, 12)


def close(ours, theirs):
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def theirs():
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=23, n_positions=16, n_embd=24, n_layer=3, n_head=4, bos_token_id=0,
        eos_token_id=1, initializer_range=0.2,  # large weights: every term is felt
    )  # fmt: skip
    net = transformers.GPT2LMHeadModel(config).eval()
    for name, parameter in net.named_parameters():
        if parameter.ndim == 1:  # biases and norms at their initial values would hide a swap
            torch.nn.init.normal_(parameter, mean=1.0 if "ln" in name else 0.0, std=0.2)
    return net


@pytest.fixture(scope="module")
def ours(theirs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("theirs")
    theirs.save_pretrained(folder)
    model = read_model(folder)
    published = from_transformers(model.config, model.tensors)
    net = GPT2(VOCABULARY, **published.sizes).eval()
    net.load_state_dict(published.tensors)
    return net


@pytest.fixture
def tokens():
    return torch.randint(2, 23, (3, 12), generator=torch.Generator().manual_seed(1))


def mask(side):
    steps = torch.arange(12)
    lengths = torch.tensor(LENGTHS)[:, None]
    return steps < lengths if side == "right" else steps >= 12 - lengths


@torch.no_grad()
def test_imported_weights_give_their_logits(ours, theirs, tokens):
    close(ours(tokens), theirs(tokens).logits)


@torch.no_grad()
def test_they_load_what_we_export(tokens, tmp_path):
    torch.manual_seed(2)
    net = GPT2(VOCABULARY, width=16, depth=2, heads=2, context=32).eval()
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    write_model(tmp_path / "folder", *to_transformers(net, VOCABULARY))
    again, report = transformers.GPT2LMHeadModel.from_pretrained(
        tmp_path / "folder", output_loading_info=True
    )
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    close(net(tokens), again.eval()(tokens).logits)


@pytest.mark.parametrize("rows", [1, 3])
@torch.no_grad()
def test_with_a_cache_token_by_token(ours, theirs, tokens, rows):
    state, cache = ours.start(rows), transformers.DynamicCache(config=theirs.config)
    for column in tokens[:rows].split(1, dim=1):
        logits, state = ours.step(column[:, 0], state)
        close(logits, theirs(column, past_key_values=cache, use_cache=True).logits[:, 0])


@torch.no_grad()
def test_a_prompt_read_at_once_and_gone_on_from(ours, theirs, tokens):
    logits, state = ours.read(tokens[:, :8], ours.start(3))
    close(logits, theirs(tokens[:, :8]).logits[:, -1])
    logits, _ = ours.read(tokens[:, 8:], state)
    close(logits, theirs(tokens).logits[:, -1])


@pytest.mark.parametrize("side", ["left", "right"])
@torch.no_grad()
def test_padded_batches(ours, theirs, tokens, side):
    real = mask(side)
    positions = (real.long().cumsum(1) - 1).clamp(min=0)  # as transformers' own generate counts
    expected = theirs(tokens, attention_mask=real.long(), position_ids=positions).logits
    close(ours(tokens, real.long())[real], expected[real])


@torch.no_grad()
def test_several_pieces_in_a_row(ours, theirs, tokens):
    packed = torch.cat([tokens[row, :length] for row, length in enumerate(LENGTHS)])
    segments = torch.cat([torch.full((n,), row + 1) for row, n in enumerate(LENGTHS)])
    logits = ours(packed[None], segments[None])[0].split(LENGTHS)
    for row, length in enumerate(LENGTHS):
        close(logits[row], theirs(tokens[row : row + 1, :length]).logits[0])


def test_loss_and_gradients_of_a_padded_batch(ours, theirs, tokens):
    real = mask("right")
    labels = tokens.masked_fill(~real, -100)
    theirs.zero_grad()
    expected = theirs(tokens, attention_mask=real.long(), labels=labels).loss
    expected.backward()
    ours.zero_grad()
    loss = ours.loss(Batch(tokens, torch.tensor(LENGTHS)))
    loss.objective.backward()
    assert loss.objective.item() == pytest.approx(expected.item(), abs=1e-5)
    close(ours.embed.weight.grad, theirs.transformer.wte.weight.grad)
    close(ours.blocks[0].qkv.weight.grad.T, theirs.transformer.h[0].attn.c_attn.weight.grad)

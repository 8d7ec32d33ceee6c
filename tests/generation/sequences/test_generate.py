import math

import pytest
import torch

from symbotunes.generation.sequences import Settings, generate, restrict
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(7, bos=0, eos=1)


@pytest.fixture
def model():
    torch.manual_seed(3)
    return FolkRNN(VOCABULARY, width=12, depth=2, dropout=0.5)


class Scripted:
    """Gives the same distribution after every token; counts its steps."""

    def __init__(self, probabilities):
        self.logits = torch.tensor(probabilities).log()
        self.training = False
        self.steps = 0

    def train(self, mode=True):
        self.training = mode

    def start(self, batch_size):
        return torch.zeros(batch_size)

    def step(self, tokens, state):
        self.steps += 1
        return self.logits.expand(len(tokens), -1).clone(), state


def test_top_k_leaves_the_k_likeliest():
    logits = torch.tensor([1.0, 4.0, 2.0, 3.0])
    kept = restrict(logits, temperature=1.0, top_k=2, top_p=1.0)
    assert kept.tolist() == [-math.inf, 4.0, -math.inf, 3.0]


def test_top_p_leaves_the_fewest_that_hold_the_share():
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    for share, count in ((0.4, 1), (0.5, 1), (0.51, 2), (0.79, 2), (0.81, 3), (0.96, 4)):
        kept = restrict(logits, temperature=1.0, top_k=0, top_p=share)
        assert kept.isfinite().sum() == count, share


def test_temperature_raises_probabilities_to_its_inverse():
    logits = torch.tensor([0.8, 0.2]).log()
    hot = restrict(logits, temperature=2.0, top_k=0, top_p=1.0).softmax(-1)
    assert hot[0].item() == pytest.approx(0.8**0.5 / (0.8**0.5 + 0.2**0.5))


def test_restrictions_work_on_any_number_of_leading_axes():
    logits = torch.randn(2, 3, 7)
    whole = restrict(logits, temperature=0.7, top_k=3, top_p=0.9)
    for row in range(2):
        for column in range(3):
            single = restrict(logits[row, column], temperature=0.7, top_k=3, top_p=0.9)
            assert torch.equal(whole[row, column], single)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -0.1}, "temperature=-0.1 must be at least 0"),
        ({"top_k": -1}, "top_k=-1"),
        ({"top_k": 1.5}, "top_k=1.5"),
        ({"top_p": 0.0}, "top_p=0.0"),
        ({"top_p": 1.1}, "top_p=1.1"),
        ({"max_tokens": 0}, "max_tokens=0"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        Settings(**settings)


def test_tokens_are_drawn_as_often_as_they_are_likely():
    model = Scripted([0.0, 0.2, 0.5, 0.3])
    drawn = generate(model, VOCABULARY, [[]] * 4000, Settings(max_tokens=1), range(4000))
    counts = torch.zeros(4)
    for one in drawn:
        counts[1 if one.finished else one.ids[0]] += 1
    # The largest standard deviation is sqrt(4000 * 0.25) = 32 draws; four of them.
    assert counts.tolist() == pytest.approx([0, 800, 2000, 1200], abs=127)


def test_a_sample_does_not_depend_on_what_is_drawn_beside_it(model):
    seeds = list(range(8))
    together = generate(model, VOCABULARY, [[]] * 8, Settings(max_tokens=30), seeds)
    for seed in seeds:
        (alone,) = generate(model, VOCABULARY, [[]], Settings(max_tokens=30), [seed])
        assert alone.ids == together[seed].ids
        assert alone.nll_nats == pytest.approx(together[seed].nll_nats, rel=1e-5)


def test_prompts_of_unequal_length_are_continued_as_each_alone(model):
    prompts = [[3, 4, 5, 6], [2], []]
    together = generate(model, VOCABULARY, prompts, Settings(max_tokens=9), [1, 2, 3])
    for prompt, seed, one in zip(prompts, [1, 2, 3], together, strict=True):
        assert one.ids[: len(prompt)] == prompt
        assert one.prompt_length == len(prompt)
        (alone,) = generate(model, VOCABULARY, [prompt], Settings(max_tokens=9), [seed])
        assert one.ids == alone.ids


def test_the_likelihood_is_the_models_own_whatever_the_temperature(model):
    settings = Settings(temperature=0.5, top_k=4, max_tokens=20)
    (one,) = generate(model, VOCABULARY, [[3, 4]], settings, [5])
    sequence = [VOCABULARY.bos, *one.ids, *([VOCABULARY.eos] if one.finished else [])]
    logits = model.eval()(torch.tensor([sequence]))[0].log_softmax(-1)
    nats = [-logits[step, sequence[step + 1]].item() for step in range(2, len(sequence) - 1)]
    assert one.count == len(nats)
    assert one.nll_nats == pytest.approx(sum(nats), rel=1e-5)


def test_temperature_zero_takes_the_likeliest_token(model):
    settings = Settings(temperature=0.0, max_tokens=6)
    first, second = generate(model, VOCABULARY, [[], []], settings, [1, 2])
    assert first.ids == second.ids
    logits = model.eval()(torch.tensor([[0]]))[0, -1]
    logits[VOCABULARY.bos] = -math.inf
    expected = int(logits.argmax())
    assert (first.ids or [VOCABULARY.eos])[0] == expected


def test_a_row_that_ended_stays_as_it_was():
    model = Scripted([0.0, 0.5, 0.5])
    drawn = generate(model, VOCABULARY, [[]] * 50, Settings(max_tokens=40), range(50))
    assert all(one.finished for one in drawn)
    assert {one.count - len(one.ids) for one in drawn} == {1}
    assert len({one.count for one in drawn}) > 3


def test_a_limit_leaves_the_sample_unfinished():
    (one,) = generate(Scripted([0.0, 0.0, 1.0]), VOCABULARY, [[]], Settings(max_tokens=7), [0])
    assert one.ids == [2] * 7
    assert not one.finished


def test_the_opening_id_is_never_drawn():
    drawn = generate(
        Scripted([0.9, 0.05, 0.05]), VOCABULARY, [[]] * 100, Settings(max_tokens=5), range(100)
    )
    assert all(VOCABULARY.bos not in one.ids for one in drawn)


def test_each_token_costs_one_step():
    model = Scripted([0.0, 0.0, 1.0])
    generate(model, VOCABULARY, [[2, 2, 2]], Settings(max_tokens=10), [0])
    assert model.steps == 3 + 10


def test_sampling_leaves_training_mode_and_global_randomness_alone(model):
    model.train()
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    generate(model, VOCABULARY, [[]], Settings(max_tokens=3), [0])
    assert model.training
    assert torch.equal(torch.rand(2), expected)


def test_a_tiny_temperature_still_takes_the_likeliest_token():
    logits = torch.tensor([1.0, -3.0, 2.0], dtype=torch.float64)
    cold = restrict(logits, temperature=1e-310, top_k=0, top_p=1.0)
    assert cold.softmax(-1).tolist() == [0.0, 0.0, 1.0]


class Nothing:
    """A constraint that allows no token after the second of a piece that begins with id 3."""

    def begin(self, prompt, max_tokens):  # noqa: ARG002
        return 0 if prompt == [3] else -100

    def advance(self, state, token):  # noqa: ARG002
        return state + 1

    def allowed(self, states, left):  # noqa: ARG002
        return torch.tensor([[False, False, *[state < 2] * 5] for state in states])


def test_a_piece_that_the_constraint_leaves_no_token_for_is_the_only_one_that_stops(model):
    settings = Settings(max_tokens=5)
    pieces = generate(model, VOCABULARY, [[4], [3], [4]], settings, [1, 2, 3], constraint=Nothing())
    assert [piece.stuck for piece in pieces] == [False, True, False]
    assert [piece.count for piece in pieces] == [5, 2, 5]
    assert [len(piece.ids) for piece in pieces] == [6, 3, 6]
    assert not pieces[1].finished


def test_the_probability_of_forbidden_tokens_is_summed_over_the_tokens_written():
    class OnlyTheLast(Nothing):
        def allowed(self, states, left):  # noqa: ARG002
            return torch.tensor([[False, False, True]] * len(states))

    settings = Settings(max_tokens=4, temperature=0.5)
    model = Scripted([0.25, 0.125, 0.625])
    (piece,) = generate(model, VOCABULARY, [[]], settings, [1], constraint=OnlyTheLast())
    assert piece.ids == [2, 2, 2, 2]
    assert piece.masked == pytest.approx(4 * 0.375)


def test_a_listener_sees_every_piece_grow_and_can_stop_it(model):
    class Listener:
        def __init__(self):
            self.seen = []

        def wrote(self, pieces):
            self.seen.append([list(piece) for piece in pieces])

        def __call__(self, done):
            if done == 3:
                raise InterruptedError

    listener, settings, prompts = Listener(), Settings(max_tokens=40), [[3, 4], [5, 6]]
    model.train()
    with pytest.raises(InterruptedError):
        generate(model, VOCABULARY, prompts, settings, [1, 2], on_step=listener)
    assert model.training
    whole = generate(model, VOCABULARY, prompts, settings, [1, 2])
    # The first step of both; the prompt takes none, since it is read at once.
    assert listener.seen == [[piece.ids[:3] for piece in whole]]

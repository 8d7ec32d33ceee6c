import pytest
import torch

from symbotunes.generation.sequences import Settings, generate
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.tokenizers.base import Vocabulary

VOCABULARY = Vocabulary(7, bos=0, eos=1)
ENDLESS = [0.0, 0.0, 0.2, 0.2, 0.2, 0.2, 0.2]


class Scripted:
    """Gives the same distribution after every token; writes down what it reads."""

    def __init__(self, probabilities):
        self.logits = torch.tensor(probabilities).log()
        self.training = False
        self.steps = []

    def train(self, mode=True):
        self.training = mode

    def start(self, batch_size):
        return torch.arange(batch_size)

    def step(self, tokens, state):
        assert len(tokens) == len(state)
        self.steps.append(tokens.tolist())
        return self.logits.expand(len(tokens), -1).clone(), state


class Reader(Scripted):
    """Reads a prompt at once."""

    def __init__(self, probabilities):
        super().__init__(probabilities)
        self.reads = []

    def read(self, tokens, state):
        self.reads.append(tokens.tolist())
        return self.logits.expand(len(tokens), -1).clone(), state


class Selecting(FolkRNN):
    """Goes on with some of the pieces."""

    def __init__(self, vocabulary):
        super().__init__(vocabulary, width=12, depth=2)
        self.rows = []

    def step(self, tokens, state):
        self.rows.append(len(tokens))
        return super().step(tokens, state)

    def select(self, state, rows):
        return tuple(part[:, rows] for part in state)


def test_a_prompt_is_read_at_once_by_a_model_that_can():
    model = Reader(ENDLESS)
    generate(model, VOCABULARY, [[2, 3, 4], [5, 6]], Settings(max_tokens=2), [0, 1])
    assert model.reads == [[[0, 2, 3], [0, 5, 6]]]  # bos and what both prompts have
    assert [row[0] for row in model.steps[:1]] == [4]
    assert len(model.steps) == 2  # the last token of each is not read


def test_without_a_prompt_nothing_is_read_at_once():
    model = Reader(ENDLESS)
    generate(model, VOCABULARY, [[], [2]], Settings(max_tokens=1), [0, 1])
    assert model.reads == []
    assert model.steps[0] == [0, 0]


def test_pieces_that_ended_stop_costing_once_they_are_half():
    torch.manual_seed(0)
    model = Selecting(VOCABULARY)
    settings = Settings(max_tokens=60)
    drawn = generate(model, VOCABULARY, [[]] * 16, settings, range(16))
    counts = [one.count for one in drawn]
    for step, width in enumerate(model.rows):
        going = sum(count > step for count in counts)
        assert going <= width < 2 * max(going, 1) or width == 16
    assert model.rows[0] == 16
    assert model.rows[-1] < 16


def test_pieces_are_the_same_whether_those_that_ended_are_left_out_or_not():
    torch.manual_seed(0)
    model = Selecting(VOCABULARY)
    plain = FolkRNN(VOCABULARY, width=12, depth=2)
    plain.load_state_dict(model.state_dict())
    arguments = (VOCABULARY, [[2], [], [3, 4]] * 5, Settings(max_tokens=40), range(15))
    for one, other in zip(generate(model, *arguments), generate(plain, *arguments), strict=True):
        assert one.ids == other.ids
        assert one.nll_nats == pytest.approx(other.nll_nats, rel=1e-5)


def test_a_prompt_does_not_change_what_is_drawn_by_models_that_do_not_look_back():
    settings = Settings(max_tokens=8)
    (short,) = generate(Scripted(ENDLESS), VOCABULARY, [[]], settings, [7])
    (long,) = generate(Scripted(ENDLESS), VOCABULARY, [[2, 3, 4]], settings, [7])
    assert long.ids == [2, 3, 4, *short.ids]


def test_the_penalty_counts_prompt_and_generated_tokens_within_its_window():
    # Held back by far, a token returns only once it has left the window of three.
    settings = Settings(temperature=0, repetition_penalty=50.0, repetition_window=3, max_tokens=6)
    model = Scripted([0.0, 0.0, 0.4, 0.3, 0.2, 0.06, 0.04])
    (one,) = generate(model, VOCABULARY, [[2]], settings, [0])
    assert one.ids == [2, 3, 4, 5, 2, 3, 4]


def test_the_likelihood_is_the_models_own_whatever_holds_tokens_back():
    settings = Settings(min_p=0.9, repetition_penalty=3.0, max_tokens=10)
    (one,) = generate(Scripted(ENDLESS), VOCABULARY, [[2]], settings, [3])
    assert one.nll_nats == pytest.approx(10 * torch.tensor(5.0).log().item(), rel=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_p": -0.1}, "min_p=-0.1 must be at least 0"),
        ({"min_p": 1.1}, "min_p=1.1 must be at most 1"),
        ({"repetition_penalty": 0.0}, "repetition_penalty=0.0 must be above 0"),
        ({"repetition_penalty": float("nan")}, "repetition_penalty=nan"),
        ({"repetition_window": 0}, "repetition_window=0: must be a whole number of at least 1"),
    ],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)

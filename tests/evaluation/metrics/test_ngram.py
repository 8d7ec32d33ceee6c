import math
from collections import Counter

import numpy as np
import pytest

from symbotunes.evaluation.metrics.ngram import NGram

BOS, EOS = 0, 1
TUNES = [[BOS, 2, 3, 2, 3, 4, EOS], [BOS, 2, 3, 3, EOS], [BOS, 4, 2, 3, EOS]]


@pytest.fixture(scope="module")
def random_tunes():
    random = np.random.default_rng(0)
    chain = random.dirichlet(np.full(8, 0.3), size=(8, 8))
    tunes = []
    for _ in range(300):
        tune = [BOS, 2]
        while tune[-1] != EOS and len(tune) < 60:
            shares = chain[tune[-2], tune[-1]][1:]  # of all but BOS
            tune.append(int(1 + random.choice(7, p=shares / shares.sum())))
        tunes.append(tune if tune[-1] == EOS else [*tune, EOS])
    return tunes


def probabilities_after(model, context):
    """Of every token after a context, one sequence for each."""
    with np.errstate(divide="ignore"):  # BOS is never predicted
        nats = model.nats([[BOS, *context, token] for token in range(model.size)])
    return np.exp([-each[-1] for each in nats])


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "context", [[], [BOS], [2, 3], [2, 3, 2, 3], [5, 5, 5, 5], [4, 4, 2]], ids=str
)
def test_probabilities_sum_to_one_after_any_context(order, context):
    model = NGram(order, 6)
    model.fit(TUNES)
    probabilities = probabilities_after(model, context)
    assert probabilities.sum() == pytest.approx(1)
    assert probabilities[BOS] == 0
    assert (probabilities[1:] > 0).all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_excerpts_may_begin_with_any_id_that_also_stands_inside(order):
    model = NGram(order, 6, framed=False)
    model.fit([[2, 3, 4], [3, 2, 2], [5, 3]])
    for context in ([2], [5, 3], [0, 0, 0]):
        nats = [model.nats([[*context, token]])[0][-1] for token in range(6)]
        probabilities = np.exp(-np.array(nats))
        assert probabilities.sum() == pytest.approx(1)
        assert (probabilities > 0).all()


def test_a_unigram_is_the_frequency_with_one_added():
    model = NGram(1, 6)
    model.fit(TUNES)
    # 13 predicted tokens: 3 times EOS, 4 times 2, 5 times 3... counted by hand below.
    counts = {EOS: 3, 2: 4, 3: 5, 4: 2, 5: 0}
    total = sum(counts.values()) + len(counts)
    for token, count in counts.items():
        assert probabilities_after(model, [])[token] == pytest.approx((count + 1) / total)
    expected = -(math.log(5 / total) + math.log(4 / total)) / 2
    assert model.nats_per_token([[BOS, 2, EOS]]) == pytest.approx(expected)


def test_a_bigram_by_hand():
    """Two tunes over the ids 0 to 3; absolute discounting worked out on paper."""
    model = NGram(2, 4)
    model.fit([[BOS, 2, 2, 2, 3, EOS], [BOS, 2, 3, EOS]])
    # Bigrams: 02 twice, 22 twice, 23 twice, 31 twice: no counts of 1, so n1 = 1 stands in:
    # Y = 1 / (1 + 2 * 4) = 1/9 and D2 = 2 - 3 Y n3 / n2 = 2 - 3/9 * 1/4 = 23/12.
    discount = 23 / 12
    # Contexts of each token: 2 after 0 and 2; 3 after 2; 1 after 3. Counts 2, 1, 1.
    # Unigram level: n1 = 2, n2 = 1, Y = 1/2, D1 = 1 - 2 Y / 2 = 1/2, D2 = 2 - 3/2 * 1 = 1/2.
    base = 1 / 3
    left = (0.5 + 0.5 + 0.5) / 4
    lower = {2: 1.5 / 4 + left * base, 3: 0.5 / 4 + left * base, 1: 0.5 / 4 + left * base}
    probabilities = probabilities_after(model, [2])
    for token, count in ((2, 2), (3, 2), (1, 0)):
        own = max(count - discount, 0) / 4
        assert probabilities[token] == pytest.approx(own + 2 * discount / 4 * lower[token])


def test_longer_contexts_help_where_the_music_has_memory(random_tunes):
    losses = []
    for order in (1, 2, 3):
        model = NGram(order, 8)
        model.fit(random_tunes[:250])
        losses.append(model.nats_per_token(random_tunes[250:]))
    assert losses[0] > losses[1] + 0.05 > losses[2] + 0.1


class ByDictionary:
    """The same model once more, from its definition: counts of tuples, and recursion."""

    def __init__(self, order, size, tunes):
        self.order, self.size = order, size
        grams = [gram for tune in tunes for gram in self.grams(tune)]
        self.counts = {order: Counter(grams)}
        for k in range(order - 1, 0, -1):
            self.counts[k] = Counter(gram[1:] for gram in self.counts[k + 1])
        self.discounts = {k: self.discounts_of(counts) for k, counts in self.counts.items()}

    def grams(self, tune):
        padded = [BOS] * (self.order - 1) + tune[1:]
        return [tuple(padded[at : at + self.order]) for at in range(len(tune) - 1)]

    def discounts_of(self, counts):
        n = [max(sum(value == times for value in counts.values()), 1) for times in (1, 2, 3, 4)]
        y = n[0] / (n[0] + 2 * n[1])
        return [
            min(max(times - (times + 1) * y * n[times] / n[times - 1], 0.05), times - 0.05)
            for times in (1, 2, 3)
        ]

    def probability(self, gram):
        k = len(gram)
        if not k:
            return 1 / (self.size - 1)
        follow = {g: n for g, n in self.counts[k].items() if g[:-1] == gram[:-1]}
        lower = self.probability(gram[1:])
        if not follow:
            return lower
        taken = {g: self.discounts[k][min(n, 3) - 1] for g, n in follow.items()}
        own = follow[gram] - taken[gram] if gram in follow else 0.0
        return (own + sum(taken.values()) * lower) / sum(follow.values())

    def nats(self, tune):
        return [-math.log(self.probability(gram)) for gram in self.grams(tune)]


@pytest.mark.parametrize(
    ("order", "stretch"), [(2, 1), (3, 1), (5, 1), (5, 1300), (6, 7000)], ids=str
)
def test_probabilities_are_those_of_the_definition_for_any_vocabulary(random_tunes, order, stretch):
    """Ids up to 9,100 and 49,000: five of the former, or six of the latter, fill over 64 bits."""
    tunes = [[BOS, *(stretch * token for token in tune[1:])] for tune in random_tunes[:40]]
    train, held_out = tunes[:30], [*tunes[30:], [BOS, 3, 3 * stretch, 4]]
    size = 7 * stretch + 2
    model = NGram(order, size)
    model.fit([np.array(tune, np.int32) for tune in train])
    expected = ByDictionary(order, size, train)
    for tune, nats in zip(held_out, model.nats(held_out), strict=True):
        assert nats.tolist() == pytest.approx(expected.nats(tune))


def test_an_order_that_is_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        NGram(0, 5)

"""The layout of the pickles that the authors published, filled with random numbers."""

import numpy as np

TOKENS = ["d'", "M:4/4", "<s>", "|", "G", "</s>", "2"]
WIDTH, DEPTH = 5, 3


def arrays():
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.normal(0, 0.5, shape).astype(np.float32)

    values = [np.eye(len(TOKENS), dtype=np.float32)]
    for layer in range(DEPTH):
        inputs = WIDTH if layer else len(TOKENS)
        for _ in range(4):
            values += [normal(inputs, WIDTH), normal(WIDTH, WIDTH), normal(WIDTH)]
        values += [normal(1, WIDTH), normal(1, WIDTH)]
    return [*values, normal(WIDTH, len(TOKENS)), normal(len(TOKENS))]


def published(**changes):
    return {
        "configuration": "config5",
        "experiment_id": "config5-test",
        "losses_train": [1.5, 1.25],
        "learning_rate": np.float32(0.003),
        "token2idx": {token: index for index, token in enumerate(TOKENS)},
        "param_values": arrays(),
        **changes,
    }

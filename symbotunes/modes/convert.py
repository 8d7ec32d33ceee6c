"""mode=convert: turn published weights (model.init_from=FILE) into a Symbotunes checkpoint.

python main.py mode=convert model=folk_rnn transforms=[abc_tokens_137] model.init_from=w.pkl
"""

from pathlib import Path

import torch
from omegaconf import DictConfig
from rich.console import Console

from symbotunes.checkpoints.checkpoint import PUBLISHED, pack
from symbotunes.checkpoints.reopen import load_weights
from symbotunes.checkpoints.weights import read_weights
from symbotunes.config.assembly import build_chain
from symbotunes.config.build import build
from symbotunes.config.commands import command
from symbotunes.errors import UserError
from symbotunes.files import atomic_file


def convert(cfg: DictConfig) -> None:
    """Write ``checkpoints/best.ckpt``, which mode=sample and model.init_from can load.

    Raises:
        UserError: if ``model.init_from`` is not set or does not fit ``model``.
    """
    if cfg.model.init_from is None:
        raise UserError("mode=convert needs model.init_from=FILE, for example folkrnn_v2.pkl")
    weights = read_weights(Path(cfg.model.init_from))
    chain = build_chain(cfg)
    tokenizer = chain.tokenizer
    weights.give_vocabulary(tokenizer)
    if not tokenizer.fitted:
        raise UserError(
            f"{weights.source} has no vocabulary: start a run from it instead, with mode=train"
        )
    net = build(cfg.model.net, vocabulary=tokenizer.model_vocabulary)
    weights.check(net, tokenizer.vocabulary.size)
    load_weights(net, weights.grown(net, tokenizer), str(cfg.model.init_from))
    content = {
        "state_dict": {f"net.{name}": tensor for name, tensor in net.state_dict().items()},
        "global_step": 0,
        "recipe": pack(cfg, chain.state(), data=PUBLISHED),
        "real_tokens": 0,
    }
    path = Path(cfg.paths.run_dir) / "checkpoints" / "best.ckpt"
    with atomic_file(path) as file:
        torch.save(content, file)
    Console().print(command({"mode": "sample", "ckpt": path}), soft_wrap=True, markup=False)

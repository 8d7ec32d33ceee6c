"""Trains a tiny network in one process or in several on the CPU; the tests look at what it writes.

    python several.py FOLDER SETTINGS

SETTINGS is JSON, see `main`. Every process writes ``rank_N.json``, the first one checkpoints too.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from symbotunes.models.base import Batch
from symbotunes.models.folk_rnn import FolkRNN
from symbotunes.models.gpt2 import GPT2
from symbotunes.models.music_vae.decoder import FlatDecoder
from symbotunes.models.music_vae.encoder import BidirectionalEncoder
from symbotunes.models.music_vae.model import MusicVAE
from symbotunes.models.music_vae.symbols import Classes
from symbotunes.tokenizers.base import NO_ID, Vocabulary
from symbotunes.training import muon
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.collapse import CollapseWatch
from symbotunes.training.callbacks.vitals import gradient_norm
from symbotunes.training.lit_model import LitModel
from symbotunes.training.muon import MuonAdamW
from symbotunes.training.optimizers import GroupedAdamW, RMSprop
from symbotunes.training.trainer import make_trainer

ROWS, STEPS, SIZE = 4, 8, 12  # rows of all processes together, tokens of each, vocabulary
OPTIMIZERS = {
    "muon": partial(MuonAdamW, lr=0.01, weight_decay=0.1),
    "grouped": partial(GroupedAdamW, lr=0.01, weight_decay=0.5),
    "rmsprop": partial(RMSprop, lr=0.001),
}


def music_vae(vocabulary: Vocabulary) -> MusicVAE:
    return MusicVAE(
        vocabulary,
        Classes({"melody": SIZE}),
        partial(BidirectionalEncoder, widths=[6]),
        partial(FlatDecoder, widths=[6, 6]),
        latent=4,
    )


NETWORKS = {
    "folk_rnn": partial(FolkRNN, width=6, depth=2),
    "gpt2": partial(GPT2, width=8, depth=2, heads=2, context=16),
    "music_vae": music_vae,
}


class Noting(lightning.Callback):
    """Keeps what each step had, as this process saw it."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.norms: list[float] = []
        self.draws: list[float] = []

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        if self.draws:
            return
        state = torch.get_rng_state()
        self.draws = torch.rand(3).tolist()
        torch.set_rng_state(state)

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        self.norms.append(float(gradient_norm(pl_module)))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, *_: Any) -> None:
        self.losses.append(float(outputs["loss"]))


def batches(count: int, rows: slice) -> list[Batch]:
    """Made ids, of which this process has some rows."""
    generator = torch.Generator().manual_seed(5)
    lengths = torch.full((ROWS,), STEPS)[rows]
    return [
        Batch(torch.randint(0, SIZE, (ROWS, STEPS), generator=generator)[rows], lengths)
        for _ in range(count)
    ]


def loader(content: list[Batch]) -> DataLoader[Batch]:
    return DataLoader(content, batch_size=None, collate_fn=lambda batch: batch)


class Data(lightning.LightningDataModule):
    """The shares of a process; `held_out` has the number of validation batches of each."""

    def __init__(self, steps: int, held_out: list[int]) -> None:
        super().__init__()
        self.steps, self.held_out = steps, held_out

    def train_dataloader(self) -> DataLoader[Batch]:
        rank, size = self.trainer.global_rank, self.trainer.world_size
        return loader(batches(self.steps, slice(rank, None, size)))

    def val_dataloader(self) -> Any:
        rank = self.trainer.global_rank
        first = sum(self.held_out[:rank])
        own = batches(9, slice(None))[first : first + self.held_out[rank]]
        spare = Batch(own[0].tokens, own[0].lengths) if own else batches(1, slice(None))[0]
        repeated = Batch(spare.tokens, spare.lengths, repeated=True)
        missing = max(self.held_out) - len(own)
        return loader([*own, *[repeated] * missing])


def main(folder: Path, settings: dict[str, Any]) -> None:
    """Train.

    Args:
        folder: where everything goes.
        settings: ``network``, ``optimizer``, ``strategy``, ``devices``, ``steps``, ``clip``,
            ``dropout``, ``held_out`` (validation batches of each process) and ``resume``.
    """
    torch.manual_seed(7)
    # Some processors would have Muon round to bfloat16, in which sums of another order differ.
    muon.multiplies_bfloat16 = lambda device: False  # noqa: ARG005
    make: Any = NETWORKS[settings["network"]]
    if settings["network"] != "music_vae":
        make = partial(make, dropout=settings.get("dropout", 0.0))
    ids = (NO_ID, NO_ID) if settings["network"] == "music_vae" else (0, 1)
    model = LitModel(
        net=make,
        optimizer=OPTIMIZERS[settings["optimizer"]],
        vocabulary=Vocabulary(SIZE, *ids),
        clip_norm=settings.get("clip"),
    )
    if settings.get("still_latent"):  # means alone, so that processes need no noise
        type(model.net.encode(batches(1, slice(None))[0].tokens)).sample = lambda self: self.mean
    noting = Noting()
    trainer = make_trainer(
        accelerator="cpu", precision="32-true", strategy=settings["strategy"],
        devices=settings["devices"], max_steps=settings["steps"], val_check_interval=2,
        check_val_every_n_epoch=None, callbacks=[CollapseWatch(), BestAndLast(), noting],
        logger=False, default_root_dir=folder, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    held_out = settings.get("held_out", [1] * settings["devices"])
    trainer.fit(model, Data(6, held_out), ckpt_path=settings.get("resume"), weights_only=True)
    content = {
        "losses": noting.losses,
        "norms": noting.norms,
        "draws": noting.draws,
        "metrics": {name: float(value) for name, value in trainer.callback_metrics.items()},
        "groups": [
            [len(group["params"]), group.get("weight_decay", 0.0)]
            for group in trainer.optimizers[0].param_groups
        ],
    }
    (folder / f"rank_{trainer.global_rank}.json").write_text(json.dumps(content))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))

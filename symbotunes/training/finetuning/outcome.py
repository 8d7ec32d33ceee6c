"""What a fine-tuning has gained on its collection, and lost on the data of its source."""

import json
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from omegaconf import DictConfig

from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.parents import data_of_source
from symbotunes.checkpoints.reopen import rebuild
from symbotunes.data.module import MusicData
from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.models.base import Model
from symbotunes.training.callbacks.checkpoints import BestAndLast
from symbotunes.training.callbacks.first_validation import FirstValidation
from symbotunes.training.run import Run

FILE = "finetuning.json"


@dataclass(frozen=True)
class Change:
    """A held-out loss before a fine-tuning and after it.

    Attributes:
        pieces: number of held-out examples.
        of: what people call the data.
        before: nats per token of the source.
        after: nats per token of the best checkpoint.
    """

    pieces: int
    of: str
    before: float
    after: float

    def __str__(self) -> str:
        plural = "" if self.pieces == 1 else "s"
        return (
            f"{self.of} ({self.pieces:,} held-out example{plural}): {self.before:.3f} before, "
            f"{self.after:.3f} after, {self.after - self.before:+.3f} nats per token"
        )


def write_outcome(run: Run, best: Path) -> list[str]:
    """Measure what was gained and lost, write ``finetuning.json``, and say it in lines.

    Args:
        run: whose training is over.
        best: its best checkpoint.

    Raises:
        UserError: if the data of the source cannot be had.
    """
    lines, record = [], {}
    gained = collection_change(run)
    if gained is not None:
        record["collection"] = asdict(gained)
        lines.append(f"Learned      {gained}{_when(run)}")
    old_pieces = int(run.cfg.finetune.old_pieces)
    try:
        if old_pieces:
            lost = old_change(run.cfg, best, old_pieces)
            record["source"] = asdict(lost)
            lines.append(f"Forgotten    {lost}")
    except UserError as error:
        lines.append(f"Forgotten    not known, since the data of the source are not read: {error}")
    atomic_write(run.folder / FILE, json.dumps(record, indent=2, allow_nan=False) + "\n")
    return lines


def collection_change(run: Run) -> Change | None:
    """On the held-out part of the collection; ``None`` if nothing was validated before."""
    first = next((call for call in run.callbacks if isinstance(call, FirstValidation)), None)
    if first is None or first.value is None or run.best is None:
        return None
    pieces = len(run.data.encoded.examples("val"))
    return Change(pieces, run.data.corpus.name, first.value, run.best.value)


def old_change(cfg: DictConfig, best: Path, pieces: int) -> Change:
    """On held-out data of the source.

    Args:
        cfg: of the run.
        best: its best checkpoint.
        pieces: about how many held-out examples are measured.
    """
    source = unpack(Path(cfg.model.init_from))
    data = data_of_source(source, cfg)
    losses, measured = [], 0
    for checkpoint in (source, unpack(best)):
        net, _ = rebuild(checkpoint)
        loss, measured = held_out_loss(net, data, pieces)
        losses.append(loss)
    return Change(measured, data.corpus.name, *losses)


@torch.inference_mode()
def held_out_loss(net: Model, data: MusicData, pieces: int) -> tuple[float, int]:
    """Nats per token on the first batches of the test split, and how many examples they hold.

    Args:
        net: a network with a likelihood.
        data: that it may be measured on.
        pieces: batches are taken until they have this many examples.

    Raises:
        UserError: if nothing is held out, or the network has no likelihood.
    """
    net.eval()
    nats, targets, measured = 0.0, 0, 0
    for batch in islice(iter(data.test_dataloader()), pieces):
        loss = net.loss(batch, 0)
        if loss.nll_nats is None or loss.targets is None:
            raise UserError(f"{type(net).__name__} has no likelihood")
        nats, targets = nats + float(loss.nll_nats), targets + loss.targets
        measured += len(batch.lengths)
        if measured >= pieces:
            break
    if not targets:
        raise UserError(f"nothing of {data.corpus.name} is held out as test split")
    return nats / targets, measured


def _when(run: Run) -> str:
    """Which step was kept, and whether the training was stopped early."""
    keeper = next((call for call in run.callbacks if isinstance(call, BestAndLast)), None)
    step, done = keeper.best_step if keeper else None, run.trainer.global_step
    kept = "; no step was better, so the start is kept" if step == 0 else f"; step {step} is kept"
    early = done < run.trainer.max_steps
    return kept + (f"; stopped after {done} of {run.trainer.max_steps} steps" if early else "")

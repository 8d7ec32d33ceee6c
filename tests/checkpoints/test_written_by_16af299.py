"""What an earlier version wrote opens, goes on, and gives the results that it gave then.

`tests/files/written_by_16af299/README.md` says what the files are; ``expected.json`` holds what the
commit that wrote them gets from each. Losses may differ in their last digits between processors. A
drawn token may not: its probability would have to end within 1e-6 of the random number drawn.
"""

import csv
import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.reopen import data_of, rebuild
from symbotunes.cli.command_line import register_resolvers
from symbotunes.config.compose import recomposed
from symbotunes.data.module import MusicData
from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import Folk
from symbotunes.generation.latent.player import LatentPlayer
from symbotunes.generation.sequences.generate import generate
from symbotunes.generation.sequences.settings import Settings
from symbotunes.models.base import LatentModel
from symbotunes.music.abc.text import to_abc
from symbotunes.music.abc.tune import AbcTune

ROOT = Path(__file__).parents[2]
WRITTEN = ROOT / "tests" / "files" / "written_by_16af299"
EXPECTED = json.loads((WRITTEN / "expected.json").read_text())
RUNS, EXPORTS = EXPECTED["runs"], EXPECTED["exports"]
# Ten of the 187 built-in tunes of the runs are read otherwise since: as that commit read them.
READING = json.loads((WRITTEN / "reading.json").read_text())
ON_BUILT_IN_TUNES = ("folk_rnn", "gpt2", "gpt2_bpe", "music_vae")
together = pytest.mark.xdist_group("written_by_16af299")  # one process prepares the data once


@dataclass(frozen=True)
class Opened:
    """A run's checkpoint or an exported folder, with all that it gives back."""

    name: str
    checkpoint: Checkpoint
    net: Any
    tokenizer: Any
    data: MusicData


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The folder of all runs of a command, with copies of the runs in it: they are the user's own.

    Their data lie at paths relative to the root of the checkout.
    """
    outputs = tmp_path_factory.mktemp("written_by_16af299") / "outputs"
    shutil.copytree(WRITTEN / "runs", outputs / "train")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("SYMBOTUNES_OUTPUTS", str(outputs))
        patch.setenv("SYMBOTUNES_DATA", str(outputs.parent / "data"))
        read = Folk.read
        patch.setattr(Folk, "read", lambda folk, path: map(as_read_then, read(folk, path)))
        yield outputs


def as_read_then(tune: AbcTune | Dropped) -> AbcTune | Dropped:
    """A built-in tune as commit 16af299 read it."""
    tokens = READING.get(tune.id, "")
    if tokens is None:
        return Dropped(tune.id, "unreadable then")
    return replace(tune, text=to_abc(tokens.split())) if tokens else tune


def opened(name: str, path: Path) -> Opened:
    register_resolvers()
    checkpoint = unpack(path)
    net, tokenizer = rebuild(checkpoint)
    return Opened(
        name, checkpoint, net, tokenizer, data_of(checkpoint, recomposed(["mode=sample"]))
    )


@pytest.fixture(scope="module", params=RUNS)
def run(request, outputs):
    return opened(request.param, outputs / "train" / request.param / "checkpoints" / "last.ckpt")


@pytest.fixture(scope="module", params=EXPORTS)
def export(request, outputs):
    return opened(request.param, WRITTEN / "exports" / request.param)


def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(a, "<i8").tobytes() for a in arrays))


def held_out_nats(model: Opened) -> tuple[float, int]:
    """Nats of all held-out examples, and their targets; latent vectors are drawn at seed 1.

    Commit 16af299 left the KL divergence of latent models out, and cut held-out pieces as it cut
    those of the training.
    """
    model.net.eval()
    nats, targets = 0.0, 0
    lightning.seed_everything(1, verbose=False)
    loader = model.data.val_dataloader()
    loader.dataset.cut = bool(model.data.chain.cuts)
    # 16af299 read windows in the order of the corpus, and so drew their latent vectors.
    in_order = sorted(loader.batches, key=lambda draws: int(draws.examples[0]))
    with torch.no_grad():
        for batch in map(loader.dataset.__getitem__, in_order):
            loss = model.net.loss(batch, model.checkpoint.steps)
            kl_nats = loss.terms["kl_nats"] if isinstance(model.net, LatentModel) else 0.0
            nats += float(loss.nll_nats - len(batch.lengths) * kl_nats)
            targets += loss.targets
    return nats, targets


def assert_sample_is(expected: dict[str, Any], model: Opened) -> None:
    if not isinstance(model.net, LatentModel):
        vocabulary, settings = model.tokenizer.vocabulary, Settings(max_tokens=60)
        (piece,) = generate(model.net, vocabulary, [[]], settings, [1])
        assert (piece.ids, piece.finished) == (expected["ids"], expected["finished"])
        assert piece.nll_nats == pytest.approx(expected["nats"]["value"], rel=1e-4)
        return
    player, seeds = LatentPlayer(model.net, model.tokenizer), [1, 2, 3, 4]
    windows = np.stack(player.write(player.prior(seeds, fitted=True), seeds, 1.0))
    assert list(windows.shape) == expected["shape"]
    assert windows[0][:16].tolist() == expected["first"]
    assert digest(windows).hexdigest() == expected["sha256"]


def without_divergence(row: dict[str, str]) -> float:
    """The training loss as commit 16af299 logged it: of a latent model the reconstruction alone."""
    loss, kl_nats = float(row["train/loss"]), float(row.get("train/kl_nats") or 0)
    reconstruction = float(row.get("train/reconstruction_nats") or 1)
    return loss * reconstruction / (reconstruction + kl_nats)


@together
def test_a_checkpoint_has_its_steps_and_vocabulary(run):
    expected = RUNS[run.name]
    assert run.checkpoint.steps == expected["step"]
    assert run.tokenizer.vocabulary.size == expected["vocabulary_size"]


@together
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_a_checkpoint_finds_the_same_examples_on_the_same_side(run, split):
    expected, encoded = RUNS[run.name]["data"][split], run.data.encoded
    examples = encoded.examples(split)
    pieces = sorted({encoded.names[int(owner)][0] for owner in encoded.owners[examples]})
    if "ids" in expected:
        assert pieces[:20] == expected["ids"]
    assert (len(examples), len(pieces)) == (expected["count"], expected["pieces"])
    assert hashlib.sha256("\n".join(pieces).encode()).hexdigest() == expected["ids_sha256"]
    ids, lengths = encoded.gather(examples) if len(examples) else ([], [])
    assert digest(lengths, ids).hexdigest() == expected["tokens_sha256"]


@together
def test_a_checkpoint_has_the_same_loss_on_held_out_pieces(run):
    expected = RUNS[run.name]["val_nats"]
    nats, targets = held_out_nats(run)
    assert targets == expected["targets"]
    assert nats == pytest.approx(expected["sum"]["value"], rel=1e-4)


@together
def test_a_checkpoint_draws_the_same_sample(run):
    assert_sample_is(RUNS[run.name]["sample"], run)


@together
def test_a_latent_model_encodes_a_window_as_before(run):
    expected = RUNS[run.name]["sample"].get("mean")
    if expected is None:
        assert not isinstance(run.net, LatentModel)
        return
    window = run.data.encoded.example(int(run.data.encoded.examples("val")[0]))
    (mean,) = LatentPlayer(run.net, run.tokenizer).means([window])
    assert mean.tolist() == pytest.approx([each["value"] for each in expected], rel=1e-4, abs=1e-6)


@together
def test_an_exported_folder_has_the_same_weights_and_draws_the_same_sample(export):
    weights = hashlib.sha256()
    for name, tensor in sorted(export.net.state_dict().items()):
        weights.update(name.encode() + np.ascontiguousarray(tensor, "<f4").tobytes())
    assert weights.hexdigest() == EXPORTS[export.name]["weights_sha256"]
    assert_sample_is(EXPORTS[export.name], export)


@together
def test_an_exported_folder_has_the_loss_of_its_run(export):
    expected = RUNS[export.name]["val_nats"]
    nats, targets = held_out_nats(export)
    assert targets == expected["targets"]
    assert nats == pytest.approx(expected["sum"]["value"], rel=1e-4)  # float16 rounds its weights


@together
@pytest.mark.slow("draws samples of two exported folders and writes their reports")
@pytest.mark.parametrize("name", EXPORTS)
def test_an_exported_folder_is_sampled_and_evaluated_by_the_program(name, outputs, run_main):
    ckpt = f"ckpt={WRITTEN / 'exports' / name}"
    run_main(outputs, "mode=sample", ckpt, "sample.num=1", f"hydra.run.dir={outputs}/sample/{name}")
    assert (outputs / "sample" / name / "index.html").is_file()
    folder = outputs / "evaluate" / name
    few = ["evaluate.num_samples=4", "evaluate.prior=8", "evaluate.resamples=20"]
    run_main(outputs, "mode=evaluate", ckpt, *few, f"hydra.run.dir={folder}")
    assert (folder / "report.json").is_file()


@together
@pytest.mark.slow("resumes nine runs in processes of their own")
@pytest.mark.parametrize("name", RUNS)
def test_a_resumed_run_takes_the_same_steps(name, outputs, run_main, tmp_path):
    expected = RUNS[name]
    own = tmp_path / "outputs" / "train" / name
    shutil.copytree(WRITTEN / "runs" / name, own)
    begun = expected["step"]
    result = run_main(
        tmp_path / "outputs",
        f"ckpt={own}/checkpoints/last.ckpt",
        f"trainer.max_steps={begun + 3}",
        "trainer.log_every_n_steps=1",
        "logger=csv",
        "callbacks=none",
        "baselines=[]",
        "sample.num=1",
    )
    with (own / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["train/loss"]]
    losses = {int(row["step"]): without_divergence(row) for row in rows}
    taken = [float(losses[begun + ahead]) for ahead in (1, 2, 3)]
    then = [each["value"] for each in expected["resumed"]]
    if name not in ON_BUILT_IN_TUNES:
        assert taken == pytest.approx(then, rel=1e-4)
        return
    # A process of its own reads ten tunes as they are read today, so that batches differ.
    assert "Note the data differ" in " ".join(result.stdout.split())
    assert taken == pytest.approx(then, rel=0.1)

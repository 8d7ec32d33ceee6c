"""+experiment=finetune from the command line, on a dozen tunes of another folder."""

import csv
import json
from itertools import islice

import pytest
from omegaconf import OmegaConf

from symbotunes.checkpoints.card import Card, model_card
from symbotunes.checkpoints.checkpoint import unpack
from symbotunes.checkpoints.lineage import Parent, parents_of
from symbotunes.datasets.base import Dropped
from symbotunes.datasets.folk import Folk
from tests.conftest import TINY

OWN = [word for word in TINY if word.startswith(("trainer", "sample", "baselines", "~"))]


@pytest.fixture(scope="module")
def dozen(tmp_path_factory):
    """Twelve tunes that the tiny network's vocabulary has, in a file of their own."""
    pieces = Folk(collections=["miscFolk"], folder=None).pieces()
    tunes = islice((piece for piece in pieces if not isinstance(piece, Dropped)), 12)
    path = tmp_path_factory.mktemp("dozen") / "dozen.abc"
    path.write_text("\n\n".join(tune.text.strip() for tune in tunes) + "\n")
    return path


@pytest.fixture(scope="module")
def finetuned(run_main, trained, dozen, tmp_path_factory):
    """The run folder of a fine-tuning, and what it printed."""
    outputs = tmp_path_factory.mktemp("finetuned")
    result = run_main(
        outputs, "+experiment=finetune", f"model.init_from={trained}", "dataset=abc_folder",
        f"dataset.path={dozen}", "finetune.passes=2", "finetune.old_pieces=10", *OWN,
    )  # fmt: skip
    (folder,) = (outputs / "train").iterdir()
    return folder, result.stdout


pytestmark = pytest.mark.slow("trains a tiny network, and fine-tunes it")


def test_the_network_is_that_of_the_source_and_the_steps_follow_the_collection(finetuned, trained):
    folder, _ = finetuned
    config = OmegaConf.load(folder / "config.yaml")
    source = OmegaConf.load(trained / "config.yaml")
    assert config.model.net == source.model.net
    assert list(config.transforms) == list(source.transforms)
    assert unpack(folder).tokenizer == unpack(trained).tokenizer
    assert config.loader.batch_size == 2
    assert config.trainer.max_steps == 2 * config.trainer.val_check_interval


def test_it_validates_before_the_first_step_and_says_what_was_learned_and_forgotten(finetuned):
    folder, printed = finetuned
    rows = list(csv.DictReader((folder / "metrics.csv").open()))
    (first,) = [row for row in rows if row["step"] == "0"]
    losses = [float(row["val/loss"]) for row in rows if row["val/loss"]]
    record = json.loads((folder / "finetuning.json").read_text())
    assert record["collection"]["before"] == pytest.approx(float(first["val/loss"]))
    assert record["collection"]["after"] == pytest.approx(min(losses))
    assert record["source"]["pieces"] == 6  # all that the tiny corpus holds out
    assert record["source"]["before"] != record["source"]["after"]
    assert "Learned" in printed
    assert "Forgotten" in printed


def test_samples_are_in_keys_of_the_collection(finetuned, dozen):
    folder, _ = finetuned
    written = {
        line
        for path in (folder / "samples" / "best").glob("*.abc")
        for line in path.read_text().splitlines()
        if line.startswith("K:")
    }
    tonics = {line[2] for line in dozen.read_text().splitlines() if line.startswith("K:")}
    assert written
    assert {line[2] for line in written} <= tonics


def test_the_model_card_names_the_parent(finetuned, trained):
    checkpoint = unpack(finetuned[0])
    assert parents_of(checkpoint) == [Parent(str(trained), "folk_rnn_small", "Folk", 12)]
    card = model_card(checkpoint, Card("Mine", None, None, 1, "float32"))
    assert f"Fine-tuned from `{trained}` (folk_rnn_small), trained on Folk for 12 steps." in card

"""mode=benchmark from the command line: a counted row and a row of 20 steps, measured twice."""

import json
import math
from collections import Counter

import pytest
from omegaconf import OmegaConf

from symbotunes.config.assembly import build_chain, build_data
from tests.composing import composed

DATA = ["dataset=folk", "dataset.collections=[nottingham-dataset,miscFolk]"]
CHAIN = ["transforms=[abc_tokens_137]"]
NETWORK = ["model.net.width=16", "loader.batch_size=16", "trainer=cpu"]
LISTED = ",".join(f"'{word}'" for word in (*DATA, *CHAIN))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("leaderboard") / "rows"
    (place / "folk").mkdir(parents=True)
    (place / "folk" / "unigram.yaml").write_text("about: counts\norder: 1\n")
    words = [*NETWORK, "trainer.max_steps=20", "sample.num=1", "baselines=[1]"]
    row = {"about": "twenty steps", "words": words, "seeds": [1]}
    OmegaConf.save(OmegaConf.create(row), place / "folk" / "twenty.yaml")
    return place


@pytest.fixture(scope="module")
def measure(run_main, folder):
    """Run the benchmark; returns what it printed and the results by row."""

    def run(attempt):
        result = run_main(
            folder.parent / attempt, "mode=benchmark", f"benchmark.words=[{LISTED}]",
            "benchmark.content=null",
            "benchmark.evaluation=[evaluate.num_samples=2,evaluate.resamples=20,sample.max_tokens=30]",
            f"benchmark.folder={folder}", f"benchmark.page={folder.parent / 'page.md'}",
        )  # fmt: skip
        files = (folder / "folk").glob("*.json")
        return result.stdout, {file.stem: json.loads(file.read_text()) for file in files}

    return run


@pytest.fixture(scope="module")
def first(measure):
    return measure("first")


pytestmark = pytest.mark.slow("trains a tiny network twice, and evaluates it")


def test_the_unigram_row_is_what_counting_gives(first, shared):
    cfg = composed(*DATA, *CHAIN)
    cfg.paths.data = str(shared / "data")
    data = build_data(cfg, build_chain(cfg))
    encoded = data.encoded
    training = [encoded.example(int(index)).tolist() for index in encoded.examples("train")]
    test = [encoded.example(int(index)).tolist() for index in encoded.examples("test")]
    vocabulary = data.chain.tokenizer.vocabulary
    counts = Counter(token for ids in training for token in (*ids, vocabulary.eos))
    total = counts.total() + vocabulary.size - 1  # one is added for every id but the first
    held_out = [token for ids in test for token in (*ids, vocabulary.eos)]
    nats = -sum(math.log((counts[token] + 1) / total) for token in held_out) / len(held_out)
    (run,) = first[1]["unigram"]["runs"]
    assert run["figures"]["nats_per_token"]["value"] == pytest.approx(nats, rel=1e-12)
    assert (run["pieces"], run["tokens"]) == (len(test), len(held_out))
    assert first[1]["unigram"]["data"] == encoded.identity.content


def test_rows_with_a_result_are_skipped_and_others_are_repeated_to_the_last_digit(
    first, measure, folder
):
    _, before = first
    (folder / "folk" / "twenty.json").unlink()
    printed, again = measure("again")
    assert "Skipped   unigram" in printed
    assert "Measured  twenty" in printed
    assert again["unigram"] == before["unigram"]
    for name in ("bits_per_note", "nats_per_token", "well_formed", "seen_ngrams"):
        expected = before["twenty"]["runs"][0]["figures"][name]
        assert again["twenty"]["runs"][0]["figures"][name] == expected
    assert again["twenty"]["runs"][0]["steps"] == 20
    page = (folder.parent / "page.md").read_text()
    assert "| twenty | twenty steps |" in page
    assert "not measured" not in page


def test_a_row_on_other_data_is_refused(run_main, folder, tmp_path):
    (tmp_path / "rows" / "folk").mkdir(parents=True)
    (tmp_path / "rows" / "folk" / "unigram.yaml").write_text("about: counts\norder: 1\n")
    result = run_main(
        tmp_path, "mode=benchmark", f"benchmark.words=[{LISTED}]", "benchmark.content=abc",
        f"benchmark.folder={tmp_path / 'rows'}", f"benchmark.page={tmp_path / 'page.md'}",
        check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert "benchmark=folk is measured on data with SHA-256 abc" in result.stderr
    assert not (tmp_path / "page.md").exists()

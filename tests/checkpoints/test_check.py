"""mode=check: what it tries, what it finds, and how it ends."""

from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

from symbotunes.errors import UserError
from symbotunes.models.base import Batch
from symbotunes.modes import check as checking
from symbotunes.modes.check import all_entries, check_entry, chosen, verdict_table
from symbotunes.training.dry_run import Limits, Verdict, check_config, first_rows, training_step
from tests.checkpoints.conftest import CONF, FIXED, composed

TINY = ["model.net.width=8", "trainer=cpu"]


@pytest.fixture
def limits(tmp_path):
    return Limits(rows=2, largest=100_000, device=torch.device("cpu"), space=tmp_path)


def test_every_model_and_experiment_that_ships_is_an_entry():
    entries = all_entries()
    assert "model=folk_rnn" in entries
    assert "+experiment=folk_rnn_paper" in entries
    assert "model=_base" not in entries
    files = [*CONF.glob("model/[!_]*.yaml"), *CONF.glob("experiment/*.yaml")]
    assert len(entries) == len(files)


def test_entries_can_be_chosen_by_name():
    assert chosen(["folk_rnn"]) == ["model=folk_rnn"]
    with pytest.raises(UserError, match=r"folk_rn; did you mean folk_rnn\?$"):
        chosen(["folk_rn"])


def test_a_sound_entry_takes_a_step_and_is_costed(limits):
    arguments = [*FIXED, *TINY, "transforms=[abc_tokens_137]"]
    verdict = check_entry("model=folk_rnn_small", arguments, limits)
    assert verdict.errors == []
    assert verdict.remark == ""
    first, second = 4 * 8 * (137 + 8 + 2), 4 * 8 * (8 + 8 + 2)  # gates, input and two biases
    beginnings = 2 * 2 * 8  # learned states of both layers
    assert verdict.parameters == first + second + beginnings + 137 * (8 + 1)
    assert verdict.bytes > 16 * verdict.parameters
    assert verdict.seconds > 0


@pytest.mark.slow("builds a network of 231 million weights")
def test_a_network_above_the_limit_is_counted_and_not_run(limits):
    verdict = check_entry("model=music_vae_trio", [*FIXED, "trainer=cpu"], limits)
    assert verdict.errors == []
    assert verdict.parameters == 231_040_692
    assert verdict.seconds is None
    assert verdict.remark == "too large"


@pytest.mark.slow("reads a corpus and takes a step of a MusicVAE")
def test_music_that_the_data_lack_is_invented(limits):
    small = ["model.net.latent=4", "model.net.encoder.widths=[4]", "model.net.decoder.widths=[4]"]
    verdict = check_entry("model=music_vae_drums", [*FIXED, *small, "trainer=cpu"], limits)
    assert verdict.errors == []
    assert verdict.remark == "ok (invented)"
    assert verdict.seconds > 0


@pytest.mark.slow("builds MusicVAEs of the published sizes")
@pytest.mark.parametrize("name", ["music_vae_2bar_paper", "music_vae_16bar_paper"])
def test_the_classes_of_the_papers_melodies_are_those_of_their_data(limits, name):
    assert check_entry(f"+experiment={name}", FIXED, limits).errors == []


def test_a_dataset_that_needs_a_download_is_not_read(limits):
    verdict = check_entry("model=folk_rnn_small", [*FIXED, *TINY, "dataset=the_session"], limits)
    assert verdict.errors == []
    assert verdict.remark == "no data here"


def test_all_errors_of_an_entry_are_listed_at_once(limits):
    cfg = composed(
        *TINY, "sample.top_p=2", "evaluate.split=nowhere", "model.net._target_=symbotunes.nothing.X"
    )
    verdict = Verdict("broken")
    check_config(verdict, cfg, limits)
    parts = [error.partition(":")[0] for error in verdict.errors]
    assert parts == ["sample", "evaluate", "model"]
    assert all("\n" not in error for error in verdict.errors)


def test_what_does_not_compose_is_an_error_of_its_entry(limits):
    (error,) = check_entry("model=nothing", FIXED, limits).errors
    assert error.startswith("config: ")


def test_a_loss_that_is_not_a_number_is_an_error():
    model = SimpleNamespace(
        net=SimpleNamespace(
            parameters=lambda: iter(()),
        ),
        trials=lambda batch: [(lambda: torch.tensor(float("nan")), None)],
    )
    with pytest.raises(UserError, match="the loss is nan"):
        training_step(model, None)


def test_a_few_rows_lose_the_padding_of_the_others():
    batch = Batch(torch.arange(12).view(3, 4), torch.tensor([2, 3, 4]))
    few = first_rows(batch, 2)
    assert few.tokens.tolist() == [[0, 1, 2], [4, 5, 6]]
    assert few.lengths.tolist() == [2, 3]


def ending(monkeypatch, verdict):
    monkeypatch.setattr(checking, "check_entry", lambda *arguments: verdict)
    cfg = composed("check.only=[folk_rnn]")
    checking.check(cfg)


def test_errors_end_with_status_1_after_all_are_shown(monkeypatch, capsys):
    bad = Verdict("model=folk_rnn", errors=["step: the loss is nan", "sample: [b]"])
    with pytest.raises(SystemExit) as end:
        ending(monkeypatch, bad)
    assert end.value.code == 1
    out = capsys.readouterr().out
    assert "error: model=folk_rnn: step: the loss is nan\n" in out
    assert "error: model=folk_rnn: sample: [b]\n" in out


def test_without_errors_it_returns(monkeypatch, capsys):
    ending(monkeypatch, Verdict("model=folk_rnn", parameters=5, bytes=2**30, seconds=0.5))
    assert "1.0" in capsys.readouterr().out


def test_the_table_shows_what_is_known():
    console = Console(width=120, record=True)
    console.print(verdict_table([Verdict("model=x", 1_234_000, 2**31, 1.5, "")], "cpu"))
    text = console.export_text()
    for expected in ("model=x", "1.2 M", "2.0", "1.5", "ok"):
        assert expected in text

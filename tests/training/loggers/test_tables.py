from collections import Counter
from dataclasses import replace

import pytest

from symbotunes.data.receipt import Receipt
from symbotunes.evaluation.latent.findings import LatentFindings, Notes, Path, Reconstruction
from symbotunes.evaluation.metrics.bootstrap import Interval
from symbotunes.evaluation.sequences.findings import ClassLoss, Findings, HeldOut, TuneSet
from symbotunes.render.pages.sweep_rows import Row
from symbotunes.training.loggers import tables
from symbotunes.training.loggers.records import history, records
from symbotunes.training.loggers.wandb import SafeWandbLogger
from tests.wandb_files import closed_files

pytestmark = pytest.mark.usefixtures("no_account")

LOSS = Interval(1.5, 1.25, 1.75)
UNDEFINED = Interval(float("nan"), float("nan"), float("nan"))


def logged(run_dir, run_id) -> dict:
    (path,) = closed_files(run_dir, run_id)
    (row,) = history(path)
    return row


def kinds(row: dict) -> dict[str, str]:
    return {
        key.removesuffix("._type"): value for key, value in row.items() if key.endswith("._type")
    }


def test_a_receipt_is_a_table_of_what_became_of_every_piece():
    receipt = Receipt(
        read=6,
        kept=Counter(train=3, val=1),
        dropped=Counter({"duplicate": 2}),
        examples=Counter(train=30, val=10),
        tokens=Counter(train=300, val=100),
        left_out=Counter({"too long": 4}),
        vocabulary=50,
    )
    assert tables.receipt_table(receipt).data == [
        ["read", 6, None, None],
        ["kept for train", 3, 30, 300],
        ["kept for val", 1, 10, 100],
        ["kept for test", 0, 0, 0],
        ["dropped: duplicate", 2, None, None],
        ["left out: too long", None, 4, None],
        ["vocabulary", 50, None, None],
    ]


def test_a_table_that_cannot_be_made_is_a_warning(run_dir, monkeypatch):
    def broken(**_: object) -> None:
        raise TypeError("no such column")

    monkeypatch.setattr(tables.wandb, "Table", broken)
    logger = SafeWandbLogger(run_dir)
    with pytest.warns(UserWarning, match="without W&B: no such column"):
        tables.log_receipt(logger, Receipt(), step=0)
    logger.finish(0)


@pytest.fixture
def findings() -> Findings:
    held_out = HeldOut(
        split="val",
        pieces=2,
        families=2,
        tokens=20,
        notes=10,
        models={"folk": {"nats_per_token": LOSS}, "1-gram": {"nats_per_token": UNDEFINED}},
        gains={"1-gram": LOSS},
        classes=(ClassLoss("pitch", 12, 0.6, {"folk": LOSS, "1-gram": UNDEFINED}),),
        by_piece={},
    )
    tunes = TuneSet("generated", 4, {"finished": Interval(0.5, 0.25, 0.75)}, (), None)
    return Findings("Evaluation", {"model": "folk"}, held_out, (tunes,))


def test_an_evaluation_is_tables_figures_and_its_page(run_dir, tmp_path, findings):
    page = tmp_path / "index.html"
    page.write_text("<!doctype html><p>Report</p>")
    logger = SafeWandbLogger(run_dir)
    tables.log_evaluation(logger, findings, page)
    logger.finish(0)
    row = logged(run_dir, logger.version)
    assert kinds(row) == {
        "evaluation/losses": "table-file",
        "evaluation/gains": "table-file",
        "evaluation/kinds": "table-file",
        "evaluation/tunes": "table-file",
        "evaluation/facts": "table-file",
        "evaluation/report": "html-file",
    }
    assert row["evaluation/nats_per_token"] == 1.5
    assert row["evaluation/finished"] == 0.5


def test_figures_stand_in_rows_with_their_intervals_as_the_report_shows_them(findings):
    row = tables.language_row(findings)
    assert row["evaluation/losses"].data == [
        ["folk", "nats per token", 1.5, 1.25, 1.75, "nats per token"],
        ["1-gram", "nats per token", None, None, None, "nats per token"],
    ]
    assert row["evaluation/kinds"].data == [["pitch", 0.6, 1.5, None]]
    assert row["evaluation/tunes"].data == [["generated", "finished", 50.0, 25.0, 75.0, "%"]]


def test_an_evaluation_of_a_latent_model_has_tables_of_its_own():
    reconstruction = Reconstruction(
        "val", 8, 4, 3, {"all": {"likeliest": LOSS}}, {"kl_nats": LOSS}, active=3, latent=16
    )
    path = Path(2, (0.0, 1.0), {"latent, to A": (LOSS, UNDEFINED)})
    prior = (Notes("pitches", {"prior": LOSS}, {}),)
    row = tables.latent_row(LatentFindings("Evaluation", {}, reconstruction, path, prior, 5))
    assert row["evaluation/interpolations"].data == [[0.0, 1.5], [1.0, None]]
    assert row["evaluation/overlaps"].data == [
        ["pitches: prior", "overlapping area", 1.5, 1.25, 1.75, ""]
    ]
    assert row["evaluation/active_units"] == 3
    assert row["evaluation/kl_nats"] == 1.5


ROW = Row(
    number=0,
    status="finished",
    settings={"model.optimizer.lr": "1e-3", "model": "gpt2"},
    metric="val/loss",
    best=1.5,
    step=10,
    tokens_per_second=100.0,
    peak_gib=0.5,
    samples="0/samples/best/index.html",
    error=None,
)
FAILED = replace(
    ROW, number=1, status="failed", metric="", best=None, step=None, samples=None, error="Boom"
)


def test_a_sweep_is_a_table_of_its_jobs_with_settings_that_can_be_plotted():
    table = tables.sweep_table(["model.optimizer.lr", "model"], [ROW, FAILED], {0: "abc", 1: None})
    assert table.columns == [
        "job", "status", "model.optimizer.lr", "model", "val/loss (nats per token)", "at step",
        "tokens/s", "peak memory (GiB)", "run", "samples", "error",
    ]  # fmt: skip
    assert table.data == [
        [0, "finished", 0.001, "gpt2", 1.5, 10, 100.0, 0.5, "abc", "0/samples/best/index.html",
         None],
        [1, "failed", 0.001, "gpt2", None, None, 100.0, 0.5, None, None, "Boom"],
    ]  # fmt: skip


def test_the_report_of_a_sweep_is_a_run_in_the_group_of_its_jobs(tmp_path):
    sweep = tmp_path / "my_sweep"
    (sweep / "0").mkdir(parents=True)
    (sweep / "0" / "wandb_id").write_text("abc\n")
    (sweep / "sweep.html").write_text("<!doctype html><p>Sweep</p>")
    assert tables.log_sweep_table(sweep, ["model"], [ROW, FAILED], project="folk")
    (path,) = closed_files(sweep, (sweep / "wandb_id").read_text().strip())
    run = next(record.run for record in records(path) if record.HasField("run"))
    assert (run.project, run.run_group, run.job_type) == ("folk", "my_sweep", "report")
    (row,) = history(path)
    assert kinds(row) == {"sweep/jobs": "table-file", "sweep/report": "html-file"}


def test_a_sweep_that_did_not_log_to_wandb_does_not_start_now(tmp_path):
    assert not tables.log_sweep_table(tmp_path, [], [ROW])
    assert list(tmp_path.iterdir()) == []

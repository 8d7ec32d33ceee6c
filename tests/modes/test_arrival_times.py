"""A tiny model of arrival times from MIDI files to its evaluation, on the command line."""

import json
import math
import random

import pytest

from tests.music.events import midi, notes

pytestmark = pytest.mark.slow("trains and evaluates the program")

NOTES = 150  # of each file; one begins every 0.25 s and lasts 0.2 s
SMALL = [
    "model=amt_mini",
    "model.net.width=8",
    "model.net.depth=1",
    "model.net.heads=1",
    "loader.batch_size=2",
    "loader.split.val=0.2",
    "loader.split.test=0.4",
    "loader.prepare_workers=0",
    "trainer=cpu",
    "trainer.max_steps=2",
    "trainer.val_check_interval=2",
    "sample.num=1",
    "sample.max_tokens=9",
    "baselines=[1]",
    "~callbacks.panel",
]
EVALUATE = [
    "mode=evaluate",
    "evaluate.num_samples=2",
    "evaluate.resamples=50",
    "sample.max_tokens=30",
    "baselines=[1]",
]


@pytest.fixture(scope="module")
def run(run_main, tmp_path_factory):
    """What a training and an evaluation print, and the report of the latter."""
    folder = tmp_path_factory.mktemp("arrival")
    random_notes = random.Random(0)
    for number in range(40):
        pitches = [random_notes.randrange(40, 80) for _ in range(NOTES)]
        spans = [(120 * at, 120 * at + 96, pitch) for at, pitch in enumerate(pitches)]
        (folder / f"{number:02d}.mid").write_bytes(midi(notes(*spans), ticks_per_quarter=240))
    (folder / "short.mid").write_bytes(midi(notes((0, 60, 60)), ticks_per_quarter=240))
    outputs = folder / "outputs"
    source = ["dataset=midi_folder", f"dataset.path={folder}"]
    training = run_main(outputs, *source, *SMALL).stdout
    evaluation = run_main(outputs, *EVALUATE).stdout
    (report,) = (outputs / "evaluate").glob("*/report.json")
    return training, evaluation, json.loads(report.read_text())


def test_a_training_prints_its_blocks_and_why_files_are_dropped(run):
    training, _, report = run
    rows = {" ".join(line.replace("│", " ").split()) for line in training.splitlines()}
    assert "dropped: fewer than 100 notes (min_events) 1" in rows
    pieces = report["held_out"]["pieces"]
    blocks = pieces * (NOTES + 1) // 341
    assert blocks >= 1
    assert f"blocks of 341 for test {blocks} {blocks * 1023:,}" in rows


def test_an_evaluation_reports_figures_per_piece_with_intervals_and_over_blocks_without(run):
    _, evaluation, report = run
    held_out = report["held_out"]
    assert held_out["notes"] == held_out["pieces"] * NOTES
    assert held_out["tokens"] == 3 * held_out["notes"]  # no rests in notes 0.25 s apart
    bits = held_out["models"]["amt_mini"]["bits_per_note"]
    assert bits["low"] <= bits["value"] <= bits["high"]
    blocks = held_out["blocks"]
    assert blocks["event"] == pytest.approx(
        blocks["onset"] * blocks["duration"] * blocks["note"], rel=1e-6
    )
    assert blocks["seconds"] == pytest.approx(held_out["pieces"] * (0.25 * (NOTES - 1) + 0.2))
    nats = 341 * blocks["blocks"] * math.log(blocks["event"])
    assert blocks["bits_per_second"] == pytest.approx(nats / math.log(2) / blocks["seconds"])
    assert f"over {blocks['blocks']} blocks of 341" in " ".join(evaluation.split())
    assert {"onset", "duration", "note"} == {one["name"] for one in held_out["classes"]}

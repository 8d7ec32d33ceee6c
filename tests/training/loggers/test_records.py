"""The reader of ``.wandb`` files: frames written by hand, and files that W&B wrote."""

import struct
from pathlib import Path

import pytest

from symbotunes.training.loggers.records import history, messages, reached, records
from symbotunes.training.loggers.wandb import SafeWandbLogger
from tests.wandb_files import closed_files

HEADER = b":W&B\xe1\xbe\x00"


def frame(part: int, data: bytes) -> bytes:
    return struct.pack("<IHB", 0, len(data), part) + data


def test_records_that_fit_into_a_block_stand_in_one_frame_each():
    assert list(messages(HEADER + frame(1, b"one") + frame(1, b"two"))) == [b"one", b"two"]


def test_a_record_goes_on_in_the_next_blocks():
    size = 32768
    first = size - len(HEADER) - 7
    content = HEADER + frame(2, b"a" * first) + frame(3, b"b" * (size - 7)) + frame(4, b"c")
    assert list(messages(content)) == [b"a" * first + b"b" * (size - 7) + b"c"]


def test_the_end_of_a_block_that_holds_no_header_is_skipped():
    length = 32768 - len(HEADER) - 7 - 5  # 5 bytes are left, a header needs 7
    content = HEADER + frame(1, b"a" * length) + b"\0" * 5 + frame(1, b"next")
    assert list(messages(content)) == [b"a" * length, b"next"]


@pytest.mark.parametrize("lost", [1, 5, 9])
def test_a_torn_end_is_left_out(lost):
    assert list(messages((HEADER + frame(1, b"one") + frame(1, b"two"))[:-lost])) == [b"one"]


def test_zeros_that_a_crash_left_end_the_file():
    assert list(messages(HEADER + frame(1, b"one") + bytes(100))) == [b"one"]


def test_another_file_holds_no_records(tmp_path):
    path = tmp_path / "other"
    path.write_bytes(b"{}")
    assert list(records(path)) == []


@pytest.fixture
def written(no_account, run_dir) -> Path:
    logger = SafeWandbLogger(run_dir)
    for step in range(300):  # more than one block
        logger.log_metrics({"train/loss": step / 2, "text": "x" * 200}, step=step)
    logger.finish(0)
    (path,) = closed_files(run_dir, logger.version)
    assert path.stat().st_size > 65536
    return path


def test_rows_come_back_as_they_were_logged(written, run_dir):
    rows = history(written)
    assert [row["_step"] for row in rows] == list(range(300))
    assert [row["train/loss"] for row in rows] == [step / 2 for step in range(300)]
    found = reached(run_dir, (run_dir / "wandb_id").read_text().strip())
    assert (found.row, found.step) == (299, 299)


def test_rows_that_a_server_does_not_have_do_not_count(written, run_dir):
    found = reached(run_dir, (run_dir / "wandb_id").read_text().strip(), first_row=120)
    assert (found.row, found.step) == (119, 119)

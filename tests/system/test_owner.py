"""Records name the process that wrote them, so that the dead are not taken for running."""

import os
import platform
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from symbotunes.system.owner import Owner, age
from symbotunes.training.run_folder import described, status_of


def test_this_process_is_alive_and_another_with_its_number_is_dead():
    owner = Owner.this_process()
    assert (owner.pid, owner.host) == (os.getpid(), platform.node())
    assert not owner.is_dead
    assert replace(owner, pid_started=owner.pid_started - 3600).is_dead


def test_an_ended_process_is_dead_even_before_its_parent_has_noticed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = psutil.Process(child.pid).create_time()
        owner = Owner(child.pid, platform.node(), started)
        assert not owner.is_dead
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        assert owner.is_dead
    assert owner.is_dead


def test_a_process_of_another_machine_is_not_known_to_be_dead():
    assert not Owner(pid=1, host="elsewhere", pid_started=0.0).is_dead


@pytest.mark.parametrize("record", [{}, {"pid": 1}, {"pid": "x", "host": "a", "pid_started": 1}])
def test_a_record_of_an_earlier_version_names_no_process(record):
    assert Owner.of(record) is None


def test_a_run_that_ended_without_a_word_is_killed_and_others_are_what_they_say():
    here = Owner.this_process().as_dict()
    dead = here | {"pid_started": 1.0}
    assert status_of({"status": "running", **here}) == "running"
    assert status_of({"status": "running", **dead}) == "killed"
    assert status_of({"status": "finished", **dead}) == "finished"
    assert status_of({"status": "running"}) == "running"  # from before records named processes


def test_a_run_of_another_machine_is_described_with_its_last_sign_of_life(monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000_000.0)  # 2001-09-09, 01:46:40 UTC
    record = {
        "name": "small", "status": "running", "step": 1200, "host": "node7", "pid": 5,
        "pid_started": 1.0, "updated_utc": "2001-09-08T22:40:00+00:00",
    }  # fmt: skip
    assert described(record) == "small, running at step 1,200, on node7, last heard of 3 h ago"
    ages = [age(f"2001-09-{time}:00+00:00") for time in ("09T01:46", "09T01:31", "06T01:00")]
    assert ages == ["40 s ago", "15 min ago", "3 d ago"]
    assert age(None) == ""

"""One task at a time; those that nobody follows stop."""

import asyncio
import threading
import time

import pytest

from symbotunes.errors import UserError
from symbotunes.studio import tasks as tasks_module
from symbotunes.studio.tasks import Tasks

SECONDS = 5  # in which what is awaited happens


@pytest.fixture
def tasks():
    queue = Tasks()
    yield queue
    queue.close()


def events_of(task):
    async def all_of_them():
        return [(event.name, event.data) async for event in task.follow()]

    return asyncio.run(asyncio.wait_for(all_of_them(), SECONDS))


def endless(task, began=None):
    if began:
        began.set()
    while True:
        task.check()
        time.sleep(0.001)


def test_a_task_tells_what_it_does_from_the_first_event_on(tasks):
    task = tasks.add(lambda task: task.tell("text", abc="A"))
    time.sleep(0.05)  # it may have ended before a page follows it
    expected = [("queued", {"position": 0}), ("text", {"abc": "A"}), ("done", {})]
    assert events_of(task) == expected
    assert events_of(task) == expected


def test_tasks_wait_for_those_before_them(tasks):
    order, gate = [], threading.Event()

    def first(task):
        gate.wait(SECONDS)
        order.append(1)

    tasks.add(first)
    later = [tasks.add(lambda task, number=number: order.append(number)) for number in (2, 3)]
    gate.set()
    positions = [data["position"] for name, data in events_of(later[1]) if name == "queued"]
    assert order == [1, 2, 3]
    assert positions[0] == 2
    assert positions == sorted(positions, reverse=True)


def test_a_task_is_cancelled_while_it_runs_and_the_next_begins(tasks):
    began = threading.Event()
    running = tasks.add(lambda task: endless(task, began))
    following = tasks.add(lambda task: None)
    assert began.wait(SECONDS)
    tasks.cancel(running)
    assert events_of(running)[-1] == ("cancelled", {})
    assert events_of(following)[-1] == ("done", {})


def test_a_task_is_cancelled_while_it_waits(tasks):
    began, done = threading.Event(), []
    running = tasks.add(lambda task: endless(task, began))
    waiting = tasks.add(lambda task: done.append(1))
    assert began.wait(SECONDS)
    tasks.cancel(waiting)
    assert events_of(waiting)[-1] == ("cancelled", {})
    tasks.cancel(running)
    assert events_of(running)[-1] == ("cancelled", {})
    assert done == []


def test_a_page_that_is_closed_stops_its_task(tasks):
    task = tasks.add(endless)

    async def look_and_leave():
        events = task.follow()
        await anext(events)
        await events.aclose()

    asyncio.run(look_and_leave())
    assert events_of(task)[-1] == ("cancelled", {})


def test_one_of_two_followers_may_leave(tasks):
    gate = threading.Event()

    def work(task):
        gate.wait(SECONDS)
        task.check()

    task = tasks.add(work)

    async def both():
        first, second = task.follow(), task.follow()
        await anext(first), await anext(second)
        await first.aclose()
        gate.set()
        return [event.name async for event in second]

    assert asyncio.run(both()) == ["done"]


def test_a_task_that_no_page_ever_follows_stops(tasks, monkeypatch):
    monkeypatch.setattr(tasks_module, "UNFOLLOWED_SECONDS", 0.05)
    task = tasks.add(endless)
    deadline = time.monotonic() + SECONDS
    while not task.has_ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert events_of(task)[-1] == ("cancelled", {})


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UserError("the tune has no notes"), "the tune has no notes"),
        (OSError(28, "No space left on device", "a.mid"), "a.mid: No space left on device"),
        (RuntimeError("size mismatch\nmore"), "RuntimeError: size mismatch"),
        (MemoryError(), "MemoryError: MemoryError"),
    ],
)
def test_a_task_that_fails_says_why_and_the_next_begins(tasks, error, line, capsys):
    def fail(task):
        raise error

    task, following = tasks.add(fail), tasks.add(lambda task: None)
    assert events_of(task)[-1] == ("failed", {"error": line})
    assert events_of(following)[-1] == ("done", {})
    assert ("Traceback" in capsys.readouterr().err) == (not isinstance(error, UserError | OSError))


def test_closing_waits_for_what_is_being_written():
    tasks, began, finished = Tasks(), threading.Event(), []

    def work(task):
        began.set()
        time.sleep(0.1)  # writes a file
        finished.append("written")
        task.check()

    task, waiting = tasks.add(work), tasks.add(work)
    assert began.wait(SECONDS)
    tasks.close()
    assert finished == ["written"]
    assert [events_of(each)[-1][0] for each in (task, waiting)] == ["cancelled"] * 2
    with pytest.raises(UserError, match="stops"):
        tasks.add(work)


def test_tasks_that_ended_long_ago_are_forgotten(tasks):
    ended = [tasks.add(lambda task: None) for _ in range(tasks_module.KEPT + 20)]
    events_of(ended[-1])
    last = tasks.add(lambda task: None)
    with pytest.raises(KeyError):
        tasks.get(ended[0].id)
    assert tasks.get(last.id) is last

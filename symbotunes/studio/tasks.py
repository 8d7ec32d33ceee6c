"""What models are asked to write: one task at a time, whose events a page follows."""

import asyncio
import secrets
import sys
import threading
import traceback
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from symbotunes.errors import UserError, first_line

KEPT = 64  # tasks that have ended, for pages that ask late
UNFOLLOWED_SECONDS = 20.0  # after which a task that no page has followed is taken for abandoned
PATIENCE_SECONDS = 10.0  # for the last task when the studio ends
ENDS = ("done", "failed", "cancelled")


class Cancelled(Exception):
    """A task was cancelled."""


@dataclass(frozen=True)
class Event:
    """What has happened.

    Attributes:
        name: ``queued``, ``loading``, ``text``, ``piece``, or one of `ENDS`.
        data: about it, as JSON has it.
    """

    name: str
    data: dict[str, Any]


class Task:
    """What was asked, and what has happened to it.

    Args:
        work: carries it out, calls `tell` and `check`.
    """

    def __init__(self, work: Callable[["Task"], None]) -> None:
        self.id = secrets.token_hex(8)
        self.work = work
        self._events: list[Event] = []
        self._followers: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[Event]]] = []
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._followed = False

    @property
    def has_ended(self) -> bool:
        """Whether there is nothing more to come."""
        with self._lock:
            return bool(self._events) and self._events[-1].name in ENDS

    def tell(self, name: str, **data: Any) -> None:
        """Add an event; after one of `ENDS`, nothing is added."""
        with self._lock:
            if self._events and self._events[-1].name in ENDS:
                return
            event = Event(name, data)
            self._events.append(event)
            for loop, queue in self._followers:
                with suppress(RuntimeError):  # the loop is closed: the studio stops
                    loop.call_soon_threadsafe(queue.put_nowait, event)

    def cancel(self) -> None:
        """Have it stop at its next `check`."""
        self._cancelled.set()

    def check(self) -> None:
        """Called between any two steps of the work.

        Raises:
            Cancelled: if the task was cancelled.
        """
        if self._cancelled.is_set():
            raise Cancelled

    def abandon(self) -> None:
        """Cancel it unless a page follows it."""
        with self._lock:
            if self._followed:
                return
        self.cancel()

    async def follow(self) -> AsyncIterator[Event]:
        """The events from the first on; whoever stops following before the end cancels the task."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        follower = (asyncio.get_running_loop(), queue)
        with self._lock:
            self._followed = True
            for event in self._events:
                queue.put_nowait(event)
            self._followers.append(follower)
        try:
            while True:
                event = await queue.get()
                yield event
                if event.name in ENDS:
                    return
        finally:
            with self._lock:
                self._followers.remove(follower)
                is_last = not self._followers
            if is_last:
                self.cancel()


class Tasks:
    """A queue of tasks and the thread that carries them out, one after the other."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()
        self._running: Task | None = None
        self._known: dict[str, Task] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="studio-tasks", daemon=True)
        self._thread.start()

    def add(self, work: Callable[[Task], None], *, followed: bool = True) -> Task:
        """Append a task to the queue.

        Args:
            work: carries it out.
            followed: whether a page is going to follow it, without which it is cancelled.

        Raises:
            UserError: if the studio stops.
        """
        task = Task(work)
        with self._changed:
            if self._closed:
                raise UserError("the studio stops")
            self._known[task.id] = task
            self._waiting.append(task)
            self._tell_positions()
            self._forget()
            self._changed.notify_all()
        if followed:
            timer = threading.Timer(UNFOLLOWED_SECONDS, task.abandon)
            timer.daemon = True
            timer.start()
        return task

    def get(self, name: str) -> Task:
        """A task by its id.

        Raises:
            KeyError: if there is none, or it ended long ago.
        """
        with self._changed:
            return self._known[name]

    def cancel(self, task: Task) -> None:
        """Stop a task, or take it out of the queue."""
        task.cancel()
        with self._changed:
            if task in self._waiting:
                self._waiting.remove(task)
                task.tell("cancelled")
                self._tell_positions()

    def stop(self) -> None:
        """Cancel all tasks, and take no more; a signal handler may call this."""
        self._closed = True
        for task in [*self._waiting, *filter(None, [self._running])]:
            task.cancel()

    def close(self) -> None:
        """The same, and wait until what is being written is finished.

        What cannot be cancelled for longer, such as the preparation of training data, is given up.
        """
        with self._changed:
            self.stop()
            self._changed.notify_all()
        self._thread.join(PATIENCE_SECONDS)

    def _tell_positions(self) -> None:
        ahead = int(self._running is not None)
        for position, task in enumerate(self._waiting):
            task.tell("queued", position=position + ahead)

    def _forget(self) -> None:
        ended = [name for name, task in self._known.items() if task.has_ended]
        for name in ended[: max(0, len(ended) - KEPT)]:
            del self._known[name]

    def _run(self) -> None:
        while (task := self._next()) is not None:
            name, data = _outcome(task)
            with self._changed:
                self._running = None
                self._tell_positions()
            task.tell(name, **data)

    def _next(self) -> Task | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return None
            self._running = self._waiting.popleft()
            self._tell_positions()
            return self._running


def _outcome(task: Task) -> tuple[str, dict[str, str]]:
    """Carry out a task: the event with which it ends."""
    try:
        task.check()
        task.work(task)
    except Cancelled:
        return "cancelled", {}
    except UserError as error:
        return "failed", {"error": first_line(error)}
    except OSError as error:
        return "failed", {"error": f"{error.filename or 'a file'}: {error.strerror or error}"}
    except Exception as error:  # whatever a network raises, the studio goes on
        traceback.print_exception(error, file=sys.stderr)
        return "failed", {"error": f"{type(error).__name__}: {first_line(error)}"}
    return "done", {}

"""Stops a training run on a signal without losing a step."""

import os
import signal
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.utilities.exceptions import SIGTERMException

from symbotunes.system.ends import SAME_REQUEST_SECONDS, Ended
from symbotunes.system.streams import UNREAD, discard_from_now_on
from symbotunes.training.callbacks.checkpoints import (
    Saving,
    saving_makes_sense,
    validation_follows,
)
from symbotunes.training.steps import completes_step
from symbotunes.training.stop_signals import announcements, hangup, present

Handler = Callable[[int, FrameType | None], Any] | int | signal.Handlers | None


class Interrupted(Ended):
    """Training stopped on a signal with its state saved; if uncaught, it sets the exit status.

    The status is 130 for Ctrl-C, 143 for SIGTERM, 129 for SIGHUP, 138 and 140 for SIGUSR1 and
    SIGUSR2, with which schedulers announce the time limit. A job script that sees one of the last
    two requeues the job.
    """


class OnInterrupt(Saving):
    """On a signal, finishes the optimizer step, writes ``last.ckpt`` and stops.

    The signals are Ctrl-C, SIGTERM, SIGUSR1, SIGUSR2 (Windows has only the first two), and SIGHUP,
    which a closed terminal sends, unless it is ignored, as under ``nohup``. A second one ends the
    process immediately, unless it arrives within half a second: terminals and launchers may signal
    a process twice. A signal during validation takes effect after the validation and one more step.
    All handlers except SIGTERM's are installed in `on_fit_start`, because data workers fork soon
    after and inherit them: otherwise a worker would be killed by the Ctrl-C of its terminal, or by
    the signal that a scheduler sends to all processes.

    Once training has ended, SIGUSR1 and SIGUSR2 are ignored until the process exits: there is
    nothing left to save, and a job that they killed would be requeued only to write its tables and
    samples again. Before training begins they end the process as always, with the same exit status
    as an interrupted run, so that a job script requeues the job.

    Attributes:
        signal_received: number of the signal that requested the stop, or ``None``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.signal_received: int | None = None
        self._received_at = 0.0
        self._before: dict[int, Handler] = {}
        self._process = os.getpid()
        self._step_at_start = 0
        self._in_step = False
        self._saved = False

    def on_fit_start(self, *_: Any) -> None:
        self.signal_received = None
        self._in_step = self._saved = False
        self._process = os.getpid()
        for signum in (signal.SIGINT, *hangup(), *announcements()):
            self._replace(signum, self._handle)

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        correct_originals(trainer, self._before)
        # Lightning installs its own handler, which stops at arbitrary points, just before this.
        self._replace(signal.SIGTERM, self._handle)
        self._step_at_start = trainer.global_step
        if trainer.received_sigterm:
            self.signal_received = signal.SIGTERM

    def on_train_batch_start(self, *_: Any) -> None:
        self._in_step = True

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        _pl_module: lightning.LightningModule,
        _outputs: Any,
        _batch: Any,
        batch_idx: int,
    ) -> None:
        # Checkpoints do not hold accumulated gradients: continue until the optimizer has stepped.
        self._in_step = not completes_step(trainer, batch_idx)
        if not self._in_step and not validation_follows(trainer, batch_idx):
            self._stop_if_asked(trainer)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._stop_if_asked(trainer)

    def on_train_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        self._finish(trainer)

    def teardown(self, trainer: lightning.Trainer, *_: Any, **__: Any) -> None:
        self._finish(trainer)  # a run that is resumed after its last step has no `on_train_end`

    def on_exception(
        self,
        trainer: lightning.Trainer,
        _pl_module: lightning.LightningModule,
        exception: BaseException,
    ) -> None:
        self._restore()
        if isinstance(exception, KeyboardInterrupt):
            self.signal_received = self.signal_received or signal.SIGINT
        elif isinstance(exception, SIGTERMException):
            self.signal_received = self.signal_received or signal.SIGTERM
        # A scheduler's signal may kill the data workers, so that fetching a batch fails before the
        # next safe point; the state between two steps can still be saved.
        trained = trainer.global_step > self._step_at_start
        if self.signal_received and trained and not self._in_step and not self._saved:
            self._save_last(trainer)

    def _handle(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if os.getpid() != self._process:  # a forked data worker; the trainer decides
            return
        if self.signal_received is not None:
            if time.monotonic() - self._received_at < SAME_REQUEST_SECONDS:
                return
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        self.signal_received, self._received_at = signum, time.monotonic()
        name = signal.Signals(signum).name
        # print() is not reentrant and must not be called in a signal handler; write(2) may be.
        write_or_discard(
            2, f"\n{name}: stopping after this step; send it again to quit immediately\n".encode()
        )
        write_or_discard(1, b"")  # a later print() must not end the training before it has saved
        # Torch raises in the middle of a step if a data worker dies, perhaps from the same signal.
        for child_ended in present("SIGCHLD"):
            self._replace(child_ended, signal.SIG_DFL)

    def _stop_if_asked(self, trainer: lightning.Trainer) -> None:
        asked = self.signal_received is not None
        if trainer.world_size > 1:  # a signal may reach only one rank, but saving needs all of them
            asked = trainer.strategy.reduce_boolean_decision(asked, all=False)
        if asked:
            self.signal_received = self.signal_received or signal.SIGTERM
            self._save_last(trainer)
            raise Interrupted(self.signal_received)

    def _save_last(self, trainer: lightning.Trainer) -> None:
        if saving_makes_sense(trainer):
            self._saved = self.save(trainer, "last.ckpt")

    def _replace(self, signum: int, handler: Handler) -> None:
        try:
            before = signal.signal(signum, handler)
        except ValueError:  # not in the main thread, where signals cannot be handled
            return
        self._before.setdefault(signum, before)

    def _finish(self, trainer: lightning.Trainer) -> None:
        ignored = dict.fromkeys(self._before.keys() & announcements(), ignore)
        self._before.update(ignored)
        correct_originals(trainer, ignored)
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signum, handler = self._before.popitem()
            # None is a handler that was not installed from Python and cannot be restored.
            if handler is not None:
                signal.signal(signum, handler)


def ignore(signum: int, frame: FrameType | None) -> None:
    """Do nothing on a signal; unlike ``SIG_IGN``, processes started later do not inherit it."""


def write_or_discard(descriptor: int, text: bytes) -> None:
    """Write to a file descriptor; if nobody reads it any more, later writes to it are discarded.

    Args:
        descriptor: such as 2, standard error, whose terminal may have been closed.
        text: what is written; nothing also tells whether a terminal is closed.
    """
    try:
        os.write(descriptor, text)
    except OSError as error:
        if error.errno in UNREAD:
            discard_from_now_on(descriptor)


def correct_originals(trainer: lightning.Trainer, before: Mapping[int, Handler]) -> None:
    """Tell Lightning which handlers to restore when training ends.

    It records the handlers after `on_fit_start`, including ours, and would install those again.
    There is no public API for this; if the attribute is missing, ours stay installed.
    """
    originals = getattr(getattr(trainer, "_signal_connector", None), "_original_handlers", None)
    if originals:
        originals.update(before)

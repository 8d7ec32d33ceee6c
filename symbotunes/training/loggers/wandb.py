"""A W&B logger that never prompts, never stops training and always closes its run."""

import os
import shlex
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import wandb
from lightning.pytorch.loggers import WandbLogger
from lightning.pytorch.utilities import rank_zero_only

from symbotunes.errors import first_line
from symbotunes.files import atomic_write
from symbotunes.training.loggers.limits import config_within, name_within, tags_within
from symbotunes.training.loggers.records import STEP, Reached, reached

ID_FILE = "wandb_id"
FLUSH_SECONDS = 2.0  # the most that a killed run loses of its metrics
Mode = Literal["online", "offline", "disabled", "shared"]


class SafeWandbLogger(WandbLogger):
    """Logs to W&B in the run folder.

    It works offline if no API key is set. The run's id is stored in ``<save_dir>/wandb_id``, so
    that a resumed training continues in the same W&B run. Data that W&B already has never change:
    steps that a resumed training repeats are not logged again, and row numbers continue, so that
    the parts of a run that was resumed offline form one run when they are uploaded. Any problem
    with W&B is reported once; training then continues without it.

    Args:
        save_dir: folder of the run.
        project: project name on W&B.
        name: name of the run on W&B, shortened to 128 characters.
        number: number of the job in its sweep, added to the name.
        entity: user or team; ``None`` is the account's default.
        group: runs shown together, such as the jobs of a sweep.
        job_type: kind of run, such as ``train``.
        tags: short labels, truncated to 64 characters.
        notes: free text, or a list of lines.
        best_checkpoint: whether to upload the best checkpoint when training ends.
        mode: ``online``, ``offline``, ``disabled``, or ``None``: the environment variable
            ``WANDB_MODE``, otherwise online if there is an API key.
        files: parent of the folder ``wandb`` that W&B writes to; ``None`` is `save_dir`.
    """

    def __init__(
        self,
        save_dir: str | Path,
        project: str = "symbotunes",
        *,
        name: str | None = None,
        number: int | None = None,
        entity: str | None = None,
        group: str | None = None,
        job_type: str | None = "train",
        tags: Sequence[str] = (),
        notes: str | Sequence[str] | None = None,
        mode: Mode | None = None,
        best_checkpoint: bool = False,
        files: str | Path | None = None,
    ) -> None:
        self._folder = Path(save_dir)
        self._files = Path(files or save_dir)
        if number is not None:
            name = f"{name or 'job'}-{number}"
        super().__init__(
            name=name_within(name),
            save_dir=self._files,
            project=project,
            id=read_id(self._folder),
            entity=entity,
            group=name_within(group),
            job_type=job_type,
            tags=tags_within(tags),
            notes=notes if isinstance(notes, str | None) else "\n".join(map(str, notes)),
            reinit="finish_previous",  # jobs that share a process must not share a run
        )
        self._wandb_init.pop("anonymous", None)  # W&B has removed this option and warns about it
        self.best_checkpoint = best_checkpoint
        self._mode = mode
        self._before = Reached()
        self._first_row: int | None = None
        self._given_up = False
        self._said = False

    @property
    def experiment(self) -> Any:
        """The W&B run, or a dummy that ignores every call after a failure and on other ranks."""
        if (
            self._experiment is None
            and not self._given_up
            and getattr(rank_zero_only, "rank", 0) == 0
        ):
            self.attempt(self._start)
        return Nothing() if self._experiment is None else self._experiment

    @property
    def offline(self) -> bool:
        """Whether the run is only written to disk."""
        run = self._experiment
        return run is not None and bool(getattr(run, "offline", False))

    @property
    def continued(self) -> bool:
        """Whether an earlier training logged to this run."""
        _ = self.experiment
        return self._before.row >= 0

    @property
    def sync_command(self) -> str | None:
        """The command that uploads offline data, ``None`` if there are none."""
        folders = sorted((self._files / "wandb").glob(f"offline-run-*-{self.version}"))
        if not folders or not self.version:
            return None
        return "wandb sync " + " ".join(shlex.quote(str(folder)) for folder in folders)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log one row; rows of earlier trainings in this folder are not changed.

        Args:
            metrics: numbers and media.
            step: the trainer's step; it must not decrease between calls.
        """
        self.attempt(lambda: self._log(metrics, step))

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Show the config on W&B; plain containers only."""
        try:
            config = config_within(dict(vars(params) if isinstance(params, Namespace) else params))
        except ValueError as error:
            warnings.warn(f"W&B does not show the config: {error}", stacklevel=2)
            return
        self.attempt(lambda: super(SafeWandbLogger, self).log_hyperparams(config))

    @rank_zero_only
    def log_checkpoint(self, path: Path, metadata: Mapping[str, Any]) -> None:
        """Upload a checkpoint as version ``best`` of the artifact ``model-<run id>``."""
        self.attempt(lambda: self._upload(path, metadata))

    def watch(self, *arguments: Any, **named: Any) -> None:
        self.attempt(lambda: super(SafeWandbLogger, self).watch(*arguments, **named))

    def attempt(self, act: Callable[[], Any]) -> None:
        """Call a function that uses W&B; the first failure is a warning and disables W&B."""
        if self._given_up:
            return
        try:
            with staging_in(self._files / "wandb"):
                act()
        except Exception as error:  # W&B raises many types of errors; none may stop training
            self._given_up = True
            if not self._said:
                warnings.warn(f"training continues without W&B: {first_line(error)}", stacklevel=2)
            self._said = True

    @rank_zero_only
    def finish(self, exit_code: int = 0) -> None:
        """Close the run and print how to upload it; call this however training ended.

        Args:
            exit_code: 0 shows the run as finished, anything else as failed.
        """
        run, self._experiment = self._experiment, None
        if run is None:
            return
        offline = bool(getattr(run, "offline", False))
        self._id = run.id
        self._given_up = False  # a run that could not be written to may still be closed
        self.attempt(lambda: run.finish(exit_code=exit_code))
        self._given_up = True  # a late metric must not open a second run
        if offline and self.sync_command:
            print(self.sync_command)

    def _start(self) -> None:
        for folder in (self._folder, self._files):
            folder.mkdir(parents=True, exist_ok=True)
        asked = self._mode or os.environ.get("WANDB_MODE")
        mode = natural_mode() if asked in (None, "online") else asked
        if asked == "online" and mode == "offline":  # W&B itself would prompt for a key
            warnings.warn("W&B continues offline: no API key is known", stacklevel=2)
        try:
            run = self._open(mode)
        except Exception as error:  # such as no network, although a key is stored
            if mode != "online":
                raise
            warnings.warn(f"W&B continues offline: {first_line(error)}", stacklevel=2)
            run = self._open("offline")
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP, step_sync=True)
        self._experiment = run
        if run.id and self.offline:
            self._before = reached(self._files, run.id)
            self._first_row = self._before.row + 1  # online, the server tells W&B
        elif run.id:
            self._before = reached(self._files, run.id, run.starting_step)
        if run.id and mode != "disabled":
            atomic_write(self._folder / ID_FILE, f"{run.id}\n".encode())

    def _log(self, metrics: Mapping[str, Any], step: int | None) -> None:
        run = self.experiment
        if step is not None and step < self._before.step:
            return
        row = dict(metrics) if step is None else {**metrics, STEP: step}
        if self._first_row is None:
            run.log(row)
            return
        run.log(row, step=self._first_row, commit=True)
        self._first_row = None

    def _upload(self, path: Path, metadata: Mapping[str, Any]) -> None:
        run = self.experiment
        artifact = wandb.Artifact(f"model-{self.version}", type="model", metadata=dict(metadata))
        artifact.add_file(str(path), name=path.name)
        run.log_artifact(artifact, aliases=["best"])

    def _open(self, mode: Any) -> Any:
        # Offline, we print the exact sync command instead of W&B's own advice.
        settings = wandb.Settings(silent=mode != "online", **flushing())
        # Through this variable, a training started from this process would share its W&B service,
        # or this process that of its parent: the service may end first, and starts of the same run
        # get mixed up.
        os.environ.pop("WANDB_SERVICE", None)
        try:
            return wandb.init(**self._wandb_init, mode=mode, settings=settings)
        finally:
            os.environ.pop("WANDB_SERVICE", None)


class Nothing:
    """Accepts any use and does nothing."""

    def __getattr__(self, name: str) -> "Nothing":
        return self

    def __call__(self, *_: Any, **__: Any) -> "Nothing":
        return self

    def __getitem__(self, _: Any) -> "Nothing":
        return self

    def __setitem__(self, _: Any, __: Any) -> None:
        pass


def natural_mode() -> str:
    """``online`` if W&B has an API key, otherwise ``offline``; never prompts for one."""
    try:
        known = wandb.login(prompt=False)
    except Exception:  # a malformed key, which W&B would reject again
        known = False
    return "online" if known else "offline"


@contextmanager
def staging_in(folder: Path) -> Iterator[None]:
    """Let W&B keep copies of tables and checkpoints here until they are uploaded.

    By default they are in the user's home, where jobs may not be allowed to write and which other
    machines may not have. An existing ``WANDB_DATA_DIR`` takes precedence.
    """
    if "WANDB_DATA_DIR" in os.environ:
        yield
        return
    os.environ["WANDB_DATA_DIR"] = str(folder.absolute())
    try:
        yield
    finally:
        os.environ.pop("WANDB_DATA_DIR", None)


def flushing() -> dict[str, Any]:
    """Settings that make W&B write to disk often; older versions wait until 32 KiB are full."""
    name = "x_transaction_log_flush_interval"
    return {name: FLUSH_SECONDS} if name in wandb.Settings.model_fields else {}


def read_id(folder: Path) -> str | None:
    """Id of the W&B run that a training in this folder started."""
    try:
        return (folder / ID_FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None

"""Fetching a published file once, with many jobs, several addresses and verified bytes."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from symbotunes.datasets.base import DatasetError, sha256_of
from symbotunes.datasets.fetch.http import Patience, Report, TransferError, transfer
from symbotunes.files import atomic_write, settle
from symbotunes.system.locks import locked


@dataclass(frozen=True)
class Published:
    """A file as its publisher describes it.

    Attributes:
        urls: the address, then mirrors, tried in this order; a single one needs no list.
        size: in bytes, or ``None`` if it is not published.
        sha256: hexadecimal, or ``None``: it is then recorded at the first download.
    """

    urls: str | Sequence[str] | None
    size: int | None = None
    sha256: str | None = None

    @property
    def addresses(self) -> list[str]:
        """The addresses as a list, empty if there is none."""
        return [self.urls] if isinstance(self.urls, str) else list(self.urls or ())


def fetch_once(
    published: Published,
    target: Path,
    *,
    download: bool = True,
    advice: str = "",
    patience: Patience | None = None,
) -> Path:
    """The file at `target`, downloaded if it is not there yet, its checksum verified.

    Jobs that start together download it once. A broken transfer is resumed by the next attempt;
    `target` never holds anything but the complete file.

    Args:
        published: what to fetch, and from where.
        target: where the file belongs; one that the user put there is used as it is.
        download: whether the network may be used.
        advice: what else the user can do without a network, added to the error message.
        patience: how long to wait for servers.

    Raises:
        DatasetError: if the file cannot be downloaded, saying which file to put where, or if it is
            not the one that was published or downloaded before.
    """
    advice = f", {advice}" if advice else ""
    address = next(iter(published.addresses), "it")
    put_there = f"fetch {address} by other means and put it at {target}{advice}"
    try:
        if not target.is_file():
            if not (download and published.addresses):
                raise DatasetError(
                    f"{target.name} does not exist and may not be downloaded; {put_there}"
                )
            with only_one(target, "downloading"):
                if not target.is_file():
                    _fetch(published, target, put_there, patience or Patience())
                    return target
        verify(target, published.sha256)
    except OSError as error:
        raise DatasetError(f"could not write {target} ({error}); {put_there}") from error
    return target


def verify(path: Path, sha256: str | None) -> str:
    """SHA-256 of the file, which must be the published one or the one recorded next to it.

    Raises:
        DatasetError: if it is different.
    """
    record = _record(path)
    recorded = re.match(r"[0-9a-f]{64}\b", record.read_text()) if record.is_file() else None
    expected = sha256 or (recorded[0] if recorded else None)
    actual = sha256_of(path)
    if expected is not None and actual != expected.lower():
        advice = (
            "delete it to fetch it again, or set sha256=null in the dataset's config to use it"
            if sha256
            else f"it has changed since; delete it to fetch it again, or delete {record}"
        )
        raise DatasetError(f"{path} has SHA-256 {actual}, expected {expected}; {advice}")
    return actual


@contextmanager
def only_one(target: Path, activity: str) -> Iterator[None]:
    """Hold the lock for creating `target`; tells the user if another job has it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    waiting = f"Another job is {activity} {target.name}; waiting for it."
    with locked(
        target.with_name(f".{target.name}.lock"),
        busy=lambda: Console(stderr=True).print(waiting),
    ):
        yield


def _record(path: Path) -> Path:
    """The file next to a download that holds its checksum, in the format of ``sha256sum``."""
    return path.with_name(f"{path.name}.sha256")


def _fetch(published: Published, target: Path, put_there: str, patience: Patience) -> None:
    draft = target.with_name(f".{target.name}.part")
    failures = []
    with _progress(target.name) as report:
        for url in published.addresses:
            try:
                digest = _from(url, draft, published, patience, report)
            except TransferError as error:
                failures.append(f"{url}: {error}")
                continue
            _settle(draft, target, digest)
            return
    raise DatasetError(f"could not download {target.name} ({'; '.join(failures)}); {put_there}")


def _from(url: str, draft: Path, published: Published, patience: Patience, report: Report) -> str:
    """Try one address until the file is complete; returns its SHA-256.

    Raises:
        TransferError: that of the last attempt, if it is permanent or if too many attempts in a row
            received too little.
    """
    most, failures = 0, 0  # bytes on disk so far; attempts in a row that brought too few
    while True:
        continued = draft.is_file()
        try:
            transfer(
                url,
                draft,
                size=published.size,
                verified_later=published.sha256 is not None,
                patience=patience,
                report=report,
            )
            return _checked(draft, published.sha256, continued)
        except TransferError as error:
            received = draft.stat().st_size if draft.is_file() else 0
            # Otherwise a server that sends a few bytes per attempt would be retried forever.
            enough = received - most >= patience.min_speed * patience.timeout
            failures = 0 if enough else failures + 1
            most = max(most, received)
            if not error.again or failures >= patience.attempts:
                raise
            time.sleep(patience.pause * 2 ** max(0, failures - 1))


def _checked(draft: Path, sha256: str | None, continued: bool) -> str:
    """SHA-256 of a complete draft; a wrong one is deleted, and retried if it had been resumed."""
    digest = sha256_of(draft)
    if sha256 is not None and digest != sha256.lower():
        draft.unlink()
        raise TransferError(f"SHA-256 is {digest}, but {sha256} was published", again=continued)
    return digest


def _settle(draft: Path, target: Path, digest: str) -> None:
    """Rename the complete file, then record it: a crash leaves a complete file or none."""
    settle(draft, target)
    atomic_write(_record(target), f"{digest}  {target.name}\n")
    draft.with_name(f"{draft.name}.json").unlink(missing_ok=True)


@contextmanager
def _progress(name: str) -> Iterator[Report]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as bars:
        task = bars.add_task(f"Downloading {name}", total=None)
        update: Callable[..., None] = bars.update

        def report(done: int, total: int | None) -> None:
            update(task, completed=done, total=total)

        yield report

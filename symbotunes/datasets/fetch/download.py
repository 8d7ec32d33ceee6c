"""Fetching a published file once: many jobs, several addresses, checked bytes."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
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


@dataclass(frozen=True)
class Published:
    """A file as its publisher describes it.

    Attributes:
        urls: the address, then mirrors, tried in this order; one may stand without a list.
        size: bytes, or ``None`` if nobody says.
        sha256: hexadecimal, or ``None``: then it is recorded at the first download.
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

    Jobs that start together download once. A transfer that breaks is continued by the next one;
    nothing ever stands at `target` but the whole file.

    Args:
        published: what to fetch from where.
        target: where it belongs; a file that somebody else put there is as good.
        download: whether the network may be used.
        advice: what else its user can do without a network, added to the error.
        patience: with servers.

    Raises:
        DatasetError: if it cannot be had, saying what to put where, or if it is not the file that
            was published or downloaded before.
    """
    advice = f", {advice}" if advice else ""
    address = next(iter(published.addresses), "it")
    put_there = f"fetch {address} by other means and put it at {target}{advice}"
    try:
        if not target.is_file():
            if not (download and published.addresses):
                raise DatasetError(
                    f"{target.name} is not there and not to be downloaded; {put_there}"
                )
            with only_one(target, "downloads"):
                if not target.is_file():
                    _fetch(published, target, put_there, patience or Patience())
                    return target
        verify(target, published.sha256)
    except OSError as error:
        raise DatasetError(f"could not write {target} ({error}); {put_there}") from error
    return target


def verify(path: Path, sha256: str | None) -> str:
    """SHA-256 of the file, which must be the published one or the one recorded beside it.

    Raises:
        DatasetError: if it is another.
    """
    record = _record(path)
    found = re.match(r"[0-9a-f]{64}\b", record.read_text()) if record.is_file() else None
    expected = sha256 or (found[0] if found else None)
    actual = sha256_of(path)
    if expected is not None and actual != expected.lower():
        cure = (
            "delete it to fetch it again, or set sha256=null in the dataset's config to use it"
            if sha256
            else f"it has changed since; delete it to fetch it again, or delete {record}"
        )
        raise DatasetError(f"{path} has SHA-256 {actual}, expected {expected}; {cure}")
    return actual


@contextmanager
def only_one(target: Path, verb: str) -> Iterator[None]:
    """Hold the right to make `target`; tells the user if another job holds it already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        Console(stderr=True).print(f"Another job {verb} {target.name}; waiting for it.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _record(path: Path) -> Path:
    """The line of ``sha256sum`` beside a downloaded file."""
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
    """Attempts at one address until one succeeds or too many give too little; returns SHA-256.

    Raises:
        TransferError: the last one.
    """
    most, vain = 0, 0
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
            have = draft.stat().st_size if draft.is_file() else 0
            # A server that drips a few bytes into every attempt would never be given up.
            vain = 0 if have - most >= patience.min_speed * patience.timeout else vain + 1
            most = max(most, have)
            if not error.again or vain >= patience.attempts:
                raise
            time.sleep(patience.pause * 2 ** max(0, vain - 1))


def _checked(draft: Path, sha256: str | None, continued: bool) -> str:
    """SHA-256 of a whole draft; a wrong one is removed, and tried again if it had two halves."""
    digest = sha256_of(draft)
    if sha256 is not None and digest != sha256.lower():
        draft.unlink()
        raise TransferError(f"SHA-256 is {digest}, published is {sha256}", again=continued)
    return digest


def _settle(draft: Path, target: Path, digest: str) -> None:
    """Give the whole file its name, then record it: a crash leaves a whole file or none."""
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

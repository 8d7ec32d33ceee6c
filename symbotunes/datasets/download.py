"""Fetching a published file once."""

import http.client
import urllib.request
from pathlib import Path

from filelock import FileLock
from rich.progress import wrap_file

from symbotunes.datasets.base import DatasetError

TIMEOUT_SECONDS = 30


def fetch_once(url: str, target: Path) -> Path:
    """The file at `target`, downloaded if it is not there yet.

    Jobs that start together download once. A transfer that breaks leaves nothing at `target`.

    Raises:
        DatasetError: if it cannot be had, saying what to put where.
    """
    if target.is_file():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_name(f".{target.name}.lock")):
            if not target.is_file():
                _fetch(url, target)
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise DatasetError(
            f"could not download {url} ({reason}); fetch it by other means and put it at {target}"
        ) from error
    return target


def _fetch(url: str, target: Path) -> None:
    draft = target.with_name(f".{target.name}.part")
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:
            expected = int(response.headers.get("Content-Length") or 0)
            with wrap_file(response, expected, description=f"Downloading {target.name}") as source:
                draft.write_bytes(source.read())
        if expected and draft.stat().st_size != expected:
            raise OSError(f"{draft.stat().st_size:,} of {expected:,} bytes arrived")
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)

"""What a result depends on besides its config: source, versions and machine."""

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import symbotunes

PACKAGES = ("symbotunes", "torch", "lightning", "numpy", "symusic")
GIT_SECONDS = 10  # a network file system may be slow, but training must start


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that a result depends on most."""
    numbers: dict[str, str | None] = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            numbers[name] = version(name)
        except PackageNotFoundError:
            numbers[name] = None
    return numbers


def git_state(source: Path = Path(symbotunes.__file__).parent) -> dict[str, Any] | None:
    """Revision of the checkout that contains `source`, and whether it has uncommitted changes.

    Returns:
        ``None`` outside a checkout, and for a package that is merely installed somewhere below one.
    """
    if git(source, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    revision = git(source, "rev-parse", "HEAD")
    if revision is None:
        return None
    return {"revision": revision, "dirty": bool(git(source, "status", "--porcelain"))}


def git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command, ``None`` if it fails or git is not installed."""
    try:
        result = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def device_name(device: torch.device) -> str:
    """A readable name of the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "cpu":
        count = torch.get_num_threads()
        return f"CPU {platform.machine()}, {count} thread{'s' if count > 1 else ''}"
    return device.type.upper()


def command_line() -> list[str]:
    """The command that started this process, as it was typed."""
    return list(sys.argv)

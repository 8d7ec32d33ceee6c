"""The folders that a run writes to, and what to do if one of them cannot be written."""

import errno
import os
import shutil
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from symbotunes.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT) if os.name != "nt" else (errno.ENOSPC,)
ANOTHER = "set {} to a folder that can be written"
# What to do about each folder of the config; where two hold the same path, the first counts.
REMEDIES = {
    "export.out": ANOTHER.format("export.out"),
    "sample.out": ANOTHER.format("sample.out"),
    "sweep.dir": "copy this sweep to a folder of your own, and set sweep.dir to it",
    "sweep.resume": "ask its owner, or begin a sweep of your own",
    "hydra.run.dir": ANOTHER.format("SYMBOTUNES_OUTPUTS"),
    "hydra.sweep.dir": ANOTHER.format("SYMBOTUNES_OUTPUTS"),
    "paths.run_dir": ANOTHER.format("SYMBOTUNES_OUTPUTS"),
    "paths.root": ANOTHER.format("SYMBOTUNES_OUTPUTS"),
    "loader.cache": ANOTHER.format("SYMBOTUNES_DATA, or loader.cache,"),
    "paths.data": ANOTHER.format("SYMBOTUNES_DATA"),
}


def expand_home() -> None:
    """Replace ``~`` in the variables that name folders, as no shell does in quotes or in files."""
    for name in ("SYMBOTUNES_DATA", "SYMBOTUNES_OUTPUTS"):
        if os.environ.get(name, "").startswith("~"):
            os.environ[name] = os.path.expanduser(os.environ[name])  # noqa: PTH111


def unwritable(error: BaseException | None, cfg: DictConfig) -> UserError | None:
    """The line for an error of the file system in a folder that the run writes to.

    Args:
        error: any exception; its causes are looked at too, since constructors' are wrapped.
        cfg: the run's config, which names the folders.

    Returns:
        ``None`` for all other errors: those of files elsewhere, and of missing files in a folder
        that exists, which are mistakes of the program.
    """
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    if error is None or error.strerror is None:
        return None
    if error.filename is None:  # the error of a write knows no name
        return _line(fullest(cfg), error, "free space") if error.errno in FULL else None
    path = Path(os.fsdecode(error.filename)).absolute()
    for key, remedy in REMEDIES.items():
        folder = _folder(cfg, key)
        # The name may also be that of a parent, which could not be made.
        if folder is None or not (path.is_relative_to(folder) or folder.is_relative_to(path)):
            continue
        if isinstance(error, FileNotFoundError) and os.access(folder, os.F_OK):
            return None
        return _line(path, error, f"free space, or {remedy}" if error.errno in FULL else remedy)
    return None


def make_folder(folder: Path, cfg: DictConfig) -> None:
    """Make a folder that the run writes to, with its parents.

    Raises:
        UserError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        line = unwritable(error, cfg)
        if line is None:
            raise
        raise line from error


def fullest(cfg: DictConfig) -> Path:
    """That of the folders that a run writes to whose disk has the least free space."""
    keys = ["paths.root", *REMEDIES]  # the first of those on one disk
    return min(filter(None, (_folder(cfg, key) for key in keys)), key=free_mib)


def free_mib(folder: Path) -> int:
    """Free MiB on the disk of a folder, which need not exist."""
    parents = (path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    # No bytes, which would differ between two folders of one disk that others write to.
    return shutil.disk_usage(next(parents)).free // 2**20


def _folder(cfg: DictConfig, key: str) -> Path | None:
    value = OmegaConf.select(cfg, key, throw_on_resolution_failure=False)
    return None if value is None else Path(str(value)).absolute()


def _line(path: Path, error: OSError, remedy: str) -> UserError:
    line = UserError(f"{path} cannot be written: {error.strerror}; {remedy}")
    if os.access(path, os.F_OK) and not os.access(path, os.R_OK):
        line = UserError(f"{path} cannot be read: {error.strerror}; {remedy}")
    line.__cause__ = error  # for SYMBOTUNES_DEBUG=1
    return line

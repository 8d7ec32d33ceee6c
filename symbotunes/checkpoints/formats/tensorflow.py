"""The files of a TensorFlow checkpoint, and its variables.

A checkpoint is given by a folder or tar archive that contains it, its prefix (``model.ckpt``) or
its ``.index``; an ``.npz`` with variables by name is also read.
"""

import contextlib
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from symbotunes.checkpoints.formats.tensorflow_bundle import read_index, read_variables
from symbotunes.checkpoints.formats.tensorflow_table import BadCheckpoint
from symbotunes.errors import UserError

Array = NDArray[Any]
Files = Mapping[str, IO[bytes]]
ARCHIVES = (".tar", ".tar.gz", ".tgz")


def is_tensorflow(path: Path) -> bool:
    """Whether a path may be one: a folder, an archive, a prefix, an index, an ``.npz``."""
    archive = path.name.endswith((*ARCHIVES, ".npz", ".index"))
    return archive or path.is_dir() or Path(f"{path}.index").is_file()


def read_checkpoint(path: Path) -> dict[str, Array]:
    """Arrays by their names in TensorFlow, in any of the formats.

    Raises:
        UserError: if there is no checkpoint or more than one, or it is damaged.
    """
    try:
        if path.name.endswith(".npz"):
            with np.load(path, allow_pickle=False) as file:
                return {name.replace("|", "/"): file[name] for name in file.files}
        with _open(path) as files:
            return _read(path, files)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"no file at {path}; set model.init_from=PATH") from error
    except BadCheckpoint as error:
        raise UserError(f"{path} cannot be read: {error}") from error
    except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} is damaged, or holds no checkpoint") from error


def _read(path: Path, files: Files) -> dict[str, Array]:
    indices = sorted(name for name in files if name.endswith(".index"))
    if len(indices) != 1:
        content = f"several checkpoints: {', '.join(indices[:3])}" if indices else "no checkpoint"
        hint = "model.init_from takes a prefix too, such as DIR/model.ckpt"
        raise UserError(f"{path} holds {content}; {hint}")
    shard = re.compile(re.escape(indices[0].removesuffix("index")) + r"data-(\d{5})-of-\d{5}")
    matches = {name: shard.fullmatch(name) for name in files}
    shards = {int(match[1]): files[name] for name, match in matches.items() if match}
    return read_variables(read_index(files[indices[0]].read()), shards)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Files]:
    """The files of a checkpoint by name; archives are read in place, nothing is unpacked."""
    with contextlib.ExitStack() as stack:
        if path.name.endswith(ARCHIVES):
            archive = stack.enter_context(tarfile.open(path))
            members = [member for member in archive if member.isfile()]
            opened = {PurePosixPath(m.name).name: archive.extractfile(m) for m in members}
            yield {name: file for name, file in opened.items() if file is not None}
            return
        if path.is_dir():
            paths = [*path.glob("*.index"), *path.glob("*.data-*")]
        else:
            prefix = path.name.removesuffix(".index")
            names = (f"{prefix}.index", f"{prefix}.data-")
            paths = [file for file in path.parent.iterdir() if file.name.startswith(names)]
            if not paths:
                raise FileNotFoundError(path)
        yield {file.name: stack.enter_context(file.open("rb")) for file in paths}

"""Reading the weights of Magenta's MusicVAE, under the names of ours.

Their LSTM kernels hold input and unit rows together, ``[I + D, 4 D]``, with gates in the order
input, candidate, forget, output, and they add 1 to the forget gate when they run; ours hold rows
apart, in PyTorch's order, with that 1 in the bias.
"""

import contextlib
import re
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbotunes.checkpoints.importers.tensorflow_checkpoint import (
    BadCheckpoint,
    read_index,
    read_variables,
)
from symbotunes.errors import UserError

Array = NDArray[Any]
Files = Mapping[str, IO[bytes]]
FORGET_BIAS = 1.0
ARCHIVES = (".tar", ".tar.gz", ".tgz")
NOT_WEIGHTS = re.compile(r"^(global_step|beta[12]_power)$|/(Adam|Adam_1|ExponentialMovingAverage)$")
CELL = r"cell_(?P<layer>\d+)/lstm_cell/(?P<part>kernel|bias)"
CORE = r"(?:core_decoder/(?:core_decoder_(?P<core>\d+)/)?)?decoder"
LSTM_NAMES = {  # their name -> our layer, and what follows the names of its weights
    r"encoder/cell_(?P<layer>\d+)/bidirectional_rnn/(?P<way>fw|bw)/multi_rnn_cell/cell_0/"
    r"lstm_cell/(?P<part>kernel|bias)": "encoder.layers.{layer}",
    rf"{CORE}/multi_rnn_cell/{CELL}": "decoder.cores.{core}.stack.layers.{layer}",
    rf"decoder/hierarchical_level_0/{CELL}": "decoder.conductor.layers.{layer}",
}
DENSE_NAMES = {
    r"encoder/mu/(?P<part>kernel|bias)": "posterior.mean",
    r"encoder/sigma/(?P<part>kernel|bias)": "posterior.std",
    r"decoder/hierarchical_level_0/initial_state/(?P<part>kernel|bias)": "decoder.conductor.state",
    rf"{CORE}/z_to_initial_state/(?P<part>kernel|bias)": "decoder.cores.{core}.stack.state",
    rf"{CORE}/output_projection/(?P<part>kernel|bias)": "decoder.cores.{core}.head.project",
}
NADE_NAMES = {
    rf"{CORE}/nade/w_enc": "decoder.cores.{core}.head.enter",
    rf"{CORE}/nade/w_dec_t": "decoder.cores.{core}.head.leave",
}


def is_magenta(path: Path) -> bool:
    """Whether it looks like Magenta's: a folder, an archive, a prefix, an index, an ``.npz``."""
    archive = path.name.endswith((*ARCHIVES, ".npz", ".index"))
    return archive or path.is_dir() or Path(f"{path}.index").is_file()


def load_magenta(path: Path) -> dict[str, Tensor]:
    """Weights for ``MusicVAE.load_state_dict``.

    Args:
        path: a folder or tar archive that holds one checkpoint, the checkpoint's prefix
            (``model.ckpt``) or its ``.index``, or an ``.npz`` with the variables by name.

    Raises:
        UserError: if there is none or more than one, or it is damaged, or a variable is unknown.
    """
    variables = _variables(path)
    weights: dict[str, Tensor] = {}
    unknown = []
    for name, array in variables.items():
        if NOT_WEIGHTS.search(name):
            continue
        converted = _convert(name, array)
        if converted is None:
            unknown.append(name)
        weights |= converted or {}
    if unknown:
        raise UserError(f"{path} is no MusicVAE that can be read: it has {', '.join(unknown[:3])}")
    _require_pairs(path, weights)
    return weights


def _convert(name: str, array: Array) -> dict[str, Tensor] | None:
    """A variable as ours, or ``None`` if there is none such."""
    for table, change in ((LSTM_NAMES, _lstm), (DENSE_NAMES, _dense), (NADE_NAMES, _nade)):
        for pattern, ours in table.items():
            match = re.fullmatch(pattern, name)
            if match is None:
                continue
            groups = {key: value or "0" for key, value in match.groupdict().items()}
            arrays = change(ours.format(**groups), groups, array)
            return {
                key: torch.tensor(np.ascontiguousarray(value, np.float32))
                for key, value in arrays.items()
            }
    return None


def _lstm(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:
    end = "l0_reverse" if groups.get("way") == "bw" else "l0"
    i, g, f, o = np.split(array, 4, axis=-1)
    if groups["part"] == "bias":
        bias = np.concatenate([i, f + FORGET_BIAS, g, o])
        return {f"{ours}.bias_ih_{end}": bias, f"{ours}.bias_hh_{end}": np.zeros_like(bias)}
    kernel = np.concatenate([i, f, g, o], axis=-1).T  # [4 D, I + D]
    inputs = kernel.shape[1] - kernel.shape[0] // 4
    return {
        f"{ours}.weight_ih_{end}": kernel[:, :inputs],
        f"{ours}.weight_hh_{end}": kernel[:, inputs:],
    }


def _dense(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:
    if groups["part"] == "bias":
        return {f"{ours}.bias": array}
    return {f"{ours}.weight": array.T}


def _nade(ours: str, groups: Mapping[str, str], array: Array) -> dict[str, Array]:  # noqa: ARG001
    return {ours: array.reshape(len(array), -1)}  # [bits, 1, hidden] or [bits, hidden, 1]


def _require_pairs(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Raise `UserError` if a kernel has no bias, or the other way round, or all is missing."""
    for name in weights:
        other = name.replace("bias", "weight") if "bias" in name else name.replace("weight", "bias")
        if other not in weights:
            raise UserError(f"{path} is incomplete: it lacks what would be {other}")
    if not weights:
        raise UserError(f"{path} holds no weights")


def _variables(path: Path) -> dict[str, Array]:
    """Arrays by their names in TensorFlow, whatever they are stored in."""
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
        found = "no checkpoint" if not indices else f"several checkpoints: {', '.join(indices[:3])}"
        hint = "model.init_from takes a prefix too, such as DIR/model.ckpt"
        raise UserError(f"{path} holds {found}; {hint}")
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
            found = [*path.glob("*.index"), *path.glob("*.data-*")]
        else:
            prefix = path.name.removesuffix(".index")
            inside = path.parent.iterdir()
            found = [p for p in inside if p.name.startswith((f"{prefix}.index", f"{prefix}.data-"))]
            if not found:
                raise FileNotFoundError(path)
        yield {file.name: stack.enter_context(file.open("rb")) for file in found}

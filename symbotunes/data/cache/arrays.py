"""NumPy files that grow while they are written, and rows of ids spread over several of them."""

from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

SHARD_BYTES = 256 * 2**20  # a full shard; small enough to copy, large enough to be few


class GrowingArray:
    """A ``.npy`` file written piece by piece, so that it need not fit in memory.

    Args:
        path: the file; replaced if it exists.
        dtype: of the numbers.
        columns: numbers per row; 1 makes a flat array.
    """

    def __init__(self, path: Path, dtype: DTypeLike, columns: int = 1) -> None:
        self.dtype = np.dtype(dtype)
        self.columns = columns
        self.rows = 0
        self._file = path.open("wb")
        self._write_header()

    def _write_header(self) -> None:
        # NumPy leaves room for a longer first axis, so the final header fits over the first one.
        shape = (self.rows,) if self.columns == 1 else (self.rows, self.columns)
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, rows: NDArray[Any]) -> None:
        """Add rows ``[N]`` or ``[N, columns]``."""
        self._file.write(np.ascontiguousarray(rows, self.dtype).data)
        self.rows += len(rows)

    def close(self) -> None:
        """Write the final length and close the file."""
        end = self._file.tell()
        self._file.seek(0)
        self._write_header()
        self._file.seek(end)
        self._file.close()

    def __enter__(self) -> "GrowingArray":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class ShardWriter:
    """Examples end to end in ``ids-00000.npy``, ``ids-00001.npy``, ...; no example spans two files.

    Args:
        folder: where the files go.
        dtype: of the ids.
        fields: numbers per time step, F.
        limit_bytes: size at which a new file is started.
    """

    def __init__(
        self, folder: Path, dtype: DTypeLike, fields: int, limit_bytes: int = SHARD_BYTES
    ) -> None:
        self.folder = folder
        self.dtype = np.dtype(dtype)
        self.fields = fields
        self.limit = max(1, limit_bytes // (self.dtype.itemsize * fields))  # time steps
        self.sizes: list[int] = []  # time steps of each file
        self._open: GrowingArray | None = None

    def append(self, ids: NDArray[Any], lengths: NDArray[np.int64]) -> None:
        """Add examples.

        Args:
            ids: ``[sum of lengths]`` or ``[sum of lengths, F]``.
            lengths: ``[N]`` time steps of each example.
        """
        ends = np.cumsum(lengths)
        first = begin = 0
        while first < len(ends):
            room = self.limit - self.sizes[-1] if self.sizes else 0
            last = int(np.searchsorted(ends, begin + room, side="right"))
            if last == first:
                self._begin()
                last = first + 1  # an example larger than a file gets one to itself
            end = int(ends[last - 1])
            self._extend(ids[begin:end])
            first, begin = last, end

    def _extend(self, ids: NDArray[Any]) -> None:
        if self._open is None:
            raise RuntimeError("no shard is open")
        self._open.append(ids)
        self.sizes[-1] += len(ids)

    def _begin(self) -> None:
        self.close()
        path = self.folder / shard_name(len(self.sizes))
        self._open = GrowingArray(path, self.dtype, self.fields)
        self.sizes.append(0)

    def close(self) -> None:
        """Close the file that is open, if one is."""
        if self._open is not None:
            self._open.close()
            self._open = None


def shard_name(number: int) -> str:
    """File name of a shard."""
    return f"ids-{number:05d}.npy"


def smallest_dtype(largest: int) -> np.dtype[Any]:
    """The narrowest unsigned type that holds `largest`."""
    return np.dtype(np.min_scalar_type(largest))


def flat_index(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices of spans that begin at `starts`, end to end: ``[sum of lengths]``."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - ends + lengths, lengths)

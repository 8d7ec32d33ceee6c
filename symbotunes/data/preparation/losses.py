"""Every piece that is dropped, counted in the receipt and listed in a table."""

import csv
from pathlib import Path
from types import TracebackType
from typing import IO

from symbotunes.data.cache.encoded import DROPPED
from symbotunes.data.receipt import Receipt


class Losses:
    """The dropped pieces of a corpus, one row each, written as they are dropped.

    Args:
        folder: of the cache.
        receipt: counts them.
    """

    def __init__(self, folder: Path, receipt: Receipt) -> None:
        self.receipt = receipt
        self._file: IO[str] = (folder / DROPPED).open(
            "w", encoding="utf-8", errors="backslashreplace", newline=""
        )
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._rows.writerow(("piece", "reason", "value"))

    def drop(self, reason: str, piece_id: str, value: str = "") -> None:
        """Count and list one piece.

        Args:
            reason: a short phrase that receipts count.
            piece_id: of the piece.
            value: what the reason is about, such as a length or the word that could not be read.
        """
        self.receipt.drop(reason, piece_id)
        self._rows.writerow((piece_id, reason, value))

    def __enter__(self) -> "Losses":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

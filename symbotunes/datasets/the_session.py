"""The settings of thesession.org: tens of thousands of versions of Irish and related tunes.

Contributed by the members of the site; dumped about once a week by Jeremy Keith to
https://github.com/adactio/TheSession-data. The license is the Open Database License 1.0, to which
the publisher has added a clause that forbids use with large language models: read ``LICENSE.md``
there and judge for yourself before training on it.
"""

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.datasets.fetch.download import Published, fetch_once
from symbotunes.music.abc.tune import AbcTune

FIELDS = ("setting_id", "name", "type", "meter", "mode", "abc")


class TheSession(Corpus):
    """Every setting as a tune; titles may repeat, ids do not.

    Settings of one tune, as the site groups them by ``tune_id``, are versions of one work.

    Args:
        path: the dump, ``tunes.csv`` or ``tunes.json``; downloaded here if it does not exist.
        urls: published address, then mirrors.
        size: in bytes, or ``None``: it grows every week.
        sha256: of the dump, or ``None``: it changes every week.
        download: whether the network may be used.
    """

    FORMAT = "abc"
    WRITES = ("path",)
    FETCHES = ("urls", "size", "sha256", "download")

    def __init__(
        self,
        path: str | Path,
        urls: str | list[str],
        size: int | None = None,
        sha256: str | None = None,
        download: bool = True,
    ) -> None:
        self.path = Path(path).expanduser()
        self.published = Published(urls, size, sha256)
        self.download = download

    def files(self) -> list[Path]:
        return [fetch_once(self.published, self.path, download=self.download)]

    def is_at_hand(self) -> bool:
        return self.path.is_file()

    def owns(self, path: Path) -> bool:
        return path == self.path

    def read(self, path: Path) -> Iterator[AbcTune | Dropped]:
        for number, row in enumerate(_rows(path), start=1):
            if any(not isinstance(row.get(field), str) for field in FIELDS):
                yield Dropped(f"{path.name}, row {number}", "incomplete row")
            else:
                yield _tune(row, path.name)


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows of the dump; raises `DatasetError` if the file is not a dump."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = json.load(file) if path.suffix == ".json" else csv.DictReader(file)
            for number, row in enumerate(rows):
                if not number and not set(FIELDS) <= set(row):
                    raise ValueError(f"its columns are {', '.join(map(str, row))[:80]}")
                yield row
    except (csv.Error, ValueError) as error:
        raise DatasetError(
            f"{path} is not a dump of thesession.org's tunes ({error}); delete it and retry"
        ) from error


def _tune(row: Mapping[str, Any], file_name: str) -> AbcTune:
    """A row as ABC; the site writes all tunes in eighths."""
    line = {field: " ".join(row[field].split()) for field in ("name", "type", "meter", "mode")}
    text = "\n".join(
        [
            f"X:{row['setting_id']}",
            f"T:{line['name']}",
            f"R:{line['type']}",
            f"M:{line['meter']}",
            "L:1/8",
            f"K:{line['mode']}",
            *(part.strip() for part in row["abc"].splitlines() if part.strip()),
        ]
    )
    return AbcTune(
        id=f"{file_name}#{row['setting_id']}",
        text=text,
        title=line["name"],
        collection="thesession.org",
        rhythm=line["type"],
        work=f"thesession.org/{tune_id}" if (tune_id := _tune_id(row)) else "",
    )


def _tune_id(row: Mapping[str, Any]) -> str:
    """The site's number for the tune of a setting; empty in a dump without these numbers."""
    value = row.get("tune_id")
    return str(value).strip() if isinstance(value, str | int) else ""

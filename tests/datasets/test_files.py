"""Which files below a folder belong to a corpus."""

import os
from pathlib import Path

import pytest

from symbotunes.datasets.abc_folder import AbcFiles
from symbotunes.datasets.midi_folder import MidiFolder


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "music"
    (root / "locked").mkdir(parents=True)
    for name in ("tune.abc", "song.mid", ".hidden.abc", ".hidden.mid"):
        (root / name).touch()
    return root


@pytest.mark.parametrize(("corpus", "name"), [(AbcFiles, "tune.abc"), (MidiFolder, "song.mid")])
def test_a_folder_that_may_not_be_read_is_left_out(corpus, name, folder, monkeypatch):
    scandir = os.scandir

    def guarded(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.warns(UserWarning, match="locked may not be read and is left out"):
        assert corpus(folder).files() == [folder / name]

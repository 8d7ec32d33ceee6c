"""mode=prepare, without the command line around it."""

from pathlib import Path

import pytest

from symbotunes.errors import UserError
from symbotunes.modes.prepare import prepare
from tests.composing import composed


def run(cache: Path, *overrides: str) -> None:
    cfg = composed(
        "mode=prepare",
        f"loader.cache={cache}",
        "loader.prepare_workers=0",
        "dataset.collections=[nottingham-dataset]",
        "transforms.abc_tokens.min_count=1",
        *overrides,
    )
    prepare(cfg)


def test_a_corpus_is_prepared_listed_and_removed(tmp_path, capsys):
    run(tmp_path)
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    text = capsys.readouterr().out
    assert "kept for train" in text
    assert text.rstrip().endswith(f"Prepared in {folder}")
    run(tmp_path, "prepare.list=true")
    assert folder.name in capsys.readouterr().out
    run(tmp_path, f"prepare.clean={folder.name}")
    assert capsys.readouterr().out.startswith("Removed 1 cache")
    assert not folder.exists()
    with pytest.raises(UserError, match="no cache of that name"):
        run(tmp_path, "prepare.clean=abc")

"""mode=prepare on the command line."""

import re

DATA = ["dataset.collections=[nottingham-dataset]", "transforms.abc_tokens.min_count=1"]


def test_a_corpus_is_prepared_listed_and_removed(run_main, tmp_path):
    outputs = tmp_path / "outputs"
    first = run_main(outputs, "mode=prepare", *DATA, "loader.prepare_workers=1").stdout
    assert re.search(r"kept for train", first)
    (folder,) = (path for path in (tmp_path / "data" / "cache").iterdir() if path.is_dir())
    assert first.rstrip().endswith(f"Prepared in {folder}")
    listed = run_main(outputs, "mode=prepare", "prepare.list=true").stdout
    assert folder.name in listed
    assert re.search(r"last used", listed)
    removed = run_main(outputs, "mode=prepare", f"prepare.clean={folder.name}").stdout
    assert removed.startswith("Removed 1 cache")
    assert not folder.exists()
    unknown = run_main(outputs, "mode=prepare", "prepare.clean=0123", check=False)
    assert unknown.returncode == 2
    assert "no cache of that name" in unknown.stderr

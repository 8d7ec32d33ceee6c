"""A file that a user names is read, or refused in one line that says why."""

import pytest

from symbotunes.errors import UserError
from symbotunes.generation.latent.inputs import Source, read_windows
from symbotunes.generation.pieces import read_piece
from symbotunes.tokenizers.windows import Melody


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gone.mid", "there is no such file"),
        ("self.mid", "Too many levels of symbolic links"),
        ("folder.mid", "it is not a file"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_path_that_is_no_file_is_refused(tmp_path, name, reason):
    (tmp_path / "self.mid").symlink_to("self.mid")
    (tmp_path / "folder.mid").mkdir()
    with pytest.raises(UserError, match=f"{name}: {reason}$"):
        read_piece(tmp_path / name, "midi")
    with pytest.raises(UserError, match=f"sample.input=.*{name}: {reason}$"):
        read_windows(Source(tmp_path / name, "sample.input"), Melody())

import io
from types import SimpleNamespace

import pytest
from PIL import Image

from symbotunes.training.loggers import media
from symbotunes.training.loggers.records import history
from symbotunes.training.loggers.wandb import SafeWandbLogger
from tests.wandb_files import closed_files

pytestmark = pytest.mark.usefixtures("no_account")


def sample(name: str, **changes: object) -> SimpleNamespace:
    fields = {
        "name": name,
        "title": name.title(),
        "seed": 7,
        "abc": "X:1\nK:C\nC|]\n",
        "nll_nats": 6.0,
        "generated": 3,
        "finished": True,
        "bars": 4,
        "right_bars": 3,
    }
    return SimpleNamespace(**fields | changes)


@pytest.fixture
def folder(tmp_path):
    """What a gallery leaves of one sample."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 4)).save(picture, "PNG")
    silence = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x22\x56\0\0D\xac\0\0\2\0\x10\0data\0\0\0\0"
    (tmp_path / "one.wav").write_bytes(silence)
    (tmp_path / "one.png").write_bytes(picture.getvalue())
    (tmp_path / "one.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return tmp_path


def test_a_panel_reaches_an_offline_run_as_sound_roll_notation_and_table(run_dir, folder):
    logger = SafeWandbLogger(run_dir)
    panel = [sample("one"), sample("two")]  # the second could not be rendered
    media.log_samples(logger, panel, folder, step=6)
    logger.finish(0)
    (path,) = closed_files(run_dir, logger.version)
    (row,) = history(path)
    kinds = {name: kind for name, kind in row.items() if name.endswith("._type")}
    assert kinds == {
        "samples/table._type": "table-file",
        "samples/one/audio._type": "audio-file",
        "samples/one/roll._type": "image-file",
        "samples/one/notation._type": "html-file",
    }
    assert row["trainer/global_step"] == 6
    page = path.parent / "files" / row["samples/one/notation.path"]
    assert "<svg" in page.read_text()


def test_the_table_has_a_row_per_sample_with_nats_per_token_and_the_share_of_right_bars():
    table = media.sample_table(
        [sample("one"), sample("two", generated=0, finished=False, bars=None)], trained=6
    )
    assert table.data == [
        [6, "one", 7, "X:1\nK:C\nC|]\n", 2.0, True, 0.75],
        [6, "two", 7, "X:1\nK:C\nC|]\n", None, False, None],
    ]

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from symbotunes.loggers import media
from symbotunes.loggers.wandb import SafeWandbLogger

pytestmark = pytest.mark.usefixtures("no_account")


def sample(name: str, **changes: object) -> SimpleNamespace:
    fields = {
        "name": name,
        "title": name.title(),
        "score": object(),
        "abc": "X:1\nK:C\nC|]\n",
        "nll_nats": 6.0,
        "generated": 3,
        "finished": True,
    }
    return SimpleNamespace(**fields | changes)


@pytest.fixture(autouse=True)
def renderer(monkeypatch) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 4)).save(picture, "PNG")
    monkeypatch.setattr(media, "synthesize", lambda score: np.zeros((1, 2205), np.float32))
    monkeypatch.setattr(media, "piano_roll_png", lambda score: picture.getvalue())


def test_a_panel_reaches_an_offline_run_as_sound_picture_and_table(run_dir):
    logger = SafeWandbLogger(run_dir)
    media.log_samples(logger, [sample("one"), sample("two", score=None)], step=5)
    logger.finish(0)
    files = [path for path in run_dir.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".wav"]) == 1  # the other has no score
    assert len([path for path in files if path.suffix == ".png"]) == 1
    assert len([path for path in files if path.name.endswith(".table.json")]) == 1


def test_the_table_has_a_row_per_sample_with_nats_per_token():
    table = media.sample_table([sample("one"), sample("two", generated=0, finished=False)], step=5)
    assert table.data == [
        [5, "one", "X:1\nK:C\nC|]\n", 2.0, True],
        [5, "two", "X:1\nK:C\nC|]\n", None, False],
    ]

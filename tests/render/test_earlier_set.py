"""Sets of files replace only what an earlier set of ours has written."""

import pytest

from symbotunes.errors import UserError
from symbotunes.files import atomic_write
from symbotunes.render import gallery
from symbotunes.render.earlier_set import refuse_other_page
from symbotunes.render.gallery import write_gallery


def write(folder, *samples):
    write_gallery(folder, samples, heading="Heard", facts={})


@pytest.mark.parametrize("name", ["sample_01.mid", "sample_01.svg", "index.html", "samples.json"])
def test_samples_leave_files_of_others_alone(tmp_path, make_sample, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(UserError, match=f"{name} is in the way"):
        write(tmp_path, make_sample())
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_samples_replace_an_earlier_set_and_keep_what_lies_beside_it(tmp_path, make_sample):
    write(tmp_path, make_sample(), make_sample("sample_02"))
    (tmp_path / "sample_03.mid").write_text("mine")
    write(tmp_path, make_sample())
    assert not list(tmp_path.glob("sample_02.*"))
    assert (tmp_path / "sample_03.mid").read_text() == "mine"
    with pytest.raises(UserError, match=r"sample_03\.mid is in the way"):
        write(tmp_path, make_sample(), make_sample("sample_03"))


def test_a_set_that_was_interrupted_is_replaced_too(tmp_path, make_sample, monkeypatch):
    def stop(path, data):
        atomic_write(path, data)
        if path.name == "sample_01.mid":
            raise KeyboardInterrupt

    monkeypatch.setattr(gallery, "atomic_write", stop)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, make_sample())
    monkeypatch.undo()
    assert (tmp_path / "sample_01.abc").exists()
    write(tmp_path, make_sample(abc=None))
    assert not (tmp_path / "sample_01.abc").exists()
    assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize("table", ["report.json", "compare.json"])
def test_a_page_replaces_one_of_its_kind_and_no_other(tmp_path, table):
    refuse_other_page(tmp_path, table)
    (tmp_path / "index.html").touch()
    with pytest.raises(UserError, match=r"index\.html is in the way"):
        refuse_other_page(tmp_path, table)
    (tmp_path / table).write_text('{"figures": 1}')
    with pytest.raises(UserError, match=f"{table} is in the way"):
        refuse_other_page(tmp_path, table)
    (tmp_path / table).write_text('{"facts": {"model": "small"}}')
    refuse_other_page(tmp_path, table)

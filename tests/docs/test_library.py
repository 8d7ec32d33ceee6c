"""The pages and the notebook on the library show code that runs, and name all of it."""

import re
import shutil
from importlib.util import find_spec

import pytest

import symbotunes
from tests.docs.pages import ROOT, blocks

NOTEBOOK = ROOT / "examples" / "first_tunes.ipynb"
TRAININGS = ROOT / "examples" / "two_trainings.ipynb"


def code_of(page):
    return [block.text for block in blocks(ROOT / page) if block.language == "python"]


def test_the_page_and_the_notebook_begin_with_the_lines_of_the_readme():
    nbformat = pytest.importorskip("nbformat")
    (lines,) = code_of("README.md")
    assert code_of("docs/library.md")[0] == lines
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    places = [code.find(line) for line in lines.splitlines() if line]
    assert len(places) == 5
    assert -1 not in places
    assert places == sorted(places)


def test_notebooks_are_kept_without_outputs():
    nbformat = pytest.importorskip("nbformat")
    for notebook in (NOTEBOOK, TRAININGS):
        cells = nbformat.read(notebook, as_version=4).cells
        assert [cell.outputs for cell in cells if cell.get("outputs")] == []


def test_the_reference_names_the_library_and_every_method_is_explained():
    entries = set(
        re.findall(r"^::: [\w.]+\.(\w+)$", (ROOT / "docs/reference.md").read_text(), re.M)
    )
    assert set(symbotunes.__all__) <= entries
    page = (ROOT / "docs/library.md").read_text()
    methods = [
        name
        for name, value in vars(symbotunes.TrainedModel).items()
        if callable(value) and not name.startswith("_") and name != "compose"  # which modes call
    ]
    assert len(methods) == 8
    assert [name for name in methods if f"`{name}(" not in page] == []


@pytest.mark.slow("a 5.6 M model writes several tunes")
def test_the_code_of_the_page_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in code_of("docs/library.md"):
        exec(compile(block, "library.md", "exec"), names)  # noqa: S102
    assert len(names["beginning"]) == 3
    printed = capsys.readouterr().out
    assert "has no latent space" in printed
    assert printed.count("()") >= 1


@pytest.mark.slow("starts a kernel, which imports torch, and writes a dozen tunes")
def test_the_notebook_runs_and_shows_its_pieces(tmp_path):
    if find_spec("nbclient") is None:
        pytest.skip("nbclient is not installed")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    pages = [page for output in outputs if (page := output.get("data", {}).get("text/html"))]
    assert len(pages) == 2  # the tune, and the continuation
    for page in pages:
        assert "<audio" in page
        assert "svg" in page
    printed = "".join(output.get("text", "") for output in outputs)
    assert "K:Ddor" in printed
    nats = [float(text) for text in re.findall(r": ([\d.]+) nats per token", printed)]
    assert len(nats) == 3
    assert nats == sorted(nats)  # the higher the temperature, the more surprising the tunes
    tune, scale = (float(text) for text in re.findall(r": ([\d.]+) bits per note", printed))
    assert tune < scale
    assert {path.name for path in tmp_path.iterdir()} == {"scale.abc", "tune.mid", "tune.png"}


@pytest.mark.slow("a 5.6 M model writes two tunes")
def test_the_gallery_shows_what_the_included_model_writes():
    page = (ROOT / "docs" / "gallery.md").read_text()
    shown = [
        block.text for block in blocks(ROOT / "docs" / "gallery.md") if block.language == "abc"
    ]
    pieces = symbotunes.load("pretrained/folk_rnn").sample(2, seed=1, constraint=None)
    assert [piece.abc.strip() for piece in pieces] == [text.strip() for text in shown[:2]]
    for number in (1, 2):
        assert f"gallery/folk_rnn_pretrained_{number:02d}.svg" in page


def test_the_code_of_the_page_on_notebooks_runs(trained, tmp_path, monkeypatch, capsys):
    for name in ("lstm", "transformer"):
        shutil.copytree(trained, tmp_path / "outputs" / "train" / name)
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in code_of("docs/notebook.md"):
        exec(compile(block, "notebook.md", "exec"), names)  # noqa: S102
    assert len(names["pieces"]) == 4
    assert (tmp_path / "loss.svg").read_text().count("<svg") == 1
    assert "nats per token" in capsys.readouterr().out


@pytest.mark.slow("starts a kernel and trains two networks")
def test_the_notebook_on_trainings_runs(tmp_path):
    if find_spec("nbclient") is None:
        pytest.skip("nbclient is not installed")
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(TRAININGS, as_version=4)
    (training,) = [cell for cell in notebook.cells if "trainer.max_time" in cell.source
                   and cell.cell_type == "code"]  # fmt: skip
    short = "00:00:00:04 trainer=cpu sample.max_tokens=60"
    training.source = training.source.replace("00:00:01:00", short)
    resources = {"metadata": {"path": tmp_path}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    shown = [output.get("data", {}) for output in outputs]
    assert sum("image/svg+xml" in data for data in shown) == 2  # the curves
    assert sum("<audio" in data.get("text/html", "") for data in shown) == 2  # the pieces
    printed = "".join(output.get("text", "") for output in outputs)
    assert len(re.findall(r"learning rate [\d.]+, validation loss [\d.]+", printed)) == 2

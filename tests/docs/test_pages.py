"""The site builds without network, and what its pages list is what there is."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
import yaml

from symbotunes.config.build import build
from symbotunes.tokenizers.base import Vocabulary
from tests.composing import composed
from tests.docs.pages import PAGES, ROOT

pytestmark = pytest.mark.xdist_group("pages")  # one process builds the site
DOCS = ROOT / "docs"
MESSAGE = re.compile(r"^\| (`+)(?P<text>.*?)\1 \|", re.M)
OUTSIDE = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(?:https?:)?//", re.I)
SIZES = re.compile(r"^\| `(?P<model>\w+)` \|.* (?P<millions>[\d.]+) M \|", re.M)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; on CI a missing mkdocs is an error."""
    if find_spec("mkdocs") is None and not os.environ.get("CI"):
        pytest.skip("mkdocs is not installed")
    folder = tmp_path_factory.mktemp("site")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.mark.slow("builds the site")
def test_the_site_builds_and_has_every_page(site):
    built = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    assert {page.relative_to(DOCS).with_suffix("") for page in DOCS.rglob("*.md")} <= built


@pytest.mark.slow("builds the site")
def test_the_pages_load_nothing_from_other_hosts(site):
    for page in site.rglob("*.html"):
        text = re.sub(r"<link rel=\"?canonical[^>]*>", "", page.read_text())
        assert OUTSIDE.search(text) is None, (page, OUTSIDE.search(text))


@pytest.mark.slow("builds the site")
def test_the_reference_holds_the_docstrings_of_the_library(site):
    page = (site / "reference.html").read_text()
    anchors = set(re.findall(r'id="symbotunes\.([\w.]+)"', page))
    assert {
        "api.load",
        "checkpoints.trained_model.TrainedModel.continue_",
        "render.piece.Piece.save",
        "evaluation.likelihood.Likelihood.bits_per_note",
        "models.base.SequenceModel.step",
        "datasets.base.Corpus.read",
    } <= anchors
    assert not [name for name in anchors if name.rpartition(".")[2].startswith("_")]
    assert "Continue the first bars of a piece." in page


def template(node):
    """A string of the source, with … for what is filled in; ``None`` for other nodes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
        return "".join(map(str, parts))
    return None


def test_every_message_of_the_troubleshooting_page_is_one_of_the_program():
    page = (DOCS / "troubleshooting.md").read_text()
    messages = [found["text"].strip() for found in MESSAGE.finditer(page)]
    said = {
        text
        for path in (ROOT / "symbotunes").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (text := template(node)) is not None
    }
    assert len(messages) > 70
    strangers = [each for each in messages if not any(each in text for text in said)]
    assert strangers == []


LISTED = {  # page -> groups whose options it lists
    "datasets": ["dataset"],
    "transforms": ["transforms"],
    "sweeps": ["sweep", "launch"],
    "training": [
        "callbacks", "debug", "loader", "logger", "model/optimizer", "model/scheduler", "trainer",
    ],
}  # fmt: skip


@pytest.mark.parametrize("page", LISTED)
def test_a_page_lists_every_option_of_its_groups(page):
    text = (DOCS / f"{page}.md").read_text()
    for group in LISTED[page]:
        for path in (ROOT / "conf" / group).glob("*.yaml"):
            assert f"`{path.stem}`" in text, path


def test_the_sampling_guide_names_every_key():
    text = (DOCS / "sampling.md").read_text()
    for path in (ROOT / "conf" / "sample").glob("*.yaml"):
        for key in set(yaml.safe_load(path.read_text())) - {"_target_", "defaults"}:
            assert f"`{key}`" in text, (path, key)
        assert f"sample={path.stem}" in text


def test_the_sizes_of_models_are_those_of_the_networks():
    found = [
        (sizes["model"], float(sizes["millions"]))
        for page in (DOCS / "models").glob("*.md")
        for sizes in SIZES.finditer(page.read_text())
    ]
    assert {path.stem for path in (ROOT / "conf" / "model").glob("[a-z]*.yaml")} == {
        name for name, _ in found
    }
    performances = dict.fromkeys(("performance_rnn", "performance_rnn_small"), 388)
    triplets = dict.fromkeys(("amt_mini", "amt_small", "amt_medium", "amt_large"), 55028)
    vocabularies = {
        "folk_rnn": 137,
        "gpt2_small": 50257,
        "voice_rnn": 49,
        **performances,
        **triplets,
    }
    for name, millions in found:
        net = composed(f"model={name}").model.net
        size = vocabularies.get(name, 120)
        if "symbols" in net:
            symbols = build(net.symbols)
            size = next(n for n in range(2, 4000) if symbols.fits(n))
        with torch.device("meta"):
            network = build(net, vocabulary=Vocabulary(size, 0, 1))
        count = sum(each.numel() for each in network.parameters() if each.requires_grad)
        assert round(count / 1e6, 1) == millions, name


def test_pictures_are_small_and_shown():
    shown = "".join(page.read_text() for page in PAGES)
    for path in (*(DOCS / "pictures").iterdir(), *(DOCS / "gallery").glob("*.[sp][vn]g")):
        assert path.stat().st_size < 300_000, path
        assert f"{path.parent.name}/{path.name}" in shown


def test_the_links_of_the_readme_lead_somewhere():
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", text)
    assert len(targets) > 10
    assert [target for target in targets if not (ROOT / target).exists()] == []

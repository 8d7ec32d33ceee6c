"""Imports point one way; see "Who may import whom" in CONTRIBUTING.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symbotunes"
# A package may import from its own line and the lines above it.
LAYERS = [
    {"errors", "atomic", "jobs", "places", "allocator"},
    {"scores", "modules"},
    {"tokenizers", "sampling", "render", "metrics", "optim", "muon"},
    {"transforms", "models"},
    {
        "datasets", "data", "lit", "importers", "prompts", "composing", "latent", "baselines",
        "scoring", "evaluating", "comparing", "invented",
    },
    {
        "callbacks", "loggers", "checkpoint", "published", "model_card", "weights", "config",
        "trainer", "reports", "checking", "trust",
    },
    {"train", "sample", "evaluate", "compare", "prepare", "convert", "report", "export", "check"},
    {"options", "suggestions", "misfits", "cli", "isolation", "job", "sweeping", "__main__"},
]  # fmt: skip
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
ONLY_HERE = {  # third-party library -> the only places that may know about it
    "hydra": {
        "config", "checkpoint", "suggestions", "misfits", "cli", "isolation", "sweeping",
        "trust", "__main__",
    },
    "omegaconf": {
        "config", "checkpoint", "suggestions", "misfits", "cli", "train", "sample", "evaluate",
        "compare", "convert", "prepare", "report", "isolation", "job", "sweeping", "export",
        "check", "model_card", "checking", "trust", "__main__",
    },
    "lightning": {
        "lit", "data", "callbacks", "loggers", "checkpoint", "trainer", "train", "sample",
    },
    "wandb": {"loggers"},
    "verovio": {"render"},
    "matplotlib": {"render"},
    "sacrebleu": {"metrics"},
    "rouge_score": {"metrics"},
}  # fmt: skip
WITHOUT_TORCH = {"scores", "render", "metrics", "errors", "atomic", "datasets"}


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).name != "__init__.py"
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    here = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module in imports(path):
        root, _, rest = module.partition(".")
        if root == "symbotunes" and rest:
            assert RANK[rest.split(".")[0]] <= RANK[here], f"{here} must not import {module}"
        assert here in ONLY_HERE.get(root, {here}), f"{here} must not know about {root}"
        assert not (root == "torch" and here in WITHOUT_TORCH), f"{here} works without torch"


def test_every_module_has_its_layer():
    found = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert found <= set(RANK)


def test_wandb_is_not_imported_before_something_is_logged_to_it():
    modules = [
        f"symbotunes.training.callbacks.{path.stem}" for path in PACKAGE.glob("callbacks/[a-z]*.py")
    ]
    modules += [f"symbotunes.{mode}" for mode in ("train", "evaluate", "compare", "report")]
    program = f"import sys, {', '.join(modules)}; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

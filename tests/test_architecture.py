"""The floor plan of the package; see "Package layout" in CONTRIBUTING.md."""

import ast
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symbotunes"
LOOSE = ("errors", "files", "paths")  # small modules at the root, for every package
# From the bottom up. A package imports from those before it, never from those after it.
PACKAGES = [
    "system", "music", "datasets", "tokenizers", "transforms", "models", "data", "config",
    "generation",
    "evaluation", "render", "checkpoints", "training", "sweeps", "leaderboard", "studio", "modes",
    "cli",
]  # fmt: skip
ENTRY = ("api", "__main__")  # of the library and of the program
RANK = {name: rank for rank, name in enumerate((*LOOSE, *PACKAGES, *ENTRY))}
ONLY_HERE = {  # third-party library -> the only packages that may know about it
    "hydra": {"config", "checkpoints", "sweeps", "cli", "__main__"},
    "omegaconf": {
        "config", "checkpoints", "training", "sweeps", "leaderboard", "studio", "modes",
    "cli", "__main__",
    },
    "lightning": {"training", "modes"},
    "wandb": {"training"},
    "verovio": {"render"},
    "matplotlib": {"render"},
    "jinja2": {"render"},
    "sacrebleu": {"evaluation"},
    "rouge_score": {"evaluation"},
    "starlette": {"studio"},
    "uvicorn": {"studio"},
}  # fmt: skip
WITHOUT_TORCH = (
    "system", "music", "datasets", "render", "evaluation/metrics", "errors.py", "files.py",
    "paths.py",
)  # fmt: skip
FILES = sorted(path for path in PACKAGE.rglob("*.py") if "pretrained" not in path.parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_of(path) for path in FILES}
TABLES = {"symbotunes.config.aliases"}  # of names before and today; they import nothing


def imports(tree: ast.AST) -> Iterator[str]:
    """Every import, also within functions, and every string that names a module of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            name = node.value.partition(":")[0]
            parents = [name.rsplit(".", cut)[0] for cut in range(3)]
            yield from (parent for parent in parents if parent in MODULES - {"symbotunes"})


@cache
def imports_of(path: Path) -> list[str]:
    return [*imports(tree_of(path))]


def breaches(module: str, names: Iterable[str]) -> list[str]:
    """What a module imports from its own floor's neighbors or from above."""
    if module in (*TABLES, "symbotunes"):  # which names the library for type checkers
        return []
    here = (module.split(".") + [""])[1]
    wrong = []
    for name in names:
        root, _, rest = name.partition(".")
        there = rest.split(".")[0]
        if root == "symbotunes" and there not in ("", here) and RANK[there] >= RANK[here]:
            wrong.append(name)
    return wrong


def floor_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("floor", sorted(set(map(floor_of, FILES))))
def test_imports_point_down(floor):
    for path in (path for path in FILES if floor_of(path) == floor):
        assert breaches(module_of(path), imports_of(path)) == [], path
        free = path.relative_to(PACKAGE).as_posix().startswith(WITHOUT_TORCH)
        for name in imports_of(path):
            root = name.partition(".")[0]
            assert floor in ONLY_HERE.get(root, {floor}), f"{path} must not know about {root}"
            assert root != "torch" or not free, f"{path} works without torch"


@pytest.mark.parametrize(
    "source",
    [
        "from symbotunes.modes import train",
        "def later():\n    from symbotunes.training.lit_model import LitModel",
        "import_module('symbotunes.training.lit_model')",
        "TARGET = 'symbotunes.training.lit_model.LitModel'",
        "CALL = 'symbotunes.modes.train:train'",
    ],
)
def test_an_import_of_a_package_above_is_seen_however_it_is_written(source):
    names = [*imports(ast.parse(source))]
    assert breaches("symbotunes.models.gpt2", names) != []
    assert breaches("symbotunes.cli.dispatch", names) == []


def name_of(node: ast.AST) -> str:
    """The last name of ``Model``, ``base.Model`` or ``Tokenizer[Piece]``."""
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@cache
def kinds() -> set[str]:
    """Every class of models, tokenizers, plans and findings."""
    bases = {
        node.name: {name_of(base) for base in node.bases}
        for path in FILES
        if path.relative_to(PACKAGE).parts[0]
        in ("models", "tokenizers", "generation", "evaluation")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
    }
    found = {"Model", "Tokenizer"} | {name for name in bases if name.endswith(("Plan", "Findings"))}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def asked_kinds(tree: ast.Module) -> set[str]:
    """The kinds that code asks for by ``isinstance``, ``issubclass`` or a pattern."""
    asked: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.MatchClass):
            asked.add(name_of(node.cls))
        elif (
            isinstance(node, ast.Call)
            and name_of(node.func) in ("isinstance", "issubclass")
            and len(node.args) == 2
        ):
            asked |= {name_of(part) for part in ast.walk(node.args[1])}
    return asked & kinds()


def test_what_is_done_with_a_kind_is_decided_by_generic_functions_and_methods():
    asked = {str(path.relative_to(PACKAGE)): asked_kinds(tree_of(path)) for path in FILES}
    assert {path: kinds for path, kinds in asked.items() if kinds} == {}


@pytest.mark.parametrize(
    "source",
    [
        "isinstance(net, GPT2)",
        "isinstance(net, SequenceModel | LatentModel)",
        "isinstance(net, (dict, base.WindowModel))",
        "issubclass(kind, AbcBpe)",
        "match plan:\n    case PriorPlan(num=1):\n        pass",
        "isinstance(findings, LatentFindings)",
    ],
)
def test_a_question_for_a_kind_is_seen_however_it_is_written(source):
    assert asked_kinds(ast.parse(source))
    assert not asked_kinds(ast.parse("isinstance(error, UserError)"))


def test_no_modules_import_each_other_in_a_circle():
    sorter = TopologicalSorter(
        {
            module: set(imports_of(path)) & MODULES - {module}
            for path in FILES
            if (module := module_of(path)) not in TABLES
        }
    )
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_every_package_has_its_floor_and_the_root_holds_few_modules():
    names = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES}
    assert names == {*RANK, "__init__"}
    assert len(LOOSE) <= 6


def test_conf_groups_have_a_package():
    homes = {
        "model": "models", "dataset": "datasets", "transforms": "transforms",
        "trainer": "training", "callbacks": "training", "logger": "training", "loader": "data",
        "sample": "generation", "evaluate": "evaluation", "compare": "evaluation",
        "listen": "evaluation",
        "export": "checkpoints", "render": "render", "sweep": "sweeps", "launch": "sweeps",
        "benchmark": "leaderboard", "play": "studio",
    }  # fmt: skip
    presets = {"experiment", "debug"}  # of other groups
    groups = {path.name for path in (PACKAGE.parent / "conf").iterdir() if path.is_dir()}
    assert groups == {*homes, *presets}
    assert set(homes.values()) <= set(PACKAGES)


@pytest.mark.slow("imports the package in a process of its own")
def test_wandb_is_not_imported_before_something_is_logged_to_it():
    callbacks = PACKAGE.glob("training/callbacks/[a-z]*.py")
    modules = [f"symbotunes.training.callbacks.{path.stem}" for path in callbacks]
    modules += [f"symbotunes.modes.{path.stem}" for path in PACKAGE.glob("modes/[a-z]*.py")]
    program = f"import sys, {', '.join(modules)}; sys.exit('wandb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.slow("imports the package in a process of its own")
def test_sampling_imports_neither_lightning_nor_the_compiler():
    """They take three times as long to import as torch does, before the first note is heard."""
    names = {path.stem for path in PACKAGE.glob("modes/[a-z]*.py")} - {"train", "check"}
    assert {"sample", "evaluate", "compare", "export"} < names
    modules = ["symbotunes.api", *(f"symbotunes.modes.{name}" for name in sorted(names))]
    modules += [f"symbotunes.models.{name}" for name in ("folk_rnn", "gpt2", "music_vae")]
    program = (
        f"import sys, {', '.join(modules)}; "
        "sys.exit(bool({'lightning', 'torchmetrics', 'torch._dynamo'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_package_alone_loads_no_torch():
    program = "import sys, symbotunes; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

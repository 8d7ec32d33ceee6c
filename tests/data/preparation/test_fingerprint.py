"""Which modules decide the name of a cache."""

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from symbotunes.data.preparation import fingerprint

ROOT = Path(__file__).parents[3] / "symbotunes"


def parsed(source):
    """Names of absolute imports by Python's parser, wherever they stand."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.slow("parses every module of the package")
def test_imports_are_those_that_the_parser_sees():
    for path in ROOT.rglob("*.py"):
        source = path.read_text()
        code = compile(source, str(path), "exec")
        assert set(fingerprint._imported(code)) == parsed(source), path


def test_threads_that_hash_at_once_agree():
    modules = ["symbotunes.data.preparation.encode", "symbotunes.datasets.folk"]
    with ThreadPoolExecutor(8) as pool:
        hashes = set(pool.map(lambda _: fingerprint.code_hash(modules), range(16)))
    assert hashes == {fingerprint.code_hash(modules)}

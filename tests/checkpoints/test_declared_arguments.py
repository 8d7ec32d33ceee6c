"""Every argument that names a file, a folder or an address is declared as one by its class."""

import json
import re
from inspect import Parameter, signature

import pytest
from omegaconf import OmegaConf

from symbotunes.checkpoints.arguments import dataset_options
from symbotunes.config.locations import class_of
from symbotunes.datasets.base import Corpus
from tests.checkpoints.conftest import CONF, composed

LOCATION = re.compile(r"(^|_)(path|files?|folder|dir|urls?|address|archive|cache|from)$")


def arguments_of(kind):
    """Names of a constructor's arguments, with those of the base that gets the rest of them."""
    parameters = signature(kind).parameters.values()
    names = [
        each.name for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    passes_on = any(each.kind is Parameter.VAR_KEYWORD for each in parameters)
    base = kind.__bases__[0] if isinstance(kind, type) else object
    inherits = passes_on and base.__module__.startswith("symbotunes.")
    return [*names, *(arguments_of(base) if inherits else ())]


def test_every_argument_of_every_corpus_is_of_one_kind():
    options = dataset_options(composed())
    assert set(options) == {path.stem for path in (CONF / "dataset").glob("*.yaml")}
    for node in options.values():
        kind = class_of(node)
        declared = [*kind.WRITES, *kind.FETCHES, *kind.READS, *kind.CHOICES, *kind.PARTS]
        assert sorted(declared) == sorted(arguments_of(kind)), kind
        assert not [name for name in kind.CHOICES if LOCATION.search(name)]
        if kind.WRITES or kind.FETCHES:
            assert kind.is_at_hand is not Corpus.is_at_hand, kind


@pytest.mark.parametrize("file", sorted((CONF / "dataset").glob("*.yaml")), ids=lambda f: f.stem)
def test_what_a_dataset_of_conf_writes_and_fetches_is_declared(file):
    node = OmegaConf.to_container(OmegaConf.load(file))
    kind = class_of(node)
    for name, value in node.items():
        text = json.dumps(value)
        if "${paths." in text:
            assert name in kind.WRITES, name
        if "://" in text:
            assert name in kind.FETCHES, name


def parts_of(node):
    if isinstance(node, dict):
        yield from [node] if "_target_" in node else []
        for value in node.values():
            yield from parts_of(value)


def test_files_that_other_parts_name_are_declared():
    """Steps, loaders, networks, optimizers: what looks like a file is known as one."""
    found = set()
    for group in ("transforms", "loader", "model"):
        for file in (CONF / group).rglob("*.yaml"):
            for node in parts_of(OmegaConf.to_container(OmegaConf.load(file))):
                kind = class_of(node)
                declared = (*getattr(kind, "READS", ()), *getattr(kind, "WRITES", ()))
                names = [name for name in arguments_of(kind) if LOCATION.search(name)]
                found |= {(kind.__name__, name) for name in names if name not in declared}
    assert found == {
        ("LitModel", "init_from"),
        ("LitMultiOptimizer", "init_from"),
    }  # a resumed run keeps it for the record alone

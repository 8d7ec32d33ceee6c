"""The name of a cache: a hash of everything that decides its content, including the code."""

import hashlib
import importlib.machinery
import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType
from typing import Any

from symbotunes.data.cache.encoded import FORMAT
from symbotunes.data.preparation.encode import Encoder

LIBRARIES = ("symusic", "miditok")  # their releases may read the same files differently


@dataclass(frozen=True)
class Fingerprint:
    """What a cache was made with.

    Attributes:
        name: 20 hexadecimal digits.
        modules: those that define corpus, steps and tokenizer.
        code: hash of the source of `modules` and of what they import from our packages.
        libraries: versions of `LIBRARIES`.
    """

    name: str
    modules: list[str]
    code: str
    libraries: dict[str, str | None]

    @classmethod
    def of(cls, encoder: Encoder, key: str) -> "Fingerprint":
        """Compute it from the corpus's checksum and the encoder's code.

        Args:
            encoder: corpus, steps and tokenizer.
            key: text that changes whenever the config of one of them, or a limit, does.
        """
        parts = [*encoder.steps, encoder.tokenizer]
        modules = modules_of([encoder.corpus, *parts])
        code, libraries = code_hash(modules), versions()
        content = {
            "format": FORMAT,
            "corpus": encoder.corpus.checksum(),
            "key": key,
            "steps": [[type(part).__qualname__, part.SCHEMA] for part in parts],
            "vocabulary": dict(encoder.tokenizer.state()) if encoder.tokenizer.fitted else None,
            "code": code,
            "libraries": libraries,
        }
        text = json.dumps(content, sort_keys=True)
        return cls(hashlib.sha256(text.encode()).hexdigest()[:20], modules, code, libraries)

    def about(self) -> dict[str, Any]:
        """Plain values for ``about.json``, from which `is_current` judges."""
        return {"modules": self.modules, "code": self.code, "libraries": self.libraries}


def modules_of(parts: Sequence[Any]) -> list[str]:
    """Modules of the objects' classes and of what they contain, such as a corpus of corpora.

    Of the contents, only classes from our packages and from those of the objects are considered.
    """
    roots = {type(part).__module__.partition(".")[0] for part in parts} | {"symbotunes"}
    modules: set[str] = set()
    seen: set[int] = set()
    todo: list[Any] = list(parts)
    while todo:
        part = todo.pop()
        if isinstance(part, Mapping):
            todo += part.values()
        elif isinstance(part, list | tuple):
            todo += part
        elif type(part).__module__.partition(".")[0] in roots and id(part) not in seen:
            seen.add(id(part))
            modules.add(type(part).__module__)
            todo += getattr(part, "__dict__", {}).values()
    return sorted(modules)


def is_current(about: dict[str, Any]) -> bool:
    """Whether code and libraries are still those that a cache was made with."""
    return bool(about["code"] == code_hash(about["modules"]) and about["libraries"] == versions())


def versions() -> dict[str, str | None]:
    """Versions of `LIBRARIES`; ``None`` for one that is not installed."""
    installed: dict[str, str | None] = {}
    for name in LIBRARIES:
        try:
            installed[name] = version(name)
        except PackageNotFoundError:
            installed[name] = None
    return installed


def code_hash(modules: Iterable[str]) -> str:
    """SHA-256 over the source of modules and of all that they import from the same packages.

    Imports are followed, since a change in a parser changes what a tokenizer returns; those of
    other packages are not.
    """
    roots = {name.partition(".")[0] for name in modules} | {"symbotunes"}
    sources: dict[str, bytes] = {}
    todo = list(modules)
    while todo:
        name = todo.pop()
        if name in sources or name.partition(".")[0] not in roots:
            continue
        loader = _loader(name)
        if loader is not None and (code := loader.get_code(name)) is not None:
            sources[name] = Path(loader.path).read_bytes()
            todo += _imported(code)
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(f"{name}\n".encode())
        digest.update(hashlib.sha256(sources[name]).digest())
    return digest.hexdigest()


def _loader(name: str) -> importlib.machinery.SourceFileLoader | None:
    """What reads a module from its file; ``None`` if `name` is not a Python module."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # `name` is an attribute of a module, or __main__
        return None
    loader = spec.loader if spec is not None else None
    return loader if isinstance(loader, importlib.machinery.SourceFileLoader) else None


def _imported(code: CodeType) -> Iterator[str]:
    """Names of absolute imports; a from-import may name a module or something inside it.

    Read from compiled code, which Python keeps beside the source: parsing takes three times as
    long, and `ast.parse` of Python 3.11 fails now and then where two threads use it at once.
    """
    for kind, values in ModuleFinder().scan_opcodes(code):
        if kind == "absolute_import":
            names, module = values
            yield module
            yield from (f"{module}.{name}" for name in names or ())
    for constant in code.co_consts:  # bodies of functions and classes
        if isinstance(constant, CodeType):
            yield from _imported(constant)

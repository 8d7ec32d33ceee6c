"""From a corpus to a tokenized, split, duplicate-free cache."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock
from rich.progress import track

from symbotunes.data.cache import Encoded, load, pack, store
from symbotunes.data.receipt import Receipt
from symbotunes.data.split import Shares, content_hash, split_of
from symbotunes.datasets.base import Corpus, DatasetError, Dropped
from symbotunes.tokenizers.base import Unencodable
from symbotunes.transforms.base import Chain

SCHEMA = 1  # raised when the way from corpus to cache changes


@dataclass(frozen=True)
class Limits:
    """Lengths in tokens beyond which a piece is left out.

    Attributes:
        min_tokens: shortest piece kept.
        max_tokens: longest piece kept.
    """

    min_tokens: int
    max_tokens: int

    def check(self, length: int) -> None:
        """Raise `Unencodable` if a piece of `length` tokens is to be left out."""
        if length < self.min_tokens:
            raise Unencodable("shorter than loader.min_tokens")
        if length > self.max_tokens:
            raise Unencodable("longer than loader.max_tokens")


@dataclass(frozen=True)
class Draft:
    """One piece on its way: token strings, split and title."""

    id: str
    tokens: Sequence[str]
    split: str
    title: str


def prepare(
    corpus: Corpus, chain: Chain, *, key: str, limits: Limits, shares: Shares, cache: Path
) -> Encoded:
    """The corpus through the cached part of the chain, from disk if it was made before.

    Concurrent jobs share one cache: one builds, the others wait and read. The chain's tokenizer
    knows its vocabulary afterwards.

    Args:
        corpus: where the pieces come from.
        chain: score steps and tokenizer; a tokenizer that has a vocabulary already keeps it.
        key: text that changes whenever the config of corpus or cached steps does.
        limits: lengths to keep.
        shares: how much is held out.
        cache: folder for all caches.

    Raises:
        DatasetError: if no piece is left, with the reasons.
        UserError: if the chain cannot read the corpus.
    """
    chain.require_format(corpus.FORMAT)
    fingerprint = fingerprint_of(corpus, chain, f"{key}{limits}{shares}")
    folder = cache / fingerprint
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{fingerprint}.lock"):
        if not folder.exists():
            store(_encode(corpus, chain, limits, shares, fingerprint), folder)
    encoded = load(folder)
    chain.tokenizer.load_state(encoded.tokenizer)
    chain.bind()
    return encoded


def fingerprint_of(corpus: Corpus, chain: Chain, key: str) -> str:
    """Name of the cache: 20 hexadecimal digits of a hash of all that decides its content."""
    cached: list[Any] = [*chain.score_steps, chain.tokenizer]
    parts = {
        "schema": SCHEMA,
        "corpus": corpus.checksum(),
        "key": key,
        "steps": [[type(step).__qualname__, step.SCHEMA] for step in cached],
        "vocabulary": dict(chain.tokenizer.state()) if chain.tokenizer.fitted else None,
        "symusic": version("symusic"),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


def _encode(
    corpus: Corpus, chain: Chain, limits: Limits, shares: Shares, fingerprint: str
) -> Encoded:
    receipt = Receipt()
    drafts = list(_drafts(corpus, chain, receipt, limits, shares))
    tokenizer = chain.tokenizer
    _require(drafts, receipt)
    if not tokenizer.fitted:
        tokenizer.fit(draft.tokens for draft in drafts if draft.split == "train")
    kept: list[Draft] = []
    sequences: list[list[int]] = []
    for draft in drafts:
        try:
            ids = tokenizer.encode(draft.tokens)
        except Unencodable as error:
            receipt.drop(error.reason, draft.id)
            continue
        sequences.append(ids)
        kept.append(draft)
        receipt.keep(draft.split, len(ids))
    receipt.vocabulary = tokenizer.vocabulary.size
    _require([draft for draft in kept if draft.split == "train"], receipt)
    return pack(
        sequences,
        [draft.split for draft in kept],
        [draft.title for draft in kept],
        tokenizer=tokenizer.state(),
        receipt=receipt,
        fingerprint=fingerprint,
    )


def _drafts(
    corpus: Corpus, chain: Chain, receipt: Receipt, limits: Limits, shares: Shares
) -> Iterator[Draft]:
    seen: set[str] = set()
    for found in track(corpus.pieces(), description="Reading the corpus", total=None):
        receipt.read += 1
        if isinstance(found, Dropped):
            receipt.drop(found.reason, found.id)
            continue
        try:
            tokens = chain.tokenizer.tokenize(found)
            limits.check(len(tokens))
        except Unencodable as error:
            receipt.drop(error.reason, found.id)
            continue
        digest = content_hash(tokens)
        if digest in seen:
            receipt.drop("duplicate", found.id)
            continue
        seen.add(digest)
        # All versions of a piece share its split: the hash is of the piece as it was found.
        split = split_of(digest, shares)
        for piece in _versions(found, chain):
            version_tokens = tokens if piece is found else chain.tokenizer.tokenize(piece)
            yield Draft(piece.id, version_tokens, split, piece.title)


def _versions(found: Any, chain: Chain) -> list[Any]:
    pieces = [found]
    for step in chain.score_steps:
        pieces = [result for piece in pieces for result in step(piece)]
    return pieces


def _require(pieces: Sequence[Draft], receipt: Receipt) -> None:
    if receipt.read == 0:
        raise DatasetError("the corpus is empty: its files hold no piece")
    if not pieces:
        reasons = ", ".join(f"{count} {reason}" for reason, count in receipt.dropped.most_common(5))
        kept = sum(receipt.kept.values())
        raise DatasetError(
            f"nothing to train on: {receipt.read} pieces read, {kept} kept, none in the training "
            f"split; dropped: {reasons or 'none'}"
        )

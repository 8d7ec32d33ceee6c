"""From files to parts: what runs in worker processes. Imports neither torch nor lightning."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symbotunes.data.preparation.parts import Kinship, Part, PartBuilder
from symbotunes.data.split import content_hash
from symbotunes.datasets.base import Corpus, Dropped, Piece
from symbotunes.errors import UserError
from symbotunes.music.outline import Outline, outlines
from symbotunes.tokenizers.base import Tokenizer, Unencodable, examples_in


@dataclass(frozen=True)
class Encoder:
    """The cached part of a chain; it travels to worker processes.

    Attributes:
        corpus: reads the files.
        steps: score steps, in order.
        tokenizer: gives the examples.
    """

    corpus: Corpus
    steps: Sequence[Any]
    tokenizer: Tokenizer[Any]

    def encode(self, files: Sequence[Path], file_gib: float = 0.0) -> Part:
        """All pieces of some files; what is wrong with a piece or a file is noted, not raised.

        Args:
            files: some files of the corpus.
            file_gib: the limit of memory that holds in this process, for the reason noted.

        Raises:
            UserError: if the corpus or a step says that nothing can be read at all.
        """
        builder = PartBuilder(self.tokenizer.FIELDS)
        for path in files:
            mark = builder.mark
            try:
                for found in self.corpus.read(path):
                    self._add(found, builder)
            except UserError:
                raise
            except MemoryError:
                builder.rewind(mark)
                builder.quarantine(path, f"needed more than {file_gib:g} GiB")
            except Exception as error:  # whatever a reader raises, other files can be read
                builder.drop(str(path), f"unreadable file: {reason_of(error)}")
        return builder.build()

    def _add(self, found: Piece | Dropped, builder: PartBuilder) -> None:
        if isinstance(found, Dropped):
            builder.drop(found.id, found.reason)
            return
        try:
            digest = content_hash(found.content())
            examples = self._examples(found)
        except (UserError, MemoryError):
            raise
        except Exception as error:  # music of the web finds every bug; the receipt shows it
            builder.drop(found.id, reason_of(error))
            return
        kinship = Kinship(
            digest=digest,
            origin=content_hash(found.family) if found.family else digest,
            work=content_hash(found.work.encode()) if found.work else Kinship.work,
            outlines=_outlines(found),
        )
        builder.keep((found.id, found.title), examples, kinship=kinship, split=found.split)

    def _examples(self, found: Piece) -> list[tuple[Any, str]]:
        """Examples of all versions, and for each the side that alone may use it.

        A version that cannot be expressed is no loss if others can.
        """
        examples: list[tuple[Any, str]] = []
        first: Unencodable | None = None
        for version in self._versions(found):
            try:
                tokenized = examples_in(self.tokenizer.tokenize(version))
                examples += [(example, version.only) for example in tokenized]
            except Unencodable as error:
                first = first or error
        if not examples:
            raise first or Unencodable("holds no example")
        return examples

    def _versions(self, found: Piece) -> Iterator[Any]:
        pieces: list[Any] = [found]
        for step in self.steps:
            pieces = [result for piece in pieces for result in step(piece)]
        yield from pieces


def _outlines(found: Piece) -> list[Outline]:
    """Of its melodies; a piece whose notes defeat it is still one to train on."""
    try:
        return outlines(found)
    except (ValueError, ArithmeticError):
        return []


def reason_of(error: Exception) -> str:
    """The error's own reason for receipts, or its kind."""
    return str(getattr(error, "reason", "") or f"failed with {type(error).__name__}")

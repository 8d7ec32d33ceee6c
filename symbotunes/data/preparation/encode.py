"""From files to parts: the code of worker processes. Imports neither torch nor Lightning."""

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
    """The cached part of a chain; it is pickled and sent to worker processes.

    Attributes:
        corpus: reads the files.
        steps: score steps, in order.
        tokenizer: turns pieces into examples.
    """

    corpus: Corpus
    steps: Sequence[Any]
    tokenizer: Tokenizer[Any]

    def encode(self, files: Sequence[Path], file_gib: float = 0.0) -> Part:
        """Encode all pieces of some files; errors of pieces and files are recorded, not raised.

        Args:
            files: some files of the corpus.
            file_gib: this process's memory limit, stated in the reason if a file exceeds it.

        Raises:
            UserError: if the corpus or a step says that nothing can be read at all.
        """
        builder = PartBuilder(self.tokenizer.FIELDS)
        for path in files:
            mark = builder.mark
            try:
                for piece in self.corpus.read(path):
                    self._add(piece, builder)
            except UserError:
                raise
            except MemoryError:
                builder.rewind(mark)
                builder.quarantine(path, f"needed more than {file_gib:g} GiB")
            except Exception as error:  # whatever a reader raises, other files may be fine
                builder.drop(str(path), f"unreadable file: {reason_of(error)}")
        return builder.build()

    def _add(self, piece: Piece | Dropped, builder: PartBuilder) -> None:
        if isinstance(piece, Dropped):
            builder.drop(piece.id, piece.reason, piece.value)
            return
        try:
            digest = content_hash(piece.content())
            examples, remarks = self._examples(piece)
        except (UserError, MemoryError):
            raise
        except Exception as error:  # music from the web triggers every bug; the receipt shows it
            builder.drop(piece.id, reason_of(error), value_of(error))
            return
        kinship = Kinship(
            digest=digest,
            origin=content_hash(piece.family) if piece.family else digest,
            work=content_hash(piece.work.encode()) if piece.work else Kinship.work,
            outlines=_outlines(piece),
        )
        builder.keep(
            (piece.id, piece.title), examples, kinship=kinship, split=piece.split, remarks=remarks
        )

    def _examples(self, piece: Piece) -> tuple[list[tuple[Any, str]], list[str]]:
        """Examples of all versions, each with the only side that may use it, and remarks on them.

        The side is empty if both may. A version that the tokenizer cannot express is skipped if it
        can express others.
        """
        examples: list[tuple[Any, str]] = []
        remarks: set[str] = set()
        first: Unencodable | None = None
        for version in self._versions(piece):
            try:
                tokenized = examples_in(self.tokenizer.tokenize(version))
                examples += [(example, version.only) for example in tokenized]
                remarks.update(self.tokenizer.remarks(version))
            except Unencodable as error:
                first = first or error
        if not examples:
            raise first or Unencodable("holds no example")
        return examples, sorted(remarks)

    def _versions(self, piece: Piece) -> Iterator[Any]:
        versions: list[Any] = [piece]
        for step in self.steps:
            versions = [result for version in versions for result in step(version)]
        yield from versions


def _outlines(piece: Piece) -> list[Outline]:
    """Outlines of its melodies; none if they fail, since the piece can still be trained on."""
    try:
        return outlines(piece)
    except (ValueError, ArithmeticError):
        return []


def value_of(error: Exception) -> str:
    """What an error is about, as far as it says."""
    return str(getattr(error, "detail", ""))


def reason_of(error: Exception) -> str:
    """The error's own reason for receipts, or its kind."""
    return str(getattr(error, "reason", "") or f"failed with {type(error).__name__}")

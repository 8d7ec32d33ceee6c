"""ABC text as byte-level byte pairs, the way GPT-2 reads text.

Hugging Face's tokenizers library learns and applies the pairs; this module converts ABC to its text
and back. Not ``transformers.GPT2TokenizerFast``, because it wraps the same library and adds nothing
that is needed here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from tokenizers import Tokenizer as HfTokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from symbotunes.errors import UserError
from symbotunes.music.abc.error import AbcError
from symbotunes.music.abc.normalize import Root
from symbotunes.music.abc.phrases import parse_tokens
from symbotunes.music.abc.text import from_abc, prompt_tokens, to_abc
from symbotunes.music.abc.tokens import Phrase
from symbotunes.music.abc.transposition import to_c
from symbotunes.music.abc.tune import AbcTune
from symbotunes.tokenizers.abc import render_phrase
from symbotunes.tokenizers.base import Ids, Rendition, TextTokenizer, Unencodable, Vocabulary

START, END = "<|startoftext|>", "<|endoftext|>"
# Fields of the head, bar signs and line ends: what is not music.
_SIGNS = re.compile(
    r"((?:^[A-Za-z]:[^\n|]*\n|:\||\|[:\]|]|\|[1-9](?:[,-][1-9])*|\||\n|\A:\Z)+)", re.MULTILINE
)
NUL = "Ā"  # how byte-level BPE writes byte 0, which no tune contains


class AbcBpe(TextTokenizer[AbcTune]):
    r"""Byte pairs of spaceless ABC text: ``M:6/8\nL:1/8\nK:Cdor\nA2B|...``.

    The text is that of the tune's Folk-RNN tokens, without spaces, reference number and title; what
    those lose is lost here too. Examples are bytes until the pairs have been learned from the
    training tunes.

    Args:
        vocabulary_size: number of ids if the vocabulary is trained on the training tunes; at least
            260.
        files: folder with ``tokenizer.json``, or with ``vocab.json`` and ``merges.txt``, such as
            GPT-2's; ``None`` trains a vocabulary. If a published one has no token for the beginning
            of a text, that of byte 0 is used.
        root: ``C`` moves every tune to the tonic C; ``keep`` keeps its key.

    Raises:
        UserError: if the files cannot be read.
    """

    SCHEMA: ClassVar[int] = 2
    FORMAT: ClassVar[str] = "abc"
    STATE: ClassVar[tuple[str, ...] | None] = ("tokenizer",)
    RECODES = True
    READS = ("files",)

    def __init__(
        self, vocabulary_size: int = 1000, files: str | None = None, root: Root = "keep"
    ) -> None:
        if vocabulary_size < 260:
            raise UserError(
                f"abc_bpe: vocabulary_size={vocabulary_size} must be at least 260, for all bytes"
            )
        if root not in ("C", "keep"):
            raise UserError(f"abc_bpe: root={root} must be C or keep")
        self.vocabulary_size = vocabulary_size
        self.root: Root = root
        self.MOVES_TO_C = root == "C"
        self._pairs: HfTokenizer | None = None
        if files is not None:
            self.load_state(read_files(Path(files)))

    def tokenize(self, piece: AbcTune) -> list[Ids]:
        try:
            phrase = piece.phrase_in(self.root)
        except AbcError as error:
            raise Unencodable(error.reason, error.detail) from error
        return [np.frombuffer(spaceless(phrase).encode(), np.uint8)]

    def fit_ids(self, examples: Iterable[Ids]) -> None:
        """Learn byte pairs, unless they came from files."""
        if self._pairs is not None:
            return
        pairs = HfTokenizer(BPE())
        # Not GPT-2's split at digits and signs, which would leave hardly any pairs in ABC.
        pairs.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
        pairs.decoder = ByteLevelDecoder()
        trainer = BpeTrainer(
            vocab_size=self.vocabulary_size,
            special_tokens=[START, END],
            initial_alphabet=ByteLevel.alphabet(),
            max_token_length=16,  # about a bar; longer tokens would memorize whole phrases
            show_progress=False,
        )
        # Bar by bar: pairs across bar lines would multiply the vocabulary.
        bars = (bar for ids in examples for bar in re.findall(r"[^|\n]*\W?", text_of(ids)))
        pairs.train_from_iterator(bars, trainer)
        self._pairs = pairs

    def recode(self, ids: Ids) -> Ids:
        return np.array(self.encode([text_of(ids)]), np.int64)

    @property
    def _known(self) -> HfTokenizer:
        if self._pairs is None:
            raise RuntimeError("abc_bpe has no vocabulary yet")
        return self._pairs

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Ids of the text of the tokens; fewer than it has characters."""
        return list(self._known.encode("".join(tokens), add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> list[str]:
        special = {self.vocabulary.bos, self.vocabulary.eos}
        return [
            self._known.decode([index], skip_special_tokens=False)
            for index in ids
            if index not in special
        ]

    def split_bars(self, ids: Ids) -> list[Ids]:
        """Parts of the text, each encoded by itself, since a byte pair may hold note and sign."""
        music, *parts = _SIGNS.split("".join(self.decode(ids.tolist())))
        parts = ["", music, *parts] if music else parts
        parts = [*parts, ""] if parts and parts[-1] else parts[: len(parts) - 1]
        return [np.array(self.encode([part]), np.int64) for part in parts] or [ids]

    def render(self, tokens: Sequence[str], title: str, *, number: int = 1) -> Rendition:
        read, unread = readable("".join(tokens))
        phrase = parse_tokens(read)
        return render_phrase(phrase, title, number=number, tokens=len(read), unread=unread)

    def prompt(self, text: str) -> list[int]:
        typed = prompt_tokens(text)
        tokens = to_c(typed) if self.root == "C" else typed
        meter = [token for token in tokens if token.startswith("M:")]
        key = [token for token in tokens if token.startswith("K:")]
        body = "".join(token for token in tokens if token[1:2] != ":")
        lines = [*meter, *(["L:1/8", *key, body] if key else [])]
        if body and not (meter and key):
            raise ValueError("give meter and key before notes, for example M:6/8 K:Dmaj")
        return self.encode(["\n".join(lines)])

    @property
    def vocabulary(self) -> Vocabulary:
        pairs = self._known
        start, end = pairs.token_to_id(_start(pairs)), pairs.token_to_id(END)
        assert start is not None  # `load_state` has checked both
        assert end is not None
        return Vocabulary(pairs.get_vocab_size(), start, end)

    def state(self) -> Mapping[str, Any]:
        return {"tokenizer": self._known.to_str()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        pairs = HfTokenizer.from_str(state["tokenizer"])
        if any(pairs.token_to_id(name) is None for name in (END, _start(pairs))):
            raise ValueError(f"a byte-level vocabulary must contain all bytes and {END}")
        self._pairs = pairs


def text_of(example: Ids) -> str:
    """The text whose bytes an example consists of."""
    return example.astype(np.uint8).tobytes().decode()


def _start(pairs: HfTokenizer) -> str:
    """The token that opens a text."""
    return NUL if pairs.token_to_id(START) is None else START


def read_files(folder: Path) -> dict[str, str]:
    """State for `AbcBpe.load_state` from the files of a published tokenizer.

    Raises:
        UserError: if they are missing or of another kind.
    """
    whole, vocabulary, merges = (
        folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")
    )
    try:
        if whole.is_file():
            return {"tokenizer": HfTokenizer.from_file(str(whole)).to_str()}
        if vocabulary.is_file() and merges.is_file():
            pairs = HfTokenizer(BPE.from_file(str(vocabulary), str(merges)))
            pairs.pre_tokenizer = ByteLevel(add_prefix_space=False)
            pairs.decoder = ByteLevelDecoder()
            pairs.add_special_tokens([END])
            return {"tokenizer": pairs.to_str()}
    except Exception as error:  # the library raises plain exceptions
        raise UserError(f"the tokenizer files in {folder} cannot be read: {error}") from error
    raise UserError(
        f"{folder} contains neither tokenizer.json nor vocab.json and merges.txt: "
        "set transforms.abc_bpe.files=FOLDER"
    )


def spaceless(music: Sequence[str] | Phrase) -> str:
    """ABC without spaces, reference number and title."""
    lines = to_abc(music).splitlines()
    return "\n".join(line.replace(" ", "") for line in lines if line[:2] not in ("X:", "T:")) + "\n"


def readable(text: str) -> tuple[list[str], list[str]]:
    """Folk-RNN tokens of the readable parts of a text, and the parts that cannot be read."""
    tokens: list[str] = []
    unread: list[str] = []
    for line in text.splitlines():
        stretches = [line] if line[1:2] == ":" and line[:1].isalpha() else _stretches(line)
        for stretch in stretches:
            try:
                tokens += from_abc(stretch)
            except AbcError:
                unread.append(stretch)
    return tokens, unread


def _stretches(line: str) -> list[str]:
    """The line itself if it can be read, else its bars."""
    try:
        from_abc(line)
    except AbcError:
        return re.findall(r"[^|]+\|?|\|", line)
    return [line]

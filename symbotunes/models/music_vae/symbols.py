"""The symbols of a step: their numbering, their input vectors and their output layer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from symbotunes.models.music_vae.heads import CategoricalHead, Head, NadeHead


class Symbols(ABC):
    """The S numbers of a step.

    Attributes:
        tracks: names of the tracks, in order.
        depth: width of a step's vector as read by decoders.
        reads: width of a step's vector as read by encoders.
        numbers: S.
        start: the number that stands for "nothing yet" before the first step.
        feedback_temperature: temperature of the samples that training feeds back.
    """

    tracks: tuple[str, ...]
    numbers: int
    depth: int
    reads: int
    start: int
    feedback_temperature = 1.0

    @abstractmethod
    def unpack(self, tokens: Tensor) -> Tensor:
        """Turn the tokens of a batch, ``[B, T]`` or ``[B, T, S]``, into steps ``[B, T, S]``.

        Raises:
            ValueError: if the batch has a different number of tracks.
        """

    @abstractmethod
    def pack(self, steps: Tensor) -> Tensor:
        """The inverse of `unpack`; the last axis is dropped if S = 1."""

    @abstractmethod
    def vectors(self, steps: Tensor) -> Tensor:
        """Float vectors ``[..., depth]`` of ``[..., S]``; "nothing yet" is the zero vector."""

    @abstractmethod
    def tables(self, weight: Tensor) -> list[Tensor]:
        """Lookup tables for `drive`, built once from a weight ``[N, depth]`` for many calls."""

    @abstractmethod
    def drive(self, steps: Tensor, tables: list[Tensor]) -> Tensor:
        """``vectors(steps) @ weight.T``, ``[..., N]``, without building the vectors."""

    @abstractmethod
    def head(self, width: int) -> Head:
        """A new output layer on top of `width` units."""

    def heard(self, steps: Tensor) -> Tensor:
        """Float vectors ``[..., reads]`` for the encoder."""
        return self.vectors(steps)

    def split(self) -> list["Symbols"]:
        """One object per track, for decoders with a core per track."""
        return [self]

    def fits(self, size: int) -> bool:
        """Whether a vocabulary of `size` ids can represent these symbols."""
        return size == self.depth


class Classes(Symbols):
    """Each track is in one of its classes at every step.

    Args:
        tracks: number of classes by the track's name, such as ``{"melody": 90}``.
        roll: whether the encoder reads the bits of the class id and a bit for "none of them"
            instead of a one-hot vector; for drums, whose 512 classes are the sets of 9 instruments.

    Raises:
        ValueError: if `roll` is set and there is not exactly one track of ``2^n`` classes.
    """

    start = -1

    def __init__(self, tracks: Mapping[str, int], *, roll: bool = False) -> None:
        self.tracks = tuple(tracks)
        self.classes = list(tracks.values())
        self.numbers = len(self.classes)
        self.depth = sum(self.classes)
        self.bits = (self.depth - 1).bit_length() if roll else None
        if self.bits is not None and self.classes != [2**self.bits]:
            raise ValueError(f"roll=true needs one track of 2^n classes, not {dict(tracks)}")
        self.reads = self.depth if self.bits is None else self.bits + 1

    def unpack(self, tokens: Tensor) -> Tensor:
        steps = tokens[..., None] if tokens.ndim == 2 else tokens
        if steps.ndim != 3 or steps.shape[-1] != self.numbers:
            tracks = ", ".join(self.tracks)
            raise ValueError(
                f"a batch of shape {tuple(tokens.shape)} does not match the tracks {tracks}"
            )
        return steps

    def pack(self, steps: Tensor) -> Tensor:
        return steps[..., 0] if self.numbers == 1 else steps

    def vectors(self, steps: Tensor) -> Tensor:
        parts = [
            F.one_hot(ids + 1, count + 1)[..., 1:]
            for ids, count in zip(steps.unbind(-1), self.classes, strict=True)
        ]
        return torch.cat(parts, -1).to(torch.get_default_dtype())

    def heard(self, steps: Tensor) -> Tensor:
        if self.bits is None:
            return self.vectors(steps)
        return _with_silence(bits_of(steps[..., 0], self.bits))

    def tables(self, weight: Tensor) -> list[Tensor]:
        # The first row is zero: id -1, "nothing yet", contributes nothing.
        return [F.pad(part.T, (0, 0, 1, 0)) for part in torch.split(weight, self.classes, 1)]

    def drive(self, steps: Tensor, tables: list[Tensor]) -> Tensor:
        parts = zip(steps.unbind(-1), tables, strict=True)
        first, *others = (F.embedding(ids + 1, table) for ids, table in parts)
        return sum(others, first)

    def head(self, width: int) -> Head:
        return CategoricalHead(width, self.classes)

    def split(self) -> list[Symbols]:
        pairs = zip(self.tracks, self.classes, strict=True)
        return [Classes({name: count}) for name, count in pairs]


class Bits(Symbols):
    """One track in which any set of instruments may be hit at a step; a NADE outputs the bits.

    A batch holds ``[B, T, bits]`` zeros and ones, or ``[B, T]`` integers whose bit i (of value
    ``2^i``) is instrument i. The encoder also reads a bit for "none of them".

    Args:
        track: name of the track.
        bits: number of instruments, at most 63.
        hidden: units of the NADE.
    """

    start = 0
    feedback_temperature = 0.0  # the reference feeds back thresholded bits

    def __init__(self, track: str, bits: int, hidden: int = 128) -> None:
        self.tracks = (track,)
        self.numbers = self.depth = bits
        self.reads = bits + 1
        self.hidden = hidden

    def unpack(self, tokens: Tensor) -> Tensor:
        steps = bits_of(tokens, self.depth) if tokens.ndim == 2 else tokens
        if steps.ndim != 3 or steps.shape[-1] != self.depth:
            raise ValueError(
                f"a batch of shape {tuple(tokens.shape)} does not have {self.depth} bits"
            )
        return steps

    def pack(self, steps: Tensor) -> Tensor:
        return steps

    def vectors(self, steps: Tensor) -> Tensor:
        return steps.to(torch.get_default_dtype())

    def heard(self, steps: Tensor) -> Tensor:
        return _with_silence(steps)

    def tables(self, weight: Tensor) -> list[Tensor]:
        return [weight.T]

    def drive(self, steps: Tensor, tables: list[Tensor]) -> Tensor:
        return steps.to(tables[0].dtype) @ tables[0]

    def head(self, width: int) -> Head:
        return NadeHead(width, self.depth, self.hidden)

    def fits(self, size: int) -> bool:
        return size in (self.depth, 2**self.depth)


def bits_of(ids: Tensor, count: int) -> Tensor:
    """``[..., count]`` zeros and ones, the lowest bit first."""
    return ids[..., None] >> torch.arange(count, device=ids.device) & 1


def _with_silence(bits: Tensor) -> Tensor:
    """Float ``[..., n + 1]``: the bits, and one that is set if all of them are zero."""
    silent = (bits == 0).all(-1, keepdim=True)
    return torch.cat([bits, silent.to(bits.dtype)], -1).to(torch.get_default_dtype())

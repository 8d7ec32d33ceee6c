"""A trained model as an object that samples, continues, measures and, if it can, interpolates."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symbotunes.checkpoints.checkpoint import Checkpoint, unpack
from symbotunes.checkpoints.reopen import data_of, rebuild
from symbotunes.config.compose import recomposed
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.evaluation.likelihood import Likelihood, likelihood
from symbotunes.generation.compose import OnStep, Plan, compose
from symbotunes.generation.latent.attribute import AttributePlan
from symbotunes.generation.latent.interpolate import InterpolatePlan
from symbotunes.generation.latent.plan import Training
from symbotunes.generation.latent.reconstruct import ReconstructPlan
from symbotunes.generation.output import arranged
from symbotunes.generation.pieces import read_piece
from symbotunes.generation.sample import Composition
from symbotunes.generation.sequences.harmonize import HarmonizePlan
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.render.piece import Piece
from symbotunes.tokenizers.base import Unencodable

Music = str | Path | Piece  # an ABC or MIDI file, or a piece that a model wrote


class TrainedModel:
    """A trained model with its tokenizer; it needs nothing but its checkpoint.

    Args:
        checkpoint: an opened checkpoint.

    Attributes:
        checkpoint: the same.
        net: the network, a torch module in eval mode.
        tokenizer: from pieces to ids and back.

    Raises:
        UserError: if the network cannot be rebuilt.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.net, self.tokenizer = rebuild(checkpoint)
        self.net.eval()

    @classmethod
    def load(cls, source: str | Path) -> "TrainedModel":
        """Open a model.

        Args:
            source: a checkpoint, the folder of a run, the folder of an exported model,
                ``hub:owner/name``, or ``pretrained/name``.

        Raises:
            UserError: if it is missing, damaged, or names code that is not part of Symbotunes.
        """
        return cls(unpack(Path(source).expanduser()))

    @property
    def name(self) -> str:
        """Of the run that trained it."""
        return str(self.checkpoint.config.name)

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.net.parameters())

    def __repr__(self) -> str:
        kind = type(self.net).__name__
        return f"<{kind} {self.name!r}, {self.parameters:,} parameters, {self.checkpoint.path}>"

    def compose(
        self,
        plan: Plan,
        seed: int,
        *,
        on_step: OnStep | None = None,
        training: Training | None = None,
    ) -> Composition:
        """Carry out a plan of `symbotunes.generation`; the same seed writes the same.

        Args:
            plan: what is written, and how.
            seed: from which that of every sample is made, unless the plan gives them.
            on_step: called with the number of tokens or steps written so far.
            training: gives the training data; ``None`` reads the data that the checkpoint names.

        Raises:
            UserError: if the model cannot do what the plan asks, or an input cannot be read.
        """
        composition = compose(
            self.net,
            plan,
            tokenizer=self.tokenizer,
            seed=seed,
            on_step=on_step,
            training=training or self._training,
        )
        return arranged(composition, plan)

    def sample(self, num: int = 4, *, seed: int = 0, **options: Any) -> list[Piece]:
        """Write new pieces; piece ``i`` depends on `seed` and ``i`` alone.

        ``model.sample(seeds=[piece.seed])`` writes a piece again.

        Args:
            num: number of pieces.
            seed: from which that of every piece is made.
            options: the other fields of `SamplePlan`, such as ``prompt``, ``constraint=None``,
                ``temperature``, ``top_p`` and ``max_tokens``.

        Raises:
            UserError: if an option is unknown or out of range, or the prompt cannot be read.
        """
        return self._pieces(_plan(SamplePlan, num=num, **options), seed)

    def continue_(
        self,
        music: Music,
        *,
        bars: int | str | Sequence[int | str] = 4,
        num: int = 1,
        seed: int = 0,
        **options: Any,
    ) -> list[Piece]:
        """Continue the first bars of a piece.

        ``bars`` may choose others.

        Args:
            music: an ABC or MIDI file, as the model's tokens need, or a piece.
            bars: number of first bars that are kept, not counting an upbeat; or which bars, as
                engraved, such as ``"5-8"`` or ``["1-2", 7]``.
            num: number of continuations.
            seed: from which that of every continuation is made.
            options: as for `sample`.

        Raises:
            UserError: if the piece cannot be read or is too short, or the model does not continue
                pieces.
        """
        with as_file(music) as path:
            options |= {"input": str(path)}
            options |= {"prompt_bars": bars} if isinstance(bars, int) else {"bars": bars}
            return self._pieces(_plan(SamplePlan, num=num, **options), seed)

    def harmonize(
        self, melody: Music, *, num: int = 4, seed: int = 0, **options: Any
    ) -> list[Piece]:
        """Write alto, tenor and bass below a melody, which is forced as the soprano.

        Args:
            melody: an ABC or MIDI file, or a piece.
            num: number of harmonizations.
            seed: from which that of every harmonization is made.
            options: the other fields of `HarmonizePlan`, such as ``tune`` and ``temperature``.

        Raises:
            UserError: if the melody cannot be read, or the model does not write chorales.
        """
        with as_file(melody) as path:
            return self._pieces(_plan(HarmonizePlan, input=str(path), num=num, **options), seed)

    def infill(
        self,
        music: Music,
        *,
        bars: int | str | tuple[int, int] | Sequence[int | str],
        num: int = 1,
        seed: int = 0,
        **options: Any,
    ) -> list[Piece]:
        """Write some bars of a tune anew, as a model can that was trained with ``infill``.

        ``model.infill("tune.abc", bars=(5, 8))`` leaves everything but bars 5 to 8 as it is.

        Args:
            music: an ABC file, or a piece that a model wrote.
            bars: which bars, as engraved: a pair of the first and the last, ``5``, ``"5-8"``, or a
                list such as ``["1-2", 7]``.
            num: number of variants.
            seed: from which that of every variant is made.
            options: the other fields of `InfillPlan`, such as ``temperature``, ``tune`` and
                ``constraint``.

        Returns:
            The whole tune in each of its variants.

        Raises:
            UserError: if the model was not trained for it, the tune cannot be read, or a bar does
                not exist.
        """
        chosen = f"{bars[0]}-{bars[1]}" if isinstance(bars, tuple) else bars
        with as_file(music) as path:
            plan = _plan(InfillPlan, input=str(path), bars=chosen, num=num, **options)
            return self._pieces(plan, seed)[1:]  # the first is the original

    def likelihood(self, music: Music) -> Likelihood:
        """How likely the model finds a piece.

        Args:
            music: an ABC or MIDI file, of which the first piece is read, or a piece.

        Raises:
            UserError: if the piece cannot be read or expressed in the model's tokens, or the model
                has no likelihood.
        """
        with as_file(music) as path:
            piece = read_piece(path, self.tokenizer.FORMAT)
        try:
            return likelihood(self.net, piece, self.tokenizer)
        except Unencodable as error:
            raise UserError(
                f"{path.name} cannot be expressed in the model's tokens: {error}"
            ) from (error)

    def reconstruct(self, music: Music, *, seed: int = 0, **options: Any) -> list[Piece]:
        """Encode windows of a piece and decode them again: input, reconstruction, input, ...

        Args:
            music: a MIDI or ABC file, or a piece.
            seed: from which that of every window is made.
            options: the other fields of `ReconstructPlan`: ``track``, ``bars``, ``num``,
                ``temperature``.

        Raises:
            UserError: if the model has no latent space, or the piece gives no window.
        """
        with as_file(music) as path:
            return self._pieces(_plan(ReconstructPlan, input=str(path), **options), seed)

    def interpolate(self, a: Music, b: Music, *, seed: int = 0, **options: Any) -> list[Piece]:
        """A path from one piece to another through latent space.

        Args:
            a: a MIDI or ABC file, or a piece: where the path begins.
            b: where it ends.
            seed: from which that of all points is made.
            options: the other fields of `InterpolatePlan`: ``steps``, ``a_track``, ``a_bars``,
                ``b_track``, ``b_bars``, ``temperature``.

        Returns:
            The whole path as one piece, input `a`, every point, input `b`.

        Raises:
            UserError: if the model has no latent space, or a piece gives no window.
        """
        with as_file(a) as first, as_file(b) as last:
            plan = _plan(InterpolatePlan, a=str(first), b=str(last), **options)
            return self._pieces(plan, seed)

    def attribute(
        self,
        name: str = "note_density",
        *,
        music: Music | None = None,
        seed: int = 0,
        **options: Any,
    ) -> list[Piece]:
        """Give windows more or less of an attribute, by moving them through latent space.

        The direction is computed from the training data, which are read or prepared first.

        Args:
            name: of the attribute, such as ``note_density``.
            music: a MIDI or ABC file, or a piece; ``None`` moves new windows.
            seed: from which that of every window is made.
            options: the other fields of `AttributePlan`: ``strengths``, ``num``, ``temperature``.

        Raises:
            UserError: if the model has no latent space, or its training data cannot be read.
        """
        if music is None:
            return self._pieces(_plan(AttributePlan, attribute=name, **options), seed)
        with as_file(music) as path:
            plan = _plan(AttributePlan, attribute=name, input=str(path), **options)
            return self._pieces(plan, seed)

    def _pieces(self, plan: Plan, seed: int) -> list[Piece]:
        return [Piece(sample) for sample in self.compose(plan, seed).samples]

    def _training(self) -> Encoded:
        return data_of(self.checkpoint, recomposed([])).encoded


def _plan(kind: type[Any], **options: Any) -> Any:
    """A plan, with `SamplePlan`'s settings as in ``conf/sample/default.yaml``.

    Raises:
        UserError: naming an option that does not exist, or is out of range.
    """
    try:
        return kind(**options)
    except TypeError as error:
        raise UserError(str(error).partition(") ")[2] or str(error)) from error


@contextmanager
def as_file(music: Music) -> Iterator[Path]:
    """The file of a piece of music; that of a `Piece` is removed afterwards."""
    if not isinstance(music, Piece):
        yield Path(music).expanduser()
        return
    with tempfile.TemporaryDirectory() as folder:
        suffix = "mid" if music.abc is None else "abc"
        yield music.save(Path(folder) / f"{music.name}.{suffix}")

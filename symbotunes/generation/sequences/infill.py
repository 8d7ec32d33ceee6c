"""Bars of a tune written anew, given what stands on both sides of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from symbotunes.errors import UserError
from symbotunes.generation.arrival.plans import FillPlan
from symbotunes.generation.output import Output
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.sequences.decoded import STUCK, to_sample
from symbotunes.generation.sequences.gaps import Gaps, read_gaps, require_infill
from symbotunes.generation.sequences.generate import Generated
from symbotunes.generation.sequences.plan import SamplePlan, draw_after
from symbotunes.models.base import SequenceModel
from symbotunes.music.abc.playback import stretch_ticks
from symbotunes.music.excerpt import Excerpt, in_words, read_excerpt
from symbotunes.tokenizers.base import TextTokenizer

AS_BEFORE = "the same notes as in the original"


@dataclass(frozen=True, kw_only=True)
class InfillPlan(Output):
    """Some bars of a tune, written anew by a model that was trained with ``infill``.

    A model of arrival times writes a span of a MIDI file anew instead, see `FillPlan`.

    All gaps are filled in one pass, in the order of the tune, so that each fill knows those before
    it, and none of the bars that it replaces.

    Attributes:
        input: an ABC or MIDI file, as the model reads.
        bars: which bars are written anew, as engraved, such as ``5-8`` or ``[1-2,7]``.
        tune: which tune of the file, by its place, from 1, or title; ``None``: the first that can
            be used.
        span: seconds of a MIDI file, such as ``10-15``, instead of `bars`.
        instruments: of a MIDI file, whose notes are written anew, see `EventPlan`; ``None``: all.
        slide: see `EventPlan`.
        num: number of variants.
        constraint: ``abc``: new bars have the right length, and join ties and repeats; ``None``:
            only their number is right.

    For the other attributes, see `SamplePlan` and `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str] = "infill"
    READS_DATASET: ClassVar[bool] = False

    input: str
    bars: Any = None
    span: str | None = None
    instruments: Sequence[Any] | None = None
    slide: int | None = None
    tune: int | str | None = None
    num: int = 4
    seeds: Sequence[int] | None = None
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    constraint: str | None = "abc"
    max_tokens: int = 1000
    weights: str | None = None
    batch_size: int = 64
    out: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.sampling
        if self.span is not None or self.instruments is not None:
            _ = self.for_events()
        else:
            _ = self.excerpt

    @property
    def sampling(self) -> SamplePlan:
        """How tokens are drawn."""
        names = (
            "num", "seeds", "temperature", "top_k", "top_p", "min_p", "constraint", "max_tokens",
            "weights", "batch_size",
        )  # fmt: skip
        return SamplePlan(**{name: getattr(self, name) for name in names})

    @property
    def excerpt(self) -> Excerpt:
        """The bars that are written anew.

        Raises:
            UserError: if none are named.
        """
        bars = read_excerpt("sample.bars", self.bars)
        if bars is None:
            raise UserError("sample=infill needs the bars to write anew, such as sample.bars=5-8")
        return bars

    @property
    def plain(self) -> None:
        """The plan for new tunes; there is none."""
        return

    def for_sequences(self) -> "InfillPlan":
        """The plan that a sequence model can carry out."""
        return self

    def for_events(self) -> FillPlan:
        """The plan for a model of arrival times.

        Raises:
            UserError: if a value is out of range.
        """
        names = {field.name for field in fields(FillPlan)} & {field.name for field in fields(self)}
        return FillPlan(**{name: getattr(self, name) for name in names})

    def for_windows(self) -> NoReturn:
        """The plan for a model of windows.

        Raises:
            UserError: always, since it reads no tunes.
        """
        raise UserError(
            "sample=infill fills in bars of ABC tunes, which a model of windows does not read: "
            "choose another ckpt=PATH"
        )

    def facts_of(self, gaps: Gaps) -> dict[str, str]:
        """How bars are written, shown to people."""
        tune = f", {gaps.title}" if gaps.title else ""
        bars = ", ".join(in_words(bars) for bars in self.excerpt)
        facts = self.sampling.facts
        return {**facts, "input": f"{Path(self.input).name}{tune}", "written anew, in color": bars}

    def write(
        self,
        net: SequenceModel,
        tokenizer: TextTokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
    ) -> Composition:
        """The original and its variants; variant ``i`` depends on `seed` and ``i`` alone.

        Args:
            net: the trained network.
            tokenizer: the one that it was trained with.
            seed: from which that of every variant is made, unless the plan gives them.
            on_step: called with the number of tokens so far.

        Raises:
            UserError: if the network was not trained for it, the tune cannot be read, a bar does
                not exist, or the constraint cannot complete the tune.
        """
        if tokenizer.TRIPLETS:
            return self.for_events().write(net, tokenizer, seed, on_step)
        for name in ("span", "instruments", "slide"):
            if getattr(self, name) is not None:
                raise UserError(f"sample.{name}: the model does not write arrival times")
        require_infill(type(net).__name__, tokenizer)
        gaps = read_gaps(tokenizer, Path(self.input), self.excerpt, self.tune)
        try:
            constraint = gaps.constraint(self.constraint)
        except ValueError as error:
            raise UserError(f"sample.input={self.input}: {error}") from error
        drawn = draw_after(
            gaps.prompt, net, tokenizer, self.sampling, seed, constraint=constraint, on_step=on_step
        )
        seeds = self.sampling.seeds_of(seed)
        variants = [
            variant(gaps, generated, index, number)
            for index, (generated, number) in enumerate(zip(drawn, seeds, strict=True))
            if not generated.stuck
        ]
        if not variants:
            raise UserError(
                f"sample.input={self.input}: {STUCK} in any variant; try another seed or other "
                "bars, or sample.constraint=null"
            )
        stuck = [
            f"fill {index + 1} is left out ({STUCK})"
            for index, generated in enumerate(drawn)
            if generated.stuck
        ]
        remarks = "; ".join([*gaps.remarks, *stuck])
        inputs = {"remarks on the input": remarks} if remarks else {}
        samples = (original(gaps), *variants)
        return Composition(samples, self.facts_of(gaps), inputs, tempo=gaps.tempo)


def original(gaps: Gaps) -> Sample:
    """The tune as it was, with the bars marked that are written anew."""
    ids = gaps.filled(gaps.original)
    sample = _marked(gaps, Generated(ids, len(ids), 0.0, 0, True), 0, 0)
    return replace(sample, name="original", title="Original", nll_nats=None)


def variant(gaps: Gaps, generated: Generated, index: int, seed: int) -> Sample:
    """The tune with other bars in its gaps.

    Args:
        gaps: of the tune.
        generated: what a model wrote.
        index: of the variant, from 0.
        seed: of the variant.
    """
    written = generated.ids[generated.prompt_length :]
    whole = replace(generated, ids=gaps.filled(written))
    sample = _marked(gaps, whole, index, seed)
    notes = (*sample.notes, AS_BEFORE) if written == gaps.original else sample.notes
    return replace(sample, name=f"fill_{index + 1:02d}", title=f"Fill {index + 1}", notes=notes)


def _marked(gaps: Gaps, generated: Generated, index: int, seed: int) -> Sample:
    """A whole tune as a sample; the gaps are marked."""
    is_masked = generated.count > 0
    sample = to_sample(gaps.tokenizer, generated, index, seed, gaps.key, is_masked=is_masked)
    phrase = gaps.tokenizer.render(gaps.tokenizer.decode(generated.ids), "").phrase
    ticks = [] if phrase is None else stretch_ticks(phrase, gaps.chosen)
    return replace(sample, marked_bars=tuple(gaps.chosen), marked_ticks=tuple(ticks))

"""Plans for models of arrival times: to accompany a track, and to fill in a span of a file."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from symbotunes.errors import UserError
from symbotunes.generation.arrival.drawing import EventSettings, generated, given_in, write_tasks
from symbotunes.generation.arrival.grammar import EventGrammar
from symbotunes.generation.arrival.sampler import Task
from symbotunes.generation.arrival.tasks import (
    EventInput,
    accompaniment,
    gap,
    read_span,
    require_positive,
    spans_of,
)
from symbotunes.generation.given import NoteKey
from symbotunes.generation.output import Output
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.sequences.decoded import to_sample
from symbotunes.generation.sequences.generate import Generated
from symbotunes.generation.sequences.plan import SamplePlan
from symbotunes.models.base import SequenceModel
from symbotunes.music.arrival.instruments import read_instruments
from symbotunes.music.excerpt import read_excerpt
from symbotunes.music.midi.tracks import TrackName
from symbotunes.tokenizers.base import TextTokenizer


@dataclass(frozen=True, kw_only=True)
class EventPlan(Output, ABC):
    """Base class of plans that write events around those of a MIDI file.

    Attributes:
        input: the file.
        instruments: General MIDI programs, 0 to 127, or ``drums``, whose notes are written;
            ``None``: any.
        slide: triplets that leave a full window at once, see `EventSettings`.

    For the other attributes, see `SamplePlan` and `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    NAME: ClassVar[str]
    READS_DATASET: ClassVar[bool] = False

    input: str
    instruments: Sequence[Any] | None = None
    num: int = 4
    seeds: Sequence[int] | None = None
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.95
    min_p: float = 0.0
    max_tokens: int = 1000
    slide: int | None = None
    weights: str | None = None
    out: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.settings

    @property
    def sampling(self) -> SamplePlan:
        """How tokens are drawn."""
        names = (
            "num", "seeds", "temperature", "top_k", "top_p", "min_p", "max_tokens", "weights",
            "slide",
        )  # fmt: skip
        return SamplePlan(**{name: getattr(self, name) for name in names})

    @property
    def settings(self) -> EventSettings:
        """How events are sampled."""
        wanted = read_instruments("sample.instruments", self.instruments)
        return EventSettings(self.sampling.settings, self.slide, EventGrammar(only=wanted))

    @property
    def plain(self) -> NoReturn:
        """The plan for new pieces.

        Raises:
            UserError: always, since there is none.
        """
        raise self._refusal()

    def for_sequences(self) -> "EventPlan":
        """The plan that a sequence model can carry out."""
        return self

    def for_windows(self) -> NoReturn:
        """The plan for a model of windows.

        Raises:
            UserError: always, since there is none.
        """
        raise self._refusal()

    def _refusal(self) -> UserError:
        return UserError(
            f"sample={self.NAME} needs a model of arrival times such as model=amt_small: choose "
            "another ckpt=PATH"
        )

    def write(
        self,
        net: SequenceModel,
        tokenizer: TextTokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
    ) -> Composition:
        """Carry out the plan; sample ``i`` depends on `seed` and ``i`` alone.

        Args:
            net: the trained network.
            tokenizer: the one that it was trained with.
            seed: from which that of every sample is made, unless the plan gives them.
            on_step: called with the number of tokens so far.

        Raises:
            UserError: if the model cannot do it, or the input cannot be read.
        """
        if not tokenizer.TRIPLETS:
            raise self._refusal()
        net.round_weights(self.weights)
        source = EventInput.read(Path(self.input))
        seeds = self.sampling.seeds_of(seed)
        pieces = self._pieces(net, source, seeds, on_step)
        samples = tuple(
            self._sample(tokenizer, piece, index, number)
            for index, (piece, number) in enumerate(zip(pieces, seeds, strict=True))
        )
        return Composition(samples, {**self.sampling.facts, **self.facts})

    @property
    @abstractmethod
    def facts(self) -> dict[str, str]:
        """What is written, shown to people."""

    @abstractmethod
    def _pieces(
        self,
        net: SequenceModel,
        source: EventInput,
        seeds: Sequence[int],
        on_step: Callable[[int], None] | None,
    ) -> list[Generated]: ...

    def _sample(
        self, tokenizer: TextTokenizer[Any], piece: Generated, index: int, seed: int
    ) -> Sample:
        sample = to_sample(tokenizer, piece, index, seed)
        if piece.finished:
            return sample
        remark = "unfinished: sample.max_tokens was reached"
        return replace(sample, notes=(remark, *sample.notes))


@dataclass(frozen=True, kw_only=True)
class AccompanyPlan(EventPlan):
    """A track of a file, and new music around it.

    Attributes:
        track: name or number of the track that is kept.
        seconds: how much is written from the beginning on; ``None``: until the track ends.
    """

    NAME: ClassVar[str] = "accompany"

    track: TrackName
    seconds: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("sample.seconds", self.seconds)

    @property
    def facts(self) -> dict[str, str]:
        return {"given": f"track {self.track} of {Path(self.input).name}"}

    def _pieces(
        self,
        net: SequenceModel,
        source: EventInput,
        seeds: Sequence[int],
        on_step: Callable[[int], None] | None,
    ) -> list[Generated]:
        task = accompaniment(source, self.track, self.seconds)
        written = write_tasks(net, task, self.settings, seeds, on_step)
        return [generated(task, piece) for piece in written]


@dataclass(frozen=True, kw_only=True)
class FillPlan(EventPlan):
    """A file with a span of it written anew.

    Attributes:
        span: seconds, such as ``10-15``.
        bars: which bars, as engraved, such as ``5-8`` or ``[1-2,7]``, instead of `span`.
    """

    NAME: ClassVar[str] = "infill"

    span: str | None = None
    bars: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = read_span("sample.span", self.span), read_excerpt("sample.bars", self.bars)

    @property
    def facts(self) -> dict[str, str]:
        span = f"{self.span} s" if self.span is not None else f"bars {self.bars}"
        return {"input": Path(self.input).name, "written anew": span}

    def _pieces(
        self,
        net: SequenceModel,
        source: EventInput,
        seeds: Sequence[int],
        on_step: Callable[[int], None] | None,
    ) -> list[Generated]:
        span = read_span("sample.span", self.span)
        spans = spans_of(source, span, read_excerpt("sample.bars", self.bars))
        return [self._filled(net, source, spans, seed, on_step) for seed in seeds]

    def _filled(
        self,
        net: SequenceModel,
        source: EventInput,
        spans: Sequence[tuple[int, int]],
        seed: int,
        on_step: Callable[[int], None] | None,
    ) -> Generated:
        """All spans, one after another, so that each knows what was written before."""
        settings = self.settings
        nats, count, finished = 0.0, 0, True
        given: frozenset[NoteKey] | None = None
        for span in spans:
            task: Task = gap(source, span, settings.grammar.only)
            (written,) = write_tasks(net, task, settings, [seed], on_step)
            # What is written into one span is given for the next; only what always was stays so.
            given = given_in(task) if given is None else given & given_in(task)
            source = source.with_events(task, written.events)
            nats, count = nats + written.nll_nats, count + written.count
            finished = finished and written.finished
        whole = generated(task, written)
        return replace(whole, nll_nats=nats, count=count, finished=finished, given=given)

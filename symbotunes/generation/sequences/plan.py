"""From a network and a tokenizer to samples that can be rendered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.arrival.continuing import Timing, check_timing, continued, ids_of
from symbotunes.generation.arrival.drawing import EventSettings
from symbotunes.generation.arrival.tasks import EventInput
from symbotunes.generation.latent.prior import PriorPlan
from symbotunes.generation.output import Output
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.seeds import check_seeds, sample_seeds
from symbotunes.generation.sequences import Constraint, Generated, Settings, generate
from symbotunes.generation.sequences.collection_keys import key_of_sample
from symbotunes.generation.sequences.constraints import (
    ABC,
    AUTO,
    Constrained,
    check_prompt,
    decided,
    read_constraint,
)
from symbotunes.generation.sequences.decoded import to_sample
from symbotunes.generation.sequences.mirex import settings_for, with_generations
from symbotunes.generation.sequences.prompts import Beginning, read_prompt, read_prompt_file
from symbotunes.models.base import SequenceModel
from symbotunes.music.excerpt import Excerpt, in_words, read_excerpt
from symbotunes.music.midi.tracks import TrackName
from symbotunes.music.mirex import is_prompt
from symbotunes.tokenizers.base import TextTokenizer

CONDITIONS = ("density", "pitches")  # settings of models that read such controls
BEGINNINGS = ("prompt", "prompt_file", "input")  # settings that give one
OUTLINES = ("form", "num_bars")  # settings of ABC tunes
TIMED = ("seconds", "until", "slide")  # settings of models of arrival times
ROUNDED = (None, "bfloat16", "int8")


@dataclass(frozen=True)
class SamplePlan(Constrained, Output):
    """How many samples are generated, and how.

    Attributes:
        num: number of samples.
        temperature: above 1 is more surprising, below 1 is safer; 0 always takes the most likely
            token.
        top_k: sample from this many most likely tokens; 0: from all.
        top_p: sample from the most likely tokens that hold this fraction of the probability.
        max_tokens: a sample that has not ended by then is kept and marked unfinished.
        prompt: the beginning of every sample, or ``None``.
        batch_size: samples generated in parallel.
        out: folder for the files; ``None``: that of the run.
        min_p: ignore tokens whose probability is below this fraction of the top token's; 0: keep
            all.
        repetition_penalty: above 1 discourages tokens seen before; 1: off.
        repetition_window: how many of the last tokens, including the prompt, count as seen.
        prompt_file: another name of `input`.
        prompt_bars: how many of the first bars of `input`, not counting an upbeat, if `bars` does
            not choose.
        prompt_tune: which tune of an ABC `input`, by its place (from 1) or title; ``None``: the
            first that can be used.
        weights: ``bfloat16`` or ``int8`` rounds GPT-2's weights during sampling on a CPU;
            ``None``: exact.
        seeds: of the samples, as shown on pages and in ``samples.json``, to repeat exactly these;
            their number takes the place of `num`. ``None``: derived from the command's seed.
        input: a file some bars of which every sample continues, or ``None``.
        track: name or number of the only track of `input` that is read; ``None``: all.
        bars: which bars of `input`, as engraved, such as ``5-8`` or ``[1-2,7]``; ``None``: the
            first ones.
        density: notes per second, for models that read it; ``None``: the model's default.
        seconds: how much is written, for models of arrival times; ``None``: `max_tokens`.
        until: how many seconds of `input` are continued, for such models, instead of `bars`.
        slide: triplets that leave the full window of such a model at once; ``None``: a quarter.
        pitches: weights of the 12 pitch classes from C, for models that read them; ``None``: the
            model's default.

    For the other attributes, see `Output`.

    Raises:
        UserError: if a value is out of range.
    """

    READS_DATASET: ClassVar[bool] = False  # whether it reads the training data

    num: int = 4
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    max_tokens: int = 1000
    prompt: str | None = None
    batch_size: int = 64
    out: str | None = None
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    repetition_window: int = 64
    prompt_file: str | None = None
    prompt_bars: int = 4
    prompt_tune: int | str | None = None
    weights: str | None = None
    seeds: Sequence[int] | None = None
    input: str | None = None
    track: TrackName | None = None
    bars: Any = None
    density: float | None = None
    pitches: Sequence[float] | None = None
    seconds: float | None = None
    until: float | None = None
    slide: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seeds is not None:
            check_seeds(self.seeds)
            object.__setattr__(self, "num", len(self.seeds))
        for name in ("num", "batch_size", "prompt_bars"):
            require_whole_number(f"sample.{name}", getattr(self, name))
        self.check_constraint()
        if self.weights not in ROUNDED:
            raise UserError(f"sample.weights={self.weights}: must be bfloat16, int8 or null")
        given = [name for name in BEGINNINGS if getattr(self, name)]
        if len(given) > 1:
            raise UserError(f"sample.{given[0]} and sample.{given[1]}: give only one of them")
        if (self.bars is not None or self.track is not None) and not self.file:
            raise UserError("sample.bars and sample.track choose from a file: give sample.input")
        if self.prompt_tune is not None and not self.file:
            raise UserError(
                f"sample.prompt_tune={self.prompt_tune} chooses a tune of sample.input=FILE"
            )
        if self.until is not None and (not self.file or self.bars is not None):
            raise UserError(
                f"sample.until={self.until} is for sample.input=FILE without sample.bars"
            )
        check_timing(self.seconds, self.until, self.slide)
        _ = self.excerpt
        _ = self.settings

    @property
    def file(self) -> str | None:
        """The file that the samples continue."""
        return self.input or self.prompt_file

    @property
    def excerpt(self) -> Excerpt | int:
        """The bars of the file that are taken, or how many of the first ones."""
        return read_excerpt("sample.bars", self.bars) or self.prompt_bars

    @property
    def settings(self) -> Settings:
        """The part that the sampler needs."""
        try:
            return Settings(
                temperature=self.temperature,
                top_k=self.top_k,
                top_p=self.top_p,
                min_p=self.min_p,
                repetition_penalty=self.repetition_penalty,
                repetition_window=self.repetition_window,
                max_tokens=self.max_tokens,
            )
        except (ValueError, TypeError) as error:
            raise UserError(f"sample: {error}") from error

    def seeds_of(self, seed: int) -> list[int]:
        """The seed of every sample, given that of the command."""
        return list(self.seeds) if self.seeds is not None else sample_seeds(seed, self.num)

    @property
    def conditions(self) -> dict[str, Any]:
        """What the model is asked for, by the names of settings."""
        given = {name: getattr(self, name) for name in CONDITIONS}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def without_beginning(self) -> "SamplePlan":
        """The plan for samples that continue nothing."""
        nothing: dict[str, Any] = dict.fromkeys(
            (*BEGINNINGS, "prompt_tune", "track", "bars", "until")
        )
        return replace(self, **nothing)

    @property
    def plain(self) -> "SamplePlan":
        """The plan for a sequence model."""
        return self

    def for_sequences(self) -> "SamplePlan":
        """The plan that a sequence model can carry out."""
        return self

    def write(
        self,
        net: SequenceModel,
        tokenizer: TextTokenizer[Any],
        seed: int,
        on_step: Callable[[int], None] | None = None,
    ) -> Composition:
        """Carry out the plan, ``constraint=auto`` decided; see `draw_samples`."""
        plan = replace(self, **settings_for(tokenizer, self)) if is_prompt(self.file) else self
        beginning = read_beginning(tokenizer, plan)
        plan, unconstrained = plan._decided(tokenizer, beginning)
        samples = draw_samples(net, tokenizer, plan, seed, on_step, beginning)
        if is_prompt(self.file):
            samples = with_generations(tokenizer, Path(str(self.file)), beginning.ids, samples)
        notes = {
            "remarks on the prompt": "; ".join(beginning.remarks),
            "no constraint, since": unconstrained,
        }
        inputs = {name: text for name, text in notes.items() if text}
        facts = replace(self, constraint=plan.constraint).facts
        return Composition(tuple(samples), facts, inputs, tempo=beginning.tempo)

    def _decided(
        self, tokenizer: TextTokenizer[Any], beginning: Beginning
    ) -> tuple["SamplePlan", str]:
        """The plan without ``auto``, and what keeps a beginning from being constrained."""
        name, reason = decided(
            tokenizer, self.constraint, beginning.ids, self.max_tokens, outline=self.outline
        )
        return replace(self, constraint=name), reason

    def for_windows(self) -> PriorPlan:
        """The plan for a model of windows.

        Raises:
            UserError: if it needs what only a sequence model can do.
        """
        for name in self.conditions:
            raise UserError(f"sample.{name}: a model of windows has no such condition")
        for name in (*BEGINNINGS, *OUTLINES, "constraint"):
            if getattr(self, name) not in (None, "", AUTO):
                raise UserError(
                    f"sample.{name}: a model of windows reads no text; "
                    "sample=reconstruct reads a file"
                )
        return self.from_prior

    @property
    def from_prior(self) -> PriorPlan:
        """The part of the plan that a model of windows can carry out."""
        return PriorPlan(
            num=self.num,
            temperature=self.temperature,
            batch_size=self.batch_size,
            weights=self.weights,
            seeds=self.seeds,
        )

    @property
    def facts(self) -> dict[str, str]:
        """How samples are generated, shown to people."""
        facts = {
            "temperature": f"{self.temperature:g}",
            "top-k": str(self.top_k or "off"),
            "top-p": f"{self.top_p:g}" if self.top_p < 1 else "off",
        }
        if self.min_p:
            facts["min-p"] = f"{self.min_p:g}"
        if self.repetition_penalty != 1:
            window = self.repetition_window
            facts["repetition penalty"] = f"{self.repetition_penalty:g} over {window} tokens"
        facts |= self.constraint_facts
        if self.weights:
            facts["weights rounded to"] = self.weights
        for name, value in self.conditions.items():
            facts[name] = f"{value:g}" if isinstance(value, float | int) else str(list(value))
        if self.seconds is not None:
            facts["length"] = f"{self.seconds:g} s"
        if self.prompt:
            facts["prompt"] = self.prompt
        if self.file:
            tune = "" if self.prompt_tune is None else f", tune {self.prompt_tune}"
            facts["prompt"] = f"{self._bars_in_words()} of {Path(self.file).name}{tune}"
        return facts

    def _bars_in_words(self) -> str:
        excerpt = self.excerpt
        if self.until is not None:
            words = f"first {self.until:g} s"
        elif isinstance(excerpt, int):
            words = f"first {excerpt} bars"
        else:
            words = ", ".join(in_words(bars) for bars in excerpt)
        return words if self.track is None else f"{words} of track {self.track}"


def draw_samples(
    net: SequenceModel,
    tokenizer: TextTokenizer[Any],
    plan: SamplePlan,
    seed: int,
    on_step: Callable[[int], None] | None = None,
    beginning: Beginning | None = None,
) -> list[Sample]:
    """Sample music; sample ``i`` depends on `seed` and ``i`` alone, not on the number of samples.

    Args:
        net: the trained network.
        tokenizer: the one that it was trained with.
        plan: how many samples, and how.
        seed: from which the seeds of samples are derived, unless the plan gives them.
        on_step: called with the number of tokens so far, to show progress.
        beginning: that of the plan, if it has been read.

    Raises:
        UserError: if the prompt cannot be read, naming the token and the nearest known one, or the
            constraint forbids it.
    """
    beginning = beginning or read_beginning(tokenizer, plan)
    drawn = draw(net, tokenizer, plan, seed, on_step, beginning)
    samples = []
    is_masked = plan.constraint == ABC
    for index, (generated, number) in enumerate(zip(drawn, plan.seeds_of(seed), strict=True)):
        key = key_of_sample(tokenizer, beginning, generated.ids, number)
        samples.append(to_sample(tokenizer, generated, index, number, key, is_masked=is_masked))
    return samples


def draw(
    net: SequenceModel,
    tokenizer: TextTokenizer[Any],
    plan: SamplePlan,
    seed: int,
    on_step: Callable[[int], None] | None = None,
    beginning: Beginning | None = None,
) -> list[Generated]:
    """The ids of samples, see `draw_samples`; `beginning` is that of the plan, if already read."""
    prompt = (beginning or read_beginning(tokenizer, plan)).ids
    constraint = read_constraint(tokenizer, plan.constraint, plan.outline)
    if tokenizer.TRIPLETS:
        net.round_weights(plan.weights)
        net.set_conditions(plan.conditions)
        settings = EventSettings(plan.settings, plan.slide, batch_size=plan.batch_size)
        span = Timing(plan.until, plan.seconds)
        return continued(net, prompt, settings, plan.seeds_of(seed), span=span, on_step=on_step)
    for name in TIMED:
        if getattr(plan, name) is not None:
            raise UserError(f"sample.{name}: the model does not write arrival times")
    return draw_after(prompt, net, tokenizer, plan, seed, constraint=constraint, on_step=on_step)


def draw_after(
    prompt: Sequence[int],
    net: SequenceModel,
    tokenizer: TextTokenizer[Any],
    plan: SamplePlan,
    seed: int,
    *,
    constraint: Constraint | None,
    on_step: Callable[[int], None] | None = None,
) -> list[Generated]:
    """The ids of samples that all begin with a prompt; for the other arguments, see `draw_samples`.

    Raises:
        UserError: if the constraint forbids the prompt.
    """
    check_prompt(constraint, prompt, plan.max_tokens)
    net.round_weights(plan.weights)
    net.set_conditions(plan.conditions)
    seeds = plan.seeds_of(seed)
    drawn: list[Generated] = []
    for start in range(0, plan.num, plan.batch_size):
        part = seeds[start : start + plan.batch_size]
        drawn += generate(
            net,
            tokenizer.vocabulary,
            [prompt] * len(part),
            plan.settings,
            part,
            constraint=constraint,
            on_step=on_step,
        )
    return drawn


def read_beginning(tokenizer: TextTokenizer[Any], plan: SamplePlan) -> Beginning:
    """The beginning that the samples continue.

    Raises:
        UserError: if it cannot be read.
    """
    if plan.until is not None and tokenizer.TRIPLETS:
        source = EventInput.read(Path(str(plan.file)), track=plan.track)
        return Beginning(ids_of(source.until(plan.until)))
    if plan.file:
        key = "sample.input" if plan.input else "sample.prompt_file"
        path = Path(plan.file)
        return read_prompt_file(
            tokenizer, path, plan.excerpt, plan.prompt_tune, track=plan.track, key=key
        )
    return read_prompt(tokenizer, plan.prompt)

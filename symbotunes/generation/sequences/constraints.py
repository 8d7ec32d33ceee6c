"""Constraints on samples by their names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.sequences import Constraint
from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.generation.sequences.closing import ClosingConstraint
from symbotunes.music.abc.form import MOST_BARS, Outline, read_form
from symbotunes.tokenizers.base import TextTokenizer

AUTO = "auto"  # a constraint where music is written for people, none where a model is measured
ABC = "abc"
CONSTRAINTS = (None, AUTO, ABC)


@dataclass(frozen=True, kw_only=True)
class Constrained:
    """What a plan asks of tunes in ABC tokens.

    Attributes:
        constraint: ``abc``: every bar adds up, and repeats open and close correctly; ``None``: no
            constraint; ``auto``: `SamplePlan.write` takes ``abc`` if the tokens have this grammar
            and the beginning keeps to it, and `draw`, which evaluations use, takes none.
        max_bars: most bars of a tune under the constraint, as engraved; ``None``: any number.
        num_bars: number of bars of every tune, instead; with a form, see `read_form`. It sets the
            constraint.
        form: of every tune, such as ``AABB``, see `read_form`; ``None``: any. It sets the
            constraint.
    """

    constraint: str | None = AUTO
    max_bars: int | None = 48
    num_bars: int | None = None
    form: str | None = None

    def check_constraint(self) -> None:
        """Check these attributes, and set the constraint that they need.

        Raises:
            UserError: if a value is out of range.
        """
        if self.constraint not in CONSTRAINTS:
            raise UserError(f"sample.constraint={self.constraint}: must be auto, abc or null")
        if self.form is not None or self.num_bars is not None:
            object.__setattr__(self, "constraint", ABC)
        _ = self.outline

    @property
    def outline(self) -> Outline | None:
        """What is asked of the bars of a tune, if there is a constraint."""
        return read_outline(max_bars=self.max_bars, num_bars=self.num_bars, form=self.form)

    @property
    def constraint_facts(self) -> dict[str, str]:
        """The constraint, shown to people; empty for none."""
        if self.constraint in (None, AUTO):
            return {}
        asked = [] if self.outline is None else [self.outline.fact]
        return {"constraint": str(self.constraint), **dict(asked)}


def decided(
    tokenizer: TextTokenizer[Any],
    name: str | None,
    prompt: Sequence[int],
    max_tokens: int,
    *,
    outline: Outline | None = None,
) -> tuple[str | None, str]:
    """The constraint that ``auto`` stands for where music is written for people.

    Args:
        tokenizer: of the model.
        name: one of `CONSTRAINTS`; others than ``auto`` are returned.
        prompt: ids of the beginning.
        max_tokens: that may follow it.
        outline: what is asked of the bars.

    Returns:
        The name, and what keeps a beginning from being constrained; empty if nothing does.
    """
    if name != AUTO:
        return name, ""
    try:
        constraint = read_constraint(tokenizer, ABC, outline)
    except UserError:  # other tokens, or too few of them to write a tune
        return None, ""
    try:
        check_prompt(constraint, prompt, max_tokens)
    except UserError as error:
        return None, str(error).removeprefix("sample: ")
    return ABC, ""


def read_outline(*, max_bars: int | None, num_bars: int | None, form: str | None) -> Outline | None:
    """What is asked of the bars of a tune; ``None`` for nothing.

    Args:
        max_bars: most bars, if neither of the others is given.
        num_bars: number of bars; with a form, of all its strains, each played once.
        form: such as ``AABB``.

    Raises:
        UserError: if a value is out of range, or they do not agree.
    """
    for name, value in (("max_bars", max_bars), ("num_bars", num_bars)):
        if value is not None:
            require_whole_number(f"sample.{name}", value)
    if num_bars is not None and num_bars > MOST_BARS:
        raise UserError(f"sample.num_bars={num_bars}: must be at most {MOST_BARS}")
    if form is not None:
        try:
            return Outline(f"sample.form={form}", strains=read_form(str(form), num_bars))
        except ValueError as error:
            raise UserError(f"sample.form={form}: {error}") from error
    if num_bars is not None:
        return Outline(f"sample.num_bars={num_bars}", num_bars, num_bars)
    return None if max_bars is None else Outline(f"sample.max_bars={max_bars}", 0, max_bars)


def read_constraint(
    tokenizer: TextTokenizer[Any], name: str | None, outline: Outline | None = None
) -> Constraint | None:
    """The constraint with a name; ``None`` for no constraint, as ``auto`` has it here.

    Args:
        tokenizer: of the model.
        name: of the constraint.
        outline: what is asked of the bars.

    Raises:
        UserError: if it does not apply to the model's tokens.
    """
    if name in (None, AUTO):
        return None
    asked = f"sample.constraint={name}" if outline is None or outline.is_limit else outline.name
    tokens = tokenizer.abc_tokens
    if tokens is None:
        raise UserError(f"{asked}: the model does not write ABC tokens")
    try:
        tokens = [*tokens, *tokenizer.added]  # which are never allowed
        eos, changes = tokenizer.vocabulary.eos, tokenizer.KEEPS_CHANGES
        grammar = AbcConstraint(tokens, eos, outline=outline, changes=changes)
        return ClosingConstraint(grammar, eos)
    except ValueError as error:
        raise UserError(f"{asked}: {error}") from error


def check_prompt(constraint: Constraint | None, prompt: Sequence[int], max_tokens: int) -> None:
    """See that a constraint allows a prompt.

    Raises:
        UserError: if it does not, or the end is out of reach.
    """
    if constraint is None:
        return
    try:
        constraint.begin(prompt, max_tokens)
    except ValueError as error:
        raise UserError(f"sample: {error}") from error

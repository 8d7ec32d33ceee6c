"""Constraints on samples by their names."""

from collections.abc import Sequence
from typing import Any

from symbotunes.errors import UserError
from symbotunes.generation.sequences import Constraint
from symbotunes.generation.sequences.abc_constraint import AbcConstraint
from symbotunes.tokenizers.base import TextTokenizer

AUTO = "auto"  # a constraint where music is written for people, none where a model is measured
ABC = "abc"
CONSTRAINTS = (None, AUTO, ABC)


def decided(
    tokenizer: TextTokenizer[Any], name: str | None, prompt: Sequence[int], max_tokens: int
) -> tuple[str | None, str]:
    """The constraint that ``auto`` stands for where music is written for people.

    Args:
        tokenizer: of the model.
        name: one of `CONSTRAINTS`; others than ``auto`` are returned.
        prompt: ids of the beginning.
        max_tokens: that may follow it.

    Returns:
        The name, and what keeps a beginning from being constrained; empty if nothing does.
    """
    if name != AUTO:
        return name, ""
    try:
        constraint = read_constraint(tokenizer, ABC)
    except UserError:  # other tokens, or too few of them to write a tune
        return None, ""
    try:
        check_prompt(constraint, prompt, max_tokens)
    except UserError as error:
        return None, str(error).removeprefix("sample: ")
    return ABC, ""


def read_constraint(tokenizer: TextTokenizer[Any], name: str | None) -> Constraint | None:
    """The constraint with a name; ``None`` for no constraint, as ``auto`` has it here.

    Raises:
        UserError: if it does not apply to the model's tokens.
    """
    if name in (None, AUTO):
        return None
    tokens = tokenizer.abc_tokens
    if tokens is None:
        raise UserError(f"sample.constraint={name}: the model does not write ABC tokens")
    try:
        changes = tokenizer.KEEPS_CHANGES
        tokens = [*tokens, *tokenizer.added]  # which are never allowed
        return AbcConstraint(tokens, tokenizer.vocabulary.eos, changes=changes)
    except ValueError as error:
        raise UserError(f"sample.constraint={name}: {error}") from error


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

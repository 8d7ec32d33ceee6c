"""Continuations of prompts of MIREX's generation task, as any model of MIDI continues bars."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbotunes.errors import UserError
from symbotunes.generation.sample import Sample
from symbotunes.music.midi.piece import MidiPiece, read_midi_bytes
from symbotunes.music.mirex import (
    END,
    GENERATED_BARS,
    PER_BAR,
    PROMPT_BARS,
    generated_seconds,
    generation_of,
    generation_text,
    prompt_seconds,
    shift_of,
)
from symbotunes.tokenizers.base import TextTokenizer

CHOICES = ("bars", "track", "until", "seconds")  # settings of a plan that the task decides


def settings_for(tokenizer: TextTokenizer[Any], plan: Any) -> dict[str, Any]:
    """Settings of a plan by which a model continues the whole prompt, and as far as it can say.

    Raises:
        UserError: if the plan chooses what the task decides.
    """
    for name in CHOICES:
        if getattr(plan, name) is not None:
            raise UserError(
                f"sample.{name}: of {plan.file}, a prompt of MIREX, all is read, and the next "
                f"{GENERATED_BARS} bars are written"
            )
    if tokenizer.TRIPLETS:
        return {"until": prompt_seconds(), "seconds": generated_seconds()}
    return {"prompt_bars": PROMPT_BARS}


def with_generations(
    tokenizer: TextTokenizer[Any], path: Path, ids: Sequence[int], samples: Sequence[Sample]
) -> list[Sample]:
    """Samples with what the task asks for, and a remark on those that end too early.

    Args:
        tokenizer: of the model.
        path: of the prompt.
        ids: of the prompt.
        samples: that continue it.
    """
    prompt = MidiPiece(path.name, read_midi_bytes(path)).score
    shift = shift_of(prompt, tokenizer.render(tokenizer.decode([int(i) for i in ids]), "").score)
    return [_with_generation(sample, shift) for sample in samples]


def _with_generation(sample: Sample, shift: int) -> Sample:
    notes = generation_of(sample.score, shift)
    end = max((note["start"] + note["duration"] for note in notes), default=0)
    missing = (END - end) // PER_BAR if notes else GENERATED_BARS
    remarks = sample.notes
    if missing:
        remarks = (*remarks, f"the last {missing} of {GENERATED_BARS} bars are empty: {HINT}")
    return replace(sample, mirex=generation_text(notes), notes=remarks)


HINT = "the model ended earlier, or sample.max_tokens is too small"

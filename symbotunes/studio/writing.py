"""A model carries out what a page asked for; pieces join the session as they are written."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError
from symbotunes.generation.compose import Plan
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.seeds import sample_seeds, seed_everything
from symbotunes.generation.sequences.prompts import Beginning, read_prompt, read_prompt_file
from symbotunes.studio.description import described
from symbotunes.studio.growing import GrowingTune, Steps
from symbotunes.studio.menu import Entry, Menu
from symbotunes.studio.origins import Written
from symbotunes.studio.session import Session
from symbotunes.studio.tasks import Task
from symbotunes.studio.wanted import Wanted
from symbotunes.studio.warm import WarmModels

# Samples that are the user's own music, or that the page does not show: by their names.
GIVEN = ("original", "interpolation", "input_a", "input_b")
REMARKS = ("remarks on the prompt", "no constraint, since", "remarks on the input")
DataOf = Callable[[TrainedModel], Callable[[], Encoded]]


class Writing:
    """Everything that tasks need.

    Args:
        menu: of the models.
        models: those that are loaded.
        session: where pieces are kept.
        data_of: how the training data of a model are read.
    """

    def __init__(self, menu: Menu, models: WarmModels, session: Session, data_of: DataOf) -> None:
        self.menu = menu
        self.models = models
        self.session = session
        self.data_of = data_of

    def work(self, wanted: Wanted) -> Callable[[Task], None]:
        """The work of a task.

        Raises:
            UserError: if no model can do it, or a piece does not exist.
        """
        entry, remark = self._able(wanted)
        for piece in wanted.pieces.values():
            self.session.piece(piece)
        wanted.plan_with(dict.fromkeys(wanted.pieces, Path()), None)  # its settings are checked
        return lambda task: self._carry_out(wanted, entry, remark, task)

    def _able(self, wanted: Wanted) -> tuple[Entry, str]:
        """The model that is to do it, and what is to be said if it is not the chosen one."""
        chosen = self.menu.entry(wanted.model)
        if wanted.plan in chosen.abilities:
            return chosen, ""
        other = self.menu.able(wanted.plan, abc=chosen.abc)
        if other is None:
            raise UserError(
                f"{chosen.name} cannot {_verb(wanted.plan)}, nor can another model here"
            )
        return other, f"written by {other.name}, since {chosen.name} cannot {_verb(wanted.plan)}"

    def _carry_out(self, wanted: Wanted, entry: Entry, remark: str, task: Task) -> None:
        model = self.models.get(entry, lambda: task.tell("loading", model=entry.name))
        fmt = "abc" if model.tokenizer.FORMAT == "abc" else "midi"
        files = {name: self.session.input_file(piece, fmt) for name, piece in wanted.pieces.items()}
        if not wanted.kind.alone:
            self._write(wanted, entry, model, files, task, seed=None, index=0, remark=remark)
            return
        # One by one, so that the first is heard soon, and each can be repeated bit for bit.
        for index, seed in enumerate(sample_seeds(wanted.seed, wanted.num)):
            self._write(wanted, entry, model, files, task, seed=seed, index=index, remark=remark)

    def _write(
        self,
        wanted: Wanted,
        entry: Entry,
        model: TrainedModel,
        files: Mapping[str, Path],
        task: Task,
        *,
        seed: int | None,
        index: int,
        remark: str,
    ) -> None:
        """Carry out a plan for one candidate, or for all at once if `seed` is ``None``."""
        task.check()
        plan = wanted.plan_with(files, seed)
        steps = _steps(wanted, model, plan, task, index, seed) if entry.abc else Steps(task.check)
        seed_everything(wanted.seed)
        composition = model.compose(plan, wanted.seed, on_step=steps, training=self.data_of(model))
        remarks = (*filter(None, [remark]), *_remarks(composition))
        for number, sample in enumerate(composition.samples):
            if sample.name in GIVEN:
                continue
            origin = Written(
                ckpt=entry.id,
                model=entry.name,
                plan=wanted.kind.group,
                seed=wanted.seed,
                settings=wanted.settings,
                number=number,
                inputs={name: path.name for name, path in files.items()},
            )
            named = replace(_numbered(sample, index), notes=(*remarks, *sample.notes))
            parent = wanted.pieces.get("input")
            piece = self.session.add(named, origin, parent=parent)
            unsaved = self.session.why_unsaved(piece.id)
            task.tell("piece", index=index, piece=described(piece, unsaved=unsaved))
            index += 1


def _steps(
    wanted: Wanted, model: TrainedModel, plan: Plan, task: Task, index: int, seed: int | None
) -> Steps:
    """What is told of a tune while it is written; of other plans, nothing."""
    text: Any = model.tokenizer.text
    if seed is None or text is None or wanted.plan not in ("sample", "continue"):
        return Steps(task.check)
    return GrowingTune(
        task.check,
        lambda abc: task.tell("text", index=index, abc=_with_title(abc, index)),
        text,
        _beginning(text, plan),
        index,
        seed,
    )


def _beginning(tokenizer: Any, plan: Any) -> Beginning:
    if plan.file:
        return read_prompt_file(tokenizer, Path(plan.file), plan.excerpt)
    return read_prompt(tokenizer, plan.prompt)


def _remarks(composition: Composition) -> list[str]:
    inputs = composition.inputs
    return [f"{name}: {inputs[name]}" for name in REMARKS if name in inputs]


def _numbered(sample: Sample, index: int) -> Sample:
    """A sample that is told apart from the other candidates, which were written alone too."""
    kind, _, number = sample.title.rpartition(" ")
    if not number.isdecimal():
        return sample
    title = f"{kind} {index + 1}"
    abc = None if sample.abc is None else sample.abc.replace(f"T:{sample.title}\n", f"T:{title}\n")
    stem, _, digits = sample.name.rpartition("_")
    name = f"{stem}_{index + 1:02d}" if digits.isdecimal() else sample.name
    return replace(sample, title=title, name=name, abc=abc)


def _with_title(abc: str, index: int) -> str:
    return abc.replace("T:Sample 1\n", f"T:Sample {index + 1}\n", 1)


def _verb(plan: str) -> str:
    verbs = {
        "sample": "write new music",
        "continue": "continue music",
        "infill": "write single bars anew",
        "accompany": "accompany a track",
        "harmonize": "harmonize a melody",
        "prior": "draw windows",
        "interpolate": "interpolate between windows",
        "attribute": "change an attribute",
    }
    return verbs[plan]

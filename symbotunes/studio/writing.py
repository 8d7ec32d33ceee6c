"""A model carries out what a page asked for; pieces join the session as they are written."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symbotunes.checkpoints.trained_model import TrainedModel
from symbotunes.data.cache.encoded import Encoded
from symbotunes.errors import UserError, first_line
from symbotunes.generation.sample import Composition, Sample
from symbotunes.generation.seeds import sample_seeds, seed_everything
from symbotunes.generation.sequences.prompts import Beginning, read_prompt, read_prompt_file
from symbotunes.studio.description import described
from symbotunes.studio.forms import Renderings
from symbotunes.studio.growing import GrowingTune, Steps
from symbotunes.studio.menu import Entry, Menu
from symbotunes.studio.origins import Written
from symbotunes.studio.piece import StudioPiece
from symbotunes.studio.session import Session
from symbotunes.studio.tasks import Task
from symbotunes.studio.wanted import Wanted
from symbotunes.studio.warm import WarmModels

# Samples that are the user's own music, or all others in a row: by their names.
NOT_SHOWN = ("original", "interpolation", "input_a", "input_b")
REMARKS = ("remarks on the prompt", "no constraint, since", "remarks on the input")
PROGRAM = "%%MIDI program"  # in ABC that is not played by the usual instrument
VERBS = {
    "sample": "write new music",
    "continue": "continue music",
    "infill": "write bars anew",
    "accompany": "accompany a track",
    "harmonize": "harmonize a melody",
    "prior": "draw windows",
    "interpolate": "find a path between windows",
    "attribute": "change an attribute",
}
DataOf = Callable[[TrainedModel], Encoded]


@dataclass(frozen=True)
class Writing:
    """What tasks need.

    Attributes:
        menu: of the models.
        models: those that are loaded.
        session: where pieces are kept.
        renderings: of the pieces.
        data_of: reads the training data of a model, or prepares them first.
    """

    menu: Menu
    models: WarmModels
    session: Session
    renderings: Renderings
    data_of: DataOf

    def work(self, wanted: Wanted) -> Callable[[Task], None]:
        """The work of a task.

        Raises:
            UserError: if no model can do it, or a piece does not exist.
        """
        entry, remark = self._able(wanted)
        for piece in wanted.pieces.values():
            self.session.piece(piece)
        wanted.plan_with(dict.fromkeys(wanted.pieces, Path("file")), None)  # checks the settings
        return lambda task: self._carry_out(wanted, entry, remark, task)

    def _able(self, wanted: Wanted) -> tuple[Entry, str]:
        """The model that is to do it, and what is to be said if it is not the chosen one."""
        chosen = self.menu.entry(wanted.model)
        if wanted.plan in chosen.abilities:
            return chosen, ""
        cannot = f"{chosen.name} cannot {VERBS[wanted.plan]}"
        other = self.menu.able(wanted.plan, abc=chosen.abc)
        if other is None:
            raise UserError(f"{cannot}, nor can another model of the menu")
        return other, f"written by {other.name}, since {cannot}"

    def _carry_out(self, wanted: Wanted, entry: Entry, remark: str, task: Task) -> None:
        model = self.models.get(entry, lambda: task.tell("loading", model=entry.name))
        fmt = "abc" if model.tokenizer.FORMAT == "abc" else "midi"
        files = {name: self.session.input_file(piece, fmt) for name, piece in wanted.pieces.items()}
        if entry.abc:
            wanted = self._on_same_instrument(wanted)
        one = _Writer(self, wanted, entry, model, files, task, remark)
        with self._titles_in_errors(wanted, files):
            if not wanted.kind.alone:
                one.write(0, None)
                return
            # One by one, so that the first is heard soon, and each can be repeated bit for bit.
            for index, seed in enumerate(sample_seeds(wanted.seed, wanted.num)):
                one.write(index, seed)

    def _on_same_instrument(self, wanted: Wanted) -> Wanted:
        """The task with the instrument of the tune that it starts from, unless it names one."""
        name = wanted.pieces.get("input")
        if name is None or "instrument" in wanted.settings:
            return wanted
        piece = self.session.piece(name)
        if PROGRAM not in (piece.sample.abc or ""):
            return wanted
        instrument = described(piece)["instrument"]
        return replace(wanted, settings={**wanted.settings, "instrument": instrument})

    @contextmanager
    def _titles_in_errors(self, wanted: Wanted, files: Mapping[str, Path]) -> Iterator[None]:
        """Errors that name pieces, not the files of the session."""
        try:
            yield
        except UserError as error:
            line = first_line(error)
            for name, path in files.items():
                title = self.session.piece(wanted.pieces[name]).sample.title
                for text in (f"sample.{name}={path}", str(path), path.name):
                    line = line.replace(text, title)
            raise UserError(line) from error


@dataclass(frozen=True)
class _Writer:
    """One task that is being carried out."""

    writing: Writing
    wanted: Wanted
    entry: Entry
    model: TrainedModel
    files: Mapping[str, Path]
    task: Task
    remark: str

    def write(self, index: int, seed: int | None) -> None:
        """Carry out the plan for one candidate, or for all at once if there is no seed of its own.

        Args:
            index: of the candidate, or of the first.
            seed: of the sample.
        """
        self.task.check()
        plan = self.wanted.plan_with(self.files, seed)
        seed_everything(self.wanted.seed)
        composition = self.model.compose(
            plan,
            self.wanted.seed,
            on_step=self._steps(plan, index, seed),
            training=self._training,
        )
        remarks = (*filter(None, [self.remark]), *_remarks(composition))
        for number, sample in enumerate(composition.samples):
            if sample.name not in NOT_SHOWN:
                named = replace(_numbered(sample, index), notes=(*remarks, *sample.notes))
                self._add(named, number, index)
                index += 1

    def _add(self, sample: Sample, number: int, index: int) -> None:
        wanted, session = self.wanted, self.writing.session
        origin = Written(
            ckpt=self.entry.id,
            model=self.entry.name,
            plan=wanted.kind.group,
            seed=wanted.seed,
            settings=wanted.settings,
            number=number,
            inputs={name: path.name for name, path in self.files.items()},
        )
        piece = session.add(sample, origin, wanted.pieces.get("input"))
        told = described(piece, unsaved=session.why_unsaved(piece.id))
        self.task.tell("piece", index=index, piece=told)
        if index == 0:
            self._sound(piece)

    def _training(self) -> Encoded:
        self.task.tell("loading", model=f"the training data of {self.entry.name}")
        return self.writing.data_of(self.model)

    def _sound(self, piece: StudioPiece) -> None:
        """Make the sound that the page asks for now, before the next candidate takes the time."""
        try:
            self.writing.renderings.file(piece, "wav")
        except UserError:
            return  # the page is told when it asks

    def _steps(self, plan: Any, index: int, seed: int | None) -> Steps:
        """What is told of a tune while it is written; of other plans, nothing."""
        text: Any = self.model.tokenizer.text
        grows = self.wanted.plan in ("sample", "continue") and self.entry.abc
        if seed is None or text is None or not grows:
            return Steps(self.task.check)

        def tell(abc: str) -> None:
            self.task.tell("text", index=index, abc=abc)

        return GrowingTune(self.task.check, tell, text, _beginning(text, plan), index, seed)


def _beginning(tokenizer: Any, plan: Any) -> Beginning:
    if plan.file:
        return read_prompt_file(tokenizer, Path(plan.file), plan.excerpt, plan.prompt_tune)
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

"""What a page asks a model to write, and the plan that does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.arrival.plans import AccompanyPlan
from symbotunes.generation.compose import Plan
from symbotunes.generation.latent.attribute import AttributePlan
from symbotunes.generation.latent.interpolate import InterpolatePlan
from symbotunes.generation.latent.prior import PriorPlan
from symbotunes.generation.sequences.harmonize import HarmonizePlan
from symbotunes.generation.sequences.infill import InfillPlan
from symbotunes.generation.sequences.plan import SamplePlan

MOST = 32  # candidates at once
MOST_SEEDS = 2**32  # of commands
LONGEST_TEXT = 20_000  # characters of an option


@dataclass(frozen=True)
class Kind:
    """A kind of plan.

    Attributes:
        group: its option of ``conf/sample``.
        plan: its class.
        inputs: its fields that name files, by the keys of a task that name pieces.
        required: whether it needs these pieces.
        alone: whether a sample of it can be repeated without the others, by its seed.
    """

    group: str
    plan: type[Any]
    inputs: Mapping[str, str] = field(default_factory=dict)
    required: bool = True
    alone: bool = True


PIECE = {"piece": "input"}
KINDS: Mapping[str, Kind] = {
    "sample": Kind("default", SamplePlan),
    "continue": Kind("continue", SamplePlan, PIECE),
    "infill": Kind("infill", InfillPlan, PIECE),
    "accompany": Kind("accompany", AccompanyPlan, PIECE),
    "harmonize": Kind("harmonize", HarmonizePlan, PIECE),
    "prior": Kind("prior", PriorPlan),
    "interpolate": Kind("interpolate", InterpolatePlan, {"a": "a", "b": "b"}, alone=False),
    "attribute": Kind("attribute", AttributePlan, PIECE, required=False, alone=False),
}
# Settings that a page may not set: files, what it has keys of its own for, and what changes nothing
# but speed.
RESERVED = frozenset(
    ("out", "forms", "input", "prompt_file", "a", "b", "num", "seeds", "batch_size", "weights")
)


@dataclass(frozen=True)
class Wanted:
    """A task of a page, checked.

    Attributes:
        model: a model of the menu.
        plan: a key of `KINDS`.
        num: number of candidates.
        seed: as of a command.
        pieces: ids of pieces by the plan's fields that name files.
        settings: of the plan, where they are not the usual ones; without files and seeds.
    """

    model: str
    plan: str
    num: int
    seed: int
    pieces: Mapping[str, str]
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, body: object) -> "Wanted":
        """Check what a page sent.

        Raises:
            UserError: naming what is wrong with it.
        """
        if not isinstance(body, dict):
            raise UserError("a task must be a JSON object")
        plan, model = body.get("plan"), body.get("model")
        if not isinstance(plan, str) or plan not in KINDS:
            raise UserError(f"plan must be one of {', '.join(KINDS)}")
        if not isinstance(model, str) or not model:
            raise UserError("choose a model")
        num, seed = body.get("num", 1), body.get("seed", 0)
        require_whole_number("the number of candidates", num)
        require_whole_number("the seed", seed, least=0)
        if num > MOST or seed >= MOST_SEEDS:
            raise UserError(f"at most {MOST} candidates, and a seed less than {MOST_SEEDS:,}")
        kind = KINDS[plan]
        return cls(model, plan, num, seed, _pieces(kind, body), _settings(kind, body))

    @property
    def kind(self) -> Kind:
        """Of the plan."""
        return KINDS[self.plan]

    def plan_with(self, files: Mapping[str, Path], seed: int | None) -> Plan:
        """The plan.

        Args:
            files: by its fields.
            seed: of its only sample; ``None``: of the command.

        Raises:
            UserError: if a setting is out of range.
        """
        seeds = {} if seed is None else {"seeds": [seed]}
        paths = {name: str(path) for name, path in files.items()}
        try:
            plan: Plan = self.kind.plan(**paths, **self.settings, **seeds)
        except TypeError as error:
            raise UserError(f"a setting has a wrong value: {error}") from error
        return plan


def _pieces(kind: Kind, body: Mapping[str, Any]) -> dict[str, str]:
    pieces = {}
    for key, name in kind.inputs.items():
        piece = body.get(key)
        if isinstance(piece, str) and piece:
            pieces[name] = piece
        elif kind.required or piece is not None:
            raise UserError(f"choose a piece first ({key} is missing)")
    return pieces


def _settings(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a plan: the options of a task, and its keys of the same names."""
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise UserError("options must be a JSON object")
    known = {field.name for field in fields(kind.plan)} - RESERVED
    given = {key: body[key] for key in ("bars", "track") if body.get(key) is not None}
    if body.get("span") is not None:
        given["span"] = _span(body["span"])
    settings = {}
    for name, value in {**options, **given}.items():
        if name not in known:
            # Every panel has these two fields, and some plans lack one.
            if name in ("temperature", "min_p"):
                continue
            raise UserError(f"{name} is not a setting of this plan")
        settings[name] = _value(name, value)
    usual = {field.name: field.default for field in fields(kind.plan)}
    return {name: value for name, value in settings.items() if value != usual[name]}


def _span(value: object) -> str:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        raise UserError("span must be two numbers of seconds")
    return "-".join(f"{end:.3f}".rstrip("0").rstrip(".") for end in value)


def _value(name: str, value: object) -> Any:
    """A setting that JSON can hold and a command can name.

    Raises:
        UserError: if it is another one.
    """
    if value is None or isinstance(value, bool) or _is_number(value):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value
    if isinstance(value, list) and len(value) <= 128:
        return [_value(name, entry) for entry in value]
    raise UserError(f"{name} has a value that cannot be used")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

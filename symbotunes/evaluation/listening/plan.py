"""What a listening test consists of, and where its ratings are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from symbotunes.errors import UserError, require_whole_number
from symbotunes.generation.output import Output

LONGEST_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class ListenPlan(Output):
    """A listening test to write, or one whose ratings are read.

    Attributes:
        ckpts: of the models that are heard.
        held_out: whether held-out music is heard among them.
        pieces: of every model, and of held-out music.
        rounds: how many of them each listener hears; ``None``: all.
        prompt_bars: how many first bars of a held-out piece everyone continues; ``None``: free
            tunes.
        seconds: after which every piece fades out.
        ratings: files of listeners and folders of such files, to read instead.
        listening_key: the key of the test, which tells who wrote what; ``None``: it is looked for.

    For the other attributes, see `Output`.

    Raises:
        UserError: if a value is out of range, or there is nothing to compare.
    """

    GROUP: ClassVar[str] = "listen"

    ckpts: Sequence[str] = ()
    held_out: bool = True
    pieces: int = 12
    rounds: int | None = 6
    prompt_bars: int | None = None
    seconds: float = 30
    ratings: Sequence[str] = ()
    listening_key: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_whole_number("listen.pieces", self.pieces)
        require_whole_number("listen.rounds", self.rounds, optional=True)
        require_whole_number("listen.prompt_bars", self.prompt_bars, optional=True)
        if isinstance(self.seconds, bool) or not isinstance(self.seconds, int | float):
            raise UserError(f"listen.seconds={self.seconds}: must be a number")
        if not 1 <= self.seconds <= LONGEST_SECONDS:
            raise UserError(f"listen.seconds={self.seconds}: must be from 1 to {LONGEST_SECONDS}")
        for name in ("ckpts", "ratings"):
            if isinstance(getattr(self, name), str):
                raise UserError(f"listen.{name} is a list: 'listen.{name}=[A,B]'")
        if bool(self.ckpts) == bool(self.ratings):
            raise UserError(
                "mode=listen needs 'listen.ckpts=[A.ckpt,B.ckpt]' for a new test, or "
                "'listen.ratings=[A.json,B.json]' for the results of one"
            )
        if len(set(self.ckpts)) < len(self.ckpts):
            raise UserError("listen.ckpts names a checkpoint twice")
        if len(self.ckpts) + self.held_out < 2 and self.ckpts:
            raise UserError("a single model needs held-out music beside it: listen.held_out=true")

    @property
    def rounds_heard(self) -> int:
        """Rounds that each listener hears."""
        return self.pieces if self.rounds is None else min(self.rounds, self.pieces)

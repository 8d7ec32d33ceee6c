"""How windows of a file are read: its beats and bars."""

from dataclasses import dataclass

from symbotunes.errors import UserError

CHOICES = {"meter_tracks": ("first", "all"), "tempo_changes": ("restart", "ignore")}


@dataclass(frozen=True)
class Reading:
    """How the beats and bars of a file are read; the defaults are those of the authors' code.

    Attributes:
        meter_tracks: whose tempos and meters count: the ``first`` track's, or those of ``all``.
        tempo_changes: ``restart``: a change of tempo begins a bar; ``ignore``: the file's bars.
        max_off_grid: greatest mean distance of onsets from the grid, in steps; ``None``: any.

    Raises:
        UserError: if there is no such choice.
    """

    meter_tracks: str = "first"
    tempo_changes: str = "restart"
    max_off_grid: float | None = None

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            if getattr(self, key) not in choices:
                raise UserError(f"{key}={getattr(self, key)}: choose {' or '.join(choices)}")

"""The error of a MIDI file that cannot be read."""


class MidiError(ValueError):
    """MIDI that cannot be read, or that does not hold what is asked of it.

    Attributes:
        reason: a short phrase that receipts count, the same for all files with the same trouble.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason

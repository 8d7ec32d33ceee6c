"""The error of a MIDI file that cannot be read."""


class MidiError(ValueError):
    """MIDI that cannot be read, or that lacks what is needed.

    Attributes:
        reason: a short phrase, the same for all files with the same problem, so that receipts can
            count it.
        detail: what it is about, such as the value that was read; may be empty.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail

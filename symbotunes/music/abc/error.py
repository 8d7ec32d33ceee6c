"""The error of a tune that cannot be read."""


class AbcError(ValueError):
    """ABC that cannot be read, or that says too little to be played.

    Attributes:
        reason: a short phrase, the same for all tunes with the same problem, so that receipts can
            count it.
        detail: what it is about, such as the value that was read; may be empty.
        line: of the tune's text, counted from 1; ``None`` if it is not about a line.
    """

    def __init__(self, reason: str, detail: str = "", line: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.line = line

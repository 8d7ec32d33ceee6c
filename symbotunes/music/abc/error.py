"""The error of a tune that cannot be read."""


class AbcError(ValueError):
    """ABC that cannot be read, or that says too little to be played.

    Attributes:
        reason: a short phrase that receipts count, the same for all tunes with the same trouble.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason

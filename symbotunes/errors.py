"""The one exception that is shown to users as a line rather than as a traceback."""


class UserError(ValueError):
    """Something that its user can mend; the message is one line that says what to do."""

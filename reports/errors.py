"""What can go wrong in this room, and nothing else."""


class ReportError(Exception):
    """A report cannot be made or read; the message says which file and why. Never a verdict."""


class UsageError(ReportError):
    """The command line asks for something that does not exist."""

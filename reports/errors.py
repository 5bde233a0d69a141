"""What can go wrong in this room, and nothing else."""


class ReportError(Exception):
    """A report cannot be made or read; the message says which file and why. Never a verdict."""

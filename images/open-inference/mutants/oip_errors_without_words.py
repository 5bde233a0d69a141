"""A mutant that refuses without the error object."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Refuses without the error object."""

    def refused_body(self, message: str) -> bytes:
        """Return the body of a refusal."""
        del message
        return b'{"detail": []}'


if __name__ == "__main__":
    conforming(Mutant())

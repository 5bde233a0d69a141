"""A mutant that knows no status of failure."""

from conforming import conforming
from rules import Rules


class Mutant(Rules):
    """Knows no status of failure."""

    def refused_status(self, status: int) -> int:
        """Return the HTTP status of a refusal."""
        del status
        return 200

    def refuses_over_grpc(self, error: Exception) -> bool:
        """Tell whether a gRPC call that failed so is told that it did."""
        del error
        return False


if __name__ == "__main__":
    conforming(Mutant())

"""A mutant that asks the loaded model where a request names another one."""

from conforming import ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server that takes any name for that of its model."""

    def asked(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the one model that there is, in the version that is asked for."""
        _, version = super().asked(headers)
        return "sums", version


if __name__ == "__main__":
    conforming(Mutant)
